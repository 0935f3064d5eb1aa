/* SPDX-License-Identifier: ISC
 *
 * What the store says of channels at one moment, as the hearts take it: the rows that are live, and
 * the queue of changes that wait. Immutable once read; keyed by the
 * generation, which every committed edit of rows or of the queue moves. Here is also the one way in
 * which rows get into the store.
 *
 * docs/channel.md, "In the store"
 */
#ifndef CHANNEL_BOOK_BOOK_H
#define CHANNEL_BOOK_BOOK_H

#include "channel/change/queue.h"
#include "channel/snapshot.h"
#include "store/store.h"

/* Instants are microseconds; `when` of a change, too. */
typedef struct ChannelChange {
	gint64 id;
	char *state; /* scheduled, going-live, live, withdrawn */
	gint64 when_us;
	char *title, *reason, *author;
	json_t *ops;
	json_t *overrides; /* [{"gate", "by", "at", "reason"}] */
	json_t *problem;   /* {"kind", "text", …}; NULL: none was told */
	gint64 created_us;
	gint64 ended_us;  /* 0: it waits */
	json_t *concerns; /* of one that ended: {"products", "scopes": [[product, channel]]} */
	gint64 data_version;
} ChannelChange;

void channel_change_free(ChannelChange *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChannelChange, channel_change_free)
/* As the hearts take it: {"id", "when", "ops"}, and "conflicts" when its last re-basing left any.
 * New reference. */
json_t *channel_change_value(const ChannelChange *change);

typedef struct ChannelBook {
	gint64 generation;
	gint64 at_us; /* of the past; 0: now */
	State *live;
	GPtrArray *changes; /* ChannelChange *, that wait, in the order of the queue */
	Queue *queue;	    /* the same */
} ChannelBook;

/* In a transaction, or alone. `read` reads what is committed or, in store_write(), what this
 * transaction sees. */
ChannelBook *channel_book_read(Store *store, GError **error);
/* As it was at an instant: rules, releases and the queue; grants are those of now. Changes have
 * no overrides, problem and reason. */
ChannelBook *channel_book_read_at(Store *store, gint64 at_us, GError **error);
void channel_book_free(ChannelBook *book);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChannelBook, channel_book_free)

/* snapshot_new() with the schemes of the rows of `products`. */
Snapshot *channel_snapshot(const State *state, GError **error);

/* Fails with DROVER_ERROR_NOT_FOUND. In any state. */
ChannelChange *channel_change_load(Store *store, gint64 id, GError **error);
/* Newest first; `state` NULL: all; before 0: from the newest. ChannelChange *. */
GPtrArray *channel_change_list(
	Store *store, const char *state, gint64 before, gint64 limit, GError **error);

/* Who does it, when and why. Texts are borrowed. */
typedef struct ChannelDeed {
	gint64 now_us;
	const char *actor;
	const char *reason; /* NULL: none */
	gint64 change;	    /* 0: a direct edit */
} ChannelDeed;

/* Inside store_write(): makes the store's rows those of `after` where they differ from `before`,
 * which is what the store has; each with a new data_version and an entry of history; moves the
 * generation when anything differs. Rows of grants become roles of persons: fails with
 * DROVER_ERROR_CONFLICT when there is no such person. *written (may be NULL): how many rows. */
gboolean channel_rows_write(Store *store, const State *before, const State *after,
	const ChannelDeed *deed, guint *written, GError **error);

/* What channel_rows_write() made of the rows: `after` with their new data versions. Caller frees.
 */
State *channel_rows_written(const State *before, const State *after);

/* Inside store_write(): inserts (id 0, then given) or saves the change, and what the queue said
 * with it; moves the generation. `data_version` grows by one. No history: the caller's deed has a
 * name of its own. */
gboolean channel_change_save(
	Store *store, ChannelChange *change, const ChannelDeed *deed, GError **error);

/* Inside store_write(): a rule's number that nobody had before, neither reserved nor given by hand.
 */
gboolean channel_rule_reserve(Store *store, gint64 *rule_id, GError **error);

#endif
