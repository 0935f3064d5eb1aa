/* SPDX-License-Identifier: ISC
 *
 * Replies: every one carries the same security headers, and only here is a cookie written.
 */
#ifndef PAGE_REPLY_H
#define PAGE_REPLY_H

#include "page/route.h"

/* No inline script or style anywhere, nothing from elsewhere, in nobody's frame. */
#define PAGE_CONTENT_SECURITY_POLICY                                                               \
	"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "                \
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

/* `html` is taken. */
PageReply *reply_page(int status, char *html);
/* 303 to a path of this site, percent-encoded; `flash` is a code of flash_sentence(), or NULL. */
PageReply *reply_redirect(const PageRequest *request, const char *path, const char *flash);
/* The asset of "/assets/DIGEST/NAME"; NULL when there is none. */
PageReply *reply_asset(const PageRequest *request);
void reply_header(PageReply *reply, const char *name, const char *value);
/* The session's cookie; NULL ends it. */
void reply_session(PageReply *reply, const PageRequest *request, const char *cookie);
void reply_flash_shown(PageReply *reply, const PageRequest *request);

#endif
