/* SPDX-License-Identifier: ISC
 *
 * drover-node enrol: a one-time code becomes this node's token. The configuration may come later:
 * what is not said is as if it were empty.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "programs/drover-node/commands.h"
#include "programs/drover-node/droverd.h"

static NodeConfig *load_or_empty(const Invocation *invocation, GError **error)
{
	g_autoptr(GError) problem = NULL;
	const char *path = commands_config_path(invocation);
	NodeConfig *config = node_config_load(path, &problem);
	if (config != NULL)
		return config;
	if (drover_error_is(problem, DROVER_ERROR_NOT_FOUND) &&
		!invocation_has(invocation, "config"))
		return node_config_parse(path, "", 0, error);
	g_propagate_error(error, g_steal_pointer(&problem));
	return NULL;
}

static char *read_code(const Invocation *invocation, GError **error)
{
	char line[DROVERD_MAXIMUM_CODE_BYTES + 2];
	const char *typed = invocation_argument(invocation, 0);
	if (typed != NULL)
		return g_strdup(typed);
	if (isatty(STDIN_FILENO))
		fputs("Code: ", stderr);
	if (fgets(line, sizeof line, stdin) != NULL)
		return g_strdup(line);
	drover_error_set(error, DROVER_ERROR_INPUT, "no code came on standard input");
	return NULL;
}

/* A code that others can read on its way is nobody's own. */
static gboolean check_server(const char *server, GError **error)
{
	static const char *const here[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};
	if (server == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"which droverd? Name it with --server https://HOST:PORT, or as server in "
			"[node]");
		return FALSE;
	}
	if (g_str_has_prefix(server, "https://"))
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(here); i++)
		if (g_str_has_prefix(server, here[i]) && strchr(":/", server[strlen(here[i])]))
			return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"'%s': the server must be https://HOST:PORT; without TLS the token could be read "
		"on its way",
		server);
	return FALSE;
}

static gboolean make_folder(const char *token_file, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(token_file);
	return file_make_folder(folder, 0700, error);
}

gboolean enrol_run(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(NodeConfig) config = load_or_empty(invocation, error);
	if (config == NULL)
		return FALSE;
	const char *server = invocation_option(invocation, "server");
	const char *ca_file = invocation_option(invocation, "ca-file");
	const char *token_file = invocation_option(invocation, "token-file");
	g_autofree char *usual = commands_token_file(config);
	const DroverdDoor door = {.server = server != NULL ? server : config->server,
		.ca_file = ca_file != NULL ? ca_file : config->ca_file,
		.token_file = token_file != NULL ? token_file : usual};
	if (!check_server(door.server, error) || !make_folder(door.token_file, error))
		return FALSE;
	g_autofree char *code = read_code(invocation, error);
	g_autofree char *name = code != NULL ? droverd_enrol(&door, code, error) : NULL;
	if (name == NULL)
		return FALSE;
	if (screen->json) {
		g_autoptr(json_t) answer = json_pack("{s:s, s:s, s:s}", "name", name, "server",
			door.server, "token_file", door.token_file);
		screen_json(screen, answer);
	}
	screen_done(screen, "enrolled as %s; the token is in %s", name, door.token_file);
	return TRUE;
}
