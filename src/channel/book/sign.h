/* SPDX-License-Identifier: ISC
 *
 * Sign-offs and tests in the store: what persons said about a change, never altered but for being
 * taken back or void.
 *
 * docs/channel.md, "Sign-offs"
 */
#ifndef CHANNEL_BOOK_SIGN_H
#define CHANNEL_BOOK_SIGN_H

#include "channel/book/change.h"

/* Of one change, or with id 0 of all that wait: gint64 * -> SignWords *. */
typedef struct SignWords {
	GPtrArray *sign_offs, *tests; /* ChangeWord *, oldest first */
	GArray *as_sign_offs;	      /* SignOff, the same, for the hearts */
	GArray *as_tests;	      /* StandingTest */
} SignWords;

void sign_words_free(SignWords *words);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignWords, sign_words_free)

GHashTable *sign_words_read(Store *store, gint64 change, GError **error);

/* Inside store_write(). */
gboolean sign_add(Store *store, gint64 change, const char *person, const char *role,
	const char *digest, gint64 now_us, GError **error);
gboolean sign_add_test(Store *store, gint64 change, const char *person, const char *role,
	const json_t *digests, gint64 now_us, GError **error);
/* Sign-offs and tests of the person in the role; *taken: how many. */
gboolean sign_revoke(Store *store, gint64 change, const char *person, const char *role,
	gint64 now_us, gint64 *taken, GError **error);

#endif
