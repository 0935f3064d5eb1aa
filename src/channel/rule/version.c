/* SPDX-License-Identifier: ISC
 *
 * Each scheme cuts the text into parts, some of them before the suffix; then all schemes compare in
 * the same way: parts of the release one by one, then the suffix, and none is greater than any.
 */
#include "channel/rule/version.h"

#include <string.h>

/* A cursor that fails once and stays so: readers go on, and the end asks. */
typedef struct Reader {
	Version *version;
	const char *at; /* in version->text */
	gboolean failed;
} Reader;

static void add_part(Reader *reader, const char *start, gsize size, gboolean is_number)
{
	Version *version = reader->version;
	while (is_number && size > 1 && *start == '0') {
		start++;
		size--;
	}
	if (version->count == VERSION_MAXIMUM_PARTS) {
		reader->failed = TRUE;
		return;
	}
	version->parts[version->count++] = (VersionPart){.start = (guint8)(start - version->text),
		.size = (guint8)size,
		.is_number = is_number};
}

static gboolean take(Reader *reader, char wanted)
{
	if (*reader->at != wanted)
		return FALSE;
	reader->at++;
	return TRUE;
}

/* Digits, at least one. */
static void read_number(Reader *reader)
{
	const char *start = reader->at;
	while (g_ascii_isdigit(*reader->at))
		reader->at++;
	reader->failed |= reader->at == start;
	if (!reader->failed)
		add_part(reader, start, (gsize)(reader->at - start), TRUE);
}

/* mozilla -------------------------------------------------------------------------------------- */

/* Of four numbers the third is dropped, of two a zero is made. */
static void read_mozilla_release(Reader *reader)
{
	Version *version = reader->version;
	read_number(reader);
	while (!reader->failed && version->count < 4 && take(reader, '.'))
		read_number(reader);
	reader->failed |= version->count < 2;
	if (version->count == 4) {
		version->parts[2] = version->parts[3];
		version->count = 3;
	}
	version->release = version->count;
}

static void read_mozilla(Reader *reader)
{
	read_mozilla_release(reader);
	if (*reader->at == '\0')
		return;
	take(reader, '-');
	const char *word = reader->at;
	while (g_ascii_isalpha(*reader->at))
		reader->at++;
	if (reader->at == word) {
		reader->failed = TRUE;
		return;
	}
	add_part(reader, word, 1, FALSE);
	if (*reader->at != '\0')
		read_number(reader);
}

/* loose ---------------------------------------------------------------------------------------- */

typedef enum LooseKind { LOOSE_DOT, LOOSE_DIGIT, LOOSE_SMALL, LOOSE_OTHER } LooseKind;

/* Python's class takes anything. What is an operator or a list elsewhere is a slip here. */
static gboolean is_loose(const char *text)
{
	for (; *text != '\0'; text++)
		if (!g_ascii_isgraph(*text) || strchr("<>=!,*&", *text) != NULL)
			return FALSE;
	return TRUE;
}

static LooseKind loose_kind(char c)
{
	if (c == '.')
		return LOOSE_DOT;
	if (g_ascii_isdigit(c))
		return LOOSE_DIGIT;
	return g_ascii_islower(c) ? LOOSE_SMALL : LOOSE_OTHER;
}

static void read_loose(Reader *reader)
{
	reader->failed |= !is_loose(reader->at);
	while (*reader->at != '\0' && !reader->failed) {
		const char *start = reader->at;
		LooseKind kind = loose_kind(*start);
		while (*reader->at != '\0' && loose_kind(*reader->at) == kind)
			reader->at++;
		if (kind != LOOSE_DOT)
			add_part(reader, start, (gsize)(reader->at - start), kind == LOOSE_DIGIT);
	}
	reader->failed |= reader->version->count == 0;
	reader->version->release = reader->version->count;
}

/* semver --------------------------------------------------------------------------------------- */

static gboolean is_identifier(char c)
{
	return g_ascii_isalnum(c) || c == '-';
}

static gboolean has_leading_zero(const char *start, gsize size)
{
	return size > 1 && *start == '0';
}

/* Dotted identifiers; of a pre-release (not of build metadata) they are parts. */
static void read_identifiers(Reader *reader, gboolean are_parts)
{
	do {
		const char *start = reader->at;
		gboolean is_number = TRUE;
		for (; is_identifier(*reader->at); reader->at++)
			is_number &= g_ascii_isdigit(*reader->at);
		gsize size = (gsize)(reader->at - start);
		reader->failed |= size == 0;
		if (!are_parts || reader->failed)
			continue;
		reader->failed |= is_number && has_leading_zero(start, size);
		add_part(reader, start, size, is_number);
	} while (!reader->failed && take(reader, '.'));
}

static void read_semver(Reader *reader)
{
	for (guint i = 0; i < 3 && !reader->failed; i++) {
		if (i > 0 && !take(reader, '.'))
			reader->failed = TRUE;
		const char *start = reader->at;
		read_number(reader);
		reader->failed |= has_leading_zero(start, (gsize)(reader->at - start));
	}
	reader->version->release = reader->version->count;
	if (!reader->failed && take(reader, '-'))
		read_identifiers(reader, TRUE);
	if (!reader->failed && take(reader, '+'))
		read_identifiers(reader, FALSE);
}

/* All schemes ---------------------------------------------------------------------------------- */

static const struct {
	const char *name, *example;
	void (*read)(Reader *reader);
} schemes[] = {
	[VERSION_MOZILLA] = {"mozilla", "60.0, 60.0.1, 60.0b3", read_mozilla},
	[VERSION_LOOSE] = {"loose", "2.0, 1.2b3", read_loose},
	[VERSION_SEMVER] = {"semver", "1.4.0, 2.0.0-rc.1", read_semver},
};

gboolean version_scheme_parse(const char *text, VersionScheme *scheme, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++) {
		if (strcmp(text, schemes[i].name) == 0) {
			*scheme = (VersionScheme)i;
			return TRUE;
		}
	}
	drover_error_set(error, DROVER_ERROR_INPUT,
		"'%s' is no scheme of versions; there are mozilla, loose and semver", text);
	return FALSE;
}

const char *version_scheme_name(VersionScheme scheme)
{
	return schemes[scheme].name;
}

gboolean version_parse(VersionScheme scheme, const char *text, Version *version, GError **error)
{
	gsize size = strlen(text);
	Reader reader = {.version = version, .failed = size > VERSION_MAXIMUM_BYTES};
	version->scheme = scheme;
	version->count = version->release = 0;
	if (!reader.failed) {
		memcpy(version->text, text, size + 1);
		reader.at = version->text;
		schemes[scheme].read(&reader);
		reader.failed |= *reader.at != '\0';
	}
	if (!reader.failed)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "'%.*s' is no version of the scheme %s (%s)",
		VERSION_MAXIMUM_BYTES, text, schemes[scheme].name, schemes[scheme].example);
	return FALSE;
}

static int compare_sizes(gsize a, gsize b)
{
	return a < b ? -1 : a > b;
}

static int compare_parts(
	const Version *a, const VersionPart *part_a, const Version *b, const VersionPart *part_b)
{
	if (part_a->is_number != part_b->is_number)
		return part_a->is_number ? -1 : 1;
	if (part_a->is_number && part_a->size != part_b->size)
		return compare_sizes(part_a->size, part_b->size);
	int order = memcmp(
		a->text + part_a->start, b->text + part_b->start, MIN(part_a->size, part_b->size));
	return order != 0 ? order : compare_sizes(part_a->size, part_b->size);
}

/* x.y of mozilla is x.y.0. */
static gboolean is_zero(const Version *version, guint part)
{
	const VersionPart *is = &version->parts[part];
	return is->is_number && is->size == 1 && version->text[is->start] == '0';
}

static int compare_releases(const Version *a, const Version *b)
{
	for (guint i = 0; i < MIN(a->release, b->release); i++) {
		int order = compare_parts(a, &a->parts[i], b, &b->parts[i]);
		if (order != 0)
			return order;
	}
	if (a->release == b->release)
		return 0;
	const Version *longer = a->release > b->release ? a : b;
	if (a->scheme == VERSION_MOZILLA && is_zero(longer, longer->release - 1))
		return 0;
	return longer == a ? 1 : -1;
}

int version_compare(const Version *a, const Version *b)
{
	g_assert(a->scheme == b->scheme);
	int order = compare_releases(a, b);
	if (order != 0)
		return order;
	guint left_a = a->count - a->release, left_b = b->count - b->release;
	if (left_a == 0 || left_b == 0)
		return compare_sizes(left_b, left_a);
	for (guint i = 0; i < MIN(left_a, left_b); i++) {
		order = compare_parts(a, &a->parts[a->release + i], b, &b->parts[b->release + i]);
		if (order != 0)
			return order;
	}
	return compare_sizes(left_a, left_b);
}

/* Tests ---------------------------------------------------------------------------------------- */

static const char *const operators[] = {
	[VERSION_EQUAL] = "=",
	[VERSION_LESS] = "<",
	[VERSION_LESS_OR_EQUAL] = "<=",
	[VERSION_GREATER] = ">",
	[VERSION_GREATER_OR_EQUAL] = ">=",
};

gboolean version_operator_parse(const char *text, VersionOperator *operator)
{
	for (gsize i = 0; i < G_N_ELEMENTS(operators); i++) {
		if (strcmp(text, operators[i]) == 0) {
			*operator=(VersionOperator) i;
			return TRUE;
		}
	}
	return FALSE;
}

VersionOperator version_operator_read(const char *text, const char **rest)
{
	VersionOperator operator= VERSION_EQUAL;
	if (*text == '<' || *text == '>') {
		gboolean is_less = *text++ == '<';
		operator= is_less ? VERSION_LESS : VERSION_GREATER;
		if (*text == '=') {
			operator= is_less ? VERSION_LESS_OR_EQUAL : VERSION_GREATER_OR_EQUAL;
			text++;
		}
		while (*text == ' ')
			text++;
	}
	*rest = text;
	return operator;
}

gboolean version_operator_holds(VersionOperator operator, int order)
{
	switch (operator) {
	case VERSION_LESS:
		return order < 0;
	case VERSION_LESS_OR_EQUAL:
		return order <= 0;
	case VERSION_GREATER:
		return order > 0;
	case VERSION_GREATER_OR_EQUAL:
		return order >= 0;
	case VERSION_EQUAL:
		break;
	}
	return order == 0;
}

/* "60.*" or "60.1.*" with the star's place known: the numbers before it. */
static gboolean parse_glob(VersionTest *test, const char *text, gsize size)
{
	Version *version = &test->version;
	Reader reader = {.version = version, .failed = size > VERSION_MAXIMUM_BYTES};
	if (reader.failed)
		return FALSE;
	memcpy(version->text, text, size + 1);
	reader.at = version->text;
	version->count = 0;
	do
		read_number(&reader);
	while (!reader.failed && take(&reader, '.') && *reader.at != '*');
	version->release = version->count;
	return !reader.failed && strcmp(reader.at, "*") == 0 && reader.at[-1] == '.' &&
	       version->count <= 2;
}

gboolean version_test_make(VersionScheme scheme, VersionOperator operator, const char * text,
	VersionTest *test, GError **error)
{
	test->operator= operator;
	test->is_glob = strchr(text, '*') != NULL;
	test->version.scheme = scheme;
	if (!test->is_glob)
		return version_parse(scheme, text, &test->version, error);
	if (operator== VERSION_EQUAL && parse_glob(test, text, strlen(text)))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"'%.*s' will not do: a star may only end N.* or N.M.*, without < or >",
		VERSION_MAXIMUM_BYTES, text);
	return FALSE;
}

gboolean version_test_parse(
	VersionScheme scheme, const char *text, VersionTest *test, GError **error)
{
	const char *rest;
	VersionOperator operator= version_operator_read(text, &rest);
	return version_test_make(scheme, operator, rest, test, error);
}

gboolean version_test_holds(const VersionTest *test, const Version *version)
{
	const Version *wanted = &test->version;
	if (!test->is_glob)
		return version_operator_holds(test->operator, version_compare(version, wanted));
	for (guint i = 0; i < wanted->release; i++)
		if (i >= version->release ||
			compare_parts(version, &version->parts[i], wanted, &wanted->parts[i]) != 0)
			return FALSE;
	return TRUE;
}
