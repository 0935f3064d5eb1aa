/* SPDX-License-Identifier: ISC
 *
 * What people do with changes: submit, edit, move, withdraw, sign, test, override, go, break the
 * glass. Each returns the change as it stands afterwards, and leaves an entry of history,
 * "change.VERB" on "change/ID". The JSON of a change is made here too, once for API, command and
 * pages.
 *
 * All but change_load_detail(), change_standings() and change_check() write: inside store_write().
 * Those three: in store_write() or store_read(); change_check() in store_write() only, and it
 * stores nothing.
 *
 * docs/channel.md, "Changes"
 */
#ifndef CHANNEL_BOOK_CHANGE_H
#define CHANNEL_BOOK_CHANGE_H

#include "channel/book/gate.h"
#include "channel/change/standing.h"

#define CHANGE_MAXIMUM_TITLE_BYTES  200
#define CHANGE_MAXIMUM_REASON_BYTES 4096
#define CHANGE_PAST_S		    300 /* how far back `when` may be, for clocks that differ */
#define CHANGE_FUTURE_S		    63072000 /* two years */

/* Who asks. `may`: has the actor the role ("operator", or a role for signing) on the product ("*":
 * on all)? Sign-offs and tests ask more: a person of that name with a grant, since only a person's
 * word counts. */
typedef struct ChangeActor {
	const char *name;
	gboolean (*may)(const char *product, const char *role, gpointer of);
	gpointer of;
} ChangeActor;

typedef struct ChangeCall {
	Store *store;
	const ChangeActor *actor;
	gint64 now_us;
	const char *reason; /* NULL: none; some deeds want one */
	GatesAsk gates;	    /* NULL: only the freeze */
	gpointer gates_of;
} ChangeCall;

/* What somebody wants a change to be. In an edit: NULL and 0 are as it was. */
typedef struct ChangeDraft {
	gint64 when_us;
	const char *title, *reason;
	const json_t *ops;
} ChangeDraft;

/* A sign-off and a test as they are in the store. */
typedef struct ChangeWord {
	char *person, *role;
	char *digest;	 /* of a sign-off */
	json_t *digests; /* of a test */
	gint64 at_us;
	gboolean is_revoked;
	char *void_why; /* of a test that does not hold any more; NULL: it stands */
} ChangeWord;

typedef struct ChangeDetail {
	ChannelChange *change;
	Standing *standing;
	GPtrArray *sign_offs, *tests; /* ChangeWord *, oldest first */
	json_t *conflicts; /* its own, and those that others have with it, seen from its side */
	/* What the actor may do now. */
	GPtrArray *may_sign, *may_test; /* roles, char * */
	gboolean may_edit, may_withdraw, may_override, may_break_glass, may_go, may_review;
} ChangeDetail;

void change_detail_free(ChangeDetail *detail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChangeDetail, change_detail_free)

/* {"id", "state", "when", "title", "reason", "author", "created", "ended", "data_version",
 * "scopes", "standing": {"kind", "text", "blocking"}}: a line of a list. New reference. */
json_t *change_json(const ChannelChange *change, const Standing *standing);
/* The same and all else: "ops", "words", "content", "digest", "time_digest", "required",
 * "sign_offs", "tested", "gates", "overrides", "conflicts", "may". New reference. */
json_t *change_detail_json(const ChangeDetail *detail);

/* Of the changes that wait, all of the book: Standing *, in the order of book->changes. `call`
 * needs no actor. */
GPtrArray *change_standings(const ChangeCall *call, const ChannelBook *book, GError **error);
/* Of one that is live or withdrawn: it is that, and its scopes are those that it had. Caller
 * frees. */
Standing *change_ended_standing(const State *live, const ChannelChange *change);

/* Fails with DROVER_ERROR_NOT_FOUND. */
ChangeDetail *change_load_detail(const ChangeCall *call, gint64 id, GError **error);

/* Fails with DROVER_ERROR_INPUT (draft), DROVER_ERROR_CONFLICT (it does not fit the rows at its
 * place in the queue), DROVER_ERROR_DENIED (operator on each product that it concerns). */
ChangeDetail *change_submit(const ChangeCall *call, const ChangeDraft *draft, GError **error);
/* What would become of it; its id is 0. Fails as change_submit(). */
ChangeDetail *change_check(const ChangeCall *call, const ChangeDraft *draft, GError **error);
/* A draft with nothing but `when_us` moves it. Fails as change_submit(); with
 * DROVER_ERROR_CONFLICT when `data_version` is stale, or it does not wait. */
ChangeDetail *change_edit(const ChangeCall *call, gint64 id, gint64 data_version,
	const ChangeDraft *draft, GError **error);
/* Its author, or an operator. Wants a reason. */
ChangeDetail *change_withdraw(
	const ChangeCall *call, gint64 id, gint64 data_version, GError **error);

/* `digest`: what the person read, Standing.digest, or time_digest for roles that sign the time.
 * Fails with DROVER_ERROR_CONFLICT when it is another by now, or the person signed it already;
 * DROVER_ERROR_DENIED without the role; DROVER_ERROR_INPUT when nothing asks for that role. */
ChangeDetail *change_sign(
	const ChangeCall *call, gint64 id, const char *role, const char *digest, GError **error);
/* The actor's own words in the role: the sign-off and the tests. DROVER_ERROR_NOT_FOUND: none. */
ChangeDetail *change_revoke(const ChangeCall *call, gint64 id, const char *role, GError **error);
/* `digest`: Standing.tested_digest as the tester saw it. Fails as change_sign(). */
ChangeDetail *change_test(
	const ChangeCall *call, gint64 id, const char *role, const char *digest, GError **error);

/* Wants a reason, and the gate's role on all of the change's products. DROVER_ERROR_NOT_FOUND: no
 * such gate; DROVER_ERROR_DENIED: nobody's word overrides it. */
ChangeDetail *change_override(const ChangeCall *call, gint64 id, const char *gate, GError **error);
/* Answers one that is overdue: it goes live at the next look. Wants a reason and an operator.
 * DROVER_ERROR_CONFLICT: it is not overdue. */
ChangeDetail *change_go(const ChangeCall *call, gint64 id, GError **error);
/* Live now, out of its turn: no sign-off, test or gate is asked, but it must fit the live rows.
 * Wants a reason and an operator. Who calls this tells everyone who has a role on its products.
 * It stays marked for review: overrides has {"gate":
 * "break-glass", "by", "at", "reason"} until another has {"gate": "reviewed", …}. */
ChangeDetail *change_break_glass(const ChangeCall *call, gint64 id, GError **error);
/* By an operator who did not break the glass. Wants a reason. */
ChangeDetail *change_review(const ChangeCall *call, gint64 id, GError **error);

#endif
