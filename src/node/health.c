/* SPDX-License-Identifier: ISC
 *
 * Is the new release healthy? Asked until it is, or its time is over.
 */
#include <curl/curl.h>
#include <string.h>

#include "base/clock.h"
#include "node/hook.h"

enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 1000, ONE_ANSWER_MS = 10000, GOOD_STATUS = 200 };

static size_t throw_away(char *bytes, size_t size, size_t count, void *unused)
{
	return size * count;
}

static gboolean ask_url(const char *url, gint64 timeout_ms, GError **error)
{
	CURL *curl = curl_easy_init();
	char said[CURL_ERROR_SIZE] = "";
	long status = 0;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)MIN(timeout_ms, ONE_ANSWER_MS));
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, throw_away);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "drover-node/" DROVER_VERSION);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (code == CURLE_OK && status == GOOD_STATUS)
		return TRUE;
	if (code == CURLE_OK)
		drover_error_set(
			error, DROVER_ERROR_CONFLICT, "%s answered %ld, not 200", url, status);
	else
		drover_error_set(error, DROVER_ERROR_CONFLICT, "%s: %s", url,
			*said != '\0' ? said : curl_easy_strerror(code));
	return FALSE;
}

static gboolean ask(const NodeProduct *product, const char *version, const char *previous,
	gint64 timeout_ms, GError **error)
{
	const char *const shell[] = {"/bin/sh", "-c", product->health, NULL};
	if (g_str_has_prefix(product->health, "http://"))
		return ask_url(product->health, timeout_ms, error);
	return hook_run(product, "health", shell, version, previous, timeout_ms, error);
}

gboolean node_health(
	const NodeProduct *product, const char *version, const char *previous, GError **error)
{
	gint64 deadline = clock_monotonic_ms() + product->health_timeout_s * 1000;
	gint64 pause_ms = FIRST_PAUSE_MS;
	g_autoptr(GError) last = NULL;
	if (product->health == NULL)
		return TRUE;
	for (gint64 left = product->health_timeout_s * 1000; left > 0;
		left = deadline - clock_monotonic_ms()) {
		g_clear_error(&last);
		if (ask(product, version, previous, left, &last))
			return TRUE;
		left = deadline - clock_monotonic_ms();
		if (left > 0)
			g_usleep((gulong)MIN(pause_ms, left) * 1000);
		pause_ms = MIN(2 * pause_ms, LONGEST_PAUSE_MS);
	}
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"not healthy within %" G_GINT64_FORMAT " s: %s", product->health_timeout_s,
		last->message);
	return FALSE;
}
