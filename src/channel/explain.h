/* SPDX-License-Identifier: ISC
 *
 * Why a query gets what it gets: each rule in the order of evaluation and what it missed. Pure.
 */
#ifndef CHANNEL_EXPLAIN_H
#define CHANNEL_EXPLAIN_H

#include "channel/evaluate.h"

/* {"mapping", "rule_id", "why", "rules": [{"rule_id", "alias", "priority", "mapping", "matches",
 * "wins", "near": one matcher was missed, "missed": [{"column", "wanted"}]}]}. New reference. */
json_t *explain(const Snapshot *snapshot, const Query *query);

#endif
