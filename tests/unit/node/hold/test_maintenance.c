/* SPDX-License-Identifier: ISC
 *
 * The maintenance file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "node/hold/hold.h"

typedef struct Bed {
	NodeProduct product;
	char *file;
} Bed;

static int set_up(void **state)
{
	Bed *bed = g_new0(Bed, 1);
	bed->product.prefix = g_dir_make_tmp("drover-maintenance-XXXXXX", NULL);
	bed->file = g_build_filename(bed->product.prefix, ".drover", "maintenance", NULL);
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	Bed *bed = *state;
	file_remove(bed->product.prefix, NULL);
	g_free(bed->product.prefix);
	g_free(bed->file);
	g_free(bed);
	return 0;
}

static void must_be(const Bed *bed, gint64 now_us, const char *wanted)
{
	json_t *found = maintenance_state(&bed->product, now_us, NULL);
	g_autofree char *text = json_dumps(found, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text, wanted);
	json_decref(found);
}

static void test_it_is_off_until_it_is_set_and_after_it_is_ended(void **state)
{
	Bed *bed = *state;
	static const char off[] =
		"{\"on\":false,\"overdue\":false,\"reason\":null,\"since\":null,\"until\":null}";
	must_be(bed, 0, off);
	assert_true(maintenance_set(&bed->product, "disks", 60 * US_PER_SECOND, 0, NULL));
	must_be(bed, 0,
		"{\"on\":true,\"overdue\":false,\"reason\":\"disks\","
		"\"since\":\"1970-01-01T00:00:00Z\",\"until\":\"1970-01-01T00:01:00Z\"}");
	assert_true(maintenance_end(&bed->product, NULL));
	must_be(bed, 0, off);
	assert_true(maintenance_end(&bed->product, NULL));
}

static void test_it_is_overdue_from_its_end_on(void **state)
{
	Bed *bed = *state;
	assert_true(maintenance_set(&bed->product, "r", 60 * US_PER_SECOND, 0, NULL));
	json_t *before = maintenance_state(&bed->product, 60 * US_PER_SECOND - 1, NULL);
	json_t *after = maintenance_state(&bed->product, 60 * US_PER_SECOND, NULL);
	assert_true(json_is_false(json_object_get(before, "overdue")));
	assert_true(json_is_true(json_object_get(after, "overdue")));
	json_decref(before);
	json_decref(after);
	/* Without an end it never is. */
	assert_true(maintenance_set(&bed->product, "r", 0, 0, NULL));
	json_t *open = maintenance_state(&bed->product, G_MAXINT64 / 2, NULL);
	assert_true(json_is_false(json_object_get(open, "overdue")));
	json_decref(open);
}

static void test_set_again_it_keeps_its_beginning(void **state)
{
	Bed *bed = *state;
	assert_true(maintenance_set(&bed->product, "a", 0, 0, NULL));
	assert_true(maintenance_set(&bed->product, "b", 0, 9 * US_PER_SECOND, NULL));
	must_be(bed, 0,
		"{\"on\":true,\"overdue\":false,\"reason\":\"b\","
		"\"since\":\"1970-01-01T00:00:00Z\",\"until\":null}");
}

/* Somebody wanted it: a file that is broken is no reason to let clients in. */
static void test_a_file_that_cannot_be_read_means_on_and_overdue(void **state)
{
	Bed *bed = *state;
	static const char *const broken[] = {"", "{", "{}", "{\"reason\": \"r\"}",
		"{\"reason\": \"r\", \"since\": \"then\"}",
		"{\"reason\": \"r\", \"since\": \"1970-01-01T00:00:00Z\", \"until\": \"x\"}"};
	assert_true(maintenance_set(&bed->product, "a", 0, 0, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
		assert_true(file_write(bed->file, broken[i], strlen(broken[i]), 0644, NULL));
		json_t *found = maintenance_state(&bed->product, 0, NULL);
		assert_true(json_is_true(json_object_get(found, "on")));
		assert_true(json_is_true(json_object_get(found, "overdue")));
		json_decref(found);
	}
}

static void test_a_reason_is_needed_and_has_a_limit(void **state)
{
	Bed *bed = *state;
	g_autofree char *fits = g_strnfill(HOLD_MAXIMUM_REASON_BYTES, 'x');
	g_autofree char *over = g_strnfill(HOLD_MAXIMUM_REASON_BYTES + 1, 'x');
	assert_true(maintenance_set(&bed->product, fits, 0, 0, NULL));
	const char *const wrong[] = {NULL, "", over, "\xff"};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(maintenance_set(&bed->product, wrong[i], 0, 0, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	}
}

static void test_a_holder_is_waited_for_longer_than_its_service_may_take_to_leave(void **state)
{
	const NodeProduct patient = {.ready_timeout_s = 60, .drain_timeout_s = 300};
	assert_int_equal(hold_limit_s(&patient), 735);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_it_is_off_until_it_is_set_and_after_it_is_ended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_it_is_overdue_from_its_end_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_set_again_it_keeps_its_beginning, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_file_that_cannot_be_read_means_on_and_overdue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_reason_is_needed_and_has_a_limit, set_up, tear_down),
		cmocka_unit_test(
			test_a_holder_is_waited_for_longer_than_its_service_may_take_to_leave),
	};
	return cmocka_run_group_tests_name("hold maintenance", tests, NULL, NULL);
}
