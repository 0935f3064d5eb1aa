/* SPDX-License-Identifier: ISC
 *
 * The rows of channels and products, for the table of `drover channel`.
 */
#ifndef DROVER_ROW_TABLES_H
#define DROVER_ROW_TABLES_H

#include "programs/drover/invocation.h"

gboolean row_tables_declare(Invocation *invocation, GError **error);
gboolean row_tables_remove(Invocation *invocation, GError **error);
gboolean row_tables_settings(Invocation *invocation, GError **error);

#endif
