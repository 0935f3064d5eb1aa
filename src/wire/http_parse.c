/* SPDX-License-Identifier: ISC
 *
 * The head of a request, read from bytes.
 *
 * Its lines end with CR LF, and nothing else holds a CR or an LF. A line that begins with a blank
 * would go on with the one before (RFC 9112, 5.2): refused. What cannot become a request, as a TLS
 * hello, is refused at its first byte, and need not wait for its deadline.
 */
#include "wire/http_parse.h"

#include <string.h>

/* The longest address, and method and version. */
#define FIRST_LINE_BYTES (HTTP_MAXIMUM_URL_BYTES + 64)

static HttpRefusal refuse(int status, const char *reason)
{
	return (HttpRefusal){status, reason};
}

/* Of one line, without CR LF. */
static HttpRefusal judge_line(const char *line, gsize length, gboolean is_first)
{
	if (is_first && length == 0)
		return refuse(400, "the request begins with an empty line");
	if (is_first && length > FIRST_LINE_BYTES)
		return refuse(414, "the address is too long");
	if (!is_first && (line[0] == ' ' || line[0] == '\t'))
		return refuse(400, "a header field goes on in the next line");
	return refuse(0, NULL);
}

static HttpRefusal judge_size(gsize size_bytes, gsize line)
{
	if (size_bytes <= HTTP_MAXIMUM_HEADER_BYTES)
		return refuse(0, NULL);
	return line == 0 ? refuse(414, "the address is too long")
			 : refuse(431, "the header is too large");
}

gsize http_parse_find_end(const char *bytes, gsize size_bytes, gsize *line, HttpRefusal *refusal)
{
	*refusal = refuse(0, NULL);
	if (size_bytes > 0 && bytes[0] != '\r' && !g_ascii_isgraph(bytes[0])) {
		*refusal = refuse(400, "this is not HTTP");
		return 0;
	}
	while (*line < size_bytes) {
		const char *start = bytes + *line;
		const char *end = memchr(start, '\n', size_bytes - *line);
		if (!end)
			break;
		if (end == start || end[-1] != '\r') {
			*refusal = refuse(400, "a line ends without CR");
			return 0;
		}
		gsize length = (gsize)(end - start) - 1;
		*refusal = judge_line(start, length, *line == 0);
		if (refusal->status)
			return 0;
		*line += length + 2;
		if (*line > HTTP_MAXIMUM_HEADER_BYTES)
			break;
		if (length == 0)
			return *line;
	}
	*refusal = judge_size(MAX(size_bytes, *line), *line);
	return 0;
}

/* The text up to `stop`, which a NUL replaces; *at is behind it then. NULL when it does not stop
 * before `end`. */
static char *take(char **at, char *end, char stop)
{
	char *text = *at;
	char *found = memchr(text, stop, (gsize)(end - text));
	if (!found)
		return NULL;
	*found = '\0';
	*at = found + 1;
	return text;
}

static gboolean has_control_characters(const char *bytes, gsize size_bytes)
{
	for (gsize i = 0; i < size_bytes; i++)
		if (g_ascii_iscntrl(bytes[i]))
			return TRUE;
	return FALSE;
}

static gboolean is_version(const char *text)
{
	return g_str_has_prefix(text, "HTTP/") && g_ascii_isdigit(text[5]) && text[6] == '.' &&
	       g_ascii_isdigit(text[7]) && text[8] == '\0';
}

typedef struct RequestLine {
	const char *method, *version;
} RequestLine;

static HttpRefusal read_request_line(
	HttpRequest *request, char *line, gsize length, RequestLine *read)
{
	char *at = line, *end = line + length;
	*end = '\0';
	read->method = take(&at, end, ' ');
	request->target = read->method ? take(&at, end, ' ') : NULL;
	read->version = at;
	gsize target_bytes = request->target ? (gsize)(at - request->target) - 1 : 0;
	if (target_bytes > HTTP_MAXIMUM_URL_BYTES)
		return refuse(414, "the address is too long");
	if (!request->target || !is_version(read->version) || at + strlen(at) != end)
		return refuse(400, "the first line is not METHOD ADDRESS HTTP/1.1");
	if (has_control_characters(request->target, target_bytes))
		return refuse(400, "the address holds a control character");
	return refuse(0, NULL);
}

static HttpRefusal read_field(HttpRequest *request, char *line, gsize length)
{
	char *colon = memchr(line, ':', length);
	if (!colon)
		return refuse(400, "a header field has no colon");
	char *value = colon + 1, *end = line + length;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	const char *wrong = http_request_take_header(
		request, line, (gsize)(colon - line), value, (gsize)(end - value));
	return wrong ? refuse(400, wrong) : refuse(0, NULL);
}

static HttpRefusal read_fields(HttpRequest *request, char *at, const char *end)
{
	HttpRefusal refusal = refuse(0, NULL);
	for (guint count = 1; !refusal.status && at < end; count++) {
		char *stop = memchr(at, '\n', (gsize)(end - at));
		if (count > HTTP_MAXIMUM_HEADER_FIELDS)
			return refuse(431, "the header has too many fields");
		refusal = read_field(request, at, (gsize)(stop - at) - 1);
		at = stop + 1;
	}
	return refusal;
}

/* Whether a list as "keep-alive, Upgrade" has the word. */
static gboolean has_word(const char *list, const char *word)
{
	gsize length = strlen(word);
	while (list && *list) {
		list += strspn(list, ", \t");
		gsize element = strcspn(list, ", \t");
		if (element == length && g_ascii_strncasecmp(list, word, length) == 0)
			return TRUE;
		list += element;
	}
	return FALSE;
}

static gboolean is_last(const HttpRequest *request)
{
	const char *connection = http_request_header(request, "Connection");
	return request->is_old ? !has_word(connection, "keep-alive")
			       : has_word(connection, "close");
}

HttpRefusal http_parse_head(char *head, gsize size_bytes, HttpRequest *request)
{
	g_assert(size_bytes > 4 && memcmp(head + size_bytes - 4, "\r\n\r\n", 4) == 0);
	char *stop = memchr(head, '\n', size_bytes);
	RequestLine line = {0};
	HttpRefusal refusal = read_request_line(request, head, (gsize)(stop - head) - 1, &line);
	if (!refusal.status)
		refusal = read_fields(request, stop + 1, head + size_bytes - 2);
	if (!refusal.status)
		refusal = http_check_request(request, line.method, line.version);
	if (refusal.status)
		return refusal;
	request->is_old = strcmp(line.version, "HTTP/1.0") == 0;
	request->is_last = is_last(request);
	if (!request->is_old && !http_request_header(request, "Host"))
		return refuse(400, "HTTP/1.1 needs a Host field");
	return refuse(0, NULL);
}
