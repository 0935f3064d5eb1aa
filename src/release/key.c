/* SPDX-License-Identifier: ISC
 *
 * Key ids and public keys: "Ed", eight bytes that name the key, the point on the curve.
 */
#include "release/key.h"

#include <string.h>

#include "base/file.h"
#include "release/lines.h"

/* What the base64 of a public key holds. */
typedef struct PublicRecord {
	char algorithm[2];
	guint8 id[KEY_ID_SIZE];
	guint8 point[crypto_sign_PUBLICKEYBYTES];
} PublicRecord;
G_STATIC_ASSERT(sizeof(PublicRecord) == 42);

/* minisign reads the eight bytes as a number, the lowest first. */
void key_id_text(const KeyId *id, char text[KEY_ID_TEXT])
{
	for (int i = 0; i < KEY_ID_SIZE; i++)
		g_snprintf(text + 2 * i, 3, "%02X", id->bytes[KEY_ID_SIZE - 1 - i]);
}

gboolean key_id_parse(const char *text, KeyId *id, GError **error)
{
	gboolean is_hex = strlen(text) == 2 * KEY_ID_SIZE;
	for (int i = 0; is_hex && i < KEY_ID_SIZE; i++) {
		int high = g_ascii_xdigit_value(text[2 * i]);
		int low = g_ascii_xdigit_value(text[2 * i + 1]);
		is_hex = high >= 0 && low >= 0;
		id->bytes[KEY_ID_SIZE - 1 - i] = (guint8)(high * 16 + low);
	}
	if (!is_hex)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%.40s' is no key id: 16 hexadecimal digits", text);
	return is_hex;
}

gboolean key_id_equal(const KeyId *a, const KeyId *b)
{
	return memcmp(a->bytes, b->bytes, KEY_ID_SIZE) == 0;
}

gboolean public_key_equal(const PublicKey *a, const PublicKey *b)
{
	return memcmp(a->point, b->point, sizeof a->point) == 0;
}

void public_key_text(const PublicKey *key, char text[PUBLIC_KEY_TEXT])
{
	PublicRecord record = {.algorithm = {'E', 'd'}};
	memcpy(record.id, key->id.bytes, sizeof record.id);
	memcpy(record.point, key->point, sizeof record.point);
	sodium_bin2base64(text, PUBLIC_KEY_TEXT, (const guint8 *)&record, sizeof record,
		sodium_base64_VARIANT_ORIGINAL);
}

static gboolean read_record(
	const PublicRecord *record, const char *what, PublicKey *key, GError **error)
{
	if (memcmp(record->algorithm, "Ed", 2) != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: the key is of an unknown kind, not Ed25519", what);
		return FALSE;
	}
	if (!crypto_core_ed25519_is_valid_point(record->point)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: no Ed25519 key, it was damaged or made to deceive", what);
		return FALSE;
	}
	memcpy(key->id.bytes, record->id, sizeof record->id);
	memcpy(key->point, record->point, sizeof record->point);
	return TRUE;
}

gboolean public_key_parse(const char *what, const char *text, PublicKey *key, GError **error)
{
	PublicRecord record;
	if (!base64_read(text, strlen(text), &record, sizeof record)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: '%.60s' is no public key: 56 characters that begin with RW", what,
			text);
		return FALSE;
	}
	return read_record(&record, what, key, error);
}

char *public_key_file_text(const PublicKey *key)
{
	char id[KEY_ID_TEXT], text[PUBLIC_KEY_TEXT];
	key_id_text(&key->id, id);
	public_key_text(key, text);
	return g_strdup_printf(UNTRUSTED_PREFIX "minisign public key %s\n%s\n", id, text);
}

gboolean public_key_file_parse(
	const char *name, const char *text, gsize size_bytes, PublicKey *key, GError **error)
{
	if (size_bytes > KEY_MAXIMUM_FILE_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s is larger than the %d bytes of a key's file", name,
			KEY_MAXIMUM_FILE_BYTES);
		return FALSE;
	}
	Lines lines = lines_of(name, text, size_bytes);
	PublicRecord record;
	if (size_bytes == 0 || text[0] != 'R')
		g_free(lines_comment(&lines, UNTRUSTED_PREFIX, KEY_MAXIMUM_COMMENT_BYTES));
	lines_base64(&lines, &record, sizeof record);
	return lines_finish(&lines, error) && read_record(&record, name, key, error);
}

gboolean public_key_load(const char *path, PublicKey *key, GError **error)
{
	gsize size_bytes;
	g_autofree char *text = file_read(path, KEY_MAXIMUM_FILE_BYTES, &size_bytes, error);
	return text != NULL && public_key_file_parse(path, text, size_bytes, key, error);
}
