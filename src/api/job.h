/* SPDX-License-Identifier: ISC
 *
 * Jobs that are parts of others.
 */
#ifndef API_JOB_H
#define API_JOB_H

#include "api/api.h"

/* Queues the reminders that are due and sends what is queued: the API's RemindResult. Takes its own
 * lock. In notice.c. */
json_t *job_remind(ApiCall *call, GError **error);

#endif
