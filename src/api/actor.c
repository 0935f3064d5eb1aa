/* SPDX-License-Identifier: ISC
 *
 * Who asks, and what they may do.
 */
#include "api/actor.h"

#include <string.h>

static const char *const role_names[] = {
	[ROLE_VIEWER] = "viewer",
	[ROLE_TESTER] = "tester",
	[ROLE_OPERATOR] = "operator",
	[ROLE_ADMIN] = "admin",
};

Actor *actor_new(ActorKind kind, const char *name, const char *tool, gint64 id)
{
	Actor *actor = g_new(Actor, 1);
	*actor = (Actor){.kind = kind,
		.name = g_strdup(name),
		.tool = g_strdup(tool),
		.id = id,
		.grants = g_ptr_array_new_with_free_func(g_free)};
	return actor;
}

void actor_grant(Actor *actor, const char *product, const char *role)
{
	g_ptr_array_add(actor->grants, g_strdup_printf("%s/%s", product, role));
}

void actor_free(Actor *actor)
{
	if (actor == NULL)
		return;
	g_free(actor->name);
	g_free(actor->tool);
	g_ptr_array_unref(actor->grants);
	g_free(actor);
}

const char *role_name(Role role)
{
	return role_names[role];
}

Role role_from_name(const char *name)
{
	for (Role role = ROLE_VIEWER; role <= ROLE_ADMIN; role++)
		if (strcmp(role_names[role], name) == 0)
			return role;
	return ROLE_NONE;
}

/* The rung that one grant gives on `product` (NULL: on all products; "": on whichever it names). */
static Role rung_of(const char *grant, const char *product)
{
	const char *slash = strrchr(grant, '/');
	g_assert(slash != NULL);
	gsize length = (gsize)(slash - grant);
	gboolean everywhere = length == 1 && grant[0] == '*';
	gboolean named =
		product != NULL && strlen(product) == length && memcmp(grant, product, length) == 0;
	gboolean any = product != NULL && *product == '\0';
	return everywhere || named || any ? role_from_name(slash + 1) : ROLE_NONE;
}

gboolean actor_has(const Actor *actor, Role role, const char *product)
{
	if (actor->kind == ACTOR_LOCAL || role == ROLE_NONE)
		return TRUE;
	for (guint i = 0; actor->kind == ACTOR_PERSON && i < actor->grants->len; i++)
		if (rung_of(actor->grants->pdata[i], product) >= role)
			return TRUE;
	return FALSE;
}

gboolean actor_has_anywhere(const Actor *actor, Role role)
{
	return actor_has(actor, role, "");
}

gboolean actor_require(const Actor *actor, Role role, const char *product, GError **error)
{
	if (actor_has(actor, role, product))
		return TRUE;
	if (actor->kind == ACTOR_NOBODY) {
		drover_error_set(error, DROVER_ERROR_UNAUTHENTICATED,
			"this needs a token or a login: send 'Authorization: Bearer TOKEN', or log "
			"in");
		return FALSE;
	}
	const char *where = product == NULL    ? "all products"
			    : *product == '\0' ? "a product"
					       : product;
	drover_error_set(error, DROVER_ERROR_DENIED,
		"%s lacks the role %s on %s; an admin can give it: drover user grant NAME %s %s",
		actor->name, role_names[role], where, role_names[role],
		product == NULL || *product == '\0' ? "all" : product);
	return FALSE;
}
