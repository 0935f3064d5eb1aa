/* SPDX-License-Identifier: ISC
 *
 * Rules that cannot do what their author meant: shadowed by one before them, unreachable, or naming
 * a test channel. Careful: what is told is so, but not all that is so is told. Pure.
 */
#ifndef CHANNEL_LINT_H
#define CHANNEL_LINT_H

#include "channel/snapshot.h"

/* `test_channels`: a list of declared names, or NULL; NAME-test is one undeclared.
 * [{"rule_id", "kind": "shadowed" | "unreachable" | "test-channel" | "refused", "by": rule_id or
 * null, "text"}], in the order of evaluation, rows that were refused first. New reference. */
json_t *lint(const Snapshot *snapshot, const json_t *test_channels);

#endif
