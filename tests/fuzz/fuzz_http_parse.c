/* SPDX-License-Identifier: ISC
 *
 * Any bytes as the heads of requests, as our own HTTP loop reads them: refused, or a request whose
 * promises hold. In pieces they say the same as in one.
 */
#include <string.h>

#include "wire/http_parse.h"

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

static void check_request(const HttpRequest *request)
{
	const char *path = http_request_path(request);
	g_assert(path[0] == '/' && g_utf8_validate(path, -1, NULL));
	g_assert(!strstr(path, "//") && !strstr(path, "/../") && !strstr(path, "/./"));
	g_assert(!g_str_has_suffix(path, "/..") && !g_str_has_suffix(path, "/."));
	g_assert(!strpbrk(path, "\r\n\t\x7f"));
	g_assert(http_request_method(request));
	g_assert(request->field_count <= HTTP_MAXIMUM_HEADER_FIELDS);
	g_assert(request->is_old || http_request_header(request, "Host"));
	for (guint i = 0; i < request->field_count; i++)
		g_assert(http_header_is_safe(request->fields[i].value));
	g_assert(!http_request_header(request, "Content-Length") ||
		 !http_request_header(request, "Transfer-Encoding"));
	g_assert(g_hash_table_size(http_request_queries(request)) <= request->query_count);
}

/* The end of the head, found as a loop finds it that is given `step` bytes at a time. */
static gsize find_end(const char *text, gsize size_bytes, gsize step, HttpRefusal *refusal)
{
	gsize line = 0, end = 0;
	*refusal = (HttpRefusal){0};
	for (gsize seen = MIN(step, size_bytes); end == 0 && refusal->status == 0;
		seen = MIN(seen + step, size_bytes)) {
		end = http_parse_find_end(text, seen, &line, refusal);
		if (seen == size_bytes)
			break;
	}
	return end;
}

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	g_autofree char *text = g_memdup2(bytes, size_bytes);
	HttpRequest request;
	http_request_init(&request);
	for (gsize at = 0; at < size_bytes;) {
		HttpRefusal refusal, pieced;
		gsize left = size_bytes - at;
		gsize head_bytes = find_end(text + at, left, left, &refusal);
		gsize again = find_end(text + at, left, 1 + bytes[at] % 7, &pieced);
		g_assert(head_bytes == again);
		g_assert((refusal.status == 0) == (pieced.status == 0));
		g_assert(head_bytes == 0 || refusal.status == 0);
		if (head_bytes == 0)
			break;
		refusal = http_parse_head(text + at, head_bytes, &request);
		if (refusal.status == 0)
			check_request(&request);
		http_request_clear(&request);
		at += head_bytes;
		if (refusal.status != 0)
			break;
	}
	return 0;
}
