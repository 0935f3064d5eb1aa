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
/* Lets changes go live that are due: the API's WentLive. In go_live.c. */
json_t *job_go_live(ApiCall *call, GError **error);

#endif
