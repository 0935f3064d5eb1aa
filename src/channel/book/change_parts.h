/* SPDX-License-Identifier: ISC
 *
 * What the files of changes share. Not for others: change.h.
 */
#ifndef CHANNEL_BOOK_CHANGE_PARTS_H
#define CHANNEL_BOOK_CHANGE_PARTS_H

#include "channel/book/change.h"
#include "channel/book/standing.h"

#define OVERRIDE_BREAK_GLASS "break-glass"
#define OVERRIDE_REVIEWED    "reviewed"
#define OVERRIDE_OVERDUE     "overdue"

/* {"gate", "by", "at", "reason"} of the newest override by that name; NULL: none. Borrowed. */
const json_t *change_override_of(const ChannelChange *change, const char *gate);
/* `more` (may be NULL) is merged into the entry; its reference is taken. */
void change_add_override(
	ChannelChange *change, const ChangeCall *call, const char *gate, json_t *more);

/* Of one that ends now, on top of `before`: its rows may be gone when it is asked about. */
void change_note_concerns(ChannelChange *change, const State *before);

/* Who does it, to it. Borrowed from both. */
ChannelDeed change_deed(const ChangeCall *call, const ChannelChange *change);
/* The entry of history; `after` is borrowed, NULL: what change_brief() says. */
gboolean change_record(const ChangeCall *call, const ChannelChange *change, const char *verb,
	const char *reason, const json_t *before, const json_t *after, GError **error);
/* {"state", "when", "title", "reason", "author", "ops"}. New reference. */
json_t *change_brief(const ChannelChange *change);

/* Fails with DROVER_ERROR_INPUT when the call has no reason, or too long a one. */
gboolean change_want_reason(const ChangeCall *call, GError **error);
/* Fails with DROVER_ERROR_DENIED, saying on which product `role` is missing. */
gboolean change_want_role(
	const ChangeCall *call, char *const *products, const char *role, GError **error);

/* change_load_detail() of a change that must wait; fails with DROVER_ERROR_CONFLICT when it is
 * live, withdrawn, or going live just now. */
ChangeDetail *change_load_waiting(const ChangeCall *call, gint64 id, GError **error);
/* The same, for an operator who gives a reason: for words that overrule others'. */
ChangeDetail *change_load_for_operator(const ChangeCall *call, gint64 id, GError **error);
/* As change_load_waiting(), and its data_version must be this. */
ChangeDetail *change_load_version(
	const ChangeCall *call, gint64 id, gint64 data_version, GError **error);

#endif
