/* SPDX-License-Identifier: ISC
 *
 * Where files may come from: a URL is handed to clients only when its host is one that the product
 * names. Asked when a release is written, and again when it is answered. Pure.
 */
#ifndef CHANNEL_ROW_FILE_HOST_H
#define CHANNEL_ROW_FILE_HOST_H

#include <glib.h>
#include <jansson.h>

#define FILE_HOST_MAXIMUM_BYTES 259 /* a name of 253, a colon, a port */

/* "cdn.example.org" or "cdn.example.org:8443": small letters, digits, dots and hyphens. */
gboolean file_host_is_valid(const char *host);

/* The host of an http or https URL, in small letters, with the port when the URL names one. NULL
 * when it is none, names a user, or has a fragment or a character that URLs have not. Caller
 * frees. */
char *file_host_of(const char *url);

/* `hosts`: a list of texts; NULL: none is allowed. */
gboolean file_host_is_allowed(const char *url, const json_t *hosts);

#endif
