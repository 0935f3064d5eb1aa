/* SPDX-License-Identifier: ISC
 *
 * Giving and taking roles: each on one product, or on all. The four rungs of the ladder (actor.h)
 * open routes; any other name is for signing. Whoever changes them needs to be an admin of all
 * products, so nobody can give themself what they lack.
 */
#include "api/person.h"

#include <string.h>

static const char SQL_PRODUCT[] = "SELECT id FROM product WHERE name = ?";
static const char SQL_GRANT[] =
	"INSERT INTO person_role (person_id, product, role) VALUES (?, ?, ?)";
static const char SQL_REVOKE[] =
	"DELETE FROM person_role WHERE person_id = ? AND product = ? AND role = ?";
static const char SQL_TOUCH[] = "UPDATE person SET data_version = data_version + 1 WHERE id = ?";

enum { PRODUCT_NAME_MAXIMUM_BYTES = 255 };

typedef struct RoleEdit {
	Person *person;
	const char *product;
	const char *role;
	const char *reason;
} RoleEdit;

static void role_edit_clear(RoleEdit *edit)
{
	person_free(edit->person);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RoleEdit, role_edit_clear)

static gboolean role_name_is_valid(const char *role)
{
	return g_ascii_islower(*role) &&
	       strspn(role, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(role);
}

static gboolean read_edit(ApiCall *call, RoleEdit *edit, GError **error)
{
	if (!api_require_body(call, error) || !api_reason(call, &edit->reason, error) ||
		!json_field_text(call->body, "product", TRUE, PRODUCT_NAME_MAXIMUM_BYTES,
			&edit->product, error) ||
		!json_field_text(
			call->body, "role", TRUE, ROLE_NAME_MAXIMUM_BYTES, &edit->role, error))
		return FALSE;
	if (!role_name_is_valid(edit->role)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"role: '%s' will not do; it is viewer, tester, operator or admin, or for "
			"signing "
			"a name of a-z, 0-9 and '-' that begins with a letter",
			edit->role);
		return FALSE;
	}
	edit->person = person_load(call->store, api_parameter(call, "name"), error);
	return edit->person != NULL;
}

static gboolean check_product(Store *store, const char *product, GError **error)
{
	if (strcmp(product, PRODUCT_EVERY) == 0)
		return TRUE;
	gint64 id;
	if (!store_query_integer(
		    store, error, 0, &id, SQL_PRODUCT, STORE_PARAMS(STORE_TEXT(product))))
		return FALSE;
	if (id == 0)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"product: there is no product '%s'; name one of 'drover product list', or "
			"'*' "
			"for all",
			product);
	return id != 0;
}

/* Runs the statement on the grant, and moves the person's data_version; also the generation, since
 * who may sign is read with the rows of channels. */
static gboolean change_grant(Store *store, const RoleEdit *edit, const char *sql, GError **error)
{
	return store_execute(store, error, sql,
		       STORE_PARAMS(STORE_INT(edit->person->id), STORE_TEXT(edit->product),
			       STORE_TEXT(edit->role))) &&
	       store_execute(store, error, SQL_TOUCH, STORE_PARAMS(STORE_INT(edit->person->id))) &&
	       store_counter_advance(store, STORE_GENERATION, error);
}

/* Giving what is there already changes nothing. */
json_t *person_grant_role(ApiCall *call, GError **error)
{
	g_auto(RoleEdit) edit = {0};
	if (!read_edit(call, &edit, error) || !check_product(call->store, edit.product, error))
		return NULL;
	if (person_has_role(edit.person, edit.product, edit.role))
		return person_json(edit.person);
	if (!change_grant(call->store, &edit, SQL_GRANT, error))
		return NULL;
	return person_changed(call, "role.grant", edit.reason, edit.person, NULL, error);
}

/* The product need not exist any more. Taking what is not there is an error: it may be a slip of
 * the pen, and the role that was meant still stands. */
json_t *person_revoke_role(ApiCall *call, GError **error)
{
	g_auto(RoleEdit) edit = {0};
	if (!read_edit(call, &edit, error))
		return NULL;
	if (!person_has_role(edit.person, edit.product, edit.role)) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"%s does not have the role %s on %s; see: drover user show %s",
			edit.person->name, edit.role, edit.product, edit.person->name);
		return NULL;
	}
	g_autofree char *deed =
		g_strdup_printf("take the role %s from %s", edit.role, edit.person->name);
	gboolean is_admin = strcmp(edit.product, PRODUCT_EVERY) == 0 &&
			    strcmp(edit.role, role_name(ROLE_ADMIN)) == 0;
	if (is_admin && !person_keep_an_admin(call->store, edit.person, deed, error))
		return NULL;
	if (!change_grant(call->store, &edit, SQL_REVOKE, error))
		return NULL;
	return person_changed(call, "role.revoke", edit.reason, edit.person, NULL, error);
}
