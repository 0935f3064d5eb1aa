/* SPDX-License-Identifier: ISC
 *
 * See report.h.
 */
#include "channel/balrog/report.h"

#include <string.h>

void balrog_report_init(BalrogReport *report, const char *subject)
{
	*report = (BalrogReport){.subject = subject,
		.ops = json_array(),
		.refused = json_array(),
		.notes = json_array()};
}

void balrog_report_clear(BalrogReport *report)
{
	g_clear_pointer(&report->ops, json_decref);
	g_clear_pointer(&report->refused, json_decref);
	g_clear_pointer(&report->notes, json_decref);
	g_clear_pointer(&report->current, json_decref);
}

json_t *balrog_report_end(BalrogReport *report)
{
	return json_pack("{s:O, s:O, s:O, s:i, s:i, s:i, s:i}", "ops", report->ops, "refused",
		report->refused, "notes", report->notes, "read", (int)report->read, "taken",
		(int)report->taken, "left_out", (int)report->left_out, "stubs", (int)report->stubs);
}

void balrog_report_begin(BalrogReport *report, json_t *name)
{
	g_clear_pointer(&report->current, json_decref);
	report->current = name;
	report->is_bad = FALSE;
	report->read++;
}

void balrog_refuse(BalrogReport *report, const char *field, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	g_autofree char *said = g_strdup_vprintf(format, values);
	va_end(values);
	g_autofree char *why = g_utf8_make_valid(said, -1);
	json_array_append_new(
		report->refused, json_pack("{s:O, s:s, s:s}", report->subject, report->current,
					 "field", field, "why", why));
	report->is_bad = TRUE;
}

void balrog_note(BalrogReport *report, const char *field, const char *why)
{
	gsize i;
	json_t *note;
	json_array_foreach (report->notes, i, note) {
		if (g_str_equal(json_string_value(json_object_get(note, "field")), field) &&
			g_str_equal(json_string_value(json_object_get(note, "why")), why)) {
			json_array_append(json_object_get(note, "of"), report->current);
			return;
		}
	}
	json_array_append_new(report->notes,
		json_pack("{s:s, s:s, s:[O]}", "field", field, "why", why, "of", report->current));
}

void balrog_insert(BalrogReport *report, StateTable table, json_t *row)
{
	json_array_append_new(report->ops, json_pack("{s:s, s:s, s:o}", "op", "insert", "table",
						   state_table_name(table), "row", row));
}

/* Reading -------------------------------------------------------------------------------------- */

const json_t *balrog_list(const json_t *file, const char *key, gsize maximum, GError **error)
{
	const json_t *list = json_is_array(file) ? file : json_object_get(file, key);
	const json_t *count = json_object_get(file, "count");
	gsize size = json_array_size(list);
	if (!json_is_array(list)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"there is no list of %s in it, as Balrog's /api/v1/%s answers", key, key);
		return NULL;
	}
	if (size > maximum) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"it has %" G_GSIZE_FORMAT " %s; %" G_GSIZE_FORMAT " are allowed", size, key,
			maximum);
		return NULL;
	}
	if (json_is_integer(count) && json_integer_value(count) != (json_int_t)size) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"it says count %" JSON_INTEGER_FORMAT " and has %" G_GSIZE_FORMAT
			" %s: is a part of it missing?",
			json_integer_value(count), size, key);
		return NULL;
	}
	return list;
}

gboolean balrog_says_nothing(const json_t *value)
{
	return value == NULL || json_is_null(value) ||
	       (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

const char *balrog_without_subject(const char *message)
{
	const char *colon = strstr(message, ": ");
	return colon != NULL ? colon + strlen(": ") : message;
}
