/* SPDX-License-Identifier: ISC
 *
 * An instant as people type it: when a change goes live, or as of when a channel is looked at.
 * Pure.
 */
#ifndef DROVER_WHEN_H
#define DROVER_WHEN_H

#include <glib.h>

/* What parse_time() reads; "now"; "+2h" and "in 2h", durations as parse_duration() reads them;
 * "2h ago"; "today 09:00", "tomorrow 09:00" and "yesterday 09:00", UTC. Fails with
 * DROVER_ERROR_INPUT. */
gboolean when_parse(const char *text, gint64 now_us, gint64 *when_us, GError **error);
/* The same as the API takes it, RFC 3339. Caller frees; NULL with `error`. */
char *when_text(const char *text, gint64 now_us, GError **error);

#endif
