/* SPDX-License-Identifier: ISC
 *
 * Whom a row concerns: the queries of a product and a channel. A channel X is also asked for as
 * X-cck-ANYTHING, so both belong to the scope of X. Rules: docs/channel.md, "Rules".
 */
#ifndef CHANNEL_ROW_SCOPE_H
#define CHANNEL_ROW_SCOPE_H

#include "channel/row/state.h"

/* NAME-test is the test channel of NAME, whether or not it is declared. */
#define SCOPE_TEST_SUFFIX "-test"

/* Borrowed texts; NULL: any. The channel may end in a star. */
typedef struct Scope {
	const char *product, *channel;
} Scope;

/* Of a row with a product, a channel, or both. A release has none of its own: it concerns whoever
 * is mapped to it. */
Scope scope_of_row(StateTable table, const json_t *row);

/* TRUE when a query of this product and channel is in the scope. NULL: it does not say. */
gboolean scope_holds(Scope scope, const char *product, const char *channel);
/* FALSE only when no query is in both. */
gboolean scope_overlaps(Scope a, Scope b);

#endif
