/* SPDX-License-Identifier: ISC
 *
 * Sheets against plain objects that are copied whole: whatever is written, in however many layers,
 * the same rows are found, by key, by text and as a difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "channel/row/sheet.h"

typedef json_t TestJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestJson, json_decref)

enum { STEPS = 120, KEYS = 40, NAMES = 6, RUNS = 20 };

typedef struct Version {
	Sheet *sheet;
	json_t *rows; /* the same, as one object */
} Version;

static void version_clear(gpointer item)
{
	Version *version = item;
	sheet_unref(version->sheet);
	json_decref(version->rows);
}

static char *key_of(GRand *rand)
{
	return g_strdup_printf("%d", g_rand_int_range(rand, 0, KEYS));
}

static json_t *row_of(GRand *rand)
{
	g_autofree char *mapping = g_strdup_printf("m%d", g_rand_int_range(rand, 0, NAMES));
	g_autofree char *fallback = g_strdup_printf("m%d", g_rand_int_range(rand, 0, NAMES));
	return json_pack("{s:s, s:s}", "mapping", mapping, "fallback_mapping", fallback);
}

/* Up to three rows are written, or go. */
static Version next_version(const Version *before, GRand *rand)
{
	g_autoptr(TestJson) written = json_object();
	json_t *rows = json_copy(before->rows);
	gint count = g_rand_int_range(rand, 0, 4);
	for (gint i = 0; i < count; i++) {
		g_autofree char *key = key_of(rand);
		json_t *row = g_rand_boolean(rand) ? row_of(rand) : json_null();
		json_object_set_new(written, key, row);
		if (json_is_null(row))
			json_object_del(rows, key);
		else
			json_object_set(rows, key, row);
	}
	return (Version){sheet_over(before->sheet, written), rows};
}

static void note_found(const char *key, const json_t *row, gpointer of)
{
	assert_null(json_object_get(of, key)); /* once */
	json_object_set(of, key, (json_t *)row);
}

static json_t *found_by_hand(const json_t *rows, const char *name)
{
	json_t *found = json_object(), *row;
	const char *key;
	json_object_foreach ((json_t *)rows, key, row) {
		const char *mapping = json_string_value(json_object_get(row, "mapping"));
		const char *fallback = json_string_value(json_object_get(row, "fallback_mapping"));
		if (g_str_equal(mapping, name) || g_str_equal(fallback, name))
			json_object_set(found, key, row);
	}
	return found;
}

static void assert_version(const Version *version)
{
	for (guint i = 0; i < KEYS; i++) {
		g_autofree char *key = g_strdup_printf("%u", i);
		assert_ptr_equal(
			sheet_row(version->sheet, key), json_object_get(version->rows, key));
	}
	for (guint i = 0; i < NAMES; i++) {
		g_autofree char *name = g_strdup_printf("m%u", i);
		g_autoptr(TestJson) found = json_object();
		g_autoptr(TestJson) wanted = found_by_hand(version->rows, name);
		sheet_each(version->sheet, SHEET_BY_MAPPING, name, note_found, found);
		assert_true(json_equal(found, wanted));
	}
}

/* What is said to differ makes one of the other. */
static void assert_difference(const Version *before, const Version *after)
{
	g_autoptr(GArray) differences = sheet_differences(before->sheet, after->sheet);
	g_autoptr(TestJson) made = json_copy(before->rows);
	for (guint i = 0; i < differences->len; i++) {
		SheetDifference one = g_array_index(differences, SheetDifference, i);
		assert_ptr_equal(one.before, json_object_get(before->rows, one.key));
		assert_ptr_equal(one.after, json_object_get(after->rows, one.key));
		assert_ptr_not_equal(one.before, one.after);
		if (one.after != NULL)
			json_object_set(made, one.key, one.after);
		else
			json_object_del(made, one.key);
	}
	assert_true(json_equal(made, after->rows));
}

static void test_layers_are_as_one_table(void **state)
{
	(void)state;
	for (guint run = 0; run < RUNS; run++) {
		g_autoptr(GRand) rand = g_rand_new_with_seed(run);
		g_autoptr(GArray) versions = g_array_new(FALSE, FALSE, sizeof(Version));
		g_array_set_clear_func(versions, version_clear);
		Version first = {sheet_new(), json_object()};
		g_array_append_val(versions, first);
		for (guint i = 0; i < STEPS; i++) {
			guint from = (guint)g_rand_int_range(
				rand, i > 10 ? (gint)i - 5 : 0, (gint)i + 1);
			Version next = next_version(&g_array_index(versions, Version, from), rand);
			g_array_append_val(versions, next);
			assert_version(&next);
			if (i % 3 == 0)
				assert_true(
					json_equal((json_t *)sheet_rows(next.sheet), next.rows));
			guint other = (guint)g_rand_int_range(rand, 0, (gint)i + 1);
			assert_difference(&g_array_index(versions, Version, other), &next);
			assert_difference(&next, &g_array_index(versions, Version, other));
		}
	}
}

static void test_nothing_written_is_the_same_sheet(void **state)
{
	g_autoptr(Sheet) sheet = sheet_new();
	g_autoptr(Sheet) same = sheet_over(sheet, NULL);
	(void)state;
	assert_ptr_equal(sheet, same);
}

static void test_a_release_is_found_by_what_its_files_lead_from(void **state)
{
	g_autoptr(Sheet) sheet = sheet_new();
	g_autoptr(TestJson) row = json_pack("{s:{s:{s:{s:{s:[{s:s}]}}}}}", "platforms", "linux",
		"locales", "en", "partials", "from", "web-1");
	g_autoptr(TestJson) found = json_object();
	(void)state;
	sheet_add(sheet, "web-2", row);
	sheet_each(sheet, SHEET_BY_ORIGIN, "web-1", note_found, found);
	assert_ptr_equal(json_object_get(found, "web-2"), row);
	assert_int_equal(json_object_size(found), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers_are_as_one_table),
		cmocka_unit_test(test_nothing_written_is_the_same_sheet),
		cmocka_unit_test(test_a_release_is_found_by_what_its_files_lead_from),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
