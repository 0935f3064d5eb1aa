/* SPDX-License-Identifier: ISC
 *
 * The journal's text: written and read back, and what is refused of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/place_parts.h"

#define DIGEST	 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MIDNIGHT (G_GINT64_CONSTANT(1795219200) * US_PER_SECOND) /* 2026-11-21 */

static const NodeProduct product = {.name = (char *)"web", .prefix = (char *)"/srv/web"};

static Installed *release(const char *version, gint64 sequence, gint64 ran_us)
{
	Installed *installed = g_new0(Installed, 1);
	installed->version = g_strdup(version);
	installed->sequence = sequence;
	installed->min_rollback_sequence = 1;
	g_strlcpy(installed->manifest_sha256, DIGEST, SHA256_HEX);
	installed->installed_us = MIDNIGHT;
	installed->ran_us = ran_us;
	return installed;
}

static Place *filled(void)
{
	KeyId id;
	Place *place = place_new(&product);
	assert_true(key_id_parse("0114845858551CBC", &id, NULL));
	place_add(place, release("1.0", 1, MIDNIGHT + 1));
	place_add(place, release("2.0", 2, 0));
	place->previous = g_strdup("0.9");
	place->seen = (IndexSeen){.issued_us = MIDNIGHT, .newest = 2, .sha256 = DIGEST};
	place->floor = 1;
	place->trust_serial = 3;
	revoked_add(place->revoked, &id);
	place->intent = (Intent){.kind = INTENT_ACTIVATE,
		.version = g_strdup("2.0"),
		.previous = g_strdup("1.0"),
		.step = g_strdup("restarted"),
		.begun_us = MIDNIGHT};
	return place;
}

static const char text_of_filled[] = "{\n"
				     " \"format\": 1,\n"
				     " \"intent\": {\n"
				     "  \"kind\": \"activate\",\n"
				     "  \"version\": \"2.0\",\n"
				     "  \"previous\": \"1.0\",\n"
				     "  \"step\": \"restarted\",\n"
				     "  \"begun\": \"2026-11-21T00:00:00Z\"\n"
				     " },\n"
				     " \"previous\": \"0.9\",\n"
				     " \"installed\": [\n"
				     "  {\n"
				     "   \"version\": \"2.0\",\n"
				     "   \"sequence\": 2,\n"
				     "   \"min_rollback_sequence\": 1,\n"
				     "   \"manifest_sha256\": \"" DIGEST "\",\n"
				     "   \"installed\": \"2026-11-21T00:00:00Z\",\n"
				     "   \"ran\": null\n"
				     "  },\n"
				     "  {\n"
				     "   \"version\": \"1.0\",\n"
				     "   \"sequence\": 1,\n"
				     "   \"min_rollback_sequence\": 1,\n"
				     "   \"manifest_sha256\": \"" DIGEST "\",\n"
				     "   \"installed\": \"2026-11-21T00:00:00Z\",\n"
				     "   \"ran\": \"2026-11-21T00:00:00.000001Z\"\n"
				     "  }\n"
				     " ],\n"
				     " \"seen\": {\n"
				     "  \"issued\": \"2026-11-21T00:00:00Z\",\n"
				     "  \"newest\": 2,\n"
				     "  \"sha256\": \"" DIGEST "\"\n"
				     " },\n"
				     " \"floor\": 1,\n"
				     " \"trust_serial\": 3,\n"
				     " \"revoked\": [\n"
				     "  \"0114845858551CBC\"\n"
				     " ]\n"
				     "}\n";

static void test_it_is_written_for_people_and_read_back(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Place) place = filled();
	g_autofree char *text = journal_text(place);
	assert_string_equal(text, text_of_filled);
	g_autoptr(Place) again = place_new(&product);
	assert_true(journal_parse(again, "journal", text, strlen(text), &error));
	g_autofree char *same = journal_text(again);
	assert_string_equal(same, text_of_filled);
}

static void test_an_empty_one_is_read_back(void **state)
{
	g_autoptr(Place) place = place_new(&product);
	g_autofree char *text = journal_text(place);
	g_autoptr(Place) again = place_new(&product);
	assert_true(journal_parse(again, "journal", text, strlen(text), NULL));
	assert_int_equal(again->intent.kind, INTENT_NONE);
	assert_int_equal(again->installed->len, 0);
}

/* What of the good text is replaced by what. */
static const struct {
	const char *from, *to;
} mistakes[] = {
	{"{\n \"format\"", "[{\n \"format\""},
	{"\"format\": 1", "\"format\": 2"},
	{"\"format\": 1", "\"format\": 1, \"format\": 1"},
	{"\"activate\"", "\"explode\""},
	{"\"activate\"", "null"},
	{"\"restarted\"", "\"rested\""},
	{"\"restarted\"", "null"},
	{"\"kind\": \"activate\"", "\"kind\": \"install\""}, /* that has no steps */
	{"\"version\": \"2.0\",\n  \"previous\"", "\"version\": \"../2.0\",\n  \"previous\""},
	{"\"version\": \"2.0\",\n  \"previous\"", "\"version\": null,\n  \"previous\""},
	{"\"previous\": \"0.9\"", "\"previous\": \"a/b\""},
	{"\"previous\": \"0.9\"", "\"previous\": \"a\\u0000b\""},
	{"\"version\": \"1.0\"", "\"version\": \"2.0\""}, /* twice */
	{"\"version\": \"1.0\"", "\"version\": \".tmp\""},
	{"\"sequence\": 2,", "\"sequence\": -2,"},
	{"\"sequence\": 2,", "\"sequence\": 9007199254740992,"},
	{"\"sequence\": 2,", "\"sequence\": 2.5,"},
	{"\"sequence\": 2,", ""},
	{"\"manifest_sha256\": \"ba", "\"manifest_sha256\": \"BA"},
	{"\"manifest_sha256\": \"ba", "\"manifest_sha256\": \""},
	{"\"ran\": null", "\"ran\": \"yesterday\""},
	{"\"ran\": null", "\"ran\": 7"},
	{"\"issued\": \"2026-11-21T00:00:00Z\"", "\"issued\": \"1969-12-31T00:00:00Z\""},
	{"\"newest\": 2", "\"newest\": \"2\""},
	{"\"seen\": {", "\"scene\": {"},
	{"\"floor\": 1", "\"floor\": null"},
	{"0114845858551CBC", "0114845858551CB"},
	{"\"installed\": [", "\"installed\": 1, \"others\": ["},
	{"}\n", "\n"},
	{"}\n", "}\nmore\n"},
};

static char *replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	/* The end of the text, where it is the end that is meant. */
	for (const char *next = at; next != NULL && from[0] == '}'; next = strstr(at + 1, from))
		at = next;
	assert_non_null(at);
	return g_strdup_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void test_whatever_else_stands_there_is_refused_and_says_what_to_do(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Place) place = place_new(&product);
		g_autofree char *text = replace(text_of_filled, mistakes[i].from, mistakes[i].to);
		if (journal_parse(place, "journal", text, strlen(text), &error))
			fail_msg("%s was read", mistakes[i].to);
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
		assert_non_null(strstr(error->message, "nothing was touched"));
	}
}

static void test_every_beginning_of_one_is_refused(void **state)
{
	for (gsize size = 0; size + 2 < sizeof text_of_filled; size++) {
		g_autoptr(Place) place = place_new(&product);
		assert_false(journal_parse(place, "journal", text_of_filled, size, NULL));
	}
}

static void test_its_size_and_its_releases_are_bounded(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Place) place = place_new(&product);
	g_autofree char *blanks = g_strnfill(JOURNAL_MAXIMUM_BYTES + 1, ' ');
	assert_false(journal_parse(place, "journal", blanks, JOURNAL_MAXIMUM_BYTES + 1, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));

	g_autoptr(Place) full = place_new(&product);
	for (int i = 1; i <= JOURNAL_MAXIMUM_INSTALLED + 1; i++) {
		g_autofree char *version = g_strdup_printf("%d", i);
		place_add(full, release(version, i, 0));
		if (i < JOURNAL_MAXIMUM_INSTALLED)
			continue;
		g_autofree char *text = journal_text(full);
		g_autoptr(Place) again = place_new(&product);
		assert_int_equal(journal_parse(again, "journal", text, strlen(text), NULL),
			i == JOURNAL_MAXIMUM_INSTALLED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_written_for_people_and_read_back),
		cmocka_unit_test(test_an_empty_one_is_read_back),
		cmocka_unit_test(test_whatever_else_stands_there_is_refused_and_says_what_to_do),
		cmocka_unit_test(test_every_beginning_of_one_is_refused),
		cmocka_unit_test(test_its_size_and_its_releases_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
