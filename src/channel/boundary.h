/* SPDX-License-Identifier: ISC
 *
 * The values at which rules and releases change their minds, for each thing that a query says; and
 * between which of them a release makes no difference. For difference.c. Pure.
 */
#ifndef CHANNEL_BOUNDARY_H
#define CHANNEL_BOUNDARY_H

#include "channel/rule/release_document.h"
#include "channel/rule/rule.h"

/* In the order in which a search asks: what a release needs first comes first. */
typedef enum BoundaryColumn {
	BOUNDARY_ARCH,
	BOUNDARY_DIST_VERSION,
	BOUNDARY_OS_VERSION,
	BOUNDARY_DISTRIBUTION,
	BOUNDARY_INSTRUCTION_SET,
	BOUNDARY_MEMORY,
	BOUNDARY_FLAGS,
	BOUNDARY_TAGS,
	BOUNDARY_PLATFORM,
	BOUNDARY_LOCALE,
	BOUNDARY_VERSION,
	BOUNDARY_BUILD_ID,
	BOUNDARY_PIN,
	BOUNDARY_DRAW,
	BOUNDARY_COLUMNS,
} BoundaryColumn;

/* As in a query's JSON. */
const char *boundary_column_name(BoundaryColumn column);
/* RULE_COLUMNS: no rule asks for it (pin, draw). */
RuleColumn boundary_rule_column(BoundaryColumn column);

/* Appends to the list `values`, each once: null (not said), each value that the rows of a
 * digest_canonical() name, and its neighbours. */
void boundary_values(
	BoundaryColumn column, const json_t *canonical, VersionScheme scheme, json_t *values);
/* Appends what the release says to the query as far as it is made: two values of the column with
 * one sign are the same to it. */
void boundary_release_sign(
	BoundaryColumn column, const ReleaseDocument *document, const Query *query, GString *sign);

#endif
