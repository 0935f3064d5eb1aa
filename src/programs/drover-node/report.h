/* SPDX-License-Identifier: ISC
 *
 * What this node says of itself, to droverd and to `drover-node status`: NodeReport of
 * src/api/openapi.yaml.
 */
#ifndef DROVER_NODE_REPORT_H
#define DROVER_NODE_REPORT_H

#include "node/follow.h"
#include "node/place.h"

typedef enum ReportState {
	REPORT_IDLE,
	REPORT_INSTALLING,
	REPORT_ACTIVATING,
	REPORT_FAILED,
} ReportState;

/* What only who does it knows. */
typedef struct ReportDoing {
	ReportState state;
	char *version;	  /* INSTALLING, ACTIVATING */
	const char *step; /* "fetch"; static */
	gint64 done, total;
	char *error;	    /* the last refusal; NULL */
	const char *health; /* "good", "bad" or NULL; static */
} ReportDoing;

/* A new object. What cannot be looked at becomes its error. `order` may be NULL. */
json_t *report_product(const NodeProduct *product, const Order *order, const ReportDoing *doing,
	const FollowMemory *memory, gint64 now_us);
/* Of all products (taken over). */
json_t *report_whole(json_t *products, gint64 now_us);

#endif
