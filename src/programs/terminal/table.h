/* SPDX-License-Identifier: ISC
 *
 * A text table whose columns line up, whatever the characters in it, and that fits the terminal:
 * the one column marked as elastic gives up its width first.
 */
#ifndef DROVER_TABLE_H
#define DROVER_TABLE_H

#include "programs/terminal/screen.h"

typedef enum TableAlign { TABLE_LEFT, TABLE_RIGHT, TABLE_ELASTIC } TableAlign;

typedef struct Table Table;

Table *table_new(void);
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* Before the first cell. A table has at most one elastic column. */
void table_column(Table *table, const char *heading, TableAlign align);
/* The next cell, from left to right; after the last column a new row begins. The text is copied and
 * cleaned; NULL is an empty cell. */
void table_cell(Table *table, Style style, const char *text);
void table_cell_integer(Table *table, gint64 number);
guint table_rows(const Table *table);

/* The whole table as text. `width` 0: nothing is shortened. Caller frees. */
char *table_text(const Table *table, guint width, gboolean colour, gboolean unicode);
/* On stdout, each line led by `indent` blanks. */
void table_show(const Table *table, const Screen *screen, guint indent);
/* Without rows: the sentence, as a note. */
void table_show_or_say(const Table *table, const Screen *screen, const char *none);

#endif
