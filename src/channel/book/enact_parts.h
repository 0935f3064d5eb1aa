/* SPDX-License-Identifier: ISC
 *
 * The act of going live, for the clock and for the broken glass.
 */
#ifndef CHANNEL_BOOK_ENACT_PARTS_H
#define CHANNEL_BOOK_ENACT_PARTS_H

#include "channel/book/sign.h"

typedef struct EnactRows {
	const State *before, *after; /* live is `before` */
	const Standing *standing;    /* what history tells of; NULL: only what the change says */
	const SignWords *words;	     /* NULL: none */
	const char *verb;	     /* of history: "change.live" */
} EnactRows;

/* Inside store_write(): writes the rows, and the change as live. */
gboolean enact_rows(Store *store, ChannelChange *change, const EnactRows *rows,
	const ChannelDeed *deed, GError **error);

#endif
