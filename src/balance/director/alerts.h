/* SPDX-License-Identifier: ISC
 *
 * What a person should look at, for as long as it is so. An alert is known by its service and kind:
 * it is raised once, says the newest text, remembers since when, and is cleared by who raised it.
 * Raising and clearing are logged.
 */
#ifndef BALANCE_DIRECTOR_ALERTS_H
#define BALANCE_DIRECTOR_ALERTS_H

#include <jansson.h>

#include "base/clock.h"

typedef enum AlertKind {
	ALERT_HELD,	     /* servers are down, but stay pooled for the floor */
	ALERT_FLOOR,	     /* too few servers count */
	ALERT_REVOKED,	     /* drains were taken back, because servers failed */
	ALERT_SET_ASIDE,     /* a list waits for a person */
	ALERT_LIST,	     /* a list cannot be read, or is no good */
	ALERT_DROVER,	     /* the same, of droverd's */
	ALERT_ADDRESS,	     /* servers without an address of their own */
	ALERT_KERNEL,	     /* the kernel would not have it */
	ALERT_ROUTE,	     /* the same, of routes */
	ALERT_CONFIGURATION, /* a reload changed nothing */
	ALERT_RUNNER,	     /* commands cannot be run */
	ALERT_STATE,	     /* what should be kept on disk cannot be */
	ALERT_KINDS,
} AlertKind;

typedef struct Alerts Alerts;

Alerts *alerts_new(Clock clock);
void alerts_free(Alerts *alerts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Alerts, alerts_free)

/* `service` may be NULL: it is about the whole program. A NULL `text` clears. Returns TRUE when
 * anything changed. */
gboolean alerts_set(Alerts *alerts, const char *service, AlertKind kind, const char *text);
/* The service is gone. */
void alerts_forget(Alerts *alerts, const char *service);
/* "held", "set-aside" … */
const char *alerts_kind_name(AlertKind kind);
/* [{"service", "kind", "since", "text"}], by service, then kind. New reference. */
json_t *alerts_json(const Alerts *alerts);
/* The texts of one service's alerts. New reference. */
json_t *alerts_texts(const Alerts *alerts, const char *service);

#endif
