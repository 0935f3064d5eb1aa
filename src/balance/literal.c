/* SPDX-License-Identifier: ISC
 *
 * Python literals by recursive descent: one cursor with a sticky error, so that a reader goes on
 * and is asked once at the end. Strings are in literal_text.c. Rule: docs/balance.md, "Literals".
 */
#include "balance/literal_parts.h"

#include <string.h>

#include "balance/shown.h"
#include "base/error.h"

static Literal *read_value(LiteralReader *reader);

void literal_fail(LiteralReader *reader, const char *at, const char *format, ...)
{
	if (reader->failed)
		return;
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	guint line = 1;
	const char *start = reader->text;
	for (const char *c = reader->text; c < at; c++) {
		if (*c == '\n') {
			line++;
			start = c + 1;
		}
	}
	g_autofree char *where = line > 1 ? g_strdup_printf("line %u, ", line) : g_strdup("");
	drover_error_set(reader->error, DROVER_ERROR_INPUT, "%scolumn %" G_GSIZE_FORMAT ": %s",
		where, (gsize)(at - start) + 1, what);
	reader->failed = TRUE;
	reader->at = reader->end;
}

int literal_peek(const LiteralReader *reader)
{
	return reader->at < reader->end ? (unsigned char)*reader->at : LITERAL_END;
}

/* Blanks, newlines and comments: a value may go on over several lines of a configuration. */
static void skip_blanks(LiteralReader *reader)
{
	while (reader->at < reader->end) {
		char c = *reader->at;
		if (c == '#') {
			const char *newline =
				memchr(reader->at, '\n', (gsize)(reader->end - reader->at));
			reader->at = newline != NULL ? newline : reader->end;
		} else if (g_ascii_isspace(c)) {
			reader->at++;
		} else {
			return;
		}
	}
}

static gboolean accept_mark(LiteralReader *reader, char mark)
{
	skip_blanks(reader);
	if (literal_peek(reader) != mark)
		return FALSE;
	reader->at++;
	return TRUE;
}

static Literal *literal_new(LiteralKind kind)
{
	Literal *literal = g_new0(Literal, 1);
	literal->kind = kind;
	if (kind >= LITERAL_LIST)
		literal->parts = g_ptr_array_new_with_free_func((GDestroyNotify)literal_free);
	return literal;
}

static gboolean is_word(int c)
{
	return c != LITERAL_END && (g_ascii_isalnum(c) || c == '_' || c == '.');
}

/* What stands at the cursor, for a message. */
static char *found_here(const LiteralReader *reader)
{
	return shown_text(reader->at, reader->end - reader->at);
}

static Literal *read_word(LiteralReader *reader)
{
	const char *start = reader->at;
	while (is_word(literal_peek(reader)))
		reader->at++;
	g_autofree char *word = g_strndup(start, (gsize)(reader->at - start));
	static const char *const constants[] = {"None", "False", "True"};
	for (gint64 i = 0; i < (gint64)G_N_ELEMENTS(constants); i++) {
		if (strcmp(word, constants[i]) != 0)
			continue;
		Literal *literal = literal_new(i == 0 ? LITERAL_NONE : LITERAL_BOOLEAN);
		literal->integer = i == 2;
		return literal;
	}
	if (reader->names != NULL && g_strv_contains(reader->names, word)) {
		Literal *literal = literal_new(LITERAL_NAME);
		literal->text = g_steal_pointer(&word);
		return literal;
	}
	g_autofree char *found = shown_text(word, -1);
	literal_fail(reader, start,
		"'%s' is a name, and only True, False and None are values without quotes", found);
	return NULL;
}

/* Digits in `base`, with single underscores between them as Python allows. FALSE when there are
 * none or too many. */
static gboolean read_whole(const char *digits, guint base, gboolean negative, gint64 *value)
{
	guint64 total = 0, limit = (guint64)G_MAXINT64 + (negative ? 1 : 0);
	gboolean after_digit = FALSE;
	for (; *digits != '\0'; digits++) {
		if (*digits == '_' && after_digit && digits[1] != '\0') {
			after_digit = FALSE;
			continue;
		}
		int digit = g_ascii_xdigit_value(*digits);
		if (digit < 0 || (guint)digit >= base || total > (limit - (guint)digit) / base)
			return FALSE;
		total = total * base + (guint)digit;
		after_digit = TRUE;
	}
	*value = (gint64)(negative ? 0 - total : total);
	return after_digit;
}

static gboolean is_real(const char *text)
{
	gsize digits = 0;
	text += *text == '-' || *text == '+';
	for (; g_ascii_isdigit(*text); text++)
		digits++;
	if (*text == '.')
		for (text++; g_ascii_isdigit(*text); text++)
			digits++;
	if (digits > 0 && (*text == 'e' || *text == 'E')) {
		text++;
		text += *text == '-' || *text == '+';
		if (!g_ascii_isdigit(*text))
			return FALSE;
		while (g_ascii_isdigit(*text))
			text++;
	}
	return digits > 0 && *text == '\0';
}

/* The number's characters, its sign included. */
static char *take_number(LiteralReader *reader, gboolean *hexadecimal)
{
	const char *start = reader->at;
	if (*reader->at == '-' || *reader->at == '+')
		reader->at++;
	*hexadecimal = reader->end - reader->at > 1 && reader->at[0] == '0' &&
		       (reader->at[1] | 0x20) == 'x';
	while (is_word(literal_peek(reader)) ||
		(!*hexadecimal && (*(reader->at - 1) | 0x20) == 'e' && reader->at - start > 1 &&
			(literal_peek(reader) == '-' || literal_peek(reader) == '+')))
		reader->at++;
	return g_strndup(start, (gsize)(reader->at - start));
}

static Literal *read_number(LiteralReader *reader)
{
	const char *start = reader->at;
	gboolean hexadecimal = FALSE, negative = *start == '-';
	g_autofree char *text = take_number(reader, &hexadecimal);
	const char *digits = text + (negative || *text == '+');
	guint base = 10;
	if (digits[0] == '0' && g_ascii_isalpha(digits[1])) {
		char mark = g_ascii_tolower(digits[1]);
		base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
		digits += base != 10 ? 2 : 0;
	}
	gint64 value = 0;
	gboolean octal_of_old =
		base == 10 && digits[0] == '0' && strspn(digits, "0_") != strlen(digits);
	if (read_whole(digits, base, negative, &value) && !octal_of_old) {
		Literal *literal = literal_new(LITERAL_INTEGER);
		literal->integer = value;
		return literal;
	}
	if (is_real(text) && strpbrk(text, ".eE") != NULL) {
		Literal *literal = literal_new(LITERAL_REAL);
		literal->text = g_steal_pointer(&text);
		return literal;
	}
	g_autofree char *found = shown_text(text, -1);
	literal_fail(reader, start, "'%s' is no number, or too large", found);
	return NULL;
}

/* A key's value, behind its key. */
static void read_entry(LiteralReader *reader, Literal *into, const Literal *key)
{
	if (key->kind >= LITERAL_LIST)
		literal_fail(reader, reader->at, "a key must be a text or a number");
	else if (!accept_mark(reader, ':'))
		literal_fail(reader, reader->at, "a : is missing after the key");
	Literal *value = read_value(reader);
	if (value != NULL)
		g_ptr_array_add(into->parts, value);
}

/* Values up to `close`, after the opening bracket. TRUE when a comma was among them. */
static gboolean read_parts(LiteralReader *reader, Literal *into, char close)
{
	const char *open = reader->at - 1;
	gboolean any_comma = FALSE;
	while (!accept_mark(reader, close)) {
		if (!reader->failed && literal_peek(reader) == LITERAL_END)
			literal_fail(reader, open, "the %c is not closed by a %c", *open, close);
		Literal *part = read_value(reader);
		if (part == NULL)
			return FALSE;
		g_ptr_array_add(into->parts, part);
		if (into->kind == LITERAL_DICT)
			read_entry(reader, into, part);
		if (accept_mark(reader, ',')) {
			any_comma = TRUE;
		} else if (literal_peek(reader) == LITERAL_END) {
			literal_fail(reader, open, "the %c is not closed by a %c", *open, close);
			return FALSE;
		} else if (literal_peek(reader) != close) {
			literal_fail(reader, reader->at, "a comma or a %c is missing here", close);
			return FALSE;
		}
	}
	return any_comma;
}

/* (1) is 1, (1,) and () are tuples. */
static Literal *read_bracket(LiteralReader *reader, LiteralKind kind, char close)
{
	g_autoptr(Literal) literal = literal_new(kind);
	if (++reader->depth > LITERAL_MAXIMUM_DEPTH) {
		literal_fail(reader, reader->at, "more than %d levels of brackets",
			LITERAL_MAXIMUM_DEPTH);
		return NULL;
	}
	reader->at++;
	gboolean any_comma = read_parts(reader, literal, close);
	reader->depth--;
	if (reader->failed)
		return NULL;
	if (kind == LITERAL_TUPLE && literal->parts->len == 1 && !any_comma)
		return g_ptr_array_steal_index(literal->parts, 0);
	return g_steal_pointer(&literal);
}

static Literal *read_text(LiteralReader *reader)
{
	g_autoptr(GString) text = g_string_new(NULL);
	while (literal_at_text(reader)) {
		literal_read_text(reader, text);
		skip_blanks(reader);
	}
	if (reader->failed)
		return NULL;
	Literal *literal = literal_new(LITERAL_TEXT);
	literal->text = g_string_free(g_steal_pointer(&text), FALSE);
	return literal;
}

static Literal *read_value(LiteralReader *reader)
{
	skip_blanks(reader);
	int c = literal_peek(reader);
	if (reader->failed)
		return NULL;
	if (++reader->parts > LITERAL_MAXIMUM_PARTS)
		literal_fail(reader, reader->at, "more than %d values", LITERAL_MAXIMUM_PARTS);
	else if (c == LITERAL_END)
		literal_fail(reader, reader->at, "a value is missing");
	else if (literal_at_text(reader))
		return read_text(reader);
	else if (c == '[')
		return read_bracket(reader, LITERAL_LIST, ']');
	else if (c == '(')
		return read_bracket(reader, LITERAL_TUPLE, ')');
	else if (c == '{')
		return read_bracket(reader, LITERAL_DICT, '}');
	else if (g_ascii_isdigit(c) || c == '-' || c == '+' || c == '.')
		return read_number(reader);
	else if (is_word(c))
		return read_word(reader);
	else {
		g_autofree char *found = found_here(reader);
		literal_fail(reader, reader->at, "'%s' begins no value", found);
	}
	return NULL;
}

/* 'a', 'b' without brackets: a tuple, too. Takes `first`, which may be NULL. */
static Literal *read_bare_tuple(LiteralReader *reader, Literal *first)
{
	if (first == NULL || !accept_mark(reader, ','))
		return first;
	g_autoptr(Literal) tuple = literal_new(LITERAL_TUPLE);
	g_ptr_array_add(tuple->parts, first);
	skip_blanks(reader);
	while (literal_peek(reader) != LITERAL_END) {
		Literal *part = read_value(reader);
		if (part == NULL)
			return NULL;
		g_ptr_array_add(tuple->parts, part);
		if (!accept_mark(reader, ','))
			break;
		skip_blanks(reader);
	}
	return g_steal_pointer(&tuple);
}

/* NUL and bytes that are not UTF-8 would not survive the way through our own texts. */
static gboolean check_bytes(LiteralReader *reader)
{
	const char *bad = memchr(reader->text, '\0', (gsize)(reader->end - reader->text));
	if (bad != NULL)
		literal_fail(reader, bad, "a NUL byte");
	else if (!g_utf8_validate(reader->text, reader->end - reader->text, &bad))
		literal_fail(reader, bad, "not valid UTF-8");
	return !reader->failed;
}

Literal *literal_parse(const char *text, gsize size_bytes, const char *const *names, GError **error)
{
	if (size_bytes > LITERAL_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"a value of %" G_GSIZE_FORMAT " bytes: at most %d are allowed", size_bytes,
			LITERAL_MAXIMUM_BYTES);
		return NULL;
	}
	LiteralReader reader = {
		.text = text, .at = text, .end = text + size_bytes, .names = names, .error = error};
	if (!check_bytes(&reader))
		return NULL;
	g_autoptr(Literal) value = read_bare_tuple(&reader, read_value(&reader));
	skip_blanks(&reader);
	if (!reader.failed && literal_peek(&reader) != LITERAL_END) {
		g_autofree char *rest = found_here(&reader);
		literal_fail(&reader, reader.at, "'%s' after the value: nothing is calculated here",
			rest);
	}
	return reader.failed ? NULL : g_steal_pointer(&value);
}

void literal_free(Literal *literal)
{
	if (literal == NULL)
		return;
	g_free(literal->text);
	g_clear_pointer(&literal->parts, g_ptr_array_unref);
	g_free(literal);
}

const Literal *literal_get(const Literal *dict, const char *key)
{
	g_assert(dict->kind == LITERAL_DICT);
	const Literal *found = NULL;
	for (guint i = 0; i + 1 < dict->parts->len; i += 2) {
		const Literal *name = dict->parts->pdata[i];
		if (name->kind == LITERAL_TEXT && strcmp(name->text, key) == 0)
			found = dict->parts->pdata[i + 1];
	}
	return found;
}

char *literal_describe(const Literal *literal)
{
	switch (literal->kind) {
	case LITERAL_NONE:
		return g_strdup("None");
	case LITERAL_BOOLEAN:
		return g_strdup(literal->integer ? "True" : "False");
	case LITERAL_INTEGER:
		return g_strdup_printf("%" G_GINT64_FORMAT, literal->integer);
	case LITERAL_TEXT: {
		g_autofree char *shown = shown_text(literal->text, -1);
		return g_strdup_printf("the text '%s'", shown);
	}
	case LITERAL_REAL:
	case LITERAL_NAME:
		return shown_text(literal->text, -1);
	case LITERAL_LIST:
		return g_strdup("a list");
	case LITERAL_TUPLE:
		return g_strdup("a tuple");
	case LITERAL_DICT:
		return g_strdup("a dict");
	}
	g_assert_not_reached();
}
