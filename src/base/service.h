/* SPDX-License-Identifier: ISC
 *
 * A word to the service manager: one datagram to the socket that NOTIFY_SOCKET names, as
 * sd_notify(3) has it. Without one it is said to nobody.
 */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

#include <glib.h>

/* A datagram socket to the service manager, which the caller closes. -1: nobody listens. */
int service_connect(void);
/* "READY=1", "STOPPING=1", "WATCHDOG=1", "RELOADING=1\nMONOTONIC_USEC=…". */
void service_notify(const char *state);
/* How often the service manager wants to hear "WATCHDOG=1" from this process; 0: not at all. */
gint64 service_watchdog_ms(void);

#endif
