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

#include "channel/change/queue.h"
#include "channel/evaluate.h"

#define PUBLISHED_MAXIMUM_CHANNEL_BYTES                                                            \
	512			       /* of a test channel's name, and of what it stands for */
#define PUBLISHED_MAXIMUM_DIGESTS 1000 /* kept, of channels that nobody declared */

typedef struct Published Published;

/* Live, and the queue for the test channels. Neither is needed afterwards. Fails as snapshot_new()
 * does. */
Published *published_new(State *live, const Queue *queue, gint64 generation, GError **error);
/* The same, sharing with `before` (may be NULL) what was compiled of rows that both have. */
Published *published_next(const Published *before, State *live, const Queue *queue,
	gint64 generation, GError **error);
Published *published_ref(Published *published);
void published_unref(Published *published);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Published, published_unref)
/* Is the caller's reference the only one? */
gboolean published_is_let_go(const Published *published);

gint64 published_generation(const Published *published);
const Snapshot *published_live(const Published *published);

/* Where queries of a channel are answered: the channel itself, or for a test channel (declared in
 * the table `channels`, or NAME-test of any NAME) its base, on live with the changes of its cut.
 * TEST-cck-REST is answered as BASE-cck-REST. Not to be copied: `channel` may lie in it. */
typedef struct Place {
	const Snapshot *snapshot;
	const char *channel; /* that rules see: the base */
	gboolean is_test;
	gboolean is_declared;
	const char *cut;       /* "all", "until 5", "through 7"; NULL: live */
	const char *undefined; /* why there is no answer; NULL: there is one */
	const char *held;      /* why it answers like an earlier cut; NULL: it does not */
	const json_t *rewrite; /* hosts of files that it swaps, an object; NULL: none */
	char name[PUBLISHED_MAXIMUM_CHANNEL_BYTES];
} Place;

/* Both may be NULL. Borrowed from `published` and from `channel`. */
void published_find(
	const Published *published, const char *product, const char *channel, Place *place);

/* digest_of() at the place, kept once it was asked for. Borrowed from `published`. NULL only when
 * nobody declared the channel and PUBLISHED_MAXIMUM_DIGESTS others were asked for. Any thread. */
const char *published_digest(const Published *published, const char *product, const Place *place);

#endif
