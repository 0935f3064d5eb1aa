/* SPDX-License-Identifier: ISC
 *
 * A web server in a test's hands.
 */
#include "web.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <string.h>

struct Web {
	struct event_base *base;
	struct evconnlistener *listener;
	GHashTable *visitors; /* struct bufferevent * -> itself */
	guint16 port;
	guint connections;
	WebAnswer answer;
	gpointer of;
};

typedef struct WaitedFor {
	struct event_base *base;
	const guint *until;
	guint count;
	gboolean late;
} WaitedFor;

static GHashTable *all_visitors; /* -> Web *: whose it is, while it is open */
static guint webs;

static void forget(WebVisitor *visitor)
{
	Web *web = g_hash_table_lookup(all_visitors, visitor);
	g_assert(web != NULL);
	g_hash_table_remove(all_visitors, visitor);
	g_hash_table_remove(web->visitors, visitor);
	bufferevent_free(visitor);
}

const char *web_body(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");
	return end != NULL ? end + 4 : "";
}

static gboolean is_whole(const char *request)
{
	const char *length = strcasestr(request, "\r\nContent-Length: ");
	if (strstr(request, "\r\n\r\n") == NULL)
		return FALSE;
	guint64 wanted = length != NULL ? g_ascii_strtoull(length + 18, NULL, 10) : 0;
	return strlen(web_body(request)) >= wanted;
}

static void on_read(WebVisitor *visitor, void *of)
{
	Web *web = of;
	struct evbuffer *input = bufferevent_get_input(visitor);
	gsize size_bytes = evbuffer_get_length(input);
	g_autofree char *request = g_strndup((char *)evbuffer_pullup(input, -1), size_bytes);
	if (!is_whole(request))
		return;
	evbuffer_drain(input, size_bytes);
	web->answer(visitor, request, web->of);
}

static void on_event(WebVisitor *visitor, short what, void *of)
{
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		forget(visitor);
}

static void on_visit(struct evconnlistener *listener, evutil_socket_t socket,
	struct sockaddr *address, int length, void *of)
{
	Web *web = of;
	WebVisitor *visitor = bufferevent_socket_new(web->base, socket, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(visitor, on_read, NULL, on_event, web);
	bufferevent_enable(visitor, EV_READ | EV_WRITE);
	web->connections++;
	g_hash_table_add(web->visitors, visitor);
	g_hash_table_insert(all_visitors, visitor, web);
}

Web *web_new(struct event_base *base, guint16 port, WebAnswer answer, gpointer of)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	Web *web = g_new0(Web, 1);
	web->base = base;
	web->answer = answer;
	web->of = of;
	web->visitors = g_hash_table_new(NULL, NULL);
	if (webs++ == 0)
		all_visitors = g_hash_table_new(NULL, NULL);
	web->listener = evconnlistener_new_bind(base, on_visit, web,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1, (struct sockaddr *)&address,
		sizeof address);
	g_assert(web->listener != NULL);
	socklen_t size = sizeof address;
	getsockname(evconnlistener_get_fd(web->listener), (struct sockaddr *)&address, &size);
	web->port = ntohs(address.sin_port);
	return web;
}

void web_free(Web *web)
{
	if (web == NULL)
		return;
	g_autoptr(GList) visitors = g_hash_table_get_keys(web->visitors);
	for (GList *at = visitors; at != NULL; at = at->next)
		forget(at->data);
	evconnlistener_free(web->listener);
	g_hash_table_unref(web->visitors);
	if (--webs == 0)
		g_clear_pointer(&all_visitors, g_hash_table_unref);
	g_free(web);
}

guint16 web_port(const Web *web)
{
	return web->port;
}

guint web_connections(const Web *web)
{
	return web->connections;
}

guint web_open(const Web *web)
{
	return g_hash_table_size(web->visitors);
}

char *web_url(const Web *web, const char *path)
{
	return g_strdup_printf("http://127.0.0.1:%u%s", web->port, path);
}

void web_say(WebVisitor *visitor, const char *bytes)
{
	bufferevent_write(visitor, bytes, strlen(bytes));
}

void web_answer(WebVisitor *visitor, int status, const char *header, const char *body)
{
	g_autofree char *text = g_strdup_printf("HTTP/1.1 %d So\r\n%sContent-Length: %zu\r\n\r\n%s",
		status, header != NULL ? header : "", strlen(body), body);
	web_say(visitor, text);
}

static void on_written(WebVisitor *visitor, void *of)
{
	forget(visitor);
}

void web_close(WebVisitor *visitor)
{
	Web *web = g_hash_table_lookup(all_visitors, visitor);
	if (evbuffer_get_length(bufferevent_get_output(visitor)) == 0)
		forget(visitor);
	else
		bufferevent_setcb(visitor, NULL, on_written, on_event, web);
}

void web_reset(WebVisitor *visitor)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	setsockopt(bufferevent_getfd(visitor), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	forget(visitor);
}

/* The loop */

static void on_late(evutil_socket_t unused, short what, void *of)
{
	*(gboolean *)of = TRUE;
}

void web_run(struct event_base *base, const guint *until, guint count)
{
	gboolean late = FALSE;
	struct event *patience = evtimer_new(base, on_late, &late);
	evtimer_add(patience, &(struct timeval){.tv_sec = WEB_PATIENCE_MS / 1000});
	while (*until < count && !late)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(patience);
	g_assert_false(late);
}

void web_idle(struct event_base *base, guint time_ms)
{
	gboolean late = FALSE;
	struct event *timer = evtimer_new(base, on_late, &late);
	const struct timeval after = {time_ms / 1000, time_ms % 1000 * 1000};
	evtimer_add(timer, &after);
	while (!late)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(timer);
}
