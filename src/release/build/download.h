/* SPDX-License-Identifier: ISC
 *
 * One file over HTTP(S) by libcurl, into a descriptor, hashed as it comes. For the inside of this
 * room.
 */
#ifndef RELEASE_BUILD_DOWNLOAD_H
#define RELEASE_BUILD_DOWNLOAD_H

#include "base/error.h"
#include "release/sha256.h"

/* Redirects are not followed, proxies of the environment are ignored. Fails with
 * DROVER_ERROR_NOT_FOUND (404, 410), DROVER_ERROR_UNAVAILABLE (away, stalled, any other status),
 * DROVER_ERROR_TOO_LARGE, DROVER_ERROR_INTERNAL (cannot be written). */
gboolean download(
	const char *url, gint64 maximum_bytes, int to_fd, char sha256[SHA256_HEX], GError **error);

#endif
