/* SPDX-License-Identifier: ISC
 *
 * What a tester signs: the digest of all that the evaluator can read for one product and base
 * channel. Equal digests mean equal answers to every query of that product and channel, since the
 * evaluator reads nothing else. Rules: docs/channel.md, "Digests". Pure.
 */
#ifndef CHANNEL_DIGEST_H
#define CHANNEL_DIGEST_H

#include "channel/row/canonical.h"
#include "channel/row/scope.h"
#include "channel/snapshot.h"

/* Moves whenever the same rows are answered differently than before. */
#define DIGEST_EVALUATOR 1

/* The rules that can match, in the order of evaluation, the releases that can be reached,
 * shut-offs, pins, the scheme of versions and the evaluator's number; without columns that decide
 * nothing. Rows that are no good, which match nothing, are not in it. Either name may be NULL: what
 * queries get that do not say it. New reference. */
json_t *digest_canonical(const Snapshot *snapshot, const char *product, const char *channel);
/* canonical_digest() of it. Caller frees. */
char *digest_of(const Snapshot *snapshot, const char *product, const char *channel);

/* The same for all names in `scopes`, a list of Scope, whether anybody has thought of them or not:
 * what can answer any query there. Caller frees. */
char *digest_of_scopes(const Snapshot *snapshot, const GArray *scopes);

#endif
