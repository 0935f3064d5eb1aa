/* SPDX-License-Identifier: ISC
 *
 * What the files of the HTTP server tell each other; nobody outside of wire/ includes this, except
 * its tests and fuzzers.
 */
#ifndef WIRE_HTTP_INSIDE_H
#define WIRE_HTTP_INSIDE_H

#include <microhttpd.h>
#include <sys/socket.h>

#include "wire/http_server.h"

/* -- http_request.c: a request as a value ---------------------------------------------------------
 */

struct HttpRequest {
	char *target; /* as it came: "/a%20b?c=d" */
	char *method; /* what the handler sees: GET also for HEAD */
	gboolean is_head;
	char *path;
	GHashTable *queries;
	GHashTable *headers; /* lower-case name to value; equal names joined as RFC 9110 says */
	GByteArray *incoming;
	GBytes *body;
	char *peer;
	gboolean secure;
	gint64 first_ms; /* when it was first handled; 0: not yet */
};

HttpRequest *http_request_new(const char *target);
void http_request_free(HttpRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpRequest, http_request_free)

/* Sets path and queries from the target. NULL when it is fine, else what is wrong with it, static.
 */
const char *http_request_read_target(HttpRequest *request);
/* Adds one header field. NULL when it is fine, else what is wrong with it, static. */
const char *http_request_add_header(HttpRequest *request, const char *name, gsize name_bytes,
	const char *value, gsize value_bytes);
/* Sets peer and secure from the connection and, when a proxy is trusted, from its headers. */
void http_request_set_peer(
	HttpRequest *request, const struct sockaddr *address, gboolean tls, gboolean behind_proxy);
/* The whole body is here. */
void http_request_complete(HttpRequest *request);
/* "192.0.2.1", "2001:db8::1"; IPv4 inside IPv6 as IPv4; "local" for other families. Caller frees.
 */
char *http_address_text(const struct sockaddr *address);

/* -- http_check.c: what of a request's head is refused, before its body is read
 * -------------------- */

typedef struct HttpRefusal {
	int status; /* 0: nothing to refuse */
	const char *reason;
} HttpRefusal;

/* Fills request->method, path, queries, headers and judges them. `method` and `connection` are
 * libmicrohttpd's. */
HttpRefusal http_check_head(HttpRequest *request, struct MHD_Connection *connection,
	const char *method, const char *version);
/* The declared length of the body; 0 when there is none or it is chunked. After http_check_head().
 */
guint64 http_check_declared_length(const HttpRequest *request);

/* -- http_answer.c --------------------------------------------------------------------------------
 */

typedef struct HttpStream HttpStream;

/* text/plain with one line. */
HttpAnswer *http_answer_new_refusal(int status, const char *reason);
/* Makes a stream's answer one for HEAD: libmicrohttpd strips a body of bytes by itself, but ends an
 * empty stream with a last chunk, which the peer would take for the next answer. */
void http_answer_strip_stream(HttpAnswer *answer);
/* Queues the answer; `last` asks the peer to close. A stream is bound to the connection. FALSE when
 * libmicrohttpd refused it: the connection is then to be closed. */
gboolean http_answer_queue(
	const HttpAnswer *answer, struct MHD_Connection *connection, gboolean last);
/* What a "not yet" says. */
typedef struct HttpWait {
	char *topic;
	gint64 known;
	guint wait_ms;
} HttpWait;

/* NULL for an answer that is one. Borrowed. */
const HttpWait *http_answer_wait(const HttpAnswer *answer);
/* Borrowed; NULL for an answer that is no stream. */
HttpStream *http_answer_stream(const HttpAnswer *answer);

/* -- http_events.c: the streams' side
 * -------------------------------------------------------------- */

/* A new stream with the newest events in its backlog; NULL when closed or full. Owned by the
 * caller. */
HttpStream *http_stream_new(HttpEvents *events, const char *owner);
HttpStream *http_stream_ref(HttpStream *stream);
void http_stream_unref(HttpStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpStream, http_stream_unref)
/* The response that feeds from the stream; it holds a reference. */
struct MHD_Response *http_stream_response(HttpStream *stream, struct MHD_Connection *connection);
/* Called by the watchdog: sends a heartbeat when nothing was sent for `heartbeat_ms`. FALSE when
 * the stream is dropped and its connection should be cut. */
gboolean http_stream_tend(HttpStream *stream, gint64 now_ms, guint heartbeat_ms);
/* No more events for this stream; what waits is still sent. */
void http_stream_end(HttpStream *stream);
/* Its peer is gone: wakes the connection, so that libmicrohttpd finds out. */
void http_stream_abandon(HttpStream *stream);

/* -- http_watch.c: connections, their limits and deadlines
 * ----------------------------------------- */

typedef struct HttpWatch HttpWatch;
typedef struct HttpConnection HttpConnection;

typedef struct HttpWatchLimits {
	guint connections;
	guint connections_per_address; /* 0: any number */
	guint deadline_ms;
	guint idle_ms;
	guint heartbeat_ms;
} HttpWatchLimits;

HttpWatch *http_watch_new(HttpWatchLimits limits);
/* All connections must be gone. */
void http_watch_free(HttpWatch *watch);
/* TRUE when one more connection from this address is allowed; else it is counted as refused. */
gboolean http_watch_admits(HttpWatch *watch, const struct sockaddr *address);
/* `fd` is open until after http_watch_remove(). */
HttpConnection *http_watch_add(HttpWatch *watch, int fd, const struct sockaddr *address);
void http_watch_remove(HttpWatch *watch, HttpConnection *connection);
/* The request line is here; the deadline runs from the first byte of it. */
void http_watch_begin(HttpWatch *watch, HttpConnection *connection);
/* The answer is out. */
void http_watch_finish(HttpWatch *watch, HttpConnection *connection);
/* From now on the connection streams and has no deadline, but heartbeats. */
void http_watch_stream(HttpWatch *watch, HttpConnection *connection, HttpStream *stream);
/* The request waits for news: it has no deadline, and does not count for its address, since whose
 * request may wait is known by then. Or it goes on, and its deadline begins anew. */
void http_watch_wait(HttpWatch *watch, HttpConnection *connection, gboolean waits);
/* TRUE when the watchdog has shut the connection down. */
gboolean http_watch_is_cut(HttpWatch *watch, HttpConnection *connection);
/* Ends streams, closes idle connections at once and every one that becomes idle; after `grace_ms`
 * all. Returns when the last is gone, or a second after the grace has passed. */
void http_watch_drain(HttpWatch *watch, guint grace_ms);
/* Fills connections, refused_connections, deadlines_passed, open_connections, streams. */
void http_watch_figures(HttpWatch *watch, HttpServerFigures *figures);

/* -- http_work.c: handing a request to a worker, and its answer back
 * ------------------------------- */

typedef struct HttpWork HttpWork;
/* What one request needs on its way; `connection` is suspended while it is away. */
typedef struct HttpErrand {
	HttpRequest *request;
	HttpAnswer *answer; /* NULL until the handler has returned */
	struct MHD_Connection *connection;
	gboolean (*is_wanted)(
		struct HttpErrand *errand); /* FALSE: the peer is gone, spare the handler */
	/* It begins to wait for news, or no longer does. */
	void (*set_waiting)(struct HttpErrand *errand, gboolean waits);
	gpointer of;
	/* http_work.c's own: */
	gboolean is_again; /* it has waited */
	gint64 known;	   /* waits for a greater value of its topic */
	gint64 until_ms;
} HttpErrand;

HttpWork *http_work_new(guint workers, HttpHandler handler, gpointer of);
/* Suspends the connection, and resumes it when the answer is there. FALSE when too many wait, or
 * when closed. */
gboolean http_work_hand_over(HttpWork *work, HttpErrand *errand);
/* The topic has this value now: who waits for it is handled again. Values only grow. */
void http_work_ring(HttpWork *work, const char *topic, gint64 value);
/* Errands that wait for news. */
guint http_work_waiting(HttpWork *work);
/* Ends all waiting, now and later: those errands are refused with 503. */
void http_work_hush(HttpWork *work);
/* Takes no more errands, and waits until all are done. */
void http_work_close(HttpWork *work);
/* After http_work_close(). NULL is allowed. */
void http_work_free(HttpWork *work);

/* -- http_listen.c --------------------------------------------------------------------------------
 */

/* A listening socket; *port is the one it got. -1 with an error that names address and port. */
int http_listen(const char *address, guint16 port, guint16 *bound_port, GError **error);

/* -- http_server.c, for fuzzers -------------------------------------------------------------------
 */

/* Serves a connected socket, which the server then owns. */
gboolean http_server_adopt(HttpServer *server, int fd);

#endif
