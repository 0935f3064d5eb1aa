/* SPDX-License-Identifier: ISC
 *
 * JSON from outside and to outside: jansson, strict, with limits; and readers of fields whose
 * errors name the field and what is allowed.
 */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include <jansson.h>
#include "base/error.h"

#define JSON_MAXIMUM_DEPTH 64

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

/* Duplicate keys, NUL in strings and more than JSON_MAXIMUM_DEPTH levels are refused. `name` is the
 * source's name in errors: "landings.json:3:14: …". Fails with DROVER_ERROR_INPUT. New reference.
 */
json_t *json_read(const char *name, const char *text, gsize size_bytes, GError **error);
/* Compact, keys in the order of insertion; caller frees with g_free. */
char *json_write(const json_t *value);
/* Indented by two, with a newline at the end: what --json prints. */
char *json_write_pretty(const json_t *value);

/* Fields of an object. *value is borrowed from the object, or the fallback when the key is absent
 * or null. Fail with DROVER_ERROR_INPUT: "field: must be a string, not 7". */
gboolean json_field_text(const json_t *object, const char *key, gboolean required,
	gsize maximum_bytes, const char **value, GError **error);
gboolean json_field_integer(const json_t *object, const char *key, gint64 fallback, gint64 minimum,
	gint64 maximum, gint64 *value, GError **error);
gboolean json_field_boolean(
	const json_t *object, const char *key, gboolean fallback, gboolean *value, GError **error);

/* Borrowed text or NULL; integer or 0: for our own answers, whose shape is known. */
const char *json_text(const json_t *object, const char *key);
gint64 json_integer_of(const json_t *object, const char *key);
/* A string, or null for NULL. Bytes that are not UTF-8 are replaced. */
json_t *json_text_or_null(const char *text);
/* RFC 3339, or null for 0. */
json_t *json_time_or_null(gint64 time_us);

#endif
