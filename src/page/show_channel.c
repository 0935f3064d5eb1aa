/* SPDX-License-Identifier: ISC
 *
 * What the pages about channels and changes ask the API before they are rendered.
 */
#include "page/visit.h"

#include "base/format.h"

#include <string.h>

#define CHANNEL	    "/channels/{product}/{channel}"
#define CHANGE	    "/changes/{change}"
#define CHANGE_ROWS "50"
#define QUEUE_ROWS  "1000" /* what waits is put in order, so it is asked for whole */

static void add(GHashTable *query, const char *name, const char *value)
{
	g_hash_table_insert(query, g_strdup(name), g_strdup(value));
}

/* A question that can be mended at its form; other problems are the whole page's. */
static gboolean is_about_question(const GError *error)
{
	return drover_error_is(error, DROVER_ERROR_INPUT) ||
	       drover_error_is(error, DROVER_ERROR_NOT_FOUND) ||
	       drover_error_is(error, DROVER_ERROR_CONFLICT) ||
	       drover_error_is(error, DROVER_ERROR_TOO_LARGE);
}

char *show_channels(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"product", NULL};
	g_autoptr(GHashTable) query = visit_query(visit, names);
	g_autoptr(json_t) list = visit_ask(visit, "GET", "/channels", query, NULL, error);
	return list ? page_channels(&visit->frame, json_object_get(list, "channels")) : NULL;
}

/* Channels ------------------------------------------------------------------------------------ */

static json_t *view_of(Visit *visit, GError **error)
{
	return visit_ask(visit, "GET", CHANNEL, NULL, NULL, error);
}

/* The instant that the slider stands at: moments are newest first, the slider's left end is the
 * oldest, and its right end is now. */
static const char *moment_of(const json_t *view, const char *place)
{
	const json_t *moments = json_object_get(view, "moments");
	gint64 count = (gint64)json_array_size(moments), number = 0;
	if (!parse_integer(place, "moment", 0, G_MAXINT32, &number, NULL) || number >= count)
		return NULL;
	return json_text(json_array_get(moments, (size_t)(count - 1 - number)), "at");
}

char *show_channel(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"at", "cut", "moment", NULL};
	g_autoptr(GHashTable) query = visit_query(visit, names);
	g_autofree char *place = g_strdup(g_hash_table_lookup(query, "moment"));
	g_hash_table_remove(query, "moment");
	g_autoptr(json_t) now = place ? view_of(visit, error) : NULL;
	if (place && !now)
		return NULL;
	if (now && moment_of(now, place))
		add(query, "at", moment_of(now, place));
	g_autoptr(json_t) view = visit_ask(visit, "GET", CHANNEL, query, NULL, error);
	return view ? page_channel(&visit->frame, view) : NULL;
}

/* "rack=a tier=front" as tag.rack and tag.tier. */
static void add_tags(GHashTable *query, const char *text)
{
	g_auto(GStrv) words = g_strsplit_set(text, " ,", -1);
	for (guint i = 0; words[i]; i++) {
		char *equals = strchr(words[i], '=');
		if (!equals)
			continue;
		*equals = '\0';
		g_hash_table_insert(
			query, g_strdup_printf("tag.%s", words[i]), g_strdup(equals + 1));
	}
}

char *show_channel_explain(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"version", "build_id", "platform", "locale", "tags",
		"os_version", "arch", "distribution", "dist_version", "instruction_set", "memory",
		"id", "pin", "force", "cut", "at", NULL};
	g_autoptr(GError) problem = NULL;
	g_autoptr(json_t) view = view_of(visit, error);
	if (!view)
		return NULL;
	g_autoptr(GHashTable) typed = visit_query(visit, names);
	g_autoptr(GHashTable) query = visit_query(visit, names);
	const char *tags = g_hash_table_lookup(typed, "tags");
	g_hash_table_remove(query, "tags");
	if (tags)
		add_tags(query, tags);
	gboolean asks =
		visit->request->query && g_hash_table_contains(visit->request->query, "ask");
	g_autoptr(json_t) explanation = NULL;
	if (asks || g_hash_table_size(typed) > 0)
		explanation = visit_ask(visit, "GET", CHANNEL "/explain", query, NULL, &problem);
	if (problem && !is_about_question(problem)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return NULL;
	}
	return page_channel_explain(
		&visit->frame, view, explanation, problem ? problem->message : NULL, typed);
}

char *show_channel_diff(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"with", "cut", "with_cut", "at", NULL};
	g_autoptr(GError) problem = NULL;
	g_autoptr(json_t) view = view_of(visit, error);
	if (!view)
		return NULL;
	g_autoptr(GHashTable) query = visit_query(visit, names);
	g_autoptr(json_t) difference =
		visit_ask(visit, "GET", CHANNEL "/diff", query, NULL, &problem);
	if (problem && !is_about_question(problem)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return NULL;
	}
	return page_channel_diff(
		&visit->frame, view, difference, problem ? problem->message : NULL, query);
}

char *show_channel_switch(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) view = view_of(visit, error);
	return view ? page_channel_switch(&visit->frame, view) : NULL;
}

/* Changes ------------------------------------------------------------------------------------- */

/* Without a word about it: what waits. */
char *show_changes(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"product", "channel", "state", "before", NULL};
	g_autoptr(GHashTable) typed = visit_query(visit, names);
	if (!g_hash_table_contains(typed, "state"))
		add(typed, "state", "scheduled");
	g_autoptr(GHashTable) query = visit_query(visit, names);
	add(query, "state", g_hash_table_lookup(typed, "state"));
	if (g_str_equal(g_hash_table_lookup(query, "state"), "all"))
		g_hash_table_remove(query, "state");
	add(query, "limit",
		g_strcmp0(g_hash_table_lookup(query, "state"), "scheduled") == 0 ? QUEUE_ROWS
										 : CHANGE_ROWS);
	g_autoptr(json_t) list = visit_ask(visit, "GET", "/changes", query, NULL, error);
	return list ? page_changes(&visit->frame, list, typed) : NULL;
}

char *show_change(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(json_t) detail = visit_ask(visit, "GET", CHANGE, NULL, NULL, error);
	if (!detail)
		return NULL;
	g_autoptr(json_t) differences =
		visit_ask(visit, "GET", CHANGE "/diff", NULL, NULL, &problem);
	return page_change(&visit->frame, detail, json_object_get(differences, "channels"),
		problem ? problem->message : NULL);
}

char *show_change_break_glass(Visit *visit, const json_t *answer, GError **error)
{
	g_autoptr(json_t) detail = visit_ask(visit, "GET", CHANGE, NULL, NULL, error);
	return detail ? page_change_break_glass(&visit->frame, detail) : NULL;
}

/* The rule that a change is written about. */
static json_t *rule_row(Visit *visit, const char *rule_id, GError **error)
{
	g_autoptr(GHashTable) query =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	add(query, "key", rule_id);
	g_autoptr(json_t) found = visit_ask(visit, "GET", "/tables/rules/row", query, NULL, error);
	return found ? json_incref(json_object_get(found, "row")) : NULL;
}

/* What was checked, and what was refused, comes back as the form that it came from; a form that
 * was checked before is all JSON. */
static void form_comes_back(Visit *visit)
{
	const char *id = g_hash_table_lookup(visit->fields, "form");
	visit->form.fields = visit->fields;
	visit->form.id = g_strcmp0(id, "schedule") == 0 ? "change" : id;
	visit->frame.form = visit->form.id ? &visit->form : NULL;
}

char *show_change_new(Visit *visit, const json_t *answer, GError **error)
{
	static const char *const names[] = {"kind", "rule_id", "product", "channel", NULL};
	g_autoptr(GHashTable) query = visit_query(visit, names);
	for (int i = 0; visit->fields && names[i]; i++)
		if (g_hash_table_contains(visit->fields, names[i]))
			add(query, names[i], g_hash_table_lookup(visit->fields, names[i]));
	if (visit->fields)
		form_comes_back(visit);
	const char *kind = g_hash_table_lookup(query, "kind");
	const char *rule_id = g_hash_table_lookup(query, "rule_id");
	gboolean about_rule = !kind || g_str_equal(kind, "rule") || g_str_equal(kind, "delete");
	g_autoptr(json_t) row =
		rule_id && *rule_id && about_rule ? rule_row(visit, rule_id, error) : NULL;
	if (rule_id && *rule_id && about_rule && !row)
		return NULL;
	return page_change_new(&visit->frame, kind ? kind : "rule", row, answer, query);
}
