/* SPDX-License-Identifier: ISC
 *
 * What is kept on disk: what was written is read, and what was damaged is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "balance/director/saved.h"
#include "tests/unit/base/temporary.h"

static void test_list_is_read_as_it_was_written(void **state)
{
	g_autoptr(Saved) before = saved_new(), after = saved_new();
	Address address;
	assert_true(address_parse("2001:db8::1", &address));
	saved_add_server(before, "a", TRUE, 10, &address);
	saved_add_server(before, "b", FALSE, 0, &(Address){0});
	assert_true(saved_write_list(before, *state, "web", NULL));
	gboolean found;
	assert_true(saved_read_list(after, *state, "web", &found, NULL));
	assert_true(found);
	assert_int_equal(after->servers->len, 2);
	const SavedServer *a = &g_array_index(after->servers, SavedServer, 0);
	const SavedServer *b = &g_array_index(after->servers, SavedServer, 1);
	assert_string_equal(a->entry.name, "a");
	assert_true(a->entry.enabled && a->entry.weight == 10);
	assert_true(address_equal(&a->address, &address));
	assert_string_equal(b->entry.name, "b");
	assert_true(!b->entry.enabled && b->entry.has_weight && b->entry.weight == 0);
	assert_int_equal(b->address.family, 0);
}

static void test_drains_are_read_as_they_were_written(void **state)
{
	g_autoptr(Saved) before = saved_new(), after = saved_new();
	saved_add_drain(before, &(SavedDrain){.host = (char *)"a",
					.drain = POOL_DRAIN_DRAINING,
					.forced = TRUE,
					.who = (char *)"anna"});
	saved_add_drain(before, &(SavedDrain){.host = (char *)"b",
					.order = {POOL_DRAIN_RESERVED, FALSE, 41},
					.answer = ORDER_REFUSED,
					.why = (char *)"too few"});
	before->url = g_strdup("drover://host/pools/web");
	before->epoch = 3;
	assert_true(saved_write_drains(before, *state, "web", NULL));
	assert_true(saved_read_drains(after, *state, "web", NULL));
	assert_string_equal(after->url, "drover://host/pools/web");
	assert_int_equal(after->epoch, 3);
	assert_int_equal(after->drains->len, 2);
	const SavedDrain *a = &g_array_index(after->drains, SavedDrain, 0);
	const SavedDrain *b = &g_array_index(after->drains, SavedDrain, 1);
	assert_true(a->drain == POOL_DRAIN_DRAINING && a->forced && a->order.id == 0);
	assert_string_equal(a->who, "anna");
	assert_true(b->drain == POOL_DRAIN_NONE && b->who == NULL && b->order.id == 41);
	assert_true(b->order.drain == POOL_DRAIN_RESERVED && b->answer == ORDER_REFUSED);
	assert_string_equal(b->why, "too few");
}

static void test_no_file_is_no_error(void **state)
{
	g_autoptr(Saved) saved = saved_new();
	gboolean found;
	assert_true(saved_read_list(saved, *state, "web", &found, NULL));
	assert_false(found);
	assert_true(saved_read_drains(saved, *state, "web", NULL));
}

#define LIST(servers) "{\"format\":1,\"servers\":{" servers "}}"
#define GOOD	      "\"a\":{\"enabled\":true,\"weight\":10}"
#define DRAIN(rest)   LIST("\"a\":{\"forced\":false,\"why\":null,\"order_forced\":false," rest "}")

static void test_damaged_list_is_refused_whole(void **state)
{
	static const char *const damaged[] = {
		"",
		"{",
		"[]",
		"{\"format\":2,\"servers\":{}}",
		"{\"servers\":{}}",
		"{\"format\":1,\"epoch\":-1,\"servers\":{}}",
		"{\"format\":1,\"url\":7,\"servers\":{}}",
		"{\"format\":1,\"servers\":[]}",
		LIST(GOOD ",\"b c\":{\"enabled\":true,\"weight\":10}"),
		LIST(GOOD ",\"b\":{\"enabled\":true}"),
		LIST(GOOD ",\"b\":{\"weight\":10}"),
		LIST(GOOD ",\"b\":{\"enabled\":true,\"weight\":70000}"),
		LIST(GOOD ",\"b\":{\"enabled\":true,\"weight\":10,\"address\":\"b\"}"),
		LIST(GOOD ",\"b\":{\"enabled\":true,\"weight\":10,\"address\":7}"),
		LIST(GOOD "," GOOD),
	};
	for (gsize i = 0; i < G_N_ELEMENTS(damaged); i++) {
		g_autoptr(Saved) saved = saved_new();
		g_autoptr(GError) error = NULL;
		if (saved_parse_list(saved, "f", damaged[i], strlen(damaged[i]), &error))
			fail_msg("%s", damaged[i]);
		assert_true(g_str_has_prefix(error->message, "f:"));
		assert_int_equal(saved->servers->len, 0);
	}
	g_autoptr(Saved) saved = saved_new();
	assert_true(saved_parse_list(saved, "f", LIST(GOOD), strlen(LIST(GOOD)), NULL));
}

static void test_damaged_drains_are_refused_whole(void **state)
{
	static const char good[] =
		DRAIN("\"drain\":\"draining\",\"who\":\"x\",\"order_id\":0,\"order\":\"none\","
		      "\"answer\":\"obeyed\"");
	static const char *const damaged[] = {
		DRAIN("\"drain\":\"gone\",\"who\":\"x\",\"order_id\":0,\"order\":\"none\","
		      "\"answer\":\"obeyed\""),
		DRAIN("\"drain\":\"draining\",\"who\":null,\"order_id\":0,\"order\":\"none\","
		      "\"answer\":\"obeyed\""),
		DRAIN("\"drain\":\"draining\",\"who\":\"x\",\"order_id\":-1,\"order\":\"none\","
		      "\"answer\":\"obeyed\""),
		DRAIN("\"drain\":\"draining\",\"who\":\"x\",\"order_id\":0,\"order\":7,"
		      "\"answer\":\"obeyed\""),
		DRAIN("\"drain\":\"draining\",\"who\":\"x\",\"order_id\":0,\"order\":\"none\""),
		LIST("\"a\":7"),
	};
	for (gsize i = 0; i < G_N_ELEMENTS(damaged); i++) {
		g_autoptr(Saved) saved = saved_new();
		g_autoptr(GError) error = NULL;
		if (saved_parse_drains(saved, "f", damaged[i], strlen(damaged[i]), &error))
			fail_msg("%s", damaged[i]);
		assert_int_equal(saved->drains->len, 0);
	}
	g_autoptr(Saved) saved = saved_new();
	assert_true(saved_parse_drains(saved, "f", good, strlen(good), NULL));
}

static void test_file_over_the_limit_is_refused(void **state)
{
	g_autoptr(Saved) saved = saved_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *path = saved_path(*state, "list", "web");
	assert_true(g_file_set_contents(path, "", 0, NULL));
	assert_int_equal(truncate(path, SAVED_MAXIMUM_BYTES + 1), 0);
	gboolean found;
	assert_false(saved_read_list(saved, *state, "web", &found, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
	assert_false(found);
}

static void test_names_of_files_are_safe_and_each_its_own(void **state)
{
	static const struct {
		const char *service, *path;
	} table[] = {
		{"web", "/s/list-web.json"},
		{"front door", "/s/list-front%20door.json"},
		{"../../etc/passwd", "/s/list-..%2F..%2Fetc%2Fpasswd.json"},
		{"a%20b", "/s/list-a%2520b.json"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autofree char *path = saved_path("/s", "list", table[i].service);
		assert_string_equal(path, table[i].path);
	}
	g_autofree char *one = g_strnfill(3000, 'x');
	g_autofree char *other = g_strconcat(one, "y", NULL);
	g_autofree char *one_path = saved_path("/s", "drains", one);
	g_autofree char *other_path = saved_path("/s", "drains", other);
	assert_string_not_equal(one_path, other_path);
	/* /s/drains- + 100 + ~ + 64 + .json */
	assert_int_equal(strlen(one_path), 10 + SAVED_MAXIMUM_NAME_BYTES + 1 + 64 + 5);
}

static void test_state_of_a_service_is_removed(void **state)
{
	g_autoptr(Saved) saved = saved_new();
	assert_true(saved_write_list(saved, *state, "web", NULL));
	assert_true(saved_write_drains(saved, *state, "web", NULL));
	saved_remove(*state, "web");
	gboolean found;
	assert_true(saved_read_list(saved, *state, "web", &found, NULL));
	assert_false(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, temporary_setup, temporary_teardown)
		TEST(test_list_is_read_as_it_was_written),
		TEST(test_drains_are_read_as_they_were_written),
		TEST(test_no_file_is_no_error),
		TEST(test_damaged_list_is_refused_whole),
		TEST(test_damaged_drains_are_refused_whole),
		TEST(test_file_over_the_limit_is_refused),
		TEST(test_names_of_files_are_safe_and_each_its_own),
		TEST(test_state_of_a_service_is_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
