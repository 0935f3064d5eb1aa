/* SPDX-License-Identifier: ISC
 *
 * The test bed's servers and watches.
 */
#include "bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DRIP_MS 50

typedef struct Visit {
	BedServer *server;
	struct bufferevent *line;
	struct event *drip;
	const char *text;
	gsize sent_bytes;
	gboolean answered;
	GString *request;
} Visit;

static void visit_end(Visit *visit)
{
	visit->server->open--;
	if (visit->drip != NULL)
		event_free(visit->drip);
	bufferevent_free(visit->line);
	g_string_free(visit->request, TRUE);
	g_free(visit);
}

static void visit_reset(Visit *visit)
{
	setsockopt(bufferevent_getfd(visit->line), SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
		sizeof(struct linger));
	visit_end(visit);
}

static void on_written(struct bufferevent *line, void *of)
{
	Visit *visit = of;
	static const char zeros[16 * 1024];
	if (!visit->answered)
		return;
	if (visit->server->part == BED_FLOODS)
		bufferevent_write(line, zeros, sizeof zeros);
	else if (visit->server->part == BED_ANSWERS)
		visit_end(visit);
}

static void on_event(struct bufferevent *line, short what, void *of)
{
	visit_end(of);
}

static void on_drip(evutil_socket_t fd, short what, void *of)
{
	Visit *visit = of;
	if (visit->text[visit->sent_bytes] == '\0')
		return;
	bufferevent_write(visit->line, visit->text + visit->sent_bytes++, 1);
	struct timeval after = {0, DRIP_MS * 1000};
	event_add(visit->drip, &after);
}

static const char *text_for(const BedServer *server)
{
	if (server->texts == NULL)
		return server->text;
	g_auto(GStrv) words = g_strsplit(server->request->str, " ", 3);
	const char *text = words[0] == NULL || words[1] == NULL
				   ? NULL
				   : g_hash_table_lookup(server->texts, words[1]);
	return text == NULL ? server->text : text;
}

static void visit_answer(Visit *visit)
{
	BedServer *server = visit->server;
	g_string_assign(server->request, visit->request->str);
	visit->text = text_for(server);
	visit->answered = TRUE;
	if (server->part == BED_DRIPS) {
		visit->drip = evtimer_new(server->bed->base, on_drip, visit);
		on_drip(-1, 0, visit);
	} else if (*visit->text != '\0') {
		bufferevent_write(visit->line, visit->text, strlen(visit->text));
	}
}

static void on_read(struct bufferevent *line, void *of)
{
	Visit *visit = of;
	BedServer *server = visit->server;
	struct evbuffer *input = bufferevent_get_input(line);
	char bytes[4096];
	for (int got; (got = evbuffer_remove(input, bytes, sizeof bytes)) > 0;)
		g_string_append_len(visit->request, bytes, got);
	gboolean answers = server->part != BED_SILENT && server->part != BED_SPEAKS_FIRST;
	if (answers && !visit->answered && strstr(visit->request->str, "\r\n\r\n") != NULL)
		visit_answer(visit);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
	int size, void *of)
{
	BedServer *server = of;
	Visit *visit = g_new0(Visit, 1);
	gint64 now_us = g_get_monotonic_time();
	visit->server = server;
	visit->line = bufferevent_socket_new(server->bed->base, fd, BEV_OPT_CLOSE_ON_FREE);
	server->connections++;
	server->open++;
	server->open_peak = MAX(server->open_peak, server->open);
	g_array_append_val(server->times_us, now_us);
	visit->request = g_string_new(NULL);
	bufferevent_setcb(visit->line, on_read, on_written, on_event, visit);
	if (server->part == BED_CLOSES) {
		visit_end(visit);
	} else if (server->part == BED_RESETS) {
		visit_reset(visit);
	} else {
		bufferevent_enable(visit->line, EV_READ | EV_WRITE);
		if (server->part == BED_SPEAKS_FIRST)
			visit_answer(visit);
	}
}

static guint open_descriptors(void)
{
	guint count = 0;
	for (int fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

Bed *bed_new(guint maximum_sockets)
{
	Bed *bed = g_new0(Bed, 1);
	g_autoptr(GError) error = NULL;
	bed->descriptors = open_descriptors();
	bed->base = event_base_new();
	bed->servers = g_ptr_array_new();
	bed->watches = g_ptr_array_new();
	bed->checks = checks_new(&(ChecksOptions){bed->base, maximum_sockets, 42, NULL}, &error);
	assert_null(error);
	return bed;
}

static void server_free(BedServer *server)
{
	bed_server_stop(server);
	if (server->texts != NULL)
		g_hash_table_unref(server->texts);
	g_array_unref(server->times_us);
	g_string_free(server->request, TRUE);
	g_free(server->text);
	g_free(server);
}

void bed_free(Bed *bed)
{
	for (guint i = 0; i < bed->watches->len; i++) {
		BedWatch *watch = g_ptr_array_index(bed->watches, i);
		bed_leave(watch);
		g_free(watch->why);
		g_free(watch);
	}
	ChecksFigures figures;
	checks_figures(bed->checks, &figures);
	assert_int_equal(figures.sockets, 0);
	assert_int_equal(figures.checks, 0);
	checks_free(bed->checks);
	/* The servers see that their visitors are gone. */
	for (guint i = 0; i < bed->servers->len; i++) {
		BedServer *server = g_ptr_array_index(bed->servers, i);
		for (guint turns = 0; server->open > 0 && turns < 1000; turns++)
			bed_run_ms(bed, 5);
		assert_int_equal(server->open, 0);
		server_free(server);
	}
	event_base_free(bed->base);
	assert_int_equal(open_descriptors(), bed->descriptors);
	g_ptr_array_unref(bed->servers);
	g_ptr_array_unref(bed->watches);
	g_free(bed);
}

BedServer *bed_server(Bed *bed, const char *address, BedPart part, const char *text)
{
	BedServer *server = g_new0(BedServer, 1);
	struct sockaddr_storage place;
	assert_true(address_parse(address, &server->address));
	socklen_t size = address_to_socket(&server->address, 0, &place);
	server->bed = bed;
	server->part = part;
	server->text = g_strdup(text);
	server->request = g_string_new(NULL);
	server->times_us = g_array_new(FALSE, FALSE, sizeof(gint64));
	server->listener = evconnlistener_new_bind(bed->base, on_accept, server,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 4096, (struct sockaddr *)&place,
		(int)size);
	assert_non_null(server->listener);
	size = sizeof place;
	assert_int_equal(getsockname(evconnlistener_get_fd(server->listener),
				 (struct sockaddr *)&place, &size),
		0);
	assert_true(address_from_socket(&place, &server->address, &server->port));
	g_ptr_array_add(bed->servers, server);
	return server;
}

void bed_server_at_path(BedServer *server, const char *path, const char *text)
{
	if (server->texts == NULL)
		server->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_insert(server->texts, g_strdup(path), g_strdup(text));
}

void bed_server_stop(BedServer *server)
{
	g_clear_pointer(&server->listener, evconnlistener_free);
}

static void on_told(PoolResult result, const char *why, gint64 took_us, gpointer of)
{
	BedWatch *watch = of;
	watch->told++;
	watch->ups += result == POOL_RESULT_UP;
	watch->downs += result == POOL_RESULT_DOWN;
	watch->maintenances += result == POOL_RESULT_MAINTENANCE;
	watch->result = result;
	watch->took_us = took_us;
	g_free(watch->why);
	watch->why = g_strdup(why);
	if (watch->leaves)
		bed_leave(watch);
	event_base_loopbreak(watch->bed->base);
}

BedWatch *bed_watch(Bed *bed, const ConfigService *service, ConfigMonitor monitor,
	const Address *address, guint16 port)
{
	g_autoptr(GError) error = NULL;
	BedWatch *watch = g_new0(BedWatch, 1);
	watch->bed = bed;
	g_ptr_array_add(bed->watches, watch);
	const CheckTarget target = {"server.example.org", *address, port};
	watch->check = checks_watch(bed->checks, service, monitor, &target, on_told, watch, &error);
	assert_null(error);
	assert_non_null(watch->check);
	assert_int_equal(watch->told, 0);
	return watch;
}

BedWatch *bed_watch_server(
	Bed *bed, const ConfigService *service, ConfigMonitor monitor, const BedServer *server)
{
	return bed_watch(bed, service, monitor, &server->address, server->port);
}

void bed_leave(BedWatch *watch)
{
	g_clear_pointer(&watch->check, checks_leave);
}

void bed_wait(BedWatch *watch, guint times)
{
	gint64 until_us = g_get_monotonic_time() + BED_PATIENCE_MS * 1000;
	while (watch->told < times) {
		assert_true(g_get_monotonic_time() < until_us);
		struct timeval most = {0, 100000};
		event_base_loopexit(watch->bed->base, &most);
		event_base_dispatch(watch->bed->base);
	}
}

void bed_run_ms(Bed *bed, gint64 time_ms)
{
	gint64 until_us = g_get_monotonic_time() + time_ms * 1000;
	for (gint64 now_us; (now_us = g_get_monotonic_time()) < until_us;) {
		struct timeval most = {
			(until_us - now_us) / 1000000, (until_us - now_us) % 1000000};
		event_base_loopexit(bed->base, &most);
		event_base_dispatch(bed->base);
	}
}

ConfigService *bed_service(Config **config, const char *lines)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = g_strdup_printf("[web]\nprotocol = tcp\nip = 192.0.2.1\nport = 80\n"
						"scheduler = wrr\nconfig = file:///dev/null\n%s",
		lines);
	*config = config_parse("bed.conf", text, strlen(text), &error);
	assert_null(error);
	for (guint i = 0; i < (*config)->errors->len; i++)
		fail_msg("%s", (char *)g_ptr_array_index((*config)->errors, i));
	return g_ptr_array_index((*config)->services, 0);
}
