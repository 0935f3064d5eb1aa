/* SPDX-License-Identifier: ISC
 *
 * Reading and writing words of persons.
 */
#include "channel/book/sign.h"

#include "wire/json.h"

#define OF_CHANGES                                                                                 \
	" WHERE change_id = ? OR (? = 0 AND change_id IN"                                          \
	" (SELECT id FROM channel_change WHERE state IN ('scheduled', 'going-live'))) ORDER BY id"
static const char SQL_SIGN_OFFS[] = "SELECT change_id, person, role, at_us, revoked_us, digest "
				    "FROM channel_sign_off" OF_CHANGES;
static const char SQL_TESTS[] = "SELECT change_id, person, role, at_us, void_us, digests_json,"
				" void_why FROM channel_tested" OF_CHANGES;
static const char SQL_SIGN[] = "INSERT INTO channel_sign_off (change_id, person, role, digest,"
			       " at_us, revoked_us) VALUES (?, ?, ?, ?, ?, NULL)";
static const char SQL_TEST[] = "INSERT INTO channel_tested (change_id, person, role, digests_json,"
			       " at_us, void_us, void_why) VALUES (?, ?, ?, ?, ?, NULL, NULL)";
static const char SQL_REVOKE[] = "UPDATE channel_sign_off SET revoked_us = ? WHERE change_id = ?"
				 " AND person = ? AND role = ? AND revoked_us IS NULL";
/* Void without a reason: taken back by the tester. */
static const char SQL_REVOKE_TEST[] = "UPDATE channel_tested SET void_us = ?, void_why = NULL"
				      " WHERE change_id = ? AND person = ? AND role = ?"
				      " AND (void_us IS NULL OR void_why IS NOT NULL)";

static void word_free(gpointer item)
{
	ChangeWord *word = item;
	g_free(word->person);
	g_free(word->role);
	g_free(word->digest);
	json_decref(word->digests);
	g_free(word->void_why);
	g_free(word);
}

void sign_words_free(SignWords *words)
{
	if (words == NULL)
		return;
	g_ptr_array_unref(words->sign_offs);
	g_ptr_array_unref(words->tests);
	g_array_unref(words->as_sign_offs);
	g_array_unref(words->as_tests);
	g_free(words);
}

static SignWords *words_of(GHashTable *all, gint64 change)
{
	SignWords *words = g_hash_table_lookup(all, &change);
	if (words != NULL)
		return words;
	words = g_new0(SignWords, 1);
	words->sign_offs = g_ptr_array_new_with_free_func(word_free);
	words->tests = g_ptr_array_new_with_free_func(word_free);
	words->as_sign_offs = g_array_new(FALSE, TRUE, sizeof(SignOff));
	words->as_tests = g_array_new(FALSE, TRUE, sizeof(StandingTest));
	g_hash_table_insert(all, g_memdup2(&change, sizeof change), words);
	return words;
}

static ChangeWord *new_word(const StoreRows *rows)
{
	ChangeWord *word = g_new0(ChangeWord, 1);
	word->person = g_strdup(store_rows_text(rows, 1));
	word->role = g_strdup(store_rows_text(rows, 2));
	word->at_us = store_rows_integer(rows, 3);
	word->is_revoked = !store_rows_is_null(rows, 4);
	return word;
}

static gboolean add_sign_off(SignWords *words, const StoreRows *rows, GError **error)
{
	ChangeWord *word = new_word(rows);
	word->digest = g_strdup(store_rows_text(rows, 5));
	SignOff sign_off = {word->person, word->role, word->digest, word->is_revoked};
	g_array_append_val(words->as_sign_offs, sign_off);
	g_ptr_array_add(words->sign_offs, word);
	return TRUE;
}

static gboolean add_test(SignWords *words, const StoreRows *rows, GError **error)
{
	const char *text = store_rows_text(rows, 5);
	ChangeWord *word = new_word(rows);
	g_ptr_array_add(words->tests, word);
	word->void_why = g_strdup(store_rows_text(rows, 6));
	word->is_revoked = word->is_revoked && word->void_why == NULL;
	word->digests = json_read("tested digests of the store", text, strlen(text), error);
	StandingTest test = {
		word->person, word->role, word->digests, word->void_why, word->is_revoked};
	g_array_append_val(words->as_tests, test);
	return word->digests != NULL;
}

/* Takes the rows. */
static gboolean read_all(StoreRows *given, GHashTable *all,
	gboolean (*add)(SignWords *words, const StoreRows *rows, GError **error), GError **error)
{
	g_autoptr(StoreRows) rows = given;
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return TRUE;
		if (!add(words_of(all, store_rows_integer(rows, 0)), rows, error))
			return FALSE;
	}
	return FALSE;
}

GHashTable *sign_words_read(Store *store, gint64 change, GError **error)
{
	g_autoptr(GHashTable) all = g_hash_table_new_full(
		g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)sign_words_free);
	if (change != 0)
		words_of(all, change);
	if (!read_all(store_query(store, error, SQL_SIGN_OFFS,
			      STORE_PARAMS(STORE_INT(change), STORE_INT(change))),
		    all, add_sign_off, error) ||
		!read_all(store_query(store, error, SQL_TESTS,
				  STORE_PARAMS(STORE_INT(change), STORE_INT(change))),
			all, add_test, error))
		return NULL;
	return g_steal_pointer(&all);
}

gboolean sign_add(Store *store, gint64 change, const char *person, const char *role,
	const char *digest, gint64 now_us, GError **error)
{
	return store_execute(store, error, SQL_SIGN,
		STORE_PARAMS(STORE_INT(change), STORE_TEXT(person), STORE_TEXT(role),
			STORE_TEXT(digest), STORE_INT(now_us)));
}

gboolean sign_add_test(Store *store, gint64 change, const char *person, const char *role,
	const json_t *digests, gint64 now_us, GError **error)
{
	g_autofree char *text = json_write(digests);
	return store_execute(store, error, SQL_TEST,
		STORE_PARAMS(STORE_INT(change), STORE_TEXT(person), STORE_TEXT(role),
			STORE_TEXT(text), STORE_INT(now_us)));
}

gboolean sign_revoke(Store *store, gint64 change, const char *person, const char *role,
	gint64 now_us, gint64 *taken, GError **error)
{
	*taken = 0;
	if (!store_execute(store, error, SQL_REVOKE,
		    STORE_PARAMS(STORE_INT(now_us), STORE_INT(change), STORE_TEXT(person),
			    STORE_TEXT(role))))
		return FALSE;
	*taken += store_changed(store);
	if (!store_execute(store, error, SQL_REVOKE_TEST,
		    STORE_PARAMS(STORE_INT(now_us), STORE_INT(change), STORE_TEXT(person),
			    STORE_TEXT(role))))
		return FALSE;
	*taken += store_changed(store);
	return TRUE;
}
