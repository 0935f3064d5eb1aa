/* SPDX-License-Identifier: ISC
 *
 * PUT /people/{name}/password: a person changes their own. An admin sets another's by PATCH
 * /people/{name}. Whoever was let in before is let out. As at a login (session.c), passwords are
 * checked between two transactions, and a wrong one counts: whoever holds a token or an open
 * session gets no more guesses than at the door.
 */
#include <string.h>

#include "api/identity.h"
#include "api/login_limit.h"
#include "api/person.h"
#include "api/routes.h"
#include "base/secret.h"

static const char sql_hash[] = "SELECT password_hash FROM person WHERE id = ?";
static const char sql_set[] = "UPDATE person SET password_hash = ? WHERE id = ?";

/* What identity_from_session() gives its actors. */
#define TOOL_OF_SESSIONS "page"

typedef struct Renewal {
	ApiCall *call;
	const char *old;
	char *new_hash;
	char *old_hash; /* as the store had it when it was looked at; NULL: none */
	gint64 attempt;
	json_t *answer;
} Renewal;

static void renewal_clear(Renewal *renewal)
{
	g_free(renewal->new_hash);
	g_free(renewal->old_hash);
	json_decref(renewal->answer);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Renewal, renewal_clear)

static gboolean load_hash(const ApiCall *call, Store *store, char **hash, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, sql_hash, STORE_PARAMS(STORE_INT(call->actor->id)));
	gboolean more;
	g_clear_pointer(hash, g_free);
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	*hash = more ? g_strdup(store_rows_text(rows, 0)) : NULL;
	return TRUE;
}

static gboolean begin(Store *store, gpointer of, GError **error)
{
	Renewal *renewal = of;
	const ApiCall *call = renewal->call;
	return login_limit_count(store, api_now_us(call), call->actor->name, NULL,
		       &renewal->attempt, error) &&
	       load_hash(call, store, &renewal->old_hash, error);
}

/* Who has no password yet was let in by a link, and owes no old one. A token is not enough then: it
 * could be revoked, a password that its thief made could not. */
static gboolean check_old(const Renewal *renewal, GError **error)
{
	gboolean by_session = strcmp(renewal->call->actor->tool, TOOL_OF_SESSIONS) == 0;
	if (renewal->old_hash == NULL && by_session)
		return TRUE;
	if (renewal->old_hash == NULL) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"old: there is no present password, and a token cannot make the first one: "
			"log in with a login link, which an admin can give");
		return FALSE;
	}
	if (password_matches(renewal->old_hash, renewal->old != NULL ? renewal->old : ""))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_DENIED,
		"old: this is not your present password; an admin can make you a login link");
	return FALSE;
}

static gboolean finish(Store *store, gpointer of, GError **error)
{
	Renewal *renewal = of;
	ApiCall *call = renewal->call;
	g_autofree char *hash = NULL;
	g_clear_pointer(&renewal->answer, json_decref);
	g_autoptr(Person) person = person_load(store, call->actor->name, error);
	if (person == NULL || !load_hash(call, store, &hash, error))
		return FALSE;
	if (g_strcmp0(hash, renewal->old_hash) != 0) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"the password was changed meanwhile; log in again");
		return FALSE;
	}
	if (!login_limit_forgive(store, person->name, renewal->attempt, error) ||
		!store_execute(store, error, sql_set,
			STORE_PARAMS(STORE_TEXT(renewal->new_hash), STORE_INT(person->id))) ||
		!person_end_sessions(store, person, error))
		return FALSE;
	renewal->answer = person_changed(call, "person.update", NULL, person, "changed", error);
	return renewal->answer != NULL;
}

static json_t *change_own_password(ApiCall *call, GError **error)
{
	const char *name = api_parameter(call, "name"), *new;
	g_auto(Renewal) renewal = {.call = call};
	if (call->actor->kind != ACTOR_PERSON || strcmp(call->actor->name, name) != 0) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"only %.63s can do this; an admin sets a new password with: drover user "
			"password %.63s",
			name, name);
		return NULL;
	}
	if (!api_require_body(call, error) ||
		!json_field_text(
			call->body, "old", FALSE, API_MAXIMUM_BODY_BYTES, &renewal.old, error) ||
		!json_field_text(call->body, "new", TRUE, API_MAXIMUM_BODY_BYTES, &new, error) ||
		!store_write(call->store, begin, &renewal, error) || !check_old(&renewal, error) ||
		!person_hash_password("new", new, &renewal.new_hash, error) ||
		!store_write(call->store, finish, &renewal, error))
		return NULL;
	return g_steal_pointer(&renewal.answer);
}

const ApiRoute api_password_routes[] = {
	{"PUT", "/people/{name}/password", ROLE_NONE, API_SELF | API_JOB, change_own_password},
	{0},
};
