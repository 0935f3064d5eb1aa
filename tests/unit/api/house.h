/* SPDX-License-Identifier: ISC
 *
 * A house for one test of people, tokens, sessions and hosts: an empty, migrated store of its own
 * on SQLite or on PostgreSQL, a clock that stands still until it is moved, and the way through the
 * API with bodies as one would read them aloud: {'name':'ada'}. ON_BOTH(test) makes two tests of
 * one; PostgreSQL comes from tests/with-postgres.
 */
#ifndef TESTS_API_HOUSE_H
#define TESTS_API_HOUSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/identity.h"

/* 2026-11-21T12:00:00Z */
#define NOON_US (G_GINT64_CONSTANT(1795262400) * US_PER_SECOND)

typedef struct House {
	char *folder; /* temporary, gone after the test */
	char *url;
	Store *store;
	ApiSite site; /* its clock says NOON_US */
	Actor *local;
	Actor *nobody;
} House;

int house_on_sqlite(void **state);
int house_on_postgresql(void **state);
int house_remove(void **state);

#define ON_BOTH(test)                                                                              \
	{#test " on sqlite", test, house_on_sqlite, house_remove, NULL},                           \
	{                                                                                          \
#test " on postgresql", test, house_on_postgresql, house_remove, NULL              \
	}

/* Another connection to the same store: another droverd. */
Store *house_connect(const House *house);
void house_wait(House *house, gint64 seconds);

/* Through api_call(). `body` is JSON with ' for ", NULL for none. Must succeed; a new reference. */
json_t *ask(
	House *house, const Actor *actor, const char *method, const char *path, const char *body);
/* The same when the answer does not matter. */
void tell(House *house, const Actor *actor, const char *method, const char *path, const char *body);
/* Must fail with `code`; gives the message, which the caller frees. */
char *refused(House *house, const Actor *actor, const char *method, const char *path,
	const char *body, DroverErrorCode code);
/* The same, and the message must hold `part`. */
void assert_refused(House *house, const Actor *actor, const char *method, const char *path,
	const char *body, DroverErrorCode code, const char *part);

/* A person with `role` on all products (NULL: none), as identity_from_token() gives them. */
Actor *house_person(House *house, const char *name, const char *role);
/* The secret of a new token of that person. Caller frees. */
char *house_token(House *house, const char *name);
/* A host's secret, enrolled. Caller frees. */
char *house_host(House *house, const char *name, const char *kind);
Actor *must_be_let_in(House *house, const char *secret);
/* Gives the message; caller frees. */
char *must_be_refused(House *house, const char *secret);
gint64 house_integer(House *house, const char *sql);
/* All of history, every field, as one text. Caller frees. */
char *house_history(House *house);
void house_execute(House *house, const char *sql);

void assert_good(const GError *error);
/* Clears it. */
void assert_error(GError **error, DroverErrorCode code);

int people_tests(void);
int role_tests(void);
int token_tests(void);
int login_tests(void);
int login_limit_tests(void);
int host_tests(void);
int gate_tests(void);

#endif
