/* SPDX-License-Identifier: ISC
 *
 * Tokens: what a person's tools carry instead of a password. A token has the roles that its person
 * has at the moment it is used, and none of its own. The secret leaves this file once, in the
 * answer that makes it (docs/people.md).
 */
#include <string.h>

#include "api/identity.h"
#include "api/person.h"
#include "api/routes.h"
#include "base/format.h"
#include "base/secret.h"

#define SQL_TOKEN                                                                                  \
	"SELECT t.id, p.name, t.name, t.created_us, t.expires_us, t.revoked_us, t.used_us,"        \
	" t.person_id FROM token t JOIN person p ON p.id = t.person_id "

static const char SQL_LIST[] = SQL_TOKEN "ORDER BY t.id DESC LIMIT 1000";
static const char SQL_LIST_OWN[] = SQL_TOKEN "WHERE t.person_id = ? ORDER BY t.id DESC LIMIT 1000";
static const char SQL_LOAD[] = SQL_TOKEN "WHERE t.id = ?";
static const char SQL_COUNT_LIVE[] =
	"SELECT COUNT(*) FROM token WHERE person_id = ? AND revoked_us IS NULL AND expires_us > ?";
static const char SQL_ADD[] = "INSERT INTO token (person_id, name, digest, created_us, expires_us)"
			      " VALUES (?, ?, ?, ?, ?) RETURNING id";
static const char SQL_REVOKE[] = "UPDATE token SET revoked_us = ? WHERE id = ?";

static json_t *token_json(const StoreRows *rows)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:o}", "id",
		(json_int_t)store_rows_integer(rows, 0), "person", store_rows_text(rows, 1), "name",
		store_rows_text(rows, 2), "created", json_time_or_null(store_rows_integer(rows, 3)),
		"expires", json_time_or_null(store_rows_integer(rows, 4)), "revoked",
		json_time_or_null(store_rows_integer(rows, 5)), "used",
		json_time_or_null(store_rows_integer(rows, 6)));
}

static gboolean minds_all_tokens(const Actor *actor)
{
	return actor_has(actor, ROLE_ADMIN, NULL);
}

static gboolean is_own(const Actor *actor, gint64 person_id)
{
	return actor->kind == ACTOR_PERSON && actor->id == person_id;
}

/* To others than its owner and admins a token is not there. */
static json_t *load_token(ApiCall *call, gint64 id, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(call->store, error, SQL_LOAD, STORE_PARAMS(STORE_INT(id)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return NULL;
	if (more &&
		(minds_all_tokens(call->actor) || is_own(call->actor, store_rows_integer(rows, 7))))
		return token_json(rows);
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"you have no token %" G_GINT64_FORMAT "; see: drover token list", id);
	return NULL;
}

static gboolean record(ApiCall *call, const char *action, const json_t *before, const json_t *after,
	GError **error)
{
	const char *reason;
	g_autofree char *subject =
		g_strdup_printf("token/%" G_GINT64_FORMAT, json_integer_of(after, "id"));
	return api_reason(call, &reason, error) &&
	       api_record(call, action, subject, reason, before, after, error);
}

/* Making --------------------------------------------------------------------------------------- */

/* Whose token it is to be: the caller's own, or, for an admin, anybody's. */
static Person *load_owner(ApiCall *call, GError **error)
{
	const char *name;
	if (!json_field_text(call->body, "person", FALSE, PERSON_NAME_MAXIMUM_BYTES, &name, error))
		return NULL;
	if (name == NULL && call->actor->kind == ACTOR_LOCAL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"person: is missing; who works on the store itself must say whose token it "
			"is "
			"to be");
		return NULL;
	}
	if (name == NULL)
		name = call->actor->name;
	gboolean is_self =
		call->actor->kind == ACTOR_PERSON && strcmp(name, call->actor->name) == 0;
	if (!is_self && !actor_require(call->actor, ROLE_ADMIN, NULL, error))
		return NULL;
	g_autoptr(Person) owner = person_load(call->store, name, error);
	if (owner != NULL && owner->is_disabled) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"no token for %s, who is disabled; first: drover user set %s --enable",
			owner->name, owner->name);
		return NULL;
	}
	return g_steal_pointer(&owner);
}

static gboolean check_name(const char *name, GError **error)
{
	gboolean is_good = *name != '\0';
	for (const char *at = name; *at != '\0'; at++)
		is_good &= !g_ascii_iscntrl(*at);
	if (!is_good)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"name: must say what the token is for, on one line");
	return is_good;
}

static gboolean check_room(ApiCall *call, const Person *owner, GError **error)
{
	gint64 live;
	if (!store_query_integer(call->store, error, 0, &live, SQL_COUNT_LIVE,
		    STORE_PARAMS(STORE_INT(owner->id), STORE_INT(api_now_us(call)))))
		return FALSE;
	if (live < TOKENS_PER_PERSON)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s has %d valid tokens already, which is the limit; revoke one: drover token "
		"revoke "
		"ID",
		owner->name, TOKENS_PER_PERSON);
	return FALSE;
}

static json_t *add_token(ApiCall *call, GError **error)
{
	const char *name;
	gint64 days, id;
	if (!api_require_body(call, error) ||
		!json_field_text(
			call->body, "name", TRUE, TOKEN_NAME_MAXIMUM_BYTES, &name, error) ||
		!check_name(name, error) ||
		!json_field_integer(call->body, "expires_days", TOKEN_DAYS, 1, TOKEN_MAXIMUM_DAYS,
			&days, error))
		return NULL;
	g_autoptr(Person) owner = load_owner(call, error);
	if (owner == NULL || !check_room(call, owner, error))
		return NULL;
	g_autofree char *secret = secret_new(TOKEN_PREFIX);
	g_autofree char *digest = secret_digest(secret);
	gint64 now_us = api_now_us(call);
	if (!store_query_integer(call->store, error, 0, &id, SQL_ADD,
		    STORE_PARAMS(STORE_INT(owner->id), STORE_TEXT(name), STORE_TEXT(digest),
			    STORE_INT(now_us), STORE_INT(now_us + days * US_PER_DAY))))
		return NULL;
	g_autoptr(json_t) token = load_token(call, id, error);
	if (token == NULL || !record(call, "token.add", NULL, token, error))
		return NULL;
	return json_pack("{s:O, s:s}", "token", token, "secret", secret);
}

/* Routes --------------------------------------------------------------------------------------- */

static json_t *list_tokens(ApiCall *call, GError **error)
{
	g_autoptr(StoreRows) rows =
		minds_all_tokens(call->actor)
			? store_query(call->store, error, SQL_LIST, STORE_NO_PARAMS)
			: store_query(call->store, error, SQL_LIST_OWN,
				  STORE_PARAMS(STORE_INT(call->actor->id)));
	g_autoptr(json_t) answer = json_array();
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return g_steal_pointer(&answer);
		json_array_append_new(answer, token_json(rows));
	}
	return NULL;
}

/* Once revoked, again changes nothing. */
static json_t *revoke_token(ApiCall *call, GError **error)
{
	gint64 id;
	if (!parse_integer(api_parameter(call, "id"), "id", 1, G_MAXINT64, &id, error))
		return NULL;
	g_autoptr(json_t) before = load_token(call, id, error);
	if (before == NULL || !json_is_null(json_object_get(before, "revoked")))
		return g_steal_pointer(&before);
	if (!store_execute(call->store, error, SQL_REVOKE,
		    STORE_PARAMS(STORE_INT(api_now_us(call)), STORE_INT(id))))
		return NULL;
	g_autoptr(json_t) after = load_token(call, id, error);
	if (after == NULL || !record(call, "token.revoke", before, after, error))
		return NULL;
	return g_steal_pointer(&after);
}

const ApiRoute api_token_routes[] = {
	{"GET", "/tokens", ROLE_NONE, API_SELF, list_tokens},
	{"POST", "/tokens", ROLE_NONE, API_SELF | API_WRITE, add_token},
	{"DELETE", "/tokens/{id}", ROLE_NONE, API_SELF | API_WRITE, revoke_token},
	{0},
};
