/* SPDX-License-Identifier: ISC
 *
 * Transitions: two lists of (ordinal, state) walked side by side.
 */
#include "api/transitions.h"

#include "api/maintenance.h"
#include "base/log.h"

typedef struct Standing {
	gint64 ordinal;
	LandingState state;
} Standing;

struct StatesThen {
	GArray *standings; /* Standing, ascending */
};

StatesThen *states_then(LandingBook *book)
{
	StatesThen *then = g_new(StatesThen, 1);
	guint count = landing_book_count(book);
	then->standings = g_array_sized_new(FALSE, FALSE, sizeof(Standing), count);
	for (guint i = 0; i < count; i++) {
		gint64 ordinal = landing_book_at(book, i)->ordinal;
		Standing standing = {
			ordinal, deployable_index_state(landing_book_index(book), ordinal)};
		g_array_append_val(then->standings, standing);
	}
	return then;
}

void states_then_free(StatesThen *then)
{
	if (then == NULL)
		return;
	g_array_unref(then->standings);
	g_free(then);
}

void transitions_log_source(LandingBook *book)
{
	const char *digest = landing_book_tell_digest(book);
	if (digest == NULL)
		return;
	guint counts[3] = {0};
	guint landings = landing_book_count(book);
	for (guint i = 0; i < landings; i++)
		counts[deployable_index_state(
			landing_book_index(book), landing_book_at(book, i)->ordinal)]++;
	const Product *product = landing_book_product(book);
	g_autofree char *total = g_strdup_printf("%u", landings);
	g_autofree char *good = g_strdup_printf("%u", counts[LANDING_GOOD]);
	g_autofree char *pending = g_strdup_printf("%u", counts[LANDING_PENDING]);
	g_autofree char *bad = g_strdup_printf("%u", counts[LANDING_BAD]);
	log_event(LOG_LEVEL_INFO, "landing.source", "product", product->name, "tip",
		product->tip != NULL ? product->tip : "none", "landings", total, "good", good,
		"pending", pending, "bad", bad, "digest", digest, NULL);
}

static void log_one(LandingBook *book, gint64 ordinal, const char *from, const char *to,
	const char *actor, const char *cause)
{
	g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, ordinal);
	log_event(LOG_LEVEL_INFO, "landing.transition", "product", landing_book_product(book)->name,
		"landing", number, "from", from, "to", to, "by", actor, "why", cause, NULL);
}

void transitions_log(
	const StatesThen *then, LandingBook *book, const char *actor, const char *cause)
{
	guint before = 0, after = 0;
	while (before < then->standings->len || after < landing_book_count(book)) {
		const Standing *old = before < then->standings->len
					      ? &g_array_index(then->standings, Standing, before)
					      : NULL;
		const BookLanding *landing =
			after < landing_book_count(book) ? landing_book_at(book, after) : NULL;
		if (landing == NULL || (old != NULL && old->ordinal < landing->ordinal)) {
			log_one(book, old->ordinal, landing_state_name(old->state), "GONE", actor,
				cause);
			before++;
			continue;
		}
		LandingState now =
			deployable_index_state(landing_book_index(book), landing->ordinal);
		gboolean known = old != NULL && old->ordinal == landing->ordinal;
		if (!known || old->state != now)
			log_one(book, landing->ordinal,
				known ? landing_state_name(old->state) : "NONE",
				landing_state_name(now), actor, cause);
		before += known ? 1 : 0;
		after++;
	}
}

typedef struct Watched {
	ApiCall *call;
	ApiHandler handler;
	StatesThen *then;
	json_t *answer;
} Watched;

static LandingBook *take_book(ApiCall *call, GError **error)
{
	return landing_books_take(
		call->site->books, call->store, api_parameter(call, "product"), error);
}

static gboolean remember_states(Watched *watched, GError **error)
{
	g_autoptr(LandingBook) book = take_book(watched->call, error);
	if (book == NULL)
		return FALSE;
	g_clear_pointer(&watched->then, states_then_free);
	watched->then = states_then(book);
	return TRUE;
}

static gboolean write_watched(Store *store, gpointer of, GError **error)
{
	Watched *watched = of;
	g_clear_pointer(&watched->answer, json_decref);
	if (!maintenance_refuse(watched->call->site, store, error) ||
		!remember_states(watched, error))
		return FALSE;
	watched->answer = watched->handler(watched->call, error);
	return watched->answer != NULL;
}

/* It is committed, so the answer stands even when the log cannot tell what came of it. */
static void tell_what_came(const Watched *watched, const char *cause)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(LandingBook) book = take_book(watched->call, &problem);
	if (book != NULL)
		transitions_log(watched->then, book, watched->call->actor->name, cause);
	else
		log_event(LOG_LEVEL_WARNING, "landing.transitions-untold", "product",
			api_parameter(watched->call, "product"), "why", problem->message, NULL);
}

json_t *transitions_write(ApiCall *call, ApiHandler handler, const char *cause, GError **error)
{
	Watched watched = {call, handler, NULL, NULL};
	if (store_write(call->store, write_watched, &watched, error))
		tell_what_came(&watched, cause);
	else
		g_clear_pointer(&watched.answer, json_decref);
	states_then_free(watched.then);
	return watched.answer;
}
