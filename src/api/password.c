/* SPDX-License-Identifier: ISC
 *
 * PUT /people/{name}/password: a person changes their own. An admin sets another's by PATCH
 * /people/{name}. Whoever was let in before is let out.
 */
#include <string.h>

#include "api/identity.h"
#include "api/person.h"
#include "api/routes.h"
#include "base/secret.h"

static const char sql_hash[] = "SELECT password_hash FROM person WHERE id = ?";
static const char sql_set[] = "UPDATE person SET password_hash = ? WHERE id = ?";

/* Who has no password yet (let in by a link) owes no old one. */
static gboolean check_old(Store *store, const Person *person, const char *old, GError **error)
{
	if (!person->has_password)
		return TRUE;
	g_autoptr(StoreRows) rows =
		store_query(store, error, sql_hash, STORE_PARAMS(STORE_INT(person->id)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (more && password_matches(store_rows_text(rows, 0), old != NULL ? old : ""))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_DENIED,
		"old: this is not your present password; an admin can make you a login link");
	return FALSE;
}

static json_t *change_own_password(ApiCall *call, GError **error)
{
	const char *name = api_parameter(call, "name"), *old, *new;
	if (call->actor->kind != ACTOR_PERSON || strcmp(call->actor->name, name) != 0) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"only %.63s can do this; an admin sets a new password with: drover user "
			"password %.63s",
			name, name);
		return NULL;
	}
	g_autoptr(Person) person = person_load(call->store, name, error);
	g_autofree char *hash = NULL;
	if (person == NULL || !api_require_body(call, error) ||
		!json_field_text(call->body, "old", FALSE, API_MAXIMUM_BODY_BYTES, &old, error) ||
		!json_field_text(call->body, "new", TRUE, API_MAXIMUM_BODY_BYTES, &new, error) ||
		!check_old(call->store, person, old, error) ||
		!person_hash_password("new", new, &hash, error) ||
		!store_execute(call->store, error, sql_set,
			STORE_PARAMS(STORE_TEXT(hash), STORE_INT(person->id))) ||
		!person_end_sessions(call->store, person, error))
		return NULL;
	return person_changed(call, "person.update", NULL, person, "changed", error);
}

const ApiRoute api_password_routes[] = {
	{"PUT", "/people/{name}/password", ROLE_NONE, API_SELF | API_WRITE, change_own_password},
	{0},
};
