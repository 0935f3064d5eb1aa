/* SPDX-License-Identifier: ISC
 *
 * The error domain's table: code, name, exit status.
 */
#include "base/error.h"

#include <string.h>

G_DEFINE_QUARK(drover - error - quark, drover_error)

typedef struct ErrorRow {
	const char *kind;
	int exit_status;
} ErrorRow;

static const ErrorRow rows[DROVER_ERROR_LAST + 1] = {
	[DROVER_ERROR_INTERNAL] = {"internal", 1},
	[DROVER_ERROR_INPUT] = {"input", 2},
	[DROVER_ERROR_NOT_FOUND] = {"not-found", 3},
	[DROVER_ERROR_CONFLICT] = {"conflict", 4},
	[DROVER_ERROR_DENIED] = {"denied", 5},
	[DROVER_ERROR_UNAUTHENTICATED] = {"unauthenticated", 5},
	[DROVER_ERROR_LOCKED] = {"locked", 6},
	[DROVER_ERROR_MAINTENANCE] = {"maintenance", 7},
	[DROVER_ERROR_UNAVAILABLE] = {"unavailable", 8},
	[DROVER_ERROR_FROZEN] = {"frozen", 9},
	[DROVER_ERROR_ROOT] = {"root", 10},
	[DROVER_ERROR_TOO_LARGE] = {"too-large", 2},
	[DROVER_ERROR_RATE] = {"rate", 8},
};

static const ErrorRow *row_of(int code)
{
	if (code < DROVER_ERROR_INTERNAL || code > DROVER_ERROR_LAST)
		return &rows[DROVER_ERROR_INTERNAL];
	return &rows[code];
}

const char *drover_error_kind(int code)
{
	return row_of(code)->kind;
}

DroverErrorCode drover_error_code_from_kind(const char *kind)
{
	for (int code = DROVER_ERROR_INTERNAL; code <= DROVER_ERROR_LAST; code++)
		if (g_strcmp0(rows[code].kind, kind) == 0)
			return (DroverErrorCode)code;
	return DROVER_ERROR_INTERNAL;
}

int drover_error_exit_status(const GError *error)
{
	return error->domain == DROVER_ERROR ? row_of(error->code)->exit_status : 1;
}

gboolean drover_error_is(const GError *error, DroverErrorCode code)
{
	return error != NULL && g_error_matches(error, DROVER_ERROR, (int)code);
}

void drover_error_set(GError **error, DroverErrorCode code, const char *format, ...)
{
	if (error == NULL)
		return;
	va_list arguments;
	va_start(arguments, format);
	GError *made = g_error_new_valist(DROVER_ERROR, (int)code, format, arguments);
	va_end(arguments);
	char *valid = g_utf8_make_valid(made->message, -1);
	g_free(made->message);
	made->message = valid;
	g_propagate_error(error, made);
}
