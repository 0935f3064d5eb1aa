/* SPDX-License-Identifier: ISC
 *
 * People and their deeds on changes, each in a transaction of its own. A deed that must go well
 * fails the test when it does not. Times are seconds, as in book_place.h.
 */
#ifndef TESTS_CHANNEL_BOOK_CHANGE_PLACE_H
#define TESTS_CHANNEL_BOOK_CHANGE_PLACE_H

#include "book_place.h"

#include "channel/book/change.h"
#include "channel/book/enact.h"

/* A person with roles: "operator,relman" on all products, "P/relman" on one. */
void person(Store *store, const char *name, const char *roles);
/* Direct rows, past all requirements: "{'product': 'web', …}". */
void row(Store *store, StateTable table, const char *row);

/* Who does the next deeds, and when. */
typedef struct Desk {
	Store *store;
	const char *name;
	gint64 second;
	GatesAsk gates;
	gpointer gates_of;
} Desk;

/* As ada, at second 100, in a furnished store with a declared channel at which the clock looked. */
Desk furnished_desk(Place *place);
/* The same desk, with another person at it. */
Desk as(const Desk *desk, const char *name);

/* Of the rule that furnish() makes. */
#define RATE(rate) "[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'rate': " #rate "}}]"

gint64 submit(Desk *desk, gint64 when, const char *ops);
/* RATE(50) with these texts; or it must be refused. */
void submit_as(Desk *desk, const char *title, const char *reason, gboolean is_good);
void submit_refused(
	Desk *desk, gint64 when, const char *ops, DroverErrorCode code, const char *part);

typedef enum Verb {
	EDIT, /* text: ops */
	MOVE, /* number: when */
	WITHDRAW,
	SIGN, /* text: role; of what the change says now */
	REVOKE,
	TEST,
	OVERRIDE, /* text: gate */
	GO,
	BREAK_GLASS,
	REVIEW,
} Verb;
void deed(Desk *desk, Verb verb, gint64 change, const char *text, gint64 number);
void deed_refused(Desk *desk, Verb verb, gint64 change, const char *text, gint64 number,
	DroverErrorCode code, const char *part);

ChangeDetail *load(Desk *desk, gint64 change);
void assert_standing(Desk *desk, gint64 change, StandingKind kind, const char *part);

/* The clock looks: what went live, "3 5", and "7 unsigned" of what waits, "*" before news. */
void assert_look(Desk *desk, const char *live, const char *waiting);
/* Rule's rate. */
void assert_rate(Store *store, const char *rule, gint64 rate);

#endif
