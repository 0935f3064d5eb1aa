/* SPDX-License-Identifier: ISC
 *
 * Going live, as the clock does it. For each change that is due and ready, in the order of the
 * queue, two transactions: the first says that it is going live, the second makes it so, after all
 * was judged again on what is live then. Killed between the two, the next look finishes it; however
 * many look, it happens once.
 *
 *     scheduled -> going-live -> live
 *         ^            |
 *         +------------+   when it is no longer ready: somebody revoked, a row moved
 *
 * docs/channel.md, "Going live"
 */
#ifndef CHANNEL_BOOK_ENACT_H
#define CHANNEL_BOOK_ENACT_H

#include "channel/book/gate.h"
#include "channel/change/standing.h"

/* How often the clock leaves word that it looked. */
#define ENACT_WATCH_S 20
G_STATIC_ASSERT(ENACT_WATCH_S < STANDING_LEAST_LATE_S);

/* What is asked of the house; each part may be NULL. */
typedef struct EnactHouse {
	GatesAsk gates; /* NULL: only the freeze */
	gpointer gates_of;
	/* In each transaction, before it does anything: on FALSE the look ends with its error. */
	gboolean (*may_write)(Store *store, gpointer of, GError **error);
	gpointer may_write_of;
} EnactHouse;

typedef struct EnactWaiting {
	gint64 change;
	StandingKind kind;
	char *text, *title, *author;
	gboolean is_news;   /* nobody was told yet; the store says now that it was: tell the author,
			     * for NEEDS_RETEST also `testers` */
	GPtrArray *testers; /* char *, persons whose tests do not hold any more */
} EnactWaiting;

typedef struct Enacted {
	GArray *live;	    /* gint64: changes that went live */
	GPtrArray *waiting; /* EnactWaiting *, due but not ready */
	gint64 watched_us;  /* when the clock looked before this; 0: never */
} Enacted;

void enacted_clear(Enacted *enacted);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Enacted, enacted_clear)

/* Not inside a transaction. `house` may be NULL. *result is overwritten. On an error what went live
 * before it did. Cheap when nothing is due. */
gboolean channel_enact(
	Store *store, gint64 now_us, const EnactHouse *house, Enacted *result, GError **error);
/* When the next change is due, for a timer; 0: none waits. A change that is due but waits does not
 * count: look again every second or so, or when the generation or history moves. */
gboolean channel_next_due(Store *store, gint64 now_us, gint64 *due_us, GError **error);

#endif
