/* SPDX-License-Identifier: ISC
 *
 * What else must be so before a change goes live. A gate belongs to another stage (is its landing
 * deployable? did the contract check run?) and arrives as a value; here it is only kept. The
 * freeze, whose windows are rows, is the one gate of this stage. Rules: docs/channel.md, "Gates".
 * Pure.
 */
#ifndef CHANNEL_CHANGE_GATE_H
#define CHANNEL_CHANGE_GATE_H

#include "channel/change/footprint.h"

#define GATE_FREEZE "freeze"

typedef struct Gate {
	char *name; /* "deployable", "freeze" */
	gboolean passes;
	char *text; /* what is so, or what is missing: a sentence without its full stop */
	char *role; /* whose word overrides it on the change's products; NULL: nobody's */
} Gate;

Gate *gate_new(const char *name, gboolean passes, const char *text, const char *role);
void gate_free(Gate *gate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Gate, gate_free)

/* Does a row of `freezes` hold at the instant whose product is one of the footprint's? It holds
 * what can alter an answer, so freezes themselves can be lifted, but no switching off. Caller
 * frees. */
Gate *gate_freeze(const State *state, const json_t *change, gint64 at_us);

#endif
