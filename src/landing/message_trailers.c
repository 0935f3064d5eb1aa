/* SPDX-License-Identifier: ISC
 *
 * Our own trailers: `QA:`, `Rollback-Of:`, `Fixes-Landing:`. Where they count follows git,
 * leniently (the rules are those of docs/messages.md, "Trailers"): in the last paragraph, whatever
 * else stands there, and in the paragraphs before it as long as they and all later ones hold
 * nothing but trailers, as `git commit -m … -m "QA: no-qa" -m "Bug: 3"` leaves them. Never in the
 * subject.
 */
#include <string.h>

#include "landing/message_parts.h"

typedef struct Line {
	const char *start;
	const char *end;
} Line;

static gboolean is_blank(const Line *line)
{
	for (const char *at = line->start; at < line->end; at++) {
		if (!g_ascii_isspace(*at))
			return FALSE;
	}
	return TRUE;
}

/* "Key: value" with a key of letters, digits and '-'; the value's start, or NULL. */
static const char *value_of(const Line *line, gsize *key_size)
{
	const char *at = line->start;
	while (at < line->end && (g_ascii_isalnum(*at) || *at == '-'))
		at++;
	*key_size = (gsize)(at - line->start);
	while (at < line->end && (*at == ' ' || *at == '\t'))
		at++;
	return *key_size > 0 && at < line->end && *at == ':' ? at + 1 : NULL;
}

static gboolean looks_like_trailer(const Line *line)
{
	gsize key_size = 0;
	if (value_of(line, &key_size) || *line->start == ' ' || *line->start == '\t')
		return TRUE;
	gsize size = (gsize)(line->end - line->start);
	if (size > 13 && strncmp(line->start, "(cherry picked", 14) == 0)
		return TRUE;
	return strspn(line->start, "-") >= size; /* the rule that forges draw above trailers */
}

/* The value when the line is our trailer `key`, blanks around it removed. */
static gboolean is_trailer(const Line *line, const char *key, Cursor *value)
{
	gsize key_size = 0;
	const char *start = value_of(line, &key_size);
	if (!start || key_size != strlen(key) ||
		g_ascii_strncasecmp(line->start, key, key_size) != 0)
		return FALSE;
	*value = (Cursor){start, start, line->end};
	cursor_skip_blanks(value);
	while (value->end > value->at && g_ascii_isspace(value->end[-1]))
		value->end--;
	return TRUE;
}

static GArray *split(const char *text, gsize size_bytes)
{
	GArray *lines = g_array_new(FALSE, FALSE, sizeof(Line));
	for (const char *at = text, *end = text + size_bytes; at < end;) {
		const char *newline = memchr(at, '\n', (gsize)(end - at));
		Line line = {at, newline ? newline : end};
		g_array_append_val(lines, line);
		at = line.end + 1;
	}
	return lines;
}

/* The first line that may hold a trailer. */
static guint block_start(const GArray *lines)
{
	const Line *line = (const Line *)(const void *)lines->data;
	guint subject = 0;
	while (subject < lines->len && is_blank(&line[subject]))
		subject++;
	guint start = lines->len;
	for (guint at = lines->len; at > subject + 1;) {
		while (at > subject + 1 && is_blank(&line[at - 1]))
			at--;
		gboolean only_trailers = TRUE;
		while (at > subject + 1 && !is_blank(&line[at - 1])) {
			only_trailers = only_trailers && looks_like_trailer(&line[at - 1]);
			at--;
		}
		gboolean last = start == lines->len;
		if (!last && !only_trailers)
			break;
		start = at;
		if (!only_trailers)
			break;
	}
	return start;
}

/* The word a QA: trailer says; anything in parentheses after it is a remark. */
static gboolean is_value(Cursor value, const char *word)
{
	if (!cursor_take_phrase(&value, word))
		return FALSE;
	cursor_skip_blanks(&value);
	return value.at == value.end || *value.at == '(';
}

static void read_qa(MessageReader *reader, Cursor value)
{
	MessageFacts *facts = reader->facts;
	if (is_value(value, "no-qa")) {
		if (facts->qa == LANDING_QA_REQUIRED)
			facts->qa = LANDING_QA_NO_QA;
	} else if (is_value(value, "untestable")) {
		facts->untestable = TRUE;
	} else if (is_value(value, "ok")) {
		facts->says_ok = TRUE;
	} else {
		g_autofree char *written = message_excerpt(value.at, (gsize)(value.end - value.at));
		message_add_problem(
			reader, "QA: says \"%s\"; it may say no-qa, untestable or ok", written);
	}
}

static void read_line(MessageReader *reader, const Line *line, gboolean in_block)
{
	Cursor value;
	const char *key = NULL;
	if (is_trailer(line, "QA", &value))
		key = "QA:";
	else if (is_trailer(line, "Rollback-Of", &value))
		key = "Rollback-Of:";
	else if (is_trailer(line, "Fixes-Landing", &value))
		key = "Fixes-Landing:";
	if (!key)
		return;
	if (!in_block) {
		message_add_problem(reader,
			"%s stands before the last paragraph and is not read: trailers come last",
			key);
		return;
	}
	if (*key == 'Q')
		read_qa(reader, value);
	else if (*key == 'R')
		message_read_references(reader, reader->facts->rollbacks, key, value);
	else
		message_read_references(reader, reader->facts->fixes, key, value);
}

/* Most messages hold none of ours: a look at the first letters of each line is enough for them. */
static gboolean may_have_trailers(const char *text, gsize size_bytes)
{
	for (const char *at = text, *end = text + size_bytes; at < end;) {
		gsize size = (gsize)(end - at);
		if ((*at | 0x20) == 'q' && size > 2 && (at[1] | 0x20) == 'a')
			return TRUE;
		if ((*at | 0x20) == 'r' && size > 12 &&
			g_ascii_strncasecmp(at, "rollback-of", 11) == 0)
			return TRUE;
		if ((*at | 0x20) == 'f' && size > 14 &&
			g_ascii_strncasecmp(at, "fixes-landing", 13) == 0)
			return TRUE;
		const char *newline = memchr(at, '\n', size);
		at = newline ? newline + 1 : end;
	}
	return FALSE;
}

void message_read_trailers(MessageReader *reader, const char *text, gsize size_bytes)
{
	if (!may_have_trailers(text, size_bytes))
		return;
	g_autoptr(GArray) lines = split(text, size_bytes);
	guint start = block_start(lines);
	for (guint i = 0; i < lines->len; i++)
		read_line(reader, &g_array_index(lines, Line, i), i >= start);
}
