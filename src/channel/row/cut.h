/* SPDX-License-Identifier: ISC
 *
 * How far into the queue a test channel looks, as its row says it. Rules: docs/channel.md, "The
 * queue". Pure.
 */
#ifndef CHANNEL_ROW_CUT_H
#define CHANNEL_ROW_CUT_H

#include "base/error.h"

typedef enum CutKind { CUT_ALL, CUT_UNTIL, CUT_THROUGH } CutKind;
typedef struct Cut {
	CutKind kind;
	gint64 number; /* a time, inclusive, or a change's id */
} Cut;

/* "all", "until 5" or "until 2026-11-21T10:00:00Z" (microseconds), "through 7". Fails with
 * DROVER_ERROR_INPUT. */
gboolean cut_parse(const char *text, Cut *cut, GError **error);

#endif
