/* SPDX-License-Identifier: ISC
 *
 * A depool threshold: the share of a pool's servers that must stay. Held as a decimal fraction, not
 * as a double, because .28 of 25 is 7, and a double says 7.000000000000001.
 */
#ifndef BALANCE_THRESHOLD_H
#define BALANCE_THRESHOLD_H

#include <glib.h>

#define THRESHOLD_MAXIMUM_DECIMALS 18
#define THRESHOLD_MAXIMUM_BYTES	   64 /* of a threshold as text */

typedef struct Threshold {
	guint64 numerator; /* over 10^THRESHOLD_MAXIMUM_DECIMALS */
} Threshold;

#define THRESHOLD_ALLOWED "a number from 0 to 1 with at most 18 decimals, such as .5"
#define THRESHOLD_HALF	  ((Threshold){G_GUINT64_CONSTANT(500000000000000000)})

/* ".5", "0.5", "1", "5e-1", "+.28": what Python's float() reads, from 0 to 1.
 * Fails with DROVER_ERROR_INPUT: "must be a number from 0 to 1 …, not 2". */
gboolean threshold_parse(const char *text, Threshold *threshold, GError **error);
/* From a number that went through a double, as in JSON: the shortest decimal that means it. */
gboolean threshold_from_double(double value, Threshold *threshold, GError **error);
/* TRUE when `count` >= `total` x threshold, exactly. */
gboolean threshold_is_reached(Threshold threshold, guint64 count, guint64 total);
/* The least count that reaches it. */
guint64 threshold_needed(Threshold threshold, guint64 total);
/* "0.5". Caller frees. */
char *threshold_text(Threshold threshold);

#endif
