/* SPDX-License-Identifier: ISC
 *
 * Keys and signatures that a command line names.
 */
#include "programs/drover/key_file.h"

#include <string.h>

#include "base/file.h"
#include "programs/drover/prompt.h"

const char *key_needed(Invocation *invocation, const char *option, GError **error)
{
	const char *value = invocation_option(invocation, option);
	if (value == NULL)
		drover_error_set(error, DROVER_ERROR_INPUT, "which file? Say --%s FILE", option);
	return value;
}

/* Asks for the password when the key has one. */
static SecretKey *read_secret_text(
	const char *path, const char *text, gsize size_bytes, GError **error)
{
	if (!secret_key_text_is_locked(text, size_bytes))
		return secret_key_parse(path, text, size_bytes, NULL, error);
	char *password = prompt_password(FALSE, error);
	if (password == NULL)
		return NULL;
	SecretKey *key = secret_key_parse(path, text, size_bytes, password, error);
	prompt_password_free(password);
	return key;
}

SecretKey *key_load_secret(const char *path, GError **error)
{
	gsize size_bytes;
	char *text = secret_key_read(path, &size_bytes, error);
	SecretKey *key = text != NULL ? read_secret_text(path, text, size_bytes, error) : NULL;
	secret_key_text_free(text);
	return key;
}

json_t *key_describe(const PublicKey *key)
{
	char id[KEY_ID_TEXT], text[PUBLIC_KEY_TEXT];
	key_id_text(&key->id, id);
	public_key_text(key, text);
	return json_pack("{s:s, s:s}", "id", id, "public_key", text);
}

gboolean key_read_named(const char *named, PublicKey *key, GError **error)
{
	if (g_str_has_prefix(named, "RW") && strlen(named) == PUBLIC_KEY_TEXT - 1)
		return public_key_parse("--key", named, key, error);
	return public_key_load(named, key, error);
}

Signature *key_load_signature(const char *path, GError **error)
{
	gsize size_bytes;
	g_autofree char *text = file_read(path, SIGNATURE_MAXIMUM_BYTES, &size_bytes, error);
	return text != NULL ? signature_parse(path, text, size_bytes, error) : NULL;
}
