/* SPDX-License-Identifier: ISC
 *
 * An HTTP server with two engines. A handler gets a whole request and returns a whole answer; with
 * `workers` it runs on one of that many threads while the connection is suspended, so it may block;
 * with 0 it runs in the loop and must not. Outside input is hostile: every limit is a number below,
 * every request has a total deadline.
 */
#ifndef WIRE_HTTP_SERVER_H
#define WIRE_HTTP_SERVER_H

#include "base/error.h"
#include "wire/http_events.h"

#define HTTP_MAXIMUM_HEADER_BYTES  (16 * 1024)
#define HTTP_MAXIMUM_URL_BYTES	   (8 * 1024)
#define HTTP_MAXIMUM_HEADER_FIELDS 100
#define HTTP_MAXIMUM_QUERIES	   128
#define HTTP_MAXIMUM_BODY_BYTES	   (1024 * 1024) /* unless body_limit says otherwise */
#define HTTP_MAXIMUM_BODIES_BYTES                                                                  \
	(256 * 1024 * 1024)	  /* of all requests at one time; 503 beyond                       \
				   */
#define HTTP_MAXIMUM_POLLS   2048 /* requests that wait for news (long polls); 503 beyond */
#define HTTP_MAXIMUM_WAITING 256  /* requests waiting for a worker; 503 beyond */

/* What an answer that is a file must move in each deadline, or it is cut. */
#define HTTP_FILE_LEAST_BYTES (256 * 1024)
/* Of what comes after a refusal so much is read, for so long, so that its sender can read why. The
 * own loop's. */
#define HTTP_LINGER_BYTES (1024 * 1024)
#define HTTP_LINGER_MS	  2000

typedef struct HttpServer HttpServer;
typedef struct HttpRequest HttpRequest;
typedef struct HttpAnswer HttpAnswer;

/* Borrowed from the request, NULL when absent. The method is GET, POST, PUT, PATCH, DELETE or
 * OPTIONS; HEAD arrives as GET, and the answer's body stays here. The path is percent-decoded,
 * begins with '/', is valid UTF-8 and holds no NUL, no control character, no encoded slash, no
 * "//", "/./" or "/../" (else the server answers 400 by itself). */
const char *http_request_method(const HttpRequest *request);
const char *http_request_path(const HttpRequest *request);
const char *http_request_query(const HttpRequest *request, const char *name);
gboolean http_request_has_queries(const HttpRequest *request);
/* GHashTable of char * to char *, the last of several equal names counts. */
GHashTable *http_request_queries(const HttpRequest *request);
const char *http_request_header(const HttpRequest *request, const char *name);
/* From the Cookie header; the first of that name. Caller frees. */
char *http_request_cookie(const HttpRequest *request, const char *name);
GBytes *http_request_body(const HttpRequest *request);
/* The peer's address without a port; behind a trusted proxy (options) the last X-Forwarded-For
 * element. */
const char *http_request_peer(const HttpRequest *request);
/* Milliseconds since it was handled for the first time: see http_answer_new_wait(). */
guint http_request_waited_ms(const HttpRequest *request);
/* The connection, or a trusted proxy's X-Forwarded-Proto, is TLS. */
gboolean http_request_is_secure(const HttpRequest *request);

/* `content_type` NULL for no body. Bytes are copied. Header values with control characters abort
 * (g_assert): they never come from outside unchecked, see http_header_is_safe(). */
HttpAnswer *http_answer_new(
	int status, const char *content_type, const char *body, gssize size_bytes);
HttpAnswer *http_answer_new_bytes(int status, const char *content_type, GBytes *body);
void http_answer_header(HttpAnswer *answer, const char *name, const char *value);
gboolean http_header_is_safe(const char *value);
/* An event stream (text/event-stream) fed by `events`, with heartbeats, whose right to it
 * http_events_weed() asks about as `owner`. When `events` is closed or
 * has HTTP_EVENTS_MAXIMUM_STREAMS already: 503. */
HttpAnswer *http_answer_new_stream(HttpEvents *events, const char *owner);
/* A file of the folder, to GET and HEAD: with ETag, Last-Modified, conditions and one range (RFC
 * 9110). `path` is relative. 404 unless it is a regular file below the folder, reached by no name
 * that begins with a dot and by no link that leads out. Opening may wait for the disk. */
HttpAnswer *http_answer_new_file(
	const HttpRequest *request, int folder, const char *path, const char *content_type);
/* Bytes that do not change while the program runs (sheet, script, icon): `tag`, a word without
 * quotes, names this content; 304 when If-None-Match has it. */
HttpAnswer *http_answer_new_static(
	const HttpRequest *request, const char *content_type, GBytes *body, const char *tag);
/* "Not yet" (a long poll): no answer goes out. The handler is called again with the same request
 * when http_server_ring() says a value of `topic` above `known`, and after `wait_ms` at the latest;
 * meanwhile no thread waits. Only with workers. */
HttpAnswer *http_answer_new_wait(const char *topic, gint64 known, guint wait_ms);
/* Another of the same; the body is shared. Not of streams, files and waits. */
HttpAnswer *http_answer_copy(const HttpAnswer *answer);
gsize http_answer_body_bytes(const HttpAnswer *answer);
int http_answer_status(const HttpAnswer *answer);
void http_answer_free(HttpAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpAnswer, http_answer_free)

/* HTTP status for an error of ours: 400, 401, 403, 404, 409, 413, 423 (locked), 429, 503 … */
int http_status_of_error(const GError *error);

/* Returns the answer, never NULL. `of` is the options' pointer. Runs on any thread. */
typedef HttpAnswer *(*HttpHandler)(const HttpRequest *request, gpointer of);

typedef enum HttpEngine {
	HTTP_ENGINE_LIBRARY, /* libmicrohttpd: all that this header promises */
	/* Our own epoll loops, for crowds and small answers: no TLS, no workers, no streams, no
	 * waiting, and a request with a body is refused with 413. The handler runs on several
	 * threads at one time. */
	HTTP_ENGINE_LOOP,
} HttpEngine;

typedef struct HttpServerOptions {
	HttpEngine engine;
	guint loops;	     /* threads of HTTP_ENGINE_LOOP; 0: one a processor, at most 4 */
	const char *address; /* "127.0.0.1", "::1", "0.0.0.0"; "::" is IPv6 and IPv4 */
	guint16 port;	     /* 0: any free one */
	const char *certificate_file; /* both or none: TLS, PEM */
	const char *key_file;
	gboolean behind_proxy; /* believe X-Forwarded-For and -Proto */
	guint workers;
	guint maximum_connections;	       /* 0: 1024 */
	guint maximum_connections_per_address; /* 0: 64, but any number behind a proxy; IPv6 by /64
						*/
	guint deadline_ms;  /* for one request, first byte to last byte of the answer; 0: 30,000.
			       Streams are exempt  once they stream */
	guint idle_ms;	    /* between requests; 0: 15,000 */
	guint heartbeat_ms; /* of event streams; 0: HTTP_EVENTS_HEARTBEAT_MS */
	/* The body limit for a path before the body is read; NULL: HTTP_MAXIMUM_BODY_BYTES. */
	gsize (*body_limit)(const char *method, const char *path, gpointer of);
	HttpHandler handler;
	gpointer of;
} HttpServerOptions;

/* Listens and serves until http_server_stop(). Fails with DROVER_ERROR_INPUT (address, certificate)
 * or DROVER_ERROR_INTERNAL (address in use: says which). */
HttpServer *http_server_start(const HttpServerOptions *options, GError **error);
guint16 http_server_port(const HttpServer *server);
typedef struct HttpServerFigures {
	guint64 requests, connections, refused_connections, deadlines_passed;
	guint64 by_class[6]; /* by_class[2]: answers 2xx */
	guint open_connections, streams, polls;
} HttpServerFigures;
void http_server_figures(const HttpServer *server, HttpServerFigures *figures);
/* `topic` has this value now; a value that is not above the one before changes nothing. Any thread.
 */
void http_server_ring(HttpServer *server, const char *topic, gint64 value);
/* Stops listening, ends streams, refuses what waits for news, closes idle connections, lets running
 * requests finish for up to `grace_ms`, cuts the rest, frees. A handler cannot be broken off: this
 * waits for the last one to return. */
void http_server_stop(HttpServer *server, guint grace_ms);

#endif
