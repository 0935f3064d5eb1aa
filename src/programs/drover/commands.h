/* SPDX-License-Identifier: ISC
 *
 * What the files of commands share among themselves.
 */
#ifndef DROVER_COMMANDS_H
#define DROVER_COMMANDS_H

#include "programs/drover/invocation.h"
#include "store/job.h"

/* The tables, one a file. */
extern const Command product_commands[];
extern const Command landing_commands[];
extern const Command qa_commands[];
extern const Command job_commands[];
extern const Command notice_commands[];
extern const Command maintenance_commands[];
extern const Command channel_commands[];
extern const Command rule_commands[];
extern const Command release_commands[];
extern const Command release_doc_commands[];
extern const Command shutoff_commands[];
extern const Command pin_commands[];
extern const Command change_commands[];
extern const Command requirement_commands[];
extern const Command signing_role_commands[];
extern const Command freeze_commands[];
extern const Command history_commands[];
extern const Command store_commands[];
extern const Command user_commands[];
extern const Command token_commands[];
extern const Command host_commands[];
extern const Command key_commands[];
extern const Command lvs_commands[];
extern const Command node_commands[];
extern const Command pool_commands[];
extern const Command config_commands[];
extern const Command about_commands[];

gboolean landing_run_deployable(Invocation *invocation, GError **error);
gboolean job_run_report(Invocation *invocation, GError **error);
gboolean maintenance_run_upgrade(Invocation *invocation, GError **error);

/* A line for each of the API's ScanResults. */
void landing_show_scans(const Screen *screen, const json_t *scans);
/* Refused in maintenance. Takes the job lock "report" when the store is ours; else *lock is NULL.
 */
gboolean report_begin(Invocation *invocation, StoreJob **lock, GError **error);
/* Writes the static report to `folder`, after report_begin(). */
gboolean report_write(Invocation *invocation, const char *folder, GError **error);
/* A whole file, "-" is standard input; NUL after its end. Fails as file_read() does. Caller frees.
 */
char *commands_read_input(const char *path, gsize maximum_bytes, gsize *size_bytes, GError **error);
/* Fails with DROVER_ERROR_MAINTENANCE while the switch is on: for what changes something beside the
 * API. */
gboolean commands_refuse_in_maintenance(Invocation *invocation, GError **error);

#endif
