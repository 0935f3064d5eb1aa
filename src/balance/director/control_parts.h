/* SPDX-License-Identifier: ISC
 *
 * What both ends of the control socket share.
 */
#ifndef BALANCE_DIRECTOR_CONTROL_PARTS_H
#define BALANCE_DIRECTOR_CONTROL_PARTS_H

#include <sys/un.h>

#include "base/error.h"

/* Fails with DROVER_ERROR_INPUT when the path is too long. */
gboolean control_address(const char *path, struct sockaddr_un *address, GError **error);

#endif
