/* SPDX-License-Identifier: ISC
 *
 * drover-node, the node's program: parse, run, say what went wrong. Nothing clever.
 */
#include <locale.h>

#include "programs/terminal/help.h"
#include "programs/terminal/typed.h"

static gboolean run(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const Command *command = invocation_command(invocation);
	if (invocation_has(invocation, "version"))
		command = command_find("version");
	else if (invocation_has(invocation, "help") && command != NULL)
		return help_command(screen, command), TRUE;
	if (command != NULL)
		return command->run(invocation, error);
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
	if (invocation_parse(argc, argv, &invocation, &error) &&
		invocation_prepare(invocation, &error) && run(invocation, &error) &&
		screen_flush(&error))
		return 0;
	screen_error(error);
	return drover_error_exit_status(error);
}
