/* SPDX-License-Identifier: ISC
 *
 * What the public address answers from: live and every test channel, compiled, with all that an
 * answer says. Immutable and shared; a new generation makes a new one, and the old goes when its
 * last answer is out. No database, no clock, no socket.
 *
 * docs/answers.md
 */
#ifndef CHANNEL_ANSWER_PUBLISHED_H
#define CHANNEL_ANSWER_PUBLISHED_H

#include "channel/evaluate.h"
#include "channel/queue.h"

typedef struct Published Published;

/* Live, and the queue for the test channels. Fails as snapshot_new() does. */
Published *published_new(State *live, const Queue *queue, gint64 generation, GError **error);
Published *published_ref(Published *published);
void published_unref(Published *published);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Published, published_unref)

gint64 published_generation(const Published *published);

/* Where queries of a channel are answered: the channel itself, or for a test channel (declared in
 * the table `channels`, or NAME-test of any NAME) its base, on live with the changes of its cut. */
typedef struct Place {
	const Snapshot *snapshot;
	const char *channel; /* that rules see: the base */
	gboolean is_test;
	const char *cut;       /* "all", "until 5", "through 7"; NULL: live */
	const char *undefined; /* why there is no answer; NULL: there is one */
} Place;
/* `product` may be NULL. Borrowed from `published` and from `channel`. */
void published_find(
	const Published *published, const char *product, const char *channel, Place *place);
/* digest_of() at the place, kept once it was asked for. Borrowed. Any thread. */
const char *published_digest(const Published *published, const char *product, const Place *place);

#endif
