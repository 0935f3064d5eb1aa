/* SPDX-License-Identifier: ISC
 *
 * What the director stands on, replaced when the test is linked: a keeper, routes, checks and a
 * resolver that write down what they are told, and say what the test wants them to say.
 */
#ifndef TESTS_DIRECTOR_FAKES_H
#define TESTS_DIRECTOR_FAKES_H

#include "balance/pool.h"

/* Everything is forgotten, but for what the "kernel" has: a restart of the program. */
void fakes_restart(void);
/* And that, too. */
void fakes_reset(void);

/* What the keeper and the routes were told since the last call, a line each:
 * "serve 10.0.0.1 10", "drain 10.0.0.1 stay", "remove 10.0.0.1", "service 192.0.2.1:80 wrr",
 * "forget 192.0.2.1:80", "announce 192.0.2.1", "withdraw 192.0.2.1", "start". Caller frees. */
char *fakes_told(void);
/* The keeper has let go of the connections of a server. */
void fakes_drained(const char *address);
/* The kernel would not have it; NULL: it would again. */
void fakes_trouble(const char *what);
/* Routes fail from now on. */
void fakes_break_routes(gboolean broken);

/* The name was looked up; a NULL address says why not. FALSE: nobody asked. */
gboolean fakes_resolve(const char *name, const char *address, const char *why);
/* A check has ended. FALSE: nobody watches that server so. */
gboolean fakes_result(const char *host, const char *monitor, PoolResult result, const char *why);
/* Watches begun and left since the last call. */
void fakes_watches(guint *begun, guint *left);
/* The address that a server is checked at now; NULL: none. Caller frees. */
char *fakes_checked_address(const char *host, const char *monitor);

#endif
