/* SPDX-License-Identifier: ISC
 *
 * The words of the mails: whole mails as people get them stand in mails/, and nothing hostile in a
 * commit message gets out of its place.
 *
 * Usage: test_text FOLDER-OF-MAILS
 * With DROVER_TEST_WRITE_MAILS=1 it writes them anew: read the difference before you commit it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/format.h"
#include "notice/text.h"

#define BASE_URL "https://drover.example.org"

static const char *mails_folder;

static gint64 at(const char *time)
{
	gint64 time_us = 0;
	assert_true(parse_time(time, &time_us, NULL));
	return time_us;
}

static const char *const no_items[] = {NULL};

static ReminderLanding landing(gint64 ordinal, const char *time, const char *subject,
	const char *const *items, gint64 holds_back)
{
	return (ReminderLanding){.ordinal = ordinal,
		.landed_us = at(time),
		.subject = subject,
		.author_name = "Ada Lovelace",
		.author_email = "ada@example.org",
		.items = items,
		.holds_back = holds_back};
}

static ReminderProduct product(
	const char *name, const char *title, const ReminderLanding *landings, guint count)
{
	return (ReminderProduct){.name = name,
		.title = title,
		.overdue_days = 7,
		.overdue_every_days = 7,
		.remind = TRUE,
		.landings = landings,
		.landing_count = count};
}

/* The mail of the only notice that is due. */
static NoticeText *only_mail(
	const ReminderProduct *products, guint count, const char *now, const char *base_url)
{
	g_autoptr(ReminderPlan) plan = reminder_plan(products, count, at(now), NULL);
	assert_int_equal(plan->due->len, 1);
	return notice_text_new(plan->due->pdata[0], at(now), base_url);
}

static void assert_mail(const NoticeText *text, const char *name)
{
	g_autofree char *path = g_build_filename(mails_folder, name, NULL);
	g_autofree char *mail = g_strdup_printf("Subject: %s\n\n%s", text->subject, text->body);
	if (g_getenv("DROVER_TEST_WRITE_MAILS") != NULL)
		assert_true(file_write(path, mail, strlen(mail), 0644, NULL));
	g_autofree char *expected = file_read(path, 100000, NULL, NULL);
	assert_string_equal(mail, expected);
}

static void test_one_landing_that_names_no_item(void **state)
{
	const ReminderLanding landings[] = {
		landing(43, "2026-11-21T06:12:00Z", "Never drop a held server", no_items, 0)};
	const ReminderProduct products[] = {product("web", "web", landings, 1)};
	g_autoptr(NoticeText) text = only_mail(products, 1, "2026-11-21T12:00:00Z", NULL);
	assert_mail(text, "owner-one.txt");
}

static void test_several_landings_in_two_products(void **state)
{
	static const char *const two[] = {"1842", "1850", NULL};
	static const char *const seven[] = {"1", "2", "3", "4", "5", "6", "LP: #7", NULL};
	const ReminderLanding web[] = {landing(43, "2026-11-09T06:12:00Z",
					       "Never drop a held server while another balancer "
					       "still counts on it, however "
					       "long its checks take",
					       two, 7),
		landing(51, "2026-11-20T23:59:59Z", "", no_items, 0)};
	const ReminderLanding api[] = {
		landing(1204, "2026-11-21T00:00:00Z", "Größere Anfragen annehmen", seven, 1)};
	const ReminderProduct products[] = {
		product("web", "The web shop", web, 2), product("api", "api", api, 1)};
	g_autoptr(NoticeText) text = only_mail(products, 2, "2026-11-21T12:00:00Z", BASE_URL);
	assert_mail(text, "owner-several.txt");
}

static void test_overdue_landings_for_a_list(void **state)
{
	static const char *const one[] = {"1842", NULL};
	ReminderLanding web[] = {
		landing(43, "2026-11-09T06:12:00Z", "Never drop a held server", one, 1207),
		landing(44, "2026-11-10T06:12:00Z", "Count what waits", no_items, 1206),
		landing(60, "2026-11-20T06:12:00Z", "Young, and not mentioned", no_items, 3)};
	web[1].author_name = "Grace Hopper";
	web[1].author_email = "not an address";
	ReminderProduct products[] = {product("web", "The web shop", web, 3)};
	products[0].remind = FALSE;
	products[0].mail_list = "web-dev@example.org";
	g_autoptr(NoticeText) text = only_mail(products, 1, "2026-11-21T12:00:00Z", BASE_URL);
	assert_mail(text, "overdue.txt");
}

/* A commit's subject or item can neither begin a line of its own nor change the command to copy. */
static void test_hostile_words_stay_in_their_place(void **state)
{
	static const char *const items[] = {"1; rm -rf ~", "2\n3", "$(id)", "--all", NULL};
	ReminderLanding web[] = {landing(43, "2026-11-21T06:12:00Z",
		"Fix\r\n.\r\nBcc: everybody@example.org\x1b[2J \xe2\x80\xae"
		"evil \xff",
		items, 0)};
	web[0].author_name = "Ada\n\nYou have won";
	const ReminderProduct products[] = {product("web", "web", web, 1)};
	g_autoptr(NoticeText) text = only_mail(products, 1, "2026-11-21T12:00:00Z", BASE_URL);
	assert_mail(text, "owner-hostile.txt");
}

static void test_many_landings_are_counted_and_not_all_shown(void **state)
{
	enum { MANY = TEXT_MAXIMUM_LANDINGS + 50 };
	ReminderLanding many[MANY];
	for (int i = 0; i < MANY; i++)
		many[i] = landing(i + 1, "2026-11-20T06:12:00Z", "x", no_items, 0);
	const ReminderProduct products[] = {product("web", "web", many, MANY)};
	g_autoptr(NoticeText) text = only_mail(products, 1, "2026-11-21T12:00:00Z", NULL);
	assert_string_equal(text->subject, "web: 150 landings wait for your QA");
	assert_non_null(strstr(text->body, "\nLanding 100, landed yesterday"));
	assert_null(strstr(text->body, "\nLanding 101, landed yesterday"));
	assert_non_null(strstr(text->body, "\n… and 50 more, newer than these. To see them all:\n\n"
					   "    drover landing list --product web\n"));
}

static void test_many_items_are_counted_and_not_all_shown(void **state)
{
	enum { MANY = TEXT_MAXIMUM_ITEMS + 9 };
	const char *items[MANY + 1] = {NULL};
	for (int i = 0; i < MANY; i++)
		items[i] = "7";
	const ReminderLanding web[] = {landing(43, "2026-11-21T06:12:00Z", "x", items, 0)};
	const ReminderProduct products[] = {product("web", "web", web, 1)};
	g_autoptr(NoticeText) text = only_mail(products, 1, "2026-11-21T12:00:00Z", NULL);
	assert_non_null(strstr(text->body, " 7 and 9 more\n"));
	g_auto(GStrv) commands = g_strsplit(text->body, "drover qa ok --product web 43 7", -1);
	assert_int_equal(g_strv_length(commands), TEXT_MAXIMUM_COMMANDS + 1);
}

static void test_subject_names_two_products_and_counts_the_rest(void **state)
{
	const ReminderLanding one[] = {landing(1, "2026-11-21T06:12:00Z", "x", no_items, 0)};
	const ReminderProduct products[] = {product("web", "web", one, 1),
		product("api", "api", one, 1), product("db", "db", one, 1),
		product("ci", "ci", one, 1)};
	g_autoptr(NoticeText) two = only_mail(products, 2, "2026-11-21T12:00:00Z", NULL);
	assert_string_equal(two->subject, "web and api: 2 landings wait for your QA");
	g_autoptr(NoticeText) four = only_mail(products, 4, "2026-11-21T12:00:00Z", NULL);
	assert_string_equal(four->subject, "web, api and 2 more: 4 landings wait for your QA");
}

static void test_lines_wrap_at_72_columns(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *full = g_strnfill(68, 'a');
	g_autofree char *text = g_strdup_printf("%s b", full);
	notice_text_wrap(out, 4, text);
	g_autofree char *expected = g_strdup_printf("    %s\n    b\n", full);
	assert_string_equal(out->str, expected);
	g_string_truncate(out, 0);
	g_autofree char *shorter = g_strdup_printf("%s b", full + 2);
	notice_text_wrap(out, 4, shorter);
	assert_int_equal(out->len, 73);
}

static void test_wide_letters_take_two_columns(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 0; i < 36; i++)
		g_string_append(text, "\xe6\xb8\xac"); /* 36 ideographs fill a line */
	g_string_append(text, " b");
	notice_text_wrap(out, 0, text->str);
	assert_true(g_str_has_suffix(out->str, "\nb\n"));
}

static void test_links_longer_than_a_line_stay_whole(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *link = g_strnfill(100, 'x');
	g_autofree char *text = g_strdup_printf("see %s now", link);
	notice_text_wrap(out, 0, text);
	g_autofree char *expected = g_strdup_printf("see\n%s\nnow\n", link);
	assert_string_equal(out->str, expected);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_landing_that_names_no_item),
		cmocka_unit_test(test_several_landings_in_two_products),
		cmocka_unit_test(test_overdue_landings_for_a_list),
		cmocka_unit_test(test_hostile_words_stay_in_their_place),
		cmocka_unit_test(test_many_landings_are_counted_and_not_all_shown),
		cmocka_unit_test(test_many_items_are_counted_and_not_all_shown),
		cmocka_unit_test(test_subject_names_two_products_and_counts_the_rest),
		cmocka_unit_test(test_lines_wrap_at_72_columns),
		cmocka_unit_test(test_wide_letters_take_two_columns),
		cmocka_unit_test(test_links_longer_than_a_line_stay_whole),
	};
	if (count != 2)
		return 2;
	mails_folder = arguments[1];
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
