/* SPDX-License-Identifier: ISC
 *
 * What ProxyFetch fetches and what it wants to see: the request texts, the statuses, the regular
 * expression; and the judgement. No network here.
 */
#include "balance/monitor/proxyfetch.h"

#include <string.h>

#include "base/error.h"

static void fetch_url_clear(FetchUrl *url)
{
	g_free(url->url);
	g_free(url->request);
	g_free(url->host);
}

/* Nothing in a request line but what is printed; the rest is written as %20. */
static char *path_of(const char *rest)
{
	g_autoptr(GString) path = g_string_new(*rest == '/' ? "" : "/");
	for (; *rest != '\0' && *rest != '#'; rest++) {
		if ((guchar)*rest <= ' ' || (guchar)*rest >= 0x7f)
			g_string_append_printf(path, "%%%02X", (guchar)*rest);
		else
			g_string_append_c(path, *rest);
	}
	return g_string_free(g_steal_pointer(&path), FALSE);
}

/* "www.example.org:8080" -> "www.example.org", "[::1]" -> "::1"; NULL when it is none. */
static char *host_of(const char *authority)
{
	const char *end;
	if (*authority == '[') {
		authority++;
		end = strchr(authority, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return NULL;
	} else {
		end = authority + strcspn(authority, ":");
	}
	g_autofree char *host = g_strndup(authority, (gsize)(end - authority));
	if (*host == '\0' ||
		host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789-._:")] != '\0')
		return NULL;
	return g_steal_pointer(&host);
}

static gboolean is_port(const char *authority)
{
	const char *colon = strrchr(authority, ':');
	if (colon == NULL || strchr(colon, ']') != NULL)
		return TRUE;
	return strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

/* The server and port that are asked are the pool's: of the URL the scheme, the Host header and
 * the path count. */
static gboolean fetch_url_read(const char *text, FetchUrl *url, GError **error)
{
	gboolean is_tls = g_str_has_prefix(text, "https://");
	const char *authority = text + strlen(is_tls ? "https://" : "http://");
	const char *rest = authority + strcspn(authority, "/?#");
	g_autofree char *whole = g_strndup(authority, (gsize)(rest - authority));
	const char *after_user = strrchr(whole, '@');
	const char *place = after_user == NULL ? whole : after_user + 1;
	g_autofree char *host = host_of(place);
	if (host == NULL || !is_port(place)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"proxyfetch.url: %s names no host: it must be as "
			"http://www.example.org/path",
			text);
		return FALSE;
	}
	g_autofree char *path = path_of(rest);
	url->url = g_strdup(text);
	url->request = g_strdup_printf("GET %s HTTP/1.1\r\n"
				       "Host: %s\r\n"
				       "User-Agent: drover-lvs/" DROVER_VERSION "\r\n"
				       "Accept: */*\r\n"
				       "Connection: close\r\n\r\n",
		path, place);
	url->request_bytes = strlen(url->request);
	url->is_tls = is_tls;
	url->host = g_steal_pointer(&host);
	return TRUE;
}

/* "200-202, 204" */
static char *statuses_text(const ConfigStatuses *statuses)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint from = 0; from <= CONFIG_MAXIMUM_STATUS; from++) {
		if (!config_has_status(statuses, from))
			continue;
		guint to = from;
		while (to < CONFIG_MAXIMUM_STATUS && config_has_status(statuses, to + 1))
			to++;
		g_string_append_printf(text, "%s%u", text->len == 0 ? "" : ", ", from);
		if (to > from)
			g_string_append_printf(text, "-%u", to);
		from = to;
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean compile(FetchSettings *settings, const char *pattern, GError **error)
{
	if (strlen(pattern) > PROXYFETCH_MAXIMUM_PATTERN_BYTES) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"proxyfetch.body-regex: is longer than %d bytes: look for less",
			PROXYFETCH_MAXIMUM_PATTERN_BYTES);
		return FALSE;
	}
	int number = 0;
	PCRE2_SIZE at = 0;
	settings->pattern = pcre2_compile(
		(PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_NEVER_UTF, &number, &at, NULL);
	if (settings->pattern == NULL) {
		PCRE2_UCHAR words[128];
		pcre2_get_error_message(number, words, sizeof words);
		drover_error_set(error, DROVER_ERROR_INPUT,
			"proxyfetch.body-regex: is no regular expression: %s at its byte %zu",
			(char *)words, (gsize)at + 1);
		return FALSE;
	}
	/* Where memory may not become code (seccomp, SELinux) it is interpreted instead. */
	pcre2_jit_compile(settings->pattern, PCRE2_JIT_COMPLETE);
	settings->match = pcre2_match_data_create(1, NULL);
	settings->limits = pcre2_match_context_create(NULL);
	g_assert(settings->match != NULL && settings->limits != NULL);
	pcre2_set_match_limit(settings->limits, PROXYFETCH_MAXIMUM_MATCH_STEPS);
	pcre2_set_heap_limit(settings->limits, PROXYFETCH_MAXIMUM_MATCH_KIB);
	return TRUE;
}

FetchSettings *fetch_settings_new(const ConfigService *service, GError **error)
{
	g_autoptr(FetchSettings) settings = g_new0(FetchSettings, 1);
	char **urls = service->proxyfetch.urls;
	settings->urls = g_array_new(FALSE, TRUE, sizeof(FetchUrl));
	g_array_set_clear_func(settings->urls, (GDestroyNotify)fetch_url_clear);
	if (urls == NULL || urls[0] == NULL) {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "proxyfetch.url: there is no URL to fetch");
		return NULL;
	}
	for (; *urls != NULL; urls++) {
		FetchUrl url = {0};
		if (!fetch_url_read(*urls, &url, error))
			return NULL;
		g_array_append_val(settings->urls, url);
	}
	settings->statuses = service->proxyfetch.statuses;
	settings->statuses_text = statuses_text(&settings->statuses);
	settings->check_all = service->proxyfetch.check_all;
	settings->verify = service->proxyfetch.verify;
	settings->max_failures = (guint)service->proxyfetch.max_failures;
	const char *pattern = service->proxyfetch.body_regex;
	if (pattern != NULL && *pattern != '\0' && !compile(settings, pattern, error))
		return NULL;
	return g_steal_pointer(&settings);
}

void fetch_settings_free(FetchSettings *settings)
{
	g_array_unref(settings->urls);
	g_free(settings->statuses_text);
	pcre2_match_data_free(settings->match);
	pcre2_match_context_free(settings->limits);
	pcre2_code_free(settings->pattern);
	g_free(settings);
}

static gboolean is_maintenance(const HttpAnswer *answer)
{
	return answer->status == 503 && answer->maintenance;
}

gboolean fetch_is_decided(const FetchSettings *settings, const HttpAnswer *answer)
{
	return answer->has_head &&
	       (is_maintenance(answer) || !config_has_status(&settings->statuses, answer->status));
}

/* NULL when it matches, else what is wrong. */
static const char *match(const FetchSettings *settings, const HttpAnswer *answer)
{
	const char *body = answer->body == NULL ? "" : (const char *)answer->body->data;
	gsize size = answer->body == NULL ? 0 : answer->body->len;
	int found = pcre2_match(
		settings->pattern, (PCRE2_SPTR)body, size, 0, 0, settings->match, settings->limits);
	if (found >= 0)
		return NULL;
	if (found != PCRE2_ERROR_NOMATCH)
		return "but body-regex takes too long on this body";
	return answer->is_cut ? "but the first 64 KiB of the body do not match body-regex"
			      : "but the body does not match body-regex";
}

PoolResult fetch_judge(
	const FetchSettings *settings, const HttpAnswer *answer, gint64 took_us, GString *why)
{
	g_string_append_printf(why, "%u", answer->status);
	if (is_maintenance(answer)) {
		g_string_append(why, ", in maintenance");
		return POOL_RESULT_MAINTENANCE;
	}
	if (!config_has_status(&settings->statuses, answer->status)) {
		if (answer->reason[0] != '\0')
			g_string_append_printf(why, " %s", answer->reason);
		g_string_append_printf(why, ", wanted %s", settings->statuses_text);
		return POOL_RESULT_DOWN;
	}
	const char *mismatch = settings->pattern == NULL ? NULL : match(settings, answer);
	if (mismatch != NULL) {
		g_string_append_printf(why, ", %s", mismatch);
		return POOL_RESULT_DOWN;
	}
	g_string_append_printf(why, " in %" G_GINT64_FORMAT " ms", took_us / 1000);
	return POOL_RESULT_UP;
}
