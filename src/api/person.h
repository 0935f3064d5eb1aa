/* SPDX-License-Identifier: ISC
 *
 * People as the store has them, for the files of this room that deal with people: person.c, role.c,
 * token.c. A Person never carries a password's hash, so no answer and no history can.
 */
#ifndef API_PERSON_H
#define API_PERSON_H

#include "api/api.h"

#define PERSON_NAME_MAXIMUM_BYTES  63
#define PERSON_EMAIL_MAXIMUM_BYTES 254
#define ROLE_NAME_MAXIMUM_BYTES	   32
#define PRODUCT_EVERY		   "*" /* a grant on all products */

typedef struct Person {
	gint64 id;
	char *name;
	char *email;
	gboolean is_disabled;
	gboolean has_password;
	gint64 created_us;
	gint64 data_version;
	json_t *roles; /* as the API's Person has them */
} Person;

void person_free(Person *person);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Person, person_free)

/* [a-z][a-z0-9._-]{0,62} */
gboolean person_name_is_valid(const char *name);

/* Fails with DROVER_ERROR_NOT_FOUND. */
Person *person_load(Store *store, const char *name, GError **error);
/* By name: GPtrArray of Person *. */
GPtrArray *person_list(Store *store, GError **error);
/* The API's Person. */
json_t *person_json(const Person *person);
gboolean person_has_role(const Person *person, const char *product, const char *role);

/* Fails with DROVER_ERROR_CONFLICT when `person` is the only enabled admin of all products. `deed`
 * is what was tried: "disable ada". */
gboolean person_keep_an_admin(Store *store, const Person *person, const char *deed, GError **error);
/* api_record() about `person`, in the state before, and as it is in the store now; gives the API's
 * Person. */
json_t *person_changed(ApiCall *call, const char *action, const char *reason, const Person *before,
	const char *password_word, GError **error);

/* The hash of a new password in *hash (caller frees); `field` names it in the error. */
gboolean person_hash_password(const char *field, const char *password, char **hash, GError **error);
/* Whoever was let in before is let out: after a new password, or when the person is disabled. */
gboolean person_end_sessions(Store *store, const Person *person, GError **error);

/* Handlers in role.c. */
json_t *person_grant_role(ApiCall *call, GError **error);
json_t *person_revoke_role(ApiCall *call, GError **error);

#endif
