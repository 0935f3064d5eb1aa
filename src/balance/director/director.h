/* SPDX-License-Identifier: ISC
 *
 * The shell around the pool: for each service of the configuration a list (source.h), its pool
 * (balance/pool.h), checks (monitor/), the kernel (kernel/keeper.h) and a route. The way of the
 * data is one: list and results go into the pool, its changes go to the keeper and the routes, its
 * news to log and alerts.
 *
 *     source -> guard -> pool <- checks
 *                         |
 *                  keeper, routes, alerts, reports
 */
#ifndef BALANCE_DIRECTOR_DIRECTOR_H
#define BALANCE_DIRECTOR_DIRECTOR_H

#include <jansson.h>

#include "balance/config.h"
#include "balance/monitor/runner.h"
#include "base/clock.h"

struct event_base;

#define DIRECTOR_ADOPT_MS  5000	 /* how long the first list of a service waits for names */
#define DIRECTOR_SOON_MS   50	 /* until alerts and reports say what happened */
#define DIRECTOR_SAVE_MS   1000	 /* until a new list or address is on disk */
#define DIRECTOR_TICK_MS   10000 /* between tries of what failed */
#define DIRECTOR_ROUTES_MS 60000 /* between looks at the routes in the kernel */
#define DIRECTOR_REPORT_MS 30000 /* between reports with fresh figures to droverd */
#define DIRECTOR_STATUS_MS 1000	 /* how old the connections in a status may be */

typedef struct Director Director;

typedef struct DirectorOptions {
	struct event_base *base;
	const char *config_path;
	const char *state_folder; /* last good lists and drains; made when it is not there */
	gboolean dry_run;
	guint32 seed;
	Runner *runner;		/* NULL: no commands */
	const char *token_file; /* of this host at droverd; NULL: none */
	const char *ca_file;	/* that signs droverd's certificate; NULL: the system's */
	Clock clock;
} DirectorOptions;

/* Reads the configuration (every error of it in one message), adopts the kernel's table, begins.
 * Warnings are logged. */
Director *director_new(const DirectorOptions *options, GError **error);
/* Stops checking and leaves table and routes as they are. */
void director_free(Director *director);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Director, director_free)
/* Withdraws the routes, for a stop that is meant. */
gboolean director_withdraw(Director *director, GError **error);

/* SIGHUP: reads everything again and applies the difference. A configuration that has errors
 * changes nothing, and raises an alert. */
gboolean director_reload(Director *director, GError **error);

/* Steering, by a person whose name is logged. Fails with DROVER_ERROR_NOT_FOUND, or
 * DROVER_ERROR_CONFLICT saying why.
 *
 * Obeys the list that the guard has set aside. */
gboolean director_accept(Director *director, const char *service, const char *who, GError **error);
gboolean director_drain(Director *director, const char *service, const char *server,
	gboolean forced, const char *who, GError **error);
gboolean director_undrain(Director *director, const char *service, const char *server,
	const char *who, GError **error);

/* Everything that the program knows, for face, socket and people. New reference; made anew when
 * something happened since the last call. Times are RFC 3339 or null.
 *
 * {"version": "0.1.0", "started": T, "now": T, "dry_run": false, "configuration": PATH,
 *  "alerts": [{"service": NAME or null, "kind":
 * "held|floor|revoked|set-aside|list|kernel|route|drover|
 *              configuration|runner|address|floor|state", "since": T, "text": "…"}],
 *  "services": [{"name", "protocol": "tcp", "address", "port", "scheduler", "forward",
 *     "depool_threshold": ".5" as written, "can_depool": true, "can_serve": true,
 *     "route": "announced|withdrawn|off", "needed": 3, "counting": 4,
 *     "left": 3, "kept": 1 (failures since the start: servers that left, that were held),
 *     "begun": true (false: the kernel's table of it is as it was found),
 *     "list": {"url", "read": T, "problem": null, "set_aside": null or
 *              {"since": T, "why", "servers": 3}, "version": 0},
 *     "servers": [{"host", "address": null or "10.0.0.1", "enabled", "ready", "up", "maintenance",
 *        "checked": bool, "pooled", "held", "drain": "none|reserved|draining|drained",
 *        "who": NULL or who asked for that, "state": "unresolved|unchecked|up|down|maintenance",
 *        "weight": 10, "current_weight": 10, "since": T of its state, "last_check": T,
 *        "why": "ProxyFetch: 200 in 3 ms", "active": 3, "inactive": 12,
 *        "monitors": [{"name": "ProxyFetch", "verdict": "passing|failing|unchecked|maintenance",
 *                      "good": true (its last result), "at": T, "why": "…", "took_us": 3000,
 *                      "up_results": 7, "down_results": 1 (also in maintenance),
 *                      "up_transitions": 1, "down_transitions": 1}]}]}],
 *  "figures": {"checks": {…checks_figures}, "kernel": {…keeper_figures}}} */
json_t *director_status(Director *director);

#endif
