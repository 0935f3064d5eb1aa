/* SPDX-License-Identifier: ISC
 *
 * One HTTP request by libcurl.
 *
 * What a server answers is as hostile as what a client asks: nothing is followed, no protocol but
 * HTTP is spoken, no more is kept than was allowed. Every call has a handle of its own: calls are
 * rare (a report each few seconds), and a handle that is never shared never surprises.
 */
#include <curl/curl.h>
#include <string.h>

#include "wire/http_client.h"

#define TIMEOUT_DEFAULT_MS   30000
#define ANSWER_DEFAULT_BYTES ((gsize)64 * 1024 * 1024)
#define TOKEN_MAXIMUM_BYTES  4096
#define URL_MAXIMUM_BYTES    (16 * 1024)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)
typedef struct curl_slist CurlList;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CurlList, curl_slist_free_all)

/* The answer's body as it comes. */
typedef struct Receiving {
	GString *body;
	gsize maximum_bytes;
	gboolean too_large;
} Receiving;

static size_t receive(char *bytes, size_t unit, size_t count, void *of)
{
	Receiving *receiving = of;
	gsize size_bytes = unit * count;
	if (size_bytes > receiving->maximum_bytes - receiving->body->len) {
		receiving->too_large = TRUE;
		return 0; /* libcurl breaks off */
	}
	g_string_append_len(receiving->body, bytes, (gssize)size_bytes);
	return size_bytes;
}

static gboolean is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text == 0x7f)
			return FALSE;
	return TRUE;
}

/* Only what libcurl would send into the header unchanged can do harm there. */
static gboolean check(const HttpCall *call, GError **error)
{
	gboolean is_http = g_ascii_strncasecmp(call->url, "http://", 7) == 0 ||
			   g_ascii_strncasecmp(call->url, "https://", 8) == 0;
	if (!is_http || !is_printable(call->url) || strlen(call->url) > URL_MAXIMUM_BYTES) {
		g_autofree char *shown = g_strescape(call->url, NULL);
		drover_error_set(error, DROVER_ERROR_INPUT,
			"\"%.200s\" is not an address that begins with http:// or https://", shown);
		return FALSE;
	}
	if (call->token &&
		(!is_printable(call->token) || strlen(call->token) > TOKEN_MAXIMUM_BYTES)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the token for %s holds a blank or a control character, or is too long",
			call->url);
		return FALSE;
	}
	return TRUE;
}

static CurlList *header_of(const HttpCall *call)
{
	/* An empty "Expect:" keeps libcurl from waiting for 100 Continue. */
	CurlList *list = curl_slist_append(NULL, "Expect:");
	if (call->token) {
		g_autofree char *field = g_strdup_printf("Authorization: Bearer %s", call->token);
		list = curl_slist_append(list, field);
	}
	g_assert(!call->content_type || !strpbrk(call->content_type, "\r\n"));
	if (call->body) {
		g_autofree char *field = g_strdup_printf("Content-Type: %s",
			call->content_type ? call->content_type : "application/octet-stream");
		list = curl_slist_append(list, field);
	}
	return list;
}

static void set_up(
	CURL *curl, const HttpCall *call, CurlList *header, Receiving *receiving, char *problem)
{
	const char *method = call->method ? call->method : "GET";
	curl_easy_setopt(curl, CURLOPT_URL, call->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* A name server that is silent must not hold us beyond our own timeout. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
		(long)(call->timeout_ms ? call->timeout_ms : TIMEOUT_DEFAULT_MS));
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (call->ca_file) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, call->ca_file);
		/* Nor what else the system trusts. */
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "drover/" DROVER_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, header);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, receiving);
	if (call->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_bytes);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
	}
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

static gboolean fail(const HttpCall *call, CURLcode code, const char *problem, GError **error)
{
	const char *words = *problem ? problem : curl_easy_strerror(code);
	const char *method = call->method ? call->method : "GET";
	DroverErrorCode kind = DROVER_ERROR_UNAVAILABLE;
	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
		code == CURLE_SSL_CACERT_BADFILE)
		kind = DROVER_ERROR_INPUT;
	g_autofree char *believed =
		code == CURLE_PEER_FAILED_VERIFICATION
			? g_strdup_printf("; the ca-file is %s",
				  call->ca_file ? call->ca_file : "the system's")
			: g_strdup("");
	drover_error_set(error, kind, "%s %s: %s%s", method, call->url, words, believed);
	return FALSE;
}

gboolean http_client_call(const HttpCall *call, HttpResult *result, GError **error)
{
	*result = (HttpResult){0};
	if (!check(call, error))
		return FALSE;
	g_autoptr(CURL) curl = curl_easy_init();
	g_assert(curl);
	g_autoptr(CurlList) header = header_of(call);
	g_autoptr(GString) body = g_string_new(NULL);
	Receiving receiving = {
		body, call->maximum_bytes ? call->maximum_bytes : ANSWER_DEFAULT_BYTES, FALSE};
	char problem[CURL_ERROR_SIZE] = "";
	set_up(curl, call, header, &receiving, problem);

	CURLcode code = curl_easy_perform(curl);
	if (receiving.too_large) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s: the answer is larger than %" G_GSIZE_FORMAT " bytes", call->url,
			receiving.maximum_bytes);
		return FALSE;
	}
	if (code != CURLE_OK)
		return fail(call, code, problem, error);

	long status = 0;
	char *content_type = NULL;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &content_type);
	result->status = (int)status;
	result->content_type = g_strdup(content_type);
	result->body_bytes = body->len;
	result->body = g_string_free(g_steal_pointer(&body), FALSE);
	return TRUE;
}

void http_result_clear(HttpResult *result)
{
	g_clear_pointer(&result->content_type, g_free);
	g_clear_pointer(&result->body, g_free);
	*result = (HttpResult){0};
}
