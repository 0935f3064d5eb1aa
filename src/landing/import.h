/* SPDX-License-Identifier: ISC
 *
 * Landings without git: from a tagger's database or another version control system, as JSON. The
 * format is that of `drover landing deployable --from`, with more fields; docs/landing.md has it.
 */
#ifndef LANDING_IMPORT_H
#define LANDING_IMPORT_H

#include <jansson.h>
#include "landing/book.h"

#define IMPORT_MAXIMUM_LANDINGS	  1000000
#define IMPORT_MAXIMUM_TEXT_BYTES (64 * 1024)
#define IMPORT_MAXIMUM_REV	  (G_GINT64_CONSTANT(1) << 53) /* JSON's readers count exactly to here */
#define IMPORT_MAXIMUM_ITEMS	  1000			       /* of one landing */
#define IMPORT_MAXIMUM_TARGETS	  1000 /* that one landing rolls back, or fixes */

typedef struct ImportOutcome {
	gint64 new_landings, unchanged, verdicts;
} ImportOutcome;

/* `landings` is the JSON array. Landings that are there already must say the same (their states are
 * taken as verdicts where they differ); new ones must be above the last. Inside store_write();
 * `book` as it was before. Fails with DROVER_ERROR_INPUT or DROVER_ERROR_CONFLICT, naming landing
 * and field; then nothing is changed. */
gboolean landing_import(Store *store, LandingBook *book, const json_t *landings, gint64 now_us,
	const char *actor, ImportOutcome *outcome, GError **error);

#endif
