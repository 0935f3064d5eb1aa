/* SPDX-License-Identifier: ISC
 *
 * A log event is one line, whatever its values hold, in all three formats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/log.h"
#include "temporary.h"

#define TIME_US G_GINT64_CONSTANT(1795232839000000) /* 2026-11-21T03:47:19Z */

static void assert_line(LogFormat format, const char *const *pairs, const char *expected)
{
	g_autofree char *line = log_line(format, TIME_US, LOG_LEVEL_INFO, "landing.new", pairs);
	assert_string_equal(line, expected);
}

static void test_logfmt_line(void **state)
{
	const char *const pairs[] = {"landing", "43", "subject", "fix the \"gate\"", NULL};
	assert_line(LOG_FORMAT_LOGFMT, pairs,
		"time=2026-11-21T03:47:19Z level=info event=landing.new landing=43 "
		"subject=\"fix the \\\"gate\\\"\"");
	assert_line(
		LOG_FORMAT_LOGFMT, NULL, "time=2026-11-21T03:47:19Z level=info event=landing.new");
}

static void test_json_line(void **state)
{
	const char *const pairs[] = {"landing", "43", "subject", "a\"b\\c", NULL};
	assert_line(LOG_FORMAT_JSON, pairs,
		"{\"time\":\"2026-11-21T03:47:19Z\",\"level\":\"info\",\"event\":\"landing.new\","
		"\"landing\":\"43\",\"subject\":\"a\\\"b\\\\c\"}");
}

static void test_journal_line_has_a_priority_and_no_time(void **state)
{
	const char *const pairs[] = {"landing", "43", NULL};
	assert_line(LOG_FORMAT_JOURNAL, pairs, "<6>level=info event=landing.new landing=43");
	g_autofree char *bad =
		log_line(LOG_FORMAT_JOURNAL, TIME_US, LOG_LEVEL_ERROR, "disk.full", NULL);
	assert_string_equal(bad, "<3>level=error event=disk.full");
	g_autofree char *odd =
		log_line(LOG_FORMAT_JOURNAL, TIME_US, LOG_LEVEL_WARNING, "lock.old", NULL);
	assert_string_equal(odd, "<4>level=warning event=lock.old");
	g_autofree char *detail =
		log_line(LOG_FORMAT_JOURNAL, TIME_US, LOG_LEVEL_DEBUG, "tick", NULL);
	assert_string_equal(detail, "<7>level=debug event=tick");
}

static void test_pairs_stay_apart_whatever_a_value_ends_with(void **state)
{
	const char *const pairs[] = {"by", "<ada@example.org>", "to", "BAD", NULL};
	assert_line(LOG_FORMAT_JOURNAL, pairs,
		"<6>level=info event=landing.new by=<ada@example.org> to=BAD");
}

static void test_values_are_quoted_when_they_must_be(void **state)
{
	const char *const pairs[] = {"a", "", "b", "x y", "c", "k=v", "d", "back\\slash", "e",
		"line\nbreak\ttab\rreturn", "f", "\x1b[31m", "g", "gr\xc3\xbc\xc3\x9f", NULL};
	assert_line(LOG_FORMAT_LOGFMT, pairs,
		"time=2026-11-21T03:47:19Z level=info event=landing.new a=\"\" b=\"x y\" c=\"k=v\" "
		"d=\"back\\\\slash\" e=\"line\\nbreak\\ttab\\u000dreturn\" f=\"\\u001b[31m\" "
		"g=\"gr\xc3\xbc\xc3\x9f\"");
}

static void test_terminal_controls_beyond_ascii_are_escaped(void **state)
{
	const char *const pairs[] = {"a",
		"\xc2\x9b"
		"31m\xc2\x85\xc2\xa0",
		NULL};
	assert_line(LOG_FORMAT_JOURNAL, pairs,
		"<6>level=info event=landing.new a=\"\\u009b31m\\u0085\xc2\xa0\"");
}

/* Random bytes without NUL as a value: one line, valid UTF-8, and as JSON the text comes back. */
static void test_any_bytes_make_one_line_and_valid_json(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(1);
	for (int round = 0; round < 2000; round++) {
		char value[65] = {0};
		gint32 length = g_rand_int_range(random, 0, 64);
		for (gint32 i = 0; i < length; i++)
			value[i] = (char)g_rand_int_range(random, 1, 256);
		const char *const pairs[] = {"value", value, NULL};
		for (LogFormat format = LOG_FORMAT_LOGFMT; format <= LOG_FORMAT_JOURNAL; format++) {
			g_autofree char *line =
				log_line(format, TIME_US, LOG_LEVEL_INFO, "x", pairs);
			assert_true(g_utf8_validate(line, -1, NULL));
			assert_null(strpbrk(line, "\n\r\v\f\x1b"));
			if (format != LOG_FORMAT_JSON)
				continue;
			json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
			g_autofree char *valid = g_utf8_make_valid(value, -1);
			assert_string_equal(
				json_string_value(json_object_get(object, "value")), valid);
			json_decref(object);
		}
	}
}

static void test_events_go_to_the_destination_up_to_its_level(void **state)
{
	FILE *file = tmpfile();
	log_setup(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO, fileno(file));
	log_event(LOG_LEVEL_DEBUG, "quiet", NULL);
	log_event(LOG_LEVEL_INFO, "landing.new", "left-out", NULL, "landing", "43", NULL);
	log_event(LOG_LEVEL_ERROR, "disk.full", NULL);
	assert_true(log_wants(LOG_LEVEL_INFO));
	assert_false(log_wants(LOG_LEVEL_DEBUG));
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, STDERR_FILENO);
	char text[200] = {0};
	assert_true(pread(fileno(file), text, sizeof text - 1, 0) > 0);
	assert_string_equal(text, "<6>level=info event=landing.new landing=43\n"
				  "<3>level=error event=disk.full\n");
	fclose(file);
}

static void test_a_log_that_cannot_be_written_stops_nothing(void **state)
{
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, -1);
	log_event(LOG_LEVEL_ERROR, "disk.full", NULL);
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, STDERR_FILENO);
}

static void test_journal_is_known_by_its_stream_only(void **state)
{
	g_unsetenv("JOURNAL_STREAM");
	assert_int_equal(log_format_for_stderr(), LOG_FORMAT_LOGFMT);
	g_setenv("JOURNAL_STREAM", "1:2", TRUE);
	assert_int_equal(log_format_for_stderr(), LOG_FORMAT_LOGFMT);
	struct stat status;
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	g_autofree char *ours = g_strdup_printf(
		"%lu:%lu", (unsigned long)status.st_dev, (unsigned long)status.st_ino);
	g_setenv("JOURNAL_STREAM", ours, TRUE);
	assert_int_equal(log_format_for_stderr(), LOG_FORMAT_JOURNAL);
	g_unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logfmt_line),
		cmocka_unit_test(test_json_line),
		cmocka_unit_test(test_journal_line_has_a_priority_and_no_time),
		cmocka_unit_test(test_pairs_stay_apart_whatever_a_value_ends_with),
		cmocka_unit_test(test_values_are_quoted_when_they_must_be),
		cmocka_unit_test(test_terminal_controls_beyond_ascii_are_escaped),
		cmocka_unit_test(test_any_bytes_make_one_line_and_valid_json),
		cmocka_unit_test(test_events_go_to_the_destination_up_to_its_level),
		cmocka_unit_test(test_a_log_that_cannot_be_written_stops_nothing),
		cmocka_unit_test(test_journal_is_known_by_its_stream_only),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
