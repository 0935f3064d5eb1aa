/* SPDX-License-Identifier: ISC
 *
 * One call of grpc.health.v1.Health/Check.
 *
 *     HealthCheckRequest  { string service = 1; }
 *     HealthCheckResponse { ServingStatus status = 1; }   UNKNOWN, SERVING, NOT_SERVING, ...
 *
 * A message stands in the body after five bytes: 0 (not compressed), and its size. How the call
 * went stands in the trailers: grpc-status, 0 for well. Only a call that went well and says SERVING
 * is a server that serves.
 */
#include "balance/monitor/grpc_health.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

#include "balance/shown.h"

#define PREFIX_BYTES  5
#define STATUS_ABSENT (-1)

struct GrpcHealth {
	nghttp2_session *session;
	int32_t stream;
	GByteArray *request;
	gsize request_sent;
	GByteArray *answer;
	gsize read_bytes;
	int http_status;
	int grpc_status; /* STATUS_ABSENT: not said */
	char *grpc_message;
	gboolean content_is_grpc;
	gboolean too_long; /* the answer */
	GrpcState state;
	char *why;
};

/* Takes `why`. The first verdict stays. */
static void settle(GrpcHealth *call, GrpcState state, char *why)
{
	if (call->state != GRPC_UNDER_WAY) {
		g_free(why);
		return;
	}
	call->state = state;
	call->why = why;
}

/* Messages */

static GByteArray *write_request(const char *service)
{
	gsize length = MIN(strlen(service), GRPC_MAXIMUM_SERVICE_BYTES);
	GByteArray *message = g_byte_array_new();
	if (length > 0) {
		guint8 tag = 1 << 3 | 2; /* field 1, bytes */
		guint8 size[2] = {(guint8)length, 1};
		if (length > 127)
			size[0] = (guint8)(length & 127) | 128; /* the length goes on: 128 + .. */
		g_byte_array_append(message, &tag, 1);
		g_byte_array_append(message, size, length > 127 ? 2 : 1);
		g_byte_array_append(message, (const guint8 *)service, (guint)length);
	}
	guint8 prefix[PREFIX_BYTES] = {
		0, 0, 0, (guint8)(message->len >> 8), (guint8)(message->len & 255)};
	g_byte_array_prepend(message, prefix, sizeof prefix);
	return message;
}

typedef struct Cursor {
	const guint8 *at, *end;
	gboolean broken;
} Cursor;

static guint64 read_varint(Cursor *cursor)
{
	guint64 number = 0;
	for (guint shift = 0; shift < 64; shift += 7) {
		if (cursor->at == cursor->end)
			break;
		guint8 byte = *cursor->at++;
		number |= (guint64)(byte & 127) << shift;
		if ((byte & 128) == 0)
			return number;
	}
	cursor->broken = TRUE;
	return 0;
}

static void skip(Cursor *cursor, guint64 size_bytes)
{
	if (size_bytes > (guint64)(cursor->end - cursor->at))
		cursor->broken = TRUE;
	else
		cursor->at += size_bytes;
}

static void skip_field(Cursor *cursor, guint kind)
{
	switch (kind) {
	case 0:
		read_varint(cursor);
		return;
	case 1:
		skip(cursor, 8);
		return;
	case 2:
		skip(cursor, read_varint(cursor));
		return;
	case 5:
		skip(cursor, 4);
		return;
	default:
		cursor->broken = TRUE;
	}
}

/* FALSE: it is broken. A field that is there twice counts as it is at last; absent it is 0. */
static gboolean read_answer(const GByteArray *answer, guint64 *status)
{
	*status = 0;
	if (answer->len < PREFIX_BYTES || answer->data[0] != 0)
		return FALSE;
	gsize size = (gsize)answer->data[1] << 24 | (gsize)answer->data[2] << 16 |
		     (gsize)answer->data[3] << 8 | answer->data[4];
	if (size != answer->len - PREFIX_BYTES)
		return FALSE;
	Cursor cursor = {answer->data + PREFIX_BYTES, answer->data + answer->len, FALSE};
	while (cursor.at < cursor.end && !cursor.broken) {
		guint64 tag = read_varint(&cursor);
		if (tag == (1 << 3 | 0))
			*status = read_varint(&cursor);
		else
			skip_field(&cursor, (guint)(tag & 7));
	}
	return !cursor.broken;
}

/* The verdict, when the call has ended. */

static char *status_text(guint64 status)
{
	static const char *const words[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
	if (status < G_N_ELEMENTS(words))
		return g_strdup(words[status]);
	return g_strdup_printf("status %" G_GUINT64_FORMAT, status);
}

static char *call_trouble(const GrpcHealth *call)
{
	if (call->http_status != 200)
		return g_strdup_printf("HTTP status %d, wanted 200", call->http_status);
	if (!call->content_is_grpc)
		return g_strdup("answered, but not with gRPC");
	switch (call->grpc_status) {
	case 0:
		return NULL;
	case STATUS_ABSENT:
		return g_strdup("the answer broke off: no grpc-status");
	case 5:
		return g_strdup("NOT_FOUND: it knows no health of such a service");
	case 12:
		return g_strdup("UNIMPLEMENTED: it has no health service");
	default:
		return g_strdup_printf("grpc-status %d%s%s", call->grpc_status,
			call->grpc_message != NULL ? ": " : "",
			call->grpc_message != NULL ? call->grpc_message : "");
	}
}

static void judge(GrpcHealth *call)
{
	guint64 status = 0;
	char *trouble = call_trouble(call);
	if (trouble != NULL)
		settle(call, GRPC_NOT_SERVING, trouble);
	else if (call->too_long || !read_answer(call->answer, &status))
		settle(call, GRPC_NOT_SERVING, g_strdup("its answer about health cannot be read"));
	else
		settle(call, status == 1 ? GRPC_SERVING : GRPC_NOT_SERVING, status_text(status));
}

/* What nghttp2 says */

static gboolean is_text(const uint8_t *bytes, size_t size, const char *text)
{
	return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

/* -2 for what is no number: a status, but none that is good. */
static int number_of(const uint8_t *bytes, size_t size)
{
	int number = 0;
	if (size == 0 || size > 4)
		return -2;
	for (size_t i = 0; i < size; i++) {
		if (!g_ascii_isdigit((char)bytes[i]))
			return -2;
		number = number * 10 + g_ascii_digit_value((char)bytes[i]);
	}
	return number;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *of)
{
	GrpcHealth *call = of;
	if (frame->hd.stream_id != call->stream)
		return 0;
	if (is_text(name, name_size, ":status"))
		call->http_status = number_of(value, value_size);
	else if (is_text(name, name_size, "grpc-status"))
		call->grpc_status = number_of(value, value_size);
	else if (is_text(name, name_size, "content-type"))
		call->content_is_grpc =
			value_size >= 16 && memcmp(value, "application/grpc", 16) == 0;
	else if (is_text(name, name_size, "grpc-message") && call->grpc_message == NULL)
		call->grpc_message = shown_text((const char *)value, (gssize)value_size);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
	size_t size, void *of)
{
	GrpcHealth *call = of;
	if (stream != call->stream)
		return 0;
	if (size > PREFIX_BYTES + GRPC_MAXIMUM_MESSAGE_BYTES - call->answer->len)
		call->too_long = TRUE;
	else
		g_byte_array_append(call->answer, bytes, (guint)size);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *of)
{
	GrpcHealth *call = of;
	if (stream != call->stream)
		return 0;
	/* A server that has said all may end the call with NO_ERROR before it has read all. */
	if (code != NGHTTP2_NO_ERROR && call->grpc_status == STATUS_ABSENT)
		settle(call, GRPC_NOT_SERVING,
			g_strdup_printf("the call was cut: %s", nghttp2_http2_strerror(code)));
	judge(call);
	return 0;
}

static ssize_t on_body_wanted(nghttp2_session *session, int32_t stream, uint8_t *buffer,
	size_t length, uint32_t *flags, nghttp2_data_source *source, void *of)
{
	GrpcHealth *call = of;
	gsize size = MIN(length, call->request->len - call->request_sent);
	memcpy(buffer, call->request->data + call->request_sent, size);
	call->request_sent += size;
	if (call->request_sent == call->request->len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)size;
}

/* The call */

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)(guintptr)name, (uint8_t *)(guintptr)value, strlen(name),
		strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static void submit(GrpcHealth *call, const char *authority, gboolean tls)
{
	const nghttp2_nv fields[] = {
		field(":method", "POST"),
		field(":scheme", tls ? "https" : "http"),
		field(":path", "/grpc.health.v1.Health/Check"),
		field(":authority", authority),
		field("te", "trailers"),
		field("content-type", "application/grpc"),
		field("user-agent", "drover-lvs/" DROVER_VERSION),
	};
	const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 16 * 1024}};
	nghttp2_data_provider body = {.read_callback = on_body_wanted};
	int settled = nghttp2_submit_settings(
		call->session, NGHTTP2_FLAG_NONE, settings, G_N_ELEMENTS(settings));
	call->stream = nghttp2_submit_request(
		call->session, NULL, fields, G_N_ELEMENTS(fields), &body, call);
	if (settled != 0 || call->stream < 0)
		settle(call, GRPC_NOT_SERVING, g_strdup("the call cannot be made"));
}

GrpcHealth *grpc_health_new(const char *authority, const char *service, gboolean tls)
{
	GrpcHealth *call = g_new0(GrpcHealth, 1);
	nghttp2_session_callbacks *callbacks = NULL;
	call->request = write_request(service);
	call->answer = g_byte_array_new();
	call->grpc_status = STATUS_ABSENT;
	int made = nghttp2_session_callbacks_new(&callbacks);
	g_assert(made == 0); /* fails for want of memory only */
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	made = nghttp2_session_client_new(&call->session, callbacks, call);
	nghttp2_session_callbacks_del(callbacks);
	g_assert(made == 0);
	submit(call, authority, tls);
	return call;
}

void grpc_health_free(GrpcHealth *call)
{
	if (call == NULL)
		return;
	nghttp2_session_del(call->session);
	g_byte_array_unref(call->request);
	g_byte_array_unref(call->answer);
	g_free(call->grpc_message);
	g_free(call->why);
	g_free(call);
}

/* After a breach of the rules the session says so to the server, and is over then. */
static void see_whether_it_is_over(GrpcHealth *call)
{
	if (!nghttp2_session_want_read(call->session))
		settle(call, GRPC_NOT_SERVING, g_strdup("speaks no HTTP/2, or breaks its rules"));
}

gsize grpc_health_next(GrpcHealth *call, const guint8 **bytes)
{
	ssize_t size = nghttp2_session_mem_send(call->session, bytes);
	see_whether_it_is_over(call);
	return size > 0 ? (gsize)size : 0;
}

void grpc_health_feed(GrpcHealth *call, const guint8 *bytes, gsize size_bytes)
{
	call->read_bytes += size_bytes;
	if (call->read_bytes > GRPC_MAXIMUM_BYTES) {
		settle(call, GRPC_NOT_SERVING,
			g_strdup_printf(
				"sent over %d KiB for one answer", GRPC_MAXIMUM_BYTES / 1024));
		return;
	}
	ssize_t taken = nghttp2_session_mem_recv(call->session, bytes, size_bytes);
	if (taken < 0)
		settle(call, GRPC_NOT_SERVING, g_strdup("speaks no HTTP/2, or breaks its rules"));
	see_whether_it_is_over(call);
}

void grpc_health_close(GrpcHealth *call)
{
	settle(call, GRPC_NOT_SERVING,
		g_strdup(call->read_bytes == 0
				 ? "closed by the server without an answer"
				 : "closed by the server before its answer was whole"));
}

GrpcState grpc_health_state(const GrpcHealth *call, const char **why)
{
	*why = call->why;
	return call->state;
}

gboolean grpc_health_has_begun(const GrpcHealth *call)
{
	return call->read_bytes > 0;
}
