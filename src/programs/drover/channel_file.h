/* SPDX-License-Identifier: ISC
 *
 * drover channel with --snapshot FILE: docs/channel.md, "What if".
 */
#ifndef DROVER_CHANNEL_FILE_H
#define DROVER_CHANNEL_FILE_H

#include "programs/drover/invocation.h"

gboolean channel_file_answer(Invocation *invocation, GError **error);
gboolean channel_file_explain(Invocation *invocation, GError **error);
gboolean channel_file_lint(Invocation *invocation, GError **error);
gboolean channel_file_diff(Invocation *invocation, GError **error);

#endif
