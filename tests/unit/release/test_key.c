/* SPDX-License-Identifier: ISC
 *
 * Keys: minisign's and signify's read, ours written and read again, files that others may read.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/key.h"
#include "release_bed.h"
#include "samples.h"

/* As little as scrypt knows: the tests are not to wait. */
static const KeyCost CHEAP = {.operations = 32768, .memory_bytes = 16777216};

static PublicKey read_public(const char *text)
{
	PublicKey key;
	g_autoptr(GError) error = NULL;
	assert_true(public_key_file_parse("k.pub", text, strlen(text), &key, &error));
	return key;
}

static SecretKey *read_secret(const char *text, const char *password, GError **error)
{
	return secret_key_parse("k.key", text, strlen(text), password, error);
}

static void test_id_is_what_minisign_shows(void **state)
{
	PublicKey key = read_public(SAMPLE_PUBLIC);
	char id[KEY_ID_TEXT];
	key_id_text(&key.id, id);
	assert_string_equal(id, SAMPLE_ID);
	KeyId again;
	assert_true(key_id_parse(SAMPLE_ID, &again, NULL));
	assert_true(key_id_equal(&key.id, &again));
	assert_true(key_id_parse("000000000000000a", &again, NULL));
	assert_int_equal(again.bytes[0], 10);
}

static void test_what_is_no_id_is_refused(void **state)
{
	static const char *const WRONG[] = {"", "114845858552DCB", "0114845858552DCB0",
		"0114845858552DCG", " 114845858552DCB", "0x14845858552DCB"};
	for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++) {
		g_autoptr(GError) error = NULL;
		KeyId id;
		assert_false(key_id_parse(WRONG[i], &id, &error));
		assert_error(&error, DROVER_ERROR_INPUT, "16 hexadecimal digits");
	}
}

static void test_public_key_is_written_as_minisign_does(void **state)
{
	PublicKey key = read_public(SAMPLE_LOCKED_PUBLIC);
	g_autofree char *text = public_key_file_text(&key);
	assert_string_equal(text, SAMPLE_LOCKED_PUBLIC);
}

static void test_public_key_may_stand_alone_in_its_file(void **state)
{
	PublicKey key = read_public(SAMPLE_PUBLIC), alone;
	const char *line = strchr(SAMPLE_PUBLIC, '\n') + 1;
	assert_true(public_key_file_parse("k.pub", line, strlen(line), &alone, NULL));
	assert_true(public_key_equal(&key, &alone));
	g_autofree char *bare = g_strndup(line, strlen(line) - 1);
	assert_true(public_key_parse("k", bare, &alone, NULL));
	assert_true(public_key_equal(&key, &alone));
}

static void test_signifys_public_key_is_read(void **state)
{
	PublicKey key = read_public(SAMPLE_SIGNIFY_PUBLIC);
	char text[PUBLIC_KEY_TEXT];
	public_key_text(&key, text);
	assert_non_null(strstr(SAMPLE_SIGNIFY_PUBLIC, text));
}

static void test_public_keys_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} CASES[] = {
		{"", "k.pub:1: a line is missing"},
		{"untrusted comment: x\n", "k.pub:2: a line is missing"},
		{"comment: x\nRWQ=\n", "k.pub:1: must begin with"},
		{"untrusted comment: \x01\nRWQ=\n", "k.pub:1: the comment must be"},
		{"untrusted comment: x\r\nRWQ=\n", "k.pub:1: the comment must be"},
		{"untrusted comment: x\nRWQ=\n", "k.pub:2: must be 42 bytes"},
		{SAMPLE_PUBLIC "more\n", "k.pub:3: nothing may follow"},
		{SAMPLE_PUBLIC "\n", "k.pub:3: nothing may follow"},
		{SAMPLE_SECRET, "k.pub:2: must be 42 bytes"},
		/* "Ed", an id, and the point of order one: it would accept a forged signature */
		{"RWQAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "no Ed25519 key"},
		/* "ED" */
		{"RUQAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "unknown kind"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(GError) error = NULL;
		PublicKey key;
		assert_false(public_key_file_parse(
			"k.pub", CASES[i].text, strlen(CASES[i].text), &key, &error));
		assert_error(&error, DROVER_ERROR_INPUT, CASES[i].says);
	}
}

static void test_key_file_over_its_limit_is_refused(void **state)
{
	g_autofree char *text = g_strnfill(KEY_MAXIMUM_FILE_BYTES + 1, 'x');
	g_autoptr(GError) error = NULL;
	PublicKey key;
	assert_false(
		public_key_file_parse("k.pub", text, KEY_MAXIMUM_FILE_BYTES + 1, &key, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "4096");
	assert_null(read_secret(text, NULL, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "4096");
}

static void test_comment_may_be_as_long_as_the_limit(void **state)
{
	const char *line = strchr(SAMPLE_PUBLIC, '\n') + 1;
	for (gsize more = 0; more < 2; more++) {
		g_autofree char *comment = g_strnfill(KEY_MAXIMUM_COMMENT_BYTES + more, 'x');
		g_autofree char *text =
			g_strconcat("untrusted comment: ", comment, "\n", line, NULL);
		PublicKey key;
		assert_int_equal(
			public_key_file_parse("k.pub", text, strlen(text), &key, NULL), more == 0);
	}
}

static void test_minisigns_secret_keys_are_read(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SecretKey) open = read_secret(SAMPLE_SECRET, NULL, &error);
	assert_non_null(open);
	PublicKey public = read_public(SAMPLE_PUBLIC);
	assert_true(public_key_equal(secret_key_public(open), &public));
	assert_true(key_id_equal(&secret_key_public(open)->id, &public.id));
	assert_false(secret_key_text_is_locked(SAMPLE_SECRET, strlen(SAMPLE_SECRET)));
	assert_true(secret_key_text_is_locked(SAMPLE_LOCKED_SECRET, strlen(SAMPLE_LOCKED_SECRET)));
	g_autoptr(SecretKey) locked = read_secret(SAMPLE_LOCKED_SECRET, "pw", &error);
	assert_non_null(locked);
	public = read_public(SAMPLE_LOCKED_PUBLIC);
	assert_true(public_key_equal(secret_key_public(locked), &public));
}

static void test_secret_key_without_password_is_written_as_minisign_does(void **state)
{
	g_autoptr(SecretKey) key = read_secret(SAMPLE_SECRET, NULL, NULL);
	char *text = secret_key_text(key, NULL, NULL, NULL);
	assert_string_equal(text, SAMPLE_SECRET);
	secret_key_text_free(text);
}

static void test_password_opens_a_key_and_no_other_does(void **state)
{
	g_autoptr(SecretKey) key = secret_key_generate();
	char *text = secret_key_text(key, "correct horse", &CHEAP, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(SecretKey) again = read_secret(text, "correct horse", &error);
	assert_non_null(again);
	assert_true(public_key_equal(secret_key_public(key), secret_key_public(again)));
	assert_null(read_secret(text, "correct Horse", &error));
	assert_error(&error, DROVER_ERROR_DENIED, "k.key: wrong password");
	assert_null(read_secret(text, NULL, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "needs its password");
	assert_null(read_secret(text, "", &error));
	assert_error(&error, DROVER_ERROR_INPUT, "empty");
	secret_key_text_free(text);
}

static void test_password_may_be_as_long_as_the_limit(void **state)
{
	g_autoptr(SecretKey) key = secret_key_generate();
	g_autofree char *longest = g_strnfill(KEY_MAXIMUM_PASSWORD_BYTES, 'x');
	g_autofree char *longer = g_strnfill(KEY_MAXIMUM_PASSWORD_BYTES + 1, 'x');
	g_autoptr(GError) error = NULL;
	char *text = secret_key_text(key, longest, &CHEAP, &error);
	assert_non_null(text);
	secret_key_text_free(text);
	assert_null(secret_key_text(key, longer, &CHEAP, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "1024");
	assert_null(secret_key_text(key, "", &CHEAP, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "empty");
}

/* The record behind the comment, for changing single bytes: 38 bytes on are the cost of scrypt, 54
 * bytes on the key id, 62 the key, 126 the checksum. */
static char *changed(const char *text, gsize at, guint8 value)
{
	const char *line = strchr(text, '\n') + 1;
	gsize size;
	g_autofree guchar *record = g_base64_decode(line, &size);
	assert_int_equal(size, 158);
	record[at] = value;
	g_autofree char *base64 = g_base64_encode(record, size);
	return g_strconcat("untrusted comment: x\n", base64, "\n", NULL);
}

static void test_damaged_secret_keys_are_refused(void **state)
{
	static const struct {
		gsize at;
		const char *says;
	} CASES[] = {
		{0, "unknown kind"}, {2, "unknown kind"}, {4, "unknown kind"},
		{62, "damaged"},  /* the seed: does not fit the public half */
		{100, "damaged"}, /* the public half */
		{126, "damaged"}, /* a checksum, but another one */
	};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *text = changed(SAMPLE_SECRET, CASES[i].at, 0x5a);
		g_autoptr(GError) error = NULL;
		assert_null(read_secret(text, NULL, &error));
		assert_error(&error, DROVER_ERROR_INPUT, CASES[i].says);
	}
}

static void test_file_cannot_ask_more_of_scrypt_than_minisign_does(void **state)
{
	/* 33,554,432 is 0x02000000 and 1,073,741,824 is 0x40000000, the lowest byte first. */
	g_autofree char *work = changed(SAMPLE_LOCKED_SECRET, 38, 1);
	g_autofree char *memory = changed(SAMPLE_LOCKED_SECRET, 46, 1);
	g_autoptr(GError) error = NULL;
	assert_null(read_secret(work, "pw", &error));
	assert_error(&error, DROVER_ERROR_INPUT, "more work or memory");
	assert_null(read_secret(memory, "pw", &error));
	assert_error(&error, DROVER_ERROR_INPUT, "more work or memory");
}

static void test_signifys_secret_key_is_refused_with_words(void **state)
{
	g_autoptr(GError) error = NULL;
	assert_null(read_secret(SAMPLE_SIGNIFY_SECRET, NULL, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "no secret key of minisign's kind");
}

/* Files ---------------------------------------------------------------------------------------- */

static int make_folder(void **state)
{
	*state = g_dir_make_tmp("drover-key-XXXXXX", NULL);
	return *state != NULL ? 0 : 1;
}

static int remove_folder(void **state)
{
	gboolean removed = file_remove(*state, NULL);
	g_free(*state);
	return removed ? 0 : 1;
}

static void test_secret_key_file_is_for_its_owner_alone(void **state)
{
	g_autofree char *path = g_build_filename(*state, "k.key", NULL);
	mode_t mask = umask(0);
	assert_true(secret_key_save(path, SAMPLE_SECRET, NULL));
	umask(mask);
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	gsize size;
	char *text = secret_key_read(path, &size, NULL);
	assert_string_equal(text, SAMPLE_SECRET);
	assert_int_equal(size, strlen(SAMPLE_SECRET));
	secret_key_text_free(text);
}

static void test_secret_key_that_others_may_read_is_refused(void **state)
{
	static const mode_t MODES[] = {0640, 0604, 0620, 0602, 0610, 0601};
	g_autofree char *path = g_build_filename(*state, "k.key", NULL);
	assert_true(secret_key_save(path, SAMPLE_SECRET, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(MODES); i++) {
		g_autoptr(GError) error = NULL;
		gsize size;
		assert_int_equal(chmod(path, MODES[i]), 0);
		assert_null(secret_key_read(path, &size, &error));
		assert_error(&error, DROVER_ERROR_DENIED, "chmod 600");
	}
}

static void test_secret_key_of_another_user_is_refused(void **state)
{
	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	g_autofree char *path = g_build_filename(*state, "k.key", NULL);
	assert_true(secret_key_save(path, SAMPLE_SECRET, NULL));
	assert_int_equal(chown(path, 65534, 65534), 0);
	g_autoptr(GError) error = NULL;
	gsize size;
	assert_null(secret_key_read(path, &size, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "belongs to user 65534");
}

static void test_key_is_never_written_over(void **state)
{
	g_autofree char *path = g_build_filename(*state, "k.key", NULL);
	g_autoptr(GError) error = NULL;
	assert_true(secret_key_save(path, SAMPLE_SECRET, &error));
	assert_false(secret_key_save(path, SAMPLE_LOCKED_SECRET, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "exists");
	g_autofree char *kept = file_read(path, KEY_MAXIMUM_FILE_BYTES, NULL, NULL);
	assert_string_equal(kept, SAMPLE_SECRET);
	g_autoptr(GDir) folder = g_dir_open(*state, 0, NULL);
	assert_string_equal(g_dir_read_name(folder), "k.key");
	assert_null(g_dir_read_name(folder)); /* nothing lies beside it */
}

static void test_what_is_no_file_is_refused_without_waiting(void **state)
{
	g_autofree char *pipe = g_build_filename(*state, "pipe", NULL);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	g_autoptr(GError) error = NULL;
	gsize size;
	assert_null(secret_key_read(pipe, &size, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "not a file");
	assert_null(secret_key_read(*state, &size, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "not a file");
	g_autofree char *none = g_build_filename(*state, "none", NULL);
	assert_null(secret_key_read(none, &size, &error));
	assert_error(&error, DROVER_ERROR_NOT_FOUND, "none");
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_id_is_what_minisign_shows),
		cmocka_unit_test(test_what_is_no_id_is_refused),
		cmocka_unit_test(test_public_key_is_written_as_minisign_does),
		cmocka_unit_test(test_public_key_may_stand_alone_in_its_file),
		cmocka_unit_test(test_signifys_public_key_is_read),
		cmocka_unit_test(test_public_keys_that_are_none_are_refused),
		cmocka_unit_test(test_key_file_over_its_limit_is_refused),
		cmocka_unit_test(test_comment_may_be_as_long_as_the_limit),
		cmocka_unit_test(test_minisigns_secret_keys_are_read),
		cmocka_unit_test(test_secret_key_without_password_is_written_as_minisign_does),
		cmocka_unit_test(test_password_opens_a_key_and_no_other_does),
		cmocka_unit_test(test_password_may_be_as_long_as_the_limit),
		cmocka_unit_test(test_damaged_secret_keys_are_refused),
		cmocka_unit_test(test_file_cannot_ask_more_of_scrypt_than_minisign_does),
		cmocka_unit_test(test_signifys_secret_key_is_refused_with_words),
		FILE_TEST(test_secret_key_file_is_for_its_owner_alone),
		FILE_TEST(test_secret_key_that_others_may_read_is_refused),
		FILE_TEST(test_secret_key_of_another_user_is_refused),
		FILE_TEST(test_key_is_never_written_over),
		FILE_TEST(test_what_is_no_file_is_refused_without_waiting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
