/* SPDX-License-Identifier: ISC
 *
 * The file that holds this host's token at droverd: written once by enrol, read before
 * each request, so that a new one counts at once. Who can read it can speak as this host.
 */
#ifndef BALANCE_DIRECTOR_HOST_TOKEN_H
#define BALANCE_DIRECTOR_HOST_TOKEN_H

#include <glib.h>

#define HOST_TOKEN_MAXIMUM_BYTES 4096

/* Without the blanks around it. `path` NULL is an error, too: it says which key to set. Fails with
 * DROVER_ERROR_INPUT when others than its owner may read it, or when it is no token. Caller frees.
 */
char *host_token_read(const char *path, GError **error);
/* Wholly or not at all, for its owner alone. */
gboolean host_token_write(const char *path, const char *token, GError **error);
/* Whether writing would succeed, as far as can be known before. */
gboolean host_token_can_write(const char *path, GError **error);

#endif
