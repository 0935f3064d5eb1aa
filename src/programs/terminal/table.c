/* SPDX-License-Identifier: ISC
 *
 * A text table whose columns line up.
 */
#include "programs/terminal/table.h"

#include <stdio.h>

#include "programs/terminal/text.h"

enum { GAP = 2, ELASTIC_LEAST = 12 };

typedef struct Column {
	char *heading;
	TableAlign align;
} Column;

typedef struct Cell {
	char *text;
	Style style;
} Cell;

struct Table {
	GArray *columns; /* Column */
	GArray *cells;	 /* Cell, row by row */
};

static void clear_column(gpointer of)
{
	g_free(((Column *)of)->heading);
}

static void clear_cell(gpointer of)
{
	g_free(((Cell *)of)->text);
}

Table *table_new(void)
{
	Table *table = g_new(Table, 1);
	table->columns = g_array_new(FALSE, FALSE, sizeof(Column));
	table->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
	g_array_set_clear_func(table->columns, clear_column);
	g_array_set_clear_func(table->cells, clear_cell);
	return table;
}

void table_free(Table *table)
{
	if (table == NULL)
		return;
	g_array_unref(table->columns);
	g_array_unref(table->cells);
	g_free(table);
}

void table_column(Table *table, const char *heading, TableAlign align)
{
	g_assert(table->cells->len == 0);
	Column column = {g_strdup(heading), align};
	g_array_append_val(table->columns, column);
}

void table_cell(Table *table, Style style, const char *text)
{
	Cell cell = {text_clean(text != NULL ? text : ""), style};
	g_array_append_val(table->cells, cell);
}

void table_cell_integer(Table *table, gint64 number)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
	table_cell(table, STYLE_PLAIN, text);
}

guint table_rows(const Table *table)
{
	return table->columns->len > 0 ? table->cells->len / table->columns->len : 0;
}

static const Cell *cell_at(const Table *table, guint row, guint column)
{
	return &g_array_index(table->cells, Cell, row * table->columns->len + column);
}

/* The width of each column; the elastic one takes what the others leave of `width`. Caller frees.
 */
static guint *column_widths(const Table *table, guint width)
{
	guint count = table->columns->len, total = 0, elastic = count;
	guint *widths = g_new0(guint, count);
	for (guint i = 0; i < count; i++) {
		const Column *column = &g_array_index(table->columns, Column, i);
		widths[i] = text_width(column->heading);
		for (guint row = 0; row < table_rows(table); row++)
			widths[i] = MAX(widths[i], text_width(cell_at(table, row, i)->text));
		total += widths[i] + (i > 0 ? GAP : 0);
		if (column->align == TABLE_ELASTIC)
			elastic = i;
	}
	if (width == 0 || total <= width || elastic == count)
		return widths;
	guint others = total - widths[elastic];
	guint left = width > others ? width - others : 0;
	widths[elastic] = MIN(widths[elastic], MAX(left, ELASTIC_LEAST));
	return widths;
}

typedef struct Writer {
	GString *out;
	gboolean colour, unicode;
} Writer;

/* `last`: nothing follows on the line, so it is not padded. */
static void write_cell(
	Writer *writer, const char *text, Style style, TableAlign align, guint width, gboolean last)
{
	g_autofree char *fitting = align == TABLE_ELASTIC
					   ? text_shorten(text, width, writer->unicode)
					   : g_strdup(text);
	g_autofree char *styled = style_wrap(style, writer->colour, fitting);
	guint padding = width - MIN(width, text_width(fitting));
	if (align == TABLE_RIGHT)
		g_string_append_printf(writer->out, "%*s%s", (int)padding, "", styled);
	else
		g_string_append_printf(writer->out, "%s%*s", styled, last ? 0 : (int)padding, "");
	if (!last)
		g_string_append_printf(writer->out, "%*s", GAP, "");
}

/* Blanks that stand before the end of a line: an empty last cell leaves them. */
static void end_line(GString *out)
{
	while (out->len > 0 && out->str[out->len - 1] == ' ')
		g_string_truncate(out, out->len - 1);
	g_string_append_c(out, '\n');
}

char *table_text(const Table *table, guint width, gboolean colour, gboolean unicode)
{
	g_assert(table->columns->len > 0 && table->cells->len % table->columns->len == 0);
	g_autofree guint *widths = column_widths(table, width);
	Writer writer = {g_string_new(NULL), colour, unicode};
	guint count = table->columns->len;
	for (guint i = 0; i < count; i++) {
		const Column *column = &g_array_index(table->columns, Column, i);
		write_cell(&writer, column->heading, STYLE_DIM, column->align, widths[i],
			i + 1 == count);
	}
	end_line(writer.out);
	for (guint row = 0; row < table_rows(table); row++) {
		for (guint i = 0; i < count; i++) {
			const Cell *cell = cell_at(table, row, i);
			write_cell(&writer, cell->text, cell->style,
				g_array_index(table->columns, Column, i).align, widths[i],
				i + 1 == count);
		}
		end_line(writer.out);
	}
	return g_string_free(writer.out, FALSE);
}

void table_show(const Table *table, const Screen *screen, guint indent)
{
	guint width = screen->width > indent ? screen->width - indent : screen->width;
	g_autofree char *text = table_text(table, width, screen->colour, screen->unicode);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++)
		printf("%*s%s\n", (int)indent, "", lines[i]);
}

void table_show_or_say(const Table *table, const Screen *screen, const char *none)
{
	if (table_rows(table) > 0)
		table_show(table, screen, 0);
	else
		screen_note(screen, "%s", none);
}
