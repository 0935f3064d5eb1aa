/* SPDX-License-Identifier: ISC
 *
 * Does one rule match whatever another matches? Careful: FALSE when that is not certain. Pure.
 */
#ifndef CHANNEL_RULE_COVER_H
#define CHANNEL_RULE_COVER_H

#include "channel/rule/rule.h"

/* TRUE: every query that `narrow` matches, `wide` matches too. */
gboolean rule_covers(const Rule *wide, const Rule *narrow);

#endif
