/* SPDX-License-Identifier: ISC
 *
 * How the store's shell asks other stages for their gates: whoever calls hands in a function. What
 * a gate is: channel/change/gate.h.
 */
#ifndef CHANNEL_BOOK_GATE_H
#define CHANNEL_BOOK_GATE_H

#include "channel/book/book.h"
#include "channel/change/gate.h"

/* The gates of one change that would go live at `at_us` on `before`: GPtrArray of Gate *, NULL with
 * error set when they could not be asked. Inside a transaction. */
typedef GPtrArray *(*GatesAsk)(Store *store, const State *before, const ChannelChange *change,
	gint64 at_us, gpointer of, GError **error);

#endif
