/* SPDX-License-Identifier: ISC
 *
 * Rules and releases as Mozilla's Balrog gives them away (GET /api/v1/rules, release blobs), read
 * into ops that an edit takes. Nothing is lost silently: what cannot be taken is refused by name,
 * with the reason, and what is taken without some part of it is noted. Rules: docs/channel.md,
 * "Import from Balrog". Pure.
 */
#ifndef CHANNEL_BALROG_H
#define CHANNEL_BALROG_H

#include <jansson.h>

#include "channel/row/state.h"

#define BALROG_MAXIMUM_BYTES	 (64 * 1024 * 1024) /* of one file */
#define BALROG_MAXIMUM_RULES	 20000		    /* of one file */
#define BALROG_MAXIMUM_RELEASES	 2000		    /* of one file */
#define BALROG_MAXIMUM_URL_BYTES 4096		    /* once its template is filled in */
#define BALROG_LAST_SCHEMA	 9		    /* of release blobs */

typedef struct BalrogWish {
	const char *product; /* only this product's; NULL: all */
	gboolean with_stubs; /* a release that is mapped to and not there is made, without files */
} BalrogWish;

/* `file` is what the API answers, {"count": 2, "rules": […]}, or the list alone; `state` has the
 * rows that are there: rules, releases and products. New reference:
 *
 *   {"ops": […], inserts: releases, then rules in the order of evaluation, with their rule_id
 *    "refused": [{"rule_id": 7, "field": "channel", "why": "…"}], fields as Balrog calls them
 *    "notes": [{"field": "scheduled_change", "why": "…", "of": [7, 9]}],
 *    "read": 3, "taken": 1, "left_out": 1, "stubs": 0}
 *
 * A rule may be refused for several reasons; those left out are other products'. A rule without a
 * rule_id is refused as null. Fails with DROVER_ERROR_INPUT when the file is no such list, with
 * DROVER_ERROR_TOO_LARGE. */
json_t *balrog_rules(
	const json_t *file, const State *state, const BalrogWish *wish, GError **error);

/* `file` is a blob, what the API wraps it in ({"name", "product", "blob"}), or a list of either. A
 * blob says no product: it is that of the wrapper, else the wish's. A release that is there without
 * files, as a stub is, is updated. As balrog_rules(), with "release" in place of "rule_id". */
json_t *balrog_releases(
	const json_t *file, const State *state, const BalrogWish *wish, GError **error);

#endif
