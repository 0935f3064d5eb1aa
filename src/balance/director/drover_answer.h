/* SPDX-License-Identifier: ISC
 *
 * What droverd answers a balancer: orders for a pool, a word about a report, an error. Pure.
 * Format: docs/pools.md, "The conversation".
 */
#ifndef BALANCE_DIRECTOR_DROVER_ANSWER_H
#define BALANCE_DIRECTOR_DROVER_ANSWER_H

#include "balance/director/source.h"

/* The list and its orders. */
typedef struct DroverAnswer {
	gint64 version, epoch;
	gboolean forced;
	ServerList *list;
	GArray *orders; /* SourceOrder, one for each of list->entries */
} DroverAnswer;

/* Orders for `pool`; anything in them that is not understood makes them no orders at all. Keys that
 * are unknown are left out. Fails with DROVER_ERROR_INPUT. */
DroverAnswer *drover_answer_parse(
	const char *pool, const char *text, gsize size_bytes, GError **error);
void drover_answer_free(DroverAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DroverAnswer, drover_answer_free)

/* The answer to a report. *warning becomes what droverd thinks of our clock, NULL when it thinks
 * nothing of it. Caller frees. Fails with DROVER_ERROR_INPUT. */
gboolean drover_answer_clock(const char *text, gsize size_bytes, char **warning, GError **error);

/* One line of what an answer that is an error says; "" when it says nothing. Caller frees. */
char *drover_answer_words(const char *text, gsize size_bytes);

#endif
