/* SPDX-License-Identifier: ISC
 *
 * The table of commands. Each file of commands offers one table; what a command is called, what it
 * takes, what it is for and which exit codes matter stand there once, and parser, help, completion
 * and the test that holds the manual pages to it all read them from there. Each program with
 * commands (drover, drover-node) has a table of its own: command_program, command_global_options
 * and command_groups() are its; all the rest is shared.
 */
#ifndef DROVER_COMMAND_H
#define DROVER_COMMAND_H

#include <jansson.h>
#include "base/error.h"

typedef struct Invocation Invocation;

typedef struct Option {
	const char *name;     /* "reason": --reason */
	const char *argument; /* "TEXT"; NULL: a switch */
	const char *summary;
} Option;

#define COMMAND_ANY_NUMBER G_MAXUINT

typedef struct Command {
	const char *name;      /* "landing scan" */
	const char *arguments; /* "[PRODUCT…|all]"; "" for none */
	guint least, most;     /* how many arguments */
	const char *summary;   /* one sentence without its full stop */
	gboolean (*run)(Invocation *invocation, GError **error);
	const Option *options; /* ends with a NULL name; NULL: none of its own */
	const char *about;     /* more to know; NULL: the summary says it all */
	const char *examples;  /* lines that can be typed, # comments */
	const char *exits;     /* "3,6": the codes that matter beside 0, 1, 2 and 8; NULL: none */
	const char *see;       /* "landing list, report"; NULL */
} Command;

typedef struct CommandGroup {
	const char *name; /* "landing"; NULL for the commands of one word */
	const char *summary;
	const Command *commands; /* ends with a NULL name */
} CommandGroup;

typedef struct CommandProgram {
	const char *name;    /* "drover" */
	const char *purpose; /* "takes a change from landing to live" */
} CommandProgram;

extern const CommandProgram command_program;

/* Options that every command takes, before it or after it. */
extern const Option command_global_options[];

/* Ends with NULL commands. In the order in which help shows them. */
const CommandGroup *command_groups(void);
/* NULL when there is none. */
const CommandGroup *command_find_group(const char *name);
const Command *command_find(const char *name);
/* NULL when there is none; no command's own option is called as a global one, but for --version
 * with a value. `command` may be NULL. */
const Option *command_find_option(const Command *command, const char *name);

/* The name nearest to a mistyped one, or NULL: of the commands below `group` (NULL: of the first
 * words); of the options of `command`. */
const char *command_nearest(const CommandGroup *group, const char *typed);
const char *command_nearest_option(const Command *command, const char *typed);

#endif
