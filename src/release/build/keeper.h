/* SPDX-License-Identifier: ISC
 *
 * Between us and a command that we run stands a process that outlives neither: the keeper. It waits
 * for the command to end or for us to let go (or die, in whatever way), then kills all that is
 * left of the command, also what made itself a session of its own. For the inside of this room.
 */
#ifndef RELEASE_BUILD_KEEPER_H
#define RELEASE_BUILD_KEEPER_H

#include <glib.h>

typedef enum KeeperStep {
	KEEPER_ENDED, /* number: as waitpid() has it */
	/* What could not be done; number: errno. */
	KEEPER_FORK,
	KEEPER_NAMESPACE,
	KEEPER_LOOPBACK,
	KEEPER_FOLDER,
	KEEPER_EXEC,
	KEEPER_GONE, /* said nothing: it was killed itself */
} KeeperStep;

typedef struct KeeperWord {
	KeeperStep step;
	int number;
} KeeperWord;

typedef struct KeeperTask {
	char *const *arguments; /* the first is the program's path; NULL-terminated */
	char *const *environment;
	const char *folder;
	int log_fd;
	gboolean with_network;
} KeeperTask;

typedef struct Keeper {
	int pid;
	int hold;  /* closing this ends it all */
	int words; /* readable when there is a KeeperWord */
} Keeper;

/* FALSE with errno. */
gboolean keeper_start(const KeeperTask *task, Keeper *keeper);
/* Waits for at most `timeout_ms`; TRUE when it is over and *word says how. */
gboolean keeper_wait(Keeper *keeper, int timeout_ms, KeeperWord *word);
/* Lets go: returns when nothing of the command runs any more. */
void keeper_end(Keeper *keeper);

#endif
