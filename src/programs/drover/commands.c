/* SPDX-License-Identifier: ISC
 *
 * What the files of commands share among themselves.
 */
#include "programs/drover/commands.h"

#include <stdio.h>
#include <string.h>

#include "api/maintenance.h"
#include "base/file.h"
#include "base/format.h"

static char *read_stdin(gsize maximum_bytes, gsize *size_bytes, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char chunk[64 * 1024];
	for (size_t got; (got = fread(chunk, 1, sizeof chunk, stdin)) > 0;) {
		if (text->len + got > maximum_bytes) {
			drover_error_set(error, DROVER_ERROR_TOO_LARGE,
				"standard input is larger than the %" G_GSIZE_FORMAT
				" bytes allowed",
				maximum_bytes);
			return NULL;
		}
		g_string_append_len(text, chunk, (gssize)got);
	}
	if (ferror(stdin)) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot read standard input");
		return NULL;
	}
	*size_bytes = text->len;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

char *commands_read_input(const char *path, gsize maximum_bytes, gsize *size_bytes, GError **error)
{
	if (strcmp(path, "-") == 0)
		return read_stdin(maximum_bytes, size_bytes, error);
	return file_read(path, maximum_bytes, size_bytes, error);
}

gboolean commands_refuse_in_maintenance(Invocation *invocation, GError **error)
{
	g_autoptr(json_t) maintenance =
		invocation_call(invocation, "GET", NULL, NULL, error, "maintenance", NULL);
	if (maintenance == NULL)
		return FALSE;
	if (!json_is_true(json_object_get(maintenance, "on")))
		return TRUE;
	const char *reason = json_text(maintenance, "reason");
	const char *since = json_text(maintenance, "since");
	drover_error_set(error, DROVER_ERROR_MAINTENANCE,
		"maintenance is on since %s: %s. Nothing was touched; end it with drover "
		"maintenance "
		"off%s",
		since != NULL ? since : "an unknown time",
		reason != NULL ? reason : "no reason was given",
		g_strcmp0(json_text(maintenance, "source"), "file") == 0
			? " after removing " MAINTENANCE_FILE " from the state folder"
			: "");
	return FALSE;
}
