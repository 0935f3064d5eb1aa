/* SPDX-License-Identifier: ISC
 *
 * The store on PostgreSQL: for several machines (docs/store.md).
 *
 * Writers queue for one session advisory lock and only then begin their SERIALIZABLE transaction,
 * so the snapshot is taken after the writer before has committed: ids grow in the order of commits,
 * and writers never fail each other. SERIALIZABLE stays, for whoever writes without Drover. The
 * lock belongs to the session: a pooler between must keep a session to one connection.
 *
 * Outside store_write() the session is read-only, so that a stray write fails here as it does on
 * SQLite. Advisory locks are counted per database; their keys carry the schema, so two stores can
 * share one.
 */
#include "store/engine.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_BOOLEAN 16 /* of pg_type: fixed for ever */
#define TYPE_BIGINT  20
#define TYPE_TEXT    25
#define TYPE_UNKNOWN 0

typedef struct Postgresql {
	StoreConnection base;
	PGconn *connection; /* NULL after it was lost */
	char **keywords;    /* what PQconnectdbParams() takes */
	char **values;
	GHashTable *prepared; /* types and SQL -> the name of the prepared statement */
} Postgresql;

typedef struct PostgresqlRows {
	StoreRows base;
	PGresult *result;
	int row; /* -1 before the first */
} PostgresqlRows;

static const char SQL_SESSION[] =
	"SET default_transaction_read_only = on;"
	"SET lock_timeout = " G_STRINGIFY(
		STORE_POSTGRESQL_LOCK_MS) ";"
					  "SET idle_session_timeout = 0;"
					  "SET client_min_messages = error;"
					  "SET TimeZone = 'UTC';"
					  /* So that the server drops the locks of a host that
					     vanished. */
					  "SET tcp_keepalives_idle = 30; SET "
					  "tcp_keepalives_interval = 10; SET tcp_keepalives_count "
					  "= 3;"
					  "SET tcp_user_timeout = " G_STRINGIFY(
						  STORE_POSTGRESQL_SILENCE_MS) ";";

#define WRITE_LOCK "hashtextextended('drover write ' || coalesce(current_schema(), ''), 0)"
static const char SQL_LOCK[] = "SELECT pg_advisory_lock(" WRITE_LOCK ")";
static const char SQL_HASTE[] = "SET lock_timeout = " G_STRINGIFY(STORE_SOON_MS);
static const char SQL_PATIENCE[] = "SET lock_timeout = " G_STRINGIFY(STORE_POSTGRESQL_LOCK_MS);
static const char SQL_UNLOCK[] = "SELECT pg_advisory_unlock(" WRITE_LOCK ")";

/* Errors -------------------------------------------------------------------------------------- */

typedef struct StateMeaning {
	const char *prefix; /* of the SQLSTATE */
	DroverErrorCode code;
	gboolean should_retry;
	const char *advice;
} StateMeaning;

static const StateMeaning MEANINGS[] = {
	{"40001", DROVER_ERROR_UNAVAILABLE, TRUE, "; another transaction came between: try again"},
	{"40P01", DROVER_ERROR_UNAVAILABLE, TRUE, "; another transaction came between: try again"},
	{"55P03", DROVER_ERROR_UNAVAILABLE, FALSE,
		"; another program is writing and does not end: try again, or look for one that "
		"hangs"},
	{"23505", DROVER_ERROR_CONFLICT, FALSE, ""},
	{"23503", DROVER_ERROR_CONFLICT, FALSE, ""},
	{"22021", DROVER_ERROR_INPUT, FALSE, ""},
	{"08", DROVER_ERROR_UNAVAILABLE, FALSE, ""},
	{"57P", DROVER_ERROR_UNAVAILABLE, FALSE, "; the server is stopping or starting: try again"},
	{"53300", DROVER_ERROR_UNAVAILABLE, FALSE, "; raise max_connections or end some"},
	{"53100", DROVER_ERROR_INTERNAL, FALSE, "; make room on the server's disk"},
	{"54", DROVER_ERROR_TOO_LARGE, FALSE, ""},
	{"25006", DROVER_ERROR_INTERNAL, FALSE,
		"; written outside a writing transaction, or the server is a read-only standby"},
	{"", DROVER_ERROR_INTERNAL, FALSE, ""},
};

static const StateMeaning *meaning_of(const char *state)
{
	const StateMeaning *meaning = MEANINGS;
	while (!g_str_has_prefix(state ? state : "", meaning->prefix))
		meaning++;
	return meaning;
}

static void drop_connection(Postgresql *postgresql)
{
	PQfinish(postgresql->connection);
	postgresql->connection = NULL;
	g_hash_table_remove_all(postgresql->prepared);
}

/* `message` as one line: libpq ends its own with a newline, and has several on connecting. */
static char *one_line(const char *message)
{
	g_autofree char *text = g_strstrip(g_strdup(message ? message : ""));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		g_strstrip(*line);
	g_autofree char *joined = g_strjoinv("; ", lines);
	return g_utf8_make_valid(joined, -1);
}

static void set_away(Postgresql *postgresql, const char *what, GError **error)
{
	g_autofree char *message = one_line(PQerrorMessage(postgresql->connection));
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "%s: %s: %s", postgresql->base.name, what,
		*message ? message : "out of memory");
	drop_connection(postgresql);
}

/* Why `result` is not what was asked for. A lost connection is dropped. */
static void set_error(Postgresql *postgresql, const PGresult *result, GError **error)
{
	if (PQstatus(postgresql->connection) != CONNECTION_OK) {
		set_away(postgresql, "the connection was lost", error);
		return;
	}
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const StateMeaning *meaning = meaning_of(state);
	g_autofree char *message =
		one_line(primary ? primary : PQerrorMessage(postgresql->connection));
	g_autofree char *more = one_line(detail);
	if (meaning->should_retry)
		postgresql->base.should_retry = TRUE;
	drover_error_set(error, meaning->code, "%s: %s%s%s%s%s%s%s", postgresql->base.name, message,
		*more ? ": " : "", more, meaning->advice, state ? " [" : "", state ? state : "",
		state ? "]" : "");
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
		drop_connection(postgresql);
}

static gboolean is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* A transaction does not survive its connection: what follows in it must not run outside of it. */
static gboolean check_connected(Postgresql *postgresql, GError **error)
{
	if (postgresql->connection)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
		"%s: the connection was lost, and with it the transaction", postgresql->base.name);
	return FALSE;
}

static gboolean script(StoreConnection *connection, const char *sql, GError **error)
{
	Postgresql *postgresql = (Postgresql *)connection;
	if (!check_connected(postgresql, error))
		return FALSE;
	PGresult *result = PQexec(postgresql->connection, sql);
	gboolean ok = is_good(result);
	if (!ok)
		set_error(postgresql, result, error);
	PQclear(result);
	return ok;
}

/* Opening ------------------------------------------------------------------------------------- */

static gboolean postgresql_connect(StoreConnection *connection, GError **error)
{
	Postgresql *postgresql = (Postgresql *)connection;
	if (postgresql->connection)
		return TRUE;
	postgresql->connection = PQconnectdbParams((const char *const *)postgresql->keywords,
		(const char *const *)postgresql->values, 0);
	if (PQstatus(postgresql->connection) != CONNECTION_OK) {
		set_away(postgresql, "cannot connect", error);
		return FALSE;
	}
	if (script(connection, SQL_SESSION, error))
		return TRUE;
	drop_connection(postgresql);
	return FALSE;
}

static const char *option_value(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

/* Where and as whom, and no other option: any of them may be a secret. */
static char *name_of(const PQconninfoOption *options)
{
	const char *user = option_value(options, "user");
	const char *host = option_value(options, "host");
	const char *port = option_value(options, "port");
	const char *database = option_value(options, "dbname");
	gboolean is_socket = host && *host == '/';
	return g_strdup_printf("postgresql://%s%s%s%s%s/%s%s%s", user ? user : "", user ? "@" : "",
		host && !is_socket ? host : "", port ? ":" : "", port ? port : "",
		database ? database : "", is_socket ? "?host=" : "", is_socket ? host : "");
}

/* What the URL says, then our bounds on waiting where it says nothing. */
static void set_options(Postgresql *postgresql, const PQconninfoOption *options)
{
	const char *const defaults[][2] = {
		{"connect_timeout", G_STRINGIFY(STORE_POSTGRESQL_CONNECT_S)},
		{"keepalives_idle", "30"},
		{"keepalives_interval", "10"},
		{"keepalives_count", "3"},
		{"tcp_user_timeout", G_STRINGIFY(STORE_POSTGRESQL_SILENCE_MS)},
		{"fallback_application_name", "drover"},
	};
	g_autoptr(GPtrArray) keywords = g_ptr_array_new();
	g_autoptr(GPtrArray) values = g_ptr_array_new();
	for (const PQconninfoOption *option = options; option->keyword; option++) {
		if (!option->val || strcmp(option->keyword, "client_encoding") == 0)
			continue;
		g_ptr_array_add(keywords, g_strdup(option->keyword));
		g_ptr_array_add(values, g_strdup(option->val));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(defaults); i++) {
		if (option_value(options, defaults[i][0]))
			continue;
		g_ptr_array_add(keywords, g_strdup(defaults[i][0]));
		g_ptr_array_add(values, g_strdup(defaults[i][1]));
	}
	g_ptr_array_add(keywords, g_strdup("client_encoding"));
	g_ptr_array_add(values, g_strdup("UTF8"));
	g_ptr_array_add(keywords, NULL);
	g_ptr_array_add(values, NULL);
	postgresql->keywords = (char **)g_ptr_array_steal(keywords, NULL);
	postgresql->values = (char **)g_ptr_array_steal(values, NULL);
}

static void postgresql_close(StoreConnection *connection)
{
	Postgresql *postgresql = (Postgresql *)connection;
	drop_connection(postgresql);
	g_hash_table_unref(postgresql->prepared);
	g_strfreev(postgresql->keywords);
	g_strfreev(postgresql->values);
	g_free(postgresql->base.name);
	g_free(postgresql);
}

static StoreConnection *postgresql_open(const char *url, GError **error)
{
	char *unsafe = NULL; /* libpq's message can repeat the URL, password and all */
	PQconninfoOption *options = PQconninfoParse(url, &unsafe);
	PQfreemem(unsafe);
	if (!options) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"store \"postgresql://…\": cannot be read (not repeated here, it may hold "
			"a "
			"password); use postgresql://USER@HOST:PORT/DATABASE with %%XX for special "
			"characters");
		return NULL;
	}
	Postgresql *postgresql = g_new0(Postgresql, 1);
	postgresql->base.engine = &store_engine_postgresql;
	postgresql->base.name = name_of(options);
	postgresql->prepared = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	set_options(postgresql, options);
	PQconninfoFree(options);
	if (postgresql_connect(&postgresql->base, error))
		return &postgresql->base;
	postgresql_close(&postgresql->base);
	return NULL;
}

/* Transactions -------------------------------------------------------------------------------- */

static void unlock(StoreConnection *connection)
{
	Postgresql *postgresql = (Postgresql *)connection;
	/* A session that cannot say that it let go is ended, which lets go too. */
	if (postgresql->connection && !script(connection, SQL_UNLOCK, NULL))
		drop_connection(postgresql);
}

static gboolean lock(StoreConnection *connection, GError **error)
{
	if (!connection->is_hasty)
		return script(connection, SQL_LOCK, error);
	if (!script(connection, SQL_HASTE, error))
		return FALSE;
	gboolean locked = script(connection, SQL_LOCK, error);
	if (script(connection, SQL_PATIENCE, locked ? error : NULL))
		return locked;
	if (locked)
		unlock(connection);
	return FALSE;
}

static gboolean begin(StoreConnection *connection, gboolean is_write, GError **error)
{
	if (!is_write)
		return script(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", error);
	if (!lock(connection, error))
		return FALSE;
	if (script(connection, "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE", error))
		return TRUE;
	unlock(connection);
	return FALSE;
}

/* A server that was restarted meanwhile is noticed here first. Nothing is done yet, so a new
 * connection may begin in the lost one's place. */
static gboolean postgresql_begin(StoreConnection *connection, gboolean is_write, GError **error)
{
	const Postgresql *postgresql = (Postgresql *)connection;
	GError *problem = NULL;
	if (begin(connection, is_write, &problem))
		return TRUE;
	if (postgresql->connection == NULL && postgresql_connect(connection, NULL)) {
		g_error_free(problem);
		return begin(connection, is_write, error);
	}
	g_propagate_error(error, problem);
	return FALSE;
}

static gboolean postgresql_commit(StoreConnection *connection, gboolean is_write, GError **error)
{
	Postgresql *postgresql = (Postgresql *)connection;
	if (!check_connected(postgresql, error))
		return FALSE;
	PGresult *result = PQexec(postgresql->connection, "COMMIT");
	/* A transaction in which a statement failed answers COMMIT with ROLLBACK. */
	gboolean ok = is_good(result) && strcmp(PQcmdStatus(result), "COMMIT") == 0;
	if (!ok && is_good(result))
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"%s: a statement had failed, nothing was changed", connection->name);
	else if (!ok)
		set_error(postgresql, result, error);
	PQclear(result);
	if (!ok && !postgresql->connection && is_write)
		g_prefix_error(error, "while committing, so look whether the change is there: ");
	if (ok && is_write)
		unlock(connection);
	return ok;
}

static void postgresql_rollback(StoreConnection *connection, gboolean is_write)
{
	Postgresql *postgresql = (Postgresql *)connection;
	if (postgresql->connection && !script(connection, "ROLLBACK", NULL))
		drop_connection(postgresql);
	if (is_write)
		unlock(connection);
}

/* Statements ---------------------------------------------------------------------------------- */

/* The end of a quoted part or comment that begins at `at`, or `at` itself. */
static const char *skip_quoted(const char *at)
{
	const char *end = at;
	if (*at == '\'' || *at == '"')
		end = strchr(at + 1, *at);
	else if (g_str_has_prefix(at, "--"))
		end = strchr(at, '\n');
	else if (g_str_has_prefix(at, "/*"))
		end = strstr(at + 2, "*/");
	else
		return at;
	return end ? end + 1 : at + strlen(at);
}

char *store_number_parameters(const char *sql)
{
	GString *numbered = g_string_new(NULL);
	int number = 0;
	while (*sql) {
		const char *end = skip_quoted(sql);
		if (end > sql)
			g_string_append_len(numbered, sql, end - sql);
		else if (*sql == '?')
			g_string_append_printf(numbered, "$%d", ++number);
		else
			g_string_append_c(numbered, *sql);
		sql = end > sql ? end : sql + 1;
	}
	return g_string_free(numbered, FALSE);
}

/* NULL has no type of its own, so the same SQL is prepared once for each pattern of types it meets.
 */
static char *statement_key(const char *sql, const StoreValue *values, gsize count)
{
	GString *key = g_string_new(NULL);
	for (gsize i = 0; i < count; i++)
		g_string_append_c(key, "nit"[values[i].type]);
	g_string_append_c(key, ' ');
	g_string_append(key, sql);
	return g_string_free(key, FALSE);
}

/* The prepared statement's name; "" is the unnamed one. NULL on error. */
static const char *prepare(Postgresql *postgresql, const char *sql, const StoreValue *values,
	gsize count, GError **error)
{
	static const Oid types_of_values[] = {TYPE_UNKNOWN, TYPE_BIGINT, TYPE_TEXT};
	g_autofree char *key = statement_key(sql, values, count);
	const char *known = g_hash_table_lookup(postgresql->prepared, key);
	if (known)
		return known;
	guint cached = g_hash_table_size(postgresql->prepared);
	/* Rows by the hundred hardly meet the same pattern of NULLs again. */
	gboolean is_kept = cached < STORE_CACHED_STATEMENTS &&
			   (count <= STORE_CACHED_PARAMETERS || !memchr(key, 'n', count));
	g_autofree char *name = is_kept ? g_strdup_printf("s%u", cached) : g_strdup("");
	g_autofree char *numbered = store_number_parameters(sql);
	g_autofree Oid *types = g_new0(Oid, count + 1);
	for (gsize i = 0; i < count; i++)
		types[i] = types_of_values[values[i].type];
	PGresult *result = PQprepare(postgresql->connection, name, numbered, (int)count, types);
	gboolean ok = is_good(result);
	if (!ok)
		set_error(postgresql, result, error);
	PQclear(result);
	if (!ok || !is_kept)
		return ok ? "" : NULL;
	g_hash_table_insert(postgresql->prepared, g_strdup(key), g_strdup(name));
	return g_hash_table_lookup(postgresql->prepared, key);
}

static PGresult *run_prepared(
	Postgresql *postgresql, const char *name, const StoreValue *values, gsize count)
{
	g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
	g_autofree const char **texts = g_new0(const char *, count + 1);
	for (gsize i = 0; i < count; i++) {
		if (values[i].type == STORE_VALUE_INTEGER) {
			g_ptr_array_add(
				owned, g_strdup_printf("%" G_GINT64_FORMAT, values[i].integer));
			texts[i] = g_ptr_array_index(owned, owned->len - 1);
		} else if (values[i].type == STORE_VALUE_TEXT) {
			texts[i] = values[i].text;
		}
	}
	return PQexecPrepared(postgresql->connection, name, (int)count, texts, NULL, NULL, 0);
}

static StoreRows *postgresql_query(StoreConnection *connection, const char *sql,
	const StoreValue *values, gsize count, GError **error)
{
	Postgresql *postgresql = (Postgresql *)connection;
	if (!check_connected(postgresql, error))
		return NULL;
	const char *name = prepare(postgresql, sql, values, count, error);
	if (!name)
		return NULL;
	PGresult *result = run_prepared(postgresql, name, values, count);
	if (!is_good(result)) {
		set_error(postgresql, result, error);
		PQclear(result);
		return NULL;
	}
	PostgresqlRows *rows = g_new0(PostgresqlRows, 1);
	rows->result = result;
	rows->row = -1;
	return &rows->base;
}

static gboolean postgresql_next(StoreRows *base, gboolean *more, GError **error)
{
	PostgresqlRows *rows = (PostgresqlRows *)base;
	*more = ++rows->row < PQntuples(rows->result);
	return TRUE;
}

static const char *postgresql_text(const StoreRows *base, int column)
{
	const PostgresqlRows *rows = (const PostgresqlRows *)base;
	g_assert(column < PQnfields(rows->result));
	if (PQgetisnull(rows->result, rows->row, column))
		return NULL;
	return PQgetvalue(rows->result, rows->row, column);
}

static gint64 postgresql_integer(const StoreRows *base, int column)
{
	const PostgresqlRows *rows = (const PostgresqlRows *)base;
	const char *text = postgresql_text(base, column);
	if (!text)
		return 0;
	if (PQftype(rows->result, column) == TYPE_BOOLEAN)
		return *text == 't';
	return g_ascii_strtoll(text, NULL, 10);
}

static gboolean postgresql_is_null(const StoreRows *base, int column)
{
	return postgresql_text(base, column) == NULL;
}

static gint64 postgresql_changed(const StoreRows *base)
{
	return g_ascii_strtoll(PQcmdTuples(((const PostgresqlRows *)base)->result), NULL, 10);
}

static void postgresql_finish(StoreRows *base)
{
	PQclear(((PostgresqlRows *)base)->result);
	g_free(base);
}

const StoreEngine store_engine_postgresql = {
	.kind = STORE_POSTGRESQL,
	.scheme = "postgresql://",
	.label = "postgresql",
	.serial_id = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
	.given_id = "BIGINT PRIMARY KEY",
	.clustered = "",
	.text = "TEXT COLLATE \"C\"",
	.sql_has_table = "SELECT count(*) FROM pg_catalog.pg_tables "
			 "WHERE schemaname = current_schema() AND tablename = ?",
	.open = postgresql_open,
	.close = postgresql_close,
	.connect = postgresql_connect,
	.begin = postgresql_begin,
	.commit = postgresql_commit,
	.rollback = postgresql_rollback,
	.script = script,
	.query = postgresql_query,
	.next = postgresql_next,
	.integer = postgresql_integer,
	.text_at = postgresql_text,
	.is_null = postgresql_is_null,
	.changed = postgresql_changed,
	.finish = postgresql_finish,
};
