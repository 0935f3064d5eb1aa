/* SPDX-License-Identifier: ISC
 *
 * drover, the command: parse, run, say what went wrong. Nothing clever.
 */
#include <locale.h>

#include "programs/drover/invocation.h"
#include "programs/drover/locks.h"
#include "programs/terminal/help.h"

/* --version of the program, not of a command that has such an option of its own. */
static gboolean asks_for_our_version(const Invocation *invocation)
{
	const Option *meant = command_find_option(invocation_command(invocation), "version");
	return invocation_has(invocation, "version") && meant->argument == NULL;
}

static gboolean run(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const Command *command = invocation_command(invocation);
	const CommandGroup *group = invocation_group(invocation);
	if (asks_for_our_version(invocation))
		command = command_find("version");
	else if (invocation_has(invocation, "help") && command != NULL)
		return help_command(screen, command), TRUE;
	if (command != NULL)
		return command->run(invocation, error);
	if (group != NULL)
		help_group(screen, group);
	else
		help_overview(screen);
	if (invocation_has(invocation, "help"))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "no command was given");
	return FALSE;
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	g_set_prgname(command_program.name);
	g_autoptr(Invocation) invocation = NULL;
	g_autoptr(GError) error = NULL;
	gboolean done = invocation_parse(argc, argv, &invocation, &error) &&
			invocation_prepare(invocation, &error) && run(invocation, &error);
	locks_warn(invocation, error);
	if (done && screen_flush(&error))
		return 0;
	screen_error(error);
	return drover_error_exit_status(error);
}
