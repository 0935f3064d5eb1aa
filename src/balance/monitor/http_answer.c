/* SPDX-License-Identifier: ISC
 *
 * A state machine over lines and counted bytes:
 *
 *     STATUS -> HEADER* -> BODY (counted, or until the connection closes)
 *                       -> CHUNK_SIZE -> CHUNK -> CHUNK_END -> CHUNK_SIZE ... -> TRAILER*
 *
 * Lines end with CRLF or LF. An interim answer (1xx) is followed by another STATUS.
 */
#include "balance/monitor/http_answer.h"

#include <string.h>

enum { STATUS, HEADER, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER };

void http_answer_init(HttpAnswer *answer, gboolean keeps_body)
{
	memset(answer, 0, G_STRUCT_OFFSET(HttpAnswer, line));
	answer->keeps_body = keeps_body;
	answer->at = STATUS;
}

void http_answer_clear(HttpAnswer *answer)
{
	g_clear_pointer(&answer->body, g_byte_array_unref);
}

static void fail(HttpAnswer *answer, const char *problem)
{
	answer->state = HTTP_ANSWER_BROKEN;
	answer->problem = problem;
}

static void complete(HttpAnswer *answer)
{
	answer->state = HTTP_ANSWER_COMPLETE;
}

/* "HTTP/1.1 200 OK"; the reason may be absent, with its blank. */
static void read_status(HttpAnswer *answer, const char *line, gsize size)
{
	const char *digits = line + strlen("HTTP/1.1 ");
	if (size < strlen("HTTP/1.1 200") || memcmp(line, "HTTP/1.", 7) != 0 ||
		!g_ascii_isdigit(line[7]) || line[8] != ' ' || !g_ascii_isdigit(digits[0]) ||
		!g_ascii_isdigit(digits[1]) || !g_ascii_isdigit(digits[2]) || digits[0] == '0' ||
		(size > 12 && digits[3] != ' ')) {
		fail(answer, "the answer is no HTTP");
		return;
	}
	answer->status = (guint)(digits[0] - '0') * 100 + (guint)(digits[1] - '0') * 10 +
			 (guint)(digits[2] - '0');
	gsize reason_bytes = size > 13 ? MIN(size - 13, HTTP_ANSWER_MAXIMUM_REASON_BYTES) : 0;
	memcpy(answer->reason, line + 13, reason_bytes);
	answer->reason[reason_bytes] = '\0';
	answer->at = HEADER;
}

static gboolean is_header(const char *line, gsize size, const char *name)
{
	gsize length = strlen(name);
	return size > length && line[length] == ':' && g_ascii_strncasecmp(line, name, length) == 0;
}

/* After the colon, without blanks around it; never more than the line. */
static const char *header_value(const char *line, gsize size, gsize *value_bytes)
{
	const char *end = line + size, *value = (const char *)memchr(line, ':', size) + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*value_bytes = (gsize)(end - value);
	return value;
}

static void read_length(HttpAnswer *answer, const char *digits, gsize size)
{
	guint64 length = 0;
	gboolean ok = size > 0 && size <= 18;
	for (gsize i = 0; ok && i < size; i++) {
		ok = g_ascii_isdigit(digits[i]);
		length = length * 10 + (guint64)(digits[i] - '0');
	}
	if (!ok || (answer->has_length && length != answer->left)) {
		fail(answer, "the answer has no valid Content-Length");
		return;
	}
	answer->has_length = TRUE;
	answer->left = length;
}

static gboolean ends_with(const char *text, gsize size, const char *end)
{
	gsize length = strlen(end);
	return size >= length && g_ascii_strncasecmp(text + size - length, end, length) == 0;
}

static void read_header(HttpAnswer *answer, const char *line, gsize size)
{
	gsize value_bytes = 0;
	if (is_header(line, size, "Content-Length")) {
		const char *value = header_value(line, size, &value_bytes);
		read_length(answer, value, value_bytes);
	} else if (is_header(line, size, "Transfer-Encoding")) {
		const char *value = header_value(line, size, &value_bytes);
		answer->is_chunked = ends_with(value, value_bytes, "chunked");
	} else if (is_header(line, size, HTTP_ANSWER_MAINTENANCE)) {
		answer->maintenance = TRUE;
	}
}

/* The empty line after the headers. */
static void end_head(HttpAnswer *answer)
{
	if (answer->status < 200) {
		answer->at = STATUS;
		answer->maintenance = answer->has_length = answer->is_chunked = FALSE;
		if (answer->status == 101)
			fail(answer, "the server switches to another protocol");
		return;
	}
	answer->has_head = TRUE;
	if (answer->status == 204 || answer->status == 304) {
		complete(answer);
	} else if (answer->is_chunked) {
		answer->at = CHUNK_SIZE;
	} else {
		answer->at = BODY;
		if (answer->has_length && answer->left == 0)
			complete(answer);
	}
}

/* "1f40;extension=1" */
static void read_chunk_size(HttpAnswer *answer, const char *line, gsize size)
{
	gsize i = 0;
	answer->left = 0;
	for (; i < size && g_ascii_isxdigit(line[i]); i++)
		answer->left = answer->left * 16 + (guint64)g_ascii_xdigit_value(line[i]);
	if (i == 0 || i > 15 || (i < size && strchr("; \t", line[i]) == NULL)) {
		fail(answer, "the answer's chunks are broken");
		return;
	}
	answer->at = answer->left == 0 ? TRAILER : CHUNK;
}

static void read_line(HttpAnswer *answer, const char *line, gsize size)
{
	if (size > 0 && line[size - 1] == '\r')
		size--;
	switch (answer->at) {
	case STATUS:
		read_status(answer, line, size);
		return;
	case HEADER:
		if (size == 0)
			end_head(answer);
		else
			read_header(answer, line, size);
		return;
	case CHUNK_SIZE:
		read_chunk_size(answer, line, size);
		return;
	case CHUNK_END:
		answer->at = CHUNK_SIZE;
		if (size != 0)
			fail(answer, "the answer's chunks are broken");
		return;
	case TRAILER:
		if (size == 0)
			complete(answer);
		return;
	default:
		g_assert_not_reached();
	}
}

/* What cannot become a status line is refused at once, however long it is. */
static gboolean may_be_http(const HttpAnswer *answer)
{
	static const char begin[] = "HTTP/1.";
	return answer->at != STATUS ||
	       memcmp(answer->line, begin, MIN(answer->line_bytes, sizeof begin - 1)) == 0;
}

/* Chunk marks are bounded by the body between them, each by the length of a line. */
static gboolean count_line(HttpAnswer *answer, gsize size_bytes)
{
	if (answer->at == CHUNK_SIZE || answer->at == CHUNK_END) {
		if (answer->line_bytes + size_bytes > sizeof answer->line)
			fail(answer, "the answer's chunks are broken");
		return answer->state == HTTP_ANSWER_READING;
	}
	answer->head_bytes += (guint)MIN(size_bytes, HTTP_ANSWER_MAXIMUM_HEAD_BYTES + 1);
	if (answer->head_bytes > HTTP_ANSWER_MAXIMUM_HEAD_BYTES)
		fail(answer, "the answer's headers are longer than 8 KiB");
	return answer->state == HTTP_ANSWER_READING;
}

/* Returns how much of it was taken: up to the end of the line, or all. */
static gsize feed_line(HttpAnswer *answer, const char *bytes, gsize size_bytes)
{
	const char *end = memchr(bytes, '\n', size_bytes);
	gsize taken = end == NULL ? size_bytes : (gsize)(end - bytes) + 1;
	gsize text_bytes = end == NULL ? size_bytes : taken - 1;
	if (!count_line(answer, taken))
		return taken;
	gsize kept = MIN(text_bytes, sizeof answer->line - answer->line_bytes);
	memcpy(answer->line + answer->line_bytes, bytes, kept);
	answer->line_bytes += (guint)kept;
	if (!may_be_http(answer)) {
		fail(answer, "the answer is no HTTP");
		return taken;
	}
	if (end != NULL) {
		gsize line_bytes = answer->line_bytes;
		answer->line_bytes = 0;
		read_line(answer, answer->line, line_bytes);
	}
	return taken;
}

static gsize feed_body(HttpAnswer *answer, const char *bytes, gsize size_bytes)
{
	gboolean counted = answer->at == CHUNK || answer->has_length;
	gsize room = HTTP_ANSWER_MAXIMUM_BODY_BYTES - answer->body_bytes;
	gsize taken = MIN(size_bytes, room);
	if (counted)
		taken = (gsize)MIN((guint64)taken, answer->left);
	if (answer->keeps_body) {
		if (answer->body == NULL)
			answer->body = g_byte_array_new();
		g_byte_array_append(answer->body, (const guint8 *)bytes, (guint)taken);
	}
	answer->body_bytes += (guint)taken;
	answer->left -= counted ? taken : 0;
	if (counted && answer->left == 0) {
		if (answer->at == BODY)
			complete(answer);
		else
			answer->at = CHUNK_END;
	} else if (answer->body_bytes == HTTP_ANSWER_MAXIMUM_BODY_BYTES) {
		answer->is_cut = TRUE;
		complete(answer);
	}
	return taken;
}

HttpAnswerState http_answer_feed(HttpAnswer *answer, const char *bytes, gsize size_bytes)
{
	while (size_bytes > 0 && answer->state == HTTP_ANSWER_READING) {
		gsize taken = answer->at == BODY || answer->at == CHUNK
				      ? feed_body(answer, bytes, size_bytes)
				      : feed_line(answer, bytes, size_bytes);
		bytes += taken;
		size_bytes -= taken;
	}
	return answer->state;
}

HttpAnswerState http_answer_close(HttpAnswer *answer)
{
	if (answer->state != HTTP_ANSWER_READING)
		return answer->state;
	if (answer->at == BODY && !answer->has_length)
		complete(answer);
	else if (answer->head_bytes == 0)
		fail(answer, "the server closed the connection without an answer");
	else
		fail(answer, "the server closed the connection in the middle of its answer");
	return answer->state;
}
