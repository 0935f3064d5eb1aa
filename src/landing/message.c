/* SPDX-License-Identifier: ISC
 *
 * Reading a commit message; the rules are those of docs/messages.md.
 *
 * The idea: first everything that the author only quotes (lines after '>', text in backticks, the
 * subject inside `Revert "…"`) is overwritten with blanks; then one pass stops at each '[' and at
 * each start of a word and asks the readers of tags and keywords whether the text there is theirs.
 * Nothing backtracks further than one form, so the time is linear in the text.
 */
#include <stdarg.h>
#include <string.h>

#include "landing/message_parts.h"

#define EXCERPT_BYTES	  40
#define TAG_MAXIMUM_BYTES 4096 /* from '[' to ']' */

gboolean is_word_byte(char byte)
{
	return g_ascii_isalnum(byte) || byte == '_' || (byte & 0x80);
}

/* Typographic marks are UTF-8 too, but part no word: U+0080-BF, U+2000-207F, U+3000-303F. */
static gboolean ends_with_mark(const char *start, const char *at)
{
	gsize before = (gsize)(at - start);
	if (before >= 2 && at[-2] == '\xc2')
		return TRUE;
	if (before < 3)
		return FALSE;
	if (at[-3] == '\xe2' && (at[-2] == '\x80' || at[-2] == '\x81'))
		return TRUE;
	return at[-3] == '\xe3' && at[-2] == '\x80';
}

gboolean cursor_at_word_start(const Cursor *cursor)
{
	if (cursor->at == cursor->start)
		return TRUE;
	char before = cursor->at[-1];
	if (before == '-') /* "-fixes #3" as a list's bullet, but not "bug-fix #3" */
		return cursor->at - cursor->start == 1 || cursor->at[-2] == '\n';
	if (before == ' ' || before == '\n')
		return TRUE;
	if (before == '/' || before == '@' || before == '#' || before == '.')
		return FALSE;
	return !is_word_byte(before) || ends_with_mark(cursor->start, cursor->at);
}

void cursor_skip_blanks(Cursor *cursor)
{
	while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t'))
		cursor->at++;
}

gboolean cursor_take_byte(Cursor *cursor, char byte)
{
	if (cursor->at == cursor->end || *cursor->at != byte)
		return FALSE;
	cursor->at++;
	return TRUE;
}

gboolean cursor_take_phrase(Cursor *cursor, const char *phrase)
{
	Cursor ahead = *cursor;
	for (; *phrase; phrase++) {
		if (*phrase == ' ') {
			const char *before = ahead.at;
			cursor_skip_blanks(&ahead);
			if (ahead.at == before)
				return FALSE;
			continue;
		}
		if (ahead.at == ahead.end)
			return FALSE;
		char byte = *ahead.at;
		if (byte != *phrase && (!g_ascii_isupper(byte) || (byte | 0x20) != *phrase))
			return FALSE;
		ahead.at++;
	}
	if (ahead.at < ahead.end && is_word_byte(*ahead.at))
		return FALSE;
	*cursor = ahead;
	return TRUE;
}

gboolean cursor_take_sha(Cursor *cursor)
{
	const char *at = cursor->at;
	while (at < cursor->end && g_ascii_isxdigit(*at))
		at++;
	gsize digits = (gsize)(at - cursor->at);
	if (digits < MESSAGE_MINIMUM_SHA || digits > 64)
		return FALSE;
	if (at < cursor->end && (is_word_byte(*at) || *at == '-'))
		return FALSE;
	cursor->at = at;
	return TRUE;
}

char *message_excerpt(const char *text, gsize size_bytes)
{
	char *excerpt = g_utf8_make_valid(text, (gssize)MIN(size_bytes, EXCERPT_BYTES));
	for (char *at = excerpt; *at; at++) {
		if (g_ascii_iscntrl(*at))
			*at = ' ';
	}
	return g_strchomp(excerpt);
}

void message_add_problem(MessageReader *reader, const char *format, ...)
{
	if (reader->facts->problems->len >= MESSAGE_MAXIMUM_PROBLEMS)
		return;
	va_list arguments;
	va_start(arguments, format);
	g_ptr_array_add(reader->facts->problems, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

static gboolean names(const char *name, const char *text, gsize size_bytes)
{
	return strncmp(name, text, size_bytes) == 0 && name[size_bytes] == 0;
}

void message_add_item(MessageReader *reader, const char *text, gsize size_bytes)
{
	GPtrArray *items = reader->facts->items;
	for (guint i = 0; i < items->len; i++) {
		if (names(items->pdata[i], text, size_bytes))
			return;
	}
	if (items->len < MESSAGE_MAXIMUM_ITEMS) {
		g_ptr_array_add(items, g_strndup(text, size_bytes));
		return;
	}
	if (!reader->items_full) {
		message_add_problem(
			reader, "more than %d items: the rest is not read", MESSAGE_MAXIMUM_ITEMS);
	}
	reader->items_full = TRUE;
}

void message_add_reference(MessageReader *reader, GPtrArray *references, const char *text,
	gsize size_bytes, const MessageReference *like)
{
	g_autofree char *lower = g_ascii_strdown(text, (gssize)size_bytes);
	for (guint i = 0; i < references->len; i++) {
		MessageReference *known = references->pdata[i];
		if (g_str_equal(known->text, lower)) {
			known->tentative = known->tentative && like->tentative;
			known->ordinal = known->ordinal && like->ordinal;
			return;
		}
	}
	if (references->len >= MESSAGE_MAXIMUM_REFERENCES) {
		message_add_problem(reader, "more than %d references: \"%s\" is not read",
			MESSAGE_MAXIMUM_REFERENCES, lower);
		return;
	}
	MessageReference *reference = g_new(MessageReference, 1);
	*reference = *like;
	reference->text = g_steal_pointer(&lower);
	g_ptr_array_add(references, reference);
}

/* "43", "#43", "r43", "abc1234", in any case. */
static gboolean take_reference(
	MessageReader *reader, GPtrArray *references, const char *text, gsize size_bytes)
{
	if (size_bytes > 1 && (*text == '#' || *text == 'r' || *text == 'R')) {
		text++;
		size_bytes--;
	}
	gsize digits = 0, hex = 0;
	for (gsize i = 0; i < size_bytes; i++) {
		digits += g_ascii_isdigit(text[i]) ? 1 : 0;
		hex += g_ascii_isxdigit(text[i]) ? 1 : 0;
	}
	gboolean ordinal = digits == size_bytes && digits > 0 && digits <= MESSAGE_MAXIMUM_DIGITS;
	gboolean sha = hex == size_bytes && hex >= MESSAGE_MINIMUM_SHA && hex <= 64;
	if (!ordinal && !sha)
		return FALSE;
	message_add_reference(
		reader, references, text, size_bytes, &(MessageReference){.ordinal = ordinal});
	return TRUE;
}

void message_read_references(
	MessageReader *reader, GPtrArray *references, const char *form, Cursor list)
{
	gboolean any = FALSE;
	while (list.at < list.end && *list.at != '(' && *list.at != '"') {
		if (strchr(" \t,;", *list.at)) {
			list.at++;
			continue;
		}
		const char *start = list.at;
		while (list.at < list.end && !strchr(" \t,;(", *list.at))
			list.at++;
		gsize size = (gsize)(list.at - start);
		if (size == 3 && g_ascii_strncasecmp(start, "and", 3) == 0)
			continue;
		any = TRUE;
		if (take_reference(reader, references, start, size))
			continue;
		g_autofree char *written = message_excerpt(start, size);
		message_add_problem(reader,
			"%s: \"%s\" is neither a landing's number nor a SHA of %d digits or more",
			form, written, MESSAGE_MINIMUM_SHA);
	}
	if (!any)
		message_add_problem(reader, "%s names nothing", form);
}

/* The weaker claim wins: a step that is also no-qa is a step. */
static void say_qa(MessageReader *reader, LandingQa qa)
{
	if (reader->facts->qa != LANDING_QA_INCR)
		reader->facts->qa = qa;
}

/* "[no-qa]", "[bug=1,2]". Whatever is in other brackets is somebody else's. */
static gboolean take_tag(MessageReader *reader, Cursor *cursor)
{
	Cursor tag = *cursor;
	gsize reach = MIN((gsize)(tag.end - tag.at), TAG_MAXIMUM_BYTES);
	const char *close = memchr(tag.at, ']', reach);
	if (!close || memchr(tag.at, '\n', (gsize)(close - tag.at)))
		return FALSE;
	tag = (Cursor){tag.at + 1, tag.at + 1, close};
	cursor_skip_blanks(&tag);
	const char *const flags[] = {"no-qa", "testfix", "incr"};
	for (gsize i = 0; i < G_N_ELEMENTS(flags); i++) {
		Cursor flag = tag;
		if (!cursor_take_phrase(&flag, flags[i]))
			continue;
		cursor_skip_blanks(&flag);
		if (flag.at != flag.end)
			return FALSE;
		say_qa(reader, i == 2 ? LANDING_QA_INCR : LANDING_QA_NO_QA);
		cursor->at = close + 1;
		return TRUE;
	}
	gboolean rollback = cursor_take_phrase(&tag, "rollback");
	gboolean bug = !rollback && cursor_take_phrase(&tag, "bug");
	cursor_skip_blanks(&tag);
	if ((!rollback && !bug) || !cursor_take_byte(&tag, '='))
		return FALSE;
	if (rollback)
		message_read_references(reader, reader->facts->rollbacks, "[rollback=]", tag);
	else
		message_read_bug_tag(reader, tag);
	cursor->at = close + 1;
	return TRUE;
}

/* Git's own sentence, whose line an editor may have wrapped. The SHA after "reversing changes made
 * to" is the parent that a reverted merge went back to: it is read over, being no list. */
static gboolean take_git_revert(MessageReader *reader, Cursor *cursor)
{
	Cursor ahead = *cursor;
	if ((*ahead.at | 0x20) != 't')
		return FALSE;
	if (!cursor_take_phrase(&ahead, "this reverts commit") &&
		!cursor_take_phrase(&ahead, "this reverts commits"))
		return FALSE;
	const MessageReference revert = {.is_git_revert = TRUE};
	gboolean any = FALSE;
	for (;;) {
		Cursor next = ahead;
		cursor_skip_blanks(&next);
		if (any && !cursor_take_byte(&next, ',') && !cursor_take_phrase(&next, "and"))
			break;
		cursor_skip_blanks(&next);
		if (cursor_take_phrase(&next, "and") || cursor_take_byte(&next, '\n'))
			cursor_skip_blanks(&next);
		const char *sha = next.at;
		if (!cursor_take_sha(&next))
			break;
		message_add_reference(
			reader, reader->facts->rollbacks, sha, (gsize)(next.at - sha), &revert);
		ahead = next;
		any = TRUE;
	}
	if (any)
		*cursor = ahead;
	return any;
}

/* Does any keyword begin with this letter? Half of all words end here. */
static gboolean may_begin_keyword(char letter)
{
	switch (letter | 0x20) {
	case 'a': /* addresses */
	case 'b': /* bug */
	case 'c': /* closes */
	case 'f': /* fixes */
	case 'i': /* implements */
	case 'l': /* lp */
	case 'm': /* merge pull request */
	case 'p': /* part of */
	case 'r': /* refs, resolves */
	case 's': /* see */
	case 't': /* this reverts commit */
		return TRUE;
	default:
		return FALSE;
	}
}

static void read_text(MessageReader *reader, const char *text, gsize size_bytes)
{
	Cursor cursor = {text, text, text + size_bytes};
	while (cursor.at < cursor.end) {
		if (*cursor.at == '[' && take_tag(reader, &cursor))
			continue;
		if (!g_ascii_isalpha(*cursor.at)) {
			cursor.at++;
			continue;
		}
		if (may_begin_keyword(*cursor.at) && cursor_at_word_start(&cursor) &&
			(take_git_revert(reader, &cursor) || message_take_items(reader, &cursor)))
			continue;
		while (cursor.at < cursor.end && g_ascii_isalnum(*cursor.at))
			cursor.at++;
	}
}

static void blank_out(char *from, const char *until)
{
	memset(from, ' ', (gsize)(until - from));
}

/* Overwrites what one line quotes. */
static void blank_quotes_in_line(char *line, char *end, gboolean has_ticks)
{
	char *at = line;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at < end && *at == '>') {
		blank_out(at, end);
		return;
	}
	Cursor start = {at, at, end};
	gboolean may_revert = at < end && (*at | 0x20) == 'r';
	if (may_revert &&
		(cursor_take_phrase(&start, "revert") || cursor_take_phrase(&start, "reapply"))) {
		cursor_skip_blanks(&start);
		char *open = at + (start.at - at);
		char *close = end;
		while (close > open && *(close - 1) != '"')
			close--;
		gboolean quoted = open < end && *open == '"';
		if (quoted && close == open + 1) /* the subject was cut short */
			blank_out(open, end);
		else if (quoted)
			blank_out(open, close);
	}
	char *tick = has_ticks ? memchr(at, '`', (gsize)(end - at)) : NULL;
	while (tick) {
		char *close = memchr(tick + 1, '`', (gsize)(end - tick - 1));
		if (!close)
			return;
		blank_out(tick, close + 1);
		tick = memchr(close, '`', (gsize)(end - close));
	}
}

static void replace_bytes(char *text, gsize size_bytes, char byte)
{
	char *end = text + size_bytes;
	for (char *at = memchr(text, byte, size_bytes); at;
		at = memchr(at, byte, (gsize)(end - at)))
		*at = ' ';
}

/* A copy of the text with blanks instead of quotes, carriage returns and NUL bytes. */
static char *without_quotes(const char *message, gsize size_bytes)
{
	char *text = g_malloc(size_bytes + 1);
	if (size_bytes)
		memcpy(text, message, size_bytes);
	text[size_bytes] = 0;
	replace_bytes(text, size_bytes, '\r');
	replace_bytes(text, size_bytes, 0);
	gboolean has_ticks = memchr(text, '`', size_bytes) != NULL;
	for (char *line = text, *end = text + size_bytes; line < end;) {
		char *newline = memchr(line, '\n', (gsize)(end - line));
		blank_quotes_in_line(line, newline ? newline : end, has_ticks);
		line = newline ? newline + 1 : end;
	}
	return text;
}

static void reference_free(gpointer reference)
{
	g_free(((MessageReference *)reference)->text);
	g_free(reference);
}

static MessageFacts *facts_new(void)
{
	MessageFacts *facts = g_new0(MessageFacts, 1);
	facts->items = g_ptr_array_new_with_free_func(g_free);
	facts->rollbacks = g_ptr_array_new_with_free_func(reference_free);
	facts->fixes = g_ptr_array_new_with_free_func(reference_free);
	facts->problems = g_ptr_array_new_with_free_func(g_free);
	return facts;
}

MessageFacts *message_read(const char *message, gsize size_bytes, guint patterns)
{
	g_assert(message || size_bytes == 0);
	MessageFacts *facts = facts_new();
	MessageReader reader = {.facts = facts, .patterns = patterns};
	if (size_bytes > MESSAGE_MAXIMUM_BYTES) {
		message_add_problem(&reader,
			"the message is longer than %d bytes: the rest is not read",
			MESSAGE_MAXIMUM_BYTES);
		size_bytes = MESSAGE_MAXIMUM_BYTES;
	}
	g_autofree char *text = without_quotes(message, size_bytes);
	read_text(&reader, text, size_bytes);
	message_read_subject_end(&reader, text, size_bytes);
	message_read_trailers(&reader, text, size_bytes);
	if (facts->untestable && facts->items->len == 0)
		message_add_problem(&reader, "QA: untestable needs an item: it rules on nothing");
	return facts;
}

void message_facts_free(MessageFacts *facts)
{
	if (!facts)
		return;
	g_ptr_array_unref(facts->items);
	g_ptr_array_unref(facts->rollbacks);
	g_ptr_array_unref(facts->fixes);
	g_ptr_array_unref(facts->problems);
	g_free(facts);
}
