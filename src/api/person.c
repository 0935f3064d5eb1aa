/* SPDX-License-Identifier: ISC
 *
 * People: who they are, whether they may log in, and the link that lets one in without a password.
 * What a person may do stands in role.c, with what they prove who they are in identity.c and
 * session.c (docs/people.md).
 */
#include "api/person.h"

#include <string.h>

#include "api/identity.h"
#include "api/routes.h"
#include "base/secret.h"
#include "wire/mail.h"

#define SQL_PERSON                                                                                 \
	"SELECT p.id, p.name, p.email, p.is_disabled,"                                             \
	" CASE WHEN p.password_hash IS NULL THEN 0 ELSE 1 END, p.created_us, p.data_version,"      \
	" r.product, r.role FROM person p LEFT JOIN person_role r ON r.person_id = p.id "

static const char SQL_LIST[] = SQL_PERSON "ORDER BY p.name, r.product, r.role";
static const char SQL_LOAD[] = SQL_PERSON "WHERE p.name = ? ORDER BY r.product, r.role";
static const char SQL_EXISTS[] = "SELECT id FROM person WHERE name = ?";
static const char SQL_OTHER_ADMINS[] =
	"SELECT COUNT(*) FROM person p JOIN person_role r ON r.person_id = p.id"
	" WHERE r.product = '*' AND r.role = 'admin' AND p.is_disabled = 0 AND p.id <> ?";
static const char SQL_ADD[] =
	"INSERT INTO person (name, email, password_hash, is_disabled, created_us, data_version)"
	" VALUES (?, ?, ?, 0, ?, 1)";
static const char SQL_UPDATE[] = "UPDATE person SET email = ?, is_disabled = ?, data_version = "
				 "data_version + 1 WHERE id = ?";
static const char SQL_SET_PASSWORD[] = "UPDATE person SET password_hash = ? WHERE id = ?";
static const char SQL_END_SESSIONS[] = "DELETE FROM session WHERE person_id = ?";
static const char SQL_END_LINKS[] = "DELETE FROM login_link WHERE person_id = ?";
static const char SQL_ADD_LINK[] =
	"INSERT INTO login_link (digest, person_id, expires_us) VALUES (?, ?, ?)";

void person_free(Person *person)
{
	if (person == NULL)
		return;
	g_free(person->name);
	g_free(person->email);
	json_decref(person->roles);
	g_free(person);
}

gboolean person_name_is_valid(const char *name)
{
	return g_ascii_islower(*name) && strlen(name) <= PERSON_NAME_MAXIMUM_BYTES &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(name);
}

/* Reading -------------------------------------------------------------------------------------- */

static Person *person_from_row(const StoreRows *rows)
{
	Person *person = g_new(Person, 1);
	*person = (Person){.id = store_rows_integer(rows, 0),
		.name = g_strdup(store_rows_text(rows, 1)),
		.email = g_strdup(store_rows_text(rows, 2)),
		.is_disabled = store_rows_integer(rows, 3) != 0,
		.has_password = store_rows_integer(rows, 4) != 0,
		.created_us = store_rows_integer(rows, 5),
		.data_version = store_rows_integer(rows, 6),
		.roles = json_array()};
	return person;
}

/* One row a role, or one for a person without any: neighbouring rows of one person are folded. */
static GPtrArray *people_from_rows(StoreRows *rows, GError **error)
{
	g_autoptr(GPtrArray) people = g_ptr_array_new_with_free_func((GDestroyNotify)person_free);
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return g_steal_pointer(&people);
		Person *person = people->len > 0 ? people->pdata[people->len - 1] : NULL;
		if (person == NULL || person->id != store_rows_integer(rows, 0)) {
			person = person_from_row(rows);
			g_ptr_array_add(people, person);
		}
		if (!store_rows_is_null(rows, 7))
			json_array_append_new(person->roles,
				json_pack("{s:s, s:s}", "product", store_rows_text(rows, 7), "role",
					store_rows_text(rows, 8)));
	}
	return NULL;
}

GPtrArray *person_list(Store *store, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_LIST, STORE_NO_PARAMS);
	return people_from_rows(rows, error);
}

Person *person_load(Store *store, const char *name, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, SQL_LOAD, STORE_PARAMS(STORE_TEXT(name)));
	g_autoptr(GPtrArray) people = people_from_rows(rows, error);
	if (people == NULL)
		return NULL;
	if (people->len == 1)
		return g_ptr_array_steal_index(people, 0);
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"there is no person '%s'; an admin can add one: drover user add NAME EMAIL", name);
	return NULL;
}

json_t *person_json(const Person *person)
{
	return json_pack("{s:s, s:s, s:b, s:o, s:b, s:O, s:I}", "name", person->name, "email",
		person->email, "disabled", person->is_disabled, "created",
		json_time_or_null(person->created_us), "has_password", person->has_password,
		"roles", person->roles, "data_version", (json_int_t)person->data_version);
}

gboolean person_has_role(const Person *person, const char *product, const char *role)
{
	for (gsize i = 0; i < json_array_size(person->roles); i++) {
		const json_t *grant = json_array_get(person->roles, i);
		if (strcmp(json_text(grant, "product"), product) == 0 &&
			strcmp(json_text(grant, "role"), role) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Changing ------------------------------------------------------------------------------------- */

gboolean person_keep_an_admin(Store *store, const Person *person, const char *deed, GError **error)
{
	if (person->is_disabled || !person_has_role(person, PRODUCT_EVERY, role_name(ROLE_ADMIN)))
		return TRUE;
	gint64 others;
	if (!store_query_integer(store, error, 0, &others, SQL_OTHER_ADMINS,
		    STORE_PARAMS(STORE_INT(person->id))))
		return FALSE;
	if (others > 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"cannot %s: %s is the last admin; first make somebody else one: "
		"drover user grant NAME admin all",
		deed, person->name);
	return FALSE;
}

json_t *person_changed(ApiCall *call, const char *action, const char *reason, const Person *before,
	const char *password_word, GError **error)
{
	g_autoptr(Person) now = person_load(call->store, before->name, error);
	if (now == NULL)
		return NULL;
	g_autofree char *subject = g_strdup_printf("person/%s", now->name);
	g_autoptr(json_t) was = person_json(before);
	g_autoptr(json_t) is = person_json(now);
	if (password_word != NULL)
		json_object_set_new(is, "password", json_string(password_word));
	if (!api_record(call, action, subject, reason, was, is, error))
		return NULL;
	return person_json(now);
}

static gboolean check_email(const char *email, GError **error)
{
	if (mail_address_is_valid(email))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"email: '%s' is not a mail address; it must read like ada@example.org", email);
	return FALSE;
}

gboolean person_hash_password(const char *field, const char *password, char **hash, GError **error)
{
	gsize length = strlen(password);
	if (length < PASSWORD_MINIMUM_BYTES || length > PASSWORD_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: must have from %d to %d bytes, not %" G_GSIZE_FORMAT, field,
			PASSWORD_MINIMUM_BYTES, PASSWORD_MAXIMUM_BYTES, length);
		return FALSE;
	}
	*hash = password_hash(password, error);
	return *hash != NULL;
}

/* TRUE with *password NULL when the key is absent or null. Its length is looked at by
 * person_hash_password(). */
static gboolean password_field(const json_t *body, const char **password, GError **error)
{
	return json_field_text(body, "password", FALSE, API_MAXIMUM_BODY_BYTES, password, error);
}

static gboolean check_new_name(Store *store, const char *name, GError **error)
{
	if (!person_name_is_valid(name)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"name: '%s' will not do; it must begin with a letter a-z, go on with "
			"a-z, 0-9, '.', '_' or '-', and have at most %d characters",
			name, PERSON_NAME_MAXIMUM_BYTES);
		return FALSE;
	}
	gint64 id;
	if (!store_query_integer(store, error, 0, &id, SQL_EXISTS, STORE_PARAMS(STORE_TEXT(name))))
		return FALSE;
	if (id != 0)
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"name: there is a person '%s' already; see: drover user show %s", name,
			name);
	return id == 0;
}

gboolean person_end_sessions(Store *store, const Person *person, GError **error)
{
	return store_execute(store, error, SQL_END_SESSIONS, STORE_PARAMS(STORE_INT(person->id))) &&
	       store_execute(store, error, SQL_END_LINKS, STORE_PARAMS(STORE_INT(person->id)));
}

/* Routes --------------------------------------------------------------------------------------- */

static json_t *list_people(ApiCall *call, GError **error)
{
	g_autoptr(GPtrArray) people = person_list(call->store, error);
	if (people == NULL)
		return NULL;
	json_t *answer = json_array();
	for (guint i = 0; i < people->len; i++)
		json_array_append_new(answer, person_json(people->pdata[i]));
	return answer;
}

static json_t *add_person(ApiCall *call, GError **error)
{
	const char *name, *email, *password;
	if (!api_require_body(call, error) ||
		!json_field_text(
			call->body, "name", TRUE, PERSON_NAME_MAXIMUM_BYTES, &name, error) ||
		!json_field_text(
			call->body, "email", TRUE, PERSON_EMAIL_MAXIMUM_BYTES, &email, error) ||
		!password_field(call->body, &password, error) ||
		!check_new_name(call->store, name, error) || !check_email(email, error))
		return NULL;
	g_autofree char *hash = NULL;
	if (password != NULL && !person_hash_password("password", password, &hash, error))
		return NULL;
	if (!store_execute(call->store, error, SQL_ADD,
		    STORE_PARAMS(STORE_TEXT(name), STORE_TEXT(email), STORE_TEXT(hash),
			    STORE_INT(api_now_us(call)))))
		return NULL;
	g_autoptr(Person) person = person_load(call->store, name, error);
	if (person == NULL)
		return NULL;
	g_autofree char *subject = g_strdup_printf("person/%s", name);
	g_autoptr(json_t) answer = person_json(person);
	if (!api_record(call, "person.add", subject, NULL, NULL, answer, error))
		return NULL;
	return g_steal_pointer(&answer);
}

/* Whoever may not look at others learns nothing about who is there. */
static json_t *show_person(ApiCall *call, GError **error)
{
	const char *name = api_parameter(call, "name");
	gboolean is_self =
		call->actor->kind == ACTOR_PERSON && strcmp(call->actor->name, name) == 0;
	if (!is_self && !actor_require(call->actor, ROLE_ADMIN, NULL, error))
		return NULL;
	g_autoptr(Person) person = person_load(call->store, name, error);
	return person != NULL ? person_json(person) : NULL;
}

typedef struct PersonEdit {
	const char *email;
	gboolean is_disabled;
	gboolean has_new_password;
	char *password_hash; /* NULL with has_new_password: none from now on */
} PersonEdit;

static void person_edit_clear(PersonEdit *edit)
{
	g_free(edit->password_hash);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PersonEdit, person_edit_clear)

static gboolean check_data_version(const json_t *body, const Person *person, GError **error)
{
	gint64 version;
	if (!json_field_integer(body, "data_version", 0, 1, G_MAXINT64, &version, error))
		return FALSE;
	if (version == person->data_version)
		return TRUE;
	if (version == 0)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"data_version: is missing; name the one that the edit was made from");
	else
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"person %s was changed meanwhile: the edit was made from data_version "
			"%" G_GINT64_FORMAT ", the current one is %" G_GINT64_FORMAT
			"; read it again, then edit",
			person->name, version, person->data_version);
	return FALSE;
}

static gboolean read_edit(
	const json_t *body, const Person *person, PersonEdit *edit, GError **error)
{
	const char *password;
	if (!json_field_text(
		    body, "email", FALSE, PERSON_EMAIL_MAXIMUM_BYTES, &edit->email, error) ||
		!json_field_boolean(
			body, "disabled", person->is_disabled, &edit->is_disabled, error) ||
		!password_field(body, &password, error))
		return FALSE;
	if (edit->email == NULL)
		edit->email = person->email;
	else if (!check_email(edit->email, error))
		return FALSE;
	edit->has_new_password =
		password != NULL ||
		(json_is_null(json_object_get(body, "password")) && person->has_password);
	return password == NULL ||
	       person_hash_password("password", password, &edit->password_hash, error);
}

static gboolean store_edit(
	Store *store, const Person *person, const PersonEdit *edit, GError **error)
{
	if (!store_execute(store, error, SQL_UPDATE,
		    STORE_PARAMS(STORE_TEXT(edit->email), STORE_INT(edit->is_disabled),
			    STORE_INT(person->id))))
		return FALSE;
	/* Who may sign is read with the rows of channels. */
	if (edit->is_disabled != person->is_disabled &&
		!store_counter_advance(store, STORE_GENERATION, error))
		return FALSE;
	if (edit->has_new_password &&
		!store_execute(store, error, SQL_SET_PASSWORD,
			STORE_PARAMS(STORE_TEXT(edit->password_hash), STORE_INT(person->id))))
		return FALSE;
	if (edit->has_new_password || edit->is_disabled)
		return person_end_sessions(store, person, error);
	return TRUE;
}

static json_t *update_person(ApiCall *call, GError **error)
{
	const char *reason;
	g_autoptr(Person) person = person_load(call->store, api_parameter(call, "name"), error);
	g_auto(PersonEdit) edit = {0};
	if (person == NULL || !api_require_body(call, error) || !api_reason(call, &reason, error) ||
		!check_data_version(call->body, person, error) ||
		!read_edit(call->body, person, &edit, error))
		return NULL;
	if (edit.is_disabled == person->is_disabled && !edit.has_new_password &&
		strcmp(edit.email, person->email) == 0)
		return person_json(person);
	g_autofree char *deed = g_strdup_printf("disable %s", person->name);
	if (edit.is_disabled && !person_keep_an_admin(call->store, person, deed, error))
		return NULL;
	if (!store_edit(call->store, person, &edit, error))
		return NULL;
	const char *word = edit.password_hash != NULL ? "changed" : "removed";
	return person_changed(
		call, "person.update", reason, person, edit.has_new_password ? word : NULL, error);
}

/* A new link takes the place of the one before. */
static json_t *make_login_link(ApiCall *call, GError **error)
{
	g_autoptr(Person) person = person_load(call->store, api_parameter(call, "name"), error);
	if (person == NULL)
		return NULL;
	if (person->is_disabled) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"no login link for %s, who is disabled; first: drover user set %s --enable",
			person->name, person->name);
		return NULL;
	}
	g_autofree char *code = secret_new("");
	g_autofree char *digest = secret_digest(code);
	gint64 expires_us = api_now_us(call) + LOGIN_LINK_MINUTES * 60 * US_PER_SECOND;
	if (!store_execute(
		    call->store, error, SQL_END_LINKS, STORE_PARAMS(STORE_INT(person->id))) ||
		!store_execute(call->store, error, SQL_ADD_LINK,
			STORE_PARAMS(
				STORE_TEXT(digest), STORE_INT(person->id), STORE_INT(expires_us))))
		return NULL;
	g_autofree char *subject = g_strdup_printf("person/%s", person->name);
	g_autoptr(json_t) after = json_pack("{s:o}", "expires", json_time_or_null(expires_us));
	if (!api_record(call, "person.login_link", subject, NULL, NULL, after, error))
		return NULL;
	g_autofree char *path = g_strconcat("/login/", code, NULL);
	return json_pack("{s:s, s:O}", "path", path, "expires", json_object_get(after, "expires"));
}

const ApiRoute api_person_routes[] = {
	{"GET", "/people", ROLE_ADMIN, API_READ, list_people},
	{"POST", "/people", ROLE_ADMIN, API_WRITE, add_person},
	{"GET", "/people/{name}", ROLE_NONE, API_SELF, show_person},
	{"PATCH", "/people/{name}", ROLE_ADMIN, API_WRITE, update_person},
	{"PUT", "/people/{name}/roles", ROLE_ADMIN, API_WRITE, person_grant_role},
	{"DELETE", "/people/{name}/roles", ROLE_ADMIN, API_WRITE, person_revoke_role},
	{"POST", "/people/{name}/login-link", ROLE_ADMIN, API_WRITE, make_login_link},
	{0},
};
