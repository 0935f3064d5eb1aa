/* SPDX-License-Identifier: ISC
 *
 * Whose answers differ: what reviewers sign. The API tells one query of each class; those that get
 * the same before and the same after stand in one row, and what all classes say alike is said once,
 * above, so that what is left to read is what makes the difference.
 */
#include "page/channel.h"

#define CLASSES_SHOWN 400
#define QUERIES_OPEN  6 /* of a row; the others are folded */

static const char *const columns[] = {"Who asks", "Before", "After", NULL};

/* The keys in which the classes are not alike, and one that has all their keys. */
typedef struct Facets {
	GHashTable *varying; /* const char *, of the classes */
	json_t *common;	     /* key -> value that all of them have */
} Facets;

static void facets_clear(Facets *facets)
{
	g_hash_table_unref(facets->varying);
	json_decref(facets->common);
}

/* Not said is the same as null. */
static gboolean is_alike(const json_t *a, const json_t *b)
{
	gboolean no_a = !a || json_is_null(a), no_b = !b || json_is_null(b);
	return no_a || no_b ? no_a == no_b : json_equal((json_t *)a, (json_t *)b);
}

static void compare_queries(Facets *facets, const json_t *first, const json_t *query)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)query, key, value)
		if (!is_alike(value, json_object_get(first, key)))
			g_hash_table_add(facets->varying, (gpointer)(guintptr)key);
	json_object_foreach ((json_t *)first, key, value)
		if (!is_alike(value, json_object_get(query, key)))
			g_hash_table_add(facets->varying, (gpointer)(guintptr)key);
}

static Facets facets_of(const json_t *classes)
{
	Facets facets = {g_hash_table_new(g_str_hash, g_str_equal), json_object()};
	const json_t *first = json_object_get(json_array_get(classes, 0), "query");
	size_t index;
	const char *key;
	json_t *class, *value;
	json_array_foreach (classes, index, class)
		compare_queries(&facets, first, json_object_get(class, "query"));
	json_object_foreach ((json_t *)first, key, value)
		if (!json_is_null(value) && !g_hash_table_contains(facets.varying, key))
			json_object_set(facets.common, key, value);
	return facets;
}

/* Rows ---------------------------------------------------------------------------------------- */

static void write_side(Html *html, const char *column, const json_t *answer, const char *kind)
{
	part_cell(html, column, "wide");
	html_open(html, kind, "class", "value", NULL);
	if (json_has(answer, "mapping"))
		html_outside(html, html_clip(html, json_text(answer, "mapping"), 120));
	else
		html_text(html, "nothing");
	html_close(html, kind);
	html_void(html, "br", NULL);
	html_open(html, "span", "class", "quiet", NULL);
	if (json_has(answer, "rule_id"))
		html_format(
			html, "rule %" G_GINT64_FORMAT ": ", json_integer_of(answer, "rule_id"));
	html_outside(html, html_clip(html, json_text(answer, "why"), 200));
	html_close(html, "span");
	html_close(html, "td");
}

static void write_query(Html *html, const Facets *facets, const json_t *query)
{
	g_autoptr(json_t) said = json_object();
	const char *key, *unsaid = "";
	json_t *value;
	json_object_foreach ((json_t *)query, key, value) {
		if (!g_hash_table_contains(facets->varying, key))
			continue;
		if (json_is_null(value))
			unsaid = html_print(html, "%s%s%s", unsaid, *unsaid ? ", no " : "no ",
				html_clip(html, key, 60));
		else
			json_object_set(said, key, value);
	}
	html_open(html, "li", NULL);
	if (json_object_size(said) > 0)
		query_words(html, said);
	else if (!*unsaid)
		html_text(html, "everybody");
	if (*unsaid) {
		html_open(html, "span", "class", "quiet", NULL);
		html_text(html, json_object_size(said) > 0 ? ", " : "");
		html_outside(html, unsaid);
		html_close(html, "span");
	}
	html_close(html, "li");
}

static void write_queries(
	Html *html, const Facets *facets, const GPtrArray *group, guint from, guint to)
{
	html_open(html, "ul", "class", "queries", NULL);
	for (guint i = from; i < to; i++)
		write_query(html, facets, json_object_get(group->pdata[i], "query"));
	html_close(html, "ul");
}

static void write_group(Html *html, const Facets *facets, const GPtrArray *group, const char *id)
{
	const json_t *first = group->pdata[0];
	html_open(html, "tr", NULL);
	part_cell(html, "Who asks", "wide");
	write_queries(html, facets, group, 0, MIN(group->len, QUERIES_OPEN));
	if (group->len > QUERIES_OPEN) {
		html_open(html, "details", "id", id, NULL);
		html_element(html, "summary",
			html_print(html, "%u more", group->len - QUERIES_OPEN), NULL);
		write_queries(html, facets, group, QUERIES_OPEN, group->len);
		html_close(html, "details");
	}
	html_close(html, "td");
	write_side(html, "Before", json_object_get(first, "before"), "del");
	write_side(html, "After", json_object_get(first, "after"), "ins");
	html_close(html, "tr");
	html_newline(html);
}

static gboolean is_same_answer(const json_t *one, const json_t *other)
{
	return json_equal(json_object_get(one, "before"), json_object_get(other, "before")) &&
	       json_equal(json_object_get(one, "after"), json_object_get(other, "after"));
}

/* GPtrArray of GPtrArray of classes, in the order in which each is met first. */
static GPtrArray *groups_of(const json_t *classes)
{
	GPtrArray *groups = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	gsize count = MIN(json_array_size(classes), CLASSES_SHOWN);
	for (gsize index = 0; index < count; index++) {
		json_t *class = json_array_get(classes, index);
		GPtrArray *group = NULL;
		for (guint i = 0; i < groups->len && !group; i++) {
			GPtrArray *candidate = groups->pdata[i];
			group = is_same_answer(candidate->pdata[0], class) ? candidate : NULL;
		}
		if (!group) {
			group = g_ptr_array_new();
			g_ptr_array_add(groups, group);
		}
		g_ptr_array_add(group, class);
	}
	return groups;
}

/* The whole ----------------------------------------------------------------------------------- */

static void write_nothing(Html *html, const json_t *difference)
{
	html_element(html, "p",
		json_flag(difference, "same")
			? "Equal digests: everybody gets the same answer before and after."
			: "Nobody's answer differs.",
		"class", "quiet", NULL);
}

static void write_common(Html *html, const Facets *facets)
{
	if (json_object_size(facets->common) == 0)
		return;
	html_open(html, "p", NULL);
	html_text(html, "All of them say ");
	query_words(html, facets->common);
	html_text(html, ".");
	html_close(html, "p");
}

void difference_table(Html *html, const char *name, const json_t *difference)
{
	const json_t *classes = json_object_get(difference, "classes");
	gsize count = json_array_size(classes);
	if (count == 0) {
		write_nothing(html, difference);
		return;
	}
	Facets facets = facets_of(classes);
	g_autoptr(GPtrArray) groups = groups_of(classes);
	html_open(html, "p", NULL);
	html_outside(html, html_clip(html, json_text(difference, "text"), 400));
	html_close(html, "p");
	write_common(html, &facets);
	g_autofree char *slug = report_slug(name);
	part_table_open(html, "difference stack",
		html_print(html, "Whose answers differ: %s", name), columns);
	for (guint i = 0; i < groups->len; i++)
		write_group(html, &facets, groups->pdata[i],
			html_print(html, "difference-%s-%u", slug, i));
	part_table_close(html);
	facets_clear(&facets);
	if (count > CLASSES_SHOWN)
		html_element(html, "p",
			html_print(html, "and %" G_GSIZE_FORMAT " classes more",
				count - CLASSES_SHOWN),
			"class", "more", NULL);
}
