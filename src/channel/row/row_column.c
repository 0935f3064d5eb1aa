/* SPDX-License-Identifier: ISC
 *
 * What one column may be.
 */
#include "channel/row/row_parts.h"

#include <stdarg.h>
#include <string.h>

#include "base/format.h"
#include "channel/row/file_host.h"

G_GNUC_PRINTF(3, 0)
static gboolean fail(GError **error, DroverErrorCode code, const char *format, va_list arguments)
{
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	drover_error_set(error, code, "%s", text);
	return FALSE;
}

gboolean row_refuse(GError **error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fail(error, DROVER_ERROR_INPUT, format, arguments);
	va_end(arguments);
	return FALSE;
}

gboolean row_conflict(GError **error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fail(error, DROVER_ERROR_CONFLICT, format, arguments);
	va_end(arguments);
	return FALSE;
}

const char *row_text(const json_t *row, const char *column)
{
	return json_string_value(json_object_get(row, column));
}

/* Names and texts ------------------------------------------------------------------------------ */

static gboolean has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((guchar)*text < ' ' || *text == 0x7f)
			return TRUE;
	return FALSE;
}

gboolean row_is_name(const json_t *value, GError **error)
{
	const char *name = json_string_value(value);
	if (name == NULL || *name == '\0' || strlen(name) > ROW_MAXIMUM_NAME_BYTES)
		return row_refuse(error, "must be a name of 1 to %d bytes", ROW_MAXIMUM_NAME_BYTES);
	if (has_control(name) || strpbrk(name, "/*,") != NULL || *name == ' ' ||
		name[strlen(name) - 1] == ' ')
		return row_refuse(error,
			"'%s' will not do as a name: no '/', '*', ',' or control character, and "
			"no blank at either end",
			name);
	return TRUE;
}

gboolean row_is_name_or_star(const json_t *value, GError **error)
{
	return g_strcmp0(json_string_value(value), "*") == 0 || row_is_name(value, error);
}

static gboolean is_word(const json_t *value, const char *letters, gsize maximum)
{
	const char *word = json_string_value(value);
	return word != NULL && g_ascii_islower(*word) && strlen(word) <= maximum &&
	       strspn(word, letters) == strlen(word);
}

gboolean row_is_role(const json_t *value, GError **error)
{
	return is_word(value, "abcdefghijklmnopqrstuvwxyz0123456789-", 32) ||
	       row_refuse(error,
		       "must be a role: a letter a-z, then a-z, 0-9 or '-', at most 32 bytes");
}

gboolean row_is_person(const json_t *value, GError **error)
{
	return is_word(value, "abcdefghijklmnopqrstuvwxyz0123456789._-", 63) ||
	       row_refuse(error, "must be a person's name");
}

gboolean row_is_text(const json_t *value, GError **error)
{
	const char *text = json_string_value(value);
	return (text != NULL && strlen(text) <= ROW_MAXIMUM_TEXT_BYTES) ||
	       row_refuse(error, "must be a text of at most %d bytes", ROW_MAXIMUM_TEXT_BYTES);
}

gboolean row_is_boolean(const json_t *value, GError **error)
{
	return json_is_boolean(value) || row_refuse(error, "must be true or false");
}

gboolean row_is_time(const json_t *value, GError **error)
{
	gint64 time_us;
	const char *text = json_string_value(value);
	return parse_time(text != NULL ? text : "", &time_us, error);
}

gboolean row_is_page(const json_t *value, GError **error)
{
	const char *url = json_string_value(value);
	g_autofree char *host =
		url == NULL || strlen(url) > ROW_MAXIMUM_TEXT_BYTES ? NULL : file_host_of(url);
	return host != NULL || row_refuse(error,
				       "must be an http:// or https:// address of at most %d "
				       "bytes, without user and fragment",
				       ROW_MAXIMUM_TEXT_BYTES);
}

gboolean row_is_number(const json_t *value, gint64 minimum, gint64 maximum, GError **error)
{
	if (json_is_integer(value) && json_integer_value(value) >= minimum &&
		json_integer_value(value) <= maximum)
		return TRUE;
	return row_refuse(error,
		"must be a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, minimum,
		maximum);
}

/* All of them ---------------------------------------------------------------------------------- */

static const RowColumn *find_column(const RowColumn *columns, const char *name)
{
	for (; columns->name != NULL; columns++)
		if (strcmp(columns->name, name) == 0)
			return columns;
	return NULL;
}

static gboolean refuse_unknown(
	const char *what, const RowColumn *columns, const char *name, GError **error)
{
	g_autoptr(GString) known = g_string_new(columns->name);
	for (columns++; columns->name != NULL; columns++)
		g_string_append_printf(known, ", %s", columns->name);
	return row_refuse(error, "%s: is no column of %s; they have %s", name, what, known->str);
}

gboolean row_columns_check(
	const char *what, const RowColumn *columns, const json_t *object, GError **error)
{
	const char *name;
	json_t *value;
	if (!json_is_object(object))
		return row_refuse(error, "must be an object");
	json_object_foreach ((json_t *)object, name, value) {
		const RowColumn *column = find_column(columns, name);
		if (strcmp(name, "data_version") == 0)
			continue;
		if (column == NULL)
			return refuse_unknown(what, columns, name, error);
		if (json_is_null(value) || column->check == NULL || column->check(value, error))
			continue;
		g_prefix_error(error, "%s: ", name);
		return FALSE;
	}
	for (; columns->name != NULL; columns++)
		if (columns->is_required &&
			(json_object_get(object, columns->name) == NULL ||
				json_is_null(json_object_get(object, columns->name))))
			return row_refuse(error, "%s: is missing", columns->name);
	return TRUE;
}
