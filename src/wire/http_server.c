/* SPDX-License-Identifier: ISC
 *
 * The HTTP server's door: listens, and lets one of two engines serve.
 *
 *     http_library.c  libmicrohttpd: TLS, bodies, workers, event streams, long polls
 *     http_loop.c     our own loop: plain HTTP, requests without a body, answers at once
 *
 * docs/decisions/own-public-loop.md
 */
#include "wire/http_inside.h"

#define CONNECTIONS_DEFAULT	 1024
#define CONNECTIONS_EACH_DEFAULT 64
#define DEADLINE_DEFAULT_MS	 30000
#define IDLE_DEFAULT_MS		 15000

struct HttpServer {
	guint16 port;
	HttpLibrary *library; /* one of the two is NULL */
	HttpLoops *loops;
};

static HttpWatchLimits watch_limits(const HttpServerOptions *options)
{
	guint each = options->behind_proxy ? 0 : CONNECTIONS_EACH_DEFAULT;
	return (HttpWatchLimits){
		.connections = options->maximum_connections ? options->maximum_connections
							    : CONNECTIONS_DEFAULT,
		.connections_per_address = options->maximum_connections_per_address
						   ? options->maximum_connections_per_address
						   : each,
		.deadline_ms = options->deadline_ms ? options->deadline_ms : DEADLINE_DEFAULT_MS,
		.idle_ms = options->idle_ms ? options->idle_ms : IDLE_DEFAULT_MS,
		.heartbeat_ms =
			options->heartbeat_ms ? options->heartbeat_ms : HTTP_EVENTS_HEARTBEAT_MS,
	};
}

static gboolean start(
	HttpServer *server, const HttpServerOptions *options, int listening, GError **error)
{
	HttpWatchLimits limits = watch_limits(options);
	if (options->engine == HTTP_ENGINE_LOOP)
		server->loops = http_loops_start(options, limits, listening, error);
	else
		server->library =
			http_library_start(options, limits, listening, server->port, error);
	return server->loops != NULL || server->library != NULL;
}

HttpServer *http_server_start(const HttpServerOptions *options, GError **error)
{
	g_assert(options->handler && options->address);
	g_autofree HttpServer *server = g_new0(HttpServer, 1);
	int listening = http_listen(options->address, options->port, &server->port, error);
	if (listening < 0 || !start(server, options, listening, error))
		return NULL;
	return g_steal_pointer(&server);
}

void http_server_stop(HttpServer *server, guint grace_ms)
{
	if (!server)
		return;
	if (server->loops)
		http_loops_stop(server->loops, grace_ms);
	else
		http_library_stop(server->library, grace_ms);
	g_free(server);
}

void http_server_ring(HttpServer *server, const char *topic, gint64 value)
{
	g_assert(server->library);
	http_library_ring(server->library, topic, value);
}

guint16 http_server_port(const HttpServer *server)
{
	return server->port;
}

void http_server_figures(const HttpServer *server, HttpServerFigures *figures)
{
	*figures = (HttpServerFigures){0};
	if (server->loops)
		http_loops_figures(server->loops, figures);
	else
		http_library_figures(server->library, figures);
}

gboolean http_server_adopt(HttpServer *server, int fd)
{
	return server->loops ? http_loops_adopt(server->loops, fd)
			     : http_library_adopt(server->library, fd);
}
