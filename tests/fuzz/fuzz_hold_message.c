/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a message to a holder, and as one to a NOTIFY_SOCKET: refused, or safe to act on.
 */
#include <string.h>

#include "node/hold/hold.h"
#include "node/hold/message.h"
#include "node/hold/notify.h"

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

static void check_notified(const char *text, gsize size_bytes)
{
	NotifySaid said = {0};
	notify_parse(text, size_bytes, &said);
	g_assert(strlen(said.status) <= NOTIFY_MAXIMUM_STATUS_BYTES);
	g_assert(g_utf8_validate(said.status, -1, NULL) && strpbrk(said.status, "\n\r") == NULL);
	g_assert(!said.ready || g_strstr_len(text, (gssize)size_bytes, "READY=1") != NULL ||
		 memchr(text, '\0', size_bytes) != NULL);
}

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	HoldMessage message;
	g_autoptr(GError) error = NULL;
	const char *text = (const char *)bytes;
	check_notified(text, size_bytes);
	if (!hold_message_parse(text, size_bytes, &message, &error)) {
		g_assert(drover_error_is(error, DROVER_ERROR_INPUT) && message.version == NULL);
		return 0;
	}
	g_assert(error == NULL);
	g_assert((message.what == HOLD_HANDOVER) == (message.version != NULL));
	g_assert((message.what == HOLD_MAINTENANCE_ON) == (message.reason != NULL));
	g_assert(message.version == NULL ||
		 (strchr(message.version, '/') == NULL && message.version[0] != '.'));
	hold_message_clear(&message);
	return 0;
}
