/* SPDX-License-Identifier: ISC
 *
 * Who may write which rows of channels. A row of one product needs the operator of that product, a
 * row of all products the operator of all. What says who may sign and what a signature means needs
 * an admin of all, as giving roles does, so that nobody can give themself what they lack; lifting a
 * freeze needs an admin of its product.
 */
#ifndef API_CHANNEL_RIGHT_H
#define API_CHANNEL_RIGHT_H

#include "api/api.h"
#include "channel/row/state.h"

/* `state`: the rows that the ops are for. Ops that are no good are let through: whoever takes them
 * says what is wrong. Fails as actor_require(). */
gboolean channel_may_write(
	const Actor *actor, const State *state, const json_t *ops, GError **error);

#endif
