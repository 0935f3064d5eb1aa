/* SPDX-License-Identifier: ISC
 *
 * One HTTP request by libcurl: bounded in time and size, redirects not followed, proxies of the
 * environment ignored.
 */
#ifndef WIRE_HTTP_CLIENT_H
#define WIRE_HTTP_CLIENT_H

#include "base/error.h"

typedef struct HttpCall {
	const char *method;
	const char *url;
	const char *token;	  /* Authorization: Bearer; NULL for none */
	const char *content_type; /* of the body */
	const char *body;	  /* NULL for none */
	gsize body_bytes;
	const char *ca_file; /* NULL: the system's */
	guint timeout_ms;    /* for the whole exchange; 0: 30,000 */
	gsize maximum_bytes; /* of the answer; 0: 64 MiB */
} HttpCall;

typedef struct HttpResult {
	int status;
	char *content_type; /* NULL when absent */
	char *body;	    /* NUL after its end */
	gsize body_bytes;
} HttpResult;

/* Any status is success. Fails with DROVER_ERROR_UNAVAILABLE (refused, timed out, name unknown;
 * says which), DROVER_ERROR_INPUT (bad URL), DROVER_ERROR_TOO_LARGE. */
gboolean http_client_call(const HttpCall *call, HttpResult *result, GError **error);
void http_result_clear(HttpResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HttpResult, http_result_clear)

#endif
