/* SPDX-License-Identifier: ISC
 *
 * The static report: the same pages for whoever has only a folder of files. No scripts, relative
 * links only, and a link is made only when its file, or its row in it, is part of the report: so
 * every link resolves.
 *
 * docs/pages.md
 */
#include "page/assets.h"
#include "page/parts.h"
#include "page/route.h"

/* "product" -> "product-web.html"; the name is added to the set of places. Caller frees. */
static char *place(GHashTable *places, const char *kind, const char *product)
{
	g_autofree char *slug = report_slug(product);
	char *file = g_strdup_printf("%s-%s.html", kind, slug);
	g_hash_table_add(places, g_strdup(file));
	return file;
}

static void note_places(GHashTable *places, const json_t *product)
{
	const char *name =
		json_text(json_object_get(json_object_get(product, "product"), "summary"), "name");
	g_free(place(places, "product", name));
	g_free(place(places, "where", name));
	g_autofree char *landings = place(places, "landings", name);
	size_t index;
	json_t *landing;
	json_array_foreach (
		json_object_get(json_object_get(product, "landings"), "landings"), index, landing)
		g_hash_table_add(places, g_strdup_printf("%s#landing-%" G_GINT64_FORMAT, landings,
						 json_integer_of(landing, "ordinal")));
}

static void put(json_t *files, const char *name, char *text)
{
	json_object_set_new(files, name, json_string(text));
	g_free(text);
}

static void put_product(json_t *files, const PageFrame *frame, const json_t *product)
{
	const json_t *answer = json_object_get(product, "product");
	const char *name = json_text(json_object_get(answer, "summary"), "name");
	g_autofree char *page = place(frame->report, "product", name);
	g_autofree char *landings = place(frame->report, "landings", name);
	g_autofree char *where = place(frame->report, "where", name);
	put(files, page, page_product(frame, answer));
	put(files, landings, page_landings(frame, json_object_get(product, "landings"), NULL));
	put(files, where, page_where(frame, name, json_object_get(product, "where")));
}

json_t *report_files(gint64 now_us, const json_t *status, const json_t *products)
{
	static const char *const assets[] = {"drover.css", "icon.svg"};
	g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(json_t) answers = json_array();
	PageFrame frame = {.status = status, .now_us = now_us, .report = places};
	json_t *files = json_object();
	size_t index;
	json_t *product;
	json_array_foreach (products, index, product) {
		note_places(places, product);
		json_array_append(answers, json_object_get(product, "product"));
	}
	put(files, "index.html", page_overview(&frame, answers, NULL, NULL, NULL));
	json_array_foreach (products, index, product)
		put_product(files, &frame, product);
	for (index = 0; index < G_N_ELEMENTS(assets); index++)
		put(files, assets[index], g_strdup((const char *)asset_find(assets[index])->bytes));
	return files;
}

static json_t *ask(const PageHouse *house, const Actor *actor, const char *product,
	const char *below, const char *name, const char *value, GError **error)
{
	g_autoptr(GHashTable) query = g_hash_table_new(g_str_hash, g_str_equal);
	g_autofree char *path = g_strdup_printf("/products/%s%s", product, below);
	if (name)
		g_hash_table_insert(query, (gpointer)name, (gpointer)value);
	return house->ask(house->of, actor, "GET", path, query, NULL, error);
}

static json_t *ask_product(
	const PageHouse *house, const Actor *actor, const char *name, GError **error)
{
	g_autofree char *limit = g_strdup_printf("%d", REPORT_LANDINGS);
	g_autoptr(json_t) product = ask(house, actor, name, "", NULL, NULL, error);
	if (!product)
		return NULL;
	g_autoptr(json_t) landings = ask(house, actor, name, "/landings", "limit", limit, error);
	if (!landings)
		return NULL;
	g_autoptr(json_t) where = ask(house, actor, name, "/where", "q", "", error);
	if (!where)
		return NULL;
	return json_pack(
		"{s:O, s:O, s:O}", "product", product, "landings", landings, "where", where);
}

json_t *report_ask(const PageHouse *house, const Actor *actor, GError **error)
{
	g_autoptr(json_t) products = json_array();
	g_autoptr(json_t) status =
		house->ask(house->of, actor, "GET", "/status", NULL, NULL, error);
	if (!status)
		return NULL;
	size_t index;
	json_t *summary;
	json_array_foreach (json_object_get(status, "products"), index, summary) {
		json_t *product = ask_product(house, actor, json_text(summary, "name"), error);
		if (!product)
			return NULL;
		json_array_append_new(products, product);
	}
	return json_pack("{s:o}", "files", report_files(house->now_us, status, products));
}
