/* SPDX-License-Identifier: ISC
 *
 * Help that teaches, from the table of commands.
 */
#ifndef DROVER_HELP_H
#define DROVER_HELP_H

#include "programs/terminal/command.h"
#include "programs/terminal/screen.h"

/* All commands by group; the commands of one group; everything about one command. */
void help_overview(const Screen *screen);
void help_group(const Screen *screen, const CommandGroup *group);
void help_command(const Screen *screen, const Command *command);
void help_options(const Screen *screen, const Option *options);
void help_exit_codes(const Screen *screen);
/* The table of commands for programs:
 * {"options":[…],"commands":[{"name","arguments","summary","options":[…]}]} */
json_t *help_json(void);
/* A completion script for bash. */
void help_completion_bash(const Screen *screen);

#endif
