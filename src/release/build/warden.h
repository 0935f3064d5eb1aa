/* SPDX-License-Identifier: ISC
 *
 * Between us and a command that we run stands a process that outlives neither: the warden. It waits
 * for the command to end or for us to let go (or die, in whatever way), then kills all that is
 * left of the command, also what made itself a session of its own. For the inside of this room.
 */
#ifndef RELEASE_BUILD_WARDEN_H
#define RELEASE_BUILD_WARDEN_H

#include <glib.h>

typedef enum WardenStep {
	WARDEN_ENDED, /* number: as waitpid() has it */
	/* What could not be done; number: errno. */
	WARDEN_FORK,
	WARDEN_NAMESPACE,
	WARDEN_LOOPBACK,
	WARDEN_FOLDER,
	WARDEN_EXEC,
	WARDEN_GONE, /* said nothing: it was killed itself */
} WardenStep;

typedef struct WardenWord {
	WardenStep step;
	int number;
} WardenWord;

typedef struct WardenTask {
	char *const *arguments; /* the first is the program's path; NULL-terminated */
	char *const *environment;
	const char *folder;
	int log_fd;
	gboolean with_network;
} WardenTask;

typedef struct Warden {
	int pid;
	int hold;  /* closing this ends it all */
	int words; /* readable when there is a WardenWord */
} Warden;

/* FALSE with errno. */
gboolean warden_start(const WardenTask *task, Warden *warden);
/* Waits for at most `timeout_ms`; TRUE when it is over and *word says how. */
gboolean warden_wait(Warden *warden, int timeout_ms, WardenWord *word);
/* Lets go: returns when nothing of the command runs any more. */
void warden_end(Warden *warden);

#endif
