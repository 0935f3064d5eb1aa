/* SPDX-License-Identifier: ISC
 *
 * A look at one channel: at a time, at a cut, as the caller asked; and the JSON that every answer
 * about channels has in common.
 */
#ifndef API_CHANNEL_LOOK_H
#define API_CHANNEL_LOOK_H

#include "api/api.h"
#include "api/channel_books.h"

/* Not to be copied, as its place. */
typedef struct ChannelLook {
	ChannelNow *now;
	const char *product, *channel; /* as asked */
	gint64 at_us;		       /* 0: now */
	Place place;
	Overlay *overlay; /* of a cut that was asked for, as are the next two; else NULL */
	Snapshot *snapshot;
	char *cut;
	char *digest;
} ChannelLook;

void channel_look_clear(ChannelLook *look);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ChannelLook, channel_look_clear)

/* What the store says, at the call's `at` when it gives one. *at_us is 0 without. */
ChannelNow *channel_now_of(ApiCall *call, gint64 *at_us, GError **error);
/* The call's product and channel, at its `at` and `cut`. */
gboolean channel_look_open(ApiCall *call, ChannelLook *look, GError **error);
/* Another channel at the same moment; `cut` NULL: its own. */
gboolean channel_look_at(ChannelNow *now, const char *product, const char *channel, const char *cut,
	ChannelLook *look, GError **error);

/* Of a Cut as cut_parse() reads it: "until 5" becomes a time; null for live. */
json_t *channel_cut_json(const char *cut);

/* The API's Channel. */
json_t *channel_summary(const ChannelLook *look);
/* {"name", "version", "build_id"}, or null for NULL. */
json_t *channel_release_json(const ReleaseDocument *release);

typedef struct ChannelName {
	char *product, *channel;
} ChannelName;

/* Every channel that is declared or that a row names, of one product (NULL: of all), sorted.
 * ChannelName; caller frees. */
GArray *channel_names(const State *state, const char *product);

/* Which product a row is of; NULL: of all, or of none. Borrowed. */
const char *channel_row_product(const json_t *row);
/* May the caller see it? */
gboolean channel_row_is_seen(const Actor *actor, const json_t *row);

#endif
