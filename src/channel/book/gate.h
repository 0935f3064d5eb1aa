/* SPDX-License-Identifier: ISC
 *
 * What else must be so before a change goes live. A gate belongs to another stage (is its landing
 * deployable? is there a freeze?) and arrives as a value; here it is only kept: a change whose gate
 * does not pass waits and says so, unless somebody has overridden it.
 */
#ifndef CHANNEL_BOOK_GATE_H
#define CHANNEL_BOOK_GATE_H

#include "channel/book/book.h"
#include "channel/gate.h"

/* The gates of one change that would go live at `at_us` on `before`: GPtrArray of Gate *, NULL with
 * error set when they could not be asked. Inside a transaction. */
typedef GPtrArray *(*GatesAsk)(Store *store, const State *before, const ChannelChange *change,
	gint64 at_us, gpointer of, GError **error);

#endif
