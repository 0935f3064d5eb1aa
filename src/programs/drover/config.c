/* SPDX-License-Identifier: ISC
 *
 * drover config, and the entries of drover help, completion, version. Pure: no store, no state,
 * anyone.
 */
#include <string.h>

#include "programs/drover/commands.h"
#include "programs/terminal/about.h"
#include "programs/terminal/show.h"

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
	{"help", "[COMMAND|exit-codes|options]", 0, 2, "Explains a command", about_run_help, NULL,
		"With --json the table of all commands and options.",
		"drover help landing deployable\ndrover help exit-codes", NULL, NULL},
	{"completion", "bash", 1, 1, "Prints a completion script for the shell",
		about_run_completion, NULL, NULL,
		"drover completion bash > /etc/bash_completion.d/drover", NULL, NULL},
	{"version", "", 0, 0, "Prints the version", about_run_version, NULL, NULL, "drover version",
		NULL, NULL},
	{0},
};
