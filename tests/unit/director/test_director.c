/* SPDX-License-Identifier: ISC
 *
 * The shell around the pool: what reaches the kernel, and when. Incidents, each as the director
 * lives through it.
 */
#include "tests/unit/director/bed.h"

#include <glib/gstdio.h>

#include "balance/director/parts.h"
#include "base/file.h"

#define assert_pooled(bed, expected)                                                               \
	do {                                                                                       \
		g_autofree char *pooled_ = bed_pooled(bed);                                        \
		assert_string_equal(pooled_, expected);                                            \
	} while (0)
#define assert_field(bed, host, field, expected)                                                   \
	do {                                                                                       \
		g_autofree char *field_ = bed_field(bed, host, field);                             \
		assert_string_equal(field_, expected);                                             \
	} while (0)

static void fail_check(const char *host)
{
	assert_true(fakes_result(host, "ProxyFetch", POOL_RESULT_DOWN, "503 in 2 ms"));
}

static void test_list_is_said_to_the_kernel_whole(void **state)
{
	Bed *bed = *state;
	bed_list(bed, "10.0.0.1 10.0.0.2");
	bed_start(bed);
	assert_told("start\n");
	bed_until_told(bed, "announce 192.0.2.1");
	assert_pooled(bed, "10.0.0.1 10.0.0.2");
	assert_field(bed, "10.0.0.1", "state", "\"unchecked\"");
}

static void test_kernel_is_left_alone_until_names_are_looked_up(void **state)
{
	Bed *bed = *state;
	bed_list(bed, "a b c");
	bed_start(bed);
	bed_until_file(bed, "list-web.json", "\"a\"");
	fakes_resolve("a", "10.0.0.1", NULL);
	fakes_resolve("c", "10.0.0.3", NULL);
	assert_told("start\n");
	fakes_resolve("b", NULL, "no such name");
	g_autofree char *told = fakes_told();
	assert_non_null(strstr(told, "service 192.0.2.1:80 wrr\n"));
	assert_non_null(strstr(told, "serve 10.0.0.1 10\n"));
	assert_non_null(strstr(told, "serve 10.0.0.3 10\n"));
	assert_non_null(strstr(told, "announce 192.0.2.1\n"));
	bed_until_alert(bed, "address", "b: no such name");
	fakes_resolve("b", "10.0.0.2", NULL);
	assert_told("serve 10.0.0.2 10\n");
	bed_until_alert(bed, "address", NULL);
}

/* DIRECTOR_ADOPT_MS */
static void test_name_without_an_answer_is_not_waited_for_for_ever(void **state)
{
	Bed *bed = *state;
	bed_list(bed, "a b");
	bed_start(bed);
	bed_until_file(bed, "list-web.json", "\"a\"");
	fakes_resolve("a", "10.0.0.1", NULL);
	bed_until_told(bed, "serve 10.0.0.1 10");
	fakes_resolve("b", "10.0.0.2", NULL);
	assert_told("serve 10.0.0.2 10\n");
}

static void test_long_name_of_who_drains_is_cut(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	g_autofree char *who = g_strnfill(300, 'x');
	assert_true(director_drain(bed->director, "web", "10.0.0.2", FALSE, who, NULL));
	g_autofree char *shown = bed_field(bed, "10.0.0.2", "who");
	assert_int_equal(strlen(shown), SAVED_MAXIMUM_WHO_BYTES + 2);
}

static void test_service_without_any_list_waits(void **state)
{
	Bed *bed = *state;
	bed_start(bed);
	bed_until_alert(bed, "list", "there is no older list");
	assert_told("start\n");
	bed_list(bed, "10.0.0.1");
	bed_until_told(bed, "serve 10.0.0.1 10");
	bed_until_alert(bed, "list", NULL);
}

static void test_failing_server_leaves_and_comes_back(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	fail_check("10.0.0.2");
	assert_told("remove 10.0.0.2\n");
	assert_field(bed, "10.0.0.2", "why", "\"ProxyFetch: 503 in 2 ms\"");
	assert_field(bed, "10.0.0.2", "state", "\"down\"");
	fakes_result("10.0.0.2", "ProxyFetch", POOL_RESULT_UP, "200 in 3 ms");
	assert_told("serve 10.0.0.2 10\n");
}

static void test_weight_grows_after_recovery(void **state)
{
	Bed *bed = *state;
	bed_configure(bed, "slow-start = 1", "");
	bed_four_servers(bed);
	fail_check("10.0.0.2");
	g_free(fakes_told());
	fakes_result("10.0.0.2", "ProxyFetch", POOL_RESULT_UP, "200 in 3 ms");
	assert_told("serve 10.0.0.2 1\n");
	bed_until_told(bed, "serve 10.0.0.2 10");
}

static void test_list_that_would_take_all_is_set_aside_until_accepted(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	bed_list(bed, "10.0.1.1 10.0.1.2");
	bed_until_alert(bed, "set-aside", "leave 0 of 4 healthy servers");
	assert_told("");
	assert_pooled(bed, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4");
	assert_true(director_accept(bed->director, "web", "anna", NULL));
	assert_told("serve 10.0.1.1 10\nserve 10.0.1.2 10\ndrain 10.0.0.1\ndrain 10.0.0.2\n"
		    "drain 10.0.0.3\ndrain 10.0.0.4\n");
	assert_null(bed_alert(bed, "set-aside"));
	g_autoptr(GError) error = NULL;
	assert_false(director_accept(bed->director, "web", "anna", &error));
	assert_true(drover_error_is(error, DROVER_ERROR_CONFLICT));
}

static void test_set_aside_list_that_is_taken_back_is_forgotten(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	bed_list(bed, "10.0.1.1 10.0.1.2");
	bed_until_alert(bed, "set-aside", "leave 0 of 4");
	bed_list(bed, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4");
	bed_until_alert(bed, "set-aside", NULL);
	assert_told("");
}

static void test_unreadable_list_keeps_the_last(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	bed_write(bed->list, "{\"10.0.0.1\": ");
	bed_until_alert(bed, "list", "the last good list stays");
	g_unlink(bed->list);
	bed_until_alert(bed, "list", "No such file");
	assert_told("");
	assert_pooled(bed, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4");
}

static void test_empty_list_keeps_the_last_until_accepted(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	bed_write(bed->list, "{}");
	bed_until_alert(bed, "set-aside", "the new one is empty");
	assert_told("");
	assert_true(director_accept(bed->director, "web", "anna", NULL));
	assert_told("drain 10.0.0.1\ndrain 10.0.0.2\ndrain 10.0.0.3\ndrain 10.0.0.4\n"
		    "withdraw 192.0.2.1\n");
}

/* Lists and state are lost at one time, and the kernel still has its servers. */
static void test_empty_list_without_an_older_one_leaves_the_kernel_alone(void **state)
{
	Bed *bed = *state;
	bed_write(bed->list, "{}");
	bed_start(bed);
	bed_until_alert(bed, "set-aside", "there is no older list");
	assert_told("start\n");
	assert_true(director_accept(bed->director, "web", "anna", NULL));
	assert_told("service 192.0.2.1:80 wrr\n");
	bed_until_file(bed, "list-web.json", "servers");
	bed_stop(bed);
	bed_start(bed);
	bed_until_told(bed, "service 192.0.2.1:80 wrr");
}

static void test_first_list_with_bad_lines_is_obeyed_without_them(void **state)
{
	Bed *bed = *state;
	bed_write(bed->list, "{\"10.0.0.1\": {}, \"10.0.0.2\": {\"weight\": -1}}");
	bed_start(bed);
	bed_until_told(bed, "serve 10.0.0.1 10");
	bed_until_alert(bed, "list", "1 bad lines are skipped, there is no older list");
	assert_pooled(bed, "10.0.0.1");
}

static void test_thousand_servers_that_fail_at_once_are_held_at_the_floor(void **state)
{
	Bed *bed = *state;
	g_autoptr(GString) hosts = g_string_new(NULL);
	for (int i = 0; i < 1000; i++)
		g_string_append_printf(hosts, "%s10.1.%d.%d", i > 0 ? " " : "", i / 100, i % 100);
	bed_list(bed, hosts->str);
	bed_start(bed);
	bed_until_told(bed, "announce 192.0.2.1");
	for (int i = 0; i < 1000; i++) {
		g_autofree char *host = g_strdup_printf("10.1.%d.%d", i / 100, i % 100);
		fail_check(host);
	}
	g_autofree char *told = fakes_told();
	g_auto(GStrv) lines = g_strsplit(g_strstrip(told), "\n", -1);
	/* 500 may leave; when the last one of the others is down the route goes. */
	assert_int_equal(g_strv_length(lines), 501);
	assert_string_equal(lines[0], "remove 10.1.0.0");
	assert_string_equal(lines[499], "remove 10.1.4.99");
	assert_string_equal(lines[500], "withdraw 192.0.2.1");
	g_autofree char *alert = bed_alert(bed, "held");
	assert_string_equal(alert, "10.1.5.0, 10.1.5.1, 10.1.5.10, 10.1.5.11, 10.1.5.12, "
				   "10.1.5.13, 10.1.5.14, 10.1.5.15, 10.1.5.16, 10.1.5.17 and 490 "
				   "more are marked down but pooled");
	fakes_result("10.1.0.0", "ProxyFetch", POOL_RESULT_UP, "200 in 3 ms");
	assert_told("serve 10.1.0.0 10\nannounce 192.0.2.1\n");
}

static void test_server_in_maintenance_counts_as_able(void **state)
{
	Bed *bed = *state;
	bed_configure(bed, "announce-min = 1", "");
	bed_list(bed, "10.0.0.1");
	bed_start(bed);
	bed_until_told(bed, "announce 192.0.2.1");
	fakes_result("10.0.0.1", "ProxyFetch", POOL_RESULT_MAINTENANCE, "503, maintenance");
	assert_told("");
	fail_check("10.0.0.1");
	assert_told("withdraw 192.0.2.1\n");
}

static void test_route_is_of_all_services_of_an_address(void **state)
{
	Bed *bed = *state;
	g_autofree char *other =
		g_strdup_printf("[tls]\nprotocol = tcp\nip = 192.0.2.1\nport = 443\n"
				"scheduler = wrr\nconfig = file://%s/tls.json\n",
			bed->folder);
	g_autofree char *list = g_build_filename(bed->folder, "tls.json", NULL);
	bed_configure(bed, "", other);
	bed_write(list, "{\"10.0.2.1\": {}}");
	bed_list(bed, "10.0.0.1");
	bed_start(bed);
	bed_until_told(bed, "serve 10.0.0.1 10");
	bed_until_alert(bed, "list", NULL);
	fail_check("10.0.0.1");
	assert_pooled(bed, "10.0.0.1");
	g_autofree char *told = fakes_told();
	assert_null(strstr(told, "withdraw"));
}

static void test_announced_route_stays_while_a_start_waits(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	bed_stop(bed);
	file_remove(bed->state, NULL);
	g_unlink(bed->list);
	bed_start(bed);
	bed_until_alert(bed, "list", "there is no older list");
	assert_told("start\n");
	json_t *status = director_status(bed->director);
	json_t *service = json_array_get(json_object_get(status, "services"), 0);
	assert_string_equal(json_string_value(json_object_get(service, "route")), "announced");
	json_decref(status);
}

static void test_restart_without_list_and_names_goes_on(void **state)
{
	Bed *bed = *state;
	bed_list(bed, "a b");
	bed_start(bed);
	bed_until_file(bed, "list-web.json", "\"a\"");
	fakes_resolve("a", "10.0.0.1", NULL);
	fakes_resolve("b", "10.0.0.2", NULL);
	bed_until_file(bed, "list-web.json", "10.0.0.2");
	bed_stop(bed);
	g_unlink(bed->list);
	bed_start(bed);
	g_autofree char *told = fakes_told();
	assert_non_null(strstr(told, "serve 10.0.0.1 10\n"));
	assert_non_null(strstr(told, "serve 10.0.0.2 10\n"));
	bed_until_alert(bed, "list", "the last good list stays");
	fakes_resolve("a", NULL, "no name server answers");
	bed_until_alert(bed, "address", "no name server answers (the last known address is used)");
	assert_told("");
	fakes_resolve("a", "10.0.0.1", NULL);
	bed_until_alert(bed, "address", NULL);
	assert_told("");
}

static void test_restart_keeps_drains_at_weight_0(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	assert_true(director_drain(bed->director, "web", "10.0.0.2", FALSE, "anna", NULL));
	assert_told("drain 10.0.0.2 stay\n");
	bed_stop(bed);
	bed_start(bed);
	bed_until_told(bed, "drain 10.0.0.2 stay");
	assert_pooled(bed, "10.0.0.1 10.0.0.3 10.0.0.4");
	assert_field(bed, "10.0.0.2", "who", "\"anna\"");
	assert_field(bed, "10.0.0.2", "drain", "\"draining\"");
	fakes_drained("10.0.0.2");
	assert_field(bed, "10.0.0.2", "drain", "\"drained\"");
	g_free(fakes_told());
	assert_true(director_undrain(bed->director, "web", "10.0.0.2", "anna", NULL));
	assert_told("serve 10.0.0.2 10\n");
}

static void test_server_that_was_off_the_list_is_a_new_one(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	assert_true(director_drain(bed->director, "web", "10.0.0.2", FALSE, "anna", NULL));
	bed_until_file(bed, "list-web.json", "10.0.0.4");
	bed_stop(bed);
	bed_list(bed, "10.0.0.1 10.0.0.3 10.0.0.4");
	bed_start(bed);
	bed_until_told(bed, "drain 10.0.0.2");
	bed_list(bed, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4");
	bed_until_told(bed, "serve 10.0.0.2 10");
}

/* With own = all the keeper would take what waits for a stranger's. */
static void test_keeper_of_all_starts_when_all_have_begun(void **state)
{
	Bed *bed = *state;
	g_autofree char *text = NULL;
	g_file_get_contents(bed->config, &text, NULL, NULL);
	g_autofree char *tls = g_build_filename(bed->folder, "tls.json", NULL);
	g_autofree char *all = g_strdup_printf("[global]\nown = all\n%s[tls]\nprotocol = tcp\n"
					       "ip = 192.0.2.2\nport = 443\nscheduler = wrr\n"
					       "config = file://%s\n",
		text + strlen("[global]\n"), tls);
	bed_write(bed->config, all);
	bed_list(bed, "10.0.0.1");
	bed_start(bed);
	bed_until_alert(bed, "list", "there is no older list");
	g_autofree char *told = fakes_told();
	assert_non_null(strstr(told, "serve 10.0.0.1 10\n"));
	assert_null(strstr(told, "start"));
	bed_write(tls, "{\"10.0.2.1\": {}}");
	bed_until_told(bed, "start");
}

static void test_damaged_saved_file_is_told_and_not_used(void **state)
{
	Bed *bed = *state;
	g_autofree char *path = g_build_filename(bed->state, "list-web.json", NULL);
	assert_int_equal(g_mkdir(bed->state, 0700), 0);
	bed_write(path, "{\"format\": 1, \"servers\": {\"10.0.0.9\": {\"weight\": 1}}}");
	bed_start(bed);
	bed_until_alert(bed, "state", "damaged, and not used");
	bed_list(bed, "10.0.0.1");
	bed_until_told(bed, "serve 10.0.0.1 10");
	bed_until_alert(bed, "state", NULL);
}

static void test_disk_that_takes_nothing_is_told_and_work_goes_on(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	bed_until_file(bed, "list-web.json", "10.0.0.4");
	file_remove(bed->state, NULL);
	bed_write(bed->state, "not a folder");
	assert_true(director_drain(bed->director, "web", "10.0.0.2", FALSE, "anna", NULL));
	assert_told("drain 10.0.0.2 stay\n");
	bed_until_alert(bed, "state", "drains-web.json");
	file_remove(bed->state, NULL);
	assert_int_equal(g_mkdir(bed->state, 0700), 0);
	assert_true(director_undrain(bed->director, "web", "10.0.0.2", "anna", NULL));
	bed_until_alert(bed, "state", NULL);
}

static guint count_files(const char *folder)
{
	guint count = 0;
	g_autoptr(GDir) files = g_dir_open(folder, 0, NULL);
	while (g_dir_read_name(files) != NULL)
		count++;
	return count;
}

/* 40 lists are new at one time, and a disk may take 20 ms for each. */
static void test_many_lists_are_saved_a_few_in_a_turn(void **state)
{
	Bed *bed = *state;
	g_autoptr(GString) rest = g_string_new(NULL);
	for (int i = 1; i < 40; i++)
		g_string_append_printf(rest,
			"[web%d]\nprotocol = tcp\nip = 192.0.2.1\nport = %d\nscheduler = wrr\n"
			"config = file://%s\n",
			i, 80 + i, bed->list);
	bed_configure(bed, "", rest->str);
	bed_list(bed, "10.0.0.1");
	bed_start(bed);
	while (count_files(bed->state) == 0)
		bed_turn(bed);
	assert_true(count_files(bed->state) <= 16);
	bed_until_file(bed, "list-web39.json", "10.0.0.1");
	assert_int_equal(count_files(bed->state), 40);
}

static void test_drain_that_the_floor_forbids_is_refused_with_words(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	fail_check("10.0.0.1");
	assert_true(director_drain(bed->director, "web", "10.0.0.2", FALSE, "anna", NULL));
	g_autoptr(GError) error = NULL;
	assert_false(director_drain(bed->director, "web", "10.0.0.3", FALSE, "anna", &error));
	assert_true(drover_error_is(error, DROVER_ERROR_CONFLICT));
	assert_string_equal(error->message,
		"drain of 10.0.0.3 refused: 2 of 4 servers are up and not draining, threshold 0.5 "
		"needs 2 left; 1 would remain");
	g_clear_error(&error);
	assert_false(director_drain(bed->director, "web", "nobody", FALSE, "anna", &error));
	assert_true(drover_error_is(error, DROVER_ERROR_NOT_FOUND));
	g_clear_error(&error);
	assert_false(director_drain(bed->director, "ftp", "10.0.0.3", FALSE, "anna", &error));
	assert_true(drover_error_is(error, DROVER_ERROR_NOT_FOUND));
}

static void test_dh_refuses_drains(void **state)
{
	Bed *bed = *state;
	g_autofree char *text = NULL;
	assert_true(g_file_get_contents(bed->config, &text, NULL, NULL));
	g_auto(GStrv) parts = g_strsplit(text, "wrr", 2);
	g_autofree char *with_dh = g_strjoinv("dh", parts);
	bed_write(bed->config, with_dh);
	bed_four_servers(bed);
	g_autoptr(GError) error = NULL;
	assert_false(director_drain(bed->director, "web", "10.0.0.2", TRUE, "anna", &error));
	assert_true(drover_error_is(error, DROVER_ERROR_CONFLICT));
	assert_non_null(strstr(error->message, "disable it in the server list"));
}

static void test_drained_server_that_leaves_the_list_leaves_the_kernel(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	assert_true(director_drain(bed->director, "web", "10.0.0.2", FALSE, "anna", NULL));
	fakes_drained("10.0.0.2");
	g_free(fakes_told());
	bed_list(bed, "10.0.0.1 10.0.0.3 10.0.0.4");
	bed_until_told(bed, "drain 10.0.0.2");
	/* Listed again it is a new server. */
	bed_list(bed, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4");
	bed_until_told(bed, "serve 10.0.0.2 10");
}

static void test_undrained_server_that_is_disabled_leaves_the_kernel(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	assert_true(director_drain(bed->director, "web", "10.0.0.2", FALSE, "anna", NULL));
	bed_write(bed->list, "{\"10.0.0.1\": {}, \"10.0.0.2\": {\"enabled\": false}, "
			     "\"10.0.0.3\": {}, \"10.0.0.4\": {}}");
	for (;;) {
		g_autofree char *enabled = bed_field(bed, "10.0.0.2", "enabled");
		if (strcmp(enabled, "false") == 0)
			break;
		bed_until_alert(bed, "list", NULL);
		bed_turn(bed);
	}
	g_free(fakes_told());
	assert_true(director_undrain(bed->director, "web", "10.0.0.2", "anna", NULL));
	assert_told("drain 10.0.0.2\n");
}

static void test_address_belongs_to_one_server(void **state)
{
	Bed *bed = *state;
	bed_list(bed, "a b");
	bed_start(bed);
	bed_until_file(bed, "list-web.json", "\"a\"");
	fakes_resolve("a", "10.0.0.1", NULL);
	fakes_resolve("b", "10.0.0.1", NULL);
	g_free(fakes_told());
	bed_until_alert(bed, "address", "b has the address 10.0.0.1 of a");
	assert_field(bed, "b", "ready", "false");
	fakes_resolve("a", "10.0.0.2", NULL);
	assert_told("drain 10.0.0.1\nserve 10.0.0.2 10\nserve 10.0.0.1 10\n");
	bed_until_alert(bed, "address", NULL);
}

static void test_names_may_swap_their_addresses(void **state)
{
	Bed *bed = *state;
	bed_list(bed, "a b");
	bed_start(bed);
	bed_until_file(bed, "list-web.json", "\"a\"");
	fakes_resolve("a", "10.0.0.1", NULL);
	fakes_resolve("b", "10.0.0.2", NULL);
	g_free(fakes_told());
	fakes_resolve("a", "10.0.0.2", NULL);
	assert_told("");
	assert_field(bed, "a", "address", "\"10.0.0.1\"");
	fakes_resolve("b", "10.0.0.1", NULL);
	assert_field(bed, "a", "address", "\"10.0.0.2\"");
	assert_field(bed, "b", "address", "\"10.0.0.1\"");
	g_autofree char *checked = fakes_checked_address("a", "ProxyFetch");
	assert_string_equal(checked, "10.0.0.2");
	bed_until_alert(bed, "address", NULL);
}

static void test_changed_address_drains_the_old_one(void **state)
{
	Bed *bed = *state;
	bed_list(bed, "a");
	bed_start(bed);
	bed_until_file(bed, "list-web.json", "\"a\"");
	fakes_resolve("a", "10.0.0.1", NULL);
	g_free(fakes_told());
	fakes_resolve("a", "10.0.0.7", NULL);
	assert_told("drain 10.0.0.1\nserve 10.0.0.7 10\n");
	g_autofree char *checked = fakes_checked_address("a", "ProxyFetch");
	assert_string_equal(checked, "10.0.0.7");
	bed_until_file(bed, "list-web.json", "10.0.0.7");
}

static void test_revoked_drain_comes_back_before_anybody_is_held(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	assert_true(director_drain(bed->director, "web", "10.0.0.1", FALSE, "anna", NULL));
	fail_check("10.0.0.2");
	g_free(fakes_told());
	fail_check("10.0.0.3");
	assert_told("serve 10.0.0.1 10\nremove 10.0.0.3\n");
	assert_field(bed, "10.0.0.1", "who", "null");
	bed_stop(bed);
	bed_start(bed);
	assert_field(bed, "10.0.0.1", "drain", "\"none\"");
}

static void test_kernel_in_trouble_is_an_alert(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	fakes_trouble("the kernel has no scheduler wrr");
	bed_until_alert(bed, "kernel", "no scheduler wrr");
	fakes_trouble(NULL);
	bed_until_alert(bed, "kernel", NULL);
}

static void test_route_that_fails_is_an_alert(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	fakes_break_routes(TRUE);
	for (int i = 1; i <= 4; i++) {
		g_autofree char *host = g_strdup_printf("10.0.0.%d", i);
		fail_check(host);
	}
	bed_until_alert(bed, "route", "the kernel takes no routes");
	fakes_break_routes(FALSE);
	fakes_result("10.0.0.1", "ProxyFetch", POOL_RESULT_UP, "200");
	fail_check("10.0.0.1");
	bed_until_alert(bed, "route", NULL);
}

static void test_route_that_fails_is_not_forgotten_for_one_that_does_not(void **state)
{
	Bed *bed = *state;
	g_autofree char *other = g_build_filename(bed->folder, "tls.json", NULL);
	g_autofree char *rest = g_strdup_printf(
		"[tls]\nprotocol = tcp\nip = 192.0.2.2\nport = 443\nscheduler = wrr\n"
		"config = file://%s\nmonitors = ProxyFetch\nproxyfetch.url = http://tls/\n",
		other);
	bed_configure(bed, "", rest);
	bed_list(bed, "10.0.0.1");
	bed_write(other, "{\"10.0.2.1\": {}}");
	bed_start(bed);
	bed_until_told(bed, "announce 192.0.2.2");
	fakes_break_routes(TRUE);
	fail_check("10.0.0.1");
	fakes_break_routes(FALSE);
	fail_check("10.0.2.1");
	bed_until_alert(bed, "route", "the kernel takes no routes");
	assert_true(director_reload(bed->director, NULL));
	bed_until_alert(bed, "route", NULL);
}

static void test_stop_that_is_meant_withdraws_routes(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	assert_true(director_withdraw(bed->director, NULL));
	assert_told("withdraw 192.0.2.1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
		TEST(test_list_is_said_to_the_kernel_whole),
		TEST(test_kernel_is_left_alone_until_names_are_looked_up),
		TEST(test_name_without_an_answer_is_not_waited_for_for_ever),
		TEST(test_long_name_of_who_drains_is_cut),
		TEST(test_service_without_any_list_waits),
		TEST(test_failing_server_leaves_and_comes_back),
		TEST(test_weight_grows_after_recovery),
		TEST(test_list_that_would_take_all_is_set_aside_until_accepted),
		TEST(test_set_aside_list_that_is_taken_back_is_forgotten),
		TEST(test_unreadable_list_keeps_the_last),
		TEST(test_empty_list_keeps_the_last_until_accepted),
		TEST(test_empty_list_without_an_older_one_leaves_the_kernel_alone),
		TEST(test_first_list_with_bad_lines_is_obeyed_without_them),
		TEST(test_thousand_servers_that_fail_at_once_are_held_at_the_floor),
		TEST(test_server_in_maintenance_counts_as_able),
		TEST(test_route_is_of_all_services_of_an_address),
		TEST(test_announced_route_stays_while_a_start_waits),
		TEST(test_restart_without_list_and_names_goes_on),
		TEST(test_restart_keeps_drains_at_weight_0),
		TEST(test_server_that_was_off_the_list_is_a_new_one),
		TEST(test_keeper_of_all_starts_when_all_have_begun),
		TEST(test_damaged_saved_file_is_told_and_not_used),
		TEST(test_disk_that_takes_nothing_is_told_and_work_goes_on),
		TEST(test_many_lists_are_saved_a_few_in_a_turn),
		TEST(test_drain_that_the_floor_forbids_is_refused_with_words),
		TEST(test_dh_refuses_drains),
		TEST(test_drained_server_that_leaves_the_list_leaves_the_kernel),
		TEST(test_undrained_server_that_is_disabled_leaves_the_kernel),
		TEST(test_address_belongs_to_one_server),
		TEST(test_names_may_swap_their_addresses),
		TEST(test_changed_address_drains_the_old_one),
		TEST(test_revoked_drain_comes_back_before_anybody_is_held),
		TEST(test_kernel_in_trouble_is_an_alert),
		TEST(test_route_that_fails_is_an_alert),
		TEST(test_route_that_fails_is_not_forgotten_for_one_that_does_not),
		TEST(test_stop_that_is_meant_withdraws_routes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
