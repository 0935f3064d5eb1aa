/* SPDX-License-Identifier: ISC
 *
 * Addresses as the configuration writes them: "127.0.0.1:8461", "[::1]:8461".
 */
#ifndef DROVERD_LISTEN_H
#define DROVERD_LISTEN_H

#include "base/error.h"

typedef struct ListenAddress {
	char *address;
	guint16 port; /* 0: any free one */
} ListenAddress;

/* Fails with DROVER_ERROR_INPUT; `what` names the setting. */
gboolean listen_address_parse(
	const char *text, const char *what, ListenAddress *address, GError **error);
void listen_address_clear(ListenAddress *address);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListenAddress, listen_address_clear)

/* Only this host can reach it. */
gboolean listen_address_is_loopback(const ListenAddress *address);
/* "127.0.0.1:8461". Caller frees. */
char *listen_address_text(const char *address, guint16 port);

#endif
