/* SPDX-License-Identifier: ISC
 *
 * Which release a query gets, and why. Of the rules that match the first in the order of evaluation
 * wins, and only that one counts: when it maps to nothing, throttles, or its release declines, no
 * other is asked. Pure: the throttle's draw comes with the query. Rules: docs/channel.md, "The
 * answer".
 */
#ifndef CHANNEL_EVALUATE_H
#define CHANNEL_EVALUATE_H

#include "channel/snapshot.h"

typedef enum AnswerWhy {
	ANSWER_SERVED,
	ANSWER_FALLBACK,   /* not within the rate, so the fallback */
	ANSWER_PINNED,	   /* held on its line */
	ANSWER_NO_MATCH,   /* no rule matched */
	ANSWER_NO_MAPPING, /* the rule says: nothing */
	ANSWER_THROTTLED,  /* not within the rate, and no fallback */
	ANSWER_SHUT_OFF,
	ANSWER_OLDER, /* the release would move the client backwards */
	ANSWER_NO_NEWER,
	ANSWER_NO_FILES,
} AnswerWhy;

typedef struct Answer {
	const char *mapping; /* of the snapshot; NULL: no update */
	const Rule *rule;    /* that decided; NULL: none */
	AnswerWhy why;
	gboolean
		was_drawn; /* another draw could have decided otherwise: caches must not share it */
} Answer;

/* A sentence without its full stop. Static. */
const char *answer_why_text(AnswerWhy why);

void evaluate(const Snapshot *snapshot, const Query *query, Answer *answer);
/* Appends all rules that match, in the order of evaluation: Rule *. */
void evaluate_matching(const Snapshot *snapshot, const Query *query, GPtrArray *matching);

/* SipHash-2-4 of the client's id, mod 100, keyed by the first 16 bytes of SHA-256(product, NUL,
 * mapping): a client stays in as the rate grows. */
guint throttle_draw(const char *product, const char *mapping, const char *id);

#endif
