/* SPDX-License-Identifier: ISC
 *
 * Changes as callers may see them: who sees no product of a change does not learn that there is
 * one.
 */
#ifndef API_CHANGE_VIEW_H
#define API_CHANGE_VIEW_H

#include "api/channel_look.h"
#include "channel/book/change.h"

/* How the caller is known to the stage. Texts of the call are borrowed. */
typedef struct ChangeCaller {
	ChangeActor actor;
	ChangeCall call;
} ChangeCaller;
void change_caller_init(ApiCall *call, const char *reason, ChangeCaller *caller);

/* Of the path. Fails with DROVER_ERROR_NOT_FOUND. */
gboolean change_read_id(const ApiCall *call, gint64 *id, GError **error);

/* The API's Change; NULL without an error when the caller may not see it. */
json_t *change_view(const Actor *actor, const ChannelChange *change, const Standing *standing);
/* The API's ChangeDetail. Fails with DROVER_ERROR_NOT_FOUND when the caller sees nothing of it,
 * DROVER_ERROR_DENIED when it sees a part. */
json_t *change_view_detail(const Actor *actor, const ChangeDetail *detail, GError **error);
/* The changes of the queue that alter the channel, in order, as the caller sees them. */
json_t *change_queue_of(ApiCall *call, const ChannelLook *look, GError **error);

/* How many changes of the queue stand how: {"ready": 3, "unsigned": 0, …}. Opens its own
 * transaction. */
json_t *change_count_waiting(const ApiSite *site, Store *store, GError **error);

#endif
