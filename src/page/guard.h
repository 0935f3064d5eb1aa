/* SPDX-License-Identifier: ISC
 *
 * What stands between a form and what it does, as values in and values out: where a form came from,
 * whether it carries this session's token, where a browser may be sent next, and what a flash may
 * say.
 */
#ifndef PAGE_GUARD_H
#define PAGE_GUARD_H

#include "base/error.h"

#define GUARD_MAXIMUM_NEXT_BYTES 2048
#define GUARD_MAXIMUM_FIELDS	 64
#define GUARD_MAXIMUM_FORM_BYTES (64 * 1024)

typedef enum GuardOrigin {
	GUARD_SAME,    /* the browser says: from this very site */
	GUARD_UNKNOWN, /* it does not say (an old browser, a tool): the CSRF token alone decides */
	GUARD_FOREIGN, /* from elsewhere: refused */
} GuardOrigin;

/* From the headers Origin, Sec-Fetch-Site and Host, each NULL when absent; `base_url` may be NULL.
 */
GuardOrigin guard_origin(const char *origin, const char *fetch_site, const char *host,
	gboolean secure, const char *base_url);
/* In a time that does not depend on where they differ; FALSE when either is NULL or empty. */
gboolean guard_csrf(const char *expected, const char *sent);
/* A path of this site: "/x?y", not "//host", "/\host", with control characters or over
 * GUARD_MAXIMUM_NEXT_BYTES. NULL is FALSE. */
gboolean guard_next_is_local(const char *next);
/* The fields of an urlencoded form: GHashTable of char * to char *, the last of a name counts.
 * Fails with DROVER_ERROR_INPUT for another type, NUL or bytes that are not UTF-8, and
 * DROVER_ERROR_TOO_LARGE. */
GHashTable *guard_form(
	const char *content_type, const char *body, gsize size_bytes, GError **error);

/* What a page says after a form worked, by its code from the cookie; NULL for any code that is not
 * ours. */
const char *flash_sentence(const char *code);

#define FLASH_COOKIE "drover-flash"

#endif
