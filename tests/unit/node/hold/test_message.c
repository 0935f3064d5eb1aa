/* SPDX-License-Identifier: ISC
 *
 * What may be asked of a holder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/hold/message.h"

static void must_refuse(const char *text, const char *why)
{
	HoldMessage message;
	g_autoptr(GError) error = NULL;
	assert_false(hold_message_parse(text, strlen(text), &message, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_non_null(strstr(error->message, why));
}

static HoldMessage must_take(const char *text)
{
	HoldMessage message;
	g_autoptr(GError) error = NULL;
	gboolean ok = hold_message_parse(text, strlen(text), &message, &error);
	assert_null(error);
	assert_true(ok);
	return message;
}

static void test_each_deed_is_read(void **state)
{
	assert_int_equal(must_take("{\"do\": \"status\"}").what, HOLD_STATUS);
	assert_int_equal(must_take("{\"do\": \"stop-service\"}").what, HOLD_STOP_SERVICE);
	assert_int_equal(must_take("{\"do\": \"renew\"}").what, HOLD_RENEW);
	assert_int_equal(
		must_take("{\"do\": \"maintenance\", \"on\": false}").what, HOLD_MAINTENANCE_OFF);
	g_auto(HoldMessage) handover =
		must_take("{\"do\": \"handover\", \"version\": \"1.4.2-rc1\"}");
	assert_int_equal(handover.what, HOLD_HANDOVER);
	assert_string_equal(handover.version, "1.4.2-rc1");
	g_auto(HoldMessage) on =
		must_take("{\"do\": \"maintenance\", \"on\": true, \"reason\": \"r\", "
			  "\"until\": \"1970-01-01T00:00:07Z\"}");
	assert_int_equal(on.what, HOLD_MAINTENANCE_ON);
	assert_string_equal(on.reason, "r");
	assert_int_equal(on.until_us, 7000000);
	g_auto(HoldMessage) open = must_take(
		"{\"do\": \"maintenance\", \"on\": true, \"reason\": \"r\", \"until\": null}");
	assert_int_equal(open.until_us, 0);
}

static void test_what_is_no_message_is_refused(void **state)
{
	must_refuse("", "no JSON object");
	must_refuse("[]", "no JSON object");
	must_refuse("{\"do\": \"status\"} x", "no JSON object");
	must_refuse("{\"do\": \"status\", \"do\": \"renew\"}", "no JSON object");
	must_refuse("{}", "\"do\" is");
	must_refuse("{\"do\": [\"status\"]}", "\"do\" is");
	must_refuse("{\"do\": \"maintenance\"}", "\"on\"");
	must_refuse("{\"do\": \"maintenance\", \"on\": 1}", "\"on\"");
	must_refuse("{\"do\": \"maintenance\", \"on\": true}", "reason");
	must_refuse("{\"do\": \"maintenance\", \"on\": true, \"reason\": \"r\", \"until\": 7}",
		"until");
	must_refuse("{\"do\": \"maintenance\", \"on\": true, \"reason\": \"r\", \"until\": \"x\"}",
		"x");
}

/* A version becomes the name of a folder. */
static void test_a_version_is_no_path(void **state)
{
	static const char *const wrong[] = {"", ".", "..", ".1", "a/b", "1 2", "1\\n2", "\\u00e9"};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *text =
			g_strdup_printf("{\"do\": \"handover\", \"version\": \"%s\"}", wrong[i]);
		must_refuse(text, "version");
	}
	char longest[HOLD_MAXIMUM_VERSION_BYTES + 2] = "";
	memset(longest, '1', HOLD_MAXIMUM_VERSION_BYTES);
	g_autofree char *fits =
		g_strdup_printf("{\"do\": \"handover\", \"version\": \"%s\"}", longest);
	g_auto(HoldMessage) message = must_take(fits);
	assert_string_equal(message.version, longest);
	longest[HOLD_MAXIMUM_VERSION_BYTES] = '1';
	g_autofree char *over =
		g_strdup_printf("{\"do\": \"handover\", \"version\": \"%s\"}", longest);
	must_refuse(over, "version");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_deed_is_read),
		cmocka_unit_test(test_what_is_no_message_is_refused),
		cmocka_unit_test(test_a_version_is_no_path),
	};
	return cmocka_run_group_tests_name("hold message", tests, NULL, NULL);
}
