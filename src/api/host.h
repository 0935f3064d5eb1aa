/* SPDX-License-Identifier: ISC
 *
 * What other files of this room need of hosts.
 */
#ifndef API_HOST_HEADER_H
#define API_HOST_HEADER_H

#include "api/api.h"

/* The caller's row, found by id since the actor's name is for history: the API's Host. Fails with
 * DROVER_ERROR_UNAUTHENTICATED when it was revoked meanwhile. */
gboolean host_load_caller(ApiCall *call, json_t **host, GError **error);
/* Inside store_write(): the caller is there, and its clock says `now` (RFC 3339). *off_ms is how
 * far that is ahead of ours, *warning what it should be told (JSON null: nothing). */
gboolean host_note_report(
	ApiCall *call, const char *now, gint64 *off_ms, json_t **warning, GError **error);
/* JSON null when the clock is near enough. */
json_t *host_clock_warning(gint64 off_ms);

#endif
