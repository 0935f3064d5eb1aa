/* SPDX-License-Identifier: ISC
 *
 * Who is reminded of what, today: rows that a person can check, and a random year of landings and
 * verdicts of which each day's mails must say neither too much nor too little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/format.h"
#include "notice/reminder.h"

#define NOON_US	    (G_GINT64_CONSTANT(1795262400) * US_PER_SECOND) /* 2026-11-21T12:00:00Z */
#define DAYS(count) ((count)*US_PER_DAY)

static const char *const no_items[] = {NULL};

static ReminderLanding landing(gint64 ordinal, gint64 age_us, const char *name, const char *email)
{
	return (ReminderLanding){.ordinal = ordinal,
		.landed_us = NOON_US - age_us,
		.subject = "x",
		.author_name = name,
		.author_email = email,
		.items = no_items};
}

static ReminderProduct product(const char *name, const ReminderLanding *landings, guint count)
{
	return (ReminderProduct){.name = name,
		.title = name,
		.overdue_days = 7,
		.overdue_every_days = 7,
		.remind = TRUE,
		.landings = landings,
		.landing_count = count};
}

/* The plan in one text: "DEDUPE -> RECIPIENT (NAME): web 1 2; api 3" a line, problems behind "!".
 */
static char *described(const ReminderPlan *plan)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < plan->due->len; i++) {
		const Reminder *due = plan->due->pdata[i];
		g_string_append_printf(text, "%s -> %s", due->dedupe, due->recipient);
		if (due->name != NULL)
			g_string_append_printf(text, " (%s)", due->name);
		for (guint s = 0; s < due->sections->len; s++) {
			const ReminderSection *section = due->sections->pdata[s];
			g_string_append_printf(
				text, "%s %s", s > 0 ? ";" : ":", section->product->name);
			for (guint l = 0; l < section->landings->len; l++)
				g_string_append_printf(text, " %d",
					(int)((ReminderLanding *)section->landings->pdata[l])
						->ordinal);
		}
		g_string_append_c(text, '\n');
	}
	for (guint i = 0; i < plan->problems->len; i++)
		g_string_append_printf(text, "! %s\n", (char *)plan->problems->pdata[i]);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void assert_plan_at(const ReminderProduct *products, guint count, gint64 now_us,
	GHashTable *before, const char *expected)
{
	g_autoptr(ReminderPlan) plan = reminder_plan(products, count, now_us, before);
	g_autofree char *text = described(plan);
	assert_string_equal(text, expected);
}

static void assert_plan(const ReminderProduct *products, guint count, const char *expected)
{
	assert_plan_at(products, count, NOON_US, NULL, expected);
}

static void test_nothing_waits_and_nobody_hears(void **state)
{
	ReminderProduct products[] = {product("web", NULL, 0)};
	products[0].mail_list = "list@example.org";
	assert_plan(products, 1, "");
	assert_plan(NULL, 0, "");
}

static void test_each_owner_gets_one_mail_over_all_products(void **state)
{
	const ReminderLanding web[] = {landing(4, DAYS(2), "Ada", "ada@example.org"),
		landing(5, DAYS(1), "Grace", "grace@example.org"),
		landing(9, 0, "Ada", "ada@example.org")};
	const ReminderLanding api[] = {landing(2, DAYS(3), "Ada", "ada@example.org")};
	const ReminderProduct products[] = {product("web", web, 3), product("api", api, 1)};
	assert_plan(products, 2,
		"qa-reminder/ada@example.org/2026-11-21 -> ada@example.org (Ada): web 4 9; api 2\n"
		"qa-reminder/grace@example.org/2026-11-21 -> grace@example.org (Grace): web 5\n");
}

static void test_landings_stand_oldest_first(void **state)
{
	const ReminderLanding web[] = {landing(9, 0, "Ada", "ada@example.org"),
		landing(4, DAYS(2), "Ada", "ada@example.org"),
		landing(7, DAYS(1), "Ada", "ada@example.org")};
	const ReminderProduct products[] = {product("web", web, 3)};
	assert_plan(products, 1,
		"qa-reminder/ada@example.org/2026-11-21 -> ada@example.org (Ada): web 4 7 9\n");
}

static void test_an_address_in_another_case_is_the_same_owner(void **state)
{
	const ReminderLanding web[] = {landing(4, DAYS(2), "ada", "Ada@Example.ORG"),
		landing(5, DAYS(1), "Ada Lovelace", "ada@Example.org"),
		landing(6, DAYS(3), "A.", "ADA@example.org")};
	const ReminderProduct products[] = {product("web", web, 3)};
	assert_plan(products, 1,
		"qa-reminder/ada@example.org/2026-11-21 -> ada@Example.org (Ada Lovelace): "
		"web 4 5 6\n");
}

static void test_what_was_queued_today_is_not_due_again(void **state)
{
	const ReminderLanding web[] = {landing(4, DAYS(9), "Ada", "ada@example.org")};
	ReminderProduct products[] = {product("web", web, 1)};
	products[0].mail_list = "list@example.org";
	g_autoptr(GHashTable) before = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_add(before, "qa-reminder/ada@example.org/2026-11-21");
	g_hash_table_add(before, "overdue/web/2026-11-21");
	assert_plan_at(products, 1, NOON_US, before, "");
	products[0].overdue_last_us = NOON_US;
	assert_plan_at(products, 1, NOON_US + DAYS(1), before,
		"qa-reminder/ada@example.org/2026-11-22 -> ada@example.org (Ada): web 4\n");
}

static void test_days_begin_at_midnight_utc(void **state)
{
	const ReminderLanding web[] = {landing(4, DAYS(2), "Ada", "ada@example.org")};
	const ReminderProduct products[] = {product("web", web, 1)};
	assert_plan_at(products, 1, NOON_US + DAYS(1) / 2 - 1, NULL,
		"qa-reminder/ada@example.org/2026-11-21 -> ada@example.org (Ada): web 4\n");
	assert_plan_at(products, 1, NOON_US + DAYS(1) / 2, NULL,
		"qa-reminder/ada@example.org/2026-11-22 -> ada@example.org (Ada): web 4\n");
	assert_int_equal(reminder_days_between(NOON_US, NOON_US + DAYS(1) / 2 - 1), 0);
	assert_int_equal(reminder_days_between(NOON_US, NOON_US + DAYS(1) / 2), 1);
	assert_int_equal(reminder_days_between(-1, 0), 1);
	assert_int_equal(reminder_days_between(0, -1), -1);
}

static void test_a_product_that_does_not_remind_still_tells_its_list(void **state)
{
	const ReminderLanding web[] = {landing(4, DAYS(8), "Ada", "ada@example.org")};
	ReminderProduct products[] = {product("web", web, 1)};
	products[0].remind = FALSE;
	assert_plan(products, 1, "");
	products[0].mail_list = "list@example.org";
	assert_plan(products, 1, "overdue/web/2026-11-21 -> list@example.org: web 4\n");
}

static void test_the_list_hears_what_waited_for_over_the_limit(void **state)
{
	const ReminderLanding web[] = {landing(4, DAYS(7) + 1, "Ada", "ada@example.org"),
		landing(5, DAYS(7), "Ada", "ada@example.org"),
		landing(6, DAYS(6), "Ada", "ada@example.org")};
	ReminderProduct products[] = {product("web", web, 3)};
	products[0].remind = FALSE;
	products[0].mail_list = "list@example.org";
	assert_plan(products, 1, "overdue/web/2026-11-21 -> list@example.org: web 4\n");
}

static void test_the_list_hears_once_an_interval(void **state)
{
	const ReminderLanding web[] = {landing(4, DAYS(30), "Ada", "ada@example.org")};
	ReminderProduct products[] = {product("web", web, 1)};
	products[0].remind = FALSE;
	products[0].mail_list = "list@example.org";
	static const struct {
		gint64 last_us;
		gboolean due;
	} rows[] = {{0, TRUE}, {NOON_US, FALSE}, {NOON_US - DAYS(6), FALSE},
		{NOON_US - DAYS(13) / 2, FALSE}, /* 15 November, 00:00: 6 days */
		{NOON_US - DAYS(13) / 2 - 1, TRUE}, {NOON_US - DAYS(7), TRUE},
		{NOON_US - DAYS(400), TRUE}, {NOON_US + DAYS(400), TRUE}}; /* a clock was wrong */
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		products[0].overdue_last_us = rows[i].last_us;
		assert_plan(products, 1,
			rows[i].due ? "overdue/web/2026-11-21 -> list@example.org: web 4\n" : "");
	}
}

static void test_what_is_no_address_is_reported_and_stops_nobody(void **state)
{
	const ReminderLanding web[] = {landing(4, DAYS(9), "Root", "root"),
		landing(5, 0, "Ada", "ada@example.org"), landing(6, 0, "", "")};
	ReminderProduct products[] = {product("web", web, 3)};
	products[0].mail_list = "no list";
	assert_plan(products, 1,
		"qa-reminder/ada@example.org/2026-11-21 -> ada@example.org (Ada): web 5\n"
		"! landing 4 of web waits, and nobody can be reminded: 'root' is no mail address\n"
		"! landing 6 of web waits, and nobody can be reminded: '' is no mail address\n"
		"! landings of web are overdue, and its list cannot be told: 'no list' is no mail "
		"address\n");
}

/* A year of two products and five people: things land, are ruled on and rolled back; the plan is
 * asked for several times a day. */
typedef struct Year {
	GRand *random;
	GArray *waiting[2];   /* ReminderLanding */
	GHashTable *queued;   /* dedupes, ever */
	gint64 overdue_us[2]; /* when the list last heard */
	gint64 now_us;
	gint64 next_ordinal;
	guint owner_mails, list_mails;
} Year;

static const char *const people[] = {"ada@example.org", "ADA@example.org", "grace@example.org",
	"alan@example.org", "edsger@example.org"};

static void live(Year *year)
{
	year->now_us += g_rand_int_range(year->random, 1, 10 * 3600) * US_PER_SECOND;
	GArray *waiting = year->waiting[g_rand_int_range(year->random, 0, 2)];
	if (g_rand_int_range(year->random, 0, 3) > 0) {
		const char *who = people[g_rand_int_range(year->random, 0, G_N_ELEMENTS(people))];
		ReminderLanding new = landing(year->next_ordinal++, 0, who, who);
		new.landed_us = year->now_us;
		g_array_append_val(waiting, new);
	}
	while (waiting->len > 0 && g_rand_int_range(year->random, 0, 5) < 2)
		g_array_remove_index(
			waiting, (guint)g_rand_int_range(year->random, 0, (gint32)waiting->len));
}

static gboolean mentions(const Reminder *reminder, gint64 ordinal)
{
	for (guint s = 0; s < reminder->sections->len; s++) {
		const ReminderSection *section = reminder->sections->pdata[s];
		for (guint i = 0; i < section->landings->len; i++)
			if (((ReminderLanding *)section->landings->pdata[i])->ordinal == ordinal)
				return TRUE;
	}
	return FALSE;
}

static gboolean should_mention(
	const Year *year, const Reminder *reminder, guint p, const ReminderLanding *landing)
{
	if (reminder->kind == REMINDER_OWNER)
		return g_ascii_strcasecmp(landing->author_email, reminder->recipient) == 0;
	g_autofree char *list = g_strdup_printf("list%u@example.org", p);
	return strcmp(list, reminder->recipient) == 0 &&
	       year->now_us - landing->landed_us > DAYS(7);
}

/* All that waits for the recipient is mentioned, and nothing else. */
static void check_mail(Year *year, const Reminder *reminder)
{
	gint64 expected = 0;
	for (guint p = 0; p < 2; p++) {
		for (guint i = 0; i < year->waiting[p]->len; i++) {
			const ReminderLanding *landing =
				&g_array_index(year->waiting[p], ReminderLanding, i);
			gboolean should = should_mention(year, reminder, p, landing);
			assert_int_equal(mentions(reminder, landing->ordinal), should);
			expected += should;
		}
	}
	assert_int_equal(reminder_count(reminder), expected);
	assert_true(expected > 0);
}

/* Never two a day to an owner; a list's interval is kept. */
static void remember(Year *year, const Reminder *reminder)
{
	g_autofree char *address = g_ascii_strdown(reminder->recipient, -1);
	g_autofree char *date = format_date(year->now_us);
	char *person_and_day = g_strdup_printf("%s on %s", address, date);
	assert_true(g_hash_table_add(year->queued, person_and_day));
	assert_true(g_hash_table_add(year->queued, g_strdup(reminder->dedupe)));
	if (reminder->kind == REMINDER_OWNER) {
		year->owner_mails++;
		return;
	}
	year->list_mails++;
	guint p = strcmp(reminder->recipient, "list1@example.org") == 0;
	assert_true(year->overdue_us[p] == 0 ||
		    reminder_days_between(year->overdue_us[p], year->now_us) >= 7);
	year->overdue_us[p] = year->now_us;
}

/* After the mails of a look, everybody for whom something waits has got today's. */
static void check_nobody_is_forgotten(const Year *year)
{
	g_autofree char *date = format_date(year->now_us);
	for (guint p = 0; p < 2; p++) {
		for (guint i = 0; i < year->waiting[p]->len; i++) {
			const ReminderLanding *landing =
				&g_array_index(year->waiting[p], ReminderLanding, i);
			g_autofree char *address = g_ascii_strdown(landing->author_email, -1);
			g_autofree char *person_and_day =
				g_strdup_printf("%s on %s", address, date);
			assert_true(g_hash_table_contains(year->queued, person_and_day));
			if (year->now_us - landing->landed_us > DAYS(7))
				assert_true(reminder_days_between(
						    year->overdue_us[p], year->now_us) < 7);
		}
	}
}

static void look(Year *year)
{
	ReminderProduct products[2];
	for (guint p = 0; p < 2; p++) {
		GArray *waiting = year->waiting[p];
		products[p] = product(p == 0 ? "web" : "api",
			(const ReminderLanding *)waiting->data, waiting->len);
		products[p].mail_list = p == 0 ? "list0@example.org" : "list1@example.org";
		products[p].overdue_last_us = year->overdue_us[p];
	}
	g_autoptr(ReminderPlan) plan = reminder_plan(products, 2, year->now_us, year->queued);
	assert_int_equal(plan->problems->len, 0);
	for (guint i = 0; i < plan->due->len; i++) {
		check_mail(year, plan->due->pdata[i]);
		remember(year, plan->due->pdata[i]);
	}
	check_nobody_is_forgotten(year);
}

static void test_in_a_random_year_mails_say_neither_too_much_nor_too_little(void **state)
{
	for (guint32 seed = 1; seed <= 20; seed++) {
		Year year = {.random = g_rand_new_with_seed(seed), .now_us = NOON_US};
		year.next_ordinal = 1;
		year.queued = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		for (guint p = 0; p < 2; p++)
			year.waiting[p] = g_array_new(FALSE, FALSE, sizeof(ReminderLanding));
		while (year.now_us < NOON_US + DAYS(365)) {
			live(&year);
			look(&year);
		}
		assert_true(year.owner_mails > 200 && year.list_mails > 5);
		for (guint p = 0; p < 2; p++)
			g_array_unref(year.waiting[p]);
		g_hash_table_unref(year.queued);
		g_rand_free(year.random);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_waits_and_nobody_hears),
		cmocka_unit_test(test_each_owner_gets_one_mail_over_all_products),
		cmocka_unit_test(test_landings_stand_oldest_first),
		cmocka_unit_test(test_an_address_in_another_case_is_the_same_owner),
		cmocka_unit_test(test_what_was_queued_today_is_not_due_again),
		cmocka_unit_test(test_days_begin_at_midnight_utc),
		cmocka_unit_test(test_a_product_that_does_not_remind_still_tells_its_list),
		cmocka_unit_test(test_the_list_hears_what_waited_for_over_the_limit),
		cmocka_unit_test(test_the_list_hears_once_an_interval),
		cmocka_unit_test(test_what_is_no_address_is_reported_and_stops_nobody),
		cmocka_unit_test(test_in_a_random_year_mails_say_neither_too_much_nor_too_little),
	};
	return cmocka_run_group_tests_name("reminder", tests, NULL, NULL);
}
