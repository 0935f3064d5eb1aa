/* SPDX-License-Identifier: ISC
 *
 * Secret keys, in memory and as minisign's text: which algorithms, salt and cost for scrypt, then
 * key id, key and a checksum, which the output of scrypt hides when there is a password. Without
 * one, minisign leaves the checksum zero; others fill it in, and both are read.
 */
#include <string.h>

#include "release/key.h"
#include "release/lines.h"

enum { CHECKSUM_SIZE = 32, SALT_SIZE = crypto_pwhash_scryptsalsa208sha256_SALTBYTES };

/* What the password hides. */
typedef struct SecretPart {
	guint8 id[KEY_ID_SIZE];
	guint8 secret[crypto_sign_SECRETKEYBYTES]; /* the seed, then the public point */
	guint8 checksum[CHECKSUM_SIZE];
} SecretPart;

typedef struct SecretRecord {
	char algorithm[2], derivation[2], checksum_algorithm[2];
	guint8 salt[SALT_SIZE];
	guint8 operations[8], memory[8]; /* the lowest byte first */
	SecretPart part;
} SecretRecord;
G_STATIC_ASSERT(sizeof(SecretPart) == 104);
G_STATIC_ASSERT(sizeof(SecretRecord) == 158);

static const char DERIVATION_SCRYPT[2] = {'S', 'c'}, DERIVATION_NONE[2] = {0, 0};

/* In memory that libsodium guards: locked, so that it is not swapped out, and wiped. */
struct SecretKey {
	PublicKey public;
	guint8 secret[crypto_sign_SECRETKEYBYTES];
};

static void sodium_ready(void)
{
	int ready = sodium_init();
	g_assert(ready >= 0);
}

static void *guarded_new(gsize size_bytes)
{
	sodium_ready();
	void *memory = sodium_malloc(size_bytes);
	if (memory == NULL)
		g_error("not enough memory for a secret key");
	memset(memory, 0, size_bytes);
	return memory;
}

static void secret_record_free(SecretRecord *record)
{
	sodium_free(record);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecretRecord, secret_record_free)

SecretKey *secret_key_generate(void)
{
	SecretKey *key = guarded_new(sizeof(SecretKey));
	crypto_sign_keypair(key->public.point, key->secret);
	randombytes_buf(key->public.id.bytes, KEY_ID_SIZE);
	return key;
}

void secret_key_free(SecretKey *key)
{
	sodium_free(key);
}

const PublicKey *secret_key_public(const SecretKey *key)
{
	return &key->public;
}

void secret_key_sign(const SecretKey *key, const void *bytes, gsize size_bytes,
	guint8 signature[crypto_sign_BYTES])
{
	crypto_sign_detached(signature, NULL, bytes, size_bytes, key->secret);
}

/* The file --------------------------------------------------------------------------------------
 */

static guint64 read_number(const guint8 bytes[8])
{
	guint64 number = 0;
	for (int i = 7; i >= 0; i--)
		number = number << 8 | bytes[i];
	return number;
}

static void write_number(guint64 number, guint8 bytes[8])
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (guint8)(number >> (8 * i));
}

static void checksum_of(const SecretRecord *record, guint8 checksum[CHECKSUM_SIZE])
{
	crypto_generichash_state state;
	crypto_generichash_init(&state, NULL, 0, CHECKSUM_SIZE);
	crypto_generichash_update(
		&state, (const guint8 *)record->algorithm, sizeof record->algorithm);
	crypto_generichash_update(&state, record->part.id, sizeof record->part.id);
	crypto_generichash_update(&state, record->part.secret, sizeof record->part.secret);
	crypto_generichash_final(&state, checksum, CHECKSUM_SIZE);
	sodium_memzero(&state, sizeof state);
}

/* Hides the secret part, or shows it again. */
static gboolean mask(SecretRecord *record, const char *password, GError **error)
{
	guint8 *stream = guarded_new(sizeof record->part);
	gboolean derived = crypto_pwhash_scryptsalsa208sha256(stream, sizeof record->part, password,
				   strlen(password), record->salt, read_number(record->operations),
				   (gsize)read_number(record->memory)) == 0;
	guint8 *bytes = (guint8 *)&record->part;
	for (gsize i = 0; derived && i < sizeof record->part; i++)
		bytes[i] ^= stream[i];
	sodium_free(stream);
	if (!derived)
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"not enough memory for the password of a key: %" G_GUINT64_FORMAT
			" bytes are needed",
			read_number(record->memory));
	return derived;
}

static gboolean check_password(const char *password, GError **error)
{
	if (*password == '\0') {
		drover_error_set(error, DROVER_ERROR_INPUT, "the password is empty");
		return FALSE;
	}
	if (strlen(password) > KEY_MAXIMUM_PASSWORD_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"the password is longer than %d bytes", KEY_MAXIMUM_PASSWORD_BYTES);
		return FALSE;
	}
	return TRUE;
}

static gboolean lock(
	SecretRecord *record, const char *password, const KeyCost *cost, GError **error)
{
	if (!check_password(password, error))
		return FALSE;
	memcpy(record->derivation, DERIVATION_SCRYPT, sizeof record->derivation);
	randombytes_buf(record->salt, sizeof record->salt);
	write_number(cost->operations, record->operations);
	write_number(cost->memory_bytes, record->memory);
	checksum_of(record, record->part.checksum);
	return mask(record, password, error);
}

char *secret_key_text(
	const SecretKey *key, const char *password, const KeyCost *cost, GError **error)
{
	g_autoptr(SecretRecord) record = guarded_new(sizeof(SecretRecord));
	memcpy(record->algorithm, "Ed", 2);
	memcpy(record->checksum_algorithm, "B2", 2);
	memcpy(record->part.id, key->public.id.bytes, KEY_ID_SIZE);
	memcpy(record->part.secret, key->secret, sizeof key->secret);
	if (password != NULL && !lock(record, password, cost, error))
		return NULL;
	char *base64 = base64_write(record, sizeof *record);
	/* minisign's own words, also where there is no password. */
	char *text = g_strconcat(
		UNTRUSTED_PREFIX, "minisign encrypted secret key\n", base64, "\n", NULL);
	secret_key_text_free(base64);
	return text;
}

void secret_key_text_free(char *text)
{
	if (text != NULL)
		sodium_memzero(text, strlen(text));
	g_free(text);
}

static gboolean record_is_known(const SecretRecord *record)
{
	return memcmp(record->algorithm, "Ed", 2) == 0 &&
	       memcmp(record->checksum_algorithm, "B2", 2) == 0 &&
	       (memcmp(record->derivation, DERIVATION_SCRYPT, 2) == 0 ||
		       memcmp(record->derivation, DERIVATION_NONE, 2) == 0);
}

static gboolean record_is_locked(const SecretRecord *record)
{
	return memcmp(record->derivation, DERIVATION_SCRYPT, 2) == 0;
}

static SecretRecord *read_record(
	const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (size_bytes > KEY_MAXIMUM_FILE_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s is larger than the %d bytes of a key's file", name,
			KEY_MAXIMUM_FILE_BYTES);
		return NULL;
	}
	g_autoptr(SecretRecord) record = guarded_new(sizeof(SecretRecord));
	Lines lines = lines_of(name, text, size_bytes);
	g_free(lines_comment(&lines, UNTRUSTED_PREFIX, KEY_MAXIMUM_COMMENT_BYTES));
	lines_base64(&lines, record, sizeof *record);
	if (!lines_finish(&lines, error)) {
		g_prefix_error(error, "no secret key of minisign's kind: ");
		return NULL;
	}
	if (!record_is_known(record)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: the secret key is of an unknown kind; minisign's are known", name);
		return NULL;
	}
	return g_steal_pointer(&record);
}

gboolean secret_key_text_is_locked(const char *text, gsize size_bytes)
{
	g_autoptr(SecretRecord) record = read_record("", text, size_bytes, NULL);
	return record != NULL && record_is_locked(record);
}

static gboolean unlock(SecretRecord *record, const char *name, const char *password, GError **error)
{
	if (read_number(record->operations) > KEY_MAXIMUM_OPERATIONS ||
		read_number(record->memory) > KEY_MAXIMUM_MEMORY_BYTES) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: asks more work or memory for its password than minisign does", name);
		return FALSE;
	}
	if (password == NULL) {
		drover_error_set(
			error, DROVER_ERROR_DENIED, "%s: the key needs its password", name);
		return FALSE;
	}
	if (!check_password(password, error) || !mask(record, password, error))
		return FALSE;
	guint8 checksum[CHECKSUM_SIZE];
	checksum_of(record, checksum);
	if (sodium_memcmp(checksum, record->part.checksum, CHECKSUM_SIZE) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_DENIED, "%s: wrong password", name);
	return FALSE;
}

/* Without a password nothing was decrypted that could go wrong, but a file can be damaged. */
static gboolean open_checksum_holds(const SecretRecord *record)
{
	guint8 checksum[CHECKSUM_SIZE];
	checksum_of(record, checksum);
	return sodium_is_zero(record->part.checksum, CHECKSUM_SIZE) ||
	       sodium_memcmp(checksum, record->part.checksum, CHECKSUM_SIZE) == 0;
}

/* The public point is stored, but what signs must fit it: a signature made with another one gives
 * the secret away. */
static gboolean halves_fit(SecretKey *key)
{
	guint8 *derived = guarded_new(crypto_sign_SECRETKEYBYTES);
	crypto_sign_seed_keypair(key->public.point, derived, key->secret);
	gboolean fit = sodium_memcmp(derived, key->secret, crypto_sign_SECRETKEYBYTES) == 0;
	sodium_free(derived);
	return fit;
}

SecretKey *secret_key_parse(
	const char *name, const char *text, gsize size_bytes, const char *password, GError **error)
{
	g_autoptr(SecretRecord) record = read_record(name, text, size_bytes, error);
	if (record == NULL)
		return NULL;
	gboolean is_locked = record_is_locked(record);
	if (is_locked && !unlock(record, name, password, error))
		return NULL;
	g_autoptr(SecretKey) key = guarded_new(sizeof(SecretKey));
	memcpy(key->public.id.bytes, record->part.id, KEY_ID_SIZE);
	memcpy(key->secret, record->part.secret, sizeof key->secret);
	if ((is_locked || open_checksum_holds(record)) && halves_fit(key))
		return g_steal_pointer(&key);
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: the secret key is damaged", name);
	return NULL;
}
