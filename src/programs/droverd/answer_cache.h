/* SPDX-License-Identifier: ISC
 *
 * Answers to update queries that were just given: crowds ask the same, byte for byte, and what was
 * said to one can be said to the next until something else is published. A place for each answer is
 * found by its path; who comes later takes it. So memory is bounded, and whoever asks only new
 * things gains nothing and costs others a miss.
 *
 * docs/decisions/kept-answers.md
 */
#ifndef DROVERD_ANSWER_CACHE_H
#define DROVERD_ANSWER_CACHE_H

#include "wire/http_server.h"

#define ANSWER_CACHE_PLACES_KEPT	4096
#define ANSWER_CACHE_MAXIMUM_PATH_BYTES 512
#define ANSWER_CACHE_MAXIMUM_BODY_BYTES 4096

typedef struct AnswerCache AnswerCache;

AnswerCache *answer_cache_new(void);
void answer_cache_free(AnswerCache *cache);

/* What the caller wants to know again of an answer that is kept. */
typedef struct AnswerNote {
	guint format, outcome, refused;
} AnswerNote;

/* A copy of what was kept for the path, if it is of this serial number; else NULL. Any thread. */
HttpAnswer *answer_cache_find(
	AnswerCache *cache, const char *path, guint64 serial, AnswerNote *note);
/* Keeps a copy, unless it is too large. Any thread. */
void answer_cache_keep(AnswerCache *cache, const char *path, guint64 serial,
	const HttpAnswer *answer, const AnswerNote *note);

#endif
