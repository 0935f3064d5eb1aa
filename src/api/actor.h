/* SPDX-License-Identifier: ISC
 *
 * Who asks, and what they may do. Four roles form a ladder: viewer reads, tester rules on landings,
 * operator steers (scan, import, rebase, product settings, maintenance), admin minds people,
 * tokens, hosts and new products; each on one product, or on all ("*"). Any other role name is for
 * signing and opens no route.
 */
#ifndef API_ACTOR_H
#define API_ACTOR_H

#include "base/error.h"

typedef enum ActorKind {
	ACTOR_NOBODY, /* no token, no session */
	ACTOR_LOCAL,  /* whoever may open the store itself: every role */
	ACTOR_PERSON,
	ACTOR_HOST, /* a balancer or node: only the routes for hosts */
} ActorKind;

typedef enum Role { ROLE_NONE, ROLE_VIEWER, ROLE_TESTER, ROLE_OPERATOR, ROLE_ADMIN } Role;

typedef struct Actor {
	ActorKind kind;
	char *name;	   /* "ada", "root@build3 (store)", "node web1": as it stands in history */
	char *tool;	   /* "drover", "page", "api": what the word came through */
	gint64 id;	   /* of the person or host row */
	GPtrArray *grants; /* char *: "PRODUCT/ROLE" or with * for all */
} Actor;

Actor *actor_new(ActorKind kind, const char *name, const char *tool, gint64 id);
void actor_grant(Actor *actor, const char *product, const char *role);
void actor_free(Actor *actor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Actor, actor_free)

/* "viewer" …; NULL for ROLE_NONE. */
const char *role_name(Role role);
/* ROLE_NONE for a name that is no rung of the ladder. */
Role role_from_name(const char *name);

/* On `product`; NULL asks for the role on all products. */
gboolean actor_has(const Actor *actor, Role role, const char *product);
/* On at least one product. */
gboolean actor_has_anywhere(const Actor *actor, Role role);
/* The same as errors: DROVER_ERROR_UNAUTHENTICATED for nobody, DROVER_ERROR_DENIED saying which
 * role is missing and who can give it. */
gboolean actor_require(const Actor *actor, Role role, const char *product, GError **error);

#endif
