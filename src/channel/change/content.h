/* SPDX-License-Identifier: ISC
 *
 * What a change says: each row before and after. Its digest is what a sign-off signs, so any edit
 * that alters a row voids the sign-offs, and moving a change in time does not. From it follows who
 * must agree. Rules: docs/channel.md, "Sign-offs". Pure.
 */
#ifndef CHANNEL_CHANGE_CONTENT_H
#define CHANNEL_CHANGE_CONTENT_H

#include "channel/change/footprint.h"
#include "channel/row/canonical.h"

/* A list of {"table", "key", "before", "after"}, by table and key, null for no row; rows that end
 * as they were are left out, and data versions with them. Fails as state_apply() does. New
 * reference. */
json_t *content_of(const State *state, const json_t *change, GError **error);
/* Caller frees. */
char *content_digest(const json_t *content);
/* What roles that sign the time sign: the content and when. Caller frees. */
char *content_time_digest(const json_t *content, gint64 when);

typedef struct RequiredRole {
	char *role;
	guint count;	 /* persons */
	char *because;	 /* the key of the requirement that asks for most */
	char **products; /* sorted: on each of them a person needs the role; "*": on all */
} RequiredRole;

/* Of the rows of `requirements` in the state, {"product": "P" or "*", "channel": "be*" or "*",
 * "role": "relman", "n": 2}, those whose scope meets an old or a new row; the largest n for each
 * role. A release concerns whoever is mapped to it. Switching off needs no agreement, switching on
 * does. Requirements are changed with the agreement that they ask for, and so is what signing in a
 * role means (roles) and who may (grants): with that of the role's requirements. Freezes, products
 * and declared channels meet those of their product. RequiredRole, sorted by role. Caller frees. */
GArray *content_required_roles(const State *state, const json_t *change);

/* The products that the change concerns, sorted; "*" where a row is for all. Caller frees with
 * g_strfreev(). */
char **content_products(const State *state, const json_t *change);

#endif
