/* SPDX-License-Identifier: ISC
 *
 * Two layers: a ground that many sheets share, and what one sheet has written over it. The upper
 * is copied with each change, so when it has grown to a fraction of the ground both become one.
 */
#include "channel/sheet.h"

#include "channel/release_document.h"

/* Above this, and a part of the ground's size, what is written becomes ground. */
enum { WRITTEN_LEAST = 256, WRITTEN_PART = 4 };

typedef struct Entry {
	const char *key;
	const json_t *row;
} Entry;

typedef struct Ground {
	gatomicrefcount references;
	json_t *rows;
	GHashTable *indexes[SHEET_INDEXES]; /* text -> GArray of Entry; NULL: not asked for yet */
} Ground;

struct Sheet {
	gatomicrefcount references;
	Ground *ground;
	json_t *written; /* key -> row, null: it is gone; NULL: nothing */
	json_t *whole;	 /* both as one; NULL: not asked for yet */
};

/* Takes the rows. */
static Ground *ground_new(json_t *rows)
{
	Ground *ground = g_new0(Ground, 1);
	g_atomic_ref_count_init(&ground->references);
	ground->rows = rows;
	return ground;
}

static Ground *ground_ref(Ground *ground)
{
	g_atomic_ref_count_inc(&ground->references);
	return ground;
}

static void forget_indexes(Ground *ground)
{
	for (guint i = 0; i < SHEET_INDEXES; i++)
		g_clear_pointer(&ground->indexes[i], g_hash_table_unref);
}

static void ground_unref(Ground *ground)
{
	if (!g_atomic_ref_count_dec(&ground->references))
		return;
	forget_indexes(ground);
	json_decref(ground->rows);
	g_free(ground);
}

/* Takes both. */
static Sheet *sheet_on(Ground *ground, json_t *written)
{
	Sheet *sheet = g_new0(Sheet, 1);
	g_atomic_ref_count_init(&sheet->references);
	sheet->ground = ground;
	sheet->written = written;
	return sheet;
}

Sheet *sheet_new(void)
{
	return sheet_on(ground_new(json_object()), NULL);
}

Sheet *sheet_ref(Sheet *sheet)
{
	g_atomic_ref_count_inc(&sheet->references);
	return sheet;
}

void sheet_unref(Sheet *sheet)
{
	if (sheet == NULL || !g_atomic_ref_count_dec(&sheet->references))
		return;
	ground_unref(sheet->ground);
	json_decref(sheet->written);
	json_decref(sheet->whole);
	g_free(sheet);
}

void sheet_add(Sheet *sheet, const char *key, json_t *row)
{
	g_assert(sheet->written == NULL);
	forget_indexes(sheet->ground);
	json_object_set(sheet->ground->rows, key, row);
}

json_t *sheet_row(const Sheet *sheet, const char *key)
{
	json_t *row = json_object_get(sheet->written, key);
	if (row == NULL)
		row = json_object_get(sheet->ground->rows, key);
	return json_is_null(row) ? NULL : row;
}

/* Two layers as one ---------------------------------------------------------------------------- */

static json_t *whole_of(const json_t *rows, const json_t *written)
{
	json_t *whole = json_copy((json_t *)rows), *row;
	const char *key;
	json_object_foreach ((json_t *)written, key, row) {
		if (json_is_null(row))
			json_object_del(whole, key);
		else
			json_object_set(whole, key, row);
	}
	return whole;
}

/* Of two threads that ask first, the slower one's work is thrown away. */
const json_t *sheet_rows(Sheet *sheet)
{
	if (sheet->written == NULL)
		return sheet->ground->rows;
	json_t *there = g_atomic_pointer_get(&sheet->whole);
	if (there != NULL)
		return there;
	json_t *whole = whole_of(sheet->ground->rows, sheet->written);
	if (g_atomic_pointer_compare_and_exchange(&sheet->whole, NULL, whole))
		return whole;
	json_decref(whole);
	return g_atomic_pointer_get(&sheet->whole);
}

Sheet *sheet_over(Sheet *sheet, const json_t *written)
{
	gsize most = WRITTEN_LEAST + json_object_size(sheet->ground->rows) / WRITTEN_PART;
	if (json_object_size(written) == 0)
		return sheet_ref(sheet);
	if (json_object_size(sheet->written) + json_object_size(written) > most)
		return sheet_on(ground_new(whole_of(sheet_rows(sheet), written)), NULL);
	json_t *all = sheet->written == NULL ? json_object() : json_copy(sheet->written);
	json_object_update(all, (json_t *)written);
	return sheet_on(ground_ref(sheet->ground), all);
}

/* Indexes -------------------------------------------------------------------------------------- */

typedef void (*TextVisit)(const char *text, gpointer of);

static void visit_column(const json_t *row, const char *column, TextVisit visit, gpointer of)
{
	const char *text = json_string_value(json_object_get(row, column));
	if (text != NULL)
		visit(text, of);
}

static void visit_origins(const json_t *row, TextVisit visit, gpointer of)
{
	g_autoptr(GHashTable) origins = release_document_origins(row);
	GHashTableIter iter;
	gpointer origin;
	g_hash_table_iter_init(&iter, origins);
	while (g_hash_table_iter_next(&iter, &origin, NULL))
		visit(origin, of);
}

/* What a row is found by. */
static void visit_texts(const json_t *row, SheetIndex index, TextVisit visit, gpointer of)
{
	switch (index) {
	case SHEET_BY_ALIAS:
		visit_column(row, "alias", visit, of);
		break;
	case SHEET_BY_MAPPING:
		visit_column(row, "mapping", visit, of);
		visit_column(row, "fallback_mapping", visit, of);
		break;
	case SHEET_BY_ORIGIN:
		visit_origins(row, visit, of);
		break;
	case SHEET_BY_PRODUCT:
		visit_column(row, "product", visit, of);
		break;
	case SHEET_BY_CHANNEL:
		visit_column(row, "channel", visit, of);
		break;
	case SHEET_BY_BASE:
		visit_column(row, "base", visit, of);
		break;
	case SHEET_INDEXES:
		g_assert_not_reached();
	}
}

typedef struct Indexing {
	GHashTable *entries;
	Entry entry;
} Indexing;

static void add_entry(const char *text, gpointer of)
{
	Indexing *indexing = of;
	GArray *list = g_hash_table_lookup(indexing->entries, text);
	if (list == NULL) {
		list = g_array_new(FALSE, FALSE, sizeof(Entry));
		g_hash_table_insert(indexing->entries, (gpointer)text, list);
	}
	if (list->len == 0 || g_array_index(list, Entry, list->len - 1).row != indexing->entry.row)
		g_array_append_val(list, indexing->entry);
}

static GHashTable *index_of(const json_t *rows, SheetIndex index)
{
	Indexing indexing = {.entries = g_hash_table_new_full(
				     g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_array_unref)};
	json_t *row;
	json_object_foreach ((json_t *)rows, indexing.entry.key, row) {
		indexing.entry.row = row;
		visit_texts(row, index, add_entry, &indexing);
	}
	return indexing.entries;
}

static GHashTable *ground_index(Ground *ground, SheetIndex index)
{
	GHashTable *there = g_atomic_pointer_get(&ground->indexes[index]);
	if (there != NULL)
		return there;
	GHashTable *made = index_of(ground->rows, index);
	if (g_atomic_pointer_compare_and_exchange(&ground->indexes[index], NULL, made))
		return made;
	g_hash_table_unref(made);
	return g_atomic_pointer_get(&ground->indexes[index]);
}

typedef struct Asked {
	const char *text;
	gboolean is_there;
} Asked;

static void note_text(const char *text, gpointer of)
{
	Asked *asked = of;
	asked->is_there |= g_str_equal(text, asked->text);
}

static gboolean has_text(const json_t *row, SheetIndex index, const char *text)
{
	Asked asked = {text, FALSE};
	visit_texts(row, index, note_text, &asked);
	return asked.is_there;
}

void sheet_each(
	const Sheet *sheet, SheetIndex index, const char *text, SheetFound found, gpointer of)
{
	const GArray *entries = g_hash_table_lookup(ground_index(sheet->ground, index), text);
	for (guint i = 0; entries != NULL && i < entries->len; i++) {
		Entry entry = g_array_index(entries, Entry, i);
		if (json_object_get(sheet->written, entry.key) == NULL)
			found(entry.key, entry.row, of);
	}
	const char *key;
	json_t *row;
	json_object_foreach (sheet->written, key, row)
		if (!json_is_null(row) && has_text(row, index, text))
			found(key, row, of);
}

/* Differences ---------------------------------------------------------------------------------- */

static void add_difference(GArray *differences, Sheet *before, Sheet *after, const char *key)
{
	SheetDifference difference = {key, sheet_row(before, key), sheet_row(after, key)};
	if (difference.before != difference.after)
		g_array_append_val(differences, difference);
}

GArray *sheet_differences(Sheet *before, Sheet *after)
{
	GArray *differences = g_array_new(FALSE, FALSE, sizeof(SheetDifference));
	gboolean is_one_ground = before->ground == after->ground;
	const char *key;
	json_t *row;
	if (before == after)
		return differences;
	const json_t *was = is_one_ground ? before->written : sheet_rows(before);
	const json_t *is = is_one_ground ? after->written : sheet_rows(after);
	json_object_foreach ((json_t *)was, key, row)
		add_difference(differences, before, after, key);
	json_object_foreach ((json_t *)is, key, row)
		if (json_object_get(was, key) == NULL)
			add_difference(differences, before, after, key);
	return differences;
}
