/* SPDX-License-Identifier: ISC
 *
 * Inside the room only: what a database must offer to be a store. store.c speaks to this table and
 * knows no database; sqlite.c and postgresql.c fill it in. Each engine's own structs begin with a
 * StoreConnection or a StoreRows.
 */
#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H

#include "store/store.h"

/* Statements that a connection keeps prepared; those beyond are prepared for each use. */
#define STORE_CACHED_STATEMENTS 512
/* PostgreSQL: with more parameters, and NULLs among them, a statement is not kept. */
#define STORE_CACHED_PARAMETERS 64
/* A transaction that could not be serialized, or found the database busy, runs this often at most,
 * with a pause between that doubles up to STORE_PAUSE_MS, of which a random part is slept. */
#define STORE_TRIES    10
#define STORE_PAUSE_MS 500
/* How long one try waits for whoever is writing; all tries together end before a request must
 * (HttpServerOptions.deadline_ms). */
#define STORE_SQLITE_BUSY_MS	 2000
#define STORE_POSTGRESQL_LOCK_MS 20000
/* The same for store_write_soon(), which tries once. */
#define STORE_SOON_MS		    100
#define STORE_POSTGRESQL_CONNECT_S  10
#define STORE_POSTGRESQL_SILENCE_MS 30000

typedef struct StoreEngine StoreEngine;

typedef enum StoreTransaction {
	STORE_TRANSACTION_NONE,
	STORE_TRANSACTION_READ,
	STORE_TRANSACTION_WRITE
} StoreTransaction;

typedef struct StoreConnection {
	const StoreEngine *engine;
	char *name;		      /* store_name() */
	StoreTransaction transaction; /* kept by store.c */
	gboolean should_retry;	      /* set by the engine: run the whole transaction again */
	gboolean is_hasty;    /* set by store.c: wait STORE_SOON_MS for whoever is writing */
	gboolean values_stay; /* set by store.c: they outlive the statement, no need to copy */
} StoreConnection;

struct StoreRows {
	Store *store; /* kept by store.c */
	StoreConnection *connection;
	gboolean is_open; /* more may come; kept by store.c */
};

struct StoreEngine {
	StoreKind kind;
	const char *scheme; /* "sqlite:" */
	/* What migrations say once and each database in its own words: migrate.c. */
	const char *label;     /* of sections for this database only: "sqlite" */
	const char *serial_id; /* for SERIAL_ID */
	const char *given_id;  /* for GIVEN_ID */
	const char *clustered; /* for CLUSTERED */
	const char *text;      /* for TEXT */
	const char *sql_has_table;

	StoreConnection *(*open)(const char *url, GError **error);
	void (*close)(StoreConnection *connection);
	/* Outside a transaction: makes sure that there is a connection. */
	gboolean (*connect)(StoreConnection *connection, GError **error);
	gboolean (*begin)(StoreConnection *connection, gboolean is_write, GError **error);
	/* When it fails, rollback() follows. */
	gboolean (*commit)(StoreConnection *connection, gboolean is_write, GError **error);
	void (*rollback)(StoreConnection *connection, gboolean is_write);
	/* Several statements without parameters, their rows ignored. */
	gboolean (*script)(StoreConnection *connection, const char *sql, GError **error);
	StoreRows *(*query)(StoreConnection *connection, const char *sql, const StoreValue *values,
		gsize count, GError **error);
	gboolean (*next)(StoreRows *rows, gboolean *more, GError **error);
	gint64 (*integer)(const StoreRows *rows, int column);
	const char *(*text_at)(const StoreRows *rows, int column);
	gboolean (*is_null)(const StoreRows *rows, int column);
	/* Rows that the statement changed, once it has run. */
	gint64 (*changed)(const StoreRows *rows);
	/* The statement may be used again; also the free function. */
	void (*finish)(StoreRows *rows);
};

extern const StoreEngine store_engine_sqlite;
extern const StoreEngine store_engine_postgresql;

const StoreEngine *store_engine(const Store *store);
/* The URL with everything that connecting needs: for a second connection. Owned by the store. */
const char *store_url(const Store *store);
gboolean store_in_transaction(const Store *store);
/* Inside store_write(). */
gboolean store_script(Store *store, const char *sql, GError **error);

/* `?` outside of quotes and comments becomes $1, $2 … Caller frees. */
char *store_number_parameters(const char *sql);

/* A migration's text as this database is to run it. Caller frees. */
char *store_migration_for(const StoreEngine *engine, const char *sql);

/* SQLite only: the database's file, absolute; and a copy of the whole database, from one consistent
 * view, into the empty file `path`. */
const char *store_sqlite_path(const Store *store);
gboolean store_sqlite_copy(Store *store, const char *path, GError **error);
StoreConnection *store_connection(const Store *store);

#endif
