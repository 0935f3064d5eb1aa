/* SPDX-License-Identifier: ISC
 *
 * Which of the changes that wait may go live, and what the others lack. The queue is walked in its
 * order over live rows: a change that is ready is on top of them for those behind it; one that is
 * not waits, and whatever its footprint meets waits behind it. So what this says of a change is
 * what going live does. Rules: docs/channel.md, "Going live". Pure: the hour, the gates and the
 * words of people come as values.
 */
#ifndef CHANNEL_CHANGE_STANDING_H
#define CHANNEL_CHANGE_STANDING_H

#include "channel/change/content.h"
#include "channel/change/gate.h"
#include "channel/change/queue.h"
#include "channel/change/sign_off.h"

#define STANDING_LATE_S	      3600 /* of a product that says nothing else */
#define STANDING_LEAST_LATE_S 30   /* of one that says less: the clock leaves word more often */

typedef enum StandingKind {
	STANDING_READY, /* goes live when its time comes */
	STANDING_UNSIGNED,
	STANDING_UNTESTED,
	STANDING_NEEDS_RETEST, /* what was tested is not what would go live */
	STANDING_CONFLICT,     /* does not fit the rows */
	STANDING_GATE,
	STANDING_BEHIND,  /* another that waits */
	STANDING_OVERDUE, /* missed while nobody watched the clock: a person must say go */
	STANDING_GOING_LIVE,
	STANDING_LIVE,
	STANDING_WITHDRAWN,
} StandingKind;

/* "ready", "needs-retest", … Static. */
const char *standing_kind_name(StandingKind kind);

/* A tester's word. Borrowed. */
typedef struct StandingTest {
	const char *person, *role;
	const json_t *digests; /* standing_tested_digests() as they were */
	const char *void_why;  /* NULL: it stands */
	gboolean is_revoked;   /* by the tester: as if it had not been */
} StandingTest;

/* What was said about one change. Borrowed. */
typedef struct StandingWords {
	const char *author;
	gint64 submitted_us;
	const SignOff *sign_offs; /* in the order in which they were given */
	guint sign_off_count;
	const StandingTest *tests;
	guint test_count;
	const json_t *overrides; /* [{"gate", "digest": of the content that it is for, …}], and
				  * {"gate": "overdue", "when", …}: the word go for that time */
	gboolean is_overdue;	 /* it was found overdue, and nobody said go since */
	const json_t *conflicts; /* of its last re-basing; NULL: none */
} StandingWords;

/* What the walk asks. */
typedef struct StandingQuestion {
	gint64 now_us;
	gint64 watched_us;  /* when the clock looked last; 0: never */
	gboolean one_ready; /* the walk ends with the first that is ready */
	/* Of a change of the queue; FALSE: nothing is known about it. */
	gboolean (*words)(gint64 change, StandingWords *words, gpointer of);
	/* Other gates than the freeze: GPtrArray of Gate *, transferred. May be NULL. */
	GPtrArray *(*gates)(gint64 change, const State *before, gpointer of);
	/* What else `after` must be; `may` be NULL. Fails with DROVER_ERROR_CONFLICT or INPUT. */
	gboolean (*fits)(const State *before, const State *after, gboolean is_due, gpointer of,
		GError **error);
	gpointer of;
} StandingQuestion;

typedef struct StandingRole {
	RequiredRole required;
	gboolean is_tester, signs_time, author_may_sign;
	guint missing;	     /* persons whose sign-off is lacking */
	guint missing_tests; /* of testers, those who signed no digests, or others */
} StandingRole;

typedef struct Standing {
	gint64 change;
	StandingKind kind;
	char *text;	 /* what is missing and who can supply it; a sentence with its full stop */
	gint64 blocking; /* the change that it waits behind; 0: none */
	State *before, *after; /* that it was judged on; `after` NULL: it does not apply */
	Footprint *footprint;
	char **products; /* that it concerns, "*" for all; of rows that no client asks for, too */
	json_t *content; /* content_of(); NULL when it does not apply, as the digests */
	char *digest, *time_digest;
	GArray *roles;		     /* StandingRole, by role */
	SignOffStanding *signed_off; /* one for each sign-off */
	gboolean *tests_match;	     /* one for each test */
	json_t *tested;		     /* standing_tested_digests() as they are; NULL: no tester is
				      * asked for, or it does not apply */
	char *tested_digest;	     /* of that list */
	json_t *differs;      /* [{"product", "channel", "then", "now"}]: from the newest test */
	GPtrArray *gates;     /* Gate * */
	gboolean *overridden; /* one for each gate */
} Standing;

void standing_free(Standing *standing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Standing, standing_free)

/* Of the first `count` changes of the queue, or fewer when one that is ready is enough: GPtrArray
 * of Standing *, in its order. Tests are
 * judged of the last, and of others only where they decide. */
GPtrArray *standings_of(
	State *live, const Queue *queue, guint count, const StandingQuestion *question);

/* Does the state grant the person the role on each of the products ("*": on all)? */
gboolean standing_has_role(
	const State *state, const char *person, const char *role, char *const *products);

/* What testers sign: [{"product", "channel", "digest"}], sorted: of each declared channel that the
 * change alters, and last, both names null, one for all names that nobody declared, if it alters
 * what they get. New reference; NULL with error set when a product's scheme is none. */
json_t *standing_tested_digests(const State *after, const Footprint *footprint, GError **error);

#endif
