/* SPDX-License-Identifier: ISC
 *
 * From the store to the heart.
 */
#include "channel/book/standing.h"

#include "channel/row/row.h"
#include "wire/json.h"

static const char SQL_PERSON[] = "SELECT id FROM person WHERE name = ? AND is_disabled = 0";

void standing_desk_clear(StandingDesk *desk)
{
	g_clear_pointer(&desk->words, g_hash_table_unref);
}

gboolean standing_watched(Store *store, gint64 *watched_us, GError **error)
{
	return store_counter_get(store, "clock", watched_us, error);
}

gboolean standing_desk_read(StandingDesk *desk, Store *store, const ChannelBook *book,
	gint64 now_us, GatesAsk gates, gpointer gates_of, GError **error)
{
	*desk = (StandingDesk){.store = store,
		.book = book,
		.now_us = now_us,
		.gates = gates,
		.gates_of = gates_of};
	if (!standing_watched(store, &desk->watched_us, error))
		return FALSE;
	desk->words = sign_words_read(store, 0, error);
	return desk->words != NULL;
}

gboolean standing_find_place(const ChannelBook *book, gint64 change, guint *place)
{
	for (*place = 0; *place < book->changes->len; ++*place)
		if (((const ChannelChange *)book->changes->pdata[*place])->id == change)
			return TRUE;
	return FALSE;
}

State *standing_state_at(const ChannelBook *book, gint64 when_us, gint64 id)
{
	g_autoptr(Overlay) overlay = overlay_new(book->live, TRUE);
	for (guint i = 0; i < book->changes->len; i++) {
		const ChannelChange *other = book->changes->pdata[i];
		if (other->id == id)
			continue;
		if (other->when_us > when_us || (other->when_us == when_us && other->id > id))
			break;
		overlay_enact(overlay, queue_change(book->queue, i), NULL);
	}
	return state_ref(overlay_state(overlay));
}

/* What the walk asks --------------------------------------------------------------------------- */

static const ChannelChange *find_change(const StandingDesk *desk, gint64 id)
{
	guint place;
	return standing_find_place(desk->book, id, &place) ? desk->book->changes->pdata[place]
							   : NULL;
}

static gboolean words_of(gint64 id, StandingWords *words, gpointer of)
{
	const StandingDesk *desk = of;
	const ChannelChange *change = find_change(desk, id);
	const SignWords *said = g_hash_table_lookup(desk->words, &id);
	if (change == NULL)
		return FALSE;
	words->author = change->author;
	words->submitted_us = change->created_us;
	words->overrides = change->overrides;
	words->is_overdue =
		g_strcmp0(json_text(change->problem, "kind"), STANDING_PROBLEM_OVERDUE) == 0;
	words->conflicts = json_object_get(change->problem, "conflicts");
	if (said == NULL)
		return TRUE;
	words->sign_offs = (const SignOff *)(gpointer)said->as_sign_offs->data;
	words->sign_off_count = said->as_sign_offs->len;
	words->tests = (const StandingTest *)(gpointer)said->as_tests->data;
	words->test_count = said->as_tests->len;
	return TRUE;
}

/* One that cannot be asked is shut: a change that nobody could judge does not go live. */
static GPtrArray *gates_of(gint64 id, const State *before, gpointer of)
{
	const StandingDesk *desk = of;
	const ChannelChange *change = find_change(desk, id);
	g_autoptr(GError) problem = NULL;
	GPtrArray *gates =
		desk->gates == NULL || change == NULL
			? NULL
			: desk->gates(desk->store, before, change,
				  MAX(desk->now_us, change->when_us), desk->gates_of, &problem);
	if (gates != NULL)
		return gates;
	gates = g_ptr_array_new_with_free_func((GDestroyNotify)gate_free);
	if (problem != NULL)
		g_ptr_array_add(gates, gate_new("gates", FALSE, problem->message, NULL));
	return gates;
}

/* A role is of a person who is there; rows of persons are not in a state. */
static gboolean check_grants(Store *store, const State *before, const State *after, GError **error)
{
	g_autoptr(GArray) written = sheet_differences(
		state_sheet(before, STATE_GRANTS), state_sheet(after, STATE_GRANTS));
	for (guint i = 0; i < written->len; i++) {
		SheetDifference grant = g_array_index(written, SheetDifference, i);
		const char *name = json_text(grant.after, "person");
		gint64 person;
		if (grant.before != NULL)
			continue;
		if (!store_query_integer(
			    store, error, 0, &person, SQL_PERSON, STORE_PARAMS(STORE_TEXT(name))))
			return FALSE;
		if (person != 0)
			continue;
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"grants: person: there is nobody called '%s'; see: drover user list", name);
		return FALSE;
	}
	return TRUE;
}

static gboolean fits(
	const State *before, const State *after, gboolean is_due, gpointer of, GError **error)
{
	const StandingDesk *desk = of;
	return rows_check(before, after, is_due ? ROW_GOES_LIVE : ROW_WAITS, error) &&
	       check_grants(desk->store, before, after, error);
}

GPtrArray *standing_desk_ask(StandingDesk *desk, guint count)
{
	StandingQuestion question = {
		desk->now_us, desk->watched_us, desk->one_ready, words_of, gates_of, fits, desk};
	GPtrArray *standings = standings_of(desk->book->live, desk->book->queue, count, &question);
	for (guint i = 0; i < standings->len; i++) {
		const ChannelChange *change = desk->book->changes->pdata[i];
		Standing *standing = standings->pdata[i];
		if (standing->kind == STANDING_READY && g_str_equal(change->state, "going-live"))
			standing->kind = STANDING_GOING_LIVE;
	}
	return standings;
}
