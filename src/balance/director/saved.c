/* SPDX-License-Identifier: ISC
 *
 * What a service keeps on disk. What is read is checked as if it came from outside: a disk can
 * return anything, and people edit files. Rule: docs/balance.md, "What is kept on disk".
 */
#include "balance/director/saved.h"

#include <string.h>

#include "balance/json_input.h"
#include "base/file.h"

enum { FILE_MODE = 0640, SAVED_FORMAT = 1 };

static const char *const drain_names[] = {"none", "reserved", "draining"};
static const char *const answer_names[] = {"obeyed", "refused", "revoked"};

static void server_clear(SavedServer *server)
{
	g_free(server->host);
}

static void drain_clear(SavedDrain *drain)
{
	g_free(drain->host);
	g_free(drain->who);
	g_free(drain->why);
}

Saved *saved_new(void)
{
	Saved *saved = g_new0(Saved, 1);
	saved->servers = g_array_new(FALSE, FALSE, sizeof(SavedServer));
	saved->drains = g_array_new(FALSE, FALSE, sizeof(SavedDrain));
	g_array_set_clear_func(saved->servers, (GDestroyNotify)server_clear);
	g_array_set_clear_func(saved->drains, (GDestroyNotify)drain_clear);
	return saved;
}

void saved_free(Saved *saved)
{
	if (saved == NULL)
		return;
	g_array_unref(saved->servers);
	g_array_unref(saved->drains);
	g_free(saved->url);
	g_free(saved);
}

void saved_add_server(
	Saved *saved, const char *host, gboolean enabled, guint weight, const Address *address)
{
	SavedServer server = {.host = g_strdup(host), .address = *address};
	server.entry = (PoolEntry){.name = server.host,
		.has_enabled = TRUE,
		.enabled = enabled,
		.has_weight = TRUE,
		.weight = weight};
	g_array_append_val(saved->servers, server);
}

void saved_add_drain(Saved *saved, const SavedDrain *drain)
{
	SavedDrain copy = *drain;
	copy.host = g_strdup(drain->host);
	copy.who = g_strdup(drain->who);
	copy.why = g_strdup(drain->why);
	g_array_append_val(saved->drains, copy);
}

const char *saved_drain_name(PoolDrain drain)
{
	return drain_names[drain];
}

/* Names of files */

char *saved_path(const char *folder, const char *what, const char *service)
{
	g_autofree char *safe = g_uri_escape_string(service, NULL, FALSE);
	if (strlen(safe) > SAVED_MAXIMUM_NAME_BYTES) {
		g_autofree char *digest =
			g_compute_checksum_for_string(G_CHECKSUM_SHA256, service, -1);
		char *shorter = g_strdup_printf("%.*s~%s", SAVED_MAXIMUM_NAME_BYTES, safe, digest);
		g_free(safe);
		safe = shorter;
	}
	return g_strdup_printf("%s/%s-%s.json", folder, what, safe);
}

/* Writing */

static gboolean write_json(const Saved *saved, const char *folder, const char *what,
	const char *service, json_t *servers, GError **error)
{
	g_autoptr(BalanceJson) whole =
		json_pack("{s:i, s:s, s:s?, s:I, s:o}", "format", SAVED_FORMAT, "service", service,
			"url", saved->url, "epoch", (json_int_t)saved->epoch, "servers", servers);
	char *text = json_dumps(whole, JSON_INDENT(1));
	g_assert(text != NULL);
	g_autofree char *path = saved_path(folder, what, service);
	gboolean written = file_write(path, text, strlen(text), FILE_MODE, error);
	free(text);
	return written;
}

gboolean saved_write_list(
	const Saved *saved, const char *folder, const char *service, GError **error)
{
	json_t *servers = json_object();
	for (guint i = 0; i < saved->servers->len; i++) {
		const SavedServer *server = &g_array_index(saved->servers, SavedServer, i);
		json_t *one = json_pack("{s:b, s:i}", "enabled", server->entry.enabled, "weight",
			(int)server->entry.weight);
		if (server->address.family != 0) {
			char text[ADDRESS_TEXT_BYTES];
			address_text(&server->address, text);
			json_object_set_new(one, "address", json_string(text));
		}
		json_object_set_new(servers, server->host, one);
	}
	return write_json(saved, folder, "list", service, servers, error);
}

gboolean saved_write_drains(
	const Saved *saved, const char *folder, const char *service, GError **error)
{
	json_t *servers = json_object();
	for (guint i = 0; i < saved->drains->len; i++) {
		const SavedDrain *drain = &g_array_index(saved->drains, SavedDrain, i);
		json_object_set_new(servers, drain->host,
			json_pack("{s:s, s:b, s:s?, s:I, s:s, s:b, s:s, s:s?}", "drain",
				drain_names[drain->drain], "forced", drain->forced, "who",
				drain->who, "order_id", (json_int_t)drain->order.id, "order",
				drain_names[drain->order.drain], "order_forced",
				drain->order.forced, "answer", answer_names[drain->answer], "why",
				drain->why));
	}
	return write_json(saved, folder, "drains", service, servers, error);
}

/* Reading */

typedef gboolean (*ReadServer)(
	Saved *saved, const char *host, const json_t *attributes, GError **error);

static gboolean refuse(GError **error, const char *host, const char *what)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: %s", host, what);
	return FALSE;
}

static gboolean read_address(const json_t *attributes, Address *address)
{
	const json_t *value = json_object_get(attributes, "address");
	*address = (Address){0};
	return value == NULL ||
	       (json_is_string(value) && address_parse(json_string_value(value), address));
}

static gboolean read_server(
	Saved *saved, const char *host, const json_t *attributes, GError **error)
{
	PoolEntry entry = {0};
	g_autofree char *problem = server_list_read_entry(attributes, &entry);
	if (problem != NULL)
		return refuse(error, host, problem);
	Address address;
	if (!entry.has_enabled || !entry.has_weight || !read_address(attributes, &address))
		return refuse(error, host, "no sound enabled, weight and address");
	saved_add_server(saved, host, entry.enabled, entry.weight, &address);
	return TRUE;
}

/* The number of the word; FALSE when it is none of them. */
static gboolean read_word(const json_t *attributes, const char *key, const char *const *words,
	guint count, guint *number)
{
	const char *word = json_string_value(json_object_get(attributes, key));
	for (*number = 0; *number < count; ++*number)
		if (g_strcmp0(word, words[*number]) == 0)
			return TRUE;
	return FALSE;
}

static gboolean is_text_or_null(const json_t *value)
{
	return json_is_null(value) ||
	       (json_is_string(value) &&
		       json_string_length(value) == strlen(json_string_value(value)));
}

static gboolean read_drain(Saved *saved, const char *host, const json_t *attributes, GError **error)
{
	guint drain, wanted, answer;
	const json_t *id = json_object_get(attributes, "order_id");
	const json_t *who = json_object_get(attributes, "who");
	const json_t *why = json_object_get(attributes, "why");
	const json_t *forced = json_object_get(attributes, "forced");
	const json_t *order_forced = json_object_get(attributes, "order_forced");
	if (!read_word(attributes, "drain", drain_names, G_N_ELEMENTS(drain_names), &drain) ||
		!read_word(attributes, "order", drain_names, G_N_ELEMENTS(drain_names), &wanted) ||
		!read_word(
			attributes, "answer", answer_names, G_N_ELEMENTS(answer_names), &answer) ||
		!json_is_integer(id) || json_integer_value(id) < 0 || !is_text_or_null(who) ||
		!is_text_or_null(why) || !json_is_boolean(forced) ||
		!json_is_boolean(order_forced) ||
		(drain != POOL_DRAIN_NONE && !json_is_string(who)))
		return refuse(error, host, "no sound drain");
	saved_add_drain(saved, &(SavedDrain){
				       .host = (char *)host,
				       .drain = (PoolDrain)drain,
				       .forced = json_is_true(forced),
				       .who = (char *)json_string_value(who),
				       .order = {(PoolDrain)wanted, json_is_true(order_forced),
					       json_integer_value(id)},
				       .answer = (OrderAnswer)answer,
				       .why = (char *)json_string_value(why),
			       });
	return TRUE;
}

static gboolean parse(Saved *into, ReadServer read, const char *name, const char *text,
	gsize size_bytes, GError **error)
{
	g_autoptr(BalanceJson) whole = balance_json_read(name, text, size_bytes, error);
	if (whole == NULL)
		return FALSE;
	json_t *servers = json_object_get(whole, "servers"), *attributes;
	const json_t *url = json_object_get(whole, "url"), *epoch = json_object_get(whole, "epoch");
	if (json_integer_value(json_object_get(whole, "format")) != SAVED_FORMAT ||
		!json_is_object(servers) || (url != NULL && !is_text_or_null(url)) ||
		json_integer_value(epoch) < 0) {
		drover_error_set(error, DROVER_ERROR_INPUT, "%s: not what was saved there", name);
		return FALSE;
	}
	if (json_object_size(servers) > POOL_MAXIMUM_SERVERS) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE, "%s: more than %d servers", name,
			POOL_MAXIMUM_SERVERS);
		return FALSE;
	}
	g_free(into->url);
	into->url = g_strdup(json_string_value(url));
	into->epoch = json_integer_value(epoch);
	const char *host;
	json_object_foreach (servers, host, attributes) {
		gboolean sound = server_list_is_host(host)
					 ? read(into, host, attributes, error)
					 : refuse(error, "a server", "its name is none");
		if (!sound) {
			g_prefix_error(error, "%s: ", name);
			return FALSE;
		}
	}
	return TRUE;
}

gboolean saved_parse_list(
	Saved *saved, const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (parse(saved, read_server, name, text, size_bytes, error))
		return TRUE;
	g_array_set_size(saved->servers, 0);
	return FALSE;
}

gboolean saved_parse_drains(
	Saved *saved, const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (parse(saved, read_drain, name, text, size_bytes, error))
		return TRUE;
	g_array_set_size(saved->drains, 0);
	return FALSE;
}

/* NULL without an error: there is no such file. */
static char *read_text(const char *path, gsize *size_bytes, GError **error)
{
	g_autoptr(GError) problem = NULL;
	char *text = file_read(path, SAVED_MAXIMUM_BYTES, size_bytes, &problem);
	if (text == NULL && !drover_error_is(problem, DROVER_ERROR_NOT_FOUND))
		g_propagate_error(error, g_steal_pointer(&problem));
	return text;
}

gboolean saved_read_list(
	Saved *saved, const char *folder, const char *service, gboolean *found, GError **error)
{
	g_autofree char *path = saved_path(folder, "list", service);
	g_autoptr(GError) problem = NULL;
	gsize size_bytes = 0;
	g_autofree char *text = read_text(path, &size_bytes, &problem);
	*found = text != NULL;
	if (text != NULL && !saved_parse_list(saved, path, text, size_bytes, &problem))
		*found = FALSE;
	if (problem == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

gboolean saved_read_drains(Saved *saved, const char *folder, const char *service, GError **error)
{
	g_autofree char *path = saved_path(folder, "drains", service);
	g_autoptr(GError) problem = NULL;
	gsize size_bytes = 0;
	g_autofree char *text = read_text(path, &size_bytes, &problem);
	if (text != NULL)
		saved_parse_drains(saved, path, text, size_bytes, &problem);
	if (problem == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

void saved_remove(const char *folder, const char *service)
{
	static const char *const whats[] = {"list", "drains"};
	for (gsize i = 0; i < G_N_ELEMENTS(whats); i++) {
		g_autofree char *path = saved_path(folder, whats[i], service);
		file_remove(path, NULL);
	}
}
