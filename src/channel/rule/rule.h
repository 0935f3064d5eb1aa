/* SPDX-License-Identifier: ISC
 *
 * A rule: queries that match this get that release. A row is what people write, a JSON object; a
 * Rule is the row compiled, so that what is wrong with it is said when it is written and never when
 * a client asks. Which matchers there are stands in one table, rule_columns(). Rules of matching:
 * docs/channel.md, "Rules".
 */
#ifndef CHANNEL_RULE_RULE_H
#define CHANNEL_RULE_RULE_H

#include <jansson.h>

#include "channel/rule/query.h"

#define RULE_MAXIMUM_TEXT_BYTES 4096 /* of one column */
#define RULE_MAXIMUM_CHOICES	500  /* in the list of one column */
#define RULE_MAXIMUM_PRIORITY	1000000
#define RULE_GLOB_LEAST_BYTES	2 /* that a glob has before its star */

/* The matchers, in the order in which they are asked. */
typedef enum RuleColumn {
	RULE_PRODUCT,
	RULE_CHANNEL,
	RULE_PLATFORM,
	RULE_ARCH,
	RULE_DIST_VERSION,
	RULE_VERSION,
	RULE_BUILD_ID,
	RULE_OS_VERSION,
	RULE_LOCALE,
	RULE_DISTRIBUTION,
	RULE_INSTRUCTION_SET,
	RULE_MEMORY,
	RULE_FLAGS,
	RULE_TAGS,
	RULE_COLUMNS,
} RuleColumn;

/* One of several: all of its texts are wanted. */
typedef struct RuleChoice {
	char **all;
} RuleChoice;

typedef struct RuleTag {
	char *name, **values;
} RuleTag;

typedef struct Rule {
	gatomicrefcount references; /* snapshots share what they compiled from one row */
	json_t *row;
	gint64 rule_id, priority, rate;
	const char *mapping, *fallback_mapping; /* NULL: none. Of the row, as all borrowed texts */
	guint asked;				/* bits: 1 << RuleColumn: it has this matcher */
	const char *product, *platform, *arch, *dist_version, *channel;
	gsize glob_bytes; /* of the channel before its star; 0: no glob */
	/* VersionTest, one must hold; by scheme, NULL: no version of that scheme will do. */
	GArray *versions[VERSION_SCHEMES];
	VersionOperator build_operator, memory_operator;
	const char *build_id; /* without its operator */
	gint64 memory;
	GArray *os_versions, *instruction_sets; /* RuleChoice */
	char **locales, **distributions;
	QueryFlag mig64, jaws;
	GArray *tags; /* RuleTag: all must hold */
} Rule;

/* `row` is shared, and must not change any more. `scheme` is that of its product; the versions of a
 * rule for every product are read in each scheme in which they are any. Fails with
 * DROVER_ERROR_INPUT: "channel: …". */
Rule *rule_new(json_t *row, VersionScheme scheme, GError **error);
Rule *rule_ref(Rule *rule);
void rule_free(Rule *rule); /* of a reference */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rule, rule_free)

/* "product", "tags", … */
const char *rule_column_name(RuleColumn column);

/* The first matcher at or after `from` that the query does not meet, RULE_COLUMNS when it meets
 * all. */
RuleColumn rule_first_miss(const Rule *rule, const Query *query, RuleColumn from);
/* Higher priority first, then the lower id. */
int rule_compare(const Rule *a, const Rule *b);

#endif
