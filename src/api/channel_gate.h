/* SPDX-License-Identifier: ISC
 *
 * What other stages ask of a change before it goes live, put together for the channel stage, which
 * does not know them. The freeze is the channel stage's own.
 */
#ifndef API_CHANNEL_GATE_H
#define API_CHANNEL_GATE_H

#include "api/api.h"
#include "channel/book/gate.h"

#define GATE_DEPLOYABLE "deployable"

/* A GatesAsk; `of` is the ApiSite.
 *
 * "deployable": each release that the change newly maps to, and that says from which landing it
 * comes, comes from a deployable one of its product. A hotfix does not: an operator's word lets it
 * pass, with a reason. Releases that name no landing, and products without landings, pass. */
GPtrArray *channel_gates_ask(Store *store, const State *before, const ChannelChange *change,
	gint64 at_us, gpointer of, GError **error);

#endif
