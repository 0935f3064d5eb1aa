/* SPDX-License-Identifier: ISC
 *
 * A source that is a web server: one GET by libcurl, for the whole or the rest of a file.
 *
 * The answer is looked at when its first byte of content comes: its status, and the lengths that it
 * claims. Nothing of an answer that is not the file's reaches the file. A server that knows no
 * ranges sends the whole: then what is here already is passed over.
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "node/fetch_parts.h"

#define SLOWEST_OVER_S 60L

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURLU, curl_url_cleanup)
typedef char CurlText;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CurlText, curl_free)

typedef struct Exchange {
	const FetchWish *wish;
	CURL *easy;
	gint64 stall_ms;
	gint64 heard_ms;   /* when the last byte of content came, or it began */
	gint64 pass_bytes; /* of content to come: here already */
	gsize head_bytes;
	gboolean accepted; /* the answer is one to take bytes from */
	gboolean enough;
	GError *error; /* why it was broken off */
	char problem[CURL_ERROR_SIZE];
} Exchange;

/* the address ---------------------------------------------------------------------------------- */

gboolean fetch_is_web(const char *source)
{
	return g_ascii_strncasecmp(source, "http://", 7) == 0 ||
	       g_ascii_strncasecmp(source, "https://", 8) == 0;
}

char *fetch_shown(const char *source)
{
	g_autoptr(CURLU) url = curl_url();
	g_autoptr(CurlText) text = NULL;
	if (!fetch_is_web(source))
		return g_strdup(source);
	if (curl_url_set(url, CURLUPART_URL, source, 0) != CURLUE_OK)
		return g_strdup("a source that is no address");
	curl_url_set(url, CURLUPART_USER, NULL, 0);
	curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
	curl_url_get(url, CURLUPART_URL, &text, 0);
	return g_strdup(text);
}

/* Names of products, versions and files need no escape; where one does, it gets one. */
static char *address_of(const FetchWish *wish)
{
	g_autofree char *product = g_uri_escape_string(wish->product, "+", FALSE);
	g_autofree char *file = g_uri_escape_string(wish->file, "+/", FALSE);
	gsize length = strlen(wish->source);
	while (length > 0 && wish->source[length - 1] == '/')
		length--;
	return g_strdup_printf("%.*s/%s/%s", (int)length, wish->source, product, file);
}

/* the answer's head ---------------------------------------------------------------------------- */

static gboolean refuse_status(long status, GError **error)
{
	if (status == 404 || status == 410)
		drover_error_set(
			error, DROVER_ERROR_NOT_FOUND, "answers %ld: it is not there", status);
	else if (status == 416)
		drover_error_set(
			error, DROVER_ERROR_CONFLICT, "answers 416: it has nothing from there on");
	else if (status >= 300 && status < 400)
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"answers %ld: it sends us elsewhere, which is not followed: make that "
			"place a source",
			status);
	else
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "answers %ld", status);
	return FALSE;
}

static gboolean refuse_size(const FetchWish *wish, gint64 size_bytes, GError **error)
{
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
		"says that it has %" G_GINT64_FORMAT " bytes where %" G_GINT64_FORMAT
		" are signed for",
		size_bytes, wish->size_bytes);
	return FALSE;
}

/* NULL when there is none, or more than one. */
static const char *header_of(CURL *easy, const char *name)
{
	struct curl_header *field;
	if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &field) != CURLHE_OK ||
		field->amount != 1)
		return NULL;
	return field->value;
}

static gboolean read_number(const char **text, gint64 *number)
{
	char *end;
	if (!g_ascii_isdigit(**text))
		return FALSE;
	*number = g_ascii_strtoll(*text, &end, 10);
	*text = end;
	return *number < G_MAXINT64;
}

/* "bytes 100-199/200", or a star at the end where the server does not know. */
static gboolean read_range(const char *text, gint64 *first, gint64 *total)
{
	gint64 last;
	*total = -1;
	if (text == NULL || g_ascii_strncasecmp(text, "bytes ", 6) != 0)
		return FALSE;
	text += 6;
	if (!read_number(&text, first) || *text++ != '-' || !read_number(&text, &last) ||
		*text++ != '/')
		return FALSE;
	if (strcmp(text, "*") == 0)
		return TRUE;
	return read_number(&text, total) && *text == '\0';
}

static gboolean accept_range(const Exchange *exchange, GError **error)
{
	const FetchWish *wish = exchange->wish;
	gint64 first, total;
	if (wish->offset_bytes == 0) {
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"answers 206, a part, when asked for the whole");
		return FALSE;
	}
	if (!read_range(header_of(exchange->easy, "Content-Range"), &first, &total) ||
		first != wish->offset_bytes) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"answers 206 with another part than byte %" G_GINT64_FORMAT " and on",
			wish->offset_bytes);
		return FALSE;
	}
	return total < 0 || total == wish->size_bytes || refuse_size(wish, total, error);
}

static gboolean accept_whole(Exchange *exchange, GError **error)
{
	const FetchWish *wish = exchange->wish;
	curl_off_t length = -1;
	curl_easy_getinfo(exchange->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	exchange->pass_bytes = wish->offset_bytes;
	return length < 0 || wish->size_bytes < 0 || length == wish->size_bytes ||
	       refuse_size(wish, length, error);
}

/* Once, when the header is complete. */
static gboolean accept_answer(Exchange *exchange, GError **error)
{
	long status = 0;
	curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	exchange->accepted = TRUE;
	if (status != 200 && status != 206)
		return refuse_status(status, error);
	const char *encoding = header_of(exchange->easy, "Content-Encoding");
	if (encoding != NULL && g_ascii_strcasecmp(encoding, "identity") != 0) {
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"sends it in an encoding that nobody asked for");
		return FALSE;
	}
	return status == 206 ? accept_range(exchange, error) : accept_whole(exchange, error);
}

/* what comes ----------------------------------------------------------------------------------- */

static size_t take_header(char *bytes, size_t unit, size_t count, void *of)
{
	Exchange *exchange = of;
	exchange->head_bytes += unit * count;
	if (exchange->head_bytes <= FETCH_MAXIMUM_HEAD_BYTES)
		return unit * count;
	drover_error_set(&exchange->error, DROVER_ERROR_UNAVAILABLE,
		"the answer's header is larger than the %d bytes allowed",
		FETCH_MAXIMUM_HEAD_BYTES);
	return 0;
}

/* Returning anything but the size ends the exchange. */
static size_t take_content(char *bytes, size_t unit, size_t count, void *of)
{
	Exchange *exchange = of;
	const gsize size = unit * count;
	if (!exchange->accepted && !accept_answer(exchange, &exchange->error))
		return 0;
	gsize passed = (gsize)MIN((gint64)size, exchange->pass_bytes);
	exchange->pass_bytes -= (gint64)passed;
	FetchTaken taken = FETCH_TAKEN;
	if (passed < size)
		taken = exchange->wish->take(
			bytes + passed, size - passed, exchange->wish->of, &exchange->error);
	exchange->heard_ms = clock_monotonic_ms();
	exchange->enough = taken == FETCH_TAKEN_ENOUGH;
	return taken == FETCH_TAKEN ? size : size + 1;
}

/* libcurl asks about once a second. */
static int look_at_the_clock(
	void *of, curl_off_t total, curl_off_t now, curl_off_t unused_total, curl_off_t unused_now)
{
	Exchange *exchange = of;
	if (clock_monotonic_ms() - exchange->heard_ms < exchange->stall_ms)
		return 0;
	drover_error_set(&exchange->error, DROVER_ERROR_UNAVAILABLE, "nothing came for %g s",
		(double)exchange->stall_ms / 1000);
	return 1;
}

/* A service that is started later must not find our sockets open. */
static int close_on_exec(void *unused, curl_socket_t socket, curlsocktype purpose)
{
	fcntl(socket, F_SETFD, FD_CLOEXEC);
	return CURL_SOCKOPT_OK;
}

/* the exchange --------------------------------------------------------------------------------- */

static void set_limits(Exchange *exchange)
{
	CURL *easy = exchange->easy;
	exchange->stall_ms =
		exchange->wish->stall_ms > 0 ? exchange->wish->stall_ms : FETCH_STALL_S * 1000;
	exchange->heard_ms = clock_monotonic_ms();
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)FETCH_CONNECT_S);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)FETCH_SLOWEST_BYTES);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, SLOWEST_OVER_S);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look_at_the_clock);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange);
}

static void set_up(Exchange *exchange, const char *address)
{
	CURL *easy = exchange->easy;
	curl_easy_setopt(easy, CURLOPT_URL, address);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, close_on_exec);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "drover-node/" DROVER_VERSION);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->problem);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_content);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	if (exchange->wish->ca_file != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, exchange->wish->ca_file);
		/* Nor what else the system trusts. */
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (exchange->wish->offset_bytes > 0) {
		char range[32];
		g_snprintf(
			range, sizeof range, "%" G_GINT64_FORMAT "-", exchange->wish->offset_bytes);
		curl_easy_setopt(easy, CURLOPT_RANGE, range);
	}
	set_limits(exchange);
}

static gboolean refuse_code(const Exchange *exchange, CURLcode code, GError **error)
{
	const char *words =
		*exchange->problem != '\0' ? exchange->problem : curl_easy_strerror(code);
	const char *ca_file = exchange->wish->ca_file;
	g_autofree char *believed =
		code == CURLE_PEER_FAILED_VERIFICATION
			? g_strdup_printf("; the ca-file is %s", ca_file ? ca_file : "the system's")
			: g_strdup("");
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "%s%s", words, believed);
	return FALSE;
}

gboolean fetch_http(const FetchWish *wish, GError **error)
{
	g_autoptr(CURL) easy = curl_easy_init();
	g_autofree char *address = address_of(wish);
	Exchange exchange = {.wish = wish, .easy = easy};
	g_assert(easy != NULL);
	set_up(&exchange, address);
	CURLcode code = curl_easy_perform(easy);
	if (exchange.error != NULL) {
		g_propagate_error(error, exchange.error);
		return FALSE;
	}
	if (exchange.enough)
		return TRUE;
	if (code != CURLE_OK)
		return refuse_code(&exchange, code, error);
	/* Without a byte of content nobody has looked at the answer yet. */
	return exchange.accepted || accept_answer(&exchange, error);
}
