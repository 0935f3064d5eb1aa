/* SPDX-License-Identifier: ISC
 *
 * From due to live.
 */
#include "channel/book/enact.h"

#include "channel/book/change_parts.h"
#include "channel/book/enact_parts.h"
#include "store/history.h"
#include "wire/json.h"

#define CLOCK		 "droverd" /* who does it */
#define WATCH_TO_COME_US (ENACT_WATCH_S * US_PER_SECOND)

static const char SQL_DUE[] = "SELECT COUNT(*) FROM channel_change"
			      " WHERE state IN ('scheduled', 'going-live')"
			      " AND (when_us <= ? OR (problem_json IS NOT NULL"
			      " AND problem_json NOT LIKE '%\"told\":true%'))";
static const char SQL_NEXT[] = "SELECT MIN(when_us) FROM channel_change"
			       " WHERE state IN ('scheduled', 'going-live') AND when_us > ?";
/* A word from a time to come was left by a clock that was wrong. */
static const char SQL_WATCH[] = "UPDATE counter SET value = ? WHERE name = 'clock'"
				" AND (value < ? OR value > ?)";

static void waiting_free(gpointer item)
{
	EnactWaiting *waiting = item;
	g_free(waiting->text);
	g_free(waiting->title);
	g_free(waiting->author);
	g_ptr_array_unref(waiting->testers);
	g_free(waiting);
}

void enacted_clear(Enacted *enacted)
{
	g_clear_pointer(&enacted->live, g_array_unref);
	g_clear_pointer(&enacted->waiting, g_ptr_array_unref);
}

/* One change ----------------------------------------------------------------------------------- */

/* What history keeps of it: what was agreed on, and by whom. */
static json_t *evidence(
	const ChannelChange *change, const Standing *standing, const SignWords *words)
{
	json_t *after = change_brief(change);
	json_t *signed_by = json_array();
	for (guint i = 0; words != NULL && i < words->sign_offs->len; i++) {
		const ChangeWord *word = words->sign_offs->pdata[i];
		if (standing != NULL && standing->signed_off[i] == SIGN_OFF_COUNTS)
			json_array_append_new(signed_by, json_pack("{s:s, s:s}", "person",
								 word->person, "role", word->role));
	}
	json_object_set_new(after, "signed", signed_by);
	if (standing != NULL && standing->content != NULL) {
		json_object_set(after, "content", standing->content);
		json_object_set_new(after, "digest", json_string(standing->digest));
	}
	if (standing != NULL && standing->tested_digest != NULL)
		json_object_set_new(after, "tested", json_string(standing->tested_digest));
	json_object_set(after, "overrides", change->overrides);
	return after;
}

gboolean enact_rows(Store *store, ChannelChange *change, const EnactRows *rows,
	const ChannelDeed *deed, GError **error)
{
	if (!channel_rows_write(store, rows->before, rows->after, deed, NULL, error))
		return FALSE;
	g_free(change->state);
	change->state = g_strdup("live");
	change->ended_us = deed->now_us;
	change_note_concerns(change, rows->before);
	g_clear_pointer(&change->problem, json_decref);
	g_autoptr(json_t) after = evidence(change, rows->standing, rows->words);
	g_autofree char *text = json_write(after);
	g_autofree char *subject = g_strdup_printf("change/%" G_GINT64_FORMAT, change->id);
	return channel_change_save(store, change, deed, error) &&
	       history_append(store, deed->now_us, deed->actor, rows->verb, subject, deed->reason,
		       NULL, text, error);
}

/* A look --------------------------------------------------------------------------------------- */

typedef struct Look {
	gint64 now_us;
	gint64 watched_us; /* before this look */
	const EnactHouse *house;
	GPtrArray *waiting;
	gboolean may_write;
	gboolean wants_to_write;
	gint64 going; /* the change that goes live next; 0: none */
	gboolean is_done;
} Look;

typedef struct LookState {
	ChannelBook *book;
	StandingDesk desk;
	GPtrArray *standings; /* of the changes that are due */
} LookState;

static void look_state_clear(LookState *state)
{
	g_clear_pointer(&state->standings, g_ptr_array_unref);
	standing_desk_clear(&state->desk);
	channel_book_free(state->book);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LookState, look_state_clear)

static gboolean look(LookState *state, const Look *look, Store *store, GError **error)
{
	guint due = 0;
	state->book = channel_book_read(store, error);
	if (state->book == NULL ||
		!standing_desk_read(&state->desk, store, state->book, look->now_us,
			look->house->gates, look->house->gates_of, error))
		return FALSE;
	state->desk.watched_us = look->watched_us;
	state->desk.one_ready = TRUE; /* what is behind is judged when it is live */
	while (due < state->book->changes->len &&
		((const ChannelChange *)state->book->changes->pdata[due])->when_us <= look->now_us)
		due++;
	state->standings = standing_desk_ask(&state->desk, due);
	return TRUE;
}

/* What waits ----------------------------------------------------------------------------------- */

static gboolean was_told(const ChannelChange *change, const char *kind)
{
	return g_strcmp0(json_text(change->problem, "kind"), kind) == 0 &&
	       json_is_true(json_object_get(change->problem, "told"));
}

static void add_testers(EnactWaiting *waiting, const LookState *state)
{
	const SignWords *words = g_hash_table_lookup(state->desk.words, &waiting->change);
	for (guint i = 0; words != NULL && i < words->tests->len; i++) {
		const ChangeWord *word = words->tests->pdata[i];
		if (!word->is_revoked && !g_ptr_array_find_with_equal_func(
						 waiting->testers, word->person, g_str_equal, NULL))
			g_ptr_array_add(waiting->testers, g_strdup(word->person));
	}
}

static EnactWaiting *new_waiting(
	const LookState *state, const ChannelChange *change, StandingKind kind, const char *text)
{
	EnactWaiting *waiting = g_new0(EnactWaiting, 1);
	waiting->change = change->id;
	waiting->kind = kind;
	waiting->text = g_strdup(text);
	waiting->title = g_strdup(change->title);
	waiting->author = g_strdup(change->author);
	waiting->testers = g_ptr_array_new_with_free_func(g_free);
	waiting->is_news = !was_told(change, standing_kind_name(kind));
	if (kind == STANDING_NEEDS_RETEST)
		add_testers(waiting, state);
	return waiting;
}

/* The store says that its author was told; a change that was going live waits again. */
static gboolean note_waiting(Store *store, ChannelChange *change, const EnactWaiting *waiting,
	Look *look, GError **error)
{
	ChannelDeed deed = {look->now_us, CLOCK, NULL, change->id};
	gboolean was_going = g_str_equal(change->state, "going-live");
	if (!waiting->is_news && !was_going)
		return TRUE;
	look->wants_to_write = TRUE;
	if (!look->may_write)
		return TRUE;
	json_t *problem =
		json_pack("{s:s, s:s, s:b, s:o}", "kind", standing_kind_name(waiting->kind), "text",
			waiting->text, "told", TRUE, "at", json_time_or_null(look->now_us));
	json_t *conflicts = json_object_get(change->problem, "conflicts");
	if (conflicts != NULL && waiting->kind == STANDING_CONFLICT)
		json_object_set(problem, "conflicts", conflicts);
	json_decref(change->problem);
	change->problem = problem;
	g_free(change->state);
	change->state = g_strdup("scheduled");
	g_autofree char *subject = g_strdup_printf("change/%" G_GINT64_FORMAT, change->id);
	g_autofree char *text = json_write(problem);
	return channel_change_save(store, change, &deed, error) &&
	       history_append(store, look->now_us, CLOCK, "change.wait", subject, waiting->text,
		       NULL, text, error);
}

static gboolean is_ready(const Standing *standing)
{
	return standing->kind == STANDING_READY || standing->kind == STANDING_GOING_LIVE;
}

/* Conflicts are told before they are due, too. */
static gboolean keep_waiting(Store *store, LookState *state, Look *look, GError **error)
{
	const GPtrArray *changes = state->book->changes;
	g_ptr_array_set_size(look->waiting, 0);
	for (guint i = 0; i < changes->len; i++) {
		ChannelChange *change = changes->pdata[i];
		const Standing *standing =
			i < state->standings->len ? state->standings->pdata[i] : NULL;
		const char *problem = json_text(change->problem, "kind");
		EnactWaiting *waiting = NULL;
		if (standing != NULL && !is_ready(standing))
			waiting = new_waiting(state, change, standing->kind, standing->text);
		else if (standing == NULL &&
			 g_strcmp0(problem, standing_kind_name(STANDING_CONFLICT)) == 0 &&
			 !was_told(change, problem))
			waiting = new_waiting(state, change, STANDING_CONFLICT,
				json_text(change->problem, "text"));
		if (waiting == NULL)
			continue;
		g_ptr_array_add(look->waiting, waiting);
		if (!note_waiting(store, change, waiting, look, error))
			return FALSE;
	}
	return TRUE;
}

/* The two transactions ------------------------------------------------------------------------- */

static gboolean may_write(Store *store, const Look *look, GError **error)
{
	const EnactHouse *house = look->house;
	return house->may_write == NULL || house->may_write(store, house->may_write_of, error);
}

static gboolean mark_going(Store *store, ChannelChange *change, const Look *look, GError **error)
{
	ChannelDeed deed = {look->now_us, CLOCK, NULL, change->id};
	g_autofree char *subject = g_strdup_printf("change/%" G_GINT64_FORMAT, change->id);
	if (g_str_equal(change->state, "going-live"))
		return TRUE;
	g_free(change->state);
	change->state = g_strdup("going-live");
	return channel_change_save(store, change, &deed, error) &&
	       history_append(store, look->now_us, CLOCK, "change.going-live", subject, NULL, NULL,
		       NULL, error);
}

/* The first that is ready is marked; when there is none, those that wait are written down. Asked
 * first without writing, so that a change that waits for days takes no lock each second. */
static gboolean choose(Store *store, gpointer of, GError **error)
{
	Look *own = of;
	g_auto(LookState) state = {0};
	own->going = 0;
	own->wants_to_write = FALSE;
	if (!may_write(store, own, error) || !look(&state, own, store, error))
		return FALSE;
	for (guint i = 0; i < state.standings->len; i++) {
		const Standing *standing = state.standings->pdata[i];
		if (!is_ready(standing))
			continue;
		own->going = standing->change;
		own->wants_to_write = TRUE;
		return !own->may_write ||
		       mark_going(store, state.book->changes->pdata[i], own, error);
	}
	return keep_waiting(store, &state, own, error);
}

/* All is judged again on what is live now: since it was marked another droverd may have been here,
 * or somebody took a word back. */
static gboolean go_live(Store *store, gpointer of, GError **error)
{
	Look *own = of;
	g_auto(LookState) state = {0};
	guint place;
	own->is_done = FALSE;
	if (!may_write(store, own, error) || !look(&state, own, store, error))
		return FALSE;
	if (!standing_find_place(state.book, own->going, &place) || place >= state.standings->len)
		return TRUE; /* somebody else did it */
	ChannelChange *change = state.book->changes->pdata[place];
	const Standing *standing = state.standings->pdata[place];
	if (!g_str_equal(change->state, "going-live") || !is_ready(standing))
		return TRUE; /* the next look says why it waits */
	EnactRows rows = {state.book->live, NULL, standing,
		g_hash_table_lookup(state.desk.words, &change->id), "change.live"};
	g_autoptr(json_t) value = channel_change_value(change);
	g_autoptr(State) after = state_apply(state.book->live, value, error);
	if (after == NULL)
		return FALSE;
	rows.after = after;
	ChannelDeed deed = {own->now_us, CLOCK, change->reason, change->id};
	own->is_done = TRUE;
	return enact_rows(store, change, &rows, &deed, error);
}

/* The clock ------------------------------------------------------------------------------------ */

static gboolean note_watch(Store *store, gpointer of, GError **error)
{
	const Look *look = of;
	gint64 now_us = look->now_us;
	return may_write(store, look, error) &&
	       store_execute(store, error, SQL_WATCH,
		       STORE_PARAMS(STORE_INT(now_us), STORE_INT(now_us),
			       STORE_INT(now_us + WATCH_TO_COME_US)));
}

/* Clocks of several droverds differ a little: that alone is not worth a word. */
static gboolean is_word_due(const Look *look)
{
	gint64 since_us = look->now_us - look->watched_us;
	return since_us >= ENACT_WATCH_S * US_PER_SECOND || since_us < -WATCH_TO_COME_US;
}

static gboolean go_on(Store *store, Look *look, Enacted *result, GError **error)
{
	gint64 candidates;
	if (!store_query_integer(
		    store, error, 0, &candidates, SQL_DUE, STORE_PARAMS(STORE_INT(look->now_us))))
		return FALSE;
	while (candidates > 0) {
		look->may_write = FALSE;
		if (!store_read(store, choose, look, error))
			return FALSE;
		if (!look->wants_to_write)
			break;
		look->may_write = TRUE;
		if (!store_write(store, choose, look, error))
			return FALSE;
		if (look->going == 0)
			break;
		if (!store_write(store, go_live, look, error))
			return FALSE;
		if (look->is_done)
			g_array_append_val(result->live, look->going);
	}
	return TRUE;
}

gboolean channel_enact(
	Store *store, gint64 now_us, const EnactHouse *house, Enacted *result, GError **error)
{
	static const EnactHouse none = {0};
	*result = (Enacted){.live = g_array_new(FALSE, FALSE, sizeof(gint64)),
		.waiting = g_ptr_array_new_with_free_func(waiting_free)};
	Look look = {.now_us = now_us,
		.house = house != NULL ? house : &none,
		.waiting = result->waiting};
	if (!standing_watched(store, &look.watched_us, error))
		return FALSE;
	result->watched_us = look.watched_us;
	if (!go_on(store, &look, result, error))
		return FALSE;
	return !is_word_due(&look) || store_write(store, note_watch, &look, error);
}

gboolean channel_next_due(Store *store, gint64 now_us, gint64 *due_us, GError **error)
{
	return store_query_integer(
		store, error, 0, due_us, SQL_NEXT, STORE_PARAMS(STORE_INT(now_us)));
}
