/* SPDX-License-Identifier: ISC
 *
 * Reading what hosts report. What is wrong in its structure is refused by name; texts that only
 * people read are cut, since half a reason is better than no report. Each function takes one field
 * of `given` over into `kept`, where it stands afterwards whether or not it was given: what is
 * absent is null. Fail with DROVER_ERROR_INPUT.
 */
#ifndef API_REPORTED_H
#define API_REPORTED_H

#include "wire/json.h"

#define REPORTED_TEXT_BYTES 1000 /* of each text that only people read; cut beyond */

/* `text` as it is kept: a few lines at most, whole characters, an ellipsis when there was more. */
json_t *reported_cut(const char *text);
gboolean reported_text(const json_t *given, const char *key, json_t *kept, GError **error);
/* One of `words`, which end with NULL. */
gboolean reported_word(const json_t *given, const char *key, gboolean required,
	const char *const *words, json_t *kept, GError **error);
/* From 0 to `maximum`; 0 when absent. */
gboolean reported_number(
	const json_t *given, const char *key, gint64 maximum, json_t *kept, GError **error);
gboolean reported_switch(
	const json_t *given, const char *key, gboolean fallback, json_t *kept, GError **error);
gboolean reported_time(const json_t *given, const char *key, json_t *kept, GError **error);

#endif
