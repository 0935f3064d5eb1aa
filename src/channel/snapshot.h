/* SPDX-License-Identifier: ISC
 *
 * A state, compiled: what queries are answered from. Immutable and shared; a new state makes a new
 * snapshot. A row that is no good (it never comes out of the store, where it was refused when it
 * was written) is named in snapshot_errors() and matches nothing.
 *
 * The index: product -> channel -> the rules that can match there, by priority. So a query costs
 * one pass over its own rules, however many others there are.
 */
#ifndef CHANNEL_SNAPSHOT_H
#define CHANNEL_SNAPSHOT_H

#include "channel/row/state.h"
#include "channel/rule/release_document.h"
#include "channel/rule/rule.h"

typedef struct Snapshot Snapshot;

/* `schemes`: product -> "mozilla"; a product that is not there has mozilla. NULL: none. Fails with
 * DROVER_ERROR_INPUT when a scheme is none. */
Snapshot *snapshot_new(const State *state, const json_t *schemes, GError **error);
/* The same, sharing with `before` (may be NULL) what was compiled of rows that both have. */
Snapshot *snapshot_next(
	const Snapshot *before, const State *state, const json_t *schemes, GError **error);
/* Product -> scheme, of the state's rows of `products`. New reference. */
json_t *snapshot_schemes(const State *state);
Snapshot *snapshot_ref(Snapshot *snapshot);
void snapshot_unref(Snapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Snapshot, snapshot_unref)

/* char * in an array of the snapshot: "rule 7: channel: …". */
const GPtrArray *snapshot_errors(const Snapshot *snapshot);
VersionScheme snapshot_scheme(const Snapshot *snapshot, const char *product);
/* A list of the hosts that files of the product may come from; NULL: none. Borrowed. */
const json_t *snapshot_hosts(const Snapshot *snapshot, const char *product);

/* Rules that a query of this product and channel can match, in the order of evaluation; they may
 * still ask for another channel. Rule * in an array of the snapshot. Both may be NULL. */
const GPtrArray *snapshot_rules(const Snapshot *snapshot, const char *product, const char *channel);
/* The same; the query meets all matchers of these rules before *from. */
const GPtrArray *snapshot_rules_from(
	const Snapshot *snapshot, const char *product, const char *channel, RuleColumn *from);
/* All rules in the order of evaluation. */
const GPtrArray *snapshot_all_rules(const Snapshot *snapshot);
/* Of shut-offs, pins and products: an object, key -> row. */
const json_t *snapshot_rows(const Snapshot *snapshot, StateTable table);
/* NULL when there is none. */
const ReleaseDocument *snapshot_release(const Snapshot *snapshot, const char *name);
/* Exactly, or on the part before the first "-cck-". */
gboolean snapshot_is_shut_off(const Snapshot *snapshot, const char *product, const char *channel);
/* The name of the release that the pin holds clients on, NULL when there is no such pin. */
const char *snapshot_pinned(
	const Snapshot *snapshot, const char *product, const char *channel, const char *pin);

#endif
