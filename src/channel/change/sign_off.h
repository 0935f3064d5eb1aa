/* SPDX-License-Identifier: ISC
 *
 * Which sign-offs of a change count, and who is still missing. A sign-off is a person, in a role,
 * on a digest. Rules: docs/channel.md, "Sign-offs". Pure.
 */
#ifndef CHANNEL_CHANGE_SIGN_OFF_H
#define CHANNEL_CHANGE_SIGN_OFF_H

#include "base/error.h"

typedef struct SignOff {
	const char *person, *role, *digest;
	gboolean is_revoked;
} SignOff;

typedef enum SignOffStanding {
	SIGN_OFF_COUNTS,
	SIGN_OFF_REVOKED,
	SIGN_OFF_OTHER_CONTENT, /* the change was edited or re-based since */
	SIGN_OFF_LOST_ROLE,	/* the person has the role no more */
	SIGN_OFF_SECOND,	/* the person signed before, in this role or another */
} SignOffStanding;

/* A sentence without its full stop. Static. */
const char *sign_off_standing_text(SignOffStanding standing);

/* What is asked about one change. */
typedef struct SignOffQuestion {
	const char *author;
	const char *digest, *time_digest; /* of its content, content.h */
	gboolean (*has_role)(const char *person, const char *role, gpointer of);
	gboolean (*signs_time)(const char *role, gpointer of);
	gboolean (*author_may_sign)(const char *role, gpointer of);
	gpointer of;
} SignOffQuestion;

/* `sign_offs` in the order in which they were given; `standings` has room for as many. */
void sign_offs_judge(const SignOffQuestion *question, const SignOff *sign_offs, guint count,
	SignOffStanding *standings);

/* How many persons `role` still lacks of `wanted`. The author alone never fills a role, unless the
 * role says that authors may sign. */
guint sign_offs_missing(const SignOffQuestion *question, const SignOff *sign_offs, guint count,
	const char *role, guint wanted);

#endif
