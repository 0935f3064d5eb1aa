/* SPDX-License-Identifier: ISC
 *
 * A reload touches what differs, and nothing else.
 */
#include <glib/gstdio.h>

#include "base/error.h"
#include "tests/unit/director/bed.h"

static void reload(Bed *bed)
{
	g_autoptr(GError) error = NULL;
	if (!director_reload(bed->director, &error))
		fail_msg("%s", error->message);
}

static void assert_watches(guint begun_expected, guint left_expected)
{
	guint begun, left;
	fakes_watches(&begun, &left);
	assert_int_equal(begun, begun_expected);
	assert_int_equal(left, left_expected);
}

/* Four servers of which 10.0.0.2 is down, and nothing left to be told. */
static void begin(Bed *bed)
{
	bed_four_servers(bed);
	fakes_result("10.0.0.2", "ProxyFetch", POOL_RESULT_DOWN, "503");
	guint begun, left;
	fakes_watches(&begun, &left);
	g_free(fakes_told());
}

static void test_reload_of_the_same_touches_nothing(void **state)
{
	Bed *bed = *state;
	begin(bed);
	reload(bed);
	bed_until_alert(bed, "list", NULL);
	for (int i = 0; i < 5; i++)
		bed_turn(bed);
	assert_told("");
	assert_watches(0, 0);
	g_autofree char *pooled = bed_pooled(bed);
	assert_string_equal(pooled, "10.0.0.1 10.0.0.3 10.0.0.4");
}

static void test_reload_reads_the_list_again(void **state)
{
	Bed *bed = *state;
	begin(bed);
	bed_list(bed, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5");
	reload(bed);
	bed_until_told(bed, "serve 10.0.0.5 10");
	assert_watches(1, 0);
}

static void test_changed_threshold_holds_who_is_needed(void **state)
{
	Bed *bed = *state;
	begin(bed);
	bed_configure(bed, "depool-threshold = 1", "");
	reload(bed);
	assert_told("serve 10.0.0.2 10\n");
	assert_watches(0, 0);
	g_autofree char *alert = bed_alert(bed, "held");
	assert_string_equal(alert, "10.0.0.2 are marked down but pooled");
}

static void test_changed_check_is_begun_anew_and_forgets_nothing(void **state)
{
	Bed *bed = *state;
	begin(bed);
	bed_configure(bed, "proxyfetch.interval = 3", "");
	reload(bed);
	assert_told("");
	assert_watches(4, 4);
	g_autofree char *up = bed_field(bed, "10.0.0.2", "up");
	assert_string_equal(up, "false");
}

static void test_added_monitor_leaves_the_others_alone(void **state)
{
	Bed *bed = *state;
	begin(bed);
	g_autofree char *text = NULL;
	g_file_get_contents(bed->config, &text, NULL, NULL);
	g_auto(GStrv) parts = g_strsplit(text, "[ 'ProxyFetch' ]", 2);
	g_autofree char *both = g_strjoinv("[ 'IdleConnection', 'ProxyFetch' ]", parts);
	bed_write(bed->config, both);
	reload(bed);
	assert_told("");
	assert_watches(4, 0);
	/* ProxyFetch is number two now. */
	fakes_result("10.0.0.3", "ProxyFetch", POOL_RESULT_DOWN, "503");
	assert_told("remove 10.0.0.3\n");
	fakes_result("10.0.0.3", "ProxyFetch", POOL_RESULT_UP, "200");
	assert_told("");
	fakes_result("10.0.0.3", "IdleConnection", POOL_RESULT_UP, "connected");
	assert_told("serve 10.0.0.3 10\n");
}

static void test_changed_scheduler_is_told_to_the_keeper(void **state)
{
	Bed *bed = *state;
	begin(bed);
	bed_configure(bed, "forward = tunnel", "");
	reload(bed);
	assert_told("service 192.0.2.1:80 wrr\n");
	assert_watches(0, 0);
}

static const char *tls(const Bed *bed)
{
	static char text[1000];
	g_snprintf(text, sizeof text,
		"[tls]\nprotocol = tcp\nip = 192.0.2.2\nport = 443\nscheduler = wrr\n"
		"config = file://%s/tls.json\n",
		bed->folder);
	return text;
}

static void test_services_come_and_go(void **state)
{
	Bed *bed = *state;
	g_autofree char *list = g_build_filename(bed->folder, "tls.json", NULL);
	begin(bed);
	bed_write(list, "{\"10.0.2.1\": {}}");
	bed_configure(bed, "", tls(bed));
	reload(bed);
	bed_until_told(bed, "announce 192.0.2.2");
	bed_until_file(bed, "list-tls.json", "10.0.2.1");
	bed_configure(bed, "", "");
	reload(bed);
	assert_told("forget 192.0.2.2:443\nwithdraw 192.0.2.2\n");
	g_autofree char *saved = g_build_filename(bed->state, "list-tls.json", NULL);
	assert_false(g_file_test(saved, G_FILE_TEST_EXISTS));
	assert_watches(0, 0);
}

static void test_renamed_section_is_the_same_service(void **state)
{
	Bed *bed = *state;
	begin(bed);
	assert_true(director_drain(bed->director, "web", "10.0.0.3", FALSE, "anna", NULL));
	g_free(fakes_told());
	g_autofree char *text = NULL;
	g_file_get_contents(bed->config, &text, NULL, NULL);
	g_auto(GStrv) parts = g_strsplit(text, "[web]", 2);
	g_autofree char *renamed = g_strjoinv("[front door]", parts);
	bed_write(bed->config, renamed);
	reload(bed);
	assert_told("");
	assert_watches(0, 0);
	bed_until_file(bed, "drains-front%20door.json", "anna");
	bed_until_file(bed, "list-front%20door.json", "10.0.0.4");
	g_autofree char *old = g_build_filename(bed->state, "list-web.json", NULL);
	assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
	assert_true(director_undrain(bed->director, "front door", "10.0.0.3", "anna", NULL));
}

static void test_services_may_swap_their_names(void **state)
{
	Bed *bed = *state;
	g_autofree char *list = g_build_filename(bed->folder, "tls.json", NULL);
	bed_write(list, "{\"10.0.2.1\": {}}");
	bed_configure(bed, "", tls(bed));
	bed_four_servers(bed);
	bed_until_file(bed, "list-web.json", "10.0.0.4");
	bed_until_file(bed, "list-tls.json", "10.0.2.1");
	g_free(fakes_told());
	g_autofree char *text = NULL;
	g_file_get_contents(bed->config, &text, NULL, NULL);
	memcpy(strstr(text, "[web]"), "[TLS]", 5);
	memcpy(strstr(text, "[tls]"), "[web]", 5);
	memcpy(strstr(text, "[TLS]"), "[tls]", 5);
	bed_write(bed->config, text);
	reload(bed);
	assert_told("");
	bed_until_file(bed, "list-tls.json", "10.0.0.4");
	bed_until_file(bed, "list-web.json", "10.0.2.1");
}

static void test_accepted_empty_list_stays_accepted(void **state)
{
	Bed *bed = *state;
	begin(bed);
	bed_write(bed->list, "{}");
	bed_until_alert(bed, "set-aside", "the new one is empty");
	assert_true(director_accept(bed->director, "web", "anna", NULL));
	reload(bed);
	for (int i = 0; i < 5; i++)
		bed_turn(bed);
	assert_null(bed_alert(bed, "set-aside"));
}

static void test_changed_list_url_keeps_the_pool(void **state)
{
	Bed *bed = *state;
	begin(bed);
	g_free(bed->list);
	bed->list = g_build_filename(bed->folder, "other.json", NULL);
	bed_list(bed, "10.0.0.1 10.0.0.2 10.0.0.3");
	bed_configure(bed, "", "");
	reload(bed);
	bed_until_told(bed, "drain 10.0.0.4");
	assert_watches(0, 1);
	g_autofree char *up = bed_field(bed, "10.0.0.2", "up");
	assert_string_equal(up, "false");
}

static void test_errors_change_nothing(void **state)
{
	Bed *bed = *state;
	begin(bed);
	static const struct {
		const char *more, *error;
	} table[] = {
		{"depool-threshold = 2", "depool"},
		{"proxyfetch.body-regex = (", "[web] proxyfetch.body-regex: missing )"},
		{"[tls]\nprotocol = tcp\nip = 192.0.2.1\nport = 80\nscheduler = rr\n"
		 "config = file:///nowhere",
			"is that of [web] already"},
		{"[oh", "lvs.conf"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(GError) error = NULL;
		bed_configure(bed, table[i].more, "");
		assert_false(director_reload(bed->director, &error));
		assert_non_null(strstr(error->message, table[i].error));
		g_autofree char *alert = bed_alert(bed, "configuration");
		assert_non_null(strstr(alert, "the reload changed nothing"));
		assert_told("");
		assert_watches(0, 0);
	}
	bed_configure(bed, "", "");
	reload(bed);
	assert_null(bed_alert(bed, "configuration"));
}

static void test_start_with_errors_says_all_of_them(void **state)
{
	Bed *bed = *state;
	bed_configure(bed, "rise = 0\nfall = x", "");
	g_autoptr(GError) error = NULL;
	const DirectorOptions options = {
		.base = bed->base, .config_path = bed->config, .state_folder = bed->state};
	assert_null(director_new(&options, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_non_null(strstr(error->message, "rise"));
	assert_non_null(strstr(error->message, "fall"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
		TEST(test_reload_of_the_same_touches_nothing),
		TEST(test_reload_reads_the_list_again),
		TEST(test_changed_threshold_holds_who_is_needed),
		TEST(test_changed_check_is_begun_anew_and_forgets_nothing),
		TEST(test_added_monitor_leaves_the_others_alone),
		TEST(test_changed_scheduler_is_told_to_the_keeper),
		TEST(test_services_come_and_go),
		TEST(test_renamed_section_is_the_same_service),
		TEST(test_services_may_swap_their_names),
		TEST(test_accepted_empty_list_stays_accepted),
		TEST(test_changed_list_url_keeps_the_pool),
		TEST(test_errors_change_nothing),
		TEST(test_start_with_errors_says_all_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
