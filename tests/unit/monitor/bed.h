/* SPDX-License-Identifier: ISC
 *
 * A test bed: the engine and servers of its own in one event base, on 127.0.0.0/8 and ::1. A server
 * plays one part for every connection; a watch keeps the results that it was told.
 */
#ifndef TESTS_UNIT_MONITOR_BED_H
#define TESTS_UNIT_MONITOR_BED_H

#include <event2/event.h>

#include "balance/monitor/checks.h"

#define BED_PATIENCE_MS 20000 /* how long bed_wait() waits before the test fails */

typedef enum BedPart {
	BED_ANSWERS,	 /* reads a request, sends `text`, closes */
	BED_KEEPS_OPEN,	 /* the same, but does not close */
	BED_SILENT,	 /* takes the connection and says nothing */
	BED_CLOSES,	 /* closes at once */
	BED_RESETS,	 /* with a reset */
	BED_DRIPS,	 /* sends `text` a byte at a time, 50 ms apart */
	BED_FLOODS,	 /* sends `text`, then body without end */
	BED_SPEAKS_FIRST /* sends `text` without waiting for a request */
} BedPart;

typedef struct Bed {
	struct event_base *base;
	Checks *checks;
	GPtrArray *servers, *watches;
	guint descriptors; /* open before */
} Bed;

typedef struct BedServer {
	Bed *bed;
	Address address;
	guint16 port;
	BedPart part;
	char *text;
	GHashTable *texts; /* path -> text, before `text`; NULL: none */
	guint connections, open, open_peak;
	GString *request; /* the last one, whole */
	GArray *times_us; /* of connections */
	struct evconnlistener *listener;
} BedServer;

typedef struct BedWatch {
	Bed *bed;
	Check *check;
	guint told, ups, downs, maintenances;
	PoolResult result; /* the last one */
	char *why;
	gint64 took_us;
	gboolean leaves; /* from within the next call */
} BedWatch;

Bed *bed_new(guint maximum_sockets);
/* Leaves all watches, closes all servers, and checks that nothing is left open. */
void bed_free(Bed *bed);
/* At `address`, on a port that the kernel chooses. */
BedServer *bed_server(Bed *bed, const char *address, BedPart part, const char *text);
void bed_server_at_path(BedServer *server, const char *path, const char *text);
/* Nothing listens there any more. */
void bed_server_stop(BedServer *server);
BedWatch *bed_watch(Bed *bed, const ConfigService *service, ConfigMonitor monitor,
	const Address *address, guint16 port);
BedWatch *bed_watch_server(
	Bed *bed, const ConfigService *service, ConfigMonitor monitor, const BedServer *server);
void bed_leave(BedWatch *watch);
/* Runs the loop until the watch was told `times` times in all. */
void bed_wait(BedWatch *watch, guint times);
void bed_run_ms(Bed *bed, gint64 time_ms);
/* A service of the file `[web]` with these lines; see config_parse(). */
ConfigService *bed_service(Config **config, const char *lines);

#endif
