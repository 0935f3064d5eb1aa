/* SPDX-License-Identifier: ISC
 *
 * The outbox as the API shows it, and the job that fills and empties it: what waits in the books of
 * landings becomes reminders, and what is queued is sent.
 */
#include <string.h>

#include "api/job.h"
#include "api/notice.h"
#include "api/routes.h"
#include "base/log.h"
#include "landing/book.h"
#include "landing/verdict.h"
#include "notice/outbox.h"
#include "notice/text.h"
#include "store/job.h"

enum { DEFAULT_LIST = 100 };

/* Message-IDs need a domain; this one belongs to nobody. */
#define DOMAIN_OF_NOBODY "drover.invalid"

static const char sql_queued_since[] = "SELECT dedupe FROM outbox WHERE queued_us >= ?";
static const char sql_overdue_last[] =
	"SELECT COALESCE(MAX(queued_us), 0) FROM outbox WHERE kind = ? AND product = ?";

static json_t *entry_json(const OutboxEntry *entry)
{
	return json_pack("{s:I, s:s, s:o, s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o}", "id",
		(json_int_t)entry->id, "kind", entry->kind, "product",
		json_text_or_null(entry->product), "recipient", json_text_or_null(entry->recipient),
		"subject", json_text_or_null(entry->subject), "state", entry->state, "attempts",
		(json_int_t)entry->attempts, "queued", json_time_or_null(entry->queued_us), "next",
		json_time_or_null(entry->next_us), "sent", json_time_or_null(entry->sent_us),
		"problem", json_text_or_null(entry->problem));
}

static json_t *list_notices(ApiCall *call, GError **error)
{
	const char *state = api_query(call, "state");
	gint64 limit;
	if (!api_query_integer(call, "limit", DEFAULT_LIST, 1, OUTBOX_MAXIMUM_LIST, &limit, error))
		return NULL;
	if (state != NULL && !outbox_state_is_valid(state)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"state: '%.60s' is none; use queued, sending, sent or failed", state);
		return NULL;
	}
	g_autoptr(GPtrArray) entries = outbox_list(call->store, state, limit, error);
	if (entries == NULL)
		return NULL;
	json_t *list = json_array();
	for (guint i = 0; i < entries->len; i++)
		json_array_append_new(list, entry_json(entries->pdata[i]));
	return list;
}

/* What waits, copied out of the books: they are held no longer than it takes to read them. */
typedef struct Waiting {
	GPtrArray *products; /* Product *: texts that `sections` borrow */
	GArray *sections;    /* ReminderProduct */
	GPtrArray *landings; /* GArray * of ReminderLanding, one for each section */
	GPtrArray *items;    /* lists of items, borrowed by the landings */
	GStringChunk *texts;
} Waiting;

static Waiting *waiting_new(GPtrArray *products)
{
	Waiting *waiting = g_new(Waiting, 1);
	*waiting = (Waiting){products, g_array_new(FALSE, TRUE, sizeof(ReminderProduct)),
		g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref),
		g_ptr_array_new_with_free_func(g_free), g_string_chunk_new(4096)};
	return waiting;
}

static void waiting_free(Waiting *waiting)
{
	g_ptr_array_unref(waiting->products);
	g_array_unref(waiting->sections);
	g_ptr_array_unref(waiting->landings);
	g_ptr_array_unref(waiting->items);
	g_string_chunk_free(waiting->texts);
	g_free(waiting);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Waiting, waiting_free)

static const char *const *copy_items(
	Waiting *waiting, LandingBook *book, const BookLanding *landing)
{
	const char **items = g_new0(const char *, landing->item_count + 1);
	g_ptr_array_add(waiting->items, items);
	guint count = 0;
	for (guint i = 0; i < landing->item_count; i++)
		if (deployable_index_item_counts_as(landing_book_index(book), landing->ordinal,
			    landing->items[i].key) == ITEM_NEEDS_TESTING)
			items[count++] =
				g_string_chunk_insert(waiting->texts, landing->items[i].id);
	return items;
}

/* Landings of the book that are newer than `ordinal`. */
static gint64 count_newer(const LandingBook *book, gint64 ordinal)
{
	guint low = 0, high = landing_book_count(book);
	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (landing_book_at(book, middle)->ordinal <= ordinal)
			low = middle + 1;
		else
			high = middle;
	}
	return landing_book_count(book) - low;
}

/* A pending change in the tree is always one of the tip's blockers, so these hold all that wait. */
static GArray *copy_landings(Waiting *waiting, LandingBook *book)
{
	GArray *landings = g_array_new(FALSE, TRUE, sizeof(ReminderLanding));
	g_ptr_array_add(waiting->landings, landings);
	if (landing_book_count(book) == 0)
		return landings;
	DeployableIndex *index = landing_book_index(book);
	g_autoptr(GArray) blockers = deployable_index_blockers(index, deployable_index_tip(index));
	for (guint i = 0; i < blockers->len; i++) {
		const BookLanding *landing =
			landing_book_find(book, g_array_index(blockers, gint64, i));
		if (!landing_book_waits(book, landing))
			continue;
		ReminderLanding copy = {
			.ordinal = landing->ordinal,
			.landed_us = landing->landed_us,
			.subject = g_string_chunk_insert(waiting->texts, landing->subject),
			.author_name = g_string_chunk_insert(waiting->texts, landing->author_name),
			.author_email =
				g_string_chunk_insert(waiting->texts, landing->author_email),
			.items = copy_items(waiting, book, landing),
			.holds_back = count_newer(book, landing->ordinal),
		};
		g_array_append_val(landings, copy);
	}
	return landings;
}

static gboolean add_product(ApiCall *call, Waiting *waiting, const Product *product, GError **error)
{
	gint64 overdue_last_us = 0;
	if (!store_query_integer(call->store, error, 0, &overdue_last_us, sql_overdue_last,
		    STORE_PARAMS(STORE_TEXT(REMINDER_KIND_OVERDUE), STORE_TEXT(product->name))))
		return FALSE;
	g_autoptr(LandingBook) book =
		landing_books_take(call->site->books, call->store, product->name, error);
	if (book == NULL)
		return FALSE;
	GArray *landings = copy_landings(waiting, book);
	ReminderProduct section = {
		.name = product->name,
		.title = product->title,
		.mail_list = product->mail_list,
		.overdue_days = product->overdue_days,
		.overdue_every_days = product->overdue_every_days,
		.remind = product->remind,
		.overdue_last_us = overdue_last_us,
		.landings = (const ReminderLanding *)landings->data,
		.landing_count = landings->len,
	};
	g_array_append_val(waiting->sections, section);
	return TRUE;
}

/* Inside a transaction, before it writes. */
static Waiting *load_waiting(ApiCall *call, GError **error)
{
	GPtrArray *products = product_list(call->store, error);
	if (products == NULL)
		return NULL;
	g_autoptr(Waiting) waiting = waiting_new(products);
	for (guint i = 0; i < products->len; i++)
		if (!add_product(call, waiting, products->pdata[i], error))
			return NULL;
	return g_steal_pointer(&waiting);
}

static GHashTable *load_queued_today(Store *store, gint64 now_us, GError **error)
{
	g_autoptr(GHashTable) queued = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(StoreRows) rows = store_query(
		store, error, sql_queued_since, STORE_PARAMS(STORE_INT(now_us - US_PER_DAY)));
	gboolean more = FALSE, good;
	while ((good = store_rows_next(rows, &more, error)) && more)
		g_hash_table_add(queued, g_strdup(store_rows_text(rows, 0)));
	return good ? g_steal_pointer(&queued) : NULL;
}

/* One look at what waits; asked to, it queues what is due. */
typedef struct Look {
	ApiCall *call;
	gboolean queue;
	gint64 due, queued;
} Look;

char *notice_mail_domain(const ApiSite *site)
{
	const char *at = site->mail_from != NULL ? strrchr(site->mail_from, '@') : NULL;
	if (at == NULL)
		return g_strdup(DOMAIN_OF_NOBODY);
	return g_strndup(at + 1, strcspn(at + 1, "> "));
}

char *notice_base_url(const ApiSite *site)
{
	char *base_url = g_strdup(site->base_url);
	if (base_url != NULL && g_str_has_suffix(base_url, "/"))
		base_url[strlen(base_url) - 1] = '\0';
	return base_url;
}

static gboolean queue_one(Look *look, const Reminder *reminder, gint64 now_us, GError **error)
{
	const ApiSite *site = look->call->site;
	g_autofree char *base_url = notice_base_url(site);
	g_autofree char *domain = notice_mail_domain(site);
	g_autoptr(NoticeText) text = notice_text_new(reminder, now_us, base_url);
	gboolean to_list = reminder->kind == REMINDER_OVERDUE;
	const ReminderSection *first = reminder->sections->pdata[0];
	const OutboxNotice notice = {
		.dedupe = reminder->dedupe,
		.kind = to_list ? REMINDER_KIND_OVERDUE : REMINDER_KIND_OWNER,
		.product = to_list || reminder->sections->len == 1 ? first->product->name : NULL,
		.recipient = reminder->recipient,
		.subject = text->subject,
		.body = text->body,
		.thread = reminder->thread,
	};
	gboolean queued;
	if (!outbox_queue(look->call->store, now_us, &notice, domain, &queued, error))
		return FALSE;
	look->queued += queued;
	return TRUE;
}

/* One line a look: droverd looks all day, and who owes what is shown elsewhere. */
static void log_problems(const GPtrArray *problems)
{
	if (problems->len == 0)
		return;
	g_autofree char *more = g_strdup_printf("%u", problems->len - 1);
	log_event(
		LOG_LEVEL_WARNING, "notice.problem", "why", problems->pdata[0], "more", more, NULL);
}

static gboolean look_and_queue(Store *store, gpointer of, GError **error)
{
	Look *look = of;
	gint64 now_us = api_now_us(look->call);
	g_autoptr(Waiting) waiting = load_waiting(look->call, error);
	g_autoptr(GHashTable) queued_today =
		waiting != NULL ? load_queued_today(store, now_us, error) : NULL;
	if (queued_today == NULL)
		return FALSE;
	g_autoptr(ReminderPlan) plan =
		reminder_plan((const ReminderProduct *)waiting->sections->data,
			waiting->sections->len, now_us, queued_today);
	look->due = plan->due->len;
	look->queued = 0;
	for (guint i = 0; look->queue && i < plan->due->len; i++)
		if (!queue_one(look, plan->due->pdata[i], now_us, error))
			return FALSE;
	if (!look->queue)
		log_problems(plan->problems);
	return TRUE;
}

/* Looks first without keeping anybody from writing: on most calls of a day nothing is due. */
static gboolean queue_due(Look *look, GError **error)
{
	Store *store = look->call->store;
	if (!store_read(store, look_and_queue, look, error))
		return FALSE;
	look->queue = look->due > 0;
	return !look->queue || store_write(store, look_and_queue, look, error);
}

static gboolean send_queued(ApiCall *call, OutboxResult *result, GError **error)
{
	const ApiSite *site = call->site;
	const MailServer server = {
		.url = site->mail_url,
		.user = site->mail_user,
		.password = site->mail_password,
		.ca_file = site->mail_ca_file,
		.require_tls = site->mail_require_tls,
	};
	g_autofree char *from = site->mail_from != NULL
					? g_strdup(site->mail_from)
					: g_strdup_printf("drover@%s", g_get_host_name());
	return outbox_send_due(call->store, site->clock, site->mail_url != NULL ? &server : NULL,
		from, result, error);
}

/* Yesterday's reminder that could not be sent says what was true yesterday; what still waits stands
 * in today's. Without a mail server nothing is decided: the outbox shows what would have been sent.
 */
static gboolean withdraw_late(ApiCall *call, GError **error)
{
	gint64 now_us = api_now_us(call), today_us = now_us - now_us % US_PER_DAY;
	return call->site->mail_url == NULL ||
	       outbox_withdraw(call->store, REMINDER_KIND_OWNER, today_us,
		       "could not be sent on its day; what still waits stands in the next one",
		       error);
}

/* What is old and overruled, or sent, is told in short from then on. */
static gboolean summarise(ApiCall *call, GError **error)
{
	gint64 days = call->site->retention_days, before_us = api_now_us(call) - days * US_PER_DAY;
	return days <= 0 || (notice_summarise(call->store, before_us, NULL, error) &&
				    verdict_summarise(call->store, before_us, error));
}

json_t *job_remind(ApiCall *call, GError **error)
{
	const ApiSite *site = call->site;
	g_autoptr(StoreJob) lock = store_job_take(call->store, "mail", site->clock, error);
	if (lock == NULL)
		return NULL;
	Look look = {.call = call};
	OutboxResult result;
	if (!withdraw_late(call, error) || !queue_due(&look, error) ||
		!send_queued(call, &result, error) || !summarise(call, error))
		return NULL;
	return json_pack("{s:I, s:I, s:I, s:I}", "queued", (json_int_t)look.queued, "sent",
		(json_int_t)result.sent, "failed", (json_int_t)result.failed, "waiting",
		(json_int_t)result.waiting);
}

/* Only sends: what is queued meanwhile between two reminders is not to wait for them. */
static json_t *send_mail(ApiCall *call, GError **error)
{
	OutboxResult result;
	g_autoptr(StoreJob) lock = store_job_take(call->store, "mail", call->site->clock, error);
	if (lock == NULL || !send_queued(call, &result, error))
		return NULL;
	return json_pack("{s:I, s:I, s:I}", "sent", (json_int_t)result.sent, "failed",
		(json_int_t)result.failed, "waiting", (json_int_t)result.waiting);
}

const ApiRoute api_notice_routes[] = {
	{"GET", "/notices", ROLE_OPERATOR, API_READ, list_notices},
	{"POST", "/jobs/remind", ROLE_OPERATOR, API_JOB, job_remind},
	{"POST", "/jobs/send", ROLE_OPERATOR, API_JOB, send_mail},
	{0},
};
