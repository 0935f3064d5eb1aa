/* SPDX-License-Identifier: ISC
 *
 * A gRPC health server that plays a part: see grpc_server.h.
 */
#include "grpc_server.h"

#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct GrpcServer {
	const GrpcScript *script;
	SSL_CTX *context; /* NULL: in the clear */
	int listener, stop[2];
	guint16 port;
	GMutex lock;
	char *heard;
	GThread *thread;
};

typedef struct Call {
	GrpcServer *server;
	nghttp2_session *session;
	char *path, *authority;
	GByteArray *request, *answer;
	gsize answered;
} Call;

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)(guintptr)name, (uint8_t *)(guintptr)value, strlen(name),
		strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *of)
{
	Call *call = of;
	char **place = NULL;
	if (strcmp((const char *)name, ":path") == 0)
		place = &call->path;
	else if (strcmp((const char *)name, ":authority") == 0)
		place = &call->authority;
	if (place != NULL && *place == NULL)
		*place = g_strndup((const char *)value, value_size);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
	size_t size, void *of)
{
	g_byte_array_append(((Call *)of)->request, bytes, (guint)size);
	return 0;
}

static ssize_t on_answer_wanted(nghttp2_session *session, int32_t stream, uint8_t *buffer,
	size_t length, uint32_t *flags, nghttp2_data_source *source, void *of)
{
	Call *call = of;
	const GrpcScript *script = call->server->script;
	gsize size = MIN(length, call->answer->len - call->answered);
	memcpy(buffer, call->answer->data + call->answered, size);
	call->answered += size;
	if (call->answered < call->answer->len)
		return (ssize_t)size;
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	if (script->part == GRPC_NO_TRAILER)
		return (ssize_t)size;
	nghttp2_nv trailers[] = {
		field("grpc-status", script->grpc_status != NULL ? script->grpc_status : "0"),
		field("grpc-message", "as it is")};
	*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
	nghttp2_submit_trailer(session, stream, trailers, G_N_ELEMENTS(trailers));
	return (ssize_t)size;
}

/* Field 9, bytes, as padding; field 1, a number. */
static void write_answer(Call *call)
{
	const GrpcScript *script = call->server->script;
	guint8 status[] = {1 << 3, (guint8)script->status};
	if (script->padding > 0) {
		guint8 head[] = {9 << 3 | 2, (guint8)(script->padding & 127) | 128,
			(guint8)(script->padding >> 7)};
		g_autofree guint8 *zeros = g_malloc0(script->padding);
		g_byte_array_append(call->answer, head, sizeof head);
		g_byte_array_append(call->answer, zeros, (guint)script->padding);
	}
	g_byte_array_append(call->answer, status, sizeof status);
	guint8 prefix[] = {
		0, 0, 0, (guint8)(call->answer->len >> 8), (guint8)(call->answer->len & 255)};
	g_byte_array_prepend(call->answer, prefix, sizeof prefix);
}

static void keep_heard(const Call *call)
{
	GrpcServer *server = call->server;
	gsize skip = MIN(call->request->len, 7U); /* prefix, tag, length */
	g_mutex_lock(&server->lock);
	g_free(server->heard);
	server->heard = g_strdup_printf("%s %s %.*s", call->path, call->authority,
		(int)(call->request->len - skip), (const char *)call->request->data + skip);
	g_mutex_unlock(&server->lock);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *of)
{
	Call *call = of;
	const GrpcScript *script = call->server->script;
	gboolean whole = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
			 (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS);
	if (!whole)
		return 0;
	keep_heard(call);
	if (script->part == GRPC_SILENT)
		return 0;
	if (script->part == GRPC_CUTS)
		return nghttp2_submit_rst_stream(
			session, 0, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
	nghttp2_nv fields[] = {
		field(":status", script->http_status != NULL ? script->http_status : "200"),
		field("content-type",
			script->content_type != NULL ? script->content_type : "application/grpc")};
	nghttp2_data_provider body = {.read_callback = on_answer_wanted};
	write_answer(call);
	nghttp2_submit_response(session, frame->hd.stream_id, fields, G_N_ELEMENTS(fields), &body);
	return 0;
}

static void send_all(SSL *tls, int fd, nghttp2_session *session)
{
	const uint8_t *bytes;
	for (ssize_t size; (size = nghttp2_session_mem_send(session, &bytes)) > 0;) {
		if (tls != NULL)
			SSL_write(tls, bytes, (int)size);
		else
			send(fd, bytes, (size_t)size, MSG_NOSIGNAL);
	}
}

/* Until the client goes, or the test ends. */
static void converse(GrpcServer *server, SSL *tls, int fd, nghttp2_session *session)
{
	struct pollfd fds[] = {{fd, POLLIN, 0}, {server->stop[0], POLLIN, 0}};
	send_all(tls, fd, session);
	while ((tls != NULL && SSL_pending(tls) > 0) ||
		(poll(fds, 2, -1) > 0 && fds[1].revents == 0)) {
		uint8_t bytes[4096];
		ssize_t got = tls != NULL ? SSL_read(tls, bytes, sizeof bytes)
					  : recv(fd, bytes, sizeof bytes, 0);
		if (got <= 0 || nghttp2_session_mem_recv(session, bytes, (size_t)got) < 0)
			return;
		send_all(tls, fd, session);
	}
}

static void serve(GrpcServer *server, int fd)
{
	Call call = {.server = server, .request = g_byte_array_new(), .answer = g_byte_array_new()};
	nghttp2_session_callbacks *callbacks = NULL;
	SSL *tls = NULL;
	if (server->context != NULL) {
		tls = SSL_new(server->context);
		SSL_set_fd(tls, fd);
	}
	nghttp2_session_callbacks_new(&callbacks);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_server_new(&call.session, callbacks, &call);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_submit_settings(call.session, NGHTTP2_FLAG_NONE, NULL, 0);
	if (tls == NULL || SSL_accept(tls) == 1)
		converse(server, tls, fd, call.session);
	nghttp2_session_del(call.session);
	ERR_clear_error();
	SSL_free(tls);
	g_free(call.path);
	g_free(call.authority);
	g_byte_array_unref(call.request);
	g_byte_array_unref(call.answer);
}

static gpointer run(gpointer of)
{
	GrpcServer *server = of;
	struct pollfd fds[] = {{server->listener, POLLIN, 0}, {server->stop[0], POLLIN, 0}};
	while (poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
		int fd = accept(server->listener, NULL, NULL);
		if (fd < 0)
			continue;
		/* A client that hangs in its handshake must not hang the test. */
		struct timeval patience = {5, 0};
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		serve(server, fd);
		close(fd);
	}
	return NULL;
}

static int choose_h2(SSL *tls, const guchar **chosen, guchar *chosen_size, const guchar *offered,
	guint offered_size, void *of)
{
	*chosen = (const guchar *)"h2";
	*chosen_size = 2;
	g_assert(offered_size == 3 && memcmp(offered, "\2h2", 3) == 0);
	return SSL_TLSEXT_ERR_OK;
}

/* With a certificate that nobody trusts. */
static SSL_CTX *context_new(const GrpcScript *script)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_set_pubkey(certificate, key);
	g_assert(X509_sign(certificate, key, EVP_sha256()) > 0);
	g_assert(SSL_CTX_use_certificate(context, certificate) == 1 &&
		 SSL_CTX_use_PrivateKey(context, key) == 1);
	if (!script->without_alpn)
		SSL_CTX_set_alpn_select_cb(context, choose_h2, NULL);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

GrpcServer *grpc_server_new(const GrpcScript *script)
{
	GrpcServer *server = g_new0(GrpcServer, 1);
	struct sockaddr_in place = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof place;
	signal(SIGPIPE, SIG_IGN);
	server->script = script;
	server->heard = g_strdup("");
	if (script->tls)
		server->context = context_new(script);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert(bind(server->listener, (struct sockaddr *)&place, size) == 0);
	g_assert(listen(server->listener, 16) == 0 && pipe(server->stop) == 0);
	g_assert(getsockname(server->listener, (struct sockaddr *)&place, &size) == 0);
	server->port = ntohs(place.sin_port);
	g_mutex_init(&server->lock);
	server->thread = g_thread_new("grpc", run, server);
	return server;
}

void grpc_server_free(GrpcServer *server)
{
	g_assert(write(server->stop[1], "", 1) == 1);
	g_thread_join(server->thread);
	close(server->listener);
	close(server->stop[0]);
	close(server->stop[1]);
	SSL_CTX_free(server->context);
	g_mutex_clear(&server->lock);
	g_free(server->heard);
	g_free(server);
}

guint16 grpc_server_port(const GrpcServer *server)
{
	return server->port;
}

char *grpc_server_heard(GrpcServer *server)
{
	g_mutex_lock(&server->lock);
	char *copy = g_strdup(server->heard);
	g_mutex_unlock(&server->lock);
	return copy;
}
