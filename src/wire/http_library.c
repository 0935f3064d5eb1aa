/* SPDX-License-Identifier: ISC
 *
 * The engine on libmicrohttpd: its callbacks, tied to the parts that know one thing each.
 *
 *     connection comes     http_watch admits and adds it
 *     request line is here a Turn begins; the deadline runs
 *     head is here         http_check refuses, or the body may come
 *     body is here         the handler is called: here, or by http_work on another thread
 *     answer is there      http_answer queues it
 *     answer is out        the Turn ends; the connection is quiet, or closes
 *
 * All callbacks run on libmicrohttpd's one thread. A Turn belongs to that thread, but for its
 * errand while a worker has it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "wire/http_inside.h"

/* What libmicrohttpd holds per connection: a header of our limit, parsed, and the header of an
 * answer. */
#define CONNECTION_MEMORY_BYTES (4 * HTTP_MAXIMUM_HEADER_BYTES)
#define PEM_MAXIMUM_BYTES	(1024 * 1024)
/* Of a body that turns out too large, so much is read on, so that its sender can finish and read
 * why. */
#define OVERFLOW_BYTES (1024 * 1024)
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct HttpLibrary {
	HttpServerOptions options;
	struct MHD_Daemon *daemon;
	HttpWatch *watch;
	HttpWork *work; /* NULL: the handler runs in the loop */
	int listening;
	guint16 port;
	char *certificate;
	char *key;
	GMutex start_lock;
	gboolean started;
	GString *start_problem; /* what libmicrohttpd said while it started */
	atomic_bool stopping;
	atomic_ullong requests;
	atomic_ullong by_class[6];
	gsize bodies_bytes; /* of all turns; only the loop counts */
};

typedef struct Turn Turn;

/* What libmicrohttpd keeps for us with a connection. It tells of a turn's end only when it told of
 * its head: a request that it refuses by itself, as one whose query overflows its memory, ends
 * unannounced. So the connection remembers whose turn it is. */
typedef struct Line {
	HttpConnection *connection;
	Turn *turn; /* NULL between turns */
} Line;

/* One request on its way. */
struct Turn {
	HttpErrand errand; /* first: the worker's view of the turn */
	HttpLibrary *library;
	Line *line;
	HttpConnection *connection; /* the line's */
	gboolean checked;
	gsize body_limit;
	gsize received;	 /* bytes of the body, those beyond the limit as well */
	gsize counted;	 /* of them, in library->bodies_bytes */
	int body_status; /* 0, or why the body was not kept */
};

/* -- a turn
 * ----------------------------------------------------------------------------------------- */

static gboolean turn_is_wanted(HttpErrand *errand)
{
	const Turn *turn = (const Turn *)errand;
	return !http_watch_is_cut(turn->library->watch, turn->connection);
}

static void turn_set_waiting(HttpErrand *errand, gboolean waits)
{
	const Turn *turn = (const Turn *)errand;
	http_watch_wait(turn->library->watch, turn->connection, waits);
}

static void turn_uncount(Turn *turn)
{
	turn->library->bodies_bytes -= turn->counted;
	turn->counted = 0;
}

static void turn_free(Turn *turn)
{
	turn->line->turn = NULL;
	turn_uncount(turn);
	http_request_free(turn->errand.request);
	http_answer_free(turn->errand.answer);
	g_free(turn);
}

static Turn *turn_new(HttpLibrary *library, struct MHD_Connection *connection, const char *target)
{
	Turn *turn = g_new0(Turn, 1);
	turn->library = library;
	turn->line = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
			     ->socket_context;
	turn->connection = turn->line->connection;
	g_clear_pointer(&turn->line->turn, turn_free);
	turn->line->turn = turn;
	turn->errand.request = http_request_new(target);
	turn->errand.connection = connection;
	turn->errand.is_wanted = turn_is_wanted;
	turn->errand.set_waiting = turn_set_waiting;
	return turn;
}

/* Queues the answer, which the turn owns from now on. */
static enum MHD_Result turn_answer(Turn *turn, HttpAnswer *answer, gboolean last)
{
	HttpLibrary *library = turn->library;
	g_assert(!http_answer_wait(answer));
	turn->errand.answer = answer;
	if (turn->errand.request->is_head)
		http_answer_strip_stream(answer);
	atomic_fetch_add(&library->requests, 1);
	atomic_fetch_add(&library->by_class[http_answer_status(answer) / 100], 1);
	gboolean queued = http_answer_queue(
		answer, turn->errand.connection, last || atomic_load(&library->stopping));
	if (queued && http_answer_file(answer)->fd >= 0)
		http_watch_allow(
			library->watch, turn->connection, http_answer_file(answer)->length);
	if (queued && http_answer_stream(answer))
		http_watch_stream(library->watch, turn->connection, http_answer_stream(answer));
	return queued ? MHD_YES : MHD_NO;
}

static enum MHD_Result turn_refuse(Turn *turn, int status, const char *reason)
{
	return turn_answer(turn, http_answer_new_refusal(status, reason), TRUE);
}

static gboolean has_tls(const HttpLibrary *library)
{
	return library->certificate != NULL;
}

static gsize body_limit_of(const HttpLibrary *library, const HttpRequest *request)
{
	if (!library->options.body_limit)
		return HTTP_MAXIMUM_BODY_BYTES;
	return library->options.body_limit(request->method, request->path, library->options.of);
}

/* The head is here. Refusals before the body is read also close the connection. */
static enum MHD_Result turn_check(Turn *turn, const char *method, const char *version)
{
	HttpRequest *request = turn->errand.request;
	struct MHD_Connection *connection = turn->errand.connection;
	turn->checked = TRUE;
	HttpRefusal refusal = http_check_head(request, connection, method, version);
	if (refusal.status)
		return turn_refuse(turn, refusal.status, refusal.reason);

	const struct sockaddr *address =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr;
	http_request_set_peer(
		request, address, has_tls(turn->library), turn->library->options.behind_proxy);
	turn->body_limit = body_limit_of(turn->library, request);
	if (http_check_declared_length(request) > turn->body_limit)
		return turn_refuse(turn, 413, "the body is too large");
	return MHD_YES;
}

/* A part of the body. libmicrohttpd takes no answer before the end of it: a body that is too large
 * is counted on for a while, and answered then, or broken off. */
static enum MHD_Result turn_collect(Turn *turn, const char *bytes, gsize size_bytes)
{
	HttpLibrary *library = turn->library;
	turn->received += size_bytes;
	if (turn->body_status == 0 && turn->received > turn->body_limit)
		turn->body_status = 413;
	if (turn->body_status == 0 &&
		library->bodies_bytes + size_bytes > HTTP_MAXIMUM_BODIES_BYTES)
		turn->body_status = 503;
	if (turn->body_status != 0) {
		turn_uncount(turn);
		g_byte_array_set_size(turn->errand.request->incoming, 0);
		return turn->received - MIN(turn->received, turn->body_limit) > OVERFLOW_BYTES
			       ? MHD_NO
			       : MHD_YES;
	}
	library->bodies_bytes += size_bytes;
	turn->counted += size_bytes;
	g_byte_array_append(
		turn->errand.request->incoming, (const guint8 *)bytes, (guint)size_bytes);
	return MHD_YES;
}

/* The request is whole. */
static enum MHD_Result turn_handle(Turn *turn)
{
	HttpLibrary *library = turn->library;
	if (turn->body_status == 413)
		return turn_refuse(turn, 413, "the body is too large");
	if (turn->body_status != 0)
		return turn_refuse(turn, turn->body_status, "the server holds too many bodies");
	http_request_complete(turn->errand.request);
	if (!library->work)
		return turn_answer(turn,
			library->options.handler(turn->errand.request, library->options.of), FALSE);
	if (!http_work_hand_over(library->work, &turn->errand))
		return turn_refuse(turn, 503, "too many requests wait for a worker");
	return MHD_YES;
}

/* -- libmicrohttpd's callbacks
 * ---------------------------------------------------------------------- */

static enum MHD_Result on_accept(void *of, const struct sockaddr *address, socklen_t length)
{
	HttpLibrary *library = of;
	return http_watch_admits(library->watch, address) ? MHD_YES : MHD_NO;
}

static void on_connection(void *of, struct MHD_Connection *connection, void **socket_context,
	enum MHD_ConnectionNotificationCode what)
{
	HttpLibrary *library = of;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				 ->connect_fd;
		const struct sockaddr *address =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
				->client_addr;
		Line *line = g_new0(Line, 1);
		line->connection = http_watch_add(library->watch, fd, address);
		*socket_context = line;
	} else {
		Line *line = *socket_context;
		g_clear_pointer(&line->turn, turn_free);
		http_watch_remove(library->watch, line->connection);
		g_free(line);
		*socket_context = NULL;
	}
}

/* The query is read by http_request.c. Libmicrohttpd would read it too, from this same buffer of
 * its own, and end a request without an answer when the parts are too many for its memory. */
static void hide_query(const char *target)
{
	char *query = strchr((char *)target, '?');
	if (query)
		query[1] = '\0';
}

/* The request line is here, and `target` is as it came. What is returned becomes *request_context.
 */
static void *on_request_line(void *of, const char *target, struct MHD_Connection *connection)
{
	HttpLibrary *library = of;
	Turn *turn = turn_new(library, connection, target);
	hide_query(target);
	turn->errand.of = library->options.of;
	http_watch_begin(library->watch, turn->connection);
	return turn;
}

static enum MHD_Result on_request(void *of, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_bytes,
	void **request_context)
{
	Turn *turn = *request_context;
	if (!turn)
		return MHD_NO;
	if (!turn->checked)
		return turn_check(turn, method, version);
	if (*upload_bytes > 0) {
		gsize size_bytes = *upload_bytes;
		*upload_bytes = 0;
		return turn_collect(turn, upload, size_bytes);
	}
	if (turn->errand.answer) /* a worker brought it */
		return turn_answer(turn, turn->errand.answer, FALSE);
	return turn_handle(turn);
}

static void on_answer_sent(void *of, struct MHD_Connection *connection, void **request_context,
	enum MHD_RequestTerminationCode how)
{
	HttpLibrary *library = of;
	Turn *turn = *request_context;
	if (!turn)
		return;
	http_watch_finish(library->watch, turn->connection);
	turn_free(turn);
	*request_context = NULL;
}

static void on_log(void *of, const char *format, va_list arguments) G_GNUC_PRINTF(2, 0);

static void on_log(void *of, const char *format, va_list arguments)
{
	HttpLibrary *library = of;
	g_autofree char *text = g_strchomp(g_strdup_vprintf(format, arguments));
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&library->start_lock);
	if (!library->started)
		g_string_append_printf(library->start_problem, "%s%s",
			library->start_problem->len ? "; " : "", text);
	else
		log_event(LOG_LEVEL_DEBUG, "http.library", "message", text, NULL);
}

/* -- start and stop
 * --------------------------------------------------------------------------------- */

static gboolean read_certificate(HttpLibrary *library, GError **error)
{
	const HttpServerOptions *options = &library->options;
	if (!options->certificate_file != !options->key_file) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"TLS needs a certificate and a key file: only the %s is given",
			options->certificate_file ? "certificate" : "key");
		return FALSE;
	}
	if (!options->certificate_file)
		return TRUE;
	GError *problem = NULL;
	library->certificate =
		file_read(options->certificate_file, PEM_MAXIMUM_BYTES, NULL, &problem);
	if (library->certificate)
		library->key = file_read(options->key_file, PEM_MAXIMUM_BYTES, NULL, &problem);
	if (problem) {
		drover_error_set(error, DROVER_ERROR_INPUT, "TLS %s: %s",
			library->certificate ? "key" : "certificate", problem->message);
		g_error_free(problem);
		return FALSE;
	}
	return TRUE;
}

static gboolean start_daemon(HttpLibrary *library, guint connections, GError **error)
{
	unsigned flags =
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, library->certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, library->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(guintptr)TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
	if (has_tls(library))
		flags |= MHD_USE_TLS;
	/* libmicrohttpd's own limit is higher than ours, which closes what is too much instead of
	 * letting it wait. */
	library->daemon = MHD_start_daemon(flags, 0, on_accept, library, on_request, library,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, library, MHD_OPTION_LISTEN_SOCKET,
		library->listening, MHD_OPTION_CONNECTION_LIMIT, connections + 64,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, library, MHD_OPTION_URI_LOG_CALLBACK,
		on_request_line, library, MHD_OPTION_NOTIFY_COMPLETED, on_answer_sent, library,
		MHD_OPTION_ARRAY, has_tls(library) ? tls : plain, MHD_OPTION_END);
	if (library->daemon)
		return TRUE;
	const char *said =
		library->start_problem->len ? library->start_problem->str : g_strerror(errno);
	if (has_tls(library))
		drover_error_set(error, DROVER_ERROR_INPUT,
			"TLS with certificate %s and key %s: they cannot be used, or do not belong "
			"together "
			"(%s)",
			library->options.certificate_file, library->options.key_file, said);
	else
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"start the HTTP server on %s port %u: %s", library->options.address,
			library->port, said);
	return FALSE;
}

static void library_free(HttpLibrary *library)
{
	if (library->listening >= 0)
		close(library->listening);
	http_work_free(library->work);
	if (library->watch)
		http_watch_free(library->watch);
	g_free(library->certificate);
	g_free(library->key);
	g_string_free(library->start_problem, TRUE);
	g_mutex_clear(&library->start_lock);
	g_free(library);
}

HttpLibrary *http_library_start(const HttpServerOptions *options, HttpWatchLimits limits,
	int listening, guint16 port, GError **error)
{
	HttpLibrary *library = g_new0(HttpLibrary, 1);
	library->options = *options;
	library->listening = listening;
	library->port = port;
	library->start_problem = g_string_new(NULL);
	g_mutex_init(&library->start_lock);
	if (!read_certificate(library, error)) {
		library_free(library);
		return NULL;
	}
	library->watch = http_watch_new(limits);
	if (options->workers > 0)
		library->work = http_work_new(options->workers, options->handler, options->of);
	if (!start_daemon(library, limits.connections, error)) {
		library->listening = -1; /* libmicrohttpd closes it when it fails */
		if (library->work)
			http_work_close(library->work);
		library_free(library);
		return NULL;
	}
	g_mutex_lock(&library->start_lock);
	library->started = TRUE;
	g_mutex_unlock(&library->start_lock);
	return library;
}

void http_library_stop(HttpLibrary *library, guint grace_ms)
{
	atomic_store(&library->stopping, TRUE);
	/* The loop may be just about to accept: the descriptor stays ours until the loop is gone.
	 */
	MHD_quiesce_daemon(library->daemon);
	shutdown(library->listening, SHUT_RDWR);
	if (library->work)
		http_work_hush(library->work);
	http_watch_drain(library->watch, grace_ms);
	if (library->work)
		http_work_close(library->work);
	MHD_stop_daemon(library->daemon);
	library_free(library);
}

void http_library_ring(HttpLibrary *library, const char *topic, gint64 value)
{
	g_assert(library->work);
	http_work_ring(library->work, topic, value);
}

void http_library_figures(const HttpLibrary *library, HttpServerFigures *figures)
{
	http_watch_figures(library->watch, figures);
	figures->polls = library->work ? http_work_waiting(library->work) : 0;
	figures->requests = atomic_load(&library->requests);
	for (gsize i = 0; i < G_N_ELEMENTS(figures->by_class); i++)
		figures->by_class[i] = atomic_load(&library->by_class[i]);
}

gboolean http_library_adopt(HttpLibrary *library, int fd)
{
	struct sockaddr_storage address = {.ss_family = AF_UNIX};
	return MHD_add_connection(library->daemon, fd, (struct sockaddr *)&address,
		       sizeof(address)) == MHD_YES;
}
