/* SPDX-License-Identifier: ISC
 *
 * What a node does next for one product, from what it should run, what lies there, and what it
 * tried already (docs/node.md, "Following a channel"):
 *
 *     should == runs                       tidy up once, then nothing
 *     should is new                        install, then activate
 *     tried, and it failed for good        nothing, until the order moves: it was said once
 *     tried, and something was away        again after a pause that grows
 *     tried to install, and the disk       likewise: nothing was touched, and who makes room
 *     was full, or the system failed       should not have to say so
 *     root put another version in place    nothing, until the order moves
 *
 * An order "moves" when its number or its version does. Pure: no clock, no disk.
 */
#ifndef NODE_FOLLOW_H
#define NODE_FOLLOW_H

#include "node/orders.h"

#define FOLLOW_FIRST_PAUSE_S 30	       /* after the first failure of what may be tried again */
#define FOLLOW_LAST_PAUSE_S  (15 * 60) /* the longest: it doubles until there */

/* One order, as it was when something came of it. */
typedef struct FollowMark {
	char *version; /* of the order; NULL: none yet */
	gint64 order_id;
} FollowMark;

/* What is remembered of one product from one start to the next. All zero: nothing. */
typedef struct FollowMemory {
	FollowMark failed;
	int code;	/* DroverErrorCode of the failure */
	char *error;	/* its message */
	guint failures; /* of this order, in a row */
	gint64 failed_us;
	FollowMark by_hand;    /* the order that root's own word stands against */
	char *by_hand_version; /* what root chose */
	FollowMark tidied;
} FollowMemory;

void follow_memory_clear(FollowMemory *memory);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FollowMemory, follow_memory_clear)

/* What lies there, and when it is. */
typedef struct FollowPlace {
	const char *running;	     /* version; NULL: nothing */
	gboolean is_installed;	     /* the version of the order is */
	const char *manifest_sha256; /* of that version as it is installed; NULL */
	gint64 now_us;
} FollowPlace;

typedef enum FollowAct {
	FOLLOW_NOTHING,
	FOLLOW_INSTALL,
	FOLLOW_ACTIVATE,
	FOLLOW_TIDY,
} FollowAct;

typedef struct FollowNext {
	FollowAct act;
	gint64 until_us;    /* NOTHING: when to ask again; 0: when something moved */
	char *why;	    /* a sentence for status and report */
	gboolean is_failed; /* it should run something else, and does not get there */
} FollowNext;

void follow_next_clear(FollowNext *next);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FollowNext, follow_next_clear)

/* `order` may be NULL: nobody has said anything of this product. */
void follow_next(
	const Order *order, const FollowPlace *place, const FollowMemory *memory, FollowNext *next);

/* What is remembered of a failure of this order; of the success of a step, which forgets what made
 * the same step fail before. */
void follow_failed(FollowMemory *memory, const Order *order, const GError *error, gint64 now_us);
void follow_succeeded(FollowMemory *memory);
void follow_tidied(FollowMemory *memory, const Order *order);
/* Root has put `version` in place by hand. `order` may be NULL. */
void follow_by_hand(FollowMemory *memory, const Order *order, const char *version);

/* May these orders take the place of those that were kept? `kept` may be NULL. Fails with
 * DROVER_ERROR_CONFLICT: a lower epoch, from a droverd that is out of office. */
gboolean follow_may_take(const Orders *orders, const Orders *kept, GError **error);

/* Seconds to wait after `failures` in a row, from 1: between half and the whole of first_s, doubled
 * with each failure, at most last_s. `lot` is from 0 to 1 and drawn by lot, so that nodes that lost
 * droverd at one moment do not come back at one moment. */
double follow_pause(guint failures, double first_s, double last_s, double lot);

/* As text to be kept, and back. Fails with DROVER_ERROR_INPUT. Caller frees. */
char *follow_memory_text(const FollowMemory *memory);
gboolean follow_memory_parse(
	const char *name, const char *text, gsize size_bytes, FollowMemory *memory, GError **error);

#endif
