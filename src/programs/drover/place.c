/* SPDX-License-Identifier: ISC
 *
 * Where a run of the command works: which configuration, which store or server. What is typed comes
 * before the environment, the environment before the file; a store and a server named at the same
 * level contradict each other, except in the file, where [server] url wins.
 */
#include "programs/drover/place.h"

#include <unistd.h>

static const char *text_or_null(const char *text)
{
	return text != NULL && *text != '\0' ? text : NULL;
}

static const char *from_environment(const char *name)
{
	return text_or_null(g_getenv(name));
}

static gboolean load_file(Settings *settings, const Invocation *invocation, GError **error)
{
	const char *path = invocation_option(invocation, "config");
	if (path == NULL)
		path = from_environment("DROVER_CONFIG");
	if (path == NULL && access(SETTINGS_DEFAULT_FILE, F_OK) != 0)
		return TRUE;
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
	if (!settings_load(
		    settings, path != NULL ? path : SETTINGS_DEFAULT_FILE, warnings, error)) {
		g_prefix_error(error, "configuration: ");
		return FALSE;
	}
	for (guint i = 0; i < warnings->len; i++)
		screen_warn(invocation_screen(invocation), "%s", (char *)warnings->pdata[i]);
	return TRUE;
}

/* A store or server that is named here takes the place of what a lower level said. */
static gboolean set_place(Settings *settings, const char *store, const char *server,
	const char *level, GError **error)
{
	if (store != NULL && server != NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s name both a store and a server: work on the store, or through the "
			"server",
			level);
		return FALSE;
	}
	if (store != NULL || server != NULL)
		settings_set(settings, "server.url", server);
	if (store != NULL)
		settings_set(settings, "store.url", store);
	return TRUE;
}

static void set_if_given(Settings *settings, const char *name, const char *text)
{
	if (text != NULL)
		settings_set(settings, name, text);
}

Settings *place_settings(const Invocation *invocation, GError **error)
{
	g_autoptr(Settings) settings = settings_new();
	if (!load_file(settings, invocation, error) ||
		!set_place(settings, from_environment("DROVER_STORE"),
			from_environment("DROVER_SERVER"), "DROVER_STORE and DROVER_SERVER",
			error) ||
		!set_place(settings, invocation_option(invocation, "store"),
			invocation_option(invocation, "server"), "--store and --server", error))
		return NULL;
	set_if_given(settings, "state.folder", from_environment("DROVER_STATE"));
	set_if_given(settings, "state.folder", invocation_option(invocation, "state"));
	set_if_given(settings, "server.token-file", from_environment("DROVER_TOKEN_FILE"));
	set_if_given(settings, "server.token-file", invocation_option(invocation, "token-file"));
	return g_steal_pointer(&settings);
}

gboolean place_allows_root(const Invocation *invocation, GError **error)
{
	if (geteuid() != 0 || invocation_has(invocation, "allow-root"))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_ROOT,
		"refused to touch the store as root: run it as the user who owns the store (sudo "
		"-u "
		"drover drover …), or say --allow-root");
	return FALSE;
}

static Port *open_store(const Invocation *invocation, Settings *settings, GError **error)
{
	gboolean made = FALSE;
	if (!place_allows_root(invocation, error))
		return NULL;
	Port *port = port_open_local(settings, invocation_clock(invocation), &made, error);
	if (port != NULL && made)
		screen_note(invocation_screen(invocation), "made a new store, %s",
			store_name(port->store));
	return port;
}

/* The environment's token is nearer than any file, unless a file was named by hand. */
static gboolean read_token(
	const Invocation *invocation, Settings *settings, char **token, GError **error)
{
	const char *file = settings_text(settings, "server.token-file");
	const char *text = from_environment("DROVER_TOKEN");
	if (text != NULL && !invocation_has(invocation, "token-file"))
		*token = g_strdup(text);
	else if (file != NULL)
		*token = settings_read_secret(file, error);
	else
		*token = g_strdup("");
	return *token != NULL;
}

static gboolean is_loopback(const char *url)
{
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
	const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
	return host != NULL && (g_str_has_prefix(host, "127.") || g_strcmp0(host, "::1") == 0 ||
				       g_strcmp0(host, "localhost") == 0);
}

Port *place_open(const Invocation *invocation, Settings *settings, GError **error)
{
	const char *server = settings_text(settings, "server.url");
	if (server == NULL)
		return open_store(invocation, settings, error);
	g_autofree char *token = NULL;
	if (!read_token(invocation, settings, &token, error))
		return NULL;
	if (*token != '\0' && g_str_has_prefix(server, "http://") && !is_loopback(server))
		screen_warn(invocation_screen(invocation),
			"the token travels unencrypted to %s: use https://", server);
	return port_open_remote(server, token, settings_text(settings, "server.ca-file"), error);
}
