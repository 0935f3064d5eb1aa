/* SPDX-License-Identifier: ISC
 *
 * The maintenance file: PREFIX/.drover/maintenance, JSON, written whole or not at all.
 */
#include "base/file.h"
#include "base/format.h"
#include "node/hold/hold.h"

static char *path_of(const NodeProduct *product)
{
	return g_build_filename(product->prefix, ".drover", "maintenance", NULL);
}

gboolean maintenance_set(const NodeProduct *product, const char *reason, gint64 until_us,
	gint64 now_us, GError **error)
{
	g_autofree char *path = path_of(product), *folder = g_path_get_dirname(path);
	g_autofree char *since = format_time(now_us);
	g_autofree char *until = until_us > 0 ? format_time(until_us) : NULL;
	if (reason == NULL || *reason == '\0' || strlen(reason) > HOLD_MAXIMUM_REASON_BYTES ||
		!g_utf8_validate(reason, -1, NULL)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"maintenance needs a reason that people can read, of at most %d bytes",
			HOLD_MAXIMUM_REASON_BYTES);
		return FALSE;
	}
	/* Said again, it is still the same maintenance: only what is new about it changes. */
	json_t *state = maintenance_state(product, now_us, NULL);
	const char *before = json_string_value(json_object_get(state, "since"));
	json_t *file = json_pack("{s:s, s:s, s:s?}", "reason", reason, "since",
		before != NULL ? before : since, "until", until);
	g_autofree char *text = json_dumps(file, JSON_INDENT(2));
	json_decref(file);
	json_decref(state);
	return file_make_folder(folder, 0755, error) &&
	       file_write(path, text, strlen(text), 0644, error);
}

gboolean maintenance_end(const NodeProduct *product, GError **error)
{
	g_autofree char *path = path_of(product);
	return file_remove(path, error);
}

/* A file that cannot be read still means maintenance: somebody wanted it. */
static json_t *unreadable(const char *path, const char *why)
{
	g_autofree char *reason = g_strdup_printf("%s cannot be read: %s", path, why);
	return json_pack("{s:b, s:s, s:n, s:n, s:b}", "on", TRUE, "reason", reason, "since",
		"until", "overdue", TRUE);
}

json_t *maintenance_state(const NodeProduct *product, gint64 now_us, GError **error)
{
	g_autofree char *path = path_of(product);
	g_autoptr(GError) failure = NULL;
	gsize size_bytes = 0;
	g_autofree char *text = file_read(path, HOLD_MAXIMUM_MESSAGE_BYTES, &size_bytes, &failure);
	if (text == NULL && drover_error_is(failure, DROVER_ERROR_NOT_FOUND))
		return json_pack("{s:b, s:n, s:n, s:n, s:b}", "on", FALSE, "reason", "since",
			"until", "overdue", FALSE);
	if (text == NULL)
		return unreadable(path, failure->message);
	json_t *file = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES, NULL);
	const char *reason = json_string_value(json_object_get(file, "reason"));
	const char *since = json_string_value(json_object_get(file, "since"));
	const char *until = json_string_value(json_object_get(file, "until"));
	gint64 until_us = 0, since_us = 0;
	json_t *state = NULL;
	if (reason == NULL || since == NULL || !parse_time(since, &since_us, NULL) ||
		(until != NULL && !parse_time(until, &until_us, NULL)))
		state = unreadable(path, "it has no reason or no times");
	else
		state = json_pack("{s:b, s:s, s:s, s:s?, s:b}", "on", TRUE, "reason", reason,
			"since", since, "until", until, "overdue",
			until != NULL && until_us <= now_us);
	json_decref(file);
	return state;
}
