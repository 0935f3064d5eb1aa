/* SPDX-License-Identifier: ISC
 *
 * The changes that wait, in the one order in which they go live: by `when`, then by `id`. Live and
 * a prefix of it make the state of a test channel. Rules: docs/channel.md, "The queue". Pure.
 */
#ifndef CHANNEL_CHANGE_QUEUE_H
#define CHANNEL_CHANGE_QUEUE_H

#include "channel/change/footprint.h"
#include "channel/row/cut.h"

#define QUEUE_MAXIMUM_CHANGES 10000

typedef struct Queue Queue;

gint64 change_id(const json_t *change);
gint64 change_when(const json_t *change);

/* `changes`: a list in any order; they are shared. Fails with DROVER_ERROR_INPUT (what is no change
 * with a whole id and when, or an id twice), DROVER_ERROR_TOO_LARGE. NULL is an empty list. */
Queue *queue_new(const json_t *changes, GError **error);
void queue_free(Queue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Queue, queue_free)
guint queue_size(const Queue *queue);
json_t *queue_change(const Queue *queue, guint place);

/* How many changes the cut takes, from the first. Fails with DROVER_ERROR_NOT_FOUND when there is
 * no such change. */
gboolean queue_prefix(const Queue *queue, Cut cut, guint *count, GError **error);

/* Live with changes on top. A change that conflicts (it does not apply, or has "conflicts", a list
 * that its last re-basing left) is left out, and one behind it whose footprint
 * it meets waits behind it: what either concerns is undefined. */
typedef struct Overlay Overlay;

/* `must_map`: a rule or pin may only map to a release that is there. */
Overlay *overlay_new(State *live, gboolean must_map);
void overlay_free(Overlay *overlay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Overlay, overlay_free)

/* Fails with DROVER_ERROR_CONFLICT or DROVER_ERROR_INPUT: "change 7: …". The overlay goes on. */
gboolean overlay_enact(Overlay *overlay, const json_t *change, GError **error);
/* All changes of the cut. Fails only as queue_prefix() does; conflicts are in overlay_undefined().
 * `live` is shared. */
Overlay *queue_overlay(const Queue *queue, State *live, Cut cut, gboolean must_map, GError **error);

/* Borrowed. */
State *overlay_state(const Overlay *overlay);
/* Why answers for this product and channel are undefined, "change 7: …"; NULL: they are not. */
const char *overlay_undefined(const Overlay *overlay, const char *product, const char *channel);
/* The same when only the first `conflicts` had been left out: what it was at a shorter prefix. */
const char *overlay_undefined_within(
	const Overlay *overlay, guint conflicts, const char *product, const char *channel);
/* How many changes were left out, and why each was. */
guint overlay_conflicts(const Overlay *overlay);
const char *overlay_conflict(const Overlay *overlay, guint index, gint64 *change);

#endif
