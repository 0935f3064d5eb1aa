/* SPDX-License-Identifier: ISC
 *
 * What a client or node says about itself when it asks for a release. Texts are borrowed; NULL is
 * what it does not say.
 */
#ifndef CHANNEL_RULE_QUERY_H
#define CHANNEL_RULE_QUERY_H

#include "channel/rule/version.h"

#define QUERY_MAXIMUM_TAGS 64

typedef struct QueryTag {
	const char *name, *value;
} QueryTag;

typedef enum QueryFlag { QUERY_FLAG_UNKNOWN, QUERY_FLAG_FALSE, QUERY_FLAG_TRUE } QueryFlag;
typedef enum QueryForce { QUERY_FORCE_NONE, QUERY_FORCE_SERVE, QUERY_FORCE_FALLBACK } QueryForce;

typedef struct Query {
	const char *product, *platform, *arch, *dist_version, *channel, *build_id, *os_version;
	const char *locale, *distribution;
	const char *instruction_set; /* one, or a comma list */
	gboolean has_version;
	Version version; /* in the scheme of the product */
	gboolean has_memory;
	gint64 memory; /* MiB, as the client says it */
	QueryFlag mig64, jaws;
	QueryTag tags[QUERY_MAXIMUM_TAGS];
	guint tag_count;

	QueryForce force;
	const char *id;	 /* of the client, for the throttle; NULL: the draw decides */
	const char *pin; /* "102." */
	guint draw;	 /* 0 to 99, for clients without an id */
} Query;

/* How long the part of a channel before its first "-cck-" is; 0 when there is none. */
gsize query_channel_base(const char *channel);

#endif
