/* SPDX-License-Identifier: ISC
 *
 * droverd's orders: what each is answered, and that it is tried once.
 */
#include "tests/unit/director/bed.h"

#include "balance/director/parts.h"

/* News of a list of four servers, with an order for the first two of them. */
static void say_list(Bed *bed, const char *list, SourceOrder first, SourceOrder second)
{
	g_autoptr(ServerList) parsed = server_list_parse("l", SERVER_LIST_JSON, list, strlen(list));
	const SourceOrder orders[4] = {first, second};
	const SourceNews news = {.list = parsed, .orders = orders, .version = 17, .epoch = 3};
	service_take_news(&news, director_find(bed->director, "web"));
}

static void say(Bed *bed, SourceOrder first, SourceOrder second)
{
	say_list(bed, "{\"10.0.0.1\": {}, \"10.0.0.2\": {}, \"10.0.0.3\": {}, \"10.0.0.4\": {}}",
		first, second);
}

#define NOTHING		      ((SourceOrder){0})
#define ORDER(wanted, number) ((SourceOrder){.drain = POOL_DRAIN_##wanted, .id = number})
#define FORCED(wanted, number)                                                                     \
	((SourceOrder){.drain = POOL_DRAIN_##wanted, .forced = TRUE, .id = number})

/* "41 working" or "41 refused: why" */
static char *answer_to(Bed *bed, const char *host)
{
	json_t *report = service_report(director_find(bed->director, "web")), *server;
	char *text = NULL;
	size_t i;
	json_array_foreach (json_object_get(report, "servers"), i, server) {
		if (strcmp(json_string_value(json_object_get(server, "host")), host) != 0)
			continue;
		const char *why = json_string_value(json_object_get(server, "answer_why"));
		text = g_strdup_printf("%d %s%s%s",
			(int)json_integer_value(json_object_get(server, "order_id")),
			json_string_value(json_object_get(server, "answer")),
			why != NULL ? ": " : "", why != NULL ? why : "");
	}
	json_decref(report);
	return text;
}

#define assert_answer(bed, host, expected)                                                         \
	do {                                                                                       \
		g_autofree char *answer_ = answer_to(bed, host);                                   \
		assert_string_equal(answer_, expected);                                            \
	} while (0)

#define REFUSED                                                                                    \
	"refused: drain of 10.0.0.1 refused: 2 of 4 servers are up and not draining, threshold "   \
	"0.5 needs 2 left; 1 would remain"

static void fail_two(void)
{
	fakes_result("10.0.0.3", "ProxyFetch", POOL_RESULT_DOWN, "503");
	fakes_result("10.0.0.4", "ProxyFetch", POOL_RESULT_DOWN, "503");
	g_free(fakes_told());
}

static void test_reservation_then_drain_then_serve(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	assert_answer(bed, "10.0.0.1", "0 serving");
	say(bed, ORDER(RESERVED, 40), NOTHING);
	assert_told("");
	assert_answer(bed, "10.0.0.1", "40 reserved");
	say(bed, ORDER(DRAINING, 41), NOTHING);
	assert_told("drain 10.0.0.1 stay\n");
	assert_answer(bed, "10.0.0.1", "41 working");
	fakes_drained("10.0.0.1");
	assert_answer(bed, "10.0.0.1", "41 drained");
	say(bed, ORDER(NONE, 42), NOTHING);
	assert_told("serve 10.0.0.1 10\n");
	assert_answer(bed, "10.0.0.1", "42 serving");
}

static void test_order_that_is_gone_ends_its_drain(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	say(bed, ORDER(DRAINING, 41), NOTHING);
	g_free(fakes_told());
	say(bed, NOTHING, NOTHING);
	assert_told("serve 10.0.0.1 10\n");
	assert_answer(bed, "10.0.0.1", "0 serving");
}

static void test_drain_becomes_a_reservation(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	say(bed, ORDER(DRAINING, 41), NOTHING);
	g_free(fakes_told());
	say(bed, ORDER(RESERVED, 42), NOTHING);
	assert_told("serve 10.0.0.1 10\n");
	assert_answer(bed, "10.0.0.1", "42 reserved");
}

static void test_refused_order_is_not_tried_again(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	fail_two();
	say(bed, ORDER(DRAINING, 41), NOTHING);
	assert_answer(bed, "10.0.0.1", "41 " REFUSED);
	fakes_result("10.0.0.3", "ProxyFetch", POOL_RESULT_UP, "200");
	g_free(fakes_told());
	say(bed, ORDER(DRAINING, 41), NOTHING);
	assert_told("");
	assert_answer(bed, "10.0.0.1", "41 " REFUSED);
	say(bed, ORDER(DRAINING, 43), NOTHING);
	assert_told("drain 10.0.0.1 stay\n");
}

/* A balancer that comes anew while somebody works on web1. */
static void test_order_for_names_waits_until_they_are_looked_up(void **state)
{
	Bed *bed = *state;
	bed_start(bed);
	say_list(bed, "{\"web1\": {}, \"web2\": {}, \"web3\": {}, \"web4\": {}}",
		ORDER(DRAINING, 41), NOTHING);
	assert_answer(bed, "web1", "0 serving");
	for (int i = 1; i <= 4; i++) {
		g_autofree char *name = g_strdup_printf("web%d", i);
		g_autofree char *address = g_strdup_printf("10.0.0.%d", i);
		assert_true(fakes_resolve(name, address, NULL));
	}
	assert_answer(bed, "web1", "41 working");
	g_autofree char *told = fakes_told();
	assert_non_null(strstr(told, "drain 10.0.0.1 stay\n"));
	assert_null(strstr(told, "serve 10.0.0.1 "));
	assert_non_null(strstr(told, "serve 10.0.0.4 10\n"));
}

static void test_forced_order_is_obeyed(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	fail_two();
	say(bed, FORCED(DRAINING, 41), NOTHING);
	assert_told("drain 10.0.0.1 stay\n");
	assert_answer(bed, "10.0.0.1", "41 working");
}

static void test_revoked_order_is_not_tried_again_nor_after_a_restart(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	say(bed, ORDER(DRAINING, 41), NOTHING);
	fail_two();
	assert_answer(bed, "10.0.0.1",
		"41 revoked: the floor broke: of 4 servers 2 must be up and not drained");
	say(bed, ORDER(DRAINING, 41), NOTHING);
	assert_told("");
	bed_stop(bed);
	bed_start(bed);
	g_free(fakes_told());
	say(bed, ORDER(DRAINING, 41), NOTHING);
	assert_told("");
	assert_answer(bed, "10.0.0.1",
		"41 revoked: the floor broke: of 4 servers 2 must be up and not drained");
}

static void test_reservation_survives_a_restart(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	say(bed, ORDER(RESERVED, 40), ORDER(DRAINING, 41));
	bed_stop(bed);
	bed_start(bed);
	assert_answer(bed, "10.0.0.1", "40 reserved");
	assert_answer(bed, "10.0.0.2", "41 working");
	say(bed, ORDER(RESERVED, 40), ORDER(DRAINING, 41));
	assert_answer(bed, "10.0.0.2", "41 working");
}

static void test_drain_of_a_person_is_not_ended_by_droverd(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	assert_true(director_drain(bed->director, "web", "10.0.0.1", FALSE, "anna", NULL));
	g_free(fakes_told());
	say(bed, NOTHING, NOTHING);
	assert_answer(bed, "10.0.0.1", "0 working");
	say(bed, ORDER(NONE, 42), NOTHING);
	assert_told("");
	assert_answer(bed, "10.0.0.1",
		"42 refused: anna drained it at the balancer, and has to take that back there");
	assert_true(director_undrain(bed->director, "web", "10.0.0.1", "anna", NULL));
	assert_told("serve 10.0.0.1 10\n");
}

static void test_person_at_the_balancer_may_end_droverds_drain(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	say(bed, ORDER(DRAINING, 41), NOTHING);
	assert_true(director_undrain(bed->director, "web", "10.0.0.1", "anna", NULL));
	assert_answer(bed, "10.0.0.1", "41 revoked: anna took it back at the balancer");
	g_free(fakes_told());
	say(bed, ORDER(DRAINING, 41), NOTHING);
	assert_told("");
}

static void test_server_that_goes_down_while_it_drains_is_drained(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	say(bed, ORDER(DRAINING, 41), NOTHING);
	g_free(fakes_told());
	fakes_result("10.0.0.1", "ProxyFetch", POOL_RESULT_DOWN, "refused");
	assert_told("remove 10.0.0.1\n");
	assert_answer(bed, "10.0.0.1", "41 drained");
}

static void test_report_says_what_droverd_needs(void **state)
{
	Bed *bed = *state;
	bed_four_servers(bed);
	say(bed, ORDER(DRAINING, 41), NOTHING);
	json_t *report = service_report(director_find(bed->director, "web"));
	assert_int_equal(json_integer_value(json_object_get(report, "version")), 17);
	assert_int_equal(json_integer_value(json_object_get(report, "epoch")), 3);
	assert_true(json_is_true(json_object_get(report, "can_serve")));
	assert_true(json_is_true(json_object_get(report, "can_depool")));
	json_t *server = json_array_get(json_object_get(report, "servers"), 0);
	json_object_del(server, "since");
	json_object_del(server, "checked");
	char *text = json_dumps(server, JSON_COMPACT);
	assert_string_equal(text,
		"{\"host\":\"10.0.0.1\",\"address\":\"10.0.0.1\",\"state\":\"up\","
		"\"pooled\":false,\"held\":false,\"enabled\":true,\"weight\":10,"
		"\"current_weight\":0,\"active\":3,\"inactive\":12,"
		"\"why\":\"ProxyFetch: 200 in 3 ms\",\"order_id\":41,\"answer\":\"working\","
		"\"answer_why\":null}");
	free(text);
	json_decref(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
		TEST(test_reservation_then_drain_then_serve),
		TEST(test_order_that_is_gone_ends_its_drain),
		TEST(test_drain_becomes_a_reservation),
		TEST(test_refused_order_is_not_tried_again),
		TEST(test_order_for_names_waits_until_they_are_looked_up),
		TEST(test_forced_order_is_obeyed),
		TEST(test_revoked_order_is_not_tried_again_nor_after_a_restart),
		TEST(test_reservation_survives_a_restart),
		TEST(test_drain_of_a_person_is_not_ended_by_droverd),
		TEST(test_person_at_the_balancer_may_end_droverds_drain),
		TEST(test_server_that_goes_down_while_it_drains_is_drained),
		TEST(test_report_says_what_droverd_needs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
