/* SPDX-License-Identifier: ISC
 *
 * History: what was written stands, and whatever was done to it shows.
 */
#include "place.h"

#include <string.h>

#include "store/history.h"

#define DIGEST_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static gboolean append(Store *store, gpointer of, GError **error)
{
	const HistoryEntry *entry = of;
	return history_append(store, entry->at_us, entry->actor, entry->action, entry->subject,
		entry->reason, entry->before, entry->after, error);
}

static void must_append(Store *store, const char *actor, const char *subject)
{
	g_autoptr(GError) error = NULL;
	HistoryEntry entry = {.at_us = 1000,
		.actor = (char *)actor,
		.action = "product.update",
		.subject = (char *)subject,
		.before = "{\"a\":1}",
		.after = "{\"a\":2}"};
	store_write(store, append, &entry, &error);
	assert_good(error);
}

/* Entries 1 … 5: ada, bob, ada, bob, ada. */
static void must_append_five(Store *store)
{
	for (int i = 0; i < 5; i++)
		must_append(store, i % 2 ? "bob" : "ada", "product/web");
}

static HistoryVerdict must_verify(Store *store, const char *head)
{
	g_autoptr(GError) error = NULL;
	HistoryVerdict verdict;
	history_verify(store, head, &verdict, &error);
	assert_good(error);
	return verdict;
}

static char *must_head(Store *store)
{
	g_autoptr(GError) error = NULL;
	char *head;
	history_head(store, &head, NULL, &error);
	assert_good(error);
	return head;
}

static void assert_broken_at(Store *store, gint64 sequence, const char *part)
{
	HistoryVerdict verdict = must_verify(store, NULL);
	assert_int_equal(verdict.broken_at, sequence);
	assert_non_null(verdict.problem);
	assert_non_null(strstr(verdict.problem, part));
	history_verdict_clear(&verdict);
}

static void test_an_empty_history_is_whole(void **state)
{
	Place *place = *state;
	HistoryVerdict verdict = must_verify(place->store, NULL);
	assert_int_equal(verdict.entries, 0);
	assert_string_equal(verdict.head, DIGEST_OF_NOTHING);
	assert_null(verdict.problem);
	assert_true(verdict.head_found);
	history_verdict_clear(&verdict);
}

/* The digest is that of sha256sum over the text that the header describes. */
static void test_the_digest_is_the_one_that_is_documented(void **state)
{
	Place *place = *state;
	HistoryEntry entry = {.at_us = 1000000,
		.actor = "ada",
		.action = "verdict.add",
		.subject = "landing/web/43",
		.before = NULL,
		.after = "{\"state\":\"ok\"}"};
	g_autoptr(GError) error = NULL;
	store_write(place->store, append, &entry, &error);
	assert_good(error);
	g_autofree char *expected = g_compute_checksum_for_string(G_CHECKSUM_SHA256,
		"64:" DIGEST_OF_NOTHING ",1:1,7:1000000,3:ada,11:verdict.add,14:landing/web/43,-,-,"
		"14:{\"state\":\"ok\"},",
		-1);
	g_autofree char *head = must_head(place->store);
	assert_string_equal(head, expected);
}

static void test_appending_numbers_entries_and_advances_changes(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	gint64 changes;
	must_append_five(place->store);
	HistoryVerdict verdict = must_verify(place->store, NULL);
	assert_int_equal(verdict.entries, 5);
	assert_null(verdict.problem);
	history_verdict_clear(&verdict);
	store_counter_get(place->store, STORE_CHANGES, &changes, &error);
	assert_int_equal(changes, 6);
	g_autoptr(HistoryEntry) entry = history_get(place->store, 2, &error);
	assert_good(error);
	assert_string_equal(entry->actor, "bob");
	assert_string_equal(entry->before, "{\"a\":1}");
	assert_string_equal(entry->after, "{\"a\":2}");
	assert_null(entry->reason);
}

static void test_an_entry_that_is_not_there_is_not_found(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	assert_null(history_get(place->store, 1, &error));
	assert_error(&error, DROVER_ERROR_NOT_FOUND, "entry 1");
}

static gboolean append_1001(Store *store, gpointer of, GError **error)
{
	for (int i = 0; i < 1001; i++)
		if (!history_append(store, i, "ada", "a", "s", NULL, NULL, NULL, error))
			return FALSE;
	return TRUE;
}

static void test_more_entries_than_a_page_verify(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	store_write(place->store, append_1001, NULL, &error);
	assert_good(error);
	HistoryVerdict verdict = must_verify(place->store, NULL);
	assert_int_equal(verdict.entries, 1001);
	assert_null(verdict.problem);
	history_verdict_clear(&verdict);
}

static void assert_alteration_shows(void **state, const char *sql)
{
	Place *place = *state;
	must_append_five(place->store);
	place_unlock_history(place);
	place_meddle(place, sql);
	assert_broken_at(place->store, 3, "entry 3 (");
}

static void test_an_altered_actor_shows(void **state)
{
	assert_alteration_shows(state, "UPDATE history SET actor = 'eve' WHERE sequence = 3");
}

static void test_an_altered_time_shows(void **state)
{
	assert_alteration_shows(state, "UPDATE history SET at_us = at_us + 1 WHERE sequence = 3");
}

static void test_an_empty_reason_is_not_an_absent_one(void **state)
{
	assert_alteration_shows(state, "UPDATE history SET reason = '' WHERE sequence = 3");
}

static void test_text_moved_between_fields_shows(void **state)
{
	assert_alteration_shows(state,
		"UPDATE history SET actor = 'adap', action = 'roduct.update' WHERE sequence = 3");
}

static void test_a_removed_entry_shows(void **state)
{
	Place *place = *state;
	must_append_five(place->store);
	place_unlock_history(place);
	place_meddle(place, "DELETE FROM history WHERE sequence = 3");
	assert_broken_at(place->store, 4, "entry 3 is missing");
}

static void test_a_removed_entry_with_the_rest_renumbered_shows(void **state)
{
	Place *place = *state;
	must_append_five(place->store);
	place_unlock_history(place);
	place_meddle(place, "DELETE FROM history WHERE sequence = 3");
	place_meddle(place, "UPDATE history SET sequence = 3 WHERE sequence = 4");
	place_meddle(place, "UPDATE history SET sequence = 4 WHERE sequence = 5");
	assert_broken_at(place->store, 3, "entry 3");
}

static void test_a_removed_beginning_shows(void **state)
{
	Place *place = *state;
	must_append_five(place->store);
	place_unlock_history(place);
	place_meddle(place, "DELETE FROM history WHERE sequence < 3");
	assert_broken_at(place->store, 3, "entry 1 is missing");
}

static void test_an_entry_put_before_the_first_shows(void **state)
{
	Place *place = *state;
	must_append_five(place->store);
	place_meddle(place, "INSERT INTO history (sequence, at_us, actor, action, subject, digest) "
			    "VALUES (0, 1, 'eve', 'a', 's', 'd')");
	assert_broken_at(place->store, 0, "entry 1 is missing");
}

static void test_entries_in_another_order_show(void **state)
{
	Place *place = *state;
	must_append_five(place->store);
	place_unlock_history(place);
	place_meddle(place, "UPDATE history SET sequence = 99 WHERE sequence = 2");
	place_meddle(place, "UPDATE history SET sequence = 2 WHERE sequence = 3");
	place_meddle(place, "UPDATE history SET sequence = 3 WHERE sequence = 99");
	assert_broken_at(place->store, 2, "entry 2");
}

static void test_an_end_cut_off_shows_by_the_published_head(void **state)
{
	Place *place = *state;
	must_append_five(place->store);
	g_autofree char *head = must_head(place->store);
	place_unlock_history(place);
	place_meddle(place, "DELETE FROM history WHERE sequence > 3");

	HistoryVerdict blind = must_verify(place->store, NULL);
	assert_null(blind.problem); /* the chain alone cannot know */
	history_verdict_clear(&blind);
	HistoryVerdict verdict = must_verify(place->store, head);
	assert_false(verdict.head_found);
	assert_int_equal(verdict.broken_at, 0);
	assert_non_null(strstr(verdict.problem, "cut off"));
	history_verdict_clear(&verdict);
}

static void test_a_history_emptied_shows_by_the_published_head(void **state)
{
	Place *place = *state;
	must_append_five(place->store);
	g_autofree char *head = must_head(place->store);
	place_unlock_history(place);
	place_meddle(place, "DELETE FROM history");
	HistoryVerdict verdict = must_verify(place->store, head);
	assert_false(verdict.head_found);
	history_verdict_clear(&verdict);
}

static void test_an_end_written_anew_shows_by_the_published_head(void **state)
{
	Place *place = *state;
	must_append_five(place->store);
	g_autofree char *head = must_head(place->store);
	place_unlock_history(place);
	place_meddle(place, "DELETE FROM history WHERE sequence = 5");
	must_append(place->store, "eve", "product/web");
	HistoryVerdict verdict = must_verify(place->store, head);
	assert_false(verdict.head_found);
	assert_int_equal(verdict.entries, 5);
	history_verdict_clear(&verdict);
}

static void test_an_older_head_is_found(void **state)
{
	Place *place = *state;
	must_append_five(place->store);
	g_autofree char *head = must_head(place->store);
	must_append(place->store, "ada", "product/web");
	HistoryVerdict verdict = must_verify(place->store, head);
	assert_true(verdict.head_found);
	assert_null(verdict.problem);
	assert_string_not_equal(verdict.head, head);
	history_verdict_clear(&verdict);
}

static gboolean execute(Store *store, gpointer sql, GError **error)
{
	return store_execute(store, error, sql, STORE_NO_PARAMS);
}

static void test_history_is_not_changed_by_a_slip(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	must_append_five(place->store);
	assert_false(
		store_write(place->store, execute, "UPDATE history SET reason = 'oops'", &error));
	assert_error(&error, DROVER_ERROR_INTERNAL, "history is never changed");
	assert_false(store_write(place->store, execute, "DELETE FROM history", &error));
	assert_error(&error, DROVER_ERROR_INTERNAL, "history is never changed");
}

static char *must_list(Store *store, const HistoryFilter *filter)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = history_list(store, filter, &error);
	assert_good(error);
	GString *numbers = g_string_new(NULL);
	for (guint i = 0; i < entries->len; i++) {
		const HistoryEntry *entry = g_ptr_array_index(entries, i);
		g_string_append_printf(
			numbers, "%s%" G_GINT64_FORMAT, i ? " " : "", entry->sequence);
	}
	return g_string_free(numbers, FALSE);
}

#define assert_list(store, wanted, ...)                                                            \
	do {                                                                                       \
		const HistoryFilter filter = {__VA_ARGS__};                                        \
		g_autofree char *got = must_list(store, &filter);                                  \
		assert_string_equal(got, wanted);                                                  \
	} while (0)

static void test_listing_finds_what_is_at_and_below_a_subject(void **state)
{
	Place *place = *state;
	Store *store = place->store;
	must_append(store, "ada", "product/web");
	must_append(store, "bob", "product/web/landing/1");
	must_append(store, "ada", "product/web2");
	must_append(store, "bob", "product/web-old");
	must_append(store, "ada", "product/Web/1");
	must_append(store, "ada", "product/web/é");
	assert_list(store, "6 5 4 3 2 1", .limit = 10);
	assert_list(store, "6 2 1", .limit = 10, .subject_prefix = "product/web");
	assert_list(store, "6 1", .limit = 10, .subject_prefix = "product/web", .actor = "ada");
	assert_list(store, "4 2", .limit = 10, .actor = "bob");
	assert_list(store, "6 5", .limit = 2);
	assert_list(store, "4 3", .limit = 2, .before_sequence = 5);
	assert_list(store, "2", .limit = 1, .before_sequence = 6, .subject_prefix = "product/web");
	assert_list(store, "", .limit = 10, .subject_prefix = "product/we");
	assert_list(store, "", .limit = 10, .subject_prefix = "product/web%");
}

int history_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_an_empty_history_is_whole),
		ON_BOTH(test_the_digest_is_the_one_that_is_documented),
		ON_BOTH(test_appending_numbers_entries_and_advances_changes),
		ON_BOTH(test_an_entry_that_is_not_there_is_not_found),
		ON_BOTH(test_more_entries_than_a_page_verify),
		ON_BOTH(test_an_altered_actor_shows),
		ON_BOTH(test_an_altered_time_shows),
		ON_BOTH(test_an_empty_reason_is_not_an_absent_one),
		ON_BOTH(test_text_moved_between_fields_shows),
		ON_BOTH(test_a_removed_entry_shows),
		ON_BOTH(test_a_removed_entry_with_the_rest_renumbered_shows),
		ON_BOTH(test_a_removed_beginning_shows),
		ON_BOTH(test_an_entry_put_before_the_first_shows),
		ON_BOTH(test_entries_in_another_order_show),
		ON_BOTH(test_an_end_cut_off_shows_by_the_published_head),
		ON_BOTH(test_a_history_emptied_shows_by_the_published_head),
		ON_BOTH(test_an_end_written_anew_shows_by_the_published_head),
		ON_BOTH(test_an_older_head_is_found),
		ON_BOTH(test_history_is_not_changed_by_a_slip),
		ON_BOTH(test_listing_finds_what_is_at_and_below_a_subject),
	};
	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
