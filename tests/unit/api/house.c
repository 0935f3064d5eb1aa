/* SPDX-License-Identifier: ISC
 *
 * Making and removing a test's house, and asking in it.
 */
#include "house.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/history.h"

/* Making --------------------------------------------------------------------------------------- */

static const char *server(void)
{
	const char *url = getenv("DROVER_TEST_POSTGRESQL");
	if (url == NULL)
		fail_msg("no PostgreSQL: run this as tests/with-postgres PROGRAM");
	return url;
}

static char *new_schema_url(void)
{
	static int number = 0;
	g_autofree char *name = g_strdup_printf("house_%d_%d", (int)getpid(), ++number);
	g_autofree char *create = g_strdup_printf("CREATE SCHEMA %s", name);
	PGconn *connection = PQconnectdb(server());
	PGresult *result = PQexec(connection, create);
	assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
	PQclear(result);
	PQfinish(connection);
	return g_strdup_printf("%s&options=-csearch_path%%3D%s", server(), name);
}

Store *house_connect(const House *house)
{
	g_autoptr(GError) error = NULL;
	Store *store = store_open(house->url, &error);
	assert_good(error);
	return store;
}

static int make(void **state, StoreKind kind)
{
	g_autoptr(GError) error = NULL;
	House *house = g_new0(House, 1);
	house->folder = g_dir_make_tmp("drover-api-XXXXXX", NULL);
	assert_non_null(house->folder);
	house->url = kind == STORE_SQLITE ? g_strdup_printf("sqlite:%s/store.db", house->folder)
					  : new_schema_url();
	house->store = house_connect(house);
	store_migrate(house->store, &error);
	assert_good(error);
	house->site = (ApiSite){.clock = clock_fixed(NOON_US), .state_folder = house->folder};
	house->local = actor_new(ACTOR_LOCAL, "root@test (store)", "drover", 0);
	house->nobody = actor_new(ACTOR_NOBODY, "nobody", "api", 0);
	*state = house;
	return 0;
}

int house_on_sqlite(void **state)
{
	return make(state, STORE_SQLITE);
}

int house_on_postgresql(void **state)
{
	return make(state, STORE_POSTGRESQL);
}

int house_remove(void **state)
{
	House *house = *state;
	store_close(house->store);
	actor_free(house->local);
	actor_free(house->nobody);
	gboolean removed = file_remove(house->folder, NULL);
	g_free(house->folder);
	g_free(house->url);
	g_free(house);
	return removed ? 0 : -1;
}

void house_wait(House *house, gint64 seconds)
{
	house->site.clock.fixed_us += seconds * US_PER_SECOND;
}

/* Asking --------------------------------------------------------------------------------------- */

void assert_good(const GError *error)
{
	if (error != NULL)
		fail_msg("%s: %s", drover_error_kind(error->code), error->message);
}

void assert_error(GError **error, DroverErrorCode code)
{
	if (!drover_error_is(*error, code))
		fail_msg("wanted %s, got %s", drover_error_kind((int)code),
			*error != NULL ? (*error)->message : "no error");
	g_clear_error(error);
}

static json_t *call(House *house, const Actor *actor, const char *method, const char *path,
	const char *body, GError **error)
{
	g_autoptr(json_t) json = NULL;
	if (body != NULL) {
		g_autofree char *text = g_strdup(body);
		g_strdelimit(text, "'", '"');
		json = json_read("body", text, strlen(text), error);
		assert_non_null(json);
	}
	return api_call(&house->site, house->store, actor, method, path, NULL, json, error);
}

json_t *ask(
	House *house, const Actor *actor, const char *method, const char *path, const char *body)
{
	g_autoptr(GError) error = NULL;
	json_t *answer = call(house, actor, method, path, body, &error);
	assert_good(error);
	assert_non_null(answer);
	return answer;
}

void tell(House *house, const Actor *actor, const char *method, const char *path, const char *body)
{
	json_decref(ask(house, actor, method, path, body));
}

char *refused(House *house, const Actor *actor, const char *method, const char *path,
	const char *body, DroverErrorCode code)
{
	GError *error = NULL;
	g_autoptr(json_t) answer = call(house, actor, method, path, body, &error);
	if (answer != NULL || !drover_error_is(error, code))
		fail_msg("%s %s %s: wanted %s, got %s, \"%s\"", method, path, body,
			drover_error_kind((int)code),
			error != NULL ? drover_error_kind(error->code) : "an answer",
			error != NULL ? error->message : "");
	char *message = g_strdup(error->message);
	g_error_free(error);
	return message;
}

void assert_refused(House *house, const Actor *actor, const char *method, const char *path,
	const char *body, DroverErrorCode code, const char *part)
{
	g_autofree char *message = refused(house, actor, method, path, body, code);
	if (strstr(message, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", message, part);
}

/* People and hosts ----------------------------------------------------------------------------- */

Actor *must_be_let_in(House *house, const char *secret)
{
	g_autoptr(GError) error = NULL;
	Actor *actor = identity_from_token(&house->site, house->store, secret, &error);
	assert_good(error);
	assert_non_null(actor);
	return actor;
}

char *must_be_refused(House *house, const char *secret)
{
	GError *error = NULL;
	assert_null(identity_from_token(&house->site, house->store, secret, &error));
	g_autofree char *message = g_strdup(error->message);
	assert_error(&error, DROVER_ERROR_UNAUTHENTICATED);
	return g_steal_pointer(&message);
}

char *house_token(House *house, const char *name)
{
	g_autofree char *body = g_strdup_printf("{'name':'test','person':'%s'}", name);
	g_autoptr(json_t) answer = ask(house, house->local, "POST", "/tokens", body);
	return g_strdup(json_text(answer, "secret"));
}

Actor *house_person(House *house, const char *name, const char *role)
{
	g_autofree char *body =
		g_strdup_printf("{'name':'%s','email':'%s@example.org'}", name, name);
	tell(house, house->local, "POST", "/people", body);
	if (role != NULL) {
		g_autofree char *path = g_strdup_printf("/people/%s/roles", name);
		g_autofree char *grant = g_strdup_printf("{'product':'*','role':'%s'}", role);
		tell(house, house->local, "PUT", path, grant);
	}
	g_autofree char *secret = house_token(house, name);
	return must_be_let_in(house, secret);
}

char *house_host(House *house, const char *name, const char *kind)
{
	g_autofree char *invitation = g_strdup_printf("{'name':'%s','kind':'%s'}", name, kind);
	g_autoptr(json_t) invited = ask(house, house->local, "POST", "/hosts", invitation);
	g_autofree char *body = g_strdup_printf("{'code':'%s'}", json_text(invited, "code"));
	g_autoptr(json_t) enrolled = ask(house, house->nobody, "POST", "/enrol", body);
	return g_strdup(json_text(enrolled, "secret"));
}

/* Behind the API's back ------------------------------------------------------------------------ */

gint64 house_integer(House *house, const char *sql)
{
	g_autoptr(GError) error = NULL;
	gint64 value;
	store_query_integer(house->store, &error, G_MININT64, &value, sql, STORE_NO_PARAMS);
	assert_good(error);
	return value;
}

static gboolean execute(Store *store, gpointer sql, GError **error)
{
	return store_execute(store, error, sql, STORE_NO_PARAMS);
}

void house_execute(House *house, const char *sql)
{
	g_autoptr(GError) error = NULL;
	store_write(house->store, execute, (gpointer)sql, &error);
	assert_good(error);
}

char *house_history(House *house)
{
	g_autoptr(GError) error = NULL;
	GString *text = g_string_new(NULL);
	HistoryFilter everything = {.limit = 1000};
	g_autoptr(GPtrArray) entries = history_list(house->store, &everything, &error);
	assert_good(error);
	for (guint i = entries->len; i > 0; i--) {
		const HistoryEntry *entry = entries->pdata[i - 1];
		g_string_append_printf(text, "%s %s %s %s %s %s\n", entry->actor, entry->action,
			entry->subject, entry->reason != NULL ? entry->reason : "-",
			entry->before != NULL ? entry->before : "-",
			entry->after != NULL ? entry->after : "-");
	}
	return g_string_free(text, FALSE);
}
