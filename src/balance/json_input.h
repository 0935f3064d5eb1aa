/* SPDX-License-Identifier: ISC
 *
 * JSON from outside for this room, which knows no wire/: jansson, strict, errors with their place.
 */
#ifndef BALANCE_JSON_INPUT_H
#define BALANCE_JSON_INPUT_H

#include <glib.h>
#include <jansson.h>

typedef json_t BalanceJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BalanceJson, json_decref)

/* An object; keys that are there twice are refused. Fails with DROVER_ERROR_INPUT: "NAME:3:14: …".
 * New reference. */
json_t *balance_json_read(const char *name, const char *text, gsize size_bytes, GError **error);
/* What a value is, for "must be a text, not 7". NULL is "nothing". Caller frees. */
char *balance_json_describe(const json_t *value);

#endif
