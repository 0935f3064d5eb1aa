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

typedef struct HttpField {
	const char *name, *value;
} HttpField;

/* Its texts lie where they came: in `kept`, or in the buffer of the connection that reads it. */
struct HttpRequest {
	char *target;	    /* as it came, "/a%20b?c=d", until it is taken apart in place */
	const char *method; /* what the handler sees: GET also for HEAD */
	gboolean is_head;
	gboolean is_old;  /* our own loop's: HTTP/1.0 */
	gboolean is_last; /* our own loop's: the peer wants no other answer on its connection */
	const char *path;
	HttpField fields[HTTP_MAXIMUM_HEADER_FIELDS]; /* lower-case names; equal names joined as RFC
							 9110 says */
	guint field_count;
	HttpField queries[HTTP_MAXIMUM_QUERIES]; /* as they came */
	guint query_count;
	GHashTable *query_table; /* NULL: not asked for */
	GPtrArray *kept;	 /* texts of its own; NULL: none */
	GByteArray *incoming;
	GBytes *body;
	const char *peer;
	gboolean secure;
	gint64 first_ms; /* when it was first handled; 0: not yet */
};

/* For a request that is used again and again: emptied each time, its memory the caller's. */
void http_request_init(HttpRequest *request);
void http_request_clear(HttpRequest *request);
HttpRequest *http_request_new(const char *target);
void http_request_free(HttpRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpRequest, http_request_free)

/* Sets path and queries from the target. NULL when it is fine, else what is wrong with it, static.
 */
const char *http_request_read_target(HttpRequest *request);
/* Adds one header field, whose bytes are lower-cased and ended in place: one byte after each is
 * overwritten. NULL when it is fine, else what is wrong with it, static. */
const char *http_request_take_header(
	HttpRequest *request, char *name, gsize name_bytes, char *value, gsize value_bytes);
/* The same with a copy. */
const char *http_request_add_header(HttpRequest *request, const char *name, gsize name_bytes,
	const char *value, gsize value_bytes);
/* Sets peer and secure from the connection and, when a proxy is trusted, from its headers. */
void http_request_set_peer(
	HttpRequest *request, const struct sockaddr *address, gboolean tls, gboolean behind_proxy);
/* Peer and secure are what a proxy in front says in the header, where it says it. */
void http_request_believe_proxy(HttpRequest *request);
/* The whole body is here. */
void http_request_complete(HttpRequest *request);
/* "192.0.2.1", "2001:db8::1"; IPv4 inside IPv6 as IPv4; "local" for other families. Caller frees.
 */
char *http_address_text(const struct sockaddr *address);

/* -- http_origin.c: how many connections there are from where
 * ---------------------------------------- */

/* The address, or the network, that a limit counts by. Caller frees. */
char *http_origin_text(const struct sockaddr *address);
typedef struct HttpOrigins HttpOrigins;
HttpOrigins *http_origins_new(void);
void http_origins_free(HttpOrigins *origins);
guint http_origins_count(const HttpOrigins *origins, const char *origin);
void http_origins_change(HttpOrigins *origins, const char *origin, int by);

/* -- http_check.c: what of a request's head is refused, before its body is read
 * -------------------- */

typedef struct HttpRefusal {
	int status; /* 0: nothing to refuse */
	const char *reason;
} HttpRefusal;

/* For both engines, when the fields are there: judges framing, method, version and target, and sets
 * method, path and queries. */
HttpRefusal http_check_request(HttpRequest *request, const char *method, const char *version);
/* For libmicrohttpd's: fills request->method, path, queries, headers and judges them. */
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
/* If-None-Match: a list of tags, or "*". Weak and strong tags are equal here (RFC 9110, 13.1.2). */
gboolean http_tag_matches(const char *list, const char *tag);
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
/* Lines "Name: value\r\n". Borrowed. */
const GString *http_answer_fields(const HttpAnswer *answer);
/* Borrowed, never NULL; empty for streams and files. */
GBytes *http_answer_body(const HttpAnswer *answer);
/* A part of a file as the body. */
typedef struct HttpFile {
	int fd; /* -1: none; owned by the answer */
	goffset from, length;
} HttpFile;
/* Borrowed. */
const HttpFile *http_answer_file(const HttpAnswer *answer);
/* Makes the answer's body a file, whose descriptor it owns from now on. */
void http_answer_set_file(HttpAnswer *answer, HttpFile file);

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
/* The answer is so long: its deadline grows with it, by HTTP_FILE_LEAST_BYTES. */
void http_watch_allow(HttpWatch *watch, HttpConnection *connection, goffset length);
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

/* -- http_write.c: answers as bytes, for our own loop
 * ------------------------------------------------------ */

#define HTTP_DATE_SIZE 32
/* "Sun, 06 Nov 1994 08:49:37 GMT", in no locale. */
void http_date_text(gint64 when_s, char text[HTTP_DATE_SIZE]);
typedef struct HttpWriting {
	const char *date;
	gboolean is_head; /* the body stays here */
	gboolean is_last; /* the peer is told to go */
	gboolean is_old;  /* the peer must be told that it may stay */
} HttpWriting;
/* Appends status, fields and the empty line. */
void http_write_head(GString *out, const HttpAnswer *answer, const HttpWriting *how);
/* How long the answer's body is. */
goffset http_write_length(const HttpAnswer *answer);

/* -- http_library.c: the engine on libmicrohttpd
 * ---------------------------------------------------------- */

typedef struct HttpLibrary HttpLibrary;

/* `listening` is its own from now on, also when it fails. */
HttpLibrary *http_library_start(const HttpServerOptions *options, HttpWatchLimits limits,
	int listening, guint16 port, GError **error);
void http_library_stop(HttpLibrary *library, guint grace_ms);
void http_library_ring(HttpLibrary *library, const char *topic, gint64 value);
void http_library_figures(const HttpLibrary *library, HttpServerFigures *figures);
gboolean http_library_adopt(HttpLibrary *library, int fd);

/* -- http_loop.c: the engine of our own
 * -------------------------------------------------------------------- */

typedef struct HttpLoops HttpLoops;

/* `listening` is its own from now on, also when it fails. */
HttpLoops *http_loops_start(
	const HttpServerOptions *options, HttpWatchLimits limits, int listening, GError **error);
void http_loops_stop(HttpLoops *loops, guint grace_ms);
void http_loops_figures(HttpLoops *loops, HttpServerFigures *figures);
gboolean http_loops_adopt(HttpLoops *loops, int fd);

/* -- http_server.c, for fuzzers -------------------------------------------------------------------
 */

/* Serves a connected socket, which the server then owns. */
gboolean http_server_adopt(HttpServer *server, int fd);

#endif
