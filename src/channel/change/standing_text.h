/* SPDX-License-Identifier: ISC
 *
 * The sentence that says how a change stands: what is missing, and who can supply it. Pure.
 */
#ifndef CHANNEL_CHANGE_STANDING_TEXT_H
#define CHANNEL_CHANGE_STANDING_TEXT_H

#include "channel/change/standing.h"

/* Of one that was judged. `problem`: why it does not apply, NULL: it does. Caller frees. */
char *standing_text(const Standing *standing, const json_t *change, const StandingWords *words,
	const char *problem);

#endif
