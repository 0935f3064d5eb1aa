/* SPDX-License-Identifier: ISC
 *
 * Whose answers differ between two snapshots: what reviewers sign. Queries are many, but rules cut
 * them into few classes: between two bounds of the rules and releases nothing changes. One query of
 * each class is asked of both. Rules: docs/channel.md, "Looking at rules". Pure.
 */
#ifndef CHANNEL_DIFFERENCE_H
#define CHANNEL_DIFFERENCE_H

#include "channel/evaluate.h"

#define DIFFERENCE_MAXIMUM_STEPS 200000 /* values that are tried */

/* [{"query": {…}, "before": {"mapping", "rule_id", "why"}, "after": {…}}]. A query's channel
 * "beta-other" stands for all that only a glob names, an absent one for what nobody names. Products
 * and channels with equal digests are skipped. Values of a list are tried one by one and as a rule
 * combines them. Fails with DROVER_ERROR_TOO_LARGE. New reference. */
json_t *difference(const Snapshot *before, const Snapshot *after, GError **error);
/* The same of one product and channel. */
json_t *difference_of(const Snapshot *before, const Snapshot *after, const char *product,
	const char *channel, GError **error);

#endif
