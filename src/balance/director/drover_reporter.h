/* SPDX-License-Identifier: ISC
 *
 * What a balancer sees of one pool, on its way to droverd: at once when it changed, changes close
 * together as one; every 30 s when nothing did; one at a time, and of those that wait the newest.
 * What droverd did not take is sent again. Rule: docs/pools.md, "The conversation".
 */
#ifndef BALANCE_DIRECTOR_DROVER_REPORTER_H
#define BALANCE_DIRECTOR_DROVER_REPORTER_H

#include "balance/director/drover_door.h"

typedef struct DroverReporter DroverReporter;

/* What droverd said: what is wrong with sending, or with our clock; NULL: nothing. From the loop,
 * after each try. */
typedef void (*DroverReporterTell)(const char *problem, gpointer of);

/* `door` outlives it; `resolver` may be NULL. */
DroverReporter *drover_reporter_new(struct event_base *base, Resolver *resolver,
	const DroverDoor *door, DroverReporterTell tell, gpointer of);
void drover_reporter_free(DroverReporter *reporter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DroverReporter, drover_reporter_free)

/* Takes the reference. */
void drover_reporter_take(DroverReporter *reporter, json_t *report);
/* Says `epoch` and `version` in reports that do not. */
void drover_reporter_set_orders(DroverReporter *reporter, gint64 version, gint64 epoch);
/* droverd is there: what waits for its return need not wait longer. */
void drover_reporter_hurry(DroverReporter *reporter);

#endif
