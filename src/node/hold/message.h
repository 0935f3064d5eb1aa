/* SPDX-License-Identifier: ISC
 *
 * What may be asked at the control socket: one line of JSON. Pure.
 */
#ifndef NODE_HOLD_MESSAGE_H
#define NODE_HOLD_MESSAGE_H

#include <jansson.h>

#include "base/error.h"

#define HOLD_MAXIMUM_VERSION_BYTES 100

typedef enum HoldDo {
	HOLD_STATUS,
	HOLD_HANDOVER,
	HOLD_STOP_SERVICE,
	HOLD_MAINTENANCE_ON,
	HOLD_MAINTENANCE_OFF,
	HOLD_RENEW,
} HoldDo;

typedef struct HoldMessage {
	HoldDo what;
	char *version;	 /* HANDOVER */
	char *reason;	 /* MAINTENANCE_ON */
	gint64 until_us; /* the same; 0: not said */
} HoldMessage;

/* Fails with DROVER_ERROR_INPUT. */
gboolean hold_message_parse(
	const char *line, gsize size_bytes, HoldMessage *message, GError **error);
void hold_message_clear(HoldMessage *message);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HoldMessage, hold_message_clear)

#endif
