/* SPDX-License-Identifier: ISC
 *
 * Small text files, line by line. A line ends with a newline, the last one may lack
 * it; a carriage return is a control character like others.
 */
#include "release/lines.h"

#include <string.h>

Lines lines_of(const char *name, const char *text, gsize size_bytes)
{
	return (Lines){.name = name, .rest = text, .end = text + size_bytes};
}

gboolean lines_at_end(const Lines *lines)
{
	return lines->rest == lines->end;
}

void lines_fail(Lines *lines, const char *what)
{
	if (lines->error == NULL)
		drover_error_set(&lines->error, DROVER_ERROR_INPUT, "%s:%u: %s", lines->name,
			lines->number, what);
}

/* NULL behind the last line and after an error. */
static const char *next_line(Lines *lines, gsize *length)
{
	if (lines->error != NULL)
		return NULL;
	lines->number++;
	if (lines_at_end(lines)) {
		lines_fail(lines,
			"a line is missing: the file was cut off, or is another kind of file");
		return NULL;
	}
	const char *line = lines->rest;
	const char *newline = memchr(line, '\n', (gsize)(lines->end - line));
	const char *end = newline != NULL ? newline : lines->end;
	lines->rest = newline != NULL ? newline + 1 : lines->end;
	*length = (gsize)(end - line);
	return line;
}

gboolean comment_is_valid(const char *text, gsize maximum_bytes)
{
	gsize length = strlen(text);
	if (length > maximum_bytes || !g_utf8_validate(text, (gssize)length, NULL))
		return FALSE;
	for (const char *c = text; *c != '\0'; c++)
		if (((guchar)*c < ' ' && *c != '\t') || *c == 0x7f)
			return FALSE;
	return TRUE;
}

char *lines_comment(Lines *lines, const char *prefix, gsize maximum_bytes)
{
	gsize length;
	const char *line = next_line(lines, &length);
	if (line == NULL)
		return NULL;
	gsize skip = strlen(prefix);
	if (length < skip || memcmp(line, prefix, skip) != 0) {
		g_autofree char *what = g_strdup_printf("must begin with \"%s\"", prefix);
		lines_fail(lines, what);
		return NULL;
	}
	g_autofree char *comment = g_strndup(line + skip, length - skip);
	if (strlen(comment) != length - skip || !comment_is_valid(comment, maximum_bytes)) {
		g_autofree char *what =
			g_strdup_printf("the comment must be UTF-8 without control "
					"characters, of at most %" G_GSIZE_FORMAT " bytes",
				maximum_bytes);
		lines_fail(lines, what);
		return NULL;
	}
	return g_steal_pointer(&comment);
}

gboolean lines_base64(Lines *lines, void *bytes, gsize size_bytes)
{
	gsize length;
	const char *line = next_line(lines, &length);
	if (line == NULL)
		return FALSE;
	if (base64_read(line, length, bytes, size_bytes))
		return TRUE;
	g_autofree char *what = g_strdup_printf(
		"must be %" G_GSIZE_FORMAT " bytes in base64, and nothing else", size_bytes);
	lines_fail(lines, what);
	return FALSE;
}

char **lines_words(Lines *lines, const char *first, guint count)
{
	gsize length;
	const char *line = next_line(lines, &length);
	if (line == NULL)
		return NULL;
	g_autofree char *text = g_strndup(line, length);
	g_auto(GStrv) words = g_strsplit(text, " ", (int)count + 2);
	if (g_strv_length(words) == count + 1 && strcmp(words[0], first) == 0)
		return g_steal_pointer(&words);
	g_autofree char *what = g_strdup_printf(
		"must be '%s' and %u %s", first, count, count == 1 ? "word" : "words");
	lines_fail(lines, what);
	return NULL;
}

gboolean lines_next_is(const Lines *lines, const char *first)
{
	gsize length = strlen(first);
	return lines->error == NULL && (gsize)(lines->end - lines->rest) > length &&
	       memcmp(lines->rest, first, length) == 0 && lines->rest[length] == ' ';
}

void lines_clear(Lines *lines)
{
	g_clear_error(&lines->error);
}

gboolean lines_finish(Lines *lines, GError **error)
{
	lines->number++;
	if (!lines_at_end(lines))
		lines_fail(lines, "nothing may follow here");
	if (lines->error == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&lines->error));
	return FALSE;
}

gboolean lines_are(
	const char *name, const char *text, gsize size_bytes, const char *written, GError **error)
{
	if (strlen(written) == size_bytes && memcmp(written, text, size_bytes) == 0)
		return TRUE;
	gsize same = 0;
	guint line = 1;
	for (; same < size_bytes && written[same] == text[same]; same++)
		line += text[same] == '\n';
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s:%u: not in the one spelling that is allowed: lists are sorted, each entry is "
		"there once, instants are in UTC",
		name, line);
	return FALSE;
}

gboolean base64_read(const char *text, gsize length, void *bytes, gsize size_bytes)
{
	gsize size = 0;
	/* libsodium refuses what is not padded, and bits beyond the end that are not zero, but
	 * takes 0xaf for a slash. */
	for (gsize i = 0; i < length; i++)
		if ((guchar)text[i] > 0x7f)
			return FALSE;
	return sodium_base642bin(bytes, size_bytes, text, length, NULL, &size, NULL,
		       sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       size == size_bytes;
}

char *base64_write(const void *bytes, gsize size_bytes)
{
	gsize size = sodium_base64_encoded_len(size_bytes, sodium_base64_VARIANT_ORIGINAL);
	char *text = g_malloc(size);
	return sodium_bin2base64(text, size, bytes, size_bytes, sodium_base64_VARIANT_ORIGINAL);
}
