/* SPDX-License-Identifier: ISC
 *
 * A request as a value: its target taken apart, its header fields, its cookies, its peer.
 *
 * The target is judged before it is used, and refused rather than repaired: what a proxy in front
 * of us and we ourselves read differently is how rules are walked around. A path is decoded once;
 * an encoded slash would be a second kind of slash, so there is none.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "wire/http_inside.h"

HttpRequest *http_request_new(const char *target)
{
	HttpRequest *request = g_new0(HttpRequest, 1);
	request->target = g_strdup(target);
	request->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	request->queries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	request->incoming = g_byte_array_new();
	return request;
}

void http_request_free(HttpRequest *request)
{
	if (!request)
		return;
	g_free(request->target);
	g_free(request->method);
	g_free(request->path);
	g_free(request->peer);
	g_hash_table_unref(request->headers);
	g_hash_table_unref(request->queries);
	if (request->incoming)
		g_byte_array_unref(request->incoming);
	g_clear_pointer(&request->body, g_bytes_unref);
	g_free(request);
}

void http_request_complete(HttpRequest *request)
{
	request->body = g_byte_array_free_to_bytes(g_steal_pointer(&request->incoming));
}

/* Decodes %XX, and + as a blank when `plus_is_blank`. NULL when a % is not followed by two
 * hexadecimal digits, or the result holds a NUL or is not UTF-8. Caller frees. */
static char *decode(const char *text, gsize size_bytes, gboolean plus_is_blank)
{
	g_autoptr(GString) decoded = g_string_sized_new(size_bytes);
	for (gsize i = 0; i < size_bytes; i++) {
		char c = text[i];
		if (c == '%') {
			if (i + 2 >= size_bytes || !g_ascii_isxdigit(text[i + 1]) ||
				!g_ascii_isxdigit(text[i + 2]))
				return NULL;
			c = (char)(g_ascii_xdigit_value(text[i + 1]) * 16 +
				   g_ascii_xdigit_value(text[i + 2]));
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		if (c == '\0')
			return NULL;
		g_string_append_c(decoded, c);
	}
	if (!g_utf8_validate(decoded->str, (gssize)decoded->len, NULL))
		return NULL;
	return g_string_free(g_steal_pointer(&decoded), FALSE);
}

static gboolean has_control_characters(const char *text)
{
	for (; *text; text++)
		if (g_ascii_iscntrl(*text))
			return TRUE;
	return FALSE;
}

static gboolean has_encoded_slash(const char *text, gsize size_bytes)
{
	for (gsize i = 0; i + 2 < size_bytes; i++)
		if (text[i] == '%' && text[i + 1] == '2' &&
			(text[i + 2] == 'F' || text[i + 2] == 'f'))
			return TRUE;
	return FALSE;
}

/* TRUE for "//", "/./", "/../", and for a path that ends in "/." or "/..". */
static gboolean has_odd_segments(const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		const char *segment = slash + 1;
		gsize length = strcspn(segment, "/");
		if (length == 0 && *segment == '/')
			return TRUE;
		if ((length == 1 && segment[0] == '.') ||
			(length == 2 && segment[0] == '.' && segment[1] == '.'))
			return TRUE;
	}
	return FALSE;
}

static const char *read_path(HttpRequest *request, const char *raw, gsize size_bytes)
{
	if (size_bytes == 0 || raw[0] != '/')
		return "the path must begin with a slash";
	if (memchr(raw, '#', size_bytes))
		return "the path holds a fragment";
	if (has_encoded_slash(raw, size_bytes))
		return "the path holds an encoded slash";
	g_autofree char *path = decode(raw, size_bytes, FALSE);
	if (!path)
		return "the path holds a wrong % escape, a NUL or bytes that are not UTF-8";
	if (has_control_characters(path))
		return "the path holds a control character";
	if (has_odd_segments(path))
		return "the path holds an empty, . or .. segment";
	request->path = g_steal_pointer(&path);
	return NULL;
}

static const char *read_queries(HttpRequest *request, const char *raw)
{
	guint count = 0;
	while (*raw) {
		gsize length = strcspn(raw, "&");
		gsize name_bytes = strcspn(raw, "=&");
		if (length > 0) {
			if (++count > HTTP_MAXIMUM_QUERIES)
				return "the query has too many parts";
			const char *raw_value = raw + name_bytes + (name_bytes < length ? 1 : 0);
			g_autofree char *name = decode(raw, name_bytes, TRUE);
			g_autofree char *value =
				decode(raw_value, (gsize)(raw + length - raw_value), TRUE);
			if (!name || !value)
				return "the query holds a wrong % escape, a NUL or bytes that are "
				       "not UTF-8";
			g_hash_table_replace(
				request->queries, g_steal_pointer(&name), g_steal_pointer(&value));
		}
		raw += length;
		if (*raw == '&')
			raw++;
	}
	return NULL;
}

const char *http_request_read_target(HttpRequest *request)
{
	const char *question = strchr(request->target, '?');
	gsize path_bytes = question ? (gsize)(question - request->target) : strlen(request->target);
	const char *wrong = read_path(request, request->target, path_bytes);
	if (wrong)
		return wrong;
	return question ? read_queries(request, question + 1) : NULL;
}

/* RFC 9110, 5.6.2. */
static gboolean is_token(const char *text, gsize size_bytes)
{
	for (gsize i = 0; i < size_bytes; i++)
		if (text[i] == '\0' ||
			!(g_ascii_isalnum(text[i]) || strchr("!#$%&'*+-.^_`|~", text[i])))
			return FALSE;
	return size_bytes > 0;
}

/* Fields of which a second one is not a longer list but an attempt to confuse. */
static gboolean is_singular(const char *name)
{
	static const char *const names[] = {
		"host", "content-length", "transfer-encoding", "content-type", "authorization"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(name, names[i]) == 0)
			return TRUE;
	return FALSE;
}

const char *http_request_add_header(HttpRequest *request, const char *name, gsize name_bytes,
	const char *value, gsize value_bytes)
{
	if (!is_token(name, name_bytes))
		return "the name of a header field holds a character that is not allowed";
	while (value_bytes > 0 && (value[value_bytes - 1] == ' ' || value[value_bytes - 1] == '\t'))
		value_bytes--;
	for (gsize i = 0; i < value_bytes; i++)
		if (g_ascii_iscntrl(value[i]) && value[i] != '\t')
			return "the value of a header field holds a control character";

	g_autofree char *key = g_ascii_strdown(name, (gssize)name_bytes);
	g_autofree char *text = g_strndup(value, value_bytes);
	const char *before = g_hash_table_lookup(request->headers, key);
	if (before && is_singular(key))
		return "a header field that may stand once stands twice";
	const char *separator = strcmp(key, "cookie") == 0 ? "; " : ", ";
	char *whole = before ? g_strconcat(before, separator, text, NULL) : g_steal_pointer(&text);
	g_hash_table_replace(request->headers, g_steal_pointer(&key), whole);
	return NULL;
}

char *http_address_text(const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN] = "local";
	if (address && address->sa_family == AF_INET) {
		struct sockaddr_in four;
		memcpy(&four, address, sizeof(four));
		inet_ntop(AF_INET, &four.sin_addr, text, sizeof(text));
	} else if (address && address->sa_family == AF_INET6) {
		struct sockaddr_in6 six;
		memcpy(&six, address, sizeof(six));
		if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
			inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text, sizeof(text));
		else
			inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof(text));
	}
	return g_strdup(text);
}

/* The address in "192.0.2.1", "192.0.2.1:80", "2001:db8::1" or "[2001:db8::1]:80", written as we
 * write addresses; NULL when it is none. */
static char *forwarded_address(const char *element)
{
	g_autofree char *text = g_strstrip(g_strdup(element));
	char *address = text;
	if (text[0] == '[') {
		address = text + 1;
		address[strcspn(address, "]")] = '\0';
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		*strchr(text, ':') = '\0';
	}
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
		return http_address_text((const struct sockaddr *)&four);
	if (inet_pton(AF_INET6, address, &six.sin6_addr) == 1)
		return http_address_text((const struct sockaddr *)&six);
	return NULL;
}

/* What stands after the last comma: what the proxy next to us added. Earlier elements are hearsay.
 */
static const char *last_element(const char *list)
{
	const char *comma = strrchr(list, ',');
	return comma ? comma + 1 : list;
}

void http_request_set_peer(
	HttpRequest *request, const struct sockaddr *address, gboolean tls, gboolean behind_proxy)
{
	request->secure = tls;
	const char *forwarded = http_request_header(request, "X-Forwarded-For");
	if (behind_proxy && forwarded)
		request->peer = forwarded_address(last_element(forwarded));
	if (!request->peer)
		request->peer = http_address_text(address);
	const char *protocol = http_request_header(request, "X-Forwarded-Proto");
	if (behind_proxy && protocol) {
		g_autofree char *last = g_strstrip(g_strdup(last_element(protocol)));
		request->secure = g_ascii_strcasecmp(last, "https") == 0;
	}
}

const char *http_request_method(const HttpRequest *request)
{
	return request->method;
}

const char *http_request_path(const HttpRequest *request)
{
	return request->path;
}

const char *http_request_query(const HttpRequest *request, const char *name)
{
	return g_hash_table_lookup(request->queries, name);
}

GHashTable *http_request_queries(const HttpRequest *request)
{
	return request->queries;
}

const char *http_request_header(const HttpRequest *request, const char *name)
{
	g_autofree char *key = g_ascii_strdown(name, -1);
	return g_hash_table_lookup(request->headers, key);
}

char *http_request_cookie(const HttpRequest *request, const char *name)
{
	const char *cookies = http_request_header(request, "Cookie");
	gsize name_bytes = strlen(name);
	while (cookies && *cookies) {
		cookies += strspn(cookies, " \t;");
		gsize length = strcspn(cookies, ";");
		if (length > name_bytes && cookies[name_bytes] == '=' &&
			strncmp(cookies, name, name_bytes) == 0)
			return g_strchomp(
				g_strndup(cookies + name_bytes + 1, length - name_bytes - 1));
		cookies += length;
	}
	return NULL;
}

GBytes *http_request_body(const HttpRequest *request)
{
	return request->body;
}

guint http_request_waited_ms(const HttpRequest *request)
{
	return request->first_ms == 0 ? 0 : (guint)(clock_monotonic_ms() - request->first_ms);
}

const char *http_request_peer(const HttpRequest *request)
{
	return request->peer;
}

gboolean http_request_is_secure(const HttpRequest *request)
{
	return request->secure;
}
