/* SPDX-License-Identifier: ISC
 *
 * Reads landings from JSON, sorts them by rev, and asks the index. The format: docs/landing.md,
 * "What if".
 *
 * What contradicts itself is refused: a rev that is there twice, an item with two verdicts, items
 * under both of their names. What a real history may hold is not: an item listed twice with one
 * verdict counts once; a rollback of what is not there is a malformed rollback, and the answer says
 * what follows; a fix that names no older landing neutralises nothing.
 */
#include "landing/whatif.h"

#include <string.h>

#include "landing/deployable.h"

typedef json_t Json;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_decref)

#define ALLOWED_QA    "required, no-qa, incr, ok or bad"
#define ALLOWED_STATE "needs-testing, ok, bad, untestable or null"

/* Which part of the pools belongs to one landing; pools move while they grow. */
typedef struct Part {
	gsize first;
	gsize count;
} Part;

typedef struct Entry {
	gint64 rev;
	LandingQa qa;
	Part items;
	Part rollback_of;
	Part fixes;
} Entry;

typedef struct Reading {
	GArray *entries;  /* Entry */
	GArray *items;	  /* guint32 */
	GArray *states;	  /* ItemState, beside `items` */
	GArray *revs;	  /* gint64: of rollback_of and fixes */
	GHashTable *keys; /* char * id -> the key that stands for it, as pointer */
	GHashTable *seen; /* key -> 1 + its state: the items of the landing that is being read */
	gint64 baseline;
} Reading;

static void reading_clear(Reading *reading)
{
	g_clear_pointer(&reading->entries, g_array_unref);
	g_clear_pointer(&reading->items, g_array_unref);
	g_clear_pointer(&reading->states, g_array_unref);
	g_clear_pointer(&reading->revs, g_array_unref);
	g_clear_pointer(&reading->keys, g_hash_table_unref);
	g_clear_pointer(&reading->seen, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static void reading_init(Reading *reading)
{
	reading->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
	reading->items = g_array_new(FALSE, FALSE, sizeof(guint32));
	reading->states = g_array_new(FALSE, FALSE, sizeof(ItemState));
	reading->revs = g_array_new(FALSE, FALSE, sizeof(gint64));
	reading->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	reading->seen = g_hash_table_new(NULL, NULL);
	reading->baseline = 0;
}

/* A value as it stood there, short enough for a message. Caller frees. */
static char *shown(const json_t *value)
{
	if (json_is_object(value))
		return g_strdup("an object");
	if (json_is_array(value))
		return g_strdup("a list");
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	char *copy = g_strndup(text, 64);
	free(text);
	return copy;
}

static gboolean refuse(GError **error, const char *field, const char *allowed, const json_t *value)
{
	g_autofree char *found = value == NULL ? g_strdup("nothing") : shown(value);
	drover_error_set(
		error, DROVER_ERROR_INPUT, "%s: must be %s, not %s", field, allowed, found);
	return FALSE;
}

/* The value of a key; NULL when it is absent or null. */
static const json_t *field(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_null(value) ? NULL : value;
}

static gboolean read_revs(
	Reading *reading, const json_t *landing, const char *key, Part *part, GError **error)
{
	const json_t *value = field(landing, key);
	gboolean list = json_is_array(value);
	gsize count = value == NULL ? 0 : list ? json_array_size(value) : 1;
	*part = (Part){reading->revs->len, count};
	for (gsize i = 0; i < count; i++) {
		const json_t *one = list ? json_array_get(value, i) : value;
		gint64 rev = json_integer_value(one);
		if (!json_is_integer(one) || rev < 0)
			return refuse(
				error, key, "null, a rev (0 or above) or a list of revs", one);
		g_array_append_val(reading->revs, rev);
	}
	return TRUE;
}

static gboolean read_qa(const json_t *landing, LandingQa *qa, GError **error)
{
	const json_t *value = field(landing, "qa");
	*qa = LANDING_QA_REQUIRED;
	if (value == NULL)
		return TRUE;
	if (!json_is_string(value) || !landing_qa_parse(json_string_value(value), qa))
		return refuse(error, "qa", ALLOWED_QA, value);
	return TRUE;
}

static gboolean read_id(Reading *reading, const json_t *item, guint32 *key, GError **error)
{
	const json_t *value = field(item, "id");
	g_autofree char *id = NULL;
	if (json_is_integer(value))
		id = g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_string(value))
		id = g_strdup(json_string_value(value));
	if (id == NULL || *id == '\0' || strlen(id) > WHATIF_MAXIMUM_ITEM_BYTES)
		return refuse(error, "id", "a whole number, or a text of 1 to 256 bytes", value);

	gpointer known = NULL;
	if (g_hash_table_lookup_extended(reading->keys, id, NULL, &known)) {
		*key = GPOINTER_TO_UINT(known);
		return TRUE;
	}
	*key = g_hash_table_size(reading->keys);
	g_hash_table_insert(reading->keys, g_steal_pointer(&id), GUINT_TO_POINTER(*key));
	return TRUE;
}

static gboolean read_item(Reading *reading, const json_t *item, GError **error)
{
	guint32 key = 0;
	ItemState state = ITEM_UNRULED;
	const json_t *value = field(item, "state");
	if (!json_is_object(item))
		return refuse(error, "an item", "an object {\"id\": …, \"state\": …}", item);
	if (!read_id(reading, item, &key, error))
		return FALSE;
	if (value != NULL &&
		(!json_is_string(value) || !item_state_parse(json_string_value(value), &state)))
		return refuse(error, "state", ALLOWED_STATE, value);

	guint before = GPOINTER_TO_UINT(g_hash_table_lookup(reading->seen, GUINT_TO_POINTER(key)));
	if (before == 1 + (guint)state)
		return TRUE;
	if (before != 0) {
		g_autofree char *id = shown(field(item, "id"));
		drover_error_set(error, DROVER_ERROR_INPUT,
			"item %s is listed twice with different states; list it once", id);
		return FALSE;
	}
	g_hash_table_insert(
		reading->seen, GUINT_TO_POINTER(key), GUINT_TO_POINTER(1 + (guint)state));
	g_array_append_val(reading->items, key);
	g_array_append_val(reading->states, state);
	return TRUE;
}

static gboolean read_items(Reading *reading, const json_t *landing, Part *part, GError **error)
{
	const json_t *items = field(landing, "items");
	const json_t *bugs = field(landing, "bugs");
	const json_t *value = items != NULL ? items : bugs;
	const char *key = items != NULL ? "items" : "bugs";
	*part = (Part){reading->items->len, 0};
	if (items != NULL && bugs != NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"it has both items and bugs, which mean the same; give one of them");
		return FALSE;
	}
	if (value == NULL)
		return TRUE;
	if (!json_is_array(value))
		return refuse(error, key, "a list of items", value);
	g_hash_table_remove_all(reading->seen);
	for (gsize i = 0; i < json_array_size(value); i++) {
		if (!read_item(reading, json_array_get(value, i), error)) {
			g_prefix_error(error, "%s[%" G_GSIZE_FORMAT "]: ", key, i);
			return FALSE;
		}
	}
	part->count = reading->items->len - part->first;
	return TRUE;
}

static gboolean read_landing(Reading *reading, const json_t *landing, gsize at, GError **error)
{
	Entry entry = {0};
	const json_t *rev = field(landing, "rev");
	if (!json_is_object(landing) || !json_is_integer(rev) || json_integer_value(rev) <= 0) {
		g_autofree char *where = g_strdup_printf("landings[%" G_GSIZE_FORMAT "]", at);
		if (!json_is_object(landing))
			return refuse(error, where, "an object {\"rev\": …}", landing);
		refuse(error, "rev", "a whole number above 0", rev);
		g_prefix_error(error, "%s: ", where);
		return FALSE;
	}
	entry.rev = json_integer_value(rev);
	if (!read_qa(landing, &entry.qa, error) ||
		!read_items(reading, landing, &entry.items, error) ||
		!read_revs(reading, landing, "rollback_of", &entry.rollback_of, error) ||
		!read_revs(reading, landing, "fixes", &entry.fixes, error)) {
		g_prefix_error(error, "landing %" G_GINT64_FORMAT ": ", entry.rev);
		return FALSE;
	}
	g_array_append_val(reading->entries, entry);
	return TRUE;
}

static gint by_rev(gconstpointer a, gconstpointer b)
{
	const Entry *left = a;
	const Entry *right = b;
	return left->rev < right->rev ? -1 : left->rev > right->rev;
}

static gboolean sort_entries(Reading *reading, GError **error)
{
	GArray *entries = reading->entries;
	g_array_sort(entries, by_rev);
	for (guint i = 1; i < entries->len; i++) {
		gint64 rev = g_array_index(entries, Entry, i).rev;
		if (rev == g_array_index(entries, Entry, i - 1).rev) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"landing %" G_GINT64_FORMAT
				" is listed twice; every rev must be its own",
				rev);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean read_all(Reading *reading, const json_t *root, GError **error)
{
	const json_t *landings = field(root, "landings");
	const json_t *baseline = field(root, "baseline");
	if (!json_is_object(root))
		return refuse(error, "the file", "an object {\"landings\": [ … ]}", root);
	if (!json_is_array(landings))
		return refuse(error, "landings", "a list", landings);
	reading->baseline = json_integer_value(baseline);
	if (baseline != NULL && (!json_is_integer(baseline) || reading->baseline < 0))
		return refuse(error, "baseline", "null or a rev (0 or above)", baseline);
	for (gsize i = 0; i < json_array_size(landings); i++) {
		if (!read_landing(reading, json_array_get(landings, i), i, error))
			return FALSE;
	}
	return sort_entries(reading, error);
}

/* The pools have stopped growing, so they can be pointed into now. */
static DeployableIndex *make_index(const Reading *reading, GError **error)
{
	guint count = reading->entries->len;
	const guint32 *items = (const guint32 *)(gconstpointer)reading->items->data;
	const ItemState *states = (const ItemState *)(gconstpointer)reading->states->data;
	const gint64 *revs = (const gint64 *)(gconstpointer)reading->revs->data;
	g_autofree LandingFacts *facts = g_new0(LandingFacts, count);
	g_autoptr(DeployableIndex) index = deployable_index_new(reading->baseline);

	for (guint i = 0; i < count; i++) {
		const Entry *entry = &g_array_index(reading->entries, Entry, i);
		facts[i] = (LandingFacts){
			.rev = entry->rev,
			.qa = entry->qa,
			.items = entry->items.count > 0 ? items + entry->items.first : NULL,
			.states = entry->items.count > 0 ? states + entry->items.first : NULL,
			.item_count = entry->items.count,
			.rollback_of = entry->rollback_of.count > 0
					       ? revs + entry->rollback_of.first
					       : NULL,
			.rollback_count = entry->rollback_of.count,
			.fixes = entry->fixes.count > 0 ? revs + entry->fixes.first : NULL,
			.fix_count = entry->fixes.count,
		};
	}
	if (!deployable_index_build(index, facts, count, error))
		return NULL;
	return g_steal_pointer(&index);
}

/* Takes `revs`. */
static json_t *list_of(GArray *revs)
{
	json_t *list = json_array();
	for (guint i = 0; i < revs->len; i++)
		json_array_append_new(list, json_integer(g_array_index(revs, gint64, i)));
	g_array_unref(revs);
	return list;
}

static json_t *answer_of(const DeployableIndex *index)
{
	gint64 newest = deployable_index_newest(index);
	GArray *blockers = deployable_index_count(index) > 0
				   ? deployable_index_blockers(index, deployable_index_tip(index))
				   : g_array_new(FALSE, FALSE, sizeof(gint64));
	json_t *answer = json_object();
	json_object_set_new(answer, "deployable", newest > 0 ? json_integer(newest) : json_null());
	json_object_set_new(answer, "deployable_all", list_of(deployable_index_all(index)));
	json_object_set_new(answer, "blockers", list_of(blockers));
	return answer;
}

/* The parser quotes what it met; that goes to terminals. */
static void hide_control_characters(char *text)
{
	for (; *text != '\0'; text++) {
		if (g_ascii_iscntrl(*text))
			*text = '?';
	}
}

static json_t *parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	json_error_t at;
	if (size_bytes > WHATIF_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s: %" G_GSIZE_FORMAT " bytes; the limit is %d", name, size_bytes,
			WHATIF_MAXIMUM_BYTES);
		return NULL;
	}
	json_t *root = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES, &at);
	if (root == NULL) {
		hide_control_characters(at.text);
		drover_error_set(error, DROVER_ERROR_INPUT, "%s:%d:%d: %s", name, MAX(at.line, 1),
			MAX(at.column, 1), at.text);
	}
	return root;
}

json_t *whatif_answer(const char *name, const char *text, gsize size_bytes, GError **error)
{
	g_auto(Reading) reading = {0};
	g_autoptr(DeployableIndex) index = NULL;
	{
		g_autoptr(Json) root = parse(name, text, size_bytes, error);
		if (root == NULL)
			return NULL;
		reading_init(&reading);
		if (!read_all(&reading, root, error)) {
			g_prefix_error(error, "%s: ", name);
			return NULL;
		}
	}
	index = make_index(&reading, error);
	if (index == NULL) {
		g_prefix_error(error, "%s: ", name);
		return NULL;
	}
	return answer_of(index);
}
