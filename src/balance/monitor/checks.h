/* SPDX-License-Identifier: ISC
 *
 * Runs checks: when, how many at once, and who gets told. What one check does on the wire stands in
 * a file per monitor. First checks are spread over the interval, later ones jittered by 10 %; at no
 * time more than `maximum_sockets` are open; the same check of the same address for two services
 * runs once. One thread, one event base. Rules: docs/monitors.md.
 */
#ifndef BALANCE_MONITOR_CHECKS_H
#define BALANCE_MONITOR_CHECKS_H

#include "balance/address.h"
#include "balance/config.h"
#include "balance/monitor/runner.h"

struct event_base;

#define CHECKS_MAXIMUM_WHY_BYTES 200 /* what a person reads about a result */
#define CHECKS_SPARE_FILES	 64  /* descriptors left for all else when sockets are counted */
#define CHECKS_STALL_MS		 20 /* a loop held up for longer gives checks under way more time */
#define CHECKS_TICK_US		 5000 /* what is due within it starts together */

typedef struct Checks Checks;
typedef struct Check Check; /* one watcher of one check of one server */

typedef struct ChecksOptions {
	struct event_base *base;
	guint maximum_sockets; /* `max-checks` */
	guint32 seed;	       /* of spread and jitter */
	Runner *runner;	       /* for RunCommand; NULL: such a check fails, saying so */
} ChecksOptions;

/* Fails with DROVER_ERROR_INTERNAL (no TLS context, fewer file descriptors than sockets). */
Checks *checks_new(const ChecksOptions *options, GError **error);
/* All watchers must have left. */
void checks_free(Checks *checks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Checks, checks_free)

/* What is being checked. Copied. */
typedef struct CheckTarget {
	const char *host; /* as listed: server.host, logs */
	Address address;
	guint16 port; /* of the service */
} CheckTarget;

/* Each result, also when it is the same as the last. `why` is one line in plain UTF-8, borrowed. */
typedef void (*CheckTell)(PoolResult result, const char *why, gint64 took_us, gpointer of);

/* Watches what `service` says about `monitor`; `service` is only read during this call. A result
 * that is known already (the check is shared) is told soon, from the loop, never from within this
 * call. Fails with DROVER_ERROR_INPUT for a regular expression that is none, and the like. */
Check *checks_watch(Checks *checks, const ConfigService *service, ConfigMonitor monitor,
	const CheckTarget *target, CheckTell tell, gpointer of, GError **error);
/* No call to `tell` after this. May be called from within `tell`. */
void checks_leave(Check *check);

/* What checks_watch() would refuse, without a network: for check-config. The error begins with the
 * key: "proxyfetch.body-regex: is no regular expression: …". */
gboolean checks_validate(const ConfigService *service, ConfigMonitor monitor, GError **error);

typedef struct ChecksFigures {
	guint64 started, up, down, maintenance;
	guint64 delayed; /* had to wait for a free socket */
	guint64 unmade;	 /* could not be made for want of something on this host; nobody was told */
	guint sockets, sockets_peak; /* of checks under way */
	guint checks, watchers;
} ChecksFigures;
void checks_figures(const Checks *checks, ChecksFigures *figures);

#endif
