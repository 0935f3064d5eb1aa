/* SPDX-License-Identifier: ISC
 *
 * drover help, completion, version, config: what the command says about itself. Pure: no store, no
 * state, anyone.
 */
#include <stdio.h>
#include <string.h>

#include "programs/drover/commands.h"
#include "programs/drover/help.h"
#include "programs/drover/show.h"

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
		drover_error_set(error, DROVER_ERROR_INPUT, "no command '%s'%s%s%s", name,
			near != NULL ? "; did you mean '" : "; 'drover help' lists them",
			near != NULL ? near : "", near != NULL ? "'?" : "");
		return FALSE;
	}
	return TRUE;
}

static gboolean run_help(Invocation *invocation, GError **error)
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

static gboolean run_completion(Invocation *invocation, GError **error)
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

static gboolean run_version(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	if (screen->json) {
		g_autoptr(json_t) version = json_pack("{s:s}", "version", DROVER_VERSION);
		screen_json(screen, version);
	} else {
		screen_line(screen, "drover " DROVER_VERSION);
	}
	return TRUE;
}

static gboolean run_config_keys(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) list = json_array();
	const char *section = "";
	for (const SettingKey *key = settings_keys(); key->section != NULL; key++) {
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s?, s:s}", "section", key->section,
				      "key", key->key, "type", setting_type_name(key->type),
				      "default", key->fallback, "summary", key->summary));
		if (screen->json)
			continue;
		if (strcmp(section, key->section) != 0) {
			if (*section != '\0')
				screen_line(screen, "%s", "");
			screen_part(screen, STYLE_STRONG, "[%s]", key->section);
			screen_line(screen, "%s", "");
		}
		section = key->section;
		screen_line(screen, "# %s (%s)", key->summary, setting_type_name(key->type));
		screen_line(screen, "%s%s = %s", key->fallback != NULL ? "" : "# ", key->key,
			key->fallback != NULL ? key->fallback : "");
	}
	if (screen->json)
		screen_json(screen, list);
	return TRUE;
}

static gboolean run_config_check(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *path = invocation_argument(invocation, 0);
	if (path == NULL)
		path = SETTINGS_DEFAULT_FILE;
	g_autoptr(Settings) settings = settings_new();
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
	if (!settings_load(settings, path, warnings, error))
		return FALSE;
	for (guint i = 0; i < warnings->len; i++)
		screen_warn(screen, "%s", (char *)warnings->pdata[i]);
	if (warnings->len == 0) {
		screen_done(screen, "%s is in order", path);
		return TRUE;
	}
	g_autofree char *count = show_count(warnings->len, "unknown key", "unknown keys");
	drover_error_set(error, DROVER_ERROR_INPUT, "%s has %s", path, count);
	return FALSE;
}

const Command config_commands[] = {
	{"config keys", "", 0, 0, "Shows every key of the configuration with its default",
		run_config_keys, NULL,
		"What it prints is a configuration that changes nothing: a file to begin with.",
		"drover config keys > drover.conf", NULL, "config check"},
	{"config check", "[FILE]", 0, 1, "Checks a configuration file, unknown keys too",
		run_config_check, NULL, "FILE is /etc/drover/drover.conf by default.",
		"drover config check drover.conf", "3", "config keys"},
	{0},
};

const Command about_commands[] = {
	{"help", "[COMMAND|exit-codes|options]", 0, 2, "Explains a command", run_help, NULL,
		"With --json the table of all commands and options.",
		"drover help landing deployable\ndrover help exit-codes", NULL, NULL},
	{"completion", "bash", 1, 1, "Prints a completion script for the shell", run_completion,
		NULL, NULL, "drover completion bash > /etc/bash_completion.d/drover", NULL, NULL},
	{"version", "", 0, 0, "Prints the version", run_version, NULL, NULL, "drover version", NULL,
		NULL},
	{0},
};
