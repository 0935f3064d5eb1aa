/* SPDX-License-Identifier: ISC
 *
 * What droverd answers a balancer.
 */
#include "balance/director/drover_answer.h"

#include <string.h>

#include "balance/json_input.h"

#define NAME	    "droverd's answer"
#define WORDS_BYTES 500 /* of a text of droverd's that is shown whole */

/* One server and what is wanted of it, kept together until they are sorted. */
typedef struct Ordered {
	PoolEntry entry;
	SourceOrder order;
} Ordered;

static gboolean refuse(GError **error, const char *where, const char *allowed, const json_t *found)
{
	g_autofree char *what = balance_json_describe(found);
	drover_error_set(error, DROVER_ERROR_INPUT, "%s must be %s, not %s", where, allowed, what);
	return FALSE;
}

static gboolean read_number(const json_t *object, const char *key, gint64 *number, GError **error)
{
	const json_t *value = json_object_get(object, key);
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return refuse(error, key, "a whole number from 0 on", value);
	*number = json_integer_value(value);
	return TRUE;
}

static gboolean read_flag(const json_t *object, const char *key, gboolean *flag, GError **error)
{
	const json_t *value = json_object_get(object, key);
	if (!json_is_boolean(value))
		return refuse(error, key, "true or false", value);
	*flag = json_is_true(value);
	return TRUE;
}

static gboolean read_drain(const json_t *server, PoolDrain *drain, GError **error)
{
	static const char *const words[] = {"serve", "reserve", "drain"};
	static const PoolDrain drains[] = {
		POOL_DRAIN_NONE, POOL_DRAIN_RESERVED, POOL_DRAIN_DRAINING};
	const json_t *value = json_object_get(server, "order");
	for (guint i = 0; json_is_string(value) && i < G_N_ELEMENTS(words); i++)
		if (strcmp(json_string_value(value), words[i]) == 0) {
			*drain = drains[i];
			return TRUE;
		}
	return refuse(error, "order", "serve, reserve or drain", value);
}

static gboolean read_server(const json_t *server, Ordered *ordered, GError **error)
{
	const json_t *host = json_object_get(server, "host");
	if (!json_is_string(host) || !server_list_is_host(json_string_value(host)))
		return refuse(error, "host", "the name or address of a host", host);
	g_autofree char *problem = server_list_read_entry(server, &ordered->entry);
	ordered->entry.name = json_string_value(host);
	if (problem != NULL)
		drover_error_set(error, DROVER_ERROR_INPUT, "%s", problem);
	return problem == NULL && read_drain(server, &ordered->order.drain, error) &&
	       read_number(server, "order_id", &ordered->order.id, error) &&
	       read_flag(server, "forced", &ordered->order.forced, error);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const Ordered *left = a, *right = b;
	return strcmp(left->entry.name, right->entry.name);
}

/* In the order of names, each once. */
static gboolean read_servers(const json_t *servers, GArray *all, GError **error)
{
	if (!json_is_array(servers))
		return refuse(error, "servers", "a list", servers);
	if (json_array_size(servers) > POOL_MAXIMUM_SERVERS) {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "more than %d servers", POOL_MAXIMUM_SERVERS);
		return FALSE;
	}
	for (gsize i = 0; i < json_array_size(servers); i++) {
		Ordered ordered = {0};
		if (!read_server(json_array_get(servers, i), &ordered, error)) {
			g_prefix_error(error, "server %zu: ", i + 1);
			return FALSE;
		}
		g_array_append_val(all, ordered);
	}
	g_array_sort(all, by_name);
	for (guint i = 1; i < all->len; i++)
		if (by_name(&g_array_index(all, Ordered, i - 1), &g_array_index(all, Ordered, i)) ==
			0) {
			drover_error_set(error, DROVER_ERROR_INPUT, "%s is listed twice",
				g_array_index(all, Ordered, i).entry.name);
			return FALSE;
		}
	return TRUE;
}

/* The list and the orders side by side. */
static void part(DroverAnswer *answer, const GArray *all)
{
	answer->list = server_list_parse(NAME, SERVER_LIST_LEGACY, "", 0);
	answer->orders = g_array_new(FALSE, FALSE, sizeof(SourceOrder));
	for (guint i = 0; i < all->len; i++) {
		Ordered ordered = g_array_index(all, Ordered, i);
		ordered.entry.name = g_strdup(ordered.entry.name);
		g_array_append_val(answer->list->entries, ordered.entry);
		g_array_append_val(answer->orders, ordered.order);
	}
}

static gboolean read_answer(
	const json_t *root, const char *pool, DroverAnswer *answer, GArray *all, GError **error)
{
	const json_t *name = json_object_get(root, "pool");
	if (!json_is_string(name) || strcmp(json_string_value(name), pool) != 0)
		return refuse(error, "pool", pool, name);
	return read_number(root, "version", &answer->version, error) &&
	       read_number(root, "epoch", &answer->epoch, error) &&
	       read_flag(root, "force", &answer->forced, error) &&
	       read_servers(json_object_get(root, "servers"), all, error);
}

DroverAnswer *drover_answer_parse(
	const char *pool, const char *text, gsize size_bytes, GError **error)
{
	g_autoptr(BalanceJson) root = balance_json_read(NAME, text, size_bytes, error);
	if (root == NULL)
		return NULL;
	g_autoptr(DroverAnswer) answer = g_new0(DroverAnswer, 1);
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Ordered));
	if (!read_answer(root, pool, answer, all, error)) {
		g_prefix_error(error, NAME ": ");
		return NULL;
	}
	part(answer, all);
	return g_steal_pointer(&answer);
}

void drover_answer_free(DroverAnswer *answer)
{
	if (answer == NULL)
		return;
	server_list_free(answer->list);
	g_clear_pointer(&answer->orders, g_array_unref);
	g_free(answer);
}

/* A text of droverd's on one line. */
static char *one_line(const json_t *value)
{
	gsize length = MIN(json_string_length(value), WORDS_BYTES);
	char *line = g_utf8_make_valid(json_string_value(value), (gssize)length);
	for (char *c = line; *c != '\0'; c++)
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	return line;
}

gboolean drover_answer_clock(const char *text, gsize size_bytes, char **warning, GError **error)
{
	*warning = NULL;
	g_autoptr(BalanceJson) root = balance_json_read(NAME, text, size_bytes, error);
	if (root == NULL)
		return FALSE;
	const json_t *value = json_object_get(root, "clock_warning");
	if (json_is_string(value))
		*warning = one_line(value);
	else if (!json_is_null(value))
		return refuse(error, NAME ": clock_warning", "a text or null", value);
	return TRUE;
}

char *drover_answer_words(const char *text, gsize size_bytes)
{
	g_autoptr(BalanceJson) root = balance_json_read(NAME, text, size_bytes, NULL);
	const json_t *message = json_object_get(json_object_get(root, "error"), "message");
	return json_is_string(message) ? one_line(message) : g_strdup("");
}
