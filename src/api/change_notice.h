/* SPDX-License-Identifier: ISC
 *
 * Who hears by mail what became of a change: its author always, who signed and tested it, and who
 * is missing. Each thing is told once, also when a droverd dies between the change and the mail.
 */
#ifndef API_CHANGE_NOTICE_H
#define API_CHANGE_NOTICE_H

#include "api/api.h"
#include "channel/book/change.h"
#include "channel/book/enact.h"

#define CHANGE_NOTICE_KIND "change"

/* Of what went live lately and of what waits. Opens its own transactions; writes only when there is
 * something to tell. */
gboolean change_notice_tell(ApiCall *call, const Enacted *enacted, GError **error);
/* Inside store_write(): the glass was broken; all who sign or steer on the change's products. */
gboolean change_notice_broken_glass(ApiCall *call, const ChangeDetail *detail, GError **error);
/* Is there mail about changes that could go out now? */
gboolean change_notice_is_due(Store *store, gint64 now_us, gboolean *is_due, GError **error);

#endif
