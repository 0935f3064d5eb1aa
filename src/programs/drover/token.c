/* SPDX-License-Identifier: ISC
 *
 * drover token, drover host: secrets for programs and people, and one-time codes for balancers and
 * nodes. A secret stands alone on stdout, so that it can go straight into a file.
 */
#include "base/format.h"
#include "programs/drover/commands.h"
#include "programs/terminal/show.h"

static gboolean run_token_add(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	gint64 days;
	if (!invocation_integer(invocation, "days", 0, 1, 100000, &days, error))
		return FALSE;
	json_t *body = body_of("name", invocation_argument(invocation, 0), "person",
		invocation_option(invocation, "person"), NULL);
	if (days > 0)
		json_object_set_new(body, "expires_days", json_integer(days));
	g_autoptr(json_t) made =
		invocation_call(invocation, "POST", NULL, body, error, "tokens", NULL);
	if (made == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, made);
		return TRUE;
	}
	const json_t *token = json_object_get(made, "token");
	g_autofree char *expires = show_time(token, "expires");
	screen_line(screen, "%s", json_text(made, "secret"));
	screen_note(screen,
		"token %" G_GINT64_FORMAT
		" of %s, until %s UTC; it is not shown again, keep it in a file "
		"that only its user may read",
		json_integer_of(token, "id"), json_text(token, "person"), expires);
	return TRUE;
}

static gboolean run_token_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) tokens =
		invocation_call(invocation, "GET", NULL, NULL, error, "tokens", NULL);
	if (tokens == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, tokens);
		return TRUE;
	}
	g_autoptr(Table) table = table_new();
	table_column(table, "ID", TABLE_RIGHT);
	table_column(table, "PERSON", TABLE_LEFT);
	table_column(table, "EXPIRES", TABLE_LEFT);
	table_column(table, "USED", TABLE_LEFT);
	table_column(table, "REVOKED", TABLE_LEFT);
	table_column(table, "NAME", TABLE_ELASTIC);
	gsize index;
	json_t *token;
	json_array_foreach (tokens, index, token) {
		g_autofree char *expires = show_time(token, "expires");
		g_autofree char *used = show_time(token, "used");
		g_autofree char *revoked = show_time(token, "revoked");
		table_cell_integer(table, json_integer_of(token, "id"));
		table_cell(table, STYLE_PLAIN, json_text(token, "person"));
		table_cell(table, STYLE_PLAIN, expires);
		table_cell(table, STYLE_PLAIN, used);
		table_cell(table, STYLE_PLAIN, revoked);
		table_cell(table, STYLE_PLAIN, json_text(token, "name"));
	}
	table_show(table, screen, 0);
	return TRUE;
}

static gboolean run_token_revoke(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) token = invocation_call(invocation, "DELETE", NULL, NULL, error, "tokens",
		invocation_argument(invocation, 0), NULL);
	if (token == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, token);
	screen_done(screen, "revoked token %" G_GINT64_FORMAT " of %s (%s)",
		json_integer_of(token, "id"), json_text(token, "person"), json_text(token, "name"));
	return TRUE;
}

static gboolean run_host_invite(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *kind = invocation_option(invocation, "kind");
	if (kind == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"what is it? Say --kind balancer or --kind node");
		return FALSE;
	}
	json_t *body = body_of("name", invocation_argument(invocation, 0), "kind", kind, NULL);
	g_autoptr(json_t) invited =
		invocation_call(invocation, "POST", NULL, body, error, "hosts", NULL);
	if (invited == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, invited);
		return TRUE;
	}
	g_autofree char *expires = show_time(invited, "expires");
	screen_line(screen, "%s", json_text(invited, "code"));
	screen_note(screen,
		"%s %s enrols with this code, once, until %s UTC; it is not shown again",
		json_text(invited, "kind"), json_text(invited, "name"), expires);
	return TRUE;
}

static gboolean run_host_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) hosts =
		invocation_call(invocation, "GET", NULL, NULL, error, "hosts", NULL);
	if (hosts == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, hosts);
		return TRUE;
	}
	g_autoptr(Table) table = table_new();
	table_column(table, "HOST", TABLE_LEFT);
	table_column(table, "KIND", TABLE_LEFT);
	table_column(table, "VERSION", TABLE_LEFT);
	table_column(table, "SEEN", TABLE_LEFT);
	table_column(table, "REVOKED", TABLE_LEFT);
	table_column(table, "CLOCK", TABLE_ELASTIC);
	gsize index;
	json_t *host;
	json_array_foreach (hosts, index, host) {
		g_autofree char *seen = show_time(host, "seen");
		g_autofree char *revoked = show_time(host, "revoked");
		const char *warning = json_text(host, "clock_warning");
		table_cell(table, STYLE_STRONG, json_text(host, "name"));
		table_cell(table, STYLE_PLAIN, json_text(host, "kind"));
		table_cell(table, STYLE_PLAIN, show_text(host, "version"));
		table_cell(table, STYLE_PLAIN, seen);
		table_cell(table, STYLE_PLAIN, revoked);
		table_cell(table, warning != NULL ? STYLE_BAD : STYLE_PLAIN,
			warning != NULL ? warning : "");
	}
	table_show(table, screen, 0);
	return TRUE;
}

static gboolean run_host_revoke(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) host = invocation_call(invocation, "DELETE", NULL, NULL, error, "hosts",
		invocation_argument(invocation, 0), NULL);
	if (host == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, host);
	screen_done(screen, "revoked %s %s", json_text(host, "kind"), json_text(host, "name"));
	return TRUE;
}

static const Option add_options[] = {
	{"person", "NAME", "Whose token; yourself by default. On the store it must be said"},
	{"days", "N", "Days until it expires, 90 by default, 366 at most"},
	{0},
};

static const Option invite_options[] = {
	{"kind", "KIND", "balancer or node"},
	{0},
};

const Command token_commands[] = {
	{"token add", "NAME", 1, 1, "Makes a token and prints its secret, once", run_token_add,
		add_options, "NAME says what it is for. It may do what its person may do.",
		"drover token add ci --person ada > ~/.drover-token", "3,5,7", "token revoke"},
	{"token list", "", 0, 0, "Shows tokens, without their secrets", run_token_list, NULL, NULL,
		"drover token list", NULL, "token revoke"},
	{"token revoke", "ID", 1, 1, "Ends a token", run_token_revoke, NULL, NULL,
		"drover token revoke 7", "3,5,7", "token list"},
	{0},
};

const Command host_commands[] = {
	{"host invite", "NAME", 1, 1, "Makes a one-time code with which a host enrols",
		run_host_invite, invite_options, NULL, "drover host invite web1 --kind node",
		"4,5,7", "host list"},
	{"host list", "", 0, 0, "Shows balancers and nodes, and whose clock is off", run_host_list,
		NULL, NULL, "drover host list", "5", "host revoke"},
	{"host revoke", "NAME", 1, 1, "Ends a host's token", run_host_revoke, NULL, NULL,
		"drover host revoke web1", "3,5,7", "host list"},
	{0},
};
