/* SPDX-License-Identifier: ISC
 *
 * A query as JSON: {"product": "web", "version": "60.0", "channel": "release", "memory": 8192,
 * "flags": {"jaws": false}, "tags": {"rack": "a"}, "force": -1, "draw": 50, …}. Keys that are not
 * known are tags, so that a client may say more than is asked today.
 */
#ifndef CHANNEL_QUERY_JSON_H
#define CHANNEL_QUERY_JSON_H

#include "channel/snapshot.h"

/* Texts are borrowed from `object`. The version's scheme is that of the product in `snapshot`.
 * Fails with DROVER_ERROR_INPUT: "version: …". `draw` is left alone when it is not given. */
gboolean query_from_json(
	const Snapshot *snapshot, const json_t *object, Query *query, GError **error);

#endif
