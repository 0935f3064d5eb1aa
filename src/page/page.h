/* SPDX-License-Identifier: ISC
 *
 * The admin pages: server-rendered, complete without scripts, live with them. A page is a function
 * from the API's answers (openapi.yaml) to HTML; this door takes a request and whom it comes from,
 * asks the API, and gives the whole answer, forms included.
 *
 * docs/pages.md
 */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include "api/api.h"
#include "wire/http_server.h"

/* Any path that is not below API_PREFIX, /events, /healthz or /metrics. Takes care of sessions
 * (cookie), CSRF, login, logout, assets, security headers. Never NULL. */
HttpAnswer *page_answer(const ApiSite *site, Store *store, const HttpRequest *request);

/* The static report: relative path -> content, as the API's Report. No scripts, relative links
 * only. A new reference. */
json_t *page_report(const ApiSite *site, Store *store, const Actor *actor, GError **error);

#endif
