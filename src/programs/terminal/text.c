/* SPDX-License-Identifier: ISC
 *
 * Text on its way to a terminal.
 */
#include "programs/terminal/text.h"

#include <string.h>

/* Marks, embeddings, overrides and isolates of direction, and the line separators: harmless in a
 * browser that isolates them, a lie in a terminal's table. */
static gboolean is_invisible_order(gunichar c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static void append_clean(GString *out, gunichar c)
{
	if (c == '\n' || c == '\t')
		g_string_append_c(out, ' ');
	else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		g_string_append_printf(out, "\\x%02x", c);
	else if (is_invisible_order(c))
		g_string_append_printf(out, "\\u%04x", c);
	else
		g_string_append_unichar(out, c);
}

char *text_clean(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *out = g_string_new(NULL);
	for (const char *c = valid; *c != '\0'; c = g_utf8_next_char(c))
		append_clean(out, g_utf8_get_char(c));
	return g_string_free(out, FALSE);
}

static guint columns_of(gunichar c)
{
	if (g_unichar_iszerowidth(c))
		return 0;
	return g_unichar_iswide(c) ? 2 : 1;
}

guint text_width(const char *text)
{
	guint width = 0;
	for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c))
		width += columns_of(g_utf8_get_char(c));
	return width;
}

char *text_shorten(const char *text, guint columns, gboolean unicode)
{
	if (text_width(text) <= columns)
		return g_strdup(text);
	const char *mark = unicode ? "…" : "..";
	guint room = unicode ? 1 : 2;
	if (columns < room)
		return g_strdup("");
	guint width = 0;
	const char *end = text;
	for (; *end != '\0'; end = g_utf8_next_char(end)) {
		guint next = columns_of(g_utf8_get_char(end));
		if (width + next > columns - room)
			break;
		width += next;
	}
	g_autofree char *kept = g_strndup(text, (gsize)(end - text));
	return g_strconcat(g_strchomp(kept), mark, NULL);
}

guint text_distance(const char *a, const char *b)
{
	enum { LONGEST = 40 };
	gsize rows = strlen(a), columns = strlen(b);
	if (rows > LONGEST || columns > LONGEST)
		return LONGEST;
	guint cost[LONGEST + 1][LONGEST + 1];
	for (gsize i = 0; i <= rows; i++)
		cost[i][0] = (guint)i;
	for (gsize j = 0; j <= columns; j++)
		cost[0][j] = (guint)j;
	for (gsize i = 1; i <= rows; i++) {
		for (gsize j = 1; j <= columns; j++) {
			guint best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			best = MIN(best, MIN(cost[i - 1][j], cost[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, cost[i - 2][j - 2] + 1);
			cost[i][j] = best;
		}
	}
	return cost[rows][columns];
}
