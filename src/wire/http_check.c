/* SPDX-License-Identifier: ISC
 *
 * What of a request's head is refused before its body is read: RFC 9112 on framing, and our limits.
 *
 * Where two readers of one byte stream disagree about where a request ends, one request can be
 * hidden in another's body. So whatever could be read in two ways is refused: both framing headers,
 * either one twice, a coding that is not plain "chunked", a length that is not digits, a field name
 * with blanks, a folded line.
 */
#include <string.h>

#include "wire/http_inside.h"

/* What goes through libmicrohttpd's iteration over header fields. */
typedef struct HeadReading {
	HttpRequest *request;
	guint count;
	gboolean folded;
	const char *wrong;
} HeadReading;

/* libmicrohttpd up to 0.9.75 appends a folded line to the field's *name*, whose first part then
 * lies elsewhere in memory than its value; "Content-Lengt: 5\r\n h" would become a length. In a
 * field on one line, the value follows its name after the colon and blanks. */
static gboolean field_is_folded(const char *name, gsize name_bytes, const char *value)
{
	if (MHD_get_version()[0] != '0')
		return FALSE;
	guintptr gap_begins = (guintptr)name + name_bytes + 1;
	guintptr gap_ends = (guintptr)value;
	if (gap_ends < gap_begins || gap_ends - gap_begins > HTTP_MAXIMUM_HEADER_BYTES)
		return TRUE;
	for (const char *c = name + name_bytes + 1; c < value; c++)
		if (*c != ' ' && *c != '\t')
			return TRUE;
	return FALSE;
}

static enum MHD_Result read_field(void *of, enum MHD_ValueKind kind, const char *name,
	size_t name_bytes, const char *value, size_t value_bytes)
{
	HeadReading *reading = of;
	if (++reading->count > HTTP_MAXIMUM_HEADER_FIELDS)
		return MHD_NO;
	if (field_is_folded(name, name_bytes, value)) {
		reading->folded = TRUE;
		return MHD_NO;
	}
	reading->wrong =
		http_request_add_header(reading->request, name, name_bytes, value, value_bytes);
	return reading->wrong ? MHD_NO : MHD_YES;
}

static HttpRefusal refuse(int status, const char *reason)
{
	return (HttpRefusal){status, reason};
}

static HttpRefusal check_method(HttpRequest *request, const char *method)
{
	static const char *const served[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
	for (gsize i = 0; i < G_N_ELEMENTS(served); i++)
		if (strcmp(method, served[i]) == 0) {
			request->method = served[i];
			return refuse(0, NULL);
		}
	if (strcmp(method, "HEAD") == 0) {
		request->method = "GET";
		request->is_head = TRUE;
		return refuse(0, NULL);
	}
	if (strcmp(method, "TRACE") == 0 || strcmp(method, "CONNECT") == 0)
		return refuse(405, "this method is not allowed");
	return refuse(501, "this method is not known");
}

static HttpRefusal check_sizes(struct MHD_Connection *connection, const HttpRequest *request)
{
	if (strlen(request->target) > HTTP_MAXIMUM_URL_BYTES)
		return refuse(414, "the address is too long");
	const union MHD_ConnectionInfo *head =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	if (!head || head->header_size > HTTP_MAXIMUM_HEADER_BYTES)
		return refuse(431, "the header is too large");
	return refuse(0, NULL);
}

static HttpRefusal check_fields(struct MHD_Connection *connection, HttpRequest *request)
{
	HeadReading reading = {.request = request};
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_field, &reading);
	if (reading.count > HTTP_MAXIMUM_HEADER_FIELDS)
		return refuse(431, "the header has too many fields");
	if (reading.folded)
		return refuse(400, "a header field goes on in the next line");
	if (reading.wrong)
		return refuse(400, reading.wrong);
	return refuse(0, NULL);
}

static HttpRefusal check_framing(const HttpRequest *request, const char *version)
{
	const char *length = http_request_header(request, "Content-Length");
	const char *coding = http_request_header(request, "Transfer-Encoding");
	if (length && coding)
		return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
	if (coding && strcmp(version, "HTTP/1.1") != 0)
		return refuse(400, "Transfer-Encoding needs HTTP/1.1");
	if (coding && g_ascii_strcasecmp(coding, "chunked") != 0)
		return refuse(501, "the only transfer coding known is chunked");
	if (length && (!*length || strspn(length, "0123456789") != strlen(length)))
		return refuse(400, "Content-Length must be a number");
	if (length && strlen(length) > 18)
		return refuse(413, "the body is too large");
	return refuse(0, NULL);
}

HttpRefusal http_check_request(HttpRequest *request, const char *method, const char *version)
{
	HttpRefusal refusal = check_framing(request, version);
	if (!refusal.status)
		refusal = check_method(request, method);
	if (!refusal.status && strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		refusal = refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	if (!refusal.status) {
		const char *wrong = http_request_read_target(request);
		if (wrong)
			refusal = refuse(400, wrong);
	}
	return refusal;
}

HttpRefusal http_check_head(HttpRequest *request, struct MHD_Connection *connection,
	const char *method, const char *version)
{
	HttpRefusal refusal = check_sizes(connection, request);
	if (!refusal.status)
		refusal = check_fields(connection, request);
	return refusal.status ? refusal : http_check_request(request, method, version);
}

guint64 http_check_declared_length(const HttpRequest *request)
{
	const char *length = http_request_header(request, "Content-Length");
	return length ? g_ascii_strtoull(length, NULL, 10) : 0;
}
