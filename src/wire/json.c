/* SPDX-License-Identifier: ISC
 *
 * JSON from outside and to outside.
 *
 * jansson reads by recursion, up to 2,048 levels. Our limit is far below that and is checked before
 * it sees the text: a scan that counts brackets outside of strings needs no stack at all.
 */
#include <string.h>

#include "base/format.h"
#include "wire/json.h"

/* Where a byte of a text stands, for error messages: both from 1, columns in bytes. */
typedef struct Position {
	guint line;
	guint column;
} Position;

/* TRUE when no bracket stands deeper than the limit; else *at is the first that does. Text that is
 * not JSON may pass: the reader refuses it afterwards. */
static gboolean depth_is_allowed(const char *text, gsize size_bytes, Position *at)
{
	guint depth = 0;
	gboolean in_string = FALSE;

	*at = (Position){.line = 1, .column = 0};
	for (gsize i = 0; i < size_bytes; i++) {
		char c = text[i];
		at->column++;
		if (c == '\n')
			*at = (Position){.line = at->line + 1, .column = 0};
		if (in_string) {
			if (c == '\\' && i + 1 < size_bytes) {
				i++;
				at->column++;
			} else if (c == '"') {
				in_string = FALSE;
			}
		} else if (c == '"') {
			in_string = TRUE;
		} else if (c == '[' || c == '{') {
			if (++depth > JSON_MAXIMUM_DEPTH)
				return FALSE;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return TRUE;
}

json_t *json_read(const char *name, const char *text, gsize size_bytes, GError **error)
{
	Position at;
	if (!depth_is_allowed(text, size_bytes, &at)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s:%u:%u: more than %d levels of nesting", name, at.line, at.column,
			JSON_MAXIMUM_DEPTH);
		return NULL;
	}
	json_error_t problem;
	json_t *value =
		json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
	if (!value) {
		/* jansson quotes what it stumbled over; a text for a terminal or a log must be
		 * UTF-8. */
		g_autofree char *words = g_utf8_make_valid(problem.text, -1);
		drover_error_set(error, DROVER_ERROR_INPUT, "%s:%d:%d: %s", name,
			MAX(problem.line, 1), MAX(problem.column, 1), words);
	}
	return value;
}

/* jansson's memory comes from malloc, which is GLib's, too; still, only g_memdup2 promises it. */
static char *written(const json_t *value, size_t flags)
{
	char *text = json_dumps(value, flags | JSON_ENCODE_ANY);
	g_assert(text); /* NULL only for a NULL value, a cycle, or bytes that are not UTF-8: ours to
			   prevent */
	char *copy = g_strdup(text);
	free(text);
	return copy;
}

char *json_write(const json_t *value)
{
	return written(value, JSON_COMPACT);
}

char *json_write_pretty(const json_t *value)
{
	g_autofree char *text = written(value, JSON_INDENT(2));
	return g_strconcat(text, "\n", NULL);
}

/* The value in words, short, for "must be a string, not 7". */
static char *describe(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return g_strdup("an object");
	case JSON_ARRAY:
		return g_strdup("an array");
	case JSON_STRING:
		return g_strdup("a string");
	default:
		return written(value, 0);
	}
}

static gboolean fail_type(const char *key, const char *allowed, const json_t *value, GError **error)
{
	g_autofree char *found = describe(value);
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: must be %s, not %s", key, allowed, found);
	return FALSE;
}

/* NULL for a key that is absent or null. */
static json_t *given(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_null(value) ? NULL : value;
}

gboolean json_field_text(const json_t *object, const char *key, gboolean required,
	gsize maximum_bytes, const char **value, GError **error)
{
	json_t *field = given(object, key);
	*value = NULL;
	if (!field) {
		if (required)
			drover_error_set(
				error, DROVER_ERROR_INPUT, "%s: is missing, must be a string", key);
		return !required;
	}
	if (!json_is_string(field))
		return fail_type(key, "a string", field, error);
	if (json_string_length(field) > maximum_bytes) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: is %" G_GSIZE_FORMAT " bytes long, at most %" G_GSIZE_FORMAT
			" are allowed",
			key, json_string_length(field), maximum_bytes);
		return FALSE;
	}
	*value = json_string_value(field);
	return TRUE;
}

gboolean json_field_integer(const json_t *object, const char *key, gint64 fallback, gint64 minimum,
	gint64 maximum, gint64 *value, GError **error)
{
	json_t *field = given(object, key);
	*value = fallback;
	if (!field)
		return TRUE;
	if (!json_is_integer(field))
		return fail_type(key, "a whole number", field, error);
	gint64 number = json_integer_value(field);
	if (number < minimum || number > maximum) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: must be from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
			", not %" G_GINT64_FORMAT,
			key, minimum, maximum, number);
		return FALSE;
	}
	*value = number;
	return TRUE;
}

gboolean json_field_boolean(
	const json_t *object, const char *key, gboolean fallback, gboolean *value, GError **error)
{
	json_t *field = given(object, key);
	*value = fallback;
	if (!field)
		return TRUE;
	if (!json_is_boolean(field))
		return fail_type(key, "true or false", field, error);
	*value = json_is_true(field);
	return TRUE;
}

const char *json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

gint64 json_integer_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

json_t *json_text_or_null(const char *text)
{
	if (!text)
		return json_null();
	json_t *value = json_string(text);
	if (value)
		return value;
	g_autofree char *repaired = g_utf8_make_valid(text, -1);
	value = json_string(repaired);
	g_assert(value);
	return value;
}

json_t *json_time_or_null(gint64 time_us)
{
	if (time_us == 0)
		return json_null();
	g_autofree char *text = format_time(time_us);
	return json_string(text);
}
