/* SPDX-License-Identifier: ISC
 *
 * Fields of reports, one by one.
 */
#include "api/reported.h"

#include <string.h>

#include "base/format.h"

/* `text` as it is kept: a few lines at most, whole characters, an ellipsis when there was more. */
json_t *reported_cut(const char *text)
{
	gsize length = strlen(text);
	if (length <= REPORTED_TEXT_BYTES)
		return json_string(text);
	const char *end = g_utf8_find_prev_char(text, text + REPORTED_TEXT_BYTES + 1);
	g_autofree char *kept = g_strndup(text, end != NULL ? (gsize)(end - text) : 0);
	g_autofree char *marked = g_strconcat(kept, "…", NULL);
	return json_string(marked);
}

gboolean reported_text(const json_t *given, const char *key, json_t *kept, GError **error)
{
	const char *text;
	if (!json_field_text(given, key, FALSE, G_MAXSIZE, &text, error))
		return FALSE;
	json_object_set_new(kept, key, text != NULL ? reported_cut(text) : json_null());
	return TRUE;
}

gboolean reported_word(const json_t *given, const char *key, gboolean required,
	const char *const *words, json_t *kept, GError **error)
{
	const char *word;
	if (!json_field_text(given, key, required, 32, &word, error))
		return FALSE;
	if (word != NULL && !g_strv_contains(words, word)) {
		g_autofree char *all = g_strjoinv(", ", (char **)(guintptr)words);
		drover_error_set(error, DROVER_ERROR_INPUT, "%s: must be one of %s, not '%s'", key,
			all, word);
		return FALSE;
	}
	json_object_set_new(kept, key, json_text_or_null(word));
	return TRUE;
}

gboolean reported_number(
	const json_t *given, const char *key, gint64 maximum, json_t *kept, GError **error)
{
	gint64 number;
	if (!json_field_integer(given, key, 0, 0, maximum, &number, error))
		return FALSE;
	json_object_set_new(kept, key, json_integer(number));
	return TRUE;
}

gboolean reported_switch(
	const json_t *given, const char *key, gboolean fallback, json_t *kept, GError **error)
{
	gboolean on;
	if (!json_field_boolean(given, key, fallback, &on, error))
		return FALSE;
	json_object_set_new(kept, key, json_boolean(on));
	return TRUE;
}

gboolean reported_time(const json_t *given, const char *key, json_t *kept, GError **error)
{
	const char *text;
	gint64 time_us = 0;
	if (!json_field_text(given, key, FALSE, 64, &text, error))
		return FALSE;
	if (text != NULL && !parse_time(text, &time_us, error)) {
		g_prefix_error(error, "%s: ", key);
		return FALSE;
	}
	json_object_set_new(kept, key, json_time_or_null(time_us));
	return TRUE;
}
