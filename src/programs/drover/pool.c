/* SPDX-License-Identifier: ISC
 *
 * drover pool: the servers of a service, what is asked of them, and what balancers answer. What a
 * pool looks like on a terminal stands in pool_show.c.
 */
#include <string.h>

#include "base/format.h"
#include "programs/drover/commands.h"
#include "programs/drover/pool_show.h"

static json_t *ask_pool(Invocation *invocation, GError **error)
{
	return invocation_call(invocation, "GET", NULL, NULL, error, "pools",
		invocation_argument(invocation, 0), NULL);
}

static void finish(Invocation *invocation, const json_t *answer)
{
	const Screen *screen = invocation_screen(invocation);
	if (screen->json)
		screen_json(screen, answer);
}

/* Lists --------------------------------------------------------------------------------------- */

/* "web1", or "web1=20" with its weight. A new reference. */
static json_t *server_of(const char *text, GError **error)
{
	const char *equals = strrchr(text, '=');
	gint64 weight;
	if (equals == NULL)
		return json_pack("{s:o}", "host", json_text_or_null(text));
	if (!parse_integer(equals + 1, "weight", 0, 65535, &weight, error))
		return NULL;
	g_autofree char *host = g_strndup(text, (gsize)(equals - text));
	return json_pack(
		"{s:o, s:I}", "host", json_text_or_null(host), "weight", (json_int_t)weight);
}

static gboolean add_switch(Invocation *invocation, json_t *server, GError **error)
{
	gboolean enable = invocation_has(invocation, "enable");
	if (enable && invocation_has(invocation, "disable")) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"--enable and --disable contradict each other: say one of them");
		return FALSE;
	}
	if (enable || invocation_has(invocation, "disable"))
		json_object_set_new(server, "enabled", json_boolean(enable));
	return TRUE;
}

/* The servers that were named, as the API takes them. */
static json_t *named_servers(Invocation *invocation, GError **error)
{
	g_autoptr(json_t) servers = json_array();
	for (guint i = 1; i < invocation_arguments(invocation); i++) {
		g_autoptr(json_t) server = server_of(invocation_argument(invocation, i), error);
		if (server == NULL || !add_switch(invocation, server, error))
			return NULL;
		json_array_append(servers, server);
	}
	return g_steal_pointer(&servers);
}

static json_t *find_server(const json_t *servers, const char *host)
{
	gsize index;
	json_t *server;
	json_array_foreach (servers, index, server)
		if (g_strcmp0(json_text(server, "host"), host) == 0)
			return server;
	return NULL;
}

/* The pool's list with the named servers laid over it: what is not said of a server stays. */
static json_t *merged(const json_t *pool, const json_t *named)
{
	json_t *list = json_array();
	gsize index;
	json_t *server;
	json_array_foreach (json_object_get(pool, "servers"), index, server)
		if (find_server(named, json_text(server, "host")) == NULL)
			json_array_append_new(
				list, json_pack("{s:s}", "host", json_text(server, "host")));
	json_array_extend(list, (json_t *)(guintptr)named);
	return list;
}

static gboolean add_reason(Invocation *invocation, json_t *body, GError **error)
{
	const char *reason = invocation_option(invocation, "reason");
	if (reason != NULL)
		json_object_set_new(body, "reason", json_text_or_null(reason));
	if (!invocation_has(invocation, "force"))
		return TRUE;
	json_object_set_new(body, "force", json_true());
	if (reason != NULL)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"what is forced is kept with a reason: say --reason TEXT");
	return FALSE;
}

/* The body of an edit that is made from `pool` as it was read. */
static json_t *edit_of(Invocation *invocation, const json_t *pool, GError **error)
{
	gint64 version;
	g_autoptr(json_t) body = json_object();
	if (!invocation_integer(invocation, "data-version", 0, 1, G_MAXINT64, &version, error) ||
		!add_reason(invocation, body, error))
		return NULL;
	if (version == 0)
		version = json_integer_of(pool, "data_version");
	json_object_set_new(body, "data_version", json_integer(version));
	return g_steal_pointer(&body);
}

static json_t *send_list(Invocation *invocation, const json_t *pool, json_t *list, GError **error)
{
	g_autoptr(json_t) servers = list;
	json_t *body = edit_of(invocation, pool, error);
	if (body == NULL)
		return NULL;
	json_object_set(body, "servers", servers);
	return invocation_call(invocation, "PUT", NULL, body, error, "pools",
		json_text(pool, "name"), "servers", NULL);
}

/* Commands ------------------------------------------------------------------------------------ */

static gboolean run_add(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) servers = named_servers(invocation, error);
	if (servers == NULL)
		return FALSE;
	json_t *body = body_of("name", invocation_argument(invocation, 0), "title",
		invocation_option(invocation, "title"), "notes",
		invocation_option(invocation, "notes"), "reason",
		invocation_option(invocation, "reason"), NULL);
	json_object_set(body, "servers", servers);
	g_autoptr(json_t) pool =
		invocation_call(invocation, "POST", NULL, body, error, "pools", NULL);
	if (pool == NULL)
		return FALSE;
	finish(invocation, pool);
	g_autofree char *count = show_count(
		(gint64)json_array_size(json_object_get(pool, "servers")), "server", "servers");
	screen_done(screen, "added pool %s with %s", json_text(pool, "name"), count);
	return TRUE;
}

static gboolean run_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) pools =
		invocation_call(invocation, "GET", NULL, NULL, error, "pools", NULL);
	if (pools == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, pools);
	else
		pool_show_list(screen, pools);
	return TRUE;
}

static gboolean run_show(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) pool = ask_pool(invocation, error);
	if (pool == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, pool);
	else
		pool_show_one(screen, pool);
	return TRUE;
}

/* Title and notes. *settings is what the pool is then, unchanged when neither was given. */
static gboolean set_words(Invocation *invocation, json_t **pool, GError **error)
{
	const char *title = invocation_option(invocation, "title");
	const char *notes = invocation_option(invocation, "notes");
	if (title == NULL && notes == NULL)
		return TRUE;
	json_t *body = edit_of(invocation, *pool, error);
	if (body == NULL)
		return FALSE;
	if (title != NULL)
		json_object_set_new(body, "title", json_text_or_null(title));
	if (notes != NULL)
		json_object_set_new(body, "notes", json_text_or_null(notes));
	json_t *after = invocation_call(
		invocation, "PATCH", NULL, body, error, "pools", json_text(*pool, "name"), NULL);
	if (after == NULL)
		return FALSE;
	json_decref(*pool);
	*pool = after;
	return TRUE;
}

static gboolean run_set(Invocation *invocation, GError **error)
{
	gboolean only = invocation_has(invocation, "only");
	gboolean lists = only || invocation_arguments(invocation) > 1;
	if (!lists && !invocation_has(invocation, "title") &&
		!invocation_has(invocation, "notes")) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"nothing to set: name servers, as web1=20, or --title or --notes");
		return FALSE;
	}
	g_autoptr(json_t) named = named_servers(invocation, error);
	g_autoptr(json_t) pool = named != NULL ? ask_pool(invocation, error) : NULL;
	if (pool == NULL || !set_words(invocation, &pool, error))
		return FALSE;
	if (lists) {
		json_t *after = send_list(
			invocation, pool, only ? json_incref(named) : merged(pool, named), error);
		if (after == NULL)
			return FALSE;
		json_decref(pool);
		pool = after;
	}
	finish(invocation, pool);
	g_autofree char *count = show_count(
		(gint64)json_array_size(json_object_get(pool, "servers")), "server", "servers");
	screen_done(invocation_screen(invocation), "set pool %s, with %s", json_text(pool, "name"),
		count);
	return TRUE;
}

/* The list without the servers that were named; NULL when it does not have one of them. */
static json_t *list_without(Invocation *invocation, const json_t *pool, GError **error)
{
	const json_t *servers = json_object_get(pool, "servers");
	g_autoptr(GHashTable) leaving = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(json_t) list = json_array();
	for (guint i = 1; i < invocation_arguments(invocation); i++) {
		const char *host = invocation_argument(invocation, i);
		g_hash_table_add(leaving, (gpointer)(guintptr)host);
		if (find_server(servers, host) != NULL)
			continue;
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"pool %s has no server '%s'; see: drover pool show %s",
			json_text(pool, "name"), host, json_text(pool, "name"));
		return NULL;
	}
	gsize index;
	json_t *server;
	json_array_foreach (servers, index, server)
		if (!g_hash_table_contains(leaving, json_text(server, "host")))
			json_array_append_new(
				list, json_pack("{s:s}", "host", json_text(server, "host")));
	return g_steal_pointer(&list);
}

static gboolean remove_whole(Invocation *invocation, const json_t *pool, GError **error)
{
	json_t *body = edit_of(invocation, pool, error);
	if (body == NULL)
		return FALSE;
	g_autoptr(json_t) removed = invocation_call(
		invocation, "DELETE", NULL, body, error, "pools", json_text(pool, "name"), NULL);
	if (removed == NULL)
		return FALSE;
	finish(invocation, removed);
	screen_done(invocation_screen(invocation), "removed pool %s", json_text(pool, "name"));
	return TRUE;
}

static gboolean run_remove(Invocation *invocation, GError **error)
{
	g_autoptr(json_t) pool = ask_pool(invocation, error);
	if (pool == NULL)
		return FALSE;
	if (invocation_arguments(invocation) == 1)
		return remove_whole(invocation, pool, error);
	json_t *list = list_without(invocation, pool, error);
	if (list == NULL)
		return FALSE;
	g_autoptr(json_t) after = send_list(invocation, pool, list, error);
	if (after == NULL)
		return FALSE;
	finish(invocation, after);
	g_autofree char *left = show_count(
		(gint64)json_array_size(json_object_get(after, "servers")), "server", "servers");
	screen_done(invocation_screen(invocation), "removed from pool %s, which has %s now",
		json_text(pool, "name"), left);
	return TRUE;
}

/* Asks the same of each server that was named. `order` NULL: nobody asks any more. */
static gboolean ask_orders(
	Invocation *invocation, const char *order, const char *done, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *pool = invocation_argument(invocation, 0);
	g_autoptr(json_t) answers = json_array();
	for (guint i = 1; i < invocation_arguments(invocation); i++) {
		const char *host = invocation_argument(invocation, i);
		g_autoptr(json_t) body = body_of("order", order, NULL);
		if (!add_reason(invocation, body, error))
			return FALSE;
		json_t *answer = invocation_call(invocation, order != NULL ? "PUT" : "DELETE", NULL,
			json_incref(body), error, "pools", pool, "servers", host, "order", NULL);
		if (answer == NULL)
			return FALSE;
		json_array_append_new(answers, answer);
		screen_done(screen, "asked: %s %s in pool %s", done, host, pool);
	}
	finish(invocation, answers);
	screen_note(screen, "what balancers answer: drover pool show %s", pool);
	return TRUE;
}

static gboolean run_drain(Invocation *invocation, GError **error)
{
	return ask_orders(invocation, "drain", "drain", error);
}

static gboolean run_reserve(Invocation *invocation, GError **error)
{
	return ask_orders(invocation, "reserve", "reserve", error);
}

static gboolean run_pool(Invocation *invocation, GError **error)
{
	return ask_orders(invocation, "serve", "pool", error);
}

static gboolean run_release(Invocation *invocation, GError **error)
{
	return ask_orders(invocation, NULL, "release", error);
}

static gboolean run_forget(Invocation *invocation, GError **error)
{
	json_t *body = body_of("reason", invocation_option(invocation, "reason"), NULL);
	g_autoptr(json_t) forgotten = invocation_call(invocation, "DELETE", NULL, body, error,
		"pools", invocation_argument(invocation, 0), "balancers",
		invocation_argument(invocation, 1), NULL);
	if (forgotten == NULL)
		return FALSE;
	finish(invocation, forgotten);
	screen_done(invocation_screen(invocation), "forgot what %s said of pool %s",
		invocation_argument(invocation, 1), invocation_argument(invocation, 0));
	return TRUE;
}

/* clang-format off */
#define REASON {"reason", "TEXT", "Why, for the history and for whoever looks at the pool"}
#define VERSION {"data-version", "N", "Refuse unless the pool is still at this version"}

static const Option add_options[] = {
	{"title", "TEXT", "What people call it"},
	{"notes", "TEXT", "What whoever works on it should know"},
	{"enable", NULL, "The servers named are enabled, which is the default"},
	{"disable", NULL, "The servers named are on the list, but not in the pool"},
	REASON,
	{0},
};

static const Option set_options[] = {
	{"title", "TEXT", "What people call it"},
	{"notes", "TEXT", "What whoever works on it should know"},
	{"enable", NULL, "The servers named may be in the pool"},
	{"disable", NULL, "The servers named are on the list, but not in the pool"},
	{"only", NULL, "The list is exactly the servers named: others leave it"},
	{"force", NULL, "Obeyed whatever the list guard says; needs a reason"},
	VERSION,
	REASON,
	{0},
};

static const Option remove_options[] = {
	{"force", NULL, "Obeyed whatever the list guard says, or who obeys the pool; needs a reason"},
	VERSION,
	REASON,
	{0},
};

static const Option order_options[] = {
	{"force", NULL, "Neither refused nor revoked because of the floor; needs a reason"},
	REASON,
	{0},
};

static const Option reason_options[] = {
	REASON,
	{0},
};
/* clang-format on */

const Command pool_commands[] = {
	{"pool add", "NAME [HOST[=WEIGHT]…]", 1, COMMAND_ANY_NUMBER, "Adds a pool", run_add,
		add_options, "A weight is 10 unless it is given.",
		"drover pool add web web1 web2 web3=20 --title 'The shop'", "4,5,7",
		"pool set, host invite"},
	{"pool list", "", 0, 0, "Shows every pool: how many servers are up, draining, held or down",
		run_list, NULL, NULL, "drover pool list", NULL, "pool show"},
	{"pool show", "NAME", 1, 1,
		"Shows one pool: servers, what is asked of them, what balancers see and answer",
		run_show, NULL,
		"Where balancers see a server differently, it has a line for each of them.",
		"drover pool show web", "3", "pool drain"},
	{"pool set", "NAME [HOST[=WEIGHT]…]", 1, COMMAND_ANY_NUMBER,
		"Adds servers to a pool, or changes servers, title or notes", run_set, set_options,
		"Only what is named is changed. A change that somebody made meanwhile is never\n"
		"overwritten: then it says conflict. A balancer may set a list aside that would\n"
		"take away too much; pool show says so.",
		"drover pool set web web4 web1=5\n"
		"drover pool set web web2 --disable --reason 'new disk'",
		"3,4,7", "pool show, pool drain"},
	{"pool remove", "NAME [HOST…]", 1, COMMAND_ANY_NUMBER,
		"Removes servers from a pool, or the whole pool when none is named", run_remove,
		remove_options, "A pool that a balancer obeys is not removed unless it is forced.",
		"drover pool remove web web4", "3,4,7", "pool set"},
	{"pool drain", "NAME HOST…", 2, COMMAND_ANY_NUMBER,
		"Asks balancers to send a server no new connections", run_drain, order_options,
		"A balancer refuses what would leave the pool too few servers, and says why;\n"
		"the same order once more is tried anew. Forced, it is neither refused nor "
		"revoked.",
		"drover pool drain web web2 --reason 'kernel update'", "3,5,7",
		"pool pool, pool show"},
	{"pool reserve", "NAME HOST…", 2, COMMAND_ANY_NUMBER,
		"Asks balancers to count a server as down already, but to let it serve",
		run_reserve, order_options,
		"Who is about to work on a server makes sure that it may be spared.",
		"drover pool reserve web web2 --reason 'next in line'", "3,5,7", "pool drain"},
	{"pool pool", "NAME HOST…", 2, COMMAND_ANY_NUMBER, "Asks balancers to let a server serve",
		run_pool, order_options, NULL, "drover pool pool web web2", "3,5,7",
		"pool drain, pool release"},
	{"pool release", "NAME HOST…", 2, COMMAND_ANY_NUMBER,
		"Takes an order back, as if nobody had asked for anything", run_release,
		reason_options, NULL, "drover pool release web web2", "3,5,7", "pool pool"},
	{"pool forget", "NAME BALANCER", 2, 2,
		"Forgets what a balancer said that no longer serves the pool", run_forget,
		reason_options, NULL, "drover pool forget web lb3", "3,5,7", "host revoke"},
	{0},
};
