/* SPDX-License-Identifier: ISC
 *
 * Downloading a dependency. What a server sends is as hostile as anything: nothing is followed, no
 * protocol but HTTP is spoken, and a server that sends slowly or for ever is left.
 */
#include "release/build/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "release/build/dependencies.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)

typedef struct Receiving {
	int to_fd;
	gint64 size_bytes, maximum_bytes;
	Sha256 digest;
	gboolean too_large;
	int number; /* errno of what could not be written */
} Receiving;

static size_t receive(char *bytes, size_t unit, size_t count, void *of)
{
	Receiving *receiving = of;
	gsize size = unit * count;
	receiving->size_bytes += (gint64)size;
	receiving->too_large = receiving->size_bytes > receiving->maximum_bytes;
	if (receiving->too_large)
		return 0; /* libcurl breaks off */
	sha256_update(&receiving->digest, bytes, size);
	if (file_write_all(receiving->to_fd, bytes, size))
		return size;
	receiving->number = errno;
	return 0;
}

static void set_up(CURL *curl, const char *url, Receiving *receiving, char *problem)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)DEPENDENCY_CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)DEPENDENCY_STALL_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)receiving->maximum_bytes);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "drover/" DROVER_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, receiving);
}

static gboolean judge(const char *url, const Receiving *receiving, CURLcode code, long status,
	const char *problem, GError **error)
{
	if (receiving->too_large || code == CURLE_FILESIZE_EXCEEDED) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s is larger than %" G_GINT64_FORMAT " bytes", url,
			receiving->maximum_bytes);
	} else if (receiving->number != 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "%s cannot be written: %s", url,
			g_strerror(receiving->number));
	} else if (code != CURLE_OK) {
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "%s: %s", url,
			*problem != '\0' ? problem : curl_easy_strerror(code));
	} else if (status != 200) {
		drover_error_set(error,
			status == 404 || status == 410 ? DROVER_ERROR_NOT_FOUND
						       : DROVER_ERROR_UNAVAILABLE,
			"%s: the server answers with status %ld", url, status);
	} else {
		return TRUE;
	}
	return FALSE;
}

gboolean download(
	const char *url, gint64 maximum_bytes, int to_fd, char sha256[SHA256_HEX], GError **error)
{
	Receiving receiving = {.to_fd = to_fd, .maximum_bytes = maximum_bytes};
	char problem[CURL_ERROR_SIZE] = "";
	long status = 0;
	g_autoptr(CURL) curl = curl_easy_init();
	g_assert(curl != NULL);
	sha256_init(&receiving.digest);
	set_up(curl, url, &receiving, problem);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	sha256_finish(&receiving.digest, sha256);
	return judge(url, &receiving, code, status, problem, error);
}
