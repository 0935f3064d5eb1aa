/* SPDX-License-Identifier: ISC
 *
 * What is found after a kill, and what place_open() and node_recover() make of it: the table of
 * node/place.h, row by row. That these are all the states there are is shown by the sweep of
 * tests/system/test_crash_node.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/base/temporary.h"
#include "node/install.h"
#include "node/place_parts.h"

#define DIGEST "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

typedef struct Row {
	const char *name;
	/* Found: */
	const char *kind, *step; /* of the intent, about 2.0; what ran is 1.0 */
	gboolean knows_new;	 /* the journal has 2.0 */
	gboolean has_tree, has_tmp, has_gone;
	const char *current;
	/* Made of it: */
	const char *current_after;
	gboolean knows_new_after, has_tree_after;
	const char *restarted; /* by node_recover(); NULL: nothing */
	const char *recovered;
} Row;

static const Row rows[] = {
	{"nothing was under way", NULL, NULL, TRUE, TRUE, FALSE, FALSE, "1.0", /**/
		"1.0", TRUE, TRUE, NULL, NULL},
	{"an install before its tree", "install", NULL, FALSE, FALSE, FALSE, FALSE, "1.0", /**/
		"1.0", FALSE, FALSE, NULL,
		"installing 2.0 was interrupted: it is taken back, what was fetched stays"},
	{"an install with half a tree", "install", NULL, FALSE, FALSE, TRUE, FALSE, "1.0", /**/
		"1.0", FALSE, FALSE, NULL,
		"installing 2.0 was interrupted: it is taken back, what was fetched stays"},
	{"an install after its rename", "install", NULL, FALSE, TRUE, FALSE, FALSE, "1.0", /**/
		"1.0", TRUE, TRUE, NULL,
		"installing 2.0 was interrupted after its last check: it is whole"},
	{"an activation in its first hook", "activate", "before-switch", TRUE, TRUE, FALSE, FALSE,
		"1.0", /**/
		"1.0", TRUE, TRUE, NULL, "activating 2.0 was interrupted: 1.0 runs again"},
	{"an activation before its link", "activate", "switched", TRUE, TRUE, FALSE, FALSE,
		"1.0", /**/
		"1.0", TRUE, TRUE, NULL, "activating 2.0 was interrupted: 1.0 runs again"},
	{"an activation after its link", "activate", "switched", TRUE, TRUE, FALSE, FALSE,
		"2.0", /**/
		"1.0", TRUE, TRUE, "1.0", "activating 2.0 was interrupted: 1.0 runs again"},
	{"an activation in its restart", "activate", "restarted", TRUE, TRUE, FALSE, FALSE,
		"2.0", /**/
		"1.0", TRUE, TRUE, "1.0", "activating 2.0 was interrupted: 1.0 runs again"},
	{"an activation that was healthy", "activate", "healthy", TRUE, TRUE, FALSE, FALSE,
		"2.0", /**/
		"2.0", TRUE, TRUE, NULL, "activating 2.0 was interrupted when it was healthy"},
	{"on its way back before the link", "activate", "back", TRUE, TRUE, FALSE, FALSE,
		"2.0", /**/
		"1.0", TRUE, TRUE, "1.0", "activating 2.0 was interrupted: 1.0 runs again"},
	{"on its way back after the link", "activate", "back", TRUE, TRUE, FALSE, FALSE, "1.0", /**/
		"1.0", TRUE, TRUE, "1.0", "activating 2.0 was interrupted: 1.0 runs again"},
	{"a removal before its rename", "remove", NULL, TRUE, TRUE, FALSE, FALSE, "1.0", /**/
		"1.0", FALSE, FALSE, NULL, "removing 2.0 was finished"},
	{"a removal after its rename", "remove", NULL, TRUE, FALSE, FALSE, TRUE, "1.0", /**/
		"1.0", FALSE, FALSE, NULL, "removing 2.0 was finished"},
	/* Nothing writes such a journal; a disk may. */
	{"a removal of what runs", "remove", NULL, TRUE, TRUE, FALSE, FALSE, "2.0", /**/
		"2.0", TRUE, TRUE, NULL, NULL},
	{"an install of what runs", "install", NULL, TRUE, TRUE, FALSE, FALSE, "2.0", /**/
		"2.0", TRUE, TRUE, NULL, "2.0 was installed"},
};

static void put(const char *prefix, const char *below, const char *text)
{
	g_autofree char *path = g_build_filename(prefix, below, NULL);
	g_autofree char *folder = g_path_get_dirname(path);
	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

static gboolean has(const char *prefix, const char *below)
{
	g_autofree char *path = g_build_filename(prefix, below, NULL);
	return access(path, F_OK) == 0;
}

static void put_manifest(const char *prefix)
{
	g_autoptr(Manifest) manifest = manifest_new();
	manifest->product = g_strdup("web");
	manifest->version = g_strdup("2.0");
	manifest->sequence = 2;
	manifest->revision = g_strnfill(40, 'a');
	manifest->mtime_s = 1;
	manifest->payload = (ArchivePayload){.size_bytes = 1,
		.sha256 = DIGEST,
		.tar_bytes = 1024,
		.tar_sha256 = DIGEST,
		.window_log = 20};
	assert_true(tree_add_file(manifest->tree, "f", FALSE, 3, DIGEST, NULL));
	assert_true(tree_finish(manifest->tree, NULL));
	g_autoptr(GError) error = NULL;
	g_autofree char *text = manifest_text(manifest, &error);
	if (text == NULL)
		fail_msg("%s", error->message);
	put(prefix, ".drover/manifests/2.0/manifest", text);
}

static char *installed_text(const char *version, int sequence)
{
	return g_strdup_printf("{\"version\": \"%s\", \"sequence\": %d, "
			       "\"min_rollback_sequence\": 0, \"manifest_sha256\": \"" DIGEST
			       "\", \"installed\": \"2026-11-21\", \"ran\": null}",
		version, sequence);
}

static char *intent_text(const Row *row)
{
	if (row->kind == NULL)
		return g_strdup("null");
	const char *previous = strcmp(row->kind, "activate") == 0 ? "\"1.0\"" : "null";
	g_autofree char *step =
		row->step != NULL ? g_strdup_printf("\"%s\"", row->step) : g_strdup("null");
	return g_strdup_printf("{\"kind\": \"%s\", \"version\": \"2.0\", \"previous\": %s, "
			       "\"step\": %s, \"begun\": \"2026-11-21\"}",
		row->kind, previous, step);
}

static void put_journal(const char *prefix, const Row *row)
{
	g_autofree char *old = installed_text("1.0", 1), *new = installed_text("2.0", 2);
	g_autofree char *intent = intent_text(row);
	g_autofree char *text = g_strdup_printf(
		"{\"format\": 1, \"intent\": %s, \"previous\": null, \"installed\": [%s%s%s], "
		"\"seen\": {\"issued\": null, \"newest\": 0, \"sha256\": \"\"}, \"floor\": 0, "
		"\"trust_serial\": 0, \"revoked\": []}",
		intent, old, row->knows_new ? ", " : "", row->knows_new ? new : "");
	put(prefix, ".drover/journal", text);
}

static void lay_out(const char *prefix, const Row *row)
{
	g_autofree char *link = g_build_filename(prefix, "current", NULL);
	g_autofree char *target = g_build_filename("releases", row->current, NULL);
	put(prefix, "releases/1.0/f", "old");
	put_manifest(prefix);
	put_journal(prefix, row);
	if (row->has_tree)
		put(prefix, "releases/2.0/f", "new");
	if (row->has_tmp)
		put(prefix, "releases/.2.0.tmp/f", "ne");
	if (row->has_gone)
		put(prefix, "releases/.gone-2.0/f", "new");
	put(prefix, ".drover/journal.part-abcdef", "{");
	put(prefix, ".drover/fetch/3.0-0123456789abcdef.part", "begun");
	assert_int_equal(symlink(target, link), 0);
}

static gboolean note_restart(
	const NodeProduct *product, const char *version, gpointer of, GError **error)
{
	g_string_append(of, version);
	return TRUE;
}

static void assert_text(const char *row, const char *found, const char *expected)
{
	if (g_strcmp0(found, expected) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", row, found, expected);
}

/* Their journal would say what was verified. */
static void test_what_others_may_write_to_is_not_ours(void **state)
{
	static const struct {
		const char *below;
		mode_t mode;
		gboolean is_good;
	} cases[] = {{"", 0757, FALSE}, {".drover", 0702, FALSE},
		{".drover/manifests", 0777, FALSE}, {".drover/fetch", 0777, FALSE},
		{"releases", 0777, FALSE}, {"shared", 0777, TRUE}, {"", 0775, TRUE}};
	g_autofree char *prefix = g_build_filename(*state, "ours", NULL);
	const NodeProduct product = {.name = (char *)"web", .prefix = prefix};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *path = g_build_filename(prefix, cases[i].below, NULL);
		place_free(place_open(&product, CLOCK_SYSTEM, NULL));
		assert_int_equal(chmod(path, cases[i].mode), 0);
		g_autoptr(Place) opened = place_open(&product, CLOCK_SYSTEM, &error);
		g_autoptr(Place) looked = place_look(&product, NULL);
		assert_int_equal(opened != NULL, cases[i].is_good);
		assert_int_equal(looked != NULL, cases[i].is_good);
		if (!cases[i].is_good)
			assert_non_null(strstr(error->message, "can be written to by others"));
		assert_int_equal(chmod(path, cases[i].below[0] == '.' ? 0700 : 0755), 0);
	}
}

static void test_a_place_of_somebody_else_is_not_ours(void **state)
{
	if (geteuid() != 0)
		skip(); /* nobody else can give a folder away */
	g_autofree char *prefix = g_build_filename(*state, "theirs", NULL);
	g_autofree char *own = g_build_filename(prefix, ".drover", NULL);
	const NodeProduct product = {.name = (char *)"web", .prefix = prefix};
	place_free(place_open(&product, CLOCK_SYSTEM, NULL));
	g_autoptr(GError) error = NULL;
	assert_int_equal(chown(own, 65534, 65534), 0);
	assert_null(place_open(&product, CLOCK_SYSTEM, &error));
	assert_non_null(strstr(error->message, "chown 0"));
}

static void check_row(const char *folder, const Row *row)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) restarted = g_string_new(NULL);
	g_autofree char *prefix = g_build_filename(folder, row->name, NULL);
	const NodeProduct product = {.name = (char *)"web", .prefix = prefix};
	const NodeDeed deed = {.restart = note_restart, .of = restarted};
	lay_out(prefix, row);
	g_autoptr(Place) place = place_open(&product, CLOCK_SYSTEM, &error);
	if (place == NULL || !node_recover(place, &deed, &error))
		fail_msg("%s: %s", row->name, error->message);
	assert_text(row->name, place->recovered, row->recovered);
	assert_text(row->name, place->current, row->current_after);
	assert_text(row->name, restarted->str, row->restarted != NULL ? row->restarted : "");
	assert_int_equal(place->intent.kind, INTENT_NONE);
	assert_int_equal(place_find(place, "2.0") != NULL, row->knows_new_after);
	assert_non_null(place_find(place, "1.0"));
	assert_int_equal(has(prefix, "releases/2.0/f"), row->has_tree_after);
	assert_true(has(prefix, "releases/1.0/f"));
	assert_false(has(prefix, "releases/.2.0.tmp") || has(prefix, "releases/.gone-2.0"));
	assert_false(has(prefix, ".drover/journal.part-abcdef"));
	assert_true(has(prefix, ".drover/fetch/3.0-0123456789abcdef.part"));
	/* The next one finds nothing to do. */
	g_clear_pointer(&place, place_free);
	place = place_open(&product, CLOCK_SYSTEM, &error);
	assert_non_null(place);
	assert_null(place->recovered);
	assert_string_equal(place->current, row->current_after);
}

static void test_every_state_that_a_kill_can_leave_is_repaired(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		check_row(*state, &rows[i]);
}

static void test_looking_needs_nothing_and_changes_nothing(void **state)
{
	g_autofree char *prefix = g_build_filename(*state, "nowhere", NULL);
	const NodeProduct product = {.name = (char *)"web", .prefix = prefix};
	g_autoptr(Place) place = place_look(&product, NULL);
	assert_null(place->current);
	assert_int_equal(place->installed->len, 0);
	assert_false(has(prefix, "."));
}

static void test_looking_sees_what_is_under_way(void **state)
{
	g_autofree char *prefix = g_build_filename(*state, "busy", NULL);
	const NodeProduct product = {.name = (char *)"web", .prefix = prefix};
	lay_out(prefix, &rows[7]);
	g_autoptr(Place) place = place_look(&product, NULL);
	assert_string_equal(place->current, "2.0");
	assert_int_equal(place->intent.kind, INTENT_ACTIVATE);
	assert_string_equal(place->intent.step, "restarted");
}

static void test_who_holds_the_lock_is_named(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *prefix = g_build_filename(*state, "locked", NULL);
	const NodeProduct product = {.name = (char *)"web", .prefix = prefix};
	g_autoptr(Place) first = place_open(&product, CLOCK_SYSTEM, NULL);
	assert_non_null(first);
	assert_null(place_open(&product, CLOCK_SYSTEM, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_LOCKED));
	assert_true(g_str_has_prefix(error->message, "web: drover-node is at work on host "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_others_may_write_to_is_not_ours,
			temporary_setup, temporary_teardown),
		cmocka_unit_test_setup_teardown(test_a_place_of_somebody_else_is_not_ours,
			temporary_setup, temporary_teardown),
		cmocka_unit_test_setup_teardown(test_every_state_that_a_kill_can_leave_is_repaired,
			temporary_setup, temporary_teardown),
		cmocka_unit_test_setup_teardown(test_looking_needs_nothing_and_changes_nothing,
			temporary_setup, temporary_teardown),
		cmocka_unit_test_setup_teardown(
			test_looking_sees_what_is_under_way, temporary_setup, temporary_teardown),
		cmocka_unit_test_setup_teardown(
			test_who_holds_the_lock_is_named, temporary_setup, temporary_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
