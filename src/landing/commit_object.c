/* SPDX-License-Identifier: ISC
 *
 * Reading a commit object. The headers come in git's order (tree, parents, author, committer,
 * others), and git itself refuses commits where the first ones do not; whatever follows `committer`
 * may be anything, and may go on in lines that begin with a blank (signatures).
 */
#include <string.h>

#include "landing/commit_object.h"

#define HEX_DIGITS	  40
#define PARENT_LINE_BYTES (sizeof "parent " - 1 + HEX_DIGITS + 1)
#define MAXIMUM_SECONDS	  G_GINT64_CONSTANT(253402300799) /* the year 9999 */

/* Encodings that are converted: those people used. A name from outside is never handed to iconv as
 * it is: some of its converters are large, stateful and rarely tested. */
static const char *const known_encodings[] = {"ISO-8859-1", "ISO-8859-2", "ISO-8859-5",
	"ISO-8859-7", "ISO-8859-9", "ISO-8859-15", "LATIN1", "WINDOWS-1250", "WINDOWS-1251",
	"WINDOWS-1252", "CP1250", "CP1251", "CP1252", "KOI8-R", "KOI8-U", "SHIFT_JIS", "SJIS",
	"CP932", "EUC-JP", "EUC-KR", "CP949", "GB2312", "GBK", "GB18030", "BIG5"};

static gboolean is_hex(const char *bytes, gsize size)
{
	for (gsize i = 0; i < size; i++) {
		if (!g_ascii_isxdigit(bytes[i]))
			return FALSE;
	}
	return TRUE;
}

/* The value of the line at `*at` when it begins with `key` and a blank; moves past the line then.
 */
static gboolean take_header(const char **at, const char *end, const char *key, CommitSpan *value)
{
	gsize key_size = strlen(key);
	if ((gsize)(end - *at) <= key_size || memcmp(*at, key, key_size) != 0 ||
		(*at)[key_size] != ' ')
		return FALSE;
	const char *start = *at + key_size + 1;
	const char *newline = memchr(start, '\n', (gsize)(end - start));
	*value = (CommitSpan){start, (gsize)((newline ? newline : end) - start)};
	*at = newline ? newline + 1 : end;
	return TRUE;
}

/* The last `byte` of the span, NULL when there is none. */
static const char *last_of(CommitSpan span, char byte)
{
	for (gsize i = span.size; i > 0; i--) {
		if (span.bytes[i - 1] == byte)
			return span.bytes + i - 1;
	}
	return NULL;
}

static gint64 read_time_us(const char *at, const char *end)
{
	gint64 seconds = 0;
	while (at < end && *at == ' ')
		at++;
	for (; at < end && g_ascii_isdigit(*at); at++) {
		seconds = seconds * 10 + (*at - '0');
		if (seconds > MAXIMUM_SECONDS)
			return 0;
	}
	return seconds * 1000000;
}

/* "Ann Example <ann@example.org> 1700000000 +0100", leniently: any part may be missing. */
static gint64 read_person(CommitSpan line, CommitSpan *name, CommitSpan *email)
{
	const char *end = line.bytes + line.size;
	const char *close = last_of(line, '>');
	const char *open = last_of(line, '<');
	if (!close || !open || open > close) {
		*name = line;
		*email = (CommitSpan){end, 0};
		return 0;
	}
	*name = (CommitSpan){line.bytes, (gsize)(open - line.bytes)};
	*email = (CommitSpan){open + 1, (gsize)(close - open - 1)};
	return read_time_us(close + 1, end);
}

static void read_encoding(CommitSpan value, CommitObject *object)
{
	for (gsize i = 0; i < G_N_ELEMENTS(known_encodings); i++) {
		const char *known = known_encodings[i];
		if (strlen(known) == value.size &&
			g_ascii_strncasecmp(known, value.bytes, value.size) == 0)
			g_strlcpy(object->encoding, known, sizeof object->encoding);
	}
}

gboolean commit_object_parse(const char *bytes, gsize size_bytes, CommitObject *object)
{
	const char *at = bytes;
	const char *end = bytes + size_bytes;
	CommitSpan value;
	*object = (CommitObject){0};
	if (!take_header(&at, end, "tree", &value) || value.size != HEX_DIGITS ||
		!is_hex(value.bytes, value.size))
		return FALSE;
	object->parents.bytes = at;
	while (take_header(&at, end, "parent", &value)) {
		if (value.size != HEX_DIGITS || !is_hex(value.bytes, value.size) ||
			++object->parent_count > COMMIT_MAXIMUM_PARENTS)
			return FALSE;
	}
	object->parents.size = (gsize)(at - object->parents.bytes);
	object->author_name = object->author_email = (CommitSpan){at, 0};
	if (take_header(&at, end, "author", &value))
		object->authored_us =
			read_person(value, &object->author_name, &object->author_email);
	if (take_header(&at, end, "committer", &value)) {
		CommitSpan name, email;
		object->committed_us = read_person(value, &name, &email);
	}
	while (at < end && *at != '\n') {
		if (take_header(&at, end, "encoding", &value)) {
			read_encoding(value, object);
			continue;
		}
		const char *newline = memchr(at, '\n', (gsize)(end - at));
		at = newline ? newline + 1 : end;
	}
	if (at < end)
		at++;
	object->message = (CommitSpan){at, (gsize)(end - at)};
	return TRUE;
}

const char *commit_object_parent(const CommitObject *object, guint position)
{
	g_assert(position < object->parent_count);
	return object->parents.bytes + position * PARENT_LINE_BYTES + sizeof "parent " - 1;
}

/* Without a branch per byte, so that compilers make vector code of it. */
static gboolean is_plain(const char *bytes, gsize size)
{
	guint odd = 0;
	for (gsize i = 0; i < size; i++) {
		guchar byte = (guchar)bytes[i];
		odd |= (guint)(byte < ' ') & (guint)(byte != '\n') & (guint)(byte != '\t');
		odd |= (guint)(byte >= 0x7f);
	}
	return odd == 0;
}

static void append_clean(GString *text, gunichar character)
{
	if (character == '\n' || character == '\t' ||
		(character >= ' ' && (character < 0x7f || character >= 0xa0)))
		g_string_append_unichar(text, character);
	else
		g_string_append(text, "\xef\xbf\xbd");
}

static char *clean(const char *at, gsize size)
{
	GString *text = g_string_sized_new(size + size / 8);
	const char *end = at + size;
	while (at < end) {
		gunichar character = (guchar)*at;
		gsize length = 1;
		if (character >= 0x80) {
			gunichar wide = g_utf8_get_char_validated(at, end - at);
			if (wide < 0x110000) {
				character = wide;
				length = (gsize)(g_utf8_next_char(at) - at);
			}
		} else if (character == '\r') {
			length = end - at > 1 && at[1] == '\n' ? 2 : 1;
			character = '\n';
		}
		append_clean(text, character);
		at += length;
	}
	return g_string_free(text, FALSE);
}

static char *cut(char *text, gsize maximum_bytes)
{
	if (strlen(text) > maximum_bytes) {
		char *end = g_utf8_find_prev_char(text, text + maximum_bytes + 1);
		*end = 0;
	}
	return text;
}

char *commit_text(CommitSpan span, const char *encoding, gsize maximum_bytes)
{
	gsize size = MIN(span.size, maximum_bytes);
	if (is_plain(span.bytes, size)) {
		char *plain = g_malloc(size + 1);
		memcpy(plain, span.bytes, size);
		plain[size] = 0;
		return plain;
	}
	gsize converted_size = 0;
	g_autofree char *converted = NULL;
	if (*encoding)
		converted = g_convert(
			span.bytes, (gssize)size, "UTF-8", encoding, NULL, &converted_size, NULL);
	char *text = converted ? clean(converted, converted_size) : clean(span.bytes, size);
	return cut(text, maximum_bytes);
}

char *commit_text_line(CommitSpan span, const char *encoding, gsize maximum_bytes)
{
	char *line = commit_text(span, encoding, maximum_bytes);
	for (char *at = line; *at; at++) {
		if (*at == '\n' || *at == '\t')
			*at = ' ';
	}
	return g_strstrip(line);
}

static gboolean is_blank_line(const char *at, const char *end)
{
	while (at < end && g_ascii_isspace(*at))
		at++;
	return at == end;
}

char *commit_subject(const char *message)
{
	while (g_ascii_isspace(*message))
		message++;
	const char *end = message;
	for (const char *line = message; *line;) {
		const char *line_end = strchrnul(line, '\n');
		if (is_blank_line(line, line_end))
			break;
		end = line_end;
		line = *line_end ? line_end + 1 : line_end;
	}
	return commit_text_line(
		(CommitSpan){message, (gsize)(end - message)}, "", COMMIT_MAXIMUM_SUBJECT_BYTES);
}
