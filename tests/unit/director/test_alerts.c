/* SPDX-License-Identifier: ISC
 *
 * Alerts: raised once, said anew, cleared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "balance/director/alerts.h"

#define NOON (G_GINT64_CONSTANT(1795262400) * US_PER_SECOND) /* 2026-11-21 12:00 */

static void assert_alerts(const Alerts *alerts, const char *expected)
{
	json_t *list = alerts_json(alerts);
	char *text = json_dumps(list, JSON_COMPACT);
	assert_string_equal(text, expected);
	free(text);
	json_decref(list);
}

static void test_alert_is_raised_once_and_says_the_newest(void **state)
{
	g_autoptr(Alerts) alerts = alerts_new(clock_fixed(NOON));
	assert_true(alerts_set(alerts, "web", ALERT_HELD, "a"));
	assert_false(alerts_set(alerts, "web", ALERT_HELD, "a"));
	assert_true(alerts_set(alerts, "web", ALERT_HELD, "a and b"));
	assert_alerts(alerts, "[{\"service\":\"web\",\"kind\":\"held\","
			      "\"since\":\"2026-11-21T12:00:00Z\",\"text\":\"a and b\"}]");
	assert_true(alerts_set(alerts, "web", ALERT_HELD, NULL));
	assert_false(alerts_set(alerts, "web", ALERT_HELD, NULL));
	assert_alerts(alerts, "[]");
}

static void test_alerts_are_of_a_service_and_a_kind(void **state)
{
	g_autoptr(Alerts) alerts = alerts_new(clock_fixed(NOON));
	alerts_set(alerts, "web", ALERT_SET_ASIDE, "one");
	alerts_set(alerts, "tls", ALERT_HELD, "two");
	alerts_set(alerts, NULL, ALERT_KERNEL, "three");
	alerts_set(alerts, "web", ALERT_HELD, "four");
	json_t *texts = alerts_texts(alerts, "web");
	assert_int_equal(json_array_size(texts), 2);
	assert_string_equal(json_string_value(json_array_get(texts, 0)), "four");
	assert_string_equal(json_string_value(json_array_get(texts, 1)), "one");
	json_decref(texts);
	alerts_forget(alerts, "web");
	alerts_forget(alerts, "tls");
	assert_alerts(alerts, "[{\"service\":null,\"kind\":\"kernel\","
			      "\"since\":\"2026-11-21T12:00:00Z\",\"text\":\"three\"}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alert_is_raised_once_and_says_the_newest),
		cmocka_unit_test(test_alerts_are_of_a_service_and_a_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
