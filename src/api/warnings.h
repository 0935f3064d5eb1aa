/* SPDX-License-Identifier: ISC
 *
 * What is wrong in this very process that no row of the store tells: shown by GET /status while it
 * lasts.
 */
#ifndef API_WARNINGS_H
#define API_WARNINGS_H

#include <jansson.h>

#include <glib.h>

typedef struct ApiWarnings ApiWarnings;

/* Thread-safe. */
ApiWarnings *api_warnings_new(void);
void api_warnings_free(ApiWarnings *warnings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApiWarnings, api_warnings_free)

/* The trouble with `about` is `text` now; NULL: none. FALSE when that was so before. */
gboolean api_warnings_set(ApiWarnings *warnings, const char *about, const char *text);
/* A list of texts, by what they are about. `warnings` may be NULL. New reference. */
json_t *api_warnings_json(ApiWarnings *warnings);
guint api_warnings_count(ApiWarnings *warnings);

#endif
