/* SPDX-License-Identifier: ISC
 *
 * Python's strings: either quote, the prefixes u and r, and the escapes. Python keeps the backslash
 * of an escape that it does not know; so does this. \N{NAME} is refused: it needs a table of names.
 */
#include "balance/literal_parts.h"

static gboolean is_quote(int c)
{
	return c == '\'' || c == '"';
}

gboolean literal_at_text(const LiteralReader *reader)
{
	int c = literal_peek(reader);
	if (is_quote(c))
		return TRUE;
	return (c == 'u' || c == 'U' || c == 'r' || c == 'R') && reader->end - reader->at > 1 &&
	       is_quote(reader->at[1]);
}

static void append_code_point(LiteralReader *reader, const char *at, gunichar c, GString *into)
{
	if (c == 0)
		literal_fail(reader, at, "a NUL character in a text");
	else if (!g_unichar_validate(c))
		literal_fail(reader, at, "an escape that is no character");
	else
		g_string_append_unichar(into, c);
}

/* Exactly `count` hexadecimal digits after \x, \u or \U. */
static void read_hexadecimal(LiteralReader *reader, const char *at, int count, GString *into)
{
	gunichar c = 0;
	for (int i = 0; i < count; i++, reader->at++) {
		int digit = literal_peek(reader) == LITERAL_END ? -1
								: g_ascii_xdigit_value(*reader->at);
		if (digit < 0) {
			literal_fail(reader, at, "an escape \\%c needs %d hexadecimal digits",
				at[1], count);
			return;
		}
		c = c << 4 | (gunichar)digit;
	}
	append_code_point(reader, at, c, into);
}

static void read_octal(LiteralReader *reader, const char *at, GString *into)
{
	gunichar c = 0;
	for (int i = 0; i < 3 && literal_peek(reader) >= '0' && literal_peek(reader) <= '7'; i++)
		c = c << 3 | (gunichar)(*reader->at++ - '0');
	append_code_point(reader, at, c, into);
}

/* The cursor stands behind the backslash at `at`. */
static void read_escape(LiteralReader *reader, const char *at, GString *into)
{
	static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
	int c = literal_peek(reader);
	if (c == LITERAL_END)
		return;
	if (c >= '0' && c <= '7') {
		read_octal(reader, at, into);
		return;
	}
	reader->at++;
	for (gsize i = 0; from[i] != '\0'; i++) {
		if (from[i] == c) {
			g_string_append_c(into, to[i]);
			return;
		}
	}
	if (c == 'x' || c == 'u' || c == 'U')
		read_hexadecimal(reader, at, c == 'x' ? 2 : c == 'u' ? 4 : 8, into);
	else if (c == 'N')
		literal_fail(reader, at, "an escape \\N{…} is not read: write the character");
	else if (c != '\n')
		g_string_append_len(into, at, reader->at - at);
}

void literal_read_text(LiteralReader *reader, GString *into)
{
	const char *start = reader->at;
	gboolean raw = *reader->at == 'r' || *reader->at == 'R';
	if (!is_quote(*reader->at))
		reader->at++;
	char quote = *reader->at++;
	while (!reader->failed) {
		const char *at = reader->at;
		int c = literal_peek(reader);
		if (c == LITERAL_END || c == '\n') {
			literal_fail(reader, start, "the text is not closed by a %c", quote);
			return;
		}
		reader->at++;
		if (c == quote)
			return;
		if (c != '\\') {
			g_string_append_c(into, (char)c);
		} else if (!raw) {
			read_escape(reader, at, into);
		} else {
			g_string_append_c(into, '\\');
			if (literal_peek(reader) != LITERAL_END && *reader->at != '\n')
				g_string_append_c(into, *reader->at++);
		}
	}
}
