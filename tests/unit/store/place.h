/* SPDX-License-Identifier: ISC
 *
 * A place for one test: an empty, migrated store of its own, on SQLite or on PostgreSQL. Every test
 * of this folder runs on both; ON_BOTH(test) makes two of one. PostgreSQL comes from
 * tests/with-postgres.
 */
#ifndef TESTS_STORE_PLACE_H
#define TESTS_STORE_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/store.h"

typedef struct Place {
	StoreKind kind;
	char *folder; /* temporary, gone after the test */
	char *url;
	Store *store; /* migrated */
} Place;

int place_sqlite(void **state);
int place_postgresql(void **state);
int place_remove(void **state);

#define ON_SQLITE(test)                                                                            \
	{                                                                                          \
#test " on sqlite", test, place_sqlite, place_remove, NULL                         \
	}
#define ON_POSTGRESQL(test)                                                                        \
	{                                                                                          \
#test " on postgresql", test, place_postgresql, place_remove, NULL                 \
	}
#define ON_BOTH(test) ON_SQLITE(test), ON_POSTGRESQL(test)

/* Another connection to the same store. */
Store *place_connect(const Place *place);
/* The address of another, empty store of a kind: not migrated. Caller frees. */
char *place_new_url(const Place *place, StoreKind kind);
/* What a database's own tool could do, past all that the store upholds. */
void place_meddle(const Place *place, const char *sql);
/* History may be changed now. */
void place_unlock_history(const Place *place);

/* Statements that must succeed, alone in a transaction. */
void must_write(Store *store, const char *sql);
gint64 must_read_integer(Store *store, const char *sql);

/* The error must be of this code, and its message must hold `part`. Clears it. */
#define assert_error(error, code, part) assert_error_at(error, code, part, __FILE__, __LINE__)
void assert_error_at(
	GError **error, DroverErrorCode code, const char *part, const char *file, int line);
/* There must be no error. */
#define assert_good(error) assert_good_at(error, __FILE__, __LINE__)
void assert_good_at(const GError *error, const char *file, int line);

/* One per file. */
int values_tests(void);
int transaction_tests(void);
int migrate_tests(void);
int history_tests(void);
int job_tests(void);
int backup_tests(void);
int outage_tests(void);

#endif
