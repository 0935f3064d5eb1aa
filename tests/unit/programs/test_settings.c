/* SPDX-License-Identifier: ISC
 *
 * The configuration's table of keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "programs/settings.h"

/* A file with this text, removed by the caller. */
static char *file_of(const char *text)
{
	char *path = NULL;
	int fd = g_file_open_tmp("settings-XXXXXX", &path, NULL);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
	return path;
}

static gboolean load(Settings *settings, const char *text, GPtrArray *warnings, GError **error)
{
	g_autofree char *path = file_of(text);
	gboolean ok = settings_load(settings, path, warnings, error);
	g_unlink(path);
	return ok;
}

static void test_every_default_can_be_read(void **state)
{
	g_autoptr(Settings) settings = settings_new();
	for (const SettingKey *key = settings_keys(); key->section != NULL; key++) {
		g_autofree char *name = g_strconcat(key->section, ".", key->key, NULL);
		assert_true(key->summary != NULL);
		if (key->type == SETTING_BOOLEAN)
			settings_boolean(settings, name);
		else if (key->type == SETTING_INTEGER || key->type == SETTING_COUNT ||
			 key->type == SETTING_DURATION)
			settings_integer(settings, name);
		else
			assert_true(g_strcmp0(settings_text(settings, name), key->fallback) == 0);
	}
	assert_int_equal(settings_integer(settings, "job.lock-warn"), 15 * 60);
	assert_true(settings_boolean(settings, "mail.require-tls"));
}

static void test_the_store_lies_in_the_state_folder_unless_it_is_named(void **state)
{
	g_autoptr(Settings) settings = settings_new();
	g_autofree char *first = settings_store_url(settings);
	assert_string_equal(first, "sqlite:/var/lib/drover/drover.db");
	settings_set(settings, "state.folder", "/srv/d");
	g_autofree char *second = settings_store_url(settings);
	assert_string_equal(second, "sqlite:/srv/d/drover.db");
	settings_set(settings, "store.url", "postgresql:///drover");
	g_autofree char *third = settings_store_url(settings);
	assert_string_equal(third, "postgresql:///drover");
}

static void test_builds_lie_in_the_state_folder_unless_they_are_named(void **state)
{
	g_autoptr(Settings) settings = settings_new();
	settings_set(settings, "state.folder", "/srv/d");
	g_autofree char *first = settings_builds_folder(settings);
	assert_string_equal(first, "/srv/d/builds");
	settings_set(settings, "release.builds", "/srv/builds");
	g_autofree char *second = settings_builds_folder(settings);
	assert_string_equal(second, "/srv/builds");
}

static void test_a_count_may_be_zero_and_an_integer_may_not(void **state)
{
	g_autoptr(Settings) settings = settings_new();
	assert_int_equal(settings_integer(settings, "release.deltas"), 3);
	assert_true(load(settings, "[release]\ndeltas = 0\n", NULL, NULL));
	assert_int_equal(settings_integer(settings, "release.deltas"), 0);
	assert_false(load(settings, "[release]\ndeltas = -1\n", NULL, NULL));
	assert_false(load(settings, "[admin]\nworkers = 0\n", NULL, NULL));
}

static void test_the_file_wins_over_defaults_and_options_over_the_file(void **state)
{
	g_autoptr(Settings) settings = settings_new();
	assert_true(load(settings, "[state]\nfolder = /a\n[job]\nlock-warn = 2h\n", NULL, NULL));
	assert_string_equal(settings_text(settings, "state.folder"), "/a");
	assert_int_equal(settings_integer(settings, "job.lock-warn"), 7200);
	settings_set(settings, "state.folder", "/b");
	assert_string_equal(settings_text(settings, "state.folder"), "/b");
}

static void test_an_empty_value_leaves_the_default(void **state)
{
	g_autoptr(Settings) settings = settings_new();
	assert_true(load(settings, "[state]\nfolder =\n", NULL, NULL));
	assert_string_equal(settings_text(settings, "state.folder"), "/var/lib/drover");
}

static void test_unknown_keys_are_named_with_their_line(void **state)
{
	g_autoptr(Settings) settings = settings_new();
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
	assert_true(load(settings, "[state]\nfolder = /a\nfoldr = /b\n", warnings, NULL));
	assert_int_equal(warnings->len, 1);
	assert_non_null(strstr(warnings->pdata[0], ":3:"));
	assert_non_null(strstr(warnings->pdata[0], "foldr"));
}

static void test_values_of_the_wrong_kind_are_refused(void **state)
{
	static const char *const wrong[] = {
		"[job]\nlock-warn = soon\n",
		"[admin]\nworkers = many\n",
		"[admin]\nworkers = 0\n",
		"[retention]\ndays = 9999999\n",
		"[mail]\nrequire-tls = perhaps\n",
	};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(Settings) settings = settings_new();
		g_autoptr(GError) error = NULL;
		assert_false(load(settings, wrong[i], NULL, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
		assert_non_null(strstr(error->message, ":2:"));
	}
}

static void test_a_secret_is_the_first_line_of_a_private_file(void **state)
{
	g_autofree char *path = file_of("hunter2 \r\nmore\n");
	g_autofree char *secret = settings_read_secret(path, NULL);
	assert_string_equal(secret, "hunter2");
	g_autoptr(GError) error = NULL;
	g_chmod(path, 0644);
	assert_null(settings_read_secret(path, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	g_unlink(path);
}

static void test_a_secret_that_is_empty_or_too_long_is_refused(void **state)
{
	g_autoptr(GError) empty = NULL, large = NULL;
	g_autofree char *blank = file_of("\nhunter2\n");
	assert_null(settings_read_secret(blank, &empty));
	assert_true(drover_error_is(empty, DROVER_ERROR_INPUT));
	g_unlink(blank);
	g_autofree char *text = g_strnfill(SETTINGS_SECRET_MAXIMUM_BYTES + 1, 'x');
	g_autofree char *path = file_of(text);
	assert_null(settings_read_secret(path, &large));
	assert_true(drover_error_is(large, DROVER_ERROR_TOO_LARGE));
	g_unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_default_can_be_read),
		cmocka_unit_test(test_the_store_lies_in_the_state_folder_unless_it_is_named),
		cmocka_unit_test(test_builds_lie_in_the_state_folder_unless_they_are_named),
		cmocka_unit_test(test_a_count_may_be_zero_and_an_integer_may_not),
		cmocka_unit_test(test_the_file_wins_over_defaults_and_options_over_the_file),
		cmocka_unit_test(test_an_empty_value_leaves_the_default),
		cmocka_unit_test(test_unknown_keys_are_named_with_their_line),
		cmocka_unit_test(test_values_of_the_wrong_kind_are_refused),
		cmocka_unit_test(test_a_secret_is_the_first_line_of_a_private_file),
		cmocka_unit_test(test_a_secret_that_is_empty_or_too_long_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
