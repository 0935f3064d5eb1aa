/* SPDX-License-Identifier: ISC
 *
 * help, completion, version: what a program with commands says about itself. Pure: no store, no
 * state, anyone.
 */
#include "programs/terminal/about.h"

#include <string.h>

#include "programs/terminal/help.h"
#include "programs/terminal/typed.h"

static gboolean help_on(const Screen *screen, const char *name, GError **error)
{
	const Command *command = command_find(name);
	const CommandGroup *group = command_find_group(name);
	if (strcmp(name, "exit-codes") == 0)
		help_exit_codes(screen);
	else if (strcmp(name, "options") == 0)
		help_options(screen, command_global_options);
	else if (command != NULL)
		help_command(screen, command);
	else if (group != NULL)
		help_group(screen, group);
	else {
		const char *near = command_nearest(NULL, name);
		g_autofree char *hint = near != NULL ? g_strdup_printf("did you mean '%s'?", near)
						     : g_strdup_printf("'%s help' lists them",
							       command_program.name);
		drover_error_set(error, DROVER_ERROR_INPUT, "no command '%s'; %s", name, hint);
		return FALSE;
	}
	return TRUE;
}

gboolean about_run_help(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *first = invocation_argument(invocation, 0);
	const char *second = invocation_argument(invocation, 1);
	if (screen->json) {
		g_autoptr(json_t) table = help_json();
		screen_json(screen, table);
		return TRUE;
	}
	if (first == NULL) {
		help_overview(screen);
		return TRUE;
	}
	g_autofree char *name =
		second != NULL ? g_strconcat(first, " ", second, NULL) : g_strdup(first);
	return help_on(screen, name, error);
}

gboolean about_run_completion(Invocation *invocation, GError **error)
{
	const char *shell = invocation_argument(invocation, 0);
	if (strcmp(shell, "bash") != 0) {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "no completion for '%s', only for bash", shell);
		return FALSE;
	}
	help_completion_bash(invocation_screen(invocation));
	return TRUE;
}

gboolean about_run_version(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	if (screen->json) {
		g_autoptr(json_t) version = json_pack("{s:s}", "version", DROVER_VERSION);
		screen_json(screen, version);
	} else {
		screen_line(screen, "%s " DROVER_VERSION, command_program.name);
	}
	return TRUE;
}
