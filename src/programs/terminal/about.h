/* SPDX-License-Identifier: ISC
 *
 * The commands with which a program explains itself, for its table.
 */
#ifndef DROVER_ABOUT_H
#define DROVER_ABOUT_H

#include "programs/terminal/command.h"

/* "help [COMMAND|exit-codes|options]" */
gboolean about_run_help(Invocation *invocation, GError **error);
/* "completion bash" */
gboolean about_run_completion(Invocation *invocation, GError **error);
/* "version" */
gboolean about_run_version(Invocation *invocation, GError **error);

#endif
