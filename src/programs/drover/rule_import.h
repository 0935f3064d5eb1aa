/* SPDX-License-Identifier: ISC
 *
 * The commands that take rules and releases over from Balrog, for the tables of `drover rule` and
 * `drover release-doc`.
 */
#ifndef DROVER_RULE_IMPORT_H
#define DROVER_RULE_IMPORT_H

#include "programs/drover/invocation.h"

#define RULE_IMPORT_MAXIMUM_OPS	  1000	       /* that are sent in one edit */
#define RULE_IMPORT_MAXIMUM_BYTES (512 * 1024) /* that are sent in one edit, but for one op */

gboolean rule_import_rules(Invocation *invocation, GError **error);
gboolean rule_import_releases(Invocation *invocation, GError **error);
extern const Option rule_import_options[], rule_import_release_options[];

#define RULE_IMPORT_COMMAND                                                                        \
	{                                                                                          \
		"rule import", "", 0, 0, "Takes rules over from Balrog", rule_import_rules,        \
			rule_import_options,                                                       \
			"FILE is what GET /api/v1/rules answers; docs/channel.md says what "       \
			"becomes "                                                                 \
			"of each column. When a rule is refused, nothing is written, since a "     \
			"client would get what the next rule gives; --without-refused writes the " \
			"others.",                                                                 \
			"drover rule import --balrog rules.json --product Firefox --dry-run\n"     \
			"curl -s https://aus-api.mozilla.org/api/v1/rules | drover rule import "   \
			"--balrog - --with-stub-releases",                                         \
			"4,5,7", "release-doc import"                                              \
	}

#define RULE_IMPORT_RELEASE_COMMAND                                                                \
	{                                                                                          \
		"release-doc import", "", 0, 0, "Takes releases over from Balrog",                 \
			rule_import_releases, rule_import_release_options,                         \
			"FILE is a release blob, or a list of them. A blob does not say its "      \
			"product. A stub that rule import made is replaced.",                      \
			"drover release-doc import --balrog Firefox-128.0-build2.json --product "  \
			"Firefox",                                                                 \
			"4,5,7", "rule import"                                                     \
	}

#endif
