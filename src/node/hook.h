/* SPDX-License-Identifier: ISC
 *
 * Running one command of the configuration. For the inside of this room.
 */
#ifndef NODE_HOOK_H
#define NODE_HOOK_H

#include "node/install.h"

/* As node_hook(), for any command (NULL-terminated) and in milliseconds. `version` NULL: in PREFIX.
 */
gboolean hook_run(const NodeProduct *product, const char *what, const char *const *command,
	const char *version, const char *previous, gint64 timeout_ms, GError **error);

#endif
