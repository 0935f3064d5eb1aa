/* SPDX-License-Identifier: ISC
 *
 * A disk that is full from a chosen write on, for SQLite only: it takes the place of SQLite's own
 * file layer, so nothing else in the process notices. It never syncs, to be quick.
 */
#ifndef TESTS_STORE_DISK_H
#define TESTS_STORE_DISK_H

#include <glib.h>

/* The first `writes` succeed, all later ones fail. */
void disk_full_after(int writes);
/* The disk is as it was. TRUE when a write had failed. */
gboolean disk_restore(void);

#endif
