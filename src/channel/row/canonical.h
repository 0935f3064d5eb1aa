/* SPDX-License-Identifier: ISC
 *
 * One spelling for each value, so that equal values have equal digests: compact JSON, keys sorted
 * at every depth.
 */
#ifndef CHANNEL_ROW_CANONICAL_H
#define CHANNEL_ROW_CANONICAL_H

#include <glib.h>
#include <jansson.h>

/* Caller frees with g_free(). */
char *canonical_text(const json_t *value);
/* SHA-256 of the text, in small hexadecimal digits. Caller frees. */
char *canonical_digest(const json_t *value);

/* A copy without columns that are null and those named, a NULL-terminated list. New reference. */
json_t *canonical_row(const json_t *row, const char *const *without);

#endif
