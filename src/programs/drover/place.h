/* SPDX-License-Identifier: ISC
 *
 * Where a run of the command works: which configuration, which store or server, as options,
 * environment and file say it.
 */
#ifndef DROVER_PLACE_H
#define DROVER_PLACE_H

#include "programs/drover/invocation.h"

/* What file, environment and options say together; warns of unknown keys. [server] url is set when
 * a server is meant. */
Settings *place_settings(const Invocation *invocation, GError **error);
/* Fails with DROVER_ERROR_ROOT when we are root and it was not allowed. */
gboolean place_allows_root(const Invocation *invocation, GError **error);
/* The store or the server. `settings` must outlive the port. */
Port *place_open(const Invocation *invocation, Settings *settings, GError **error);

#endif
