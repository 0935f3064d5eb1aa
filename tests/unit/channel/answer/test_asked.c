/* SPDX-License-Identifier: ISC
 *
 * Addresses as clients send them, and as nobody should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/answer/asked.h"

/* name, value, name, value, …, NULL */
static GHashTable *parameters_of(const char *const *pairs)
{
	GHashTable *parameters = g_hash_table_new(g_str_hash, g_str_equal);
	for (; pairs != NULL && *pairs != NULL; pairs += 2)
		g_hash_table_insert(parameters, (gpointer)pairs[0], (gpointer)pairs[1]);
	return parameters;
}

static void ask(const char *path, const char *const *pairs, Asked *asked)
{
	g_autoptr(GHashTable) parameters = parameters_of(pairs);
	g_autoptr(GError) error = NULL;
	asked_read(path, parameters, asked, &error);
	g_assert_no_error(error);
}

static void assert_refused(
	const char *path, const char *const *pairs, DroverErrorCode code, const char *message)
{
	g_autoptr(GHashTable) parameters = parameters_of(pairs);
	g_autoptr(GError) error = NULL;
	g_auto(Asked) asked = {0};
	assert_false(asked_read(path, parameters, &asked, &error));
	assert_true(drover_error_is(error, code));
	if (message != NULL)
		assert_string_equal(error->message, message);
}

static const char *tag(const Asked *asked, const char *name)
{
	for (guint i = 0; i < asked->query.tag_count; i++)
		if (strcmp(asked->query.tags[i].name, name) == 0)
			return asked->query.tags[i].value;
	return NULL;
}

static void assert_client(const Asked *asked)
{
	assert_int_equal(asked->format, ASKED_XML);
	assert_string_equal(asked->query.product, "Firefox");
	assert_string_equal(asked->version, "60.0.1");
	assert_string_equal(asked->query.build_id, "20180516032328");
	assert_string_equal(asked->query.platform, "Linux_x86_64-gcc3");
	assert_string_equal(asked->query.locale, "en-US");
	assert_string_equal(asked->query.channel, "release");
}

#define CLIENT "Firefox/60.0.1/20180516032328/Linux_x86_64-gcc3/en-US/release"

static void test_version_1_says_the_client(void **state)
{
	g_auto(Asked) asked = {0};
	ask("/update/1/" CLIENT "/update.xml", NULL, &asked);
	assert_client(&asked);
	assert_null(asked.query.os_version);
}

static void test_version_2_adds_the_operating_system(void **state)
{
	g_auto(Asked) asked = {0};
	ask("/update/2/" CLIENT "/Linux 4.13.0-43-generic (GTK 3.18.9)/update.xml", NULL, &asked);
	assert_client(&asked);
	assert_string_equal(asked.query.os_version, "Linux 4.13.0-43-generic (GTK 3.18.9)");
}

static void test_version_3_adds_the_distribution(void **state)
{
	g_auto(Asked) asked = {0};
	ask("/update/3/" CLIENT "/Windows_NT 6.1/acme/2.0/update.xml", NULL, &asked);
	assert_client(&asked);
	assert_string_equal(asked.query.os_version, "Windows_NT 6.1");
	assert_string_equal(asked.query.distribution, "acme");
	assert_string_equal(asked.query.dist_version, "2.0");
	assert_int_equal(asked.query.tag_count, 0);
}

static void test_version_4_adds_the_platform_version(void **state)
{
	g_auto(Asked) asked = {0};
	ask("/update/4/" CLIENT "/Android 4.4/default/default/18.1/update.xml", NULL, &asked);
	assert_client(&asked);
	assert_string_equal(tag(&asked, "platform_version"), "18.1");
}

static void test_version_5_adds_the_imei(void **state)
{
	g_auto(Asked) asked = {0};
	ask("/update/5/" CLIENT "/B2G 1.3/default/default/18.1/490154203237518/update.xml", NULL,
		&asked);
	assert_client(&asked);
	assert_string_equal(tag(&asked, "platform_version"), "18.1");
	assert_string_equal(tag(&asked, "imei"), "490154203237518");
}

static void test_version_6_says_what_the_system_can(void **state)
{
	static const char *const pairs[] = {"force", "1", "mig64", "1", "pin", "60.", NULL};
	g_auto(Asked) asked = {0};
	ask("/update/6/" CLIENT "/Windows_NT 10.0.0.0.17134.48 (x64)/ISET:SSE4_2,MEM:8192,JAWS:0"
	    "/default/default/update.xml",
		pairs, &asked);
	assert_client(&asked);
	assert_string_equal(asked.query.os_version, "Windows_NT 10.0.0.0.17134.48 (x64)");
	assert_string_equal(asked.query.instruction_set, "SSE4_2");
	assert_true(asked.query.has_memory);
	assert_int_equal(asked.query.memory, 8192);
	assert_int_equal(asked.query.jaws, QUERY_FLAG_FALSE);
	assert_int_equal(asked.query.mig64, QUERY_FLAG_TRUE);
	assert_int_equal(asked.query.force, QUERY_FORCE_SERVE);
	assert_string_equal(asked.query.pin, "60.");
	assert_string_equal(asked.query.distribution, "default");
}

static void assert_capabilities(const char *text, const char *instruction_set, gint64 memory)
{
	g_auto(Asked) asked = {0};
	g_autofree char *path =
		g_strdup_printf("/update/6/" CLIENT "/Linux/%s/default/default/update.xml", text);
	ask(path, NULL, &asked);
	assert_string_equal(asked.query.instruction_set, instruction_set);
	assert_int_equal(asked.query.has_memory, memory >= 0);
	if (memory >= 0)
		assert_int_equal(asked.query.memory, memory);
}

static void test_capabilities_of_older_clients_are_read(void **state)
{
	assert_capabilities("SSE3", "SSE3", -1);
	assert_capabilities("SSE3,2048", "SSE3", 2048);
	assert_capabilities("ISET:unknown,MEM:unknown,JAWS:1", "unknown", -1);
	assert_capabilities("NA", "NA", -1);
}

static void test_unknown_capabilities_are_tags(void **state)
{
	g_auto(Asked) asked = {0};
	ask("/update/6/" CLIENT "/Linux/ISET:SSE2,GPU:old/default/default/update.xml", NULL,
		&asked);
	assert_string_equal(tag(&asked, "GPU"), "old");
}

static void test_what_clients_say_wrong_behind_the_path_is_passed_over(void **state)
{
	static const char *const pairs[] = {"force", "2", "mig64", "x", "avast", "1", "id", "me",
		"tag.ring", "2", "draw", "0", "product", "Other", NULL};
	g_auto(Asked) asked = {0};
	ask("/update/1/" CLIENT "/update.xml", pairs, &asked);
	assert_client(&asked);
	assert_int_equal(asked.query.force, QUERY_FORCE_NONE);
	assert_int_equal(asked.query.mig64, QUERY_FLAG_UNKNOWN);
	assert_string_equal(asked.query.id, "me");
	assert_string_equal(tag(&asked, "ring"), "2");
	assert_int_equal(asked.query.tag_count, 1);
}

static void test_what_is_no_path_is_not_found(void **state)
{
	static const char *const wrong[] = {"/update/", "/update/1/", "/update/update.xml",
		"/update//update.xml", "/update/0/" CLIENT "/update.xml",
		"/update/7/" CLIENT "/update.xml", "/update/11/" CLIENT "/update.xml",
		"/update/1/" CLIENT, "/update/1/" CLIENT "/more/update.xml",
		"/update/2/" CLIENT "/update.xml", "/update/1/" CLIENT "/update.xml/",
		"/update/x/" CLIENT "/update.xml", "/update/1//1/2/3/4/5/update.xml",
		"/update/node", "/update/node/", "/update/node/web", "/update/node/web/",
		"/update/node//release", "/update/node/web/release/more", "/update/json/",
		"/update/json/x", "/up"};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
		assert_refused(wrong[i], NULL, DROVER_ERROR_NOT_FOUND, NULL);
}

static void test_json_says_it_all_behind_the_path(void **state)
{
	static const char *const pairs[] = {"product", "web", "channel", "release", "version",
		"1.0", "memory", "512", "jaws", "false", "rack", "a", "tag.row", "7", "release",
		"web-1.0", "locale", "", "draw", "5", "sign", "1", NULL};
	g_auto(Asked) asked = {0};
	ask("/update/json", pairs, &asked);
	assert_int_equal(asked.format, ASKED_JSON);
	assert_string_equal(asked.query.product, "web");
	assert_string_equal(asked.version, "1.0");
	assert_int_equal(asked.query.memory, 512);
	assert_int_equal(asked.query.jaws, QUERY_FLAG_FALSE);
	assert_string_equal(asked.release, "web-1.0");
	assert_string_equal(tag(&asked, "rack"), "a");
	assert_string_equal(tag(&asked, "row"), "7");
	assert_int_equal(asked.query.tag_count, 2);
	assert_null(asked.query.locale);
	assert_int_equal(asked.query.draw, 0);
}

static void test_a_node_s_product_and_channel_are_those_of_the_path(void **state)
{
	static const char *const pairs[] = {"product", "x", "channel", "y", "id", "n1", NULL};
	g_auto(Asked) asked = {0};
	ask("/update/node/web/release", pairs, &asked);
	assert_int_equal(asked.format, ASKED_NODE);
	assert_string_equal(asked.query.product, "web");
	assert_string_equal(asked.query.channel, "release");
	assert_string_equal(asked.query.id, "n1");
}

/* A release that is one tree for every machine lies there. */
static void test_a_node_that_does_not_say_which_is_any_platform_and_locale(void **state)
{
	static const char *const pairs[] = {"platform", "x86_64", NULL};
	g_auto(Asked) silent = {0};
	g_auto(Asked) half = {0};
	ask("/update/node/web/release", NULL, &silent);
	assert_string_equal(silent.query.platform, ASKED_ANY);
	assert_string_equal(silent.query.locale, ASKED_ANY);
	ask("/update/node/web/release", pairs, &half);
	assert_string_equal(half.query.platform, "x86_64");
	assert_string_equal(half.query.locale, ASKED_ANY);
}

static void test_wrong_numbers_are_refused_in_json(void **state)
{
	static const char *const force[] = {"force", "2", NULL}, *const memory[] = {
									 "memory", "-1", NULL};
	static const char *const jaws[] = {"jaws", "maybe", NULL};
	assert_refused("/update/json", force, DROVER_ERROR_INPUT, "force: must be 1 or -1");
	assert_refused(
		"/update/json", memory, DROVER_ERROR_INPUT, "memory: must be a whole number");
	assert_refused("/update/node/p/c", jaws, DROVER_ERROR_INPUT, "jaws: must be 1 or 0");
}

static void test_long_texts_are_refused(void **state)
{
	g_autofree char *fits = g_strnfill(ASKED_MAXIMUM_TEXT_BYTES, 'x');
	g_autofree char *longer = g_strnfill(ASKED_MAXIMUM_TEXT_BYTES + 1, 'x');
	g_autofree char *path = g_strdup_printf("/update/2/" CLIENT "/%s/update.xml", fits);
	g_autofree char *long_path = g_strdup_printf("/update/2/" CLIENT "/%s/update.xml", longer);
	const char *const pairs[] = {"locale", longer, NULL}, *const name[] = {longer, "1", NULL};
	g_auto(Asked) asked = {0};
	ask(path, NULL, &asked);
	assert_string_equal(asked.query.os_version, fits);
	assert_refused(
		long_path, NULL, DROVER_ERROR_INPUT, "os_version: must be at most 512 bytes");
	assert_refused(
		"/update/json", pairs, DROVER_ERROR_INPUT, "locale: must be at most 512 bytes");
	assert_refused("/update/json", name, DROVER_ERROR_INPUT, NULL);
}

static void test_what_is_no_utf_8_is_refused(void **state)
{
	static const char *const pairs[] = {"channel", "\xff", NULL};
	assert_refused("/update/json", pairs, DROVER_ERROR_INPUT, "what is asked: must be UTF-8");
	assert_refused(
		"/update/node/web/\xff", NULL, DROVER_ERROR_INPUT, "what is asked: must be UTF-8");
}

static void test_a_long_path_is_refused(void **state)
{
	g_autofree char *path = g_strnfill(ASKED_MAXIMUM_PATH_BYTES + 1, 'x');
	assert_refused(path, NULL, DROVER_ERROR_INPUT, "the address is longer than 4096 bytes");
	path[ASKED_MAXIMUM_PATH_BYTES] = '\0';
	assert_refused(path, NULL, DROVER_ERROR_NOT_FOUND, NULL);
}

static void test_too_many_tags_are_refused_in_json(void **state)
{
	g_autoptr(GHashTable) parameters =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GError) error = NULL;
	g_auto(Asked) asked = {0};
	for (guint i = 0; i < QUERY_MAXIMUM_TAGS; i++)
		g_hash_table_add(parameters, g_strdup_printf("t%u", i));
	assert_true(asked_read("/update/json", parameters, &asked, &error));
	g_hash_table_add(parameters, g_strdup("one-more"));
	assert_false(asked_read("/update/json", parameters, &asked, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_1_says_the_client),
		cmocka_unit_test(test_version_2_adds_the_operating_system),
		cmocka_unit_test(test_version_3_adds_the_distribution),
		cmocka_unit_test(test_version_4_adds_the_platform_version),
		cmocka_unit_test(test_version_5_adds_the_imei),
		cmocka_unit_test(test_version_6_says_what_the_system_can),
		cmocka_unit_test(test_capabilities_of_older_clients_are_read),
		cmocka_unit_test(test_unknown_capabilities_are_tags),
		cmocka_unit_test(test_what_clients_say_wrong_behind_the_path_is_passed_over),
		cmocka_unit_test(test_what_is_no_path_is_not_found),
		cmocka_unit_test(test_json_says_it_all_behind_the_path),
		cmocka_unit_test(test_a_node_s_product_and_channel_are_those_of_the_path),
		cmocka_unit_test(test_a_node_that_does_not_say_which_is_any_platform_and_locale),
		cmocka_unit_test(test_wrong_numbers_are_refused_in_json),
		cmocka_unit_test(test_long_texts_are_refused),
		cmocka_unit_test(test_what_is_no_utf_8_is_refused),
		cmocka_unit_test(test_a_long_path_is_refused),
		cmocka_unit_test(test_too_many_tags_are_refused_in_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
