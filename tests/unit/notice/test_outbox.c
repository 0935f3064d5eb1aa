/* SPDX-License-Identifier: ISC
 *
 * Mail that is neither lost nor sent twice, against a real mail server that fails in every way a
 * mail server does, and with Drover killed between any two steps. Each on both databases.
 *
 * Usage: tests/with-postgres test_outbox SMTP-SINK
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../store/place.h"
#include "base/log.h"
#include "notice/outbox.h"
#include "sink.h"

#define NOON_US	       (G_GINT64_CONSTANT(1795262400) * US_PER_SECOND) /* 2026-11-21T12:00:00Z */
#define MINUTES(count) ((count)*60 * US_PER_SECOND)

static const char *sink_program;

typedef struct Queueing {
	OutboxNotice notice;
	gint64 now_us;
	gboolean queued;
	gboolean roll_back;
} Queueing;

static gboolean queue_work(Store *store, gpointer of, GError **error)
{
	Queueing *queueing = of;
	if (!outbox_queue(store, queueing->now_us, &queueing->notice, "example.org",
		    &queueing->queued, error))
		return FALSE;
	if (queueing->roll_back)
		drover_error_set(error, DROVER_ERROR_CONFLICT, "the cause did not happen");
	return !queueing->roll_back;
}

/* "a", queued at noon for a@example.org: TRUE unless that was queued before. */
static gboolean queue(Store *store, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *recipient = g_strconcat(name, "@example.org", NULL);
	Queueing queueing = {.now_us = NOON_US,
		.notice = {.dedupe = name,
			.kind = "qa-reminder",
			.product = "web",
			.recipient = recipient,
			.subject = name,
			.body = "Hello\n",
			.thread = "qa-reminder/ada@example.org"}};
	store_write(store, queue_work, &queueing, &error);
	assert_good(error);
	return queueing.queued;
}

static OutboxResult send_at(Store *store, const char *url, gint64 now_us)
{
	g_autoptr(GError) error = NULL;
	const MailServer server = {.url = url, .timeout_ms = 20000};
	OutboxResult result;
	outbox_send_due(store, clock_fixed(now_us), url != NULL ? &server : NULL,
		"Drover <drover@example.org>", &result, &error);
	assert_good(error);
	return result;
}

#define assert_result(result, sent_count, failed_count, waiting_count)                             \
	do {                                                                                       \
		OutboxResult got = (result);                                                       \
		assert_int_equal(got.sent, sent_count);                                            \
		assert_int_equal(got.failed, failed_count);                                        \
		assert_int_equal(got.waiting, waiting_count);                                      \
	} while (0)

/* "a sent 1; b queued 2": dedupe, state and attempts, in the order of ids. */
static void assert_outbox(Store *store, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = outbox_list(store, NULL, OUTBOX_MAXIMUM_LIST, &error);
	assert_good(error);
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = entries->len; i > 0; i--) {
		const OutboxEntry *entry = entries->pdata[i - 1];
		g_string_append_printf(text, "%s%s %s %d", text->len > 0 ? "; " : "", entry->dedupe,
			entry->state, (int)entry->attempts);
	}
	assert_string_equal(text->str, expected);
}

static OutboxEntry *only_entry(Store *store)
{
	g_autoptr(GPtrArray) entries = outbox_list(store, NULL, 10, NULL);
	assert_int_equal(entries->len, 1);
	return g_ptr_array_steal_index(entries, 0);
}

static void assert_mail_count(const Sink *sink, guint count)
{
	g_autoptr(GPtrArray) mails = sink_mails(sink);
	assert_int_equal(mails->len, count);
}

static void test_mail_arrives_once_with_its_headers(void **state)
{
	const Place *place = *state;
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	assert_true(queue(place->store, "a"));
	assert_true(queue(place->store, "b"));
	assert_result(send_at(place->store, sink->url, NOON_US), 2, 0, 0);
	assert_result(send_at(place->store, sink->url, NOON_US + MINUTES(9999)), 0, 0, 0);
	assert_outbox(place->store, "a sent 1; b sent 1");
	g_autoptr(GPtrArray) mails = sink_mails(sink);
	assert_int_equal(mails->len, 2);
	g_autofree char *to = mail_header(mails->pdata[0], "To");
	g_autofree char *subject = mail_header(mails->pdata[0], "Subject");
	g_autofree char *date = mail_header(mails->pdata[0], "Date");
	assert_string_equal(to, "a@example.org");
	assert_string_equal(subject, "a");
	assert_string_equal(date, "Sat, 21 Nov 2026 12:00:00 +0000");
}

static void test_mails_of_a_thread_refer_to_the_same_message(void **state)
{
	const Place *place = *state;
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	queue(place->store, "a");
	queue(place->store, "b");
	send_at(place->store, sink->url, NOON_US);
	g_autoptr(GPtrArray) mails = sink_mails(sink);
	g_autofree char *first = mail_header(mails->pdata[0], "References");
	g_autofree char *second = mail_header(mails->pdata[1], "References");
	g_autofree char *id = mail_header(mails->pdata[0], "Message-ID");
	g_autofree char *other = mail_header(mails->pdata[1], "Message-ID");
	assert_true(g_str_has_suffix(first, "@example.org>"));
	assert_string_equal(first, second);
	assert_string_not_equal(id, other);
	assert_string_not_equal(id, first);
}

static void test_a_name_is_queued_once_ever(void **state)
{
	const Place *place = *state;
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	assert_true(queue(place->store, "a"));
	assert_false(queue(place->store, "a"));
	send_at(place->store, sink->url, NOON_US);
	assert_false(queue(place->store, "a"));
	assert_outbox(place->store, "a sent 1");
}

static void test_what_did_not_happen_is_not_told(void **state)
{
	const Place *place = *state;
	g_autoptr(GError) error = NULL;
	Queueing queueing = {.now_us = NOON_US,
		.roll_back = TRUE,
		.notice = {"a", "overdue", NULL, "a@example.org", "s", "b", NULL}};
	assert_false(store_write(place->store, queue_work, &queueing, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "did not happen");
	assert_outbox(place->store, "");
}

static void test_without_a_server_all_waits(void **state)
{
	const Place *place = *state;
	queue(place->store, "a");
	assert_result(send_at(place->store, NULL, NOON_US), 0, 0, 1);
	assert_outbox(place->store, "a queued 0");
}

static void test_a_refused_recipient_fails_at_once_and_says_why(void **state)
{
	const Place *place = *state;
	g_autoptr(Sink) sink = sink_start(sink_program, "--refuse-recipient 550");
	queue(place->store, "a");
	assert_result(send_at(place->store, sink->url, NOON_US), 0, 1, 0);
	assert_result(send_at(place->store, sink->url, NOON_US + MINUTES(9999)), 0, 0, 0);
	OutboxEntry *entry = only_entry(place->store);
	assert_string_equal(entry->state, "failed");
	assert_int_equal(entry->attempts, 1);
	assert_non_null(strstr(entry->problem, "550"));
	outbox_entry_free(entry);
}

static void test_a_server_that_says_later_is_asked_again_later(void **state)
{
	const Place *place = *state;
	queue(place->store, "a");
	{
		g_autoptr(Sink) sink = sink_start(sink_program, "--refuse-recipient 451");
		assert_result(send_at(place->store, sink->url, NOON_US), 0, 0, 1);
		/* not before its time */
		assert_result(send_at(place->store, sink->url, NOON_US + MINUTES(1) - 1), 0, 0, 1);
		assert_outbox(place->store, "a queued 1");
		assert_result(send_at(place->store, sink->url, NOON_US + MINUTES(1)), 0, 0, 1);
	}
	OutboxEntry *entry = only_entry(place->store);
	assert_int_equal(entry->next_us, NOON_US + MINUTES(1) + MINUTES(2));
	assert_non_null(strstr(entry->problem, "451"));
	outbox_entry_free(entry);
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	assert_result(send_at(place->store, sink->url, NOON_US + MINUTES(3)), 1, 0, 0);
	assert_outbox(place->store, "a sent 3");
	assert_mail_count(sink, 1);
}

static void test_a_slow_server_is_waited_for(void **state)
{
	const Place *place = *state;
	g_autoptr(Sink) sink = sink_start(sink_program, "--slow 0.3 --slow-message 0.3");
	queue(place->store, "a");
	assert_result(send_at(place->store, sink->url, NOON_US), 1, 0, 0);
}

static void test_a_mail_that_may_have_arrived_goes_again_under_its_old_name(void **state)
{
	const Place *place = *state;
	queue(place->store, "a");
	g_autoptr(Sink) dropping = sink_start(sink_program, "--drop");
	assert_result(send_at(place->store, dropping->url, NOON_US), 0, 0, 1);
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	assert_result(send_at(place->store, sink->url, NOON_US + MINUTES(1)), 1, 0, 0);
	assert_outbox(place->store, "a sent 2");
	g_autoptr(GPtrArray) before = sink_mails(dropping);
	g_autoptr(GPtrArray) after = sink_mails(sink);
	assert_int_equal(before->len, 1);
	assert_string_equal(before->pdata[0], after->pdata[0]); /* byte by byte the same mail */
}

static void test_a_server_that_breaks_before_the_text_got_nothing(void **state)
{
	const Place *place = *state;
	queue(place->store, "a");
	g_autoptr(Sink) dropping = sink_start(sink_program, "--drop-before");
	assert_result(send_at(place->store, dropping->url, NOON_US), 0, 0, 1);
	assert_mail_count(dropping, 0);
	assert_outbox(place->store, "a queued 1");
}

static void queue_many(Store *store, int count)
{
	for (int i = 0; i < count; i++) {
		g_autofree char *name = g_strdup_printf("n%03d", i);
		queue(store, name);
	}
}

static void test_a_dead_server_ends_the_round_early(void **state)
{
	const Place *place = *state;
	queue_many(place->store, 50);
	g_autofree char *url = NULL;
	{
		g_autoptr(Sink) sink = sink_start(sink_program, "");
		url = g_strdup(sink->url);
	}
	assert_result(send_at(place->store, url, NOON_US), 0, 0, 50);
	gint64 tried =
		must_read_integer(place->store, "SELECT COUNT(*) FROM outbox WHERE attempts > 0");
	assert_int_equal(tried, OUTBOX_PATIENCE);
}

/* How each mail fares: by the first letter of its subject. */
static MailOutcome by_letter(const Mail *mail, gpointer of, char **problem)
{
	*problem = NULL;
	if (mail->subject[0] == 's')
		return MAIL_SENT;
	*problem = g_strdup("no");
	return mail->subject[0] == 'r'	 ? MAIL_REJECTED
	       : mail->subject[0] == 'u' ? MAIL_UNKNOWN
					 : MAIL_LATER;
}

static OutboxResult send_by(Store *store, OutboxSend send, gpointer of, gint64 now_us)
{
	g_autoptr(GError) error = NULL;
	OutboxResult result;
	outbox_send_due_by(
		store, clock_fixed(now_us), send, of, "drover@example.org", &result, &error);
	assert_good(error);
	return result;
}

static void test_one_recipients_problem_never_stops_the_others(void **state)
{
	const Place *place = *state;
	static const char *const names[] = {"r1", "l1", "u1", "l2", "l3", "s1", "r2", "l4", "s2"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		queue(place->store, names[i]);
	assert_result(send_by(place->store, by_letter, NULL, NOON_US), 2, 2, 5);
	assert_outbox(place->store,
		"r1 failed 1; l1 queued 1; u1 queued 1; l2 queued 1; l3 queued 1; s1 sent 1; "
		"r2 failed 1; l4 queued 1; s2 sent 1");
}

static void test_tries_get_rarer_and_end(void **state)
{
	const Place *place = *state;
	queue(place->store, "later");
	gint64 now_us = NOON_US, first_us = now_us;
	for (int attempt = 1; attempt < OUTBOX_MAXIMUM_ATTEMPTS; attempt++) {
		assert_result(send_by(place->store, by_letter, NULL, now_us), 0, 0, 1);
		OutboxEntry *entry = only_entry(place->store);
		gint64 wait_s = (entry->next_us - now_us) / US_PER_SECOND;
		/* 1, 2, 4 … 256 minutes, then every 6 hours */
		assert_int_equal(wait_s, attempt <= 9 ? 60 << (attempt - 1) : 6 * 3600);
		now_us = entry->next_us;
		outbox_entry_free(entry);
	}
	assert_true(now_us - first_us > 2 * US_PER_DAY);
	assert_result(send_by(place->store, by_letter, NULL, now_us), 0, 1, 0);
	OutboxEntry *entry = only_entry(place->store);
	assert_string_equal(entry->state, "failed");
	assert_string_equal(entry->problem, "given up after 20 attempts: no");
	outbox_entry_free(entry);
}

/* --- crashes: the process ends between two steps --- */

enum { CRASH_EXIT = 77 };

static MailOutcome crash_before(const Mail *mail, gpointer of, char **problem)
{
	_exit(CRASH_EXIT);
}

static MailOutcome crash_after(const Mail *mail, gpointer of, char **problem)
{
	const MailServer server = {.url = of};
	if (mail_send(&server, mail, problem) != MAIL_SENT)
		_exit(1);
	_exit(CRASH_EXIT);
}

/* Sends the first and ends when asked for the second: after "sent" was stored. */
static MailOutcome crash_at_second(const Mail *mail, gpointer of, char **problem)
{
	const MailServer server = {.url = of};
	if (strcmp(mail->subject, "b") == 0)
		_exit(CRASH_EXIT);
	return mail_send(&server, mail, problem);
}

/* Runs a round in a process of its own that ends in the middle. */
static void crash(const Place *place, OutboxSend send, const char *url)
{
	pid_t child = fork();
	if (child == 0) {
		OutboxResult result;
		g_autoptr(Store) store = store_open(place->url, NULL);
		outbox_send_due_by(store, clock_fixed(NOON_US), send, (gpointer)url,
			"Drover <drover@example.org>", &result, NULL);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CRASH_EXIT);
}

static gboolean queue_and_crash(Store *store, gpointer of, GError **error)
{
	if (!queue_work(store, of, error))
		_exit(1);
	_exit(CRASH_EXIT);
}

static void test_crash_before_the_commit_queues_nothing(void **state)
{
	const Place *place = *state;
	pid_t child = fork();
	if (child == 0) {
		Queueing queueing = {.now_us = NOON_US,
			.notice = {"a", "overdue", NULL, "a@example.org", "s", "b", NULL}};
		g_autoptr(Store) store = store_open(place->url, NULL);
		store_write(store, queue_and_crash, &queueing, NULL);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), CRASH_EXIT);
	assert_outbox(place->store, "");
	assert_true(queue(place->store, "a"));
}

static void test_crash_between_sending_and_data_loses_nothing(void **state)
{
	const Place *place = *state;
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	queue(place->store, "a");
	queue(place->store, "b");
	crash(place, crash_before, NULL);
	assert_outbox(place->store, "a sending 1; b queued 0");
	assert_mail_count(sink, 0);
	assert_result(send_at(place->store, sink->url, NOON_US), 2, 0, 0);
	assert_outbox(place->store, "a sent 2; b sent 1");
	assert_mail_count(sink, 2);
}

static void test_crash_after_data_repeats_only_that_mail_under_its_old_name(void **state)
{
	const Place *place = *state;
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	queue(place->store, "a");
	queue(place->store, "b");
	crash(place, crash_after, sink->url);
	assert_outbox(place->store, "a sending 1; b queued 0");
	assert_result(send_at(place->store, sink->url, NOON_US), 2, 0, 0);
	assert_outbox(place->store, "a sent 2; b sent 1");
	g_autoptr(GPtrArray) mails = sink_mails(sink);
	assert_int_equal(mails->len, 3);
	assert_string_equal(mails->pdata[0], mails->pdata[1]);
	assert_string_not_equal(mails->pdata[1], mails->pdata[2]);
}

static void test_crash_after_the_outcome_repeats_nothing(void **state)
{
	const Place *place = *state;
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	queue(place->store, "a");
	queue(place->store, "b");
	crash(place, crash_at_second, sink->url);
	assert_outbox(place->store, "a sent 1; b sending 1");
	assert_result(send_at(place->store, sink->url, NOON_US), 1, 0, 0);
	assert_outbox(place->store, "a sent 1; b sent 2");
	assert_mail_count(sink, 2);
}

static void test_a_mail_that_always_crashes_us_is_given_up(void **state)
{
	const Place *place = *state;
	queue(place->store, "later");
	must_write(place->store, "UPDATE outbox SET state = 'sending', attempts = 19");
	assert_result(send_by(place->store, by_letter, NULL, NOON_US), 0, 1, 0);
}

/* --- lists and retention --- */

static void test_the_outbox_is_listed_newest_first(void **state)
{
	const Place *place = *state;
	queue(place->store, "s1");
	queue(place->store, "r1");
	queue(place->store, "s2");
	send_by(place->store, by_letter, NULL, NOON_US + 5);
	g_autoptr(GPtrArray) sent = outbox_list(place->store, "sent", 10, NULL);
	assert_int_equal(sent->len, 2);
	const OutboxEntry *newest = sent->pdata[0];
	assert_string_equal(newest->dedupe, "s2");
	assert_string_equal(newest->kind, "qa-reminder");
	assert_string_equal(newest->product, "web");
	assert_string_equal(newest->recipient, "s2@example.org");
	assert_null(newest->problem);
	assert_int_equal(newest->queued_us, NOON_US);
	assert_int_equal(newest->sent_us, NOON_US + 5);
	assert_int_equal(newest->next_us, 0);
	g_autoptr(GPtrArray) limited = outbox_list(place->store, NULL, 1, NULL);
	assert_int_equal(limited->len, 1);
	assert_true(outbox_state_is_valid("sending"));
	assert_false(outbox_state_is_valid("lost"));
}

static void test_old_mails_lose_their_body_and_keep_their_name(void **state)
{
	const Place *place = *state;
	g_autoptr(GError) error = NULL;
	gint64 count = -1;
	queue(place->store, "s1");
	send_by(place->store, by_letter, NULL, NOON_US);
	queue(place->store, "s2");
	send_by(place->store, by_letter, NULL, NOON_US + 10);
	queue(place->store, "l1");
	notice_summarise(place->store, NOON_US + 10, &count, &error);
	assert_good(error);
	assert_int_equal(count, 1);
	notice_summarise(place->store, NOON_US + 10, &count, &error);
	assert_int_equal(count, 0);
	assert_int_equal(must_read_integer(place->store,
				 "SELECT COUNT(*) FROM outbox WHERE body = '' AND dedupe = 's1'"),
		1);
	assert_int_equal(
		must_read_integer(place->store, "SELECT COUNT(*) FROM outbox WHERE body <> ''"), 2);
	assert_false(queue(place->store, "s1"));
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_mail_arrives_once_with_its_headers),
		ON_BOTH(test_mails_of_a_thread_refer_to_the_same_message),
		ON_BOTH(test_a_name_is_queued_once_ever),
		ON_BOTH(test_what_did_not_happen_is_not_told),
		ON_BOTH(test_without_a_server_all_waits),
		ON_BOTH(test_a_refused_recipient_fails_at_once_and_says_why),
		ON_BOTH(test_a_server_that_says_later_is_asked_again_later),
		ON_BOTH(test_a_slow_server_is_waited_for),
		ON_BOTH(test_a_mail_that_may_have_arrived_goes_again_under_its_old_name),
		ON_BOTH(test_a_server_that_breaks_before_the_text_got_nothing),
		ON_BOTH(test_a_dead_server_ends_the_round_early),
		ON_BOTH(test_one_recipients_problem_never_stops_the_others),
		ON_BOTH(test_tries_get_rarer_and_end),
		ON_BOTH(test_crash_before_the_commit_queues_nothing),
		ON_BOTH(test_crash_between_sending_and_data_loses_nothing),
		ON_BOTH(test_crash_after_data_repeats_only_that_mail_under_its_old_name),
		ON_BOTH(test_crash_after_the_outcome_repeats_nothing),
		ON_BOTH(test_a_mail_that_always_crashes_us_is_given_up),
		ON_BOTH(test_the_outbox_is_listed_newest_first),
		ON_BOTH(test_old_mails_lose_their_body_and_keep_their_name),
	};
	if (count != 2)
		return 2;
	sink_program = arguments[1];
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR, STDERR_FILENO);
	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
