/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a request target, and as a Cookie header: refused, or the path keeps its promises.
 */
#include <string.h>

#include "wire/http_inside.h"

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	g_autofree char *target = g_strndup((const char *)bytes, size_bytes);
	g_autoptr(HttpRequest) request = http_request_new(target);
	if (!http_request_read_target(request)) {
		const char *path = http_request_path(request);
		g_assert(path[0] == '/' && g_utf8_validate(path, -1, NULL));
		g_assert(!strstr(path, "//") && !strstr(path, "/../") && !strstr(path, "/./"));
		g_assert(!g_str_has_suffix(path, "/..") && !g_str_has_suffix(path, "/."));
		g_assert(!strpbrk(path, "\r\n\t\x7f"));
		g_assert(g_hash_table_size(http_request_queries(request)) <= HTTP_MAXIMUM_QUERIES);
	}
	if (!http_request_add_header(request, "Cookie", 6, (const char *)bytes, size_bytes)) {
		g_autofree char *cookie = http_request_cookie(request, "s");
		g_assert(!cookie || http_header_is_safe(cookie));
	}
	return 0;
}
