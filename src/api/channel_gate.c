/* SPDX-License-Identifier: ISC
 *
 * The gate "deployable". Landing 42 may go live when 42, as a tip, is deployable: up to there
 * every change in the tree is good. (docs/landing.md)
 */
#include "api/channel_gate.h"

#include "landing/book.h"

/* Names of releases that the change's rows map to and did not before, and those that it writes
 * while something maps to them. Borrowed. */
typedef struct Mapped {
	const State *after;
	GHashTable *releases;
} Mapped;

static void add_mapped(
	const json_t *before, const json_t *after, const char *column, Mapped *mapped)
{
	const char *was = json_text(before, column), *is = json_text(after, column);
	if (is != NULL && g_strcmp0(was, is) != 0)
		g_hash_table_add(mapped->releases, (gpointer)is);
}

static void note_found(const char *key, const json_t *row, gpointer of)
{
	*(gboolean *)of = TRUE;
	(void)key;
	(void)row;
}

static gboolean is_mapped(const State *state, const char *release)
{
	gboolean is_found = FALSE;
	sheet_each(
		state_sheet(state, STATE_RULES), SHEET_BY_MAPPING, release, note_found, &is_found);
	sheet_each(
		state_sheet(state, STATE_PINS), SHEET_BY_MAPPING, release, note_found, &is_found);
	return is_found;
}

/* The rows that a visit gives are gone after it: what is kept is of `after`. */
static void visit_row(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of)
{
	Mapped *mapped = of;
	const json_t *row = state_row(mapped->after, table, key);
	(void)after;
	if (row == NULL)
		return;
	if (table == STATE_RULES || table == STATE_PINS) {
		add_mapped(before, row, "mapping", mapped);
		add_mapped(before, row, "fallback_mapping", mapped);
	}
	if (table == STATE_RELEASES && is_mapped(mapped->after, json_text(row, "name")))
		g_hash_table_add(mapped->releases, (gpointer)json_text(row, "name"));
}

/* FALSE with error set only when the store could not be asked. *why: NULL when it passes. */
static gboolean ask_release(
	const ApiSite *site, Store *store, const json_t *release, char **why, GError **error)
{
	g_autoptr(GError) problem = NULL;
	const char *product = json_text(release, "product");
	gint64 landing = json_integer_of(release, "landing");
	*why = NULL;
	if (product == NULL || landing == 0)
		return TRUE;
	g_autoptr(LandingBook) book = landing_books_take(site->books, store, product, &problem);
	if (book == NULL && drover_error_is(problem, DROVER_ERROR_NOT_FOUND))
		return TRUE;
	if (book == NULL) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	const char *name = json_text(release, "name");
	gint64 newest = deployable_index_newest(landing_book_index(book));
	if (landing_book_count(book) == 0 ||
		deployable_index_is_deployable(landing_book_index(book), landing))
		return TRUE;
	if (landing_book_find(book, landing) == NULL)
		*why = g_strdup_printf("release %s comes from landing %" G_GINT64_FORMAT
				       " of %s, which is not known",
			name, landing, product);
	else
		*why = g_strdup_printf("release %s comes from landing %" G_GINT64_FORMAT
				       " of %s, which is not deployable (the newest that is: "
				       "%" G_GINT64_FORMAT "); see: drover landing deployable %s",
			name, landing, product, newest, product);
	return TRUE;
}

static Gate *ask_releases(const ApiSite *site, Store *store, const Mapped *mapped, GError **error)
{
	GHashTableIter all;
	gpointer name;
	guint count = 0;
	g_hash_table_iter_init(&all, mapped->releases);
	while (g_hash_table_iter_next(&all, &name, NULL)) {
		g_autofree char *why = NULL;
		const json_t *release = state_row(mapped->after, STATE_RELEASES, name);
		if (!ask_release(site, store, release, &why, error))
			return NULL;
		if (why != NULL)
			return gate_new(GATE_DEPLOYABLE, FALSE, why, role_name(ROLE_OPERATOR));
		count += json_integer_of(release, "landing") != 0;
	}
	return gate_new(GATE_DEPLOYABLE, TRUE,
		count > 0 ? "what it maps to comes from deployable landings"
			  : "nothing that it maps to says which landing it comes from",
		role_name(ROLE_OPERATOR));
}

GPtrArray *channel_gates_ask(Store *store, const State *before, const ChannelChange *change,
	gint64 at_us, gpointer of, GError **error)
{
	g_autoptr(GPtrArray) gates = g_ptr_array_new_with_free_func((GDestroyNotify)gate_free);
	g_autoptr(json_t) value = channel_change_value(change);
	g_autoptr(State) after = state_apply(before, value, NULL);
	g_autoptr(GHashTable) releases = g_hash_table_new(g_str_hash, g_str_equal);
	Mapped mapped = {after, releases};
	(void)at_us;
	if (after == NULL) /* it conflicts, which is said elsewhere */
		return g_steal_pointer(&gates);
	state_each_write(before, value, visit_row, &mapped);
	Gate *gate = ask_releases(of, store, &mapped, error);
	if (gate == NULL)
		return NULL;
	g_ptr_array_add(gates, gate);
	return g_steal_pointer(&gates);
}
