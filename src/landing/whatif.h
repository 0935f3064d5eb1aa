/* SPDX-License-Identifier: ISC
 *
 * `drover landing deployable --from FILE`: landings as JSON in, the answer as JSON out, nothing
 * stored. The format is that of docs/landing.md, "What if". Pure.
 */
#ifndef LANDING_WHATIF_H
#define LANDING_WHATIF_H

#include <jansson.h>
#include "base/error.h"

#define WHATIF_MAXIMUM_BYTES	  (512 * 1024 * 1024)
#define WHATIF_MAXIMUM_ITEM_BYTES 256 /* of an item's id */

/* `name` is the file's name in errors. Landings may come in any order; unknown keys are ignored,
 * and the item 7 is the item "7". Fails with DROVER_ERROR_INPUT, naming file, line and column or
 * landing, field and what is allowed; with DROVER_ERROR_TOO_LARGE over a limit. Returns a new
 * reference:
 * {"deployable":4,"deployable_all":[1,4],"blockers":[]}. */
json_t *whatif_answer(const char *name, const char *text, gsize size_bytes, GError **error);

#endif
