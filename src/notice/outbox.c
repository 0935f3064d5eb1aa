/* SPDX-License-Identifier: ISC
 *
 * The outbox: a state machine per mail, whose state is stored before the act and confirmed after
 * it.
 */
#include "notice/outbox.h"

#include <string.h>

#include "base/log.h"

static const char sql_queue[] =
	"INSERT INTO outbox (dedupe, kind, product, recipient, subject, body, message_id, thread, "
	"state, attempts, next_us, queued_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, ?, ?) "
	"ON CONFLICT (dedupe) DO NOTHING";
static const char sql_recover[] =
	"UPDATE outbox SET state = 'queued', next_us = ?, problem = ? WHERE state = 'sending'";
static const char sql_due[] =
	"SELECT id FROM outbox WHERE state = 'queued' AND next_us <= ? ORDER BY id LIMIT ?";
static const char sql_begin[] = "UPDATE outbox SET state = 'sending', attempts = attempts + 1 "
				"WHERE id = ? AND state = 'queued'";
static const char sql_mail[] =
	"SELECT recipient, subject, body, message_id, thread, queued_us, attempts, dedupe "
	"FROM outbox WHERE id = ?";
static const char sql_sent[] =
	"UPDATE outbox SET state = 'sent', sent_us = ?, problem = NULL WHERE id = ?";
static const char sql_failed[] = "UPDATE outbox SET state = 'failed', problem = ? WHERE id = ?";
static const char sql_later[] =
	"UPDATE outbox SET state = 'queued', next_us = ?, problem = ? WHERE id = ?";
static const char sql_waiting[] = "SELECT COUNT(*) FROM outbox WHERE state = 'queued'";
static const char sql_list[] = "SELECT id, dedupe, kind, product, recipient, subject, state, "
			       "problem, attempts, queued_us, "
			       "next_us, sent_us FROM outbox WHERE state = ? OR CAST(? AS TEXT) IS "
			       "NULL ORDER BY id DESC LIMIT ?";
static const char sql_any_late[] =
	"SELECT COUNT(*) FROM outbox WHERE state = 'queued' AND kind = ? AND queued_us < ?";
static const char sql_withdraw[] = "UPDATE outbox SET state = 'failed', problem = ? "
				   "WHERE state = 'queued' AND kind = ? AND queued_us < ?";
static const char sql_any_old[] =
	"SELECT COUNT(*) FROM outbox WHERE state = 'sent' AND sent_us < ? AND body <> ''";
static const char sql_summarise[] =
	"UPDATE outbox SET body = '' WHERE state = 'sent' AND sent_us < ? AND body <> ''";

/* The digest of `name` as a Message-ID: the same name gives the same id, and nobody needs dice. */
static char *message_id_of(const char *name, const char *domain)
{
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
	return g_strdup_printf("%.32s@%s", digest, domain);
}

gboolean outbox_queue(Store *store, gint64 now_us, const OutboxNotice *notice, const char *domain,
	gboolean *queued, GError **error)
{
	g_autofree char *name = g_strdup_printf("%s %" G_GINT64_FORMAT, notice->dedupe, now_us);
	g_autofree char *message_id = message_id_of(name, domain);
	g_autofree char *thread =
		notice->thread != NULL ? message_id_of(notice->thread, domain) : NULL;
	*queued = FALSE;
	if (!store_execute(store, error, sql_queue,
		    STORE_PARAMS(STORE_TEXT(notice->dedupe), STORE_TEXT(notice->kind),
			    STORE_TEXT(notice->product), STORE_TEXT(notice->recipient),
			    STORE_TEXT(notice->subject), STORE_TEXT(notice->body),
			    STORE_TEXT(message_id), STORE_TEXT(thread), STORE_INT(now_us),
			    STORE_INT(now_us))))
		return FALSE;
	*queued = store_changed(store) == 1;
	return !*queued || store_counter_advance(store, STORE_CHANGES, error);
}

/* One mail on its way. */
typedef struct Letter {
	gint64 id, attempts, queued_us;
	gboolean gone; /* somebody else took it, or it is no longer queued */
	char *recipient, *subject, *body, *message_id, *thread, *dedupe;
	MailOutcome outcome;
	char *problem;
	gint64 now_us; /* when the outcome was known */
} Letter;

static void letter_clear(Letter *letter)
{
	g_clear_pointer(&letter->recipient, g_free);
	g_clear_pointer(&letter->subject, g_free);
	g_clear_pointer(&letter->body, g_free);
	g_clear_pointer(&letter->message_id, g_free);
	g_clear_pointer(&letter->thread, g_free);
	g_clear_pointer(&letter->dedupe, g_free);
	g_clear_pointer(&letter->problem, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Letter, letter_clear)

static gboolean read_letter(Store *store, Letter *letter, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, sql_mail, STORE_PARAMS(STORE_INT(letter->id)));
	gboolean more = FALSE;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	g_assert(more);
	letter_clear(letter);
	letter->recipient = g_strdup(store_rows_text(rows, 0));
	letter->subject = g_strdup(store_rows_text(rows, 1));
	letter->body = g_strdup(store_rows_text(rows, 2));
	letter->message_id = g_strdup(store_rows_text(rows, 3));
	letter->thread = g_strdup(store_rows_text(rows, 4));
	letter->queued_us = store_rows_integer(rows, 5);
	letter->attempts = store_rows_integer(rows, 6);
	letter->dedupe = g_strdup(store_rows_text(rows, 7));
	return TRUE;
}

static gboolean begin_sending(Store *store, gpointer of, GError **error)
{
	Letter *letter = of;
	if (!store_execute(store, error, sql_begin, STORE_PARAMS(STORE_INT(letter->id))))
		return FALSE;
	letter->gone = store_changed(store) == 0;
	return letter->gone || (store_counter_advance(store, STORE_CHANGES, error) &&
				       read_letter(store, letter, error));
}

static gint64 retry_after_us(gint64 attempts)
{
	gint64 seconds = OUTBOX_FIRST_RETRY_S;
	for (gint64 i = 1; i < attempts && seconds < OUTBOX_LAST_RETRY_S; i++)
		seconds *= 2;
	return MIN(seconds, OUTBOX_LAST_RETRY_S) * US_PER_SECOND;
}

/* It cannot be sent now, and there are no more tries. */
static gboolean is_given_up(const Letter *letter)
{
	return letter->outcome != MAIL_SENT && letter->outcome != MAIL_REJECTED &&
	       letter->attempts >= OUTBOX_MAXIMUM_ATTEMPTS;
}

static gboolean is_failed(const Letter *letter)
{
	return letter->outcome == MAIL_REJECTED || is_given_up(letter);
}

static gboolean store_outcome(Store *store, gpointer of, GError **error)
{
	const Letter *letter = of;
	g_autofree char *given_up =
		g_strdup_printf("given up after %" G_GINT64_FORMAT " attempts: %s",
			letter->attempts, letter->problem);
	gboolean stored;
	if (letter->outcome == MAIL_SENT)
		stored = store_execute(store, error, sql_sent,
			STORE_PARAMS(STORE_INT(letter->now_us), STORE_INT(letter->id)));
	else if (is_failed(letter))
		stored = store_execute(store, error, sql_failed,
			STORE_PARAMS(STORE_TEXT(is_given_up(letter) ? given_up : letter->problem),
				STORE_INT(letter->id)));
	else
		stored = store_execute(store, error, sql_later,
			STORE_PARAMS(STORE_INT(letter->now_us + retry_after_us(letter->attempts)),
				STORE_TEXT(letter->problem), STORE_INT(letter->id)));
	return stored && store_counter_advance(store, STORE_CHANGES, error);
}

static void log_outcome(const Letter *letter)
{
	g_autofree char *attempts = g_strdup_printf("%" G_GINT64_FORMAT, letter->attempts);
	const char *event = letter->outcome == MAIL_SENT ? "notice.sent"
			    : is_failed(letter)		 ? "notice.failed"
							 : "notice.later";
	log_event(letter->outcome == MAIL_SENT ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, event,
		"notice", letter->dedupe, "recipient", letter->recipient, "attempts", attempts,
		"problem", letter->problem, NULL);
}

/* What a crash left in "sending" may have arrived or not; it goes again, under its old Message-ID.
 */
static gboolean recover(Store *store, gpointer of, GError **error)
{
	const gint64 *now_us = of;
	if (!store_execute(store, error, sql_recover,
		    STORE_PARAMS(STORE_INT(*now_us),
			    STORE_TEXT("Drover ended while it was being sent"))))
		return FALSE;
	return store_changed(store) == 0 || store_counter_advance(store, STORE_CHANGES, error);
}

static GArray *list_due(Store *store, gint64 now_us, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_autoptr(StoreRows) rows = store_query(store, error, sql_due,
		STORE_PARAMS(STORE_INT(now_us), STORE_INT(OUTBOX_MAXIMUM_ROUND)));
	gboolean more = FALSE, good;
	while ((good = store_rows_next(rows, &more, error)) && more) {
		gint64 id = store_rows_integer(rows, 0);
		g_array_append_val(ids, id);
	}
	return good ? g_steal_pointer(&ids) : NULL;
}

/* What a round shares between its mails. */
typedef struct Round {
	Store *store;
	Clock clock;
	OutboxSend send;
	gpointer of;
	const char *from;
	OutboxResult *result;
	guint refused_in_a_row; /* not taken for now */
} Round;

static void send_letter(const Round *round, Letter *letter)
{
	const Mail mail = {
		.from = round->from,
		.to = letter->recipient,
		.subject = letter->subject,
		.body = letter->body,
		.message_id = letter->message_id,
		.in_reply_to = letter->thread,
		.date_us = letter->queued_us,
	};
	letter->outcome = round->send(&mail, round->of, &letter->problem);
	letter->now_us = clock_now_us(round->clock);
	if (letter->outcome != MAIL_SENT && letter->problem == NULL)
		letter->problem = g_strdup("the mail server did not take it");
}

static gboolean send_one(Round *round, gint64 id, GError **error)
{
	g_auto(Letter) letter = {.id = id};
	if (!store_write(round->store, begin_sending, &letter, error))
		return FALSE;
	if (letter.gone)
		return TRUE;
	send_letter(round, &letter);
	if (!store_write(round->store, store_outcome, &letter, error))
		return FALSE;
	log_outcome(&letter);
	round->result->sent += letter.outcome == MAIL_SENT;
	round->result->failed += is_failed(&letter);
	gboolean spoke = letter.outcome == MAIL_SENT || letter.outcome == MAIL_REJECTED;
	round->refused_in_a_row = spoke ? 0 : round->refused_in_a_row + 1;
	return TRUE;
}

static gboolean count_waiting(Store *store, OutboxResult *result, GError **error)
{
	return store_query_integer(store, error, 0, &result->waiting, sql_waiting, STORE_NO_PARAMS);
}

gboolean outbox_send_due_by(Store *store, Clock clock, OutboxSend send, gpointer of,
	const char *from, OutboxResult *result, GError **error)
{
	*result = (OutboxResult){0};
	gint64 now_us = clock_now_us(clock);
	if (!store_write(store, recover, &now_us, error))
		return FALSE;
	g_autoptr(GArray) ids = list_due(store, now_us, error);
	if (ids == NULL)
		return FALSE;
	Round round = {store, clock, send, of, from, result, 0};
	for (guint i = 0; i < ids->len && round.refused_in_a_row < OUTBOX_PATIENCE; i++)
		if (!send_one(&round, g_array_index(ids, gint64, i), error))
			return FALSE;
	return count_waiting(store, result, error);
}

static MailOutcome send_by_smtp(const Mail *mail, gpointer of, char **problem)
{
	return mail_send(of, mail, problem);
}

gboolean outbox_send_due(Store *store, Clock clock, const MailServer *server, const char *from,
	OutboxResult *result, GError **error)
{
	if (server != NULL)
		return outbox_send_due_by(
			store, clock, send_by_smtp, (gpointer)server, from, result, error);
	*result = (OutboxResult){0};
	return count_waiting(store, result, error);
}

void outbox_entry_free(OutboxEntry *entry)
{
	if (entry == NULL)
		return;
	g_free(entry->dedupe);
	g_free(entry->kind);
	g_free(entry->product);
	g_free(entry->recipient);
	g_free(entry->subject);
	g_free(entry->state);
	g_free(entry->problem);
	g_free(entry);
}

static OutboxEntry *read_entry(const StoreRows *rows)
{
	OutboxEntry *entry = g_new0(OutboxEntry, 1);
	entry->id = store_rows_integer(rows, 0);
	entry->dedupe = g_strdup(store_rows_text(rows, 1));
	entry->kind = g_strdup(store_rows_text(rows, 2));
	entry->product = g_strdup(store_rows_text(rows, 3));
	entry->recipient = g_strdup(store_rows_text(rows, 4));
	entry->subject = g_strdup(store_rows_text(rows, 5));
	entry->state = g_strdup(store_rows_text(rows, 6));
	entry->problem = g_strdup(store_rows_text(rows, 7));
	entry->attempts = store_rows_integer(rows, 8);
	entry->queued_us = store_rows_integer(rows, 9);
	entry->next_us = strcmp(entry->state, "queued") == 0 ? store_rows_integer(rows, 10) : 0;
	entry->sent_us = store_rows_is_null(rows, 11) ? 0 : store_rows_integer(rows, 11);
	return entry;
}

GPtrArray *outbox_list(Store *store, const char *state, gint64 limit, GError **error)
{
	g_autoptr(GPtrArray) entries =
		g_ptr_array_new_with_free_func((GDestroyNotify)outbox_entry_free);
	g_autoptr(StoreRows) rows = store_query(store, error, sql_list,
		STORE_PARAMS(STORE_TEXT(state), STORE_TEXT(state),
			STORE_INT(MIN(limit, OUTBOX_MAXIMUM_LIST))));
	gboolean more = FALSE, good;
	while ((good = store_rows_next(rows, &more, error)) && more)
		g_ptr_array_add(entries, read_entry(rows));
	return good ? g_steal_pointer(&entries) : NULL;
}

gboolean outbox_state_is_valid(const char *state)
{
	static const char *const states[] = {"queued", "sending", "sent", "failed", NULL};
	return g_strv_contains(states, state);
}

typedef struct Late {
	const char *kind, *why;
	gint64 before_us;
} Late;

static gboolean withdraw(Store *store, gpointer of, GError **error)
{
	const Late *late = of;
	return store_execute(store, error, sql_withdraw,
		       STORE_PARAMS(STORE_TEXT(late->why), STORE_TEXT(late->kind),
			       STORE_INT(late->before_us))) &&
	       store_counter_advance(store, STORE_CHANGES, error);
}

gboolean outbox_withdraw(
	Store *store, const char *kind, gint64 before_us, const char *why, GError **error)
{
	Late late = {kind, why, before_us};
	gint64 count = 0;
	return store_query_integer(store, error, 0, &count, sql_any_late,
		       STORE_PARAMS(STORE_TEXT(kind), STORE_INT(before_us))) &&
	       (count == 0 || store_write(store, withdraw, &late, error));
}

typedef struct Summary {
	gint64 before_us;
	gint64 count;
} Summary;

static gboolean summarise(Store *store, gpointer of, GError **error)
{
	Summary *summary = of;
	if (!store_execute(
		    store, error, sql_summarise, STORE_PARAMS(STORE_INT(summary->before_us))))
		return FALSE;
	summary->count = store_changed(store);
	return TRUE;
}

gboolean notice_summarise(Store *store, gint64 before_us, gint64 *count, GError **error)
{
	Summary summary = {before_us, 0};
	gint64 old = 0;
	if (!store_query_integer(
		    store, error, 0, &old, sql_any_old, STORE_PARAMS(STORE_INT(before_us))))
		return FALSE;
	if (old > 0 && !store_write(store, summarise, &summary, error))
		return FALSE;
	if (count != NULL)
		*count = summary.count;
	return TRUE;
}
