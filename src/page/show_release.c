/* SPDX-License-Identifier: ISC
 *
 * What the pages about releases and nodes ask the API before they are rendered.
 */
#include "page/visit.h"

#include <string.h>

#define RELEASES   "/products/{product}/releases"
#define RELEASE	   RELEASES "/{version}"
#define NODE	   "/nodes/{node}"
#define FILES_ROWS "200"

static GHashTable *query_of(const char *name, const char *value)
{
	GHashTable *query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_insert(query, g_strdup(name), g_strdup(value));
	return query;
}

static const char *parameter(const Visit *visit, const char *name)
{
	return g_hash_table_lookup(visit->parameters, name);
}

/* Releases ------------------------------------------------------------------------------------ */

char *show_releases(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"removed", NULL};
	g_autoptr(GHashTable) query = visit_query(visit, names);
	g_autoptr(json_t) list = visit_ask(visit, "GET", RELEASES, query, NULL, error);
	return list ? page_releases(&visit->frame, parameter(visit, "product"),
			      json_object_get(list, "releases"),
			      g_hash_table_contains(query, "removed"))
		    : NULL;
}

char *show_release(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) release = visit_ask(visit, "GET", RELEASE, NULL, NULL, error);
	if (!release)
		return NULL;
	/* The first has nothing to be compared with; nodes are of interest, but not the point. */
	g_autoptr(json_t) diff =
		json_is_string(json_object_get(release, "previous"))
			? visit_ask(visit, "GET", RELEASE "/diff", NULL, NULL, NULL)
			: NULL;
	g_autoptr(GHashTable) query = query_of("product", parameter(visit, "product"));
	g_autoptr(json_t) nodes = visit_ask(visit, "GET", "/nodes", query, NULL, NULL);
	return page_release(&visit->frame, release, diff, json_object_get(nodes, "nodes"));
}

char *show_release_files(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"q", "after", NULL};
	g_autoptr(GHashTable) query = visit_query(visit, names);
	g_hash_table_insert(query, g_strdup("limit"), g_strdup(FILES_ROWS));
	g_autoptr(json_t) list = visit_ask(visit, "GET", RELEASE "/files", query, NULL, error);
	return list ? page_release_files(&visit->frame, parameter(visit, "product"),
			      parameter(visit, "version"), list, query)
		    : NULL;
}

char *show_release_diff(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"from", NULL};
	g_autoptr(GError) problem = NULL;
	g_autoptr(json_t) list = visit_ask(visit, "GET", RELEASES, NULL, NULL, error);
	if (!list)
		return NULL;
	g_autoptr(GHashTable) query = visit_query(visit, names);
	g_autoptr(json_t) diff = visit_ask(visit, "GET", RELEASE "/diff", query, NULL, &problem);
	return page_release_diff(&visit->frame, parameter(visit, "product"),
		parameter(visit, "version"), diff, json_object_get(list, "releases"),
		problem ? problem->message : NULL);
}

/* Nodes --------------------------------------------------------------------------------------- */

char *show_nodes(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"product", "channel", "state", NULL};
	g_autoptr(GHashTable) query = visit_query(visit, names);
	/* All of them: the filter's choices are what there is. */
	g_autoptr(json_t) list = visit_ask(visit, "GET", "/nodes", NULL, NULL, error);
	return list ? page_nodes(&visit->frame, json_object_get(list, "nodes"), query) : NULL;
}

/* What may be ordered, by product. */
static json_t *releases_of(Visit *visit, const json_t *node)
{
	json_t *releases = json_object();
	size_t index;
	json_t *place;
	json_array_foreach (json_object_get(node, "products"), index, place) {
		const char *product = json_text(place, "product");
		g_autofree char *path = g_strdup_printf("/products/%s/releases", product);
		g_autoptr(json_t) list = visit->house->ask(
			visit->house->of, visit->actor, "GET", path, NULL, NULL, NULL);
		if (list)
			json_object_set(releases, product, json_object_get(list, "releases"));
	}
	return releases;
}

/* `answer`: an Enrolment that was just made, or NULL. */
char *show_node(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) node = visit_ask(visit, "GET", NODE, NULL, NULL, error);
	if (!node)
		return NULL;
	g_autoptr(json_t) releases = releases_of(visit, node);
	return page_node(&visit->frame, node, releases, answer, NULL);
}

char *show_node_added(Visit *visit, const json_t *answer, GError **error)
{
	if (!answer)
		return show_nodes(visit, NULL, error);
	g_autoptr(GError) problem = NULL;
	g_autoptr(json_t) releases = releases_of(visit, answer);
	g_autoptr(json_t) body =
		json_pack("{s:s, s:s}", "name", json_text(answer, "name"), "kind", "node");
	g_autoptr(json_t) invited = visit_ask(visit, "POST", "/hosts", NULL, body, &problem);
	/* The page that is read again is the node's, not the list's. */
	g_free(visit->address);
	g_autofree char *escaped = g_uri_escape_string(json_text(answer, "name"), NULL, FALSE);
	visit->frame.address = visit->address = g_strconcat("/nodes/", escaped, NULL);
	return page_node(
		&visit->frame, answer, releases, invited, problem ? problem->message : NULL);
}
