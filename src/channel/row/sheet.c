/* SPDX-License-Identifier: ISC
 *
 * Each sheet is a layer: what was written, on the sheet that it was written over. A row is that of
 * the highest layer that has one. A pile that grows too high becomes one layer.
 */
#include "channel/row/sheet.h"

#include "channel/rule/release_document.h"

enum {
	PILE = 32, /* layers */
	PART = 4,  /* above this part of the lowest layer's size, what lies on it joins it */
};

typedef struct Entry {
	const char *key;
	const json_t *row;
} Entry;

struct Sheet {
	gatomicrefcount references;
	Sheet *under;			    /* NULL: this is the lowest */
	guint height;			    /* layers below it */
	json_t *rows;			    /* key -> row, null: it is gone */
	json_t *whole;			    /* with all below; NULL: not asked for yet */
	GHashTable *indexes[SHEET_INDEXES]; /* of its own rows: text -> GArray of Entry; NULL: not
					     * asked for yet */
};

/* Takes both. */
static Sheet *sheet_on(Sheet *under, json_t *rows)
{
	Sheet *sheet = g_new0(Sheet, 1);
	g_atomic_ref_count_init(&sheet->references);
	sheet->under = under;
	sheet->height = under == NULL ? 0 : under->height + 1;
	sheet->rows = rows;
	return sheet;
}

Sheet *sheet_new(void)
{
	return sheet_on(NULL, json_object());
}

Sheet *sheet_ref(Sheet *sheet)
{
	g_atomic_ref_count_inc(&sheet->references);
	return sheet;
}

static void forget_indexes(Sheet *sheet)
{
	for (guint i = 0; i < SHEET_INDEXES; i++)
		g_clear_pointer(&sheet->indexes[i], g_hash_table_unref);
}

void sheet_unref(Sheet *sheet)
{
	if (sheet == NULL || !g_atomic_ref_count_dec(&sheet->references))
		return;
	sheet_unref(sheet->under);
	forget_indexes(sheet);
	json_decref(sheet->rows);
	json_decref(sheet->whole);
	g_free(sheet);
}

void sheet_add(Sheet *sheet, const char *key, json_t *row)
{
	g_assert(sheet->under == NULL);
	forget_indexes(sheet);
	json_object_set(sheet->rows, key, row);
}

json_t *sheet_row(const Sheet *sheet, const char *key)
{
	for (; sheet != NULL; sheet = sheet->under) {
		json_t *row = json_object_get(sheet->rows, key);
		if (row != NULL)
			return json_is_null(row) ? NULL : row;
	}
	return NULL;
}

/* Layers as one -------------------------------------------------------------------------------- */

static void write_on(json_t *rows, const json_t *written)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)written, key, row) {
		if (json_is_null(row))
			json_object_del(rows, key);
		else
			json_object_set(rows, key, row);
	}
}

static json_t *whole_of(const Sheet *sheet)
{
	if (sheet->under == NULL)
		return json_copy(sheet->rows);
	json_t *whole = whole_of(sheet->under);
	write_on(whole, sheet->rows);
	return whole;
}

/* Of two threads that ask first, the slower one's work is thrown away. */
const json_t *sheet_rows(Sheet *sheet)
{
	if (sheet->under == NULL)
		return sheet->rows;
	json_t *there = g_atomic_pointer_get(&sheet->whole);
	if (there != NULL)
		return there;
	json_t *whole = whole_of(sheet);
	if (g_atomic_pointer_compare_and_exchange(&sheet->whole, NULL, whole))
		return whole;
	json_decref(whole);
	return g_atomic_pointer_get(&sheet->whole);
}

/* What was written on the lowest. */
static json_t *written_of(const Sheet *sheet, Sheet **lowest)
{
	if (sheet->under == NULL) {
		*lowest = (Sheet *)sheet;
		return json_object();
	}
	json_t *written = written_of(sheet->under, lowest);
	json_object_update(written, sheet->rows);
	return written;
}

static Sheet *level(Sheet *pile)
{
	Sheet *lowest = NULL;
	json_t *written = written_of(pile, &lowest);
	if (json_object_size(written) <= PILE + json_object_size(lowest->rows) / PART)
		return sheet_on(sheet_ref(lowest), written);
	json_decref(written);
	return sheet_on(NULL, whole_of(pile));
}

Sheet *sheet_over(Sheet *sheet, json_t *written)
{
	if (json_object_size(written) == 0)
		return sheet_ref(sheet);
	Sheet *under = sheet->height < PILE ? sheet_ref(sheet) : level(sheet);
	return sheet_on(under, json_incref(written));
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
		indexing.entry.row = row; /* a null has no texts */
		visit_texts(row, index, add_entry, &indexing);
	}
	return indexing.entries;
}

static GHashTable *own_index(Sheet *sheet, SheetIndex index)
{
	GHashTable *there = g_atomic_pointer_get(&sheet->indexes[index]);
	if (there != NULL)
		return there;
	GHashTable *made = index_of(sheet->rows, index);
	if (g_atomic_pointer_compare_and_exchange(&sheet->indexes[index], NULL, made))
		return made;
	g_hash_table_unref(made);
	return g_atomic_pointer_get(&sheet->indexes[index]);
}

static gboolean is_covered(const Sheet *top, const Sheet *layer, const char *key)
{
	for (; top != layer; top = top->under)
		if (json_object_get(top->rows, key) != NULL)
			return TRUE;
	return FALSE;
}

typedef struct Search {
	const Sheet *top;
	SheetIndex index;
	const char *text;
	SheetFound found;
	gpointer of;
} Search;

static void search_layer(const Search *search, Sheet *layer)
{
	if (layer->under != NULL)
		search_layer(search, layer->under);
	const GArray *entries = g_hash_table_lookup(own_index(layer, search->index), search->text);
	for (guint i = 0; entries != NULL && i < entries->len; i++) {
		Entry entry = g_array_index(entries, Entry, i);
		if (!is_covered(search->top, layer, entry.key))
			search->found(entry.key, entry.row, search->of);
	}
}

void sheet_each(Sheet *sheet, SheetIndex index, const char *text, SheetFound found, gpointer of)
{
	Search search = {sheet, index, text, found, of};
	search_layer(&search, sheet);
}

/* Differences ---------------------------------------------------------------------------------- */

static void note_keys(GPtrArray *keys, GHashTable *noted, const json_t *rows)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)rows, key, row)
		if (g_hash_table_add(noted, (gpointer)key))
			g_ptr_array_add(keys, (gpointer)key);
}

/* The keys of all layers above the one that both stand on; where there is none, of all. */
static GPtrArray *keys_between(const Sheet *before, const Sheet *after)
{
	GPtrArray *keys = g_ptr_array_new();
	g_autoptr(GHashTable) noted = g_hash_table_new(g_str_hash, g_str_equal);
	while (before != after) {
		gboolean is_higher =
			before == NULL || (after != NULL && after->height >= before->height);
		const Sheet **higher = is_higher ? &after : &before;
		note_keys(keys, noted, (*higher)->rows);
		*higher = (*higher)->under;
	}
	return keys;
}

GArray *sheet_differences(const Sheet *before, const Sheet *after)
{
	GArray *differences = g_array_new(FALSE, FALSE, sizeof(SheetDifference));
	g_autoptr(GPtrArray) keys = keys_between(before, after);
	for (guint i = 0; i < keys->len; i++) {
		const char *key = keys->pdata[i];
		SheetDifference difference = {key, sheet_row(before, key), sheet_row(after, key)};
		if (difference.before != difference.after)
			g_array_append_val(differences, difference);
	}
	return differences;
}
