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

void http_request_init(HttpRequest *request)
{
	memset(request, 0, sizeof(*request));
}

void http_request_clear(HttpRequest *request)
{
	request->target = NULL;
	request->method = request->path = request->peer = NULL;
	request->is_head = request->is_last = request->is_old = request->secure = FALSE;
	request->field_count = request->query_count = 0;
	request->first_ms = 0;
	g_clear_pointer(&request->query_table, g_hash_table_unref);
	g_clear_pointer(&request->kept, g_ptr_array_unref);
	g_clear_pointer(&request->incoming, g_byte_array_unref);
	g_clear_pointer(&request->body, g_bytes_unref);
}

/* The request owns the text from now on. */
static char *keep(HttpRequest *request, char *text)
{
	if (!request->kept)
		request->kept = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(request->kept, text);
	return text;
}

HttpRequest *http_request_new(const char *target)
{
	HttpRequest *request = g_new0(HttpRequest, 1);
	request->target = keep(request, g_strdup(target));
	request->incoming = g_byte_array_new();
	return request;
}

void http_request_free(HttpRequest *request)
{
	if (!request)
		return;
	http_request_clear(request);
	g_free(request);
}

void http_request_complete(HttpRequest *request)
{
	request->body = g_byte_array_free_to_bytes(g_steal_pointer(&request->incoming));
}

/* Decodes %XX, and + as a blank when `plus_is_blank`, in place: what is decoded is never longer. It
 * gets its NUL at the end, over whatever ended the text. FALSE when a % is not followed by two
 * hexadecimal digits, or the result holds a NUL or is not UTF-8. */
static gboolean decode(char *text, gsize size_bytes, gboolean plus_is_blank)
{
	gsize length = 0;
	for (gsize i = 0; i < size_bytes; i++) {
		char c = text[i];
		if (c == '%') {
			if (i + 2 >= size_bytes || !g_ascii_isxdigit(text[i + 1]) ||
				!g_ascii_isxdigit(text[i + 2]))
				return FALSE;
			c = (char)(g_ascii_xdigit_value(text[i + 1]) * 16 +
				   g_ascii_xdigit_value(text[i + 2]));
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		if (c == '\0')
			return FALSE;
		text[length++] = c;
	}
	text[length] = '\0';
	return g_utf8_validate(text, (gssize)length, NULL);
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

static const char *read_path(HttpRequest *request, char *raw, gsize size_bytes)
{
	if (size_bytes == 0 || raw[0] != '/')
		return "the path must begin with a slash";
	if (memchr(raw, '#', size_bytes))
		return "the path holds a fragment";
	if (has_encoded_slash(raw, size_bytes))
		return "the path holds an encoded slash";
	if (!decode(raw, size_bytes, FALSE))
		return "the path holds a wrong % escape, a NUL or bytes that are not UTF-8";
	if (has_control_characters(raw))
		return "the path holds a control character";
	if (has_odd_segments(raw))
		return "the path holds an empty, . or .. segment";
	request->path = raw;
	return NULL;
}

/* One of the parts between the &, whose end may be overwritten. */
static const char *read_query(HttpRequest *request, char *raw, gsize size_bytes)
{
	char *equals = memchr(raw, '=', size_bytes);
	gsize name_bytes = equals ? (gsize)(equals - raw) : size_bytes;
	char *value = raw + name_bytes + (equals ? 1 : 0);
	gsize value_bytes = (gsize)(raw + size_bytes - value);
	if (request->query_count == HTTP_MAXIMUM_QUERIES)
		return "the query has too many parts";
	/* The value first: where the name has no value, both end in one place. */
	if (!decode(value, value_bytes, TRUE) || !decode(raw, name_bytes, TRUE))
		return "the query holds a wrong % escape, a NUL or bytes that are not UTF-8";
	request->queries[request->query_count++] = (HttpField){raw, equals ? value : ""};
	return NULL;
}

static const char *read_queries(HttpRequest *request, char *raw)
{
	for (gboolean more = TRUE; more;) {
		gsize length = strcspn(raw, "&");
		more = raw[length] == '&';
		const char *wrong = length > 0 ? read_query(request, raw, length) : NULL;
		if (wrong)
			return wrong;
		raw += length + 1;
	}
	return NULL;
}

const char *http_request_read_target(HttpRequest *request)
{
	char *question = strchr(request->target, '?');
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

/* Lower-case, in place. NULL when the name is not known here. */
static HttpField *field_of(HttpRequest *request, const char *name)
{
	for (guint i = 0; i < request->field_count; i++)
		if (strcmp(request->fields[i].name, name) == 0)
			return &request->fields[i];
	return NULL;
}

const char *http_request_take_header(
	HttpRequest *request, char *name, gsize name_bytes, char *value, gsize value_bytes)
{
	if (!is_token(name, name_bytes))
		return "the name of a header field holds a character that is not allowed";
	while (value_bytes > 0 && (value[value_bytes - 1] == ' ' || value[value_bytes - 1] == '\t'))
		value_bytes--;
	for (gsize i = 0; i < value_bytes; i++)
		if (g_ascii_iscntrl(value[i]) && value[i] != '\t')
			return "the value of a header field holds a control character";

	for (gsize i = 0; i < name_bytes; i++)
		name[i] = g_ascii_tolower(name[i]);
	name[name_bytes] = value[value_bytes] = '\0';
	HttpField *before = field_of(request, name);
	if (before && is_singular(name))
		return "a header field that may stand once stands twice";
	if (before) {
		const char *separator = strcmp(name, "cookie") == 0 ? "; " : ", ";
		before->value = keep(request, g_strconcat(before->value, separator, value, NULL));
		return NULL;
	}
	if (request->field_count == HTTP_MAXIMUM_HEADER_FIELDS)
		return "the header has too many fields";
	request->fields[request->field_count++] = (HttpField){name, value};
	return NULL;
}

/* With a NUL at its end; it may hold others, which are then found. */
static char *copy_bytes(const char *bytes, gsize size_bytes)
{
	char *copy = g_malloc(size_bytes + 1);
	if (size_bytes > 0)
		memcpy(copy, bytes, size_bytes);
	copy[size_bytes] = '\0';
	return copy;
}

const char *http_request_add_header(HttpRequest *request, const char *name, gsize name_bytes,
	const char *value, gsize value_bytes)
{
	return http_request_take_header(request, keep(request, copy_bytes(name, name_bytes)),
		name_bytes, keep(request, copy_bytes(value, value_bytes)), value_bytes);
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

void http_request_believe_proxy(HttpRequest *request)
{
	const char *forwarded = http_request_header(request, "X-Forwarded-For");
	char *peer = forwarded ? forwarded_address(last_element(forwarded)) : NULL;
	if (peer)
		request->peer = keep(request, peer);
	const char *protocol = http_request_header(request, "X-Forwarded-Proto");
	if (protocol) {
		g_autofree char *last = g_strstrip(g_strdup(last_element(protocol)));
		request->secure = g_ascii_strcasecmp(last, "https") == 0;
	}
}

void http_request_set_peer(
	HttpRequest *request, const struct sockaddr *address, gboolean tls, gboolean behind_proxy)
{
	request->secure = tls;
	request->peer = keep(request, http_address_text(address));
	if (behind_proxy)
		http_request_believe_proxy(request);
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
	for (guint i = request->query_count; i > 0; i--)
		if (strcmp(request->queries[i - 1].name, name) == 0)
			return request->queries[i - 1].value;
	return NULL;
}

gboolean http_request_has_queries(const HttpRequest *request)
{
	return request->query_count > 0;
}

GHashTable *http_request_queries(const HttpRequest *request)
{
	if (request->query_table)
		return request->query_table;
	GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < request->query_count; i++)
		g_hash_table_replace(table, (char *)(guintptr)request->queries[i].name,
			(char *)(guintptr)request->queries[i].value);
	/* The table is no part of what a request is: it is made when it is asked for. */
	((HttpRequest *)(guintptr)request)->query_table = table;
	return table;
}

const char *http_request_header(const HttpRequest *request, const char *name)
{
	for (guint i = 0; i < request->field_count; i++)
		if (g_ascii_strcasecmp(request->fields[i].name, name) == 0)
			return request->fields[i].value;
	return NULL;
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
