/* SPDX-License-Identifier: ISC
 *
 * `drover channel answer --snapshot FILE`: rules, releases, a queue of changes and queries in; what
 * each query is answered, live and at cuts of the queue, out. Nothing is stored. The format:
 * docs/channel.md, "What if". Pure, but for the throttle's draw of a query that gives none.
 */
#ifndef CHANNEL_CHANGE_ANSWER_FILE_H
#define CHANNEL_CHANGE_ANSWER_FILE_H

#include <jansson.h>

#include "channel/snapshot.h"

#define ANSWER_FILE_MAXIMUM_BYTES (64 * 1024 * 1024)
#define ANSWER_FILE_MAXIMUM_CELLS 1000000 /* cuts x queries */

/* `draw` gives 0 to 99 for queries that have neither a draw nor an id. Fails with
 * DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE. New reference:
 * {"answers": {"0": [{"mapping": "A", "rule_id": 1, "matching": [1, 3], "why": "…"}]},
 *  "errors": […]}. */
json_t *answer_file(const json_t *file, guint (*draw)(void), GError **error);

#define ANSWER_FILE_CUT_ALL (-1)

/* What the file's rules are at a cut: 0 is live, a time, or ANSWER_FILE_CUT_ALL. Rows that are no
 * good and changes that conflict are appended to `errors`, a list of texts. The file needs no
 * queries. Fails as answer_file() does. */
Snapshot *answer_file_snapshot(const json_t *file, gint64 cut, json_t *errors, GError **error);

#endif
