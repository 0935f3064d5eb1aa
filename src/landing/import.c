/* SPDX-License-Identifier: ISC
 *
 * JSON -> ledger. Each landing is read into a LedgerLanding whose texts are borrowed from the JSON.
 */
#include "landing/import.h"

#include <string.h>

#include "base/format.h"
#include "landing/ledger.h"
#include "landing/verdict.h"
#include "wire/json.h"

typedef struct Import {
	Store *store;
	LandingBook *book;
	gint64 now_us;
	const char *actor;
	LedgerWriter *writer;
	gint64 next_ordinal;
	ImportOutcome *outcome;
} Import;

static gboolean fail(gint64 rev, GError **error, const char *what)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "landing %" G_GINT64_FORMAT ": %s", rev, what);
	return FALSE;
}

/* An item's or revision's name: a text or a whole number, one line, 1 to 200 bytes. Caller frees;
 * NULL if not. */
static char *name_of(const json_t *value)
{
	if (json_is_integer(value) && json_integer_value(value) > 0)
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	const char *text = json_string_value(value);
	gsize length = text != NULL ? strlen(text) : 0;
	if (length < 1 || length > 200)
		return NULL;
	for (const char *c = text; *c != '\0'; c++)
		if ((guchar)*c < ' ' || *c == 0x7f)
			return NULL;
	return g_strdup(text);
}

static gboolean read_item(LedgerLanding *landing, const json_t *item, GError **error)
{
	g_autofree char *id = name_of(json_object_get(item, "id"));
	const json_t *state_json = json_object_get(item, "state");
	const char *name = json_string_value(state_json);
	ItemState state = ITEM_UNRULED;
	if (id == NULL)
		return fail(landing->ordinal, error,
			"items: each needs an id, a number or a short text");
	if (state_json != NULL && !json_is_null(state_json) &&
		(name == NULL || !item_state_parse(name, &state)))
		return fail(landing->ordinal, error,
			"items: state must be needs-testing, ok, bad, untestable or null");
	for (guint i = 0; i < landing->items->len; i++)
		if (strcmp(g_array_index(landing->items, LedgerItem, i).id, id) == 0)
			return fail(landing->ordinal, error, "items: an item is there twice");
	ledger_landing_add_item(landing, id, state);
	return TRUE;
}

static gboolean read_items(LedgerLanding *landing, const json_t *json, GError **error)
{
	const json_t *items = json_object_get(json, "items");
	if (items == NULL)
		items = json_object_get(json, "bugs");
	if (items == NULL || json_is_null(items))
		return TRUE;
	if (!json_is_array(items) || json_array_size(items) > IMPORT_MAXIMUM_ITEMS)
		return fail(landing->ordinal, error, "items: must be a list of at most 1000");
	for (gsize i = 0; i < json_array_size(items); i++)
		if (!read_item(landing, json_array_get(items, i), error))
			return FALSE;
	return TRUE;
}

static gboolean read_target(const LedgerLanding *landing, GArray *targets, const json_t *value,
	const char *field, GError **error)
{
	if (!json_is_integer(value) || json_integer_value(value) < 1) {
		g_autofree char *what = g_strdup_printf(
			"%s: must be the rev of a landing, or a list of them", field);
		return fail(landing->ordinal, error, what);
	}
	g_autofree char *reference =
		g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	ledger_target_add(targets, json_integer_value(value), reference);
	return TRUE;
}

static gboolean read_targets(const LedgerLanding *landing, GArray *targets, const json_t *json,
	const char *field, GError **error)
{
	const json_t *value = json_object_get(json, field);
	if (value == NULL || json_is_null(value))
		return TRUE;
	if (!json_is_array(value))
		return read_target(landing, targets, value, field, error);
	if (json_array_size(value) > IMPORT_MAXIMUM_TARGETS)
		return fail(landing->ordinal, error, "rollback_of and fixes: at most 1000 revs");
	for (gsize i = 0; i < json_array_size(value); i++)
		if (!read_target(landing, targets, json_array_get(value, i), field, error))
			return FALSE;
	return TRUE;
}

static gboolean read_texts(Import *import, LedgerLanding *landing, const json_t *json,
	const char *revision, GError **error)
{
	const char *time = NULL, *branch = NULL;
	if (!json_field_text(json, "branch", FALSE, IMPORT_MAXIMUM_TEXT_BYTES, &branch, error) ||
		!json_field_text(json, "author", FALSE, IMPORT_MAXIMUM_TEXT_BYTES,
			&landing->author_name, error) ||
		!json_field_text(json, "email", FALSE, IMPORT_MAXIMUM_TEXT_BYTES,
			&landing->author_email, error) ||
		!json_field_text(json, "subject", FALSE, IMPORT_MAXIMUM_TEXT_BYTES,
			&landing->subject, error) ||
		!json_field_text(json, "message", FALSE, IMPORT_MAXIMUM_TEXT_BYTES,
			&landing->message, error) ||
		!json_field_text(json, "time", FALSE, 64, &time, error))
		return FALSE;
	landing->revision = revision;
	landing->branch = branch != NULL ? branch : landing_book_product(import->book)->branch;
	if (landing->author_name == NULL)
		landing->author_name = "";
	if (landing->author_email == NULL)
		landing->author_email = "";
	if (landing->subject == NULL)
		landing->subject = "";
	if (landing->message == NULL)
		landing->message = landing->subject;
	landing->landed_us = import->now_us;
	landing->commits = landing->changes = 1;
	return time == NULL || parse_time(time, &landing->landed_us, error);
}

static LedgerLanding *read_landing(
	Import *import, const json_t *json, const char *revision, gint64 rev, GError **error)
{
	g_autoptr(LedgerLanding) landing = ledger_landing_new();
	landing->ordinal = rev;
	const char *qa = "required";
	if (!read_texts(import, landing, json, revision, error) ||
		!json_field_text(json, "qa", FALSE, 16, &qa, error)) {
		g_prefix_error(error, "landing %" G_GINT64_FORMAT ": ", rev);
		return NULL;
	}
	if (!landing_qa_parse(qa != NULL ? qa : "required", &landing->qa)) {
		fail(rev, error, "qa: must be required, no-qa, incr, ok or bad");
		return NULL;
	}
	if (!read_items(landing, json, error) ||
		!read_targets(landing, landing->rollbacks, json, "rollback_of", error) ||
		!read_targets(landing, landing->fixes, json, "fixes", error))
		return NULL;
	return g_steal_pointer(&landing);
}

static gboolean rule(Import *import, const BookLanding *landing, const char *item, ItemState state,
	GError **error)
{
	Verdict verdict = {0, (char *)item, state, import->now_us, (char *)import->actor,
		(char *)"import", NULL};
	import->outcome->verdicts++;
	return verdict_add(
		import->store, landing_book_product(import->book), landing->id, &verdict, error);
}

static gboolean same_targets(const GArray *given, const gint64 *kept, guint count)
{
	if (given->len != count)
		return FALSE;
	for (guint i = 0; i < count; i++)
		if (g_array_index(given, LedgerTarget, i).ordinal != kept[i])
			return FALSE;
	return TRUE;
}

static gboolean differs(const LedgerLanding *given, const char *field, GError **error)
{
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"landing %" G_GINT64_FORMAT ": %s differs from what was imported before; a landing "
		"never changes, only its verdicts do",
		given->ordinal, field);
	return FALSE;
}

/* ok and bad may come and go as the tagger's verdicts; what the landing is may not. */
static gboolean update_qa(
	Import *import, const BookLanding *known, const LedgerLanding *given, GError **error)
{
	if (known->qa == given->qa)
		return TRUE;
	if (given->qa == LANDING_QA_OK || given->qa == LANDING_QA_BAD)
		return rule(
			import, known, "", given->qa == LANDING_QA_OK ? ITEM_OK : ITEM_BAD, error);
	if (known->message_qa != given->qa)
		return differs(given, "qa", error);
	return rule(import, known, "", ITEM_NEEDS_TESTING, error);
}

static gboolean update_known(
	Import *import, const BookLanding *known, const LedgerLanding *given, GError **error)
{
	gint64 verdicts = import->outcome->verdicts;
	if (given->items->len != known->item_count)
		return differs(given, "items", error);
	if (!same_targets(given->rollbacks, known->rollbacks, known->rollback_count))
		return differs(given, "rollback_of", error);
	if (!same_targets(given->fixes, known->fixes, known->fix_count))
		return differs(given, "fixes", error);
	if (strcmp(given->revision, known->revision) != 0)
		return differs(given, "revision", error);
	for (guint i = 0; i < given->items->len; i++) {
		const LedgerItem *item = &g_array_index(given->items, LedgerItem, i);
		const BookItem *kept = book_landing_item(known, item->id);
		if (kept == NULL)
			return differs(given, "items", error);
		if (item->message_state != ITEM_UNRULED && item->message_state != kept->verdict &&
			!rule(import, known, item->id, item->message_state, error))
			return FALSE;
	}
	if (!update_qa(import, known, given, error))
		return FALSE;
	import->outcome->unchanged += import->outcome->verdicts == verdicts;
	return TRUE;
}

static gboolean add_new(Import *import, const LedgerLanding *landing, GError **error)
{
	if (landing->ordinal < import->next_ordinal) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"landing %" G_GINT64_FORMAT " is new, but not above the last one, "
			"%" G_GINT64_FORMAT ": landings are added at the tip",
			landing->ordinal, import->next_ordinal - 1);
		return FALSE;
	}
	import->next_ordinal = landing->ordinal + 1;
	import->outcome->new_landings++;
	return ledger_writer_add(import->writer, landing, NULL, error);
}

static gboolean import_one(Import *import, const json_t *json, GError **error)
{
	gint64 rev = json_integer_value(json_object_get(json, "rev"));
	const json_t *given = json_object_get(json, "revision");
	g_autofree char *revision =
		given != NULL ? name_of(given) : g_strdup_printf("%" G_GINT64_FORMAT, rev);
	if (revision == NULL)
		return fail(rev, error, "revision: must be a text of 1 to 200 bytes, one line");
	g_autoptr(LedgerLanding) landing = read_landing(import, json, revision, rev, error);
	if (landing == NULL)
		return FALSE;
	const BookLanding *known = landing_book_find(import->book, rev);
	return known != NULL ? update_known(import, known, landing, error)
			     : add_new(import, landing, error);
}

static int compare_revs(gconstpointer a, gconstpointer b)
{
	json_int_t first = json_integer_value(json_object_get(*(json_t *const *)a, "rev"));
	json_int_t second = json_integer_value(json_object_get(*(json_t *const *)b, "rev"));
	return (first > second) - (first < second);
}

/* In the order of their revs; each has one, and no two the same. */
static GPtrArray *sorted(const json_t *landings, GError **error)
{
	if (!json_is_array(landings) || json_array_size(landings) > IMPORT_MAXIMUM_LANDINGS) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"landings: must be a list of at most %d landings", IMPORT_MAXIMUM_LANDINGS);
		return NULL;
	}
	g_autoptr(GPtrArray) order = g_ptr_array_new();
	for (gsize i = 0; i < json_array_size(landings); i++) {
		json_t *landing = json_array_get(landings, i);
		json_t *rev = json_object_get(landing, "rev");
		if (!json_is_integer(rev) || json_integer_value(rev) < 1 ||
			json_integer_value(rev) > IMPORT_MAXIMUM_REV) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"landings[%" G_GSIZE_FORMAT
				"]: rev must be a whole number from 1 to %" G_GINT64_FORMAT,
				i, IMPORT_MAXIMUM_REV);
			return NULL;
		}
		g_ptr_array_add(order, landing);
	}
	g_ptr_array_sort(order, compare_revs);
	for (guint i = 1; i < order->len; i++)
		if (compare_revs(&order->pdata[i - 1], &order->pdata[i]) == 0) {
			fail(json_integer_value(json_object_get(order->pdata[i], "rev")), error,
				"rev: is there twice");
			return NULL;
		}
	return g_steal_pointer(&order);
}

gboolean landing_import(Store *store, LandingBook *book, const json_t *landings, gint64 now_us,
	const char *actor, ImportOutcome *outcome, GError **error)
{
	*outcome = (ImportOutcome){0};
	g_autoptr(Product) product = product_load(store, landing_book_product(book)->name, error);
	if (product == NULL)
		return FALSE;
	if (product->repository != NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"product %s has a git repository: its landings are scanned, not imported",
			product->name);
		return FALSE;
	}
	g_autoptr(GPtrArray) order = sorted(landings, error);
	g_autoptr(LedgerWriter) writer =
		order != NULL ? ledger_writer_new(store, product, error) : NULL;
	if (writer == NULL)
		return FALSE;
	Import import = {store, book, now_us, actor, writer, product->next_ordinal, outcome};
	for (guint i = 0; i < order->len; i++)
		if (!import_one(&import, order->pdata[i], error))
			return FALSE;
	product->next_ordinal = import.next_ordinal;
	product->scanned_us = now_us;
	return ledger_writer_finish(writer, error) && product_update_scan(store, product, error);
}
