/* SPDX-License-Identifier: ISC
 *
 * Versions as clients say them and as rules ask for them, in three schemes:
 *
 *   mozilla  x.y, x.y.z or w.x.y.z, of which y is not compared; x.y is x.y.0. A suffix (a1, b12,
 *            esr, plugin1, -x) makes a version smaller; suffixes compare by their first letter,
 *            then by number.
 *   loose    numbers, runs of small letters and runs of anything else between dots, one after the
 *            other; a number is smaller than letters; what is longer is greater.
 *   semver   Semantic Versioning 2.0.0; build metadata is ignored.
 *
 * Numbers have any length. Pure; nothing is allocated.
 */
#ifndef CHANNEL_RULE_VERSION_H
#define CHANNEL_RULE_VERSION_H

#include "base/error.h"

#define VERSION_MAXIMUM_BYTES 100
#define VERSION_MAXIMUM_PARTS 50 /* numbers and words of one version */

typedef enum VersionScheme { VERSION_MOZILLA, VERSION_LOOSE, VERSION_SEMVER } VersionScheme;
enum { VERSION_SCHEMES = VERSION_SEMVER + 1 }; /* how many there are */

typedef struct VersionPart {
	guint8 start, size; /* in the text; of a number without leading zeros */
	gboolean is_number;
} VersionPart;

/* A value; copy it as you like. */
typedef struct Version {
	VersionScheme scheme;
	char text[VERSION_MAXIMUM_BYTES + 1];
	VersionPart parts[VERSION_MAXIMUM_PARTS];
	guint8 count;
	guint8 release; /* how many parts come before the suffix */
} Version;

/* "mozilla", "loose", "semver". Fails with DROVER_ERROR_INPUT. */
gboolean version_scheme_parse(const char *text, VersionScheme *scheme, GError **error);
const char *version_scheme_name(VersionScheme scheme);

/* Fails with DROVER_ERROR_INPUT, quoting the text. */
gboolean version_parse(VersionScheme scheme, const char *text, Version *version, GError **error);
/* <0, 0, >0. Both of one scheme. */
int version_compare(const Version *a, const Version *b);

typedef enum VersionOperator {
	VERSION_EQUAL,
	VERSION_LESS,
	VERSION_LESS_OR_EQUAL,
	VERSION_GREATER,
	VERSION_GREATER_OR_EQUAL,
} VersionOperator;

/* What a rule asks of a version: "60.0", ">=60.0", "60.*", "60.1.*". */
typedef struct VersionTest {
	VersionOperator operator;
	gboolean is_glob; /* `version` holds only the numbers before the star */
	Version version;
} VersionTest;

/* An operator at the beginning of `text`; *rest is what follows it, blanks skipped. */
VersionOperator version_operator_read(const char *text, const char **rest);
/* "=", "<", "<=", ">" or ">=". FALSE for anything else. */
gboolean version_operator_parse(const char *text, VersionOperator *operator);
/* TRUE when "a OP b" holds, `order` being how a compares with b. */
gboolean version_operator_holds(VersionOperator operator, int order);

/* Fails with DROVER_ERROR_INPUT. A star is only allowed at the end of N.* and N.M.*, and only
 * without an operator. */
gboolean version_test_parse(
	VersionScheme scheme, const char *text, VersionTest *test, GError **error);
/* The same with its operator apart. */
gboolean version_test_make(VersionScheme scheme, VersionOperator operator, const char * text,
	VersionTest *test, GError **error);
gboolean version_test_holds(const VersionTest *test, const Version *version);

#endif
