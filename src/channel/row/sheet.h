/* SPDX-License-Identifier: ISC
 *
 * One table of a state: rows by key, which never change. Writing makes another sheet that shares
 * the rows and holds only what was written over them, so a queue of changes costs what it writes,
 * however long the table is. What is asked often (whose alias is it, who maps to the release) is
 * looked up in indexes of what was written, each made once for all sheets above it. Pure.
 */
#ifndef CHANNEL_ROW_SHEET_H
#define CHANNEL_ROW_SHEET_H

#include <glib.h>
#include <jansson.h>

typedef enum SheetIndex {
	SHEET_BY_ALIAS,
	SHEET_BY_MAPPING, /* and fallback_mapping */
	SHEET_BY_ORIGIN,  /* a release by those that its files lead from */
	SHEET_BY_PRODUCT,
	SHEET_BY_CHANNEL,
	SHEET_BY_BASE, /* a test channel by its base */
	SHEET_INDEXES,
} SheetIndex;

typedef struct Sheet Sheet;

Sheet *sheet_new(void);
Sheet *sheet_ref(Sheet *sheet);
void sheet_unref(Sheet *sheet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sheet, sheet_unref)

/* Only while it is being made and nobody else has it. The row is shared. */
void sheet_add(Sheet *sheet, const char *key, json_t *row);
/* `written`: key -> row, null: it goes. It is shared, and must not change any more; NULL: nothing.
 */
Sheet *sheet_over(Sheet *sheet, json_t *written);

/* Borrowed; NULL: there is none. */
json_t *sheet_row(const Sheet *sheet, const char *key);
/* All: key -> row. Borrowed, made when it is first asked for. Any thread. */
const json_t *sheet_rows(Sheet *sheet);

typedef void (*SheetFound)(const char *key, const json_t *row, gpointer of);
/* Every row that has the text; one that has it twice is found once. Any thread. */
void sheet_each(Sheet *sheet, SheetIndex index, const char *text, SheetFound found, gpointer of);

typedef struct SheetDifference {
	const char *key;
	json_t *before, *after; /* two rows, though they may say the same; NULL: none */
} SheetDifference;

/* SheetDifference, borrowed from both. Costs what was written where one sheet was made from the
 * other, or both from a third. Caller frees. */
GArray *sheet_differences(const Sheet *before, const Sheet *after);

#endif
