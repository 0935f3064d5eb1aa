/* SPDX-License-Identifier: ISC
 *
 * `drover-lvs simulate FILE`: a pool and what happens to it as JSON in, its states out. Pure.
 */
#ifndef BALANCE_SIMULATE_H
#define BALANCE_SIMULATE_H

#include <glib.h>
#include <jansson.h>

#define SIMULATE_MAXIMUM_BYTES (16 * 1024 * 1024)
#define SIMULATE_MAXIMUM_CELLS 1000000 /* states x servers that the answer may hold */

/* The state after the first list, then after each event. Unknown keys are told in `warnings`
 * (char *, may be NULL). `name` is the file's name in errors. Fails with DROVER_ERROR_INPUT or
 * DROVER_ERROR_TOO_LARGE. New reference. */
json_t *simulate_answer(
	const char *name, const char *text, gsize size_bytes, GPtrArray *warnings, GError **error);
/* The answer as text, a state a line. Caller frees. */
char *simulate_text(const json_t *answer);

#endif
