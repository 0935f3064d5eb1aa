/* SPDX-License-Identifier: ISC
 *
 * Whose answers differ, as the API tells it.
 */
#ifndef API_CHANNEL_DIFF_H
#define API_CHANNEL_DIFF_H

#include "api/api.h"
#include "channel/snapshot.h"

/* One of two states of a channel. Borrowed. */
typedef struct DiffSide {
	const Snapshot *snapshot;
	const char *cut;       /* NULL: live */
	const char *undefined; /* why it has no answers; NULL: it has */
	gint64 generation;
} DiffSide;

/* The API's Difference for queries of the product and channel, a base. */
json_t *channel_difference(const DiffSide *before, const DiffSide *after, const char *product,
	const char *channel, GError **error);

/* Handler: what a change alters, channel by channel. */
json_t *change_diff(ApiCall *call, GError **error);

#endif
