/* SPDX-License-Identifier: ISC
 *
 * JSON from outside: an object, or an error that can be shown on a terminal.
 */
#include "balance/json_input.h"

#include "balance/shown.h"
#include "base/error.h"

json_t *balance_json_read(const char *name, const char *text, gsize size_bytes, GError **error)
{
	json_error_t at;
	json_t *value = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES, &at);
	if (value == NULL) {
		g_autofree char *words = g_utf8_make_valid(at.text, -1);
		for (char *c = words; *c != '\0'; c++)
			if (g_ascii_iscntrl(*c))
				*c = '?';
		drover_error_set(error, DROVER_ERROR_INPUT, "%s:%d:%d: %s", name, MAX(at.line, 1),
			MAX(at.column, 1), words);
		return NULL;
	}
	if (!json_is_object(value)) {
		json_decref(value);
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s:1:1: must be an object {…}, not a list", name);
		return NULL;
	}
	return value;
}

char *balance_json_describe(const json_t *value)
{
	if (value == NULL)
		return g_strdup("nothing");
	if (json_is_object(value))
		return g_strdup("an object");
	if (json_is_array(value))
		return g_strdup("a list");
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	char *copy = shown_text(text, -1);
	free(text);
	return copy;
}
