/* SPDX-License-Identifier: ISC
 *
 * minisign's signatures: read, written, made, verified.
 */
#include "release/signature.h"

#include <string.h>

#include "release/lines.h"

enum { PREHASH_SIZE = 64 };

/* What the second line holds. */
typedef struct SignatureRecord {
	char algorithm[2]; /* "Ed", or "ED" when the digest was signed */
	guint8 id[KEY_ID_SIZE];
	guint8 bytes[crypto_sign_BYTES];
} SignatureRecord;
G_STATIC_ASSERT(sizeof(SignatureRecord) == 74);

void signature_free(Signature *signature)
{
	if (signature == NULL)
		return;
	g_free(signature->untrusted_comment);
	g_free(signature->trusted_comment);
	g_free(signature);
}

static void read_trusted(Lines *lines, Signature *signature)
{
	signature->trusted_comment =
		lines_comment(lines, TRUSTED_PREFIX, SIGNATURE_MAXIMUM_COMMENT_BYTES);
	lines_base64(lines, signature->comment_bytes, sizeof signature->comment_bytes);
}

static gboolean read_record(
	const char *name, const SignatureRecord *record, Signature *signature, GError **error)
{
	signature->is_prehashed = memcmp(record->algorithm, "ED", 2) == 0;
	if (!signature->is_prehashed && memcmp(record->algorithm, "Ed", 2) != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s:2: the signature is of an unknown kind: neither Ed nor ED", name);
		return FALSE;
	}
	memcpy(signature->key.bytes, record->id, sizeof record->id);
	memcpy(signature->bytes, record->bytes, sizeof record->bytes);
	return TRUE;
}

Signature *signature_parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (size_bytes > SIGNATURE_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s is larger than the %d bytes of a signature", name,
			SIGNATURE_MAXIMUM_BYTES);
		return NULL;
	}
	g_autoptr(Signature) signature = g_new0(Signature, 1);
	SignatureRecord record;
	Lines lines = lines_of(name, text, size_bytes);
	signature->untrusted_comment =
		lines_comment(&lines, UNTRUSTED_PREFIX, KEY_MAXIMUM_COMMENT_BYTES);
	lines_base64(&lines, &record, sizeof record);
	if (!lines_at_end(&lines))
		read_trusted(&lines, signature);
	if (!lines_finish(&lines, error) || !read_record(name, &record, signature, error))
		return NULL;
	return g_steal_pointer(&signature);
}

char *signature_text(const Signature *signature)
{
	SignatureRecord record = {.algorithm = {'E', signature->is_prehashed ? 'D' : 'd'}};
	memcpy(record.id, signature->key.bytes, sizeof record.id);
	memcpy(record.bytes, signature->bytes, sizeof record.bytes);
	g_autofree char *first = base64_write(&record, sizeof record);
	g_autofree char *head = g_strconcat(
		UNTRUSTED_PREFIX, signature->untrusted_comment, "\n", first, "\n", NULL);
	if (signature->trusted_comment == NULL)
		return g_steal_pointer(&head);
	g_autofree char *second =
		base64_write(signature->comment_bytes, sizeof signature->comment_bytes);
	return g_strconcat(
		head, TRUSTED_PREFIX, signature->trusted_comment, "\n", second, "\n", NULL);
}

/* What the last line signs: the signature and the trusted comment, so that neither can be put to
 * another. */
static GByteArray *bound_bytes(const Signature *signature)
{
	GByteArray *bound = g_byte_array_new();
	g_byte_array_append(bound, signature->bytes, sizeof signature->bytes);
	g_byte_array_append(bound, (const guint8 *)signature->trusted_comment,
		(guint)strlen(signature->trusted_comment));
	return bound;
}

Signature *signature_make(
	const SecretKey *key, const void *bytes, gsize size_bytes, const char *trusted_comment)
{
	g_assert(comment_is_valid(trusted_comment, SIGNATURE_MAXIMUM_COMMENT_BYTES));
	Signature *signature = g_new0(Signature, 1);
	signature->key = secret_key_public(key)->id;
	signature->untrusted_comment = g_strdup("signature by Drover, in minisign's format");
	signature->trusted_comment = g_strdup(trusted_comment);
	secret_key_sign(key, bytes, size_bytes, signature->bytes);
	g_autoptr(GByteArray) bound = bound_bytes(signature);
	secret_key_sign(key, bound->data, bound->len, signature->comment_bytes);
	return signature;
}

static gboolean bytes_are_signed(
	const Signature *signature, const PublicKey *key, const void *bytes, gsize size_bytes)
{
	guint8 digest[PREHASH_SIZE];
	if (signature->is_prehashed) {
		crypto_generichash(digest, sizeof digest, bytes, size_bytes, NULL, 0);
		bytes = digest;
		size_bytes = sizeof digest;
	}
	return crypto_sign_verify_detached(signature->bytes, bytes, size_bytes, key->point) == 0;
}

static gboolean comment_is_signed(const Signature *signature, const PublicKey *key)
{
	if (signature->trusted_comment == NULL)
		return TRUE;
	g_autoptr(GByteArray) bound = bound_bytes(signature);
	return crypto_sign_verify_detached(
		       signature->comment_bytes, bound->data, bound->len, key->point) == 0;
}

gboolean signature_verify(const Signature *signature, const PublicKey *key, const char *what,
	const void *bytes, gsize size_bytes, GError **error)
{
	char by[KEY_ID_TEXT], wanted[KEY_ID_TEXT];
	key_id_text(&signature->key, by);
	key_id_text(&key->id, wanted);
	if (!key_id_equal(&signature->key, &key->id)) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s is signed by the key %s, not by %s", what, by, wanted);
		return FALSE;
	}
	if (!bytes_are_signed(signature, key, bytes, size_bytes)) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s is not what the key %s signed: it or its signature was changed", what,
			by);
		return FALSE;
	}
	if (!comment_is_signed(signature, key)) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"the trusted comment of the signature of %s is not what the key %s signed",
			what, by);
		return FALSE;
	}
	return TRUE;
}

char *signature_comment(const char *kind, const char *product, const char *version)
{
	return g_strdup_printf("drover %s product=%s version=%s", kind, product, version);
}

gboolean signature_is_about(const Signature *signature, const char *kind, const char *product,
	const char *version, GError **error)
{
	g_autofree char *expected = signature_comment(kind, product, version);
	if (g_strcmp0(signature->trusted_comment, expected) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_DENIED,
		"the signature is about \"%.200s\", not about \"%s\"",
		signature->trusted_comment != NULL ? signature->trusted_comment : "nothing",
		expected);
	return FALSE;
}
