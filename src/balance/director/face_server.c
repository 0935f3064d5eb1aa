/* SPDX-License-Identifier: ISC
 *
 * Listeners by address and port, so that a reload leaves alone what has not changed.
 */
#include "balance/director/face_server.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "balance/address.h"
#include "balance/director/face.h"
#include "balance/director/peers.h"

#define BACKLOG 128

typedef struct Listener {
	Address address;
	gint64 wanted_port; /* 0: any */
	guint16 port;
	Peers *peers;
} Listener;

struct FaceServer {
	struct event_base *base;
	FaceStatus status;
	gpointer of;
	GPtrArray *listeners; /* Listener * */
	json_t *last;	      /* the status that was used last, */
	gint64 last_us;	      /* when it was made, */
	gint64 spent_us;      /* and how long it and all answers from it took */
	GHashTable *kept;     /* face_request_key() -> GBytes */
};

static void listener_free(gpointer of)
{
	Listener *listener = of;
	peers_free(listener->peers);
	g_free(listener);
}

FaceServer *face_server_new(struct event_base *base, FaceStatus status, gpointer of)
{
	FaceServer *face = g_new0(FaceServer, 1);
	*face = (FaceServer){.base = base, .status = status, .of = of};
	face->listeners = g_ptr_array_new_with_free_func(listener_free);
	face->kept = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
	return face;
}

void face_server_free(FaceServer *face)
{
	if (face == NULL)
		return;
	g_ptr_array_unref(face->listeners);
	json_decref(face->last);
	g_hash_table_unref(face->kept);
	g_free(face);
}

/* Whoever asks without a pause must not keep the loop from its checks: however large the pools are,
 * answers take at most a part in FACE_FRESH_TIMES of its time. */
static gboolean is_stale(const FaceServer *face, gint64 now_us)
{
	gint64 fresh_us = MAX(FACE_FRESH_MS * 1000, FACE_FRESH_TIMES * face->spent_us);
	return face->last == NULL || now_us - face->last_us >= fresh_us;
}

static void renew(FaceServer *face, gint64 now_us)
{
	g_hash_table_remove_all(face->kept);
	json_decref(face->last);
	face->last = face->status(face->of);
	face->last_us = now_us;
	face->spent_us = 0;
}

static GBytes *make_answer(const FaceServer *face, const FaceRequest *request)
{
	g_auto(FaceAnswer) answer = {0};
	face_answer(face->last, request, &answer);
	return face_answer_bytes(&answer);
}

static GBytes *answer_request(FaceServer *face, const FaceRequest *request)
{
	gint64 begin_us = g_get_monotonic_time();
	g_autofree char *key = face_request_key(request);
	if (is_stale(face, begin_us))
		renew(face, begin_us);
	GBytes *answer = key != NULL ? g_hash_table_lookup(face->kept, key) : NULL;
	if (answer != NULL)
		return g_bytes_ref(answer);
	answer = make_answer(face, request);
	if (key != NULL && g_hash_table_size(face->kept) < FACE_MAXIMUM_KEPT)
		g_hash_table_insert(face->kept, g_steal_pointer(&key), g_bytes_ref(answer));
	face->spent_us += g_get_monotonic_time() - begin_us;
	return answer;
}

static GBytes *answer(const char *head, gsize size_bytes, int fd, gpointer of)
{
	g_auto(FaceRequest) request = {0};
	guint refused = head != NULL ? face_request_parse(head, size_bytes, &request) : 431;
	if (refused == 0)
		return answer_request(of, &request);
	g_auto(FaceAnswer) answer = {0};
	face_refuse(refused, &answer);
	return face_answer_bytes(&answer);
}

static int open_socket(const Address *address, guint16 port, guint16 *bound, GError **error)
{
	struct sockaddr_storage at = {0};
	socklen_t length = address_to_socket(address, port, &at);
	Address unused;
	int yes = 1;
	int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
		bind(fd, (struct sockaddr *)&at, length) == 0 && listen(fd, BACKLOG) == 0) {
		length = sizeof at;
		getsockname(fd, (struct sockaddr *)&at, &length);
		address_from_socket(&at, &unused, bound);
		return fd;
	}
	g_autofree char *text = address_with_port(address, port);
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"cannot answer questions on %s: %s; see instrumentation-ips and "
		"instrumentation-port, or set instrumentation = no",
		text, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static Listener *listener_new(
	FaceServer *face, const Address *address, gint64 wanted_port, GError **error)
{
	guint16 port = 0;
	int fd = open_socket(address, (guint16)wanted_port, &port, error);
	if (fd < 0)
		return NULL;
	Listener *listener = g_new0(Listener, 1);
	*listener = (Listener){.address = *address, .wanted_port = wanted_port, .port = port};
	PeersOptions options = {
		.base = face->base,
		.fd = fd,
		.end = "\r\n\r\n",
		.maximum_bytes = FACE_MAXIMUM_HEAD_BYTES,
		.maximum_peers = FACE_MAXIMUM_PEERS,
		.timeout_ms = FACE_TIMEOUT_MS,
		.answer = answer,
		.of = face,
	};
	listener->peers = peers_new(&options);
	return listener;
}

/* Takes it out of the old ones. NULL when there is none. */
static Listener *take_listener(GPtrArray *listeners, const Address *address, gint64 wanted_port)
{
	for (guint i = 0; i < listeners->len; i++) {
		Listener *listener = listeners->pdata[i];
		if (address_equal(&listener->address, address) &&
			listener->wanted_port == wanted_port)
			return g_ptr_array_steal_index(listeners, i);
	}
	return NULL;
}

gboolean face_server_listen(FaceServer *face, const ConfigGlobal *global, GError **error)
{
	g_autoptr(GPtrArray) before = face->listeners;
	gboolean ok = TRUE;
	face->listeners = g_ptr_array_new_with_free_func(listener_free);
	for (char **ip = global->instrumentation_ips;
		global->instrumentation && ip != NULL && *ip != NULL; ip++) {
		Address address;
		gboolean is_address = address_parse(*ip, &address);
		g_assert(is_address);
		Listener *listener = take_listener(before, &address, global->instrumentation_port);
		if (listener == NULL)
			listener = listener_new(
				face, &address, global->instrumentation_port, ok ? error : NULL);
		if (listener != NULL)
			g_ptr_array_add(face->listeners, listener);
		else
			ok = FALSE;
	}
	return ok;
}

guint16 face_server_port(const FaceServer *face)
{
	return face->listeners->len > 0 ? ((Listener *)face->listeners->pdata[0])->port : 0;
}
