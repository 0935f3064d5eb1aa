/* SPDX-License-Identifier: ISC
 *
 * Mail about changes.
 */
#include "api/change_notice.h"

#include <string.h>

#include "api/change_view.h"
#include "api/notice.h"
#include "base/format.h"
#include "channel/book/sign.h"
#include "notice/outbox.h"

/* Who died between a change and its mail did so since it last left word that it looked, or not much
 * before. */
#define WINDOW_S 3600

static const char SQL_LIVE[] =
	"SELECT id FROM channel_change WHERE state = 'live' AND ended_us >= ? ORDER BY id";
/* Of a conflict its author hears before it is due, and then it is not looked at again. */
static const char SQL_WAITING[] = "SELECT id FROM channel_change WHERE state = 'scheduled'"
				  " AND problem_json LIKE '%\"told\":true%' ORDER BY id";
static const char SQL_TOLD[] = "SELECT COUNT(*) FROM outbox WHERE dedupe >= ? AND dedupe < ?";
static const char SQL_EMAIL[] = "SELECT email FROM person WHERE name = ? AND is_disabled = 0";
static const char SQL_DUE[] =
	"SELECT COUNT(*) FROM outbox WHERE state = 'queued' AND next_us <= ? AND kind = ?";

/* One thing to tell. */
typedef struct Telling {
	char *name; /* "change/7/unsigned/2026-…": told once */
	gint64 change;
	char *subject, *body;
	GHashTable *people; /* char *: names */
} Telling;

static void telling_free(gpointer item)
{
	Telling *telling = item;
	g_free(telling->name);
	g_free(telling->subject);
	g_free(telling->body);
	g_hash_table_unref(telling->people);
	g_free(telling);
}

static void add_person(Telling *telling, const char *name)
{
	g_hash_table_add(telling->people, g_strdup(name));
}

/* Texts -----------------------------------------------------------------------------------------
 */

static char *body_of(const ApiSite *site, const ChannelChange *change, const char *what)
{
	g_autofree char *when = format_time_short(change->when_us);
	g_autofree char *base_url = notice_base_url(site);
	g_autoptr(GString) body = g_string_new(NULL);
	g_string_append_printf(body,
		"%s\n\n    change %" G_GINT64_FORMAT ": %s\n    by %s, for %s UTC\n    %s\n\n",
		what, change->id, change->title, change->author, when, change->reason);
	if (base_url != NULL)
		g_string_append_printf(
			body, "%s/changes/%" G_GINT64_FORMAT "\n", base_url, change->id);
	g_string_append_printf(body, "drover change show %" G_GINT64_FORMAT "\n", change->id);
	return g_strdup(body->str);
}

/* Its author hears of everything. Takes `name`. */
static Telling *telling_new(const ApiSite *site, const ChannelChange *change, char *name,
	const char *headline, const char *what)
{
	Telling *telling = g_new0(Telling, 1);
	telling->name = name;
	telling->change = change->id;
	telling->subject = g_strdup_printf(
		"change %" G_GINT64_FORMAT " %s: %s", change->id, headline, change->title);
	telling->body = body_of(site, change, what);
	telling->people = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	add_person(telling, change->author);
	return telling;
}

static const char *headline_of(StandingKind kind)
{
	switch (kind) {
	case STANDING_UNSIGNED:
		return "waits for sign-offs";
	case STANDING_UNTESTED:
		return "waits for tests";
	case STANDING_NEEDS_RETEST:
		return "needs another test";
	case STANDING_CONFLICT:
		return "conflicts";
	case STANDING_GATE:
		return "is held by a gate";
	case STANDING_BEHIND:
		return "waits behind another";
	case STANDING_OVERDUE:
		return "was missed, and wants a word";
	default:
		return "waits";
	}
}

/* People ----------------------------------------------------------------------------------------
 */

/* Who signed or tested it, and did not take that back. */
static gboolean add_those_who_spoke(Store *store, Telling *telling, GError **error)
{
	g_autoptr(GHashTable) all = sign_words_read(store, telling->change, error);
	if (all == NULL)
		return FALSE;
	const SignWords *words = g_hash_table_lookup(all, &telling->change);
	const GPtrArray *const lists[] = {
		words != NULL ? words->sign_offs : NULL, words != NULL ? words->tests : NULL};
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		for (guint j = 0; lists[i] != NULL && j < lists[i]->len; j++) {
			const ChangeWord *word = lists[i]->pdata[j];
			if (!word->is_revoked)
				add_person(telling, word->person);
		}
	}
	return TRUE;
}

/* Has the grant's product to do with the change? */
static gboolean is_of(const json_t *grant, char *const *products)
{
	const char *product = json_text(grant, "product");
	const char *const *all = (const char *const *)products;
	return strcmp(product, "*") == 0 || g_strv_contains(all, product) ||
	       g_strv_contains(all, "*");
}

/* Those with a role on the change's products; `role` NULL: any but viewers. */
static void add_holders(
	const State *state, const char *role, char *const *products, Telling *telling)
{
	const char *key;
	json_t *grant;
	json_object_foreach ((json_t *)state_rows(state, STATE_GRANTS), key, grant) {
		const char *held = json_text(grant, "role");
		gboolean fits = role != NULL ? strcmp(held, role) == 0
					     : strcmp(held, role_name(ROLE_VIEWER)) != 0;
		if (fits && is_of(grant, products))
			add_person(telling, json_text(grant, "person"));
	}
}

static gboolean add_those_missing(ApiCall *call, Telling *telling, GError **error)
{
	ChangeCaller caller;
	change_caller_init(call, NULL, &caller);
	g_autoptr(ChangeDetail) detail = change_load_detail(&caller.call, telling->change, error);
	if (detail == NULL)
		return FALSE;
	const Standing *standing = detail->standing;
	for (guint i = 0; i < standing->roles->len && standing->before != NULL; i++) {
		const StandingRole *role = &g_array_index(standing->roles, StandingRole, i);
		if (role->missing > 0 || role->missing_tests > 0)
			add_holders(
				standing->before, role->required.role, standing->products, telling);
	}
	return TRUE;
}

/* What is to be told ----------------------------------------------------------------------------
 */

typedef struct Round {
	ApiCall *call;
	const Enacted *enacted;
	GPtrArray *tellings;
} Round;

static gboolean was_told(Store *store, const char *name, gboolean *told, GError **error)
{
	gint64 count = 0;
	g_autofree char *from = g_strconcat(name, "/", NULL);
	g_autofree char *to = g_strconcat(name, "0", NULL); /* the next after '/' */
	if (!store_query_integer(store, error, 0, &count, SQL_TOLD,
		    STORE_PARAMS(STORE_TEXT(from), STORE_TEXT(to))))
		return FALSE;
	*told = count > 0;
	return TRUE;
}

static gboolean gather_live(Round *round, gint64 id, GError **error)
{
	Store *store = round->call->store;
	g_autofree char *name = g_strdup_printf("change/%" G_GINT64_FORMAT "/live", id);
	gboolean told;
	if (!was_told(store, name, &told, error) || told)
		return told;
	g_autoptr(ChannelChange) change = channel_change_load(store, id, error);
	if (change == NULL)
		return FALSE;
	Telling *telling = telling_new(round->call->site, change, g_steal_pointer(&name), "is live",
		"A change is live that you wrote, signed or tested.");
	g_ptr_array_add(round->tellings, telling);
	return add_those_who_spoke(store, telling, error);
}

static gboolean gather_waiting(Round *round, const EnactWaiting *waiting, GError **error)
{
	Store *store = round->call->store;
	g_autoptr(ChannelChange) change = channel_change_load(store, waiting->change, error);
	gboolean told;
	if (change == NULL)
		return FALSE;
	/* It may begin to wait again, and is told again then. */
	const char *since = json_text(change->problem, "at");
	g_autofree char *name = g_strdup_printf("change/%" G_GINT64_FORMAT "/%s/%s", change->id,
		standing_kind_name(waiting->kind), since != NULL ? since : "");
	if (!was_told(store, name, &told, error) || told)
		return told;
	Telling *telling = telling_new(round->call->site, change, g_steal_pointer(&name),
		headline_of(waiting->kind), waiting->text);
	g_ptr_array_add(round->tellings, telling);
	return add_those_who_spoke(store, telling, error) &&
	       ((waiting->kind != STANDING_UNSIGNED && waiting->kind != STANDING_UNTESTED) ||
		       add_those_missing(round->call, telling, error));
}

/* Takes the rows. */
static GArray *ids_of(StoreRows *given, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_autoptr(StoreRows) rows = given;
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return g_steal_pointer(&ids);
		gint64 id = store_rows_integer(rows, 0);
		g_array_append_val(ids, id);
	}
	return NULL;
}

static gboolean gather_all_live(Round *round, gint64 since_us, GError **error)
{
	Store *store = round->call->store;
	g_autoptr(GArray) live = ids_of(
		store_query(store, error, SQL_LIVE, STORE_PARAMS(STORE_INT(since_us))), error);
	for (guint i = 0; live != NULL && i < live->len; i++)
		if (!gather_live(round, g_array_index(live, gint64, i), error))
			return FALSE;
	return live != NULL;
}

static gboolean gather_conflict(Round *round, gint64 id, gint64 since_us, GError **error)
{
	g_autoptr(ChannelChange) change = channel_change_load(round->call->store, id, error);
	if (change == NULL)
		return FALSE;
	const char *since = json_text(change->problem, "at");
	const char *kind = standing_kind_name(STANDING_CONFLICT);
	gint64 at_us;
	if (g_strcmp0(json_text(change->problem, "kind"), kind) != 0 || since == NULL ||
		!parse_time(since, &at_us, NULL) || at_us < since_us)
		return TRUE;
	EnactWaiting waiting = {.change = id,
		.kind = STANDING_CONFLICT,
		.text = (char *)json_text(change->problem, "text")};
	return gather_waiting(round, &waiting, error);
}

static gboolean gather_all_conflicts(Round *round, gint64 since_us, GError **error)
{
	Store *store = round->call->store;
	g_autoptr(GArray) ids =
		ids_of(store_query(store, error, SQL_WAITING, STORE_NO_PARAMS), error);
	for (guint i = 0; ids != NULL && i < ids->len; i++)
		if (!gather_conflict(round, g_array_index(ids, gint64, i), since_us, error))
			return FALSE;
	return ids != NULL;
}

/* Who was waiting in this look comes first: of them more is known than the store says. */
static gboolean gather(Store *store, gpointer of, GError **error)
{
	Round *round = of;
	gint64 looked_us = MIN(api_now_us(round->call), round->enacted->watched_us);
	gint64 since_us = looked_us - WINDOW_S * US_PER_SECOND;
	g_ptr_array_set_size(round->tellings, 0);
	if (!gather_all_live(round, since_us, error))
		return FALSE;
	for (guint i = 0; i < round->enacted->waiting->len; i++)
		if (!gather_waiting(round, round->enacted->waiting->pdata[i], error))
			return FALSE;
	return gather_all_conflicts(round, since_us, error);
}

/* Queueing --------------------------------------------------------------------------------------
 */

/* NULL: nobody of that name has an address (the author may be a program). Caller frees. */
static gboolean email_of(Store *store, const char *name, char **email, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, SQL_EMAIL, STORE_PARAMS(STORE_TEXT(name)));
	gboolean more;
	*email = NULL;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	*email = more ? g_strdup(store_rows_text(rows, 0)) : NULL;
	return TRUE;
}

static gboolean queue_one(ApiCall *call, const Telling *telling, const char *person, GError **error)
{
	g_autofree char *email = NULL;
	if (!email_of(call->store, person, &email, error))
		return FALSE;
	if (email == NULL)
		return TRUE;
	g_autofree char *domain = notice_mail_domain(call->site);
	g_autofree char *dedupe = g_strconcat(telling->name, "/", person, NULL);
	g_autofree char *thread =
		g_strdup_printf("change/%" G_GINT64_FORMAT "/%s", telling->change, person);
	gboolean queued;
	const OutboxNotice notice = {
		.dedupe = dedupe,
		.kind = CHANGE_NOTICE_KIND,
		.recipient = email,
		.subject = telling->subject,
		.body = telling->body,
		.thread = thread,
	};
	return outbox_queue(call->store, api_now_us(call), &notice, domain, &queued, error);
}

static gboolean queue_telling(ApiCall *call, const Telling *telling, GError **error)
{
	GHashTableIter all;
	gpointer person;
	g_hash_table_iter_init(&all, telling->people);
	while (g_hash_table_iter_next(&all, &person, NULL))
		if (!queue_one(call, telling, person, error))
			return FALSE;
	return TRUE;
}

static gboolean queue_all(Store *store, gpointer of, GError **error)
{
	const Round *round = of;
	for (guint i = 0; i < round->tellings->len; i++)
		if (!queue_telling(round->call, round->tellings->pdata[i], error))
			return FALSE;
	return TRUE;
}

gboolean change_notice_tell(ApiCall *call, const Enacted *enacted, GError **error)
{
	g_autoptr(GPtrArray) tellings = g_ptr_array_new_with_free_func(telling_free);
	Round round = {call, enacted, tellings};
	return store_read(call->store, gather, &round, error) &&
	       (tellings->len == 0 || store_write(call->store, queue_all, &round, error));
}

gboolean change_notice_broken_glass(ApiCall *call, const ChangeDetail *detail, GError **error)
{
	const ChannelChange *change = detail->change;
	g_autoptr(ChannelNow) now = channel_now_read(call->store, error);
	if (now == NULL)
		return FALSE;
	g_autofree char *what = g_strdup_printf(
		"%s broke the glass: this change is live now, whatever sign-offs, tests and gates "
		"it lacked. Somebody else is to review it.",
		call->actor->name);
	Telling *telling = telling_new(call->site, change,
		g_strdup_printf("change/%" G_GINT64_FORMAT "/broken-glass", change->id),
		"went live by breaking the glass", what);
	if (detail->standing->products != NULL)
		add_holders(now->book->live, NULL, detail->standing->products, telling);
	gboolean queued = add_those_who_spoke(call->store, telling, error) &&
			  queue_telling(call, telling, error);
	telling_free(telling);
	return queued;
}

gboolean change_notice_is_due(Store *store, gint64 now_us, gboolean *is_due, GError **error)
{
	gint64 count;
	if (!store_query_integer(store, error, 0, &count, SQL_DUE,
		    STORE_PARAMS(STORE_INT(now_us), STORE_TEXT(CHANGE_NOTICE_KIND))))
		return FALSE;
	*is_due = count > 0;
	return TRUE;
}
