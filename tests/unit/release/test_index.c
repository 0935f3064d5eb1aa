/* SPDX-License-Identifier: ISC
 *
 * The index: its one spelling, which may follow which, and what may be installed by it.
 */
#include <string.h>

#include "base/clock.h"
#include "release/index.h"
#include "release_bed.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Text ----------------------------------------------------------------------------------------- */

#define PRODUCT "drover-index 1\nproduct web\n"
#define TIMES	"issued 2026-11-21T03:47:19Z\nexpires 2026-11-28T03:47:19Z\n"
#define HEAD	PRODUCT TIMES "newest 42\n"
#define ISSUED	(G_GINT64_CONSTANT(1795232839) * US_PER_SECOND)

static const char TEXT[] = HEAD "release 42 1.4.2 " A64 "\n"
				"release 40 1.4.0 " B64 "\n"
				"revoked 0000000000000001\n";

static void test_index_has_one_spelling(void **state)
{
	KeyId one = {{1}};
	g_autoptr(Index) index = index_new("web");
	index->issued_us = ISSUED;
	index->expires_us = ISSUED + 7 * US_PER_DAY;
	index_add(index, 40, "1.4.0", B64);
	index_add(index, 42, "1.4.2", A64);
	revoked_add(index->revoked, &one);
	g_autofree char *text = index_text(index, NULL);
	assert_string_equal(text, TEXT);
	g_autoptr(Index) again = index_parse("i", TEXT, strlen(TEXT), NULL);
	assert_int_equal(again->newest, 42);
	assert_int_equal(again->releases->len, 2);
	assert_string_equal(index_find(again, "1.4.0")->sha256, B64);
	assert_null(index_find(again, "1.4.1"));
	g_autofree char *text_again = index_text(again, NULL);
	assert_string_equal(text_again, TEXT);
}

static void test_newest_stays_when_its_release_is_gone(void **state)
{
	static const char GONE[] = HEAD "release 40 1.4.0 " B64 "\n";
	g_autoptr(Index) index = index_parse("i", GONE, strlen(GONE), NULL);
	assert_int_equal(index->newest, 42);
}

static void test_product_without_a_release_has_an_index_too(void **state)
{
	static const char NONE[] = PRODUCT TIMES "newest 0\n";
	g_autoptr(Index) index = index_parse("i", NONE, strlen(NONE), NULL);
	assert_int_equal(index->releases->len, 0);
}

static void test_indexes_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} CASES[] = {
		{"", "i:1: a line is missing"},
		{"drover-delegation 1\n", "i:1: must be 'drover-index' and 1 word"},
		{"drover-index 2\n", "i:1: of a format"},
		{"drover-index  1\n", "i:1: must be 'drover-index' and 1 word"},
		{"drover-index 1\nproduct \n", "i:2: the product's name"},
		{"drover-index 1\nproduct ..\n", "i:2: the product's name"},
		{PRODUCT "issued x\n", "i:3: the instant"},
		{PRODUCT "issued 2026-11-21T03:47:19Z\nexpires 2026-11-21T03:47:19Z\n",
			"i:4: must expire after"},
		{PRODUCT "issued 2026-11-21T03:47:19Z\nexpires 2027-11-22T03:47:20Z\n",
			"i:4: must expire after it was issued, within a year"},
		{PRODUCT "issued 2026-11-21T04:47:19+01:00\nexpires 2026-11-28T03:47:19Z\n"
			 "newest 1\n",
			"i:3: not in the one spelling"},
		{PRODUCT TIMES "newest -1\n", "i:5: the newest sequence"},
		{PRODUCT TIMES "newest 9007199254740992\n", "i:5: the newest sequence"},
		{HEAD "\n", "i:6: nothing may follow"},
		{HEAD "release 43 1.4.3 " A64 "\n", "i:6: sequences must be numbers that fall"},
		{HEAD "release 0 1.4.3 " A64 "\n", "i:6: sequences must be numbers that fall"},
		{HEAD "release 41 1.4.1 " A64 "\nrelease 42 1.4.2 " A64 "\n",
			"i:7: sequences must be numbers that fall"},
		{HEAD "release 42 1.4.2 " A64 "\nrelease 42 1.4.1 " A64 "\n",
			"i:7: sequences must be numbers that fall"},
		{HEAD "release 42 1.4.2 " A64 "\nrelease 41 1.4.2 " A64 "\n",
			"i:7: the version was there before"},
		{HEAD "release 42 ../1 " A64 "\n", "i:6: the version is not allowed"},
		{HEAD "release 42 1.4.2 " A64 "a\n", "i:6: the manifest's digest"},
		{HEAD "release 42 1.4.2 A" A64 "\n", "i:6: the manifest's digest"},
		{HEAD "release 042 1.4.2 " A64 "\n", "i:6: not in the one spelling"},
		{HEAD "release 42 1.4.2 " A64 " x\n", "i:6: must be 'release' and 3 words"},
		{HEAD "release 42 1.4.2 " A64 "\r\n", "i:6: the manifest's digest"},
		{HEAD "release 42 1.4.2 " A64, "i:6: not in the one spelling"},
		{HEAD "revoked 0000000000000001\nrelease 42 1.4.2 " A64 "\n",
			"i:7: nothing may follow"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(index_parse("i", CASES[i].text, strlen(CASES[i].text), &error));
		assert_error(&error, DROVER_ERROR_INPUT, CASES[i].says);
	}
}

static void test_a_nul_byte_is_refused(void **state)
{
	static const char NUL[] = HEAD "\0";
	g_autoptr(GError) error = NULL;
	assert_null(index_parse("i", NUL, sizeof HEAD, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "nothing may follow");
	g_autofree char *inside = g_strdup(TEXT);
	inside[strlen(HEAD) + strlen("release 42 1")] = '\0';
	assert_null(index_parse("i", inside, strlen(TEXT), &error));
	assert_error(&error, DROVER_ERROR_INPUT, "i:6:");
}

static void test_index_over_its_limits_is_refused(void **state)
{
	g_autofree char *large = g_strnfill(INDEX_MAXIMUM_BYTES + 1, 'x');
	g_autoptr(GError) error = NULL;
	assert_null(index_parse("i", large, INDEX_MAXIMUM_BYTES + 1, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "4194304");

	g_autoptr(Index) index = index_new("web");
	index->issued_us = ISSUED;
	index->expires_us = ISSUED + INDEX_MAXIMUM_LIFE_DAYS * US_PER_DAY;
	for (int i = 1; i <= INDEX_MAXIMUM_RELEASES + 1; i++) {
		g_autofree char *version = g_strdup_printf("1.%d", i);
		index_add(index, i, version, A64);
		if (i < INDEX_MAXIMUM_RELEASES)
			continue;
		g_autofree char *text = index_text(index, &error);
		assert_int_equal(text != NULL, i == INDEX_MAXIMUM_RELEASES);
	}
	assert_error(&error, DROVER_ERROR_INPUT, "more releases");
	g_ptr_array_set_size(index->releases, 0);
	for (int i = 0; i <= TRUST_MAXIMUM_REVOKED; i++) {
		KeyId id = {{(guint8)i, (guint8)(i >> 8)}};
		revoked_add(index->revoked, &id);
	}
	assert_null(index_text(index, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "more revoked keys");
}

/* Which may follow which -------------------------------------------------------------------------
 */

static void test_which_index_may_follow(void **state)
{
	/* The one that was seen: issued at 1000 s, newest 42, digest A64. */
	static const struct {
		gint64 issued_s, expires_s, newest;
		const char *sha256;
		gint64 now_s;
		int code; /* 0: it may */
		const char *says;
	} CASES[] = {
		{1000, 2000, 42, A64, 1000, 0, NULL}, /* the same again */
		{1000, 2000, 42, A64, 1999, 0, NULL},
		{1000, 2000, 42, A64, 2000, DROVER_ERROR_UNAVAILABLE, "expired at"},
		{1500, 2500, 42, B64, 1600, 0, NULL}, /* signed again */
		{1500, 2500, 43, B64, 1600, 0, NULL}, /* with another release */
		{1500, 2500, 41, B64, 1600, DROVER_ERROR_CONFLICT, "fell from 42 to 41"},
		{999, 2500, 42, B64, 1600, DROVER_ERROR_CONFLICT, "is old: issued at"},
		{999, 2500, 99, B64, 1600, DROVER_ERROR_CONFLICT, "is old: issued at"},
		{1000, 2500, 42, B64, 1600, DROVER_ERROR_CONFLICT, "two different indexes"},
		/* Its signer's clock is ahead of ours, by 300 s and by a second more. */
		{1900, 2500, 42, B64, 1600, 0, NULL},
		{1901, 2500, 42, B64, 1600, DROVER_ERROR_UNAVAILABLE, "in the future"},
	};
	const IndexSeen seen = {.issued_us = 1000 * US_PER_SECOND, .newest = 42, .sha256 = A64};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(Index) index = index_new("web");
		index->issued_us = CASES[i].issued_s * US_PER_SECOND;
		index->expires_us = CASES[i].expires_s * US_PER_SECOND;
		index->newest = CASES[i].newest;
		g_autoptr(GError) error = NULL;
		assert_int_equal(index_may_follow(index, "web", CASES[i].sha256, &seen,
					 CASES[i].now_s * US_PER_SECOND, &error),
			CASES[i].code == 0);
		if (CASES[i].code != 0)
			assert_error(&error, (DroverErrorCode)CASES[i].code, CASES[i].says);
	}
}

static void test_first_index_follows_none(void **state)
{
	static const IndexSeen NONE;
	g_autoptr(Index) index = index_parse("i", TEXT, strlen(TEXT), NULL);
	g_autoptr(GError) error = NULL;
	assert_true(index_may_follow(index, "web", A64, &NONE, ISSUED, &error));
	assert_false(index_may_follow(index, "shop", A64, &NONE, ISSUED, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "one of web, not of shop");
	IndexSeen seen;
	index_seen(index, A64, &seen);
	assert_int_equal(seen.issued_us, ISSUED);
	assert_int_equal(seen.newest, 42);
	assert_string_equal(seen.sha256, A64);
}

/* What may be installed --------------------------------------------------------------------------
 */

static void test_which_release_may_be_installed(void **state)
{
	/* The index has 1.4.2 with 42 and A64, 1.4.0 with 40 and B64. */
	static const struct {
		const char *version;
		gint64 sequence;
		const char *sha256;
		gint64 running, floor;
		gboolean is_ordered;
		int code; /* 0: it may */
		const char *says;
	} CASES[] = {
		{"1.4.2", 42, A64, 0, 0, FALSE, 0, NULL},
		{"1.4.2", 42, A64, 40, 0, FALSE, 0, NULL},
		{"1.4.2", 42, A64, 42, 42, FALSE, 0, NULL}, /* once more */
		{"1.4.0", 40, B64, 0, 0, FALSE, 0, NULL},
		{"1.4.0", 40, B64, 42, 0, FALSE, DROVER_ERROR_DENIED, "only an order goes back"},
		{"1.4.0", 40, B64, 42, 0, TRUE, 0, NULL},
		{"1.4.0", 40, B64, 42, 40, TRUE, 0, NULL},
		{"1.4.0", 40, B64, 42, 41, TRUE, DROVER_ERROR_DENIED, "below 41"},
		/* The floor stays after it was gone below by hand. */
		{"1.4.0", 40, B64, 39, 41, TRUE, DROVER_ERROR_DENIED, "below 41"},
		{"1.4.1", 41, A64, 40, 0, TRUE, DROVER_ERROR_NOT_FOUND, "no release 1.4.1"},
		{"1.4.2", 42, B64, 40, 0, TRUE, DROVER_ERROR_DENIED, "exchanged"},
		/* An old release that calls itself by a new sequence. */
		{"1.4.0", 43, B64, 42, 0, FALSE, DROVER_ERROR_DENIED, "exchanged"},
	};
	g_autoptr(Index) index = index_parse("i", TEXT, strlen(TEXT), NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		const InstallWish wish = {
			.version = CASES[i].version,
			.sequence = CASES[i].sequence,
			.sha256 = CASES[i].sha256,
			.running = CASES[i].running,
			.floor = CASES[i].floor,
			.is_ordered = CASES[i].is_ordered,
		};
		g_autoptr(GError) error = NULL;
		assert_int_equal(
			index_may_install(index, &wish, ISSUED, &error), CASES[i].code == 0);
		if (CASES[i].code != 0)
			assert_error(&error, (DroverErrorCode)CASES[i].code, CASES[i].says);
	}
}

static void test_nothing_is_installed_by_an_expired_index(void **state)
{
	g_autoptr(Index) index = index_parse("i", TEXT, strlen(TEXT), NULL);
	const InstallWish wish = {
		.version = "1.4.2", .sequence = 42, .sha256 = A64, .is_ordered = TRUE};
	g_autoptr(GError) error = NULL;
	assert_true(index_may_install(index, &wish, index->expires_us - 1, &error));
	assert_false(index_may_install(index, &wish, index->expires_us, &error));
	assert_error(&error, DROVER_ERROR_UNAVAILABLE, "expired at 2026-11-28T03:47:19Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index_has_one_spelling),
		cmocka_unit_test(test_newest_stays_when_its_release_is_gone),
		cmocka_unit_test(test_product_without_a_release_has_an_index_too),
		cmocka_unit_test(test_indexes_that_are_none_are_refused),
		cmocka_unit_test(test_a_nul_byte_is_refused),
		cmocka_unit_test(test_index_over_its_limits_is_refused),
		cmocka_unit_test(test_which_index_may_follow),
		cmocka_unit_test(test_first_index_follows_none),
		cmocka_unit_test(test_which_release_may_be_installed),
		cmocka_unit_test(test_nothing_is_installed_by_an_expired_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
