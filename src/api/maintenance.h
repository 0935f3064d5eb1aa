/* SPDX-License-Identifier: ISC
 *
 * The maintenance switch: a row in the store, or a file maintenance.txt that somebody dropped into
 * the state folder by hand. While either is there, whatever changes something stops before it
 * touches anything.
 */
#ifndef API_MAINTENANCE_H
#define API_MAINTENANCE_H

#include "api/api.h"

#define MAINTENANCE_FILE	  "maintenance.txt"
#define MAINTENANCE_MAXIMUM_BYTES 4096 /* of the file that are shown */

typedef struct Maintenance {
	gboolean on;
	gboolean by_file;
	char *reason; /* NULL when none was given */
	char *actor;
	gint64 since_us;
} Maintenance;

gboolean maintenance_read(
	const ApiSite *site, Store *store, Maintenance *maintenance, GError **error);
void maintenance_clear(Maintenance *maintenance);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Maintenance, maintenance_clear)

/* Fails with DROVER_ERROR_MAINTENANCE, saying since when, why and how to end it, while it is on. */
gboolean maintenance_refuse(const ApiSite *site, Store *store, GError **error);
/* As the API's Maintenance. */
json_t *maintenance_json(const Maintenance *maintenance);

#endif
