/* SPDX-License-Identifier: ISC
 *
 * The log of what happened to landings: where a run began, then every transition. Replaying it
 * gives the final state: a landing's state is what its last landing.transition says (GONE: no
 * longer on the branch).
 */
#ifndef API_TRANSITIONS_H
#define API_TRANSITIONS_H

#include "api/api.h"
#include "api/view.h"

/* The states of all landings at one moment. */
typedef struct StatesThen StatesThen;

StatesThen *states_then(LandingBook *book);
void states_then_free(StatesThen *then);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StatesThen, states_then_free)

/* Where a run begins, once for each state that the process meets:
 * "event=landing.source product=… tip=… landings=… good=… pending=… bad=… digest=…" */
void transitions_log_source(LandingBook *book);
/* A line for each landing whose state differs from then. `cause` names what did it. */
void transitions_log(
	const StatesThen *then, LandingBook *book, const char *actor, const char *cause);

/* Calls `handler`, which changes the call's {product}, inside store_write() and out of maintenance,
 * and logs the transitions that came of it. A new reference, or NULL with error set. */
json_t *transitions_write(ApiCall *call, ApiHandler handler, const char *cause, GError **error);

#endif
