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
/* Inside store_write(): the version of the program that the caller says it runs. */
gboolean host_note_version(ApiCall *call, const char *version, GError **error);
/* JSON null when the clock is near enough. */
json_t *host_clock_warning(gint64 off_ms);
/* What a host may be called: letters a-z, digits and ._-, beginning with one of the first two. */
gboolean host_check_name(const char *name, GError **error);
/* Fails with DROVER_ERROR_CONFLICT when a host in service has the name and is of another kind. */
gboolean host_check_kind(Store *store, const char *name, const char *kind, GError **error);
/* Calls `visit` for each thing that hosts wait for orders of: the rows of `sql` are its name and
 * the version of its orders. */
typedef void (*HostVisit)(const char *name, gint64 version, gpointer of);
gboolean host_each_version(
	Store *store, const char *sql, HostVisit visit, gpointer of, GError **error);
/* Inside store_write(): ends the host's token and its open invitation, if there is any, and records
 * that. The host as it is then; JSON null when there was none. */
json_t *host_revoke(ApiCall *call, const char *name, GError **error);

#endif
