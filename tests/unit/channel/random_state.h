/* SPDX-License-Identifier: ISC
 *
 * Random rows, changes and queries from so few names that they meet often. The same seed makes the
 * same sequence.
 */
#ifndef TESTS_CHANNEL_RANDOM_STATE_H
#define TESTS_CHANNEL_RANDOM_STATE_H

#include "channel/snapshot.h"

typedef json_t RandomJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RandomJson, json_decref)

extern const char *const random_products[4]; /* the last is one that no row names */
extern const char *const random_channels[8];

/* Without an alias twice. Owned by the caller. */
State *random_state(GRand *rand);
/* {"id": id, "when": …, "ops": […]} of 1 to 3 ops, most of which fit the state. New reference. */
json_t *random_change(GRand *rand, const State *state, gint64 id);
/* As JSON; `product` and `channel` may be NULL. New reference. */
json_t *random_query(GRand *rand, const char *product, const char *channel);
/* Of its products, for snapshot_new(). New reference. */
json_t *random_schemes(const State *state);

#endif
