/* SPDX-License-Identifier: ISC
 *
 * From landings to mails, through the API: what waits is told once a day, a verdict or a rollback
 * ends it, and what the mail server took is shown as sent. On both databases.
 *
 * Usage: tests/with-postgres test_remind SMTP-SINK
 */
#include <string.h>
#include <unistd.h>

#include "../store/place.h"
#include "api/api.h"
#include "base/log.h"
#include "landing/book.h"
#include "sink.h"
#include "store/job.h"

#define NOON_US (G_GINT64_CONSTANT(1795262400) * US_PER_SECOND) /* 2026-11-21T12:00:00Z */

static const char *sink_program;

/* An installation: the place's store, its books, its clock. */
typedef struct House {
	const Place *place;
	ApiSite site;
	Actor *actor;
	LandingBooks *books;
} House;

static House house_open(const Place *place, const char *mail_url)
{
	House house = {.place = place,
		.actor = actor_new(ACTOR_LOCAL, "ada", "api", 0),
		.books = landing_books_new()};
	house.site = (ApiSite){.clock = clock_fixed(NOON_US),
		.state_folder = place->folder,
		.base_url = "https://drover.example.org/",
		.mail_url = mail_url,
		.mail_from = "Drover <drover@example.org>",
		.retention_days = 30,
		.books = house.books};
	return house;
}

static void house_clear(House *house)
{
	actor_free(house->actor);
	landing_books_free(house->books);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(House, house_clear)

static json_t *call(House *house, const char *method, const char *path, const char *body)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) json = body != NULL ? json_loads(body, 0, NULL) : NULL;
	g_assert((body == NULL) == (json == NULL));
	json_t *answer = api_call(
		&house->site, house->place->store, house->actor, method, path, NULL, json, &error);
	assert_good(error);
	return answer;
}

static void do_call(House *house, const char *method, const char *path, const char *body)
{
	json_decref(call(house, method, path, body));
}

static void remind(House *house, const char *expected)
{
	g_autoptr(json_t) answer = call(house, "POST", "/jobs/remind", NULL);
	g_autofree char *text = json_write(answer);
	assert_string_equal(text, expected);
}

#define NOTHING "{\"queued\":0,\"sent\":0,\"failed\":0,\"waiting\":0}"
#define ONE	"{\"queued\":1,\"sent\":1,\"failed\":0,\"waiting\":0}"

/* Ada owes item 7 of landing 1, landed 11 days ago; Grace owes landing 2, of this morning. */
static void fill(House *house)
{
	do_call(house, "POST", "/products",
		"{\"name\": \"web\", \"title\": \"The web shop\", \"overdue_days\": 7,"
		" \"overdue_every_days\": 7}");
	do_call(house, "POST", "/products/web/landings",
		"{\"landings\": ["
		"{\"rev\": 1, \"author\": \"Ada\", \"email\": \"ada@example.org\","
		" \"time\": \"2026-11-10T08:00:00Z\", \"subject\": \"Count what waits\","
		" \"items\": [{\"id\": 6, \"state\": \"ok\"}, {\"id\": 7, \"state\": null}]},"
		"{\"rev\": 2, \"author\": \"Grace\", \"email\": \"grace@example.org\","
		" \"time\": \"2026-11-21T08:00:00Z\", \"subject\": \"Compile it\","
		" \"items\": []}]}");
}

static void rule(House *house, const char *landing, const char *body)
{
	g_autofree char *path = g_strdup_printf("/products/web/landings/%s/verdicts", landing);
	do_call(house, "POST", path, body);
}

static char *mail_to(const Sink *sink, guint number)
{
	g_autoptr(GPtrArray) mails = sink_mails(sink);
	assert_true(number < mails->len);
	return mail_header(mails->pdata[number], "To");
}

static void test_each_owner_is_told_once_a_day(void **state)
{
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	g_auto(House) house = house_open(*state, sink->url);
	remind(&house, NOTHING);
	fill(&house);
	remind(&house, "{\"queued\":2,\"sent\":2,\"failed\":0,\"waiting\":0}");
	remind(&house, NOTHING);
	house.site.clock = clock_fixed(NOON_US + US_PER_DAY / 2 - 1);
	remind(&house, NOTHING);
	house.site.clock = clock_fixed(NOON_US + US_PER_DAY / 2);
	remind(&house, "{\"queued\":2,\"sent\":2,\"failed\":0,\"waiting\":0}");
	g_autofree char *first = mail_to(sink, 0);
	g_autofree char *second = mail_to(sink, 1);
	assert_string_equal(first, "ada@example.org");
	assert_string_equal(second, "grace@example.org");
}

static void test_the_mail_says_what_waits_and_what_it_holds_back(void **state)
{
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	g_auto(House) house = house_open(*state, sink->url);
	fill(&house);
	do_call(&house, "POST", "/jobs/remind", NULL);
	g_autoptr(GPtrArray) mails = sink_mails(sink);
	g_autofree char *subject = mail_header(mails->pdata[0], "Subject");
	assert_string_equal(subject, "web: 1 landing waits for your QA");
	assert_non_null(strstr(mails->pdata[0],
		"Landing 1, landed 11 days ago (2026-11-10), holds back 1 landing\r\n"
		"    Count what waits\r\n"
		"    Item: 7\r\n"
		"    https://drover.example.org/products/web/landings/1\r\n"
		"    drover qa ok --product web 1 7\r\n"));
}

static void test_a_verdict_ends_it(void **state)
{
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	g_auto(House) house = house_open(*state, sink->url);
	fill(&house);
	rule(&house, "1", "{\"item\": \"7\", \"state\": \"ok\"}");
	remind(&house, ONE);
	rule(&house, "2", "{\"state\": \"bad\"}");
	house.site.clock = clock_fixed(NOON_US + US_PER_DAY);
	remind(&house, NOTHING);
	rule(&house, "1", "{\"item\": \"7\", \"state\": \"needs-testing\"}");
	remind(&house, ONE);
}

static void test_a_rollback_ends_it(void **state)
{
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	g_auto(House) house = house_open(*state, sink->url);
	fill(&house);
	do_call(&house, "POST", "/products/web/landings",
		"{\"landings\": [{\"rev\": 3, \"author\": \"Alan\", \"email\": "
		"\"alan@example.org\","
		" \"rollback_of\": [1, 2], \"time\": \"2026-11-21T09:00:00Z\"}]}");
	remind(&house, NOTHING);
}

static void test_the_list_hears_what_is_overdue_once_an_interval(void **state)
{
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	g_auto(House) house = house_open(*state, sink->url);
	fill(&house);
	do_call(&house, "PATCH", "/products/web",
		"{\"data_version\": 1, \"mail_list\": \"web-dev@example.org\", \"remind\": false}");
	remind(&house, ONE);
	for (int day = 1; day < 7; day++) {
		house.site.clock = clock_fixed(NOON_US + day * US_PER_DAY);
		remind(&house, NOTHING);
	}
	house.site.clock = clock_fixed(NOON_US + 7 * US_PER_DAY);
	remind(&house, ONE);
	g_autoptr(GPtrArray) mails = sink_mails(sink);
	g_autofree char *to = mail_header(mails->pdata[0], "To");
	g_autofree char *subject = mail_header(mails->pdata[0], "Subject");
	assert_string_equal(to, "web-dev@example.org");
	assert_string_equal(subject, "web: 1 landing overdue for QA");
}

static void test_without_a_mail_server_reminders_wait(void **state)
{
	g_auto(House) house = house_open(*state, NULL);
	fill(&house);
	remind(&house, "{\"queued\":2,\"sent\":0,\"failed\":0,\"waiting\":2}");
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	house.site.mail_url = sink->url;
	remind(&house, "{\"queued\":0,\"sent\":2,\"failed\":0,\"waiting\":0}");
}

static void test_a_late_reminder_makes_way_for_todays(void **state)
{
	g_auto(House) house = house_open(*state, NULL);
	fill(&house);
	remind(&house, "{\"queued\":2,\"sent\":0,\"failed\":0,\"waiting\":2}");
	rule(&house, "1", "{\"item\": \"7\", \"state\": \"ok\"}");
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	house.site.mail_url = sink->url;
	house.site.clock = clock_fixed(NOON_US + US_PER_DAY);
	remind(&house, ONE);
	g_autofree char *to = mail_to(sink, 0);
	assert_string_equal(to, "grace@example.org");
	static const char late[] = "SELECT COUNT(*) FROM outbox WHERE state = 'failed' AND "
				   "problem LIKE 'could not be sent on its day%'";
	assert_int_equal(must_read_integer(house.place->store, late), 2);
}

static void test_notices_are_shown_newest_first(void **state)
{
	g_auto(House) house = house_open(*state, NULL);
	fill(&house);
	do_call(&house, "POST", "/jobs/remind", NULL);
	g_autoptr(json_t) list = call(&house, "GET", "/notices", NULL);
	assert_int_equal(json_array_size(list), 2);
	json_object_del(json_array_get(list, 0), "id");
	g_autofree char *text = json_write(json_array_get(list, 0));
	assert_string_equal(text,
		"{\"kind\":\"qa-reminder\",\"product\":\"web\",\"recipient\":\"grace@example.org\","
		"\"subject\":\"web: 1 landing waits for your QA\",\"state\":\"queued\","
		"\"attempts\":0,\"queued\":\"2026-11-21T12:00:00Z\","
		"\"next\":\"2026-11-21T12:00:00Z\",\"sent\":null,\"problem\":null}");
}

static void test_a_state_that_is_none_is_refused(void **state)
{
	g_auto(House) house = house_open(*state, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) query = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_insert(query, (gpointer) "state", (gpointer) "lost");
	assert_null(api_call(&house.site, house.place->store, house.actor, "GET", "/notices", query,
		NULL, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "'lost' is none");
}

static void test_two_reminds_never_work_at_once(void **state)
{
	g_auto(House) house = house_open(*state, NULL);
	g_autoptr(Store) other = place_connect(*state);
	g_autoptr(StoreJob) lock = store_job_take(other, "mail", CLOCK_SYSTEM, NULL);
	assert_non_null(lock);
	g_autoptr(GError) error = NULL;
	assert_null(api_call(&house.site, house.place->store, house.actor, "POST", "/jobs/remind",
		NULL, NULL, &error));
	assert_error(&error, DROVER_ERROR_LOCKED, "mail is at work on host");
}

static void test_maintenance_stops_mail(void **state)
{
	g_auto(House) house = house_open(*state, NULL);
	fill(&house);
	do_call(&house, "PUT", "/maintenance", "{\"on\": true, \"reason\": \"upgrade\"}");
	g_autoptr(GError) error = NULL;
	assert_null(api_call(&house.site, house.place->store, house.actor, "POST", "/jobs/remind",
		NULL, NULL, &error));
	assert_error(&error, DROVER_ERROR_MAINTENANCE, "upgrade");
	assert_int_equal(must_read_integer(house.place->store, "SELECT COUNT(*) FROM outbox"), 0);
}

static void test_sent_mails_lose_their_bodies_after_retention(void **state)
{
	g_autoptr(Sink) sink = sink_start(sink_program, "");
	g_auto(House) house = house_open(*state, sink->url);
	fill(&house);
	do_call(&house, "POST", "/jobs/remind", NULL);
	rule(&house, "1", "{\"state\": \"ok\"}");
	rule(&house, "1", "{\"item\": \"7\", \"state\": \"ok\"}");
	rule(&house, "2", "{\"state\": \"ok\"}");
	house.site.clock = clock_fixed(NOON_US + 30 * US_PER_DAY);
	remind(&house, NOTHING);
	static const char bodies[] = "SELECT COUNT(*) FROM outbox WHERE body <> ''";
	assert_int_equal(must_read_integer(house.place->store, bodies), 2);
	house.site.clock = clock_fixed(NOON_US + 30 * US_PER_DAY + 1);
	remind(&house, NOTHING);
	assert_int_equal(must_read_integer(house.place->store, bodies), 0);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_each_owner_is_told_once_a_day),
		ON_BOTH(test_the_mail_says_what_waits_and_what_it_holds_back),
		ON_BOTH(test_a_verdict_ends_it),
		ON_BOTH(test_a_rollback_ends_it),
		ON_BOTH(test_the_list_hears_what_is_overdue_once_an_interval),
		ON_BOTH(test_without_a_mail_server_reminders_wait),
		ON_BOTH(test_a_late_reminder_makes_way_for_todays),
		ON_BOTH(test_notices_are_shown_newest_first),
		ON_BOTH(test_a_state_that_is_none_is_refused),
		ON_BOTH(test_two_reminds_never_work_at_once),
		ON_BOTH(test_maintenance_stops_mail),
		ON_BOTH(test_sent_mails_lose_their_bodies_after_retention),
	};
	if (count != 2)
		return 2;
	sink_program = arguments[1];
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR, STDERR_FILENO);
	return cmocka_run_group_tests_name("remind", tests, NULL, NULL);
}
