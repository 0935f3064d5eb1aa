/* SPDX-License-Identifier: ISC
 *
 * One HTTP request at a time, from the loop: libcurl's multi interface, whose sockets and timer are
 * events of ours. Bounded in time and size; no redirect is followed, no proxy of the environment
 * asked, no encoding wanted. Names are looked up by monitor/resolver.h and given to libcurl as
 * addresses, so that it never starts a thread to look one up itself: the daemon's filter of system
 * calls would kill it for that.
 */
#ifndef BALANCE_DIRECTOR_FETCH_H
#define BALANCE_DIRECTOR_FETCH_H

#include "balance/monitor/resolver.h"

struct event_base;

#define FETCH_CONNECT_MS                                                                           \
	(10 * 1000) /* to be connected, TLS and all, unless the whole is shorter                   \
		     */
#define FETCH_MAXIMUM_URL_BYTES	   (8 * 1024)
#define FETCH_MAXIMUM_TOKEN_BYTES  4096
#define FETCH_MAXIMUM_HEADER_BYTES (64 * 1024) /* of an answer */
#define FETCH_MAXIMUM_ETAG_BYTES   1024	       /* a longer one is as good as none */

typedef struct FetchCall {
	const char *url;     /* http:// or https:// */
	const char *token;   /* Authorization: Bearer; NULL: none */
	const char *etag;    /* If-None-Match; NULL: none */
	const char *json;    /* POSTed; NULL: a GET */
	const char *ca_file; /* NULL: the system's */
	const char *agent;   /* User-Agent */
	guint timeout_ms;    /* for the whole exchange, name and all */
	gsize maximum_bytes; /* of the answer's body */
} FetchCall;

/* What came. Borrowed, for the time of the call. */
typedef struct FetchAnswer {
	const char *problem; /* one line that does not change from try to try; NULL: a server
				answered */
	int status;
	const char *content_type; /* NULL: none */
	const char *etag;	  /* NULL: none */
	const char *body;	  /* NUL after its end */
	gsize body_bytes;
} FetchAnswer;

/* May start the next request; may free the Fetch. */
typedef void (*FetchTell)(const FetchAnswer *answer, gpointer of);

typedef struct Fetch Fetch;

/* `resolver` NULL: no names but localhost, only addresses. Both outlive it. */
Fetch *fetch_new(struct event_base *base, Resolver *resolver);
/* What is under way is dropped, and not told. */
void fetch_free(Fetch *fetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fetch, fetch_free)

/* Tells once, from the loop, never from within this call. What `call` points to is copied. Nothing
 * may be under way. A connection that is left from the last request to the same host is used again.
 */
void fetch_start(Fetch *fetch, const FetchCall *call, FetchTell tell, gpointer of);
/* A URL as messages may show it: without a password in it, whatever it is. Caller frees. */
char *fetch_shown(const char *url);
/* TRUE when the URL's host is this machine: localhost, or an address of its own loop. */
gboolean fetch_is_local(const char *url);
gboolean fetch_is_busy(const Fetch *fetch);
/* Drops what is under way without telling. */
void fetch_cancel(Fetch *fetch);

#endif
