/* SPDX-License-Identifier: ISC
 *
 * drover key: keys with which releases are signed, as files; docs/keys.md, "Keys". Needs no
 * store and no server.
 */
#include <string.h>

#include "base/file.h"
#include "programs/drover/commands.h"
#include "programs/drover/key_file.h"
#include "programs/drover/prompt.h"

/* A signature is over the whole file, in memory. */
enum { SIGNED_MAXIMUM_BYTES = 1 << 30 };

/* drover key generate -------------------------------------------------------------------------- */

static gboolean save_secret(
	Invocation *invocation, const SecretKey *key, const char *path, GError **error)
{
	char *password = NULL;
	if (!invocation_has(invocation, "no-password")) {
		password = prompt_password(TRUE, error);
		if (password == NULL)
			return FALSE;
	}
	char *text = secret_key_text(key, password, &KEY_COST_USUAL, error);
	prompt_password_free(password);
	gboolean saved = text != NULL && secret_key_save(path, text, error);
	secret_key_text_free(text);
	return saved;
}

/* Asked before the password is; secret_key_save() makes sure. */
static gboolean is_free(const char *path, GError **error)
{
	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s exists, and keys are not written over: name another file", path);
	return FALSE;
}

gboolean key_make(Invocation *invocation, PublicKey *made, GError **error)
{
	const char *secret = key_needed(invocation, "secret", error);
	const char *public = secret != NULL ? key_needed(invocation, "public", error) : NULL;
	if (public == NULL)
		return FALSE;
	if (!is_free(secret, error) || !is_free(public, error))
		return FALSE;
	g_autoptr(SecretKey) key = secret_key_generate();
	if (!save_secret(invocation, key, secret, error))
		return FALSE;
	*made = *secret_key_public(key);
	g_autofree char *text = public_key_file_text(made);
	return file_write(public, text, strlen(text), 0644, error);
}

static gboolean run_generate(Invocation *invocation, GError **error)
{
	PublicKey key;
	const Screen *screen = invocation_screen(invocation);
	if (!key_make(invocation, &key, error))
		return FALSE;
	g_autoptr(json_t) made = key_describe(&key);
	if (screen->json)
		screen_json(screen, made);
	screen_done(screen, "made the key %s: %s is secret, %s is for everybody",
		json_text(made, "id"), invocation_option(invocation, "secret"),
		invocation_option(invocation, "public"));
	return TRUE;
}

/* drover key show ------------------------------------------------------------------------------ */

static gboolean read_any_key(
	const char *path, PublicKey *public, gboolean *is_secret, GError **error)
{
	g_autoptr(GError) not_public = NULL;
	*is_secret = FALSE;
	if (public_key_load(path, public, &not_public))
		return TRUE;
	g_autoptr(SecretKey) secret = key_load_secret(path, error);
	if (secret == NULL) {
		g_prefix_error(error, "%s is no public key; as a secret one: ", path);
		return FALSE;
	}
	*public = *secret_key_public(secret);
	*is_secret = TRUE;
	return TRUE;
}

static gboolean run_show(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	PublicKey key;
	gboolean is_secret;
	if (!read_any_key(invocation_argument(invocation, 0), &key, &is_secret, error))
		return FALSE;
	g_autoptr(json_t) shown = key_describe(&key);
	json_object_set_new(shown, "secret", json_boolean(is_secret));
	if (screen->json) {
		screen_json(screen, shown);
		return TRUE;
	}
	screen_line(screen, "key %s, %s", json_text(shown, "id"), is_secret ? "secret" : "public");
	screen_line(screen, "%s", json_text(shown, "public_key"));
	return TRUE;
}

/* drover key sign ------------------------------------------------------------------------------ */

/* Where the signature is: --signature, or beside the file. Caller frees. */
static char *signature_path(Invocation *invocation)
{
	const char *named = invocation_option(invocation, "signature");
	return named != NULL ? g_strdup(named)
			     : g_strconcat(invocation_argument(invocation, 0), ".minisig", NULL);
}

static gboolean comment_is_allowed(const char *comment, GError **error)
{
	if (g_utf8_validate(comment, -1, NULL) &&
		strlen(comment) <= SIGNATURE_MAXIMUM_COMMENT_BYTES &&
		strpbrk(comment, "\r\n\x7f") == NULL) {
		const char *c = comment;
		while ((guchar)*c >= ' ' || *c == '\t')
			c++;
		if (*c == '\0')
			return TRUE;
	}
	drover_error_set(error, DROVER_ERROR_INPUT,
		"--comment must be one line of at most %d bytes without control characters",
		SIGNATURE_MAXIMUM_COMMENT_BYTES);
	return FALSE;
}

static gboolean run_sign(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *path = invocation_argument(invocation, 0);
	const char *secret = key_needed(invocation, "key", error);
	const char *comment = invocation_option(invocation, "comment");
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *usual = g_strdup_printf("file:%s", base);
	if (comment == NULL)
		comment = usual;
	if (secret == NULL || !comment_is_allowed(comment, error))
		return FALSE;
	gsize size_bytes;
	g_autofree char *bytes = file_read(path, SIGNED_MAXIMUM_BYTES, &size_bytes, error);
	g_autoptr(SecretKey) key = bytes != NULL ? key_load_secret(secret, error) : NULL;
	if (key == NULL)
		return FALSE;
	g_autoptr(Signature) signature = signature_make(key, bytes, size_bytes, comment);
	g_autofree char *text = signature_text(signature);
	g_autofree char *out = signature_path(invocation);
	if (!file_write(out, text, strlen(text), 0644, error))
		return FALSE;
	g_autoptr(json_t) made = key_describe(secret_key_public(key));
	json_object_set_new(made, "signature", json_text_or_null(out));
	if (screen->json)
		screen_json(screen, made);
	screen_done(screen, "signed %s with the key %s: %s", path, json_text(made, "id"), out);
	return TRUE;
}

/* drover key verify ---------------------------------------------------------------------------- */

static gboolean run_verify(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *path = invocation_argument(invocation, 0);
	const char *named = key_needed(invocation, "key", error);
	PublicKey key;
	if (named == NULL || !key_read_named(named, &key, error))
		return FALSE;
	g_autofree char *beside = signature_path(invocation);
	g_autoptr(Signature) signature = key_load_signature(beside, error);
	gsize size_bytes;
	g_autofree char *bytes = signature != NULL
					 ? file_read(path, SIGNED_MAXIMUM_BYTES, &size_bytes, error)
					 : NULL;
	if (bytes == NULL || !signature_verify(signature, &key, path, bytes, size_bytes, error))
		return FALSE;
	g_autoptr(json_t) shown = key_describe(&key);
	json_object_set_new(
		shown, "trusted_comment", json_text_or_null(signature->trusted_comment));
	if (screen->json) {
		screen_json(screen, shown);
		return TRUE;
	}
	screen_line(screen, "%s is what the key %s signed", path, json_text(shown, "id"));
	if (signature->trusted_comment != NULL)
		screen_line(screen, "trusted comment: %s", signature->trusted_comment);
	return TRUE;
}

static const Option generate_options[] = {
	{"secret", "FILE", "Where the secret key goes; there must be no such file"},
	{"public", "FILE", "Where the public key goes; there must be no such file"},
	{"no-password", NULL, "Leave the secret key without a password, for a program"},
	{0},
};

static const Option sign_options[] = {
	{"key", "FILE", "The secret key"},
	{"comment", "TEXT", "The trusted comment; the file's name by default"},
	{"signature", "FILE", "Where the signature goes, FILE.minisig by default"},
	{0},
};

static const Option verify_options[] = {
	{"key", "KEY", "The public key: its file, or the line RW… itself"},
	{"signature", "FILE", "Where the signature is, FILE.minisig by default"},
	{0},
};

const Command key_commands[] = {
	{"key generate", "", 0, 0, "Makes a key", run_generate, generate_options,
		"Asks for a password on the terminal, twice and unseen; else reads the first line "
		"of standard input.",
		"drover key generate --secret web.key --public web.pub\n"
		"drover key generate --secret index.key --public index.pub --no-password",
		"4", "key show"},
	{"key show", "FILE", 1, 1, "Shows the id of a key, and its public half", run_show, NULL,
		"FILE is a public or a secret key of minisign's, or a public key of signify's.",
		"drover key show web.pub", "3,5", "key generate"},
	{"key sign", "FILE", 1, 1, "Signs a file", run_sign, sign_options,
		"minisign and signify can verify the signature.",
		"drover key sign notes.txt --key web.key --comment 'notes of 1.4.2'", "3,5",
		"key verify"},
	{"key verify", "FILE", 1, 1, "Says whether a key signed a file", run_verify, verify_options,
		"Signatures of minisign and signify are read too.",
		"drover key verify notes.txt --key web.pub", "3,5", "key sign"},
	{"key trust", "DELEGATION KEY", 2, 2, "Lets a key sign releases or the index",
		key_run_trust, key_trust_options,
		"DELEGATION is a file that hosts read, signed by the root key in "
		"DELEGATION.minisig. "
		"It is made when it is not there. KEY is the other key's file, or the line RW… "
		"itself.",
		"drover key trust delegation index.pub --by root.key --for web --use index "
		"--until 2027-02-21",
		"3,4,5", "key revoke"},
	{"key revoke", "DELEGATION ID", 2, 2, "Makes a key count for nothing, for ever",
		key_run_revoke, key_revoke_options,
		"Adds the key's id to what DELEGATION revokes, and takes the key out of it.",
		"drover key revoke delegation 6F0A2C7719D4B3E8 --by root.key", "3,4,5",
		"key trust"},
	{"key rotate", "DELEGATION", 1, 1,
		"Makes a new key and lets it sign, beside the old one for a while", key_run_rotate,
		key_rotate_options,
		"Both may sign until --overlap is over; then the old one ends by itself. What a "
		"release key signed must be signed by the new one before that.",
		"drover key rotate delegation --use release --by root.key --secret new.key "
		"--public new.pub --until 2027-11-21\n"
		"drover release delegate web delegation",
		"3,4,5", "key trust, release delegate, release sign"},
	{0},
};
