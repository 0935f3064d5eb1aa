/* SPDX-License-Identifier: ISC
 *
 * An answer: a status, header fields, and a body that is bytes or a stream. It is a value until it
 * is queued; only http_answer_queue() knows libmicrohttpd.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "wire/http_inside.h"

#define FIELDS_BYTES 384 /* room for the usual fields, so that they are written without moving */

struct HttpAnswer {
	int status;
	GBytes *body;	 /* never NULL; empty for streams and files */
	GString *fields; /* lines "Name: value\r\n" */
	HttpFile file;
	HttpStream *stream;
	HttpWait wait; /* its topic NULL: an answer */
};

HttpAnswer *http_answer_new_bytes(int status, const char *content_type, GBytes *body)
{
	g_assert(status >= 200 && status <= 599);
	HttpAnswer *answer = g_new0(HttpAnswer, 1);
	answer->status = status;
	answer->body = body ? g_bytes_ref(body) : g_bytes_new_static("", 0);
	answer->fields = g_string_sized_new(FIELDS_BYTES);
	answer->file.fd = -1;
	if (content_type)
		http_answer_header(answer, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	return answer;
}

HttpAnswer *http_answer_new(
	int status, const char *content_type, const char *body, gssize size_bytes)
{
	gsize length = !body ? 0 : size_bytes < 0 ? strlen(body) : (gsize)size_bytes;
	g_autoptr(GBytes) bytes = g_bytes_new(body, length);
	return http_answer_new_bytes(status, content_type, bytes);
}

HttpAnswer *http_answer_new_refusal(int status, const char *reason)
{
	g_autofree char *text = g_strdup_printf("%d: %s\n", status, reason);
	HttpAnswer *answer = http_answer_new(status, "text/plain; charset=utf-8", text, -1);
	http_answer_header(answer, "X-Content-Type-Options", "nosniff");
	if (status == 405)
		http_answer_header(answer, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	if (status == 503)
		http_answer_header(answer, "Retry-After", "2");
	return answer;
}

HttpAnswer *http_answer_new_stream(HttpEvents *events, const char *owner)
{
	HttpStream *stream = http_stream_new(events, owner);
	if (!stream)
		return http_answer_new_refusal(503, "no more event streams can be opened");
	HttpAnswer *answer = http_answer_new(200, "text/event-stream; charset=utf-8", NULL, 0);
	http_answer_header(answer, "Cache-Control", "no-store");
	http_answer_header(answer, "X-Accel-Buffering", "no");
	answer->stream = stream;
	return answer;
}

HttpAnswer *http_answer_new_wait(const char *topic, gint64 known, guint wait_ms)
{
	HttpAnswer *answer = http_answer_new(503, NULL, NULL, 0);
	answer->wait = (HttpWait){g_strdup(topic), known, wait_ms};
	return answer;
}

const HttpWait *http_answer_wait(const HttpAnswer *answer)
{
	return answer->wait.topic ? &answer->wait : NULL;
}

gboolean http_tag_matches(const char *list, const char *tag)
{
	g_auto(GStrv) known = g_strsplit(list, ",", -1);
	for (gsize i = 0; known[i]; i++) {
		const char *one = g_strstrip(known[i]);
		if (g_str_has_prefix(one, "W/"))
			one += 2;
		if (strcmp(one, tag) == 0 || strcmp(one, "*") == 0)
			return TRUE;
	}
	return FALSE;
}

HttpAnswer *http_answer_new_static(
	const HttpRequest *request, const char *content_type, GBytes *body, const char *tag)
{
	g_autofree char *quoted = g_strdup_printf("\"%s\"", tag);
	const char *known = http_request_header(request, "If-None-Match");
	HttpAnswer *answer = known && http_tag_matches(known, quoted)
				     ? http_answer_new_bytes(304, NULL, NULL)
				     : http_answer_new_bytes(200, content_type, body);
	http_answer_header(answer, "ETag", quoted);
	return answer;
}

gboolean http_header_is_safe(const char *value)
{
	for (; *value; value++)
		if (g_ascii_iscntrl(*value) && *value != '\t')
			return FALSE;
	return TRUE;
}

void http_answer_header(HttpAnswer *answer, const char *name, const char *value)
{
	g_assert(*name && !strpbrk(name, " \t\r\n:"));
	g_assert(http_header_is_safe(value));
	g_string_append(answer->fields, name);
	g_string_append_len(answer->fields, ": ", 2);
	g_string_append(answer->fields, value);
	g_string_append_len(answer->fields, "\r\n", 2);
}

HttpAnswer *http_answer_copy(const HttpAnswer *answer)
{
	g_assert(!answer->stream && answer->file.fd < 0 && !answer->wait.topic);
	HttpAnswer *copy = http_answer_new_bytes(answer->status, NULL, answer->body);
	g_string_append_len(copy->fields, answer->fields->str, (gssize)answer->fields->len);
	return copy;
}

gsize http_answer_body_bytes(const HttpAnswer *answer)
{
	return g_bytes_get_size(answer->body);
}

const GString *http_answer_fields(const HttpAnswer *answer)
{
	return answer->fields;
}

GBytes *http_answer_body(const HttpAnswer *answer)
{
	return answer->body;
}

const HttpFile *http_answer_file(const HttpAnswer *answer)
{
	return &answer->file;
}

void http_answer_set_file(HttpAnswer *answer, HttpFile file)
{
	g_assert(answer->file.fd < 0 && g_bytes_get_size(answer->body) == 0);
	answer->file = file;
}

int http_answer_status(const HttpAnswer *answer)
{
	return answer->status;
}

HttpStream *http_answer_stream(const HttpAnswer *answer)
{
	return answer->stream;
}

void http_answer_free(HttpAnswer *answer)
{
	if (!answer)
		return;
	g_bytes_unref(answer->body);
	g_string_free(answer->fields, TRUE);
	if (answer->file.fd >= 0)
		close(answer->file.fd);
	g_clear_pointer(&answer->stream, http_stream_unref);
	g_free(answer->wait.topic);
	g_free(answer);
}

void http_answer_strip_stream(HttpAnswer *answer)
{
	g_clear_pointer(&answer->stream, http_stream_unref);
}

static void forget_bytes(void *of)
{
	g_bytes_unref(of);
}

/* The bytes are not copied: the response holds a reference. */
static struct MHD_Response *response_of_bytes(GBytes *body)
{
	gsize length = 0;
	const void *bytes = g_bytes_get_data(body, &length);
	/* The cast drops const: libmicrohttpd takes a void pointer, and only reads. */
	return MHD_create_response_from_buffer_with_free_callback_cls(
		length, (void *)(guintptr)bytes, forget_bytes, g_bytes_ref(body));
}

/* The response closes its descriptor; the answer keeps its own. NULL when there are no more. */
static struct MHD_Response *response_of_file(const HttpFile *file)
{
	int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? NULL
		      : MHD_create_response_from_fd_at_offset64(
				(uint64_t)file->length, fd, (uint64_t)file->from);
}

static struct MHD_Response *response_of(const HttpAnswer *answer, struct MHD_Connection *connection)
{
	if (answer->stream)
		return http_stream_response(answer->stream, connection);
	if (answer->file.fd >= 0)
		return response_of_file(&answer->file);
	return response_of_bytes(answer->body);
}

static void add_fields(struct MHD_Response *response, const GString *fields)
{
	const char *end;
	for (const char *line = fields->str; *line; line = end + 2) {
		const char *colon = strchr(line, ':');
		end = strchr(colon, '\r');
		g_autofree char *name = g_strndup(line, (gsize)(colon - line));
		g_autofree char *value = g_strndup(colon + 2, (gsize)(end - colon - 2));
		MHD_add_response_header(response, name, value);
	}
}

gboolean http_answer_queue(
	const HttpAnswer *answer, struct MHD_Connection *connection, gboolean last)
{
	struct MHD_Response *response = response_of(answer, connection);
	if (!response)
		return FALSE;
	add_fields(response, answer->fields);
	if (last)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	enum MHD_Result queued = MHD_queue_response(connection, (unsigned)answer->status, response);
	MHD_destroy_response(response);
	return queued == MHD_YES;
}

int http_status_of_error(const GError *error)
{
	if (!error || error->domain != DROVER_ERROR)
		return 500;
	switch ((DroverErrorCode)error->code) {
	case DROVER_ERROR_INPUT:
		return 400;
	case DROVER_ERROR_UNAUTHENTICATED:
		return 401;
	case DROVER_ERROR_DENIED:
		return 403;
	case DROVER_ERROR_NOT_FOUND:
		return 404;
	case DROVER_ERROR_CONFLICT:
	case DROVER_ERROR_FROZEN:
		return 409;
	case DROVER_ERROR_TOO_LARGE:
		return 413;
	case DROVER_ERROR_LOCKED:
		return 423;
	case DROVER_ERROR_RATE:
		return 429;
	case DROVER_ERROR_MAINTENANCE:
	case DROVER_ERROR_UNAVAILABLE:
		return 503;
	case DROVER_ERROR_INTERNAL:
	case DROVER_ERROR_ROOT:
		return 500;
	}
	return 500;
}
