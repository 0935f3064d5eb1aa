/* SPDX-License-Identifier: ISC
 *
 * What each page asks the API before it is rendered: one function a page, and the table of their
 * addresses.
 */
#include "page/visit.h"

#include <string.h>

#define PRODUCTS_IN_FULL 30
#define ROWS		 "50"

static void add(GHashTable *query, const char *name, const char *value)
{
	g_hash_table_insert(query, g_strdup(name), g_strdup(value));
}

static gboolean has_status(const Visit *visit, GError **error)
{
	if (visit->status)
		return TRUE;
	g_propagate_error(error, g_error_copy(visit->status_error));
	return FALSE;
}

/* A product in full, or its summary alone when there are many, or it went away meanwhile. */
static json_t *product_of(Visit *visit, const json_t *summary, gboolean in_full)
{
	g_autofree char *path = g_strdup_printf("/products/%s", json_text(summary, "name"));
	json_t *product = in_full ? visit->house->ask(visit->house->of, visit->actor, "GET", path,
					    NULL, NULL, NULL)
				  : NULL;
	if (!product)
		return json_pack("{s:O}", "summary", (json_t *)summary);
	g_autofree char *below = g_strconcat(path, "/releases", NULL);
	g_autoptr(json_t) releases =
		visit->house->ask(visit->house->of, visit->actor, "GET", below, NULL, NULL, NULL);
	if (releases)
		json_object_set(product, "releases", json_object_get(releases, "releases"));
	return product;
}

char *show_overview(Visit *visit, const json_t *answer, GError **error)
{
	if (!has_status(visit, error))
		return NULL;
	g_autoptr(json_t) products = json_array();
	size_t index;
	json_t *summary;
	json_array_foreach (json_object_get(visit->status, "products"), index, summary)
		json_array_append_new(
			products, product_of(visit, summary, index < PRODUCTS_IN_FULL));
	/* What is wrong with pools, channels and nodes is said on their pages; the products are
	 * shown without them. */
	g_autoptr(json_t) pools = visit->actor && actor_has(visit->actor, ROLE_VIEWER, NULL)
					  ? visit_ask(visit, "GET", "/pools", NULL, NULL, NULL)
					  : NULL;
	g_autoptr(json_t) channels =
		visit->actor && actor_has_anywhere(visit->actor, ROLE_VIEWER)
			? visit_ask(visit, "GET", "/channels", NULL, NULL, NULL)
			: NULL;
	g_autoptr(json_t) nodes = visit->actor && actor_has_anywhere(visit->actor, ROLE_VIEWER)
					  ? visit_ask(visit, "GET", "/nodes", NULL, NULL, NULL)
					  : NULL;
	return page_overview(&visit->frame, products, pools, json_object_get(channels, "channels"),
		json_object_get(nodes, "nodes"));
}

char *show_product(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) product =
		visit_ask(visit, "GET", "/products/{product}", NULL, NULL, error);
	return product ? page_product(&visit->frame, product) : NULL;
}

static char *show_landings(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"before", "state", "author", NULL};
	g_autoptr(GHashTable) query = visit_query(visit, names);
	add(query, "limit", ROWS);
	g_autoptr(json_t) list =
		visit_ask(visit, "GET", "/products/{product}/landings", query, NULL, error);
	return list ? page_landings(&visit->frame, list, query) : NULL;
}

char *show_landing(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) detail = visit_ask(
		visit, "GET", "/products/{product}/landings/{landing}", NULL, NULL, error);
	return detail ? page_landing(&visit->frame, detail) : NULL;
}

/* Without a question nothing is looked up, but the product must be there. */
static char *show_where(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"q", NULL};
	g_autoptr(GHashTable) query = visit_query(visit, names);
	if (!g_hash_table_contains(query, "q"))
		add(query, "q", "");
	g_autoptr(json_t) found =
		visit_ask(visit, "GET", "/products/{product}/where", query, NULL, error);
	return found ? page_where(&visit->frame, json_text(found, "product"), found) : NULL;
}

static char *show_history(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"before", "subject", "actor", NULL};
	static const char *const verify_names[] = {"head", NULL};
	g_autoptr(GHashTable) query = visit_query(visit, names);
	add(query, "limit", ROWS);
	g_autoptr(json_t) list = visit_ask(visit, "GET", "/history", query, NULL, error);
	if (!list)
		return NULL;
	g_autoptr(json_t) verdict = NULL;
	if (visit->request->query && g_hash_table_contains(visit->request->query, "verify")) {
		g_autoptr(GHashTable) head = visit_query(visit, verify_names);
		verdict = visit_ask(visit, "GET", "/history/verify", head, NULL, error);
		if (!verdict)
			return NULL;
	}
	return page_history(&visit->frame, list, verdict, query);
}

static char *show_history_entry(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) entry = visit_ask(visit, "GET", "/history/{sequence}", NULL, NULL, error);
	return entry ? page_history_entry(&visit->frame, entry) : NULL;
}

char *show_people(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) people = visit_ask(visit, "GET", "/people", NULL, NULL, error);
	return people ? page_people(&visit->frame, people) : NULL;
}

char *show_person(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) person = visit_ask(visit, "GET", "/people/{name}", NULL, NULL, error);
	return person ? page_person(&visit->frame, person, answer) : NULL;
}

char *show_tokens(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) tokens = visit_ask(visit, "GET", "/tokens", NULL, NULL, error);
	return tokens ? page_tokens(&visit->frame, tokens, answer) : NULL;
}

char *show_hosts(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) hosts = visit_ask(visit, "GET", "/hosts", NULL, NULL, error);
	return hosts ? page_hosts(&visit->frame, hosts, answer) : NULL;
}

char *show_pools(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) pools = visit_ask(visit, "GET", "/pools", NULL, NULL, error);
	return pools ? page_pools(&visit->frame, pools) : NULL;
}

char *show_pool(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) pool = visit_ask(visit, "GET", "/pools/{pool}", NULL, NULL, error);
	return pool ? page_pool(&visit->frame, pool) : NULL;
}

char *show_notices(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"state", NULL};
	g_autoptr(GHashTable) query = visit_query(visit, names);
	add(query, "limit", "200");
	g_autoptr(json_t) notices = visit_ask(visit, "GET", "/notices", query, NULL, error);
	return notices ? page_notices(&visit->frame, notices, query) : NULL;
}

char *show_maintenance(Visit *visit, const json_t *answer, GError **error)
{
	return has_status(visit, error) ? page_maintenance(&visit->frame) : NULL;
}

PageShow show_find(Visit *visit, const char *path)
{
	static const struct {
		const char *path;
		PageShow show;
	} shows[] = {
		{"/", show_overview},
		{"/products/{product}", show_product},
		{"/products/{product}/landings", show_landings},
		{"/products/{product}/landings/{landing}", show_landing},
		{"/products/{product}/where", show_where},
		{"/history", show_history},
		{"/history/{sequence}", show_history_entry},
		{"/people", show_people},
		{"/people/{name}", show_person},
		{"/tokens", show_tokens},
		{"/hosts", show_hosts},
		{"/pools", show_pools},
		{"/pools/{pool}", show_pool},
		{"/products/{product}/releases", show_releases},
		{"/products/{product}/releases/{version}", show_release},
		{"/products/{product}/releases/{version}/files", show_release_files},
		{"/products/{product}/releases/{version}/diff", show_release_diff},
		{"/nodes", show_nodes},
		{"/nodes/{node}", show_node},
		{"/channels", show_channels},
		{"/channels/{product}/{channel}", show_channel},
		{"/channels/{product}/{channel}/explain", show_channel_explain},
		{"/channels/{product}/{channel}/diff", show_channel_diff},
		{"/channels/{product}/{channel}/shut-off", show_channel_switch},
		{"/channels/{product}/{channel}/switch-on", show_channel_switch},
		{"/changes", show_changes},
		{"/changes/new", show_change_new},
		{"/changes/{change}", show_change},
		{"/changes/{change}/break-glass", show_change_break_glass},
		{"/notices", show_notices},
		{"/maintenance", show_maintenance},
	};
	for (gsize index = 0; index < G_N_ELEMENTS(shows); index++)
		if (visit_matches(shows[index].path, path, visit->parameters))
			return shows[index].show;
	return NULL;
}
