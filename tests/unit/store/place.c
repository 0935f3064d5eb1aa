/* SPDX-License-Identifier: ISC
 *
 * Making and removing a test's store.
 */
#include "place.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

void assert_good_at(const GError *error, const char *file, int line)
{
	if (error)
		print_error("%s:%d: %s\n", file, line, error->message);
	_assert_true((LargestIntegralType)(error == NULL), "no error", file, line);
}

void assert_error_at(
	GError **error, DroverErrorCode code, const char *part, const char *file, int line)
{
	gboolean fits = drover_error_is(*error, code) && strstr((*error)->message, part);
	if (!fits)
		print_error("%s:%d: wanted %s, \"%s\", got %s, \"%s\"\n", file, line,
			drover_error_kind((int)code), part,
			*error ? drover_error_kind((*error)->code) : "no error",
			*error ? (*error)->message : "");
	_assert_true((LargestIntegralType)fits, "the expected error", file, line);
	g_clear_error(error);
}

static void postgresql_script(const char *url, const char *sql)
{
	PGconn *connection = PQconnectdb(url);
	PGresult *result = PQexec(connection, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(connection));
	PQclear(result);
	PQfinish(connection);
}

static void sqlite_script(const char *path, const char *sql)
{
	sqlite3 *database;
	char *message = NULL;
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	sqlite3_busy_timeout(database, 10000);
	if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	sqlite3_close(database);
}

void place_meddle(const Place *place, const char *sql)
{
	if (place->kind == STORE_SQLITE)
		sqlite_script(place->url + strlen("sqlite:"), sql);
	else
		postgresql_script(place->url, sql);
}

void place_unlock_history(const Place *place)
{
	if (place->kind == STORE_SQLITE)
		place_meddle(
			place, "DROP TRIGGER history_no_update; DROP TRIGGER history_no_delete");
	else
		place_meddle(place, "ALTER TABLE history DISABLE TRIGGER ALL");
}

static const char *server(void)
{
	const char *url = getenv("DROVER_TEST_POSTGRESQL");
	if (!url) {
		fprintf(stderr, "no PostgreSQL: run this as tests/with-postgres PROGRAM\n");
		exit(1);
	}
	return url;
}

char *place_new_url(const Place *place, StoreKind kind)
{
	static int number = 0;
	number++;
	if (kind == STORE_SQLITE)
		return g_strdup_printf("sqlite:%s/store-%d.db", place->folder, number);
	g_autofree char *name = g_strdup_printf("place_%d_%d", (int)getpid(), number);
	g_autofree char *create = g_strdup_printf("CREATE SCHEMA %s", name);
	postgresql_script(server(), create);
	return g_strdup_printf("%s&options=-csearch_path%%3D%s", server(), name);
}

Store *place_connect(const Place *place)
{
	g_autoptr(GError) error = NULL;
	Store *store = store_open(place->url, &error);
	assert_good(error);
	return store;
}

static int make(void **state, StoreKind kind)
{
	g_autoptr(GError) error = NULL;
	Place *place = g_new0(Place, 1);
	place->kind = kind;
	place->folder = g_dir_make_tmp("drover-store-XXXXXX", NULL);
	assert_non_null(place->folder);
	place->url = place_new_url(place, kind);
	place->store = place_connect(place);
	store_migrate(place->store, &error);
	assert_good(error);
	*state = place;
	return 0;
}

int place_sqlite(void **state)
{
	return make(state, STORE_SQLITE);
}

int place_postgresql(void **state)
{
	return make(state, STORE_POSTGRESQL);
}

int place_remove(void **state)
{
	Place *place = *state;
	store_close(place->store);
	gboolean removed = file_remove(place->folder, NULL);
	g_free(place->folder);
	g_free(place->url);
	g_free(place);
	return removed ? 0 : -1;
}

static gboolean execute(Store *store, gpointer sql, GError **error)
{
	return store_execute(store, error, sql, STORE_NO_PARAMS);
}

void must_write(Store *store, const char *sql)
{
	g_autoptr(GError) error = NULL;
	store_write(store, execute, (gpointer)sql, &error);
	assert_good(error);
}

gint64 must_read_integer(Store *store, const char *sql)
{
	g_autoptr(GError) error = NULL;
	gint64 value;
	store_query_integer(store, &error, G_MININT64, &value, sql, STORE_NO_PARAMS);
	assert_good(error);
	return value;
}
