/* SPDX-License-Identifier: ISC
 *
 * Items in commit messages: a keyword ("Closes:", "fixed", "LP:"), then one item or a list of them.
 * One table says which keywords there are, to which pattern each belongs and how strict it is; the
 * rules are those of docs/messages.md, "Items".
 */
#include <string.h>

#include "landing/message_parts.h"

typedef struct Keyword {
	const char *phrase; /* lower case */
	guint pattern;
	gboolean bare_after_colon; /* "Bug: 12" will do; else the number needs its '#' */
} Keyword;

#define FORGE ITEM_PATTERN_FIXES
#define REFER ITEM_PATTERN_REFERENCE

/* In the order of their first letters; longer phrases before those they begin with. */
static const Keyword keywords[] = {
	{"addresses", REFER, FALSE},
	{"bug", ITEM_PATTERN_BUG, TRUE},
	{"bugs", ITEM_PATTERN_BUG, TRUE},
	{"close", FORGE, FALSE},
	{"closed", FORGE, FALSE},
	{"closes", ITEM_PATTERN_CLOSES | FORGE, TRUE},
	{"closing", FORGE, FALSE},
	{"fix", FORGE, FALSE},
	{"fixed", FORGE, FALSE},
	{"fixes", FORGE, FALSE},
	{"fixing", FORGE, FALSE},
	{"implement", FORGE, FALSE},
	{"implemented", FORGE, FALSE},
	{"implementing", FORGE, FALSE},
	{"implements", FORGE, FALSE},
	{"lp", ITEM_PATTERN_LP, TRUE},
	{"merge pull request", ITEM_PATTERN_MERGE, FALSE},
	{"part of", REFER, FALSE},
	{"re", REFER, FALSE},
	{"ref", REFER, FALSE},
	{"references", REFER, FALSE},
	{"refs", REFER, FALSE},
	{"related to", REFER, FALSE},
	{"resolve", FORGE, FALSE},
	{"resolved", FORGE, FALSE},
	{"resolves", FORGE, FALSE},
	{"resolving", FORGE, FALSE},
	{"see also", REFER, FALSE},
	{"see", REFER, FALSE},
};

static const struct {
	const char *name;
	guint pattern;
} pattern_names[] = {
	{"bug-tag", ITEM_PATTERN_BUG_TAG},
	{"bug", ITEM_PATTERN_BUG},
	{"lp", ITEM_PATTERN_LP},
	{"closes", ITEM_PATTERN_CLOSES},
	{"fixes", ITEM_PATTERN_FIXES},
	{"reference", ITEM_PATTERN_REFERENCE},
	{"merge", ITEM_PATTERN_MERGE},
	/* the names of the forges, for those who think of them so */
	{"gh", ITEM_PATTERN_FIXES},
	{"gitlab", ITEM_PATTERN_FIXES},
};

gboolean item_patterns_parse(const char *list, guint *patterns, GError **error)
{
	g_auto(GStrv) names = g_strsplit(list, ",", -1);
	guint set = 0;
	for (char **name = names; *name; name++) {
		g_strstrip(*name);
		guint found = 0;
		for (gsize i = 0; i < G_N_ELEMENTS(pattern_names); i++) {
			if (g_ascii_strcasecmp(*name, pattern_names[i].name) == 0)
				found = pattern_names[i].pattern;
		}
		if (!found && (**name || names[1])) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"item patterns \"%s\": \"%s\" is none; there are bug-tag, bug, lp, "
				"closes, "
				"fixes (also called gh and gitlab), reference and merge",
				list, *name);
			return FALSE;
		}
		set |= found;
	}
	*patterns = set;
	return TRUE;
}

/* A number without leading zeros, neither 0 nor longer than a number can be, that ends there. */
static gboolean take_number(
	MessageReader *reader, Cursor *cursor, const char **number, gsize *digits)
{
	const char *at = cursor->at;
	while (at < cursor->end && g_ascii_isdigit(*at))
		at++;
	const char *after = at;
	if (after < cursor->end && is_word_byte(*after))
		return FALSE;
	if (cursor->end - after >= 2 && *after == '.' && g_ascii_isdigit(after[1]))
		return FALSE;
	const char *start = cursor->at;
	while (start < after && *start == '0')
		start++;
	if (start == after)
		return FALSE;
	*number = start;
	*digits = (gsize)(after - start);
	if (*digits > MESSAGE_MAXIMUM_DIGITS) {
		message_add_problem(
			reader, "a number of %" G_GSIZE_FORMAT " digits names no item", *digits);
		return FALSE;
	}
	cursor->at = after;
	return TRUE;
}

static gboolean take_plain_number(MessageReader *reader, Cursor *cursor)
{
	const char *number = NULL;
	gsize digits = 0;
	if (!take_number(reader, cursor, &number, &digits))
		return FALSE;
	message_add_item(reader, number, digits);
	return TRUE;
}

static gboolean is_path_byte(char byte)
{
	return g_ascii_isalnum(byte) || (byte && strchr("._-/", byte));
}

static gboolean is_path(const char *path, gsize size_bytes)
{
	for (gsize i = 0; i < size_bytes; i++) {
		if (!is_path_byte(path[i]))
			return FALSE;
	}
	return size_bytes > 0 && size_bytes <= MESSAGE_MAXIMUM_ITEM_BYTES;
}

/* "owner/repo#12" from a path of `path_size` bytes and the number at the cursor. */
static gboolean take_number_of_project(
	MessageReader *reader, Cursor *cursor, const char *path, gsize path_size)
{
	const char *number = NULL;
	gsize digits = 0;
	if (!is_path(path, path_size) || !take_number(reader, cursor, &number, &digits))
		return FALSE;
	g_autofree char *item =
		g_strdup_printf("%.*s#%.*s", (int)path_size, path, (int)digits, number);
	message_add_item(reader, item, strlen(item));
	return TRUE;
}

/* "owner/repo#12", "group/subgroup/project#12" */
static gboolean take_project_item(MessageReader *reader, Cursor *cursor)
{
	Cursor ahead = *cursor;
	const char *slash = NULL;
	for (; ahead.at < ahead.end && is_path_byte(*ahead.at); ahead.at++) {
		if (*ahead.at == '/')
			slash = ahead.at;
	}
	gsize path_size = (gsize)(ahead.at - cursor->at);
	if (!slash || slash == cursor->at || slash + 1 == ahead.at ||
		!cursor_take_byte(&ahead, '#'))
		return FALSE;
	if (!take_number_of_project(reader, &ahead, cursor->at, path_size))
		return FALSE;
	*cursor = ahead;
	return TRUE;
}

/* What stands before the number in the addresses of trackers that know no projects. */
static const char *const tracker_marks[] = {
	"/+bug/", "/bugs/", "?id=", "&id=", "?bug=", "//bugs.debian.org/"};

/* An address of an issue: those of forges give "owner/repo#12", those of trackers "12". */
static gboolean take_address(MessageReader *reader, Cursor *cursor)
{
	Cursor host = *cursor;
	if (!cursor_take_phrase(&host, "https") && !cursor_take_phrase(&host, "http"))
		return FALSE;
	const char *end = host.at;
	while (end < host.end && !g_ascii_isspace(*end) && *end && !strchr(")>,;\"]", *end))
		end++;
	gsize size = (gsize)(end - host.at);
	if (size < 4 || strncmp(host.at, "://", 3) != 0)
		return FALSE;
	Cursor ahead = *cursor;
	const char *issues = memmem(host.at, size, "/issues/", 8);
	const char *path = memchr(host.at + 3, '/', size - 3);
	if (issues && path && path < issues) {
		const char *path_end = issues;
		if (path_end - path > 2 && strncmp(path_end - 2, "/-", 2) == 0) /* GitLab's */
			path_end -= 2;
		ahead.at = issues + 8;
		if (!take_number_of_project(reader, &ahead, path + 1, (gsize)(path_end - path - 1)))
			return FALSE;
		cursor->at = end;
		return TRUE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(tracker_marks); i++) {
		gsize mark_size = strlen(tracker_marks[i]);
		const char *mark = memmem(host.at, size, tracker_marks[i], mark_size);
		if (!mark)
			continue;
		ahead.at = mark + mark_size;
		if (!take_plain_number(reader, &ahead))
			continue;
		cursor->at = end;
		return TRUE;
	}
	return FALSE;
}

/* One item: "#12", "bug#12", "issue #12", "GH-12", "owner/repo#12", an address; "12" when `bare`.
 */
static gboolean take_item(MessageReader *reader, Cursor *cursor, gboolean bare)
{
	Cursor ahead = *cursor;
	if (cursor_take_phrase(&ahead, "gh")) {
		if (!cursor_take_byte(&ahead, '-') || !take_plain_number(reader, &ahead))
			return FALSE;
		*cursor = ahead;
		return TRUE;
	}
	if (take_address(reader, cursor) || take_project_item(reader, cursor))
		return TRUE;
	if (cursor_take_phrase(&ahead, "bug") || cursor_take_phrase(&ahead, "issue") ||
		cursor_take_phrase(&ahead, "issues"))
		cursor_skip_blanks(&ahead);
	if (cursor_take_byte(&ahead, '#'))
		cursor_skip_blanks(&ahead);
	else if (!bare)
		return FALSE;
	if (!take_plain_number(reader, &ahead))
		return FALSE;
	*cursor = ahead;
	return TRUE;
}

/* ", ", " and ", ", and ", " & ", a line end after a comma, or nothing before a '#'. */
static gboolean take_separator(Cursor *cursor)
{
	Cursor ahead = *cursor;
	cursor_skip_blanks(&ahead);
	gboolean comma = cursor_take_byte(&ahead, ',') || cursor_take_byte(&ahead, '&');
	cursor_skip_blanks(&ahead);
	if (comma && cursor_take_byte(&ahead, '\n'))
		cursor_skip_blanks(&ahead);
	gboolean word = cursor_take_phrase(&ahead, "and");
	cursor_skip_blanks(&ahead);
	if (!comma && !word && (ahead.at == ahead.end || *ahead.at != '#'))
		return FALSE;
	*cursor = ahead;
	return TRUE;
}

static gboolean take_item_list(MessageReader *reader, Cursor *cursor, gboolean bare)
{
	if (!take_item(reader, cursor, bare))
		return FALSE;
	Cursor ahead = *cursor;
	while (take_separator(&ahead) && take_item(reader, &ahead, bare))
		*cursor = ahead;
	return TRUE;
}

static gboolean begins_line(const Cursor *cursor)
{
	const char *at = cursor->at;
	while (at > cursor->start && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	return at == cursor->start || at[-1] == '\n';
}

/* `Fixes: SHA ("Subject")` at the start of a line, several by comma: commits, not items. */
static gboolean take_fixed_commits(MessageReader *reader, Cursor *cursor)
{
	Cursor ahead = *cursor;
	if (!begins_line(cursor) || !cursor_take_phrase(&ahead, "fixes"))
		return FALSE;
	cursor_skip_blanks(&ahead);
	if (!cursor_take_byte(&ahead, ':'))
		return FALSE;
	gboolean any = FALSE;
	do {
		cursor_skip_blanks(&ahead);
		const char *sha = ahead.at;
		if (!cursor_take_sha(&ahead))
			break;
		message_add_reference(reader, reader->facts->fixes, sha, (gsize)(ahead.at - sha),
			&(MessageReference){.tentative = TRUE});
		cursor->at = ahead.at;
		any = TRUE;
		cursor_skip_blanks(&ahead);
	} while (cursor_take_byte(&ahead, ','));
	return any;
}

/* GitLab's "See merge request group/project!12": the item is "!12". */
static gboolean take_merge_request(MessageReader *reader, Cursor *cursor)
{
	Cursor ahead = *cursor;
	if (!(reader->patterns & ITEM_PATTERN_MERGE) ||
		!cursor_take_phrase(&ahead, "see merge request"))
		return FALSE;
	cursor_skip_blanks(&ahead);
	while (ahead.at < ahead.end && is_path_byte(*ahead.at))
		ahead.at++;
	const char *mark = ahead.at;
	const char *number = NULL;
	gsize digits = 0;
	if (!cursor_take_byte(&ahead, '!') || !take_number(reader, &ahead, &number, &digits))
		return FALSE;
	g_autofree char *item = g_strdup_printf("!%.*s", (int)digits, number);
	g_assert(*mark == '!');
	message_add_item(reader, item, strlen(item));
	*cursor = ahead;
	return TRUE;
}

gboolean message_take_items(MessageReader *reader, Cursor *cursor)
{
	/* most words end here: this runs for each word of each message of a history */
	char first = (char)(cursor->at[0] | 0x20);
	char second = cursor->end - cursor->at > 1 ? (char)(cursor->at[1] | 0x20) : 0;
	if (first == 'f' && take_fixed_commits(reader, cursor))
		return TRUE;
	if (first == 's' && take_merge_request(reader, cursor))
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(keywords); i++) {
		const Keyword *keyword = &keywords[i];
		if (keyword->phrase[0] > first)
			return FALSE;
		if (keyword->phrase[0] != first || keyword->phrase[1] != second)
			continue;
		Cursor ahead = *cursor;
		if (!(keyword->pattern & reader->patterns) ||
			!cursor_take_phrase(&ahead, keyword->phrase))
			continue;
		cursor_skip_blanks(&ahead);
		gboolean colon = cursor_take_byte(&ahead, ':');
		cursor_skip_blanks(&ahead);
		/* "Closes #3" is a forge's form, "Closes: 3" is Debian's */
		if (!colon && !(keyword->pattern & ~(guint)ITEM_PATTERN_CLOSES & reader->patterns))
			continue;
		gboolean debian = !(keyword->pattern & ITEM_PATTERN_CLOSES) ||
				  (reader->patterns & ITEM_PATTERN_CLOSES);
		if (!take_item_list(reader, &ahead, colon && keyword->bare_after_colon && debian))
			continue;
		*cursor = ahead;
		return TRUE;
	}
	return FALSE;
}

void message_read_bug_tag(MessageReader *reader, Cursor list)
{
	if (!(reader->patterns & ITEM_PATTERN_BUG_TAG))
		return;
	gboolean any = FALSE;
	while (list.at < list.end) {
		if (strchr(" \t,;", *list.at)) {
			list.at++;
			continue;
		}
		any = TRUE;
		const char *start = list.at;
		if (take_item(reader, &list, TRUE))
			continue;
		while (list.at < list.end && !strchr(" \t,;", *list.at))
			list.at++;
		g_autofree char *written = message_excerpt(start, (gsize)(list.at - start));
		message_add_problem(reader, "[bug=]: \"%s\" is no item", written);
	}
	if (!any)
		message_add_problem(reader, "[bug=] names nothing");
}

void message_read_subject_end(MessageReader *reader, const char *text, gsize size_bytes)
{
	if (!(reader->patterns & ITEM_PATTERN_MERGE))
		return;
	const char *end = text + size_bytes;
	while (text < end && g_ascii_isspace(*text))
		text++;
	const char *newline = memchr(text, '\n', (gsize)(end - text));
	end = newline ? newline : end;
	while (end > text && g_ascii_isspace(end[-1]))
		end--;
	if (end - text < 4 || end[-1] != ')')
		return;
	const char *open = end - 1;
	while (open > text && *open != '(')
		open--;
	if (*open != '(' || (open[1] != '#' && open[1] != '!'))
		return;
	Cursor cursor = {text, open + 2, end};
	const char *number = NULL;
	gsize digits = 0;
	if (!take_number(reader, &cursor, &number, &digits) || cursor.at != end - 1)
		return;
	g_autofree char *item =
		g_strdup_printf("%s%.*s", open[1] == '!' ? "!" : "", (int)digits, number);
	message_add_item(reader, item, strlen(item));
}
