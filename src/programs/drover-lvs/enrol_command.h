/* SPDX-License-Identifier: ISC
 *
 * drover-lvs enrol: a one-time code becomes this balancer's token.
 */
#ifndef DROVER_LVS_ENROL_COMMAND_H
#define DROVER_LVS_ENROL_COMMAND_H

#include "base/error.h"

/* `argv` begins with the command's name. */
gboolean enrol_balancer(int argc, char **argv, GError **error);

#endif
