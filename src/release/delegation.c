/* SPDX-License-Identifier: ISC
 *
 * What a root key says of other keys, as text:
 *
 *     drover-delegation 1
 *     product web
 *     serial 3
 *     issued 2026-11-21T03:47:19Z
 *     key release RWT… 2027-11-21T00:00:00Z
 *     key index RWQ… 2027-02-21T00:00:00Z
 *     revoked 0114845858551CBC
 *
 * Lists are sorted; what parses is written again and compared, so there is one spelling only.
 */
#include <string.h>

#include "base/format.h"
#include "release/manifest.h"
#include "release/trust.h"
#include "release/trust_parts.h"

static const char *const USES[] = {
	[TRUST_USE_RELEASE] = "release", [TRUST_USE_INDEX] = "index", NULL};

Delegation *delegation_new(const char *product)
{
	Delegation *delegation = g_new0(Delegation, 1);
	delegation->product = g_strdup(product);
	delegation->keys = g_array_new(FALSE, FALSE, sizeof(DelegatedKey));
	delegation->revoked = g_array_new(FALSE, FALSE, sizeof(KeyId));
	return delegation;
}

void delegation_free(Delegation *delegation)
{
	if (delegation == NULL)
		return;
	g_free(delegation->product);
	g_array_unref(delegation->keys);
	g_array_unref(delegation->revoked);
	g_free(delegation);
}

void delegation_add(Delegation *delegation, TrustUse use, const PublicKey *key, gint64 expires_us)
{
	g_assert(use != TRUST_USE_DELEGATION);
	DelegatedKey delegated = {.key = *key, .use = use, .expires_us = expires_us};
	g_array_append_val(delegation->keys, delegated);
}

void delegation_revoke(Delegation *delegation, const KeyId *id)
{
	revoked_add(delegation->revoked, id);
}

/* Ids in the order of their digits. */
static int compare_ids(const KeyId *a, const KeyId *b)
{
	for (int i = KEY_ID_SIZE - 1; i >= 0; i--)
		if (a->bytes[i] != b->bytes[i])
			return a->bytes[i] < b->bytes[i] ? -1 : 1;
	return 0;
}

void revoked_add(GArray *revoked, const KeyId *id)
{
	guint i = 0;
	while (i < revoked->len && compare_ids(&g_array_index(revoked, KeyId, i), id) < 0)
		i++;
	if (i == revoked->len || !key_id_equal(&g_array_index(revoked, KeyId, i), id))
		g_array_insert_vals(revoked, i, id, 1);
}

gboolean revoked_has(const GArray *revoked, const KeyId *id)
{
	for (guint i = 0; i < revoked->len; i++)
		if (key_id_equal(&g_array_index(revoked, KeyId, i), id))
			return TRUE;
	return FALSE;
}

gboolean revoked_same(const GArray *a, const GArray *b)
{
	if (a->len != b->len)
		return FALSE;
	for (guint i = 0; i < a->len; i++)
		if (!key_id_equal(&g_array_index(a, KeyId, i), &g_array_index(b, KeyId, i)))
			return FALSE;
	return TRUE;
}

void revoked_write(const GArray *revoked, GString *text)
{
	for (guint i = 0; i < revoked->len; i++) {
		char id[KEY_ID_TEXT];
		key_id_text(&g_array_index(revoked, KeyId, i), id);
		g_string_append_printf(text, "revoked %s\n", id);
	}
}

void revoked_read(Lines *lines, GArray *revoked)
{
	while (lines_next_is(lines, "revoked")) {
		g_auto(GStrv) words = lines_words(lines, "revoked", 1);
		KeyId id;
		if (words == NULL || !key_id_parse(words[1], &id, NULL)) {
			lines_fail(lines, "must be 'revoked' and a key id");
			return;
		}
		if (revoked->len == TRUST_MAXIMUM_REVOKED) {
			lines_fail(lines, "more revoked keys than are allowed");
			return;
		}
		revoked_add(revoked, &id);
	}
}

/* Text ----------------------------------------------------------------------------------------- */

static int compare_keys(gconstpointer a, gconstpointer b)
{
	const DelegatedKey *one = a, *other = b;
	if (one->use != other->use)
		return one->use < other->use ? -1 : 1;
	return compare_ids(&one->key.id, &other->key.id);
}

static char *write_text(Delegation *delegation)
{
	g_autofree char *issued = format_time(delegation->issued_us);
	GString *text = g_string_new("drover-delegation 1\n");
	g_string_append_printf(text, "product %s\nserial %" G_GINT64_FORMAT "\nissued %s\n",
		delegation->product, delegation->serial, issued);
	g_array_sort(delegation->keys, compare_keys);
	for (guint i = 0; i < delegation->keys->len; i++) {
		const DelegatedKey *key = &g_array_index(delegation->keys, DelegatedKey, i);
		char public[PUBLIC_KEY_TEXT];
		public_key_text(&key->key, public);
		g_autofree char *expires = format_time(key->expires_us);
		g_string_append_printf(text, "key %s %s %s\n", USES[key->use], public, expires);
	}
	revoked_write(delegation->revoked, text);
	return g_string_free(text, FALSE);
}

char *delegation_text(Delegation *delegation, GError **error)
{
	g_autofree char *text = write_text(delegation);
	g_autoptr(Delegation) again = delegation_parse("delegation", text, strlen(text), error);
	return again != NULL ? g_steal_pointer(&text) : NULL;
}

static void read_head(Lines *lines, Delegation *delegation)
{
	g_auto(GStrv) format = lines_words(lines, "drover-delegation", 1);
	if (format != NULL && strcmp(format[1], "1") != 0)
		lines_fail(lines, "of a format that this Drover does not know");
	g_auto(GStrv) product = lines_words(lines, "product", 1);
	if (product != NULL && !manifest_check_name("product", product[1], NULL))
		lines_fail(lines, "the product's name is not allowed");
	g_auto(GStrv) serial = lines_words(lines, "serial", 1);
	if (serial != NULL && !parse_integer(serial[1], "serial", 1, MANIFEST_MAXIMUM_NUMBER,
				      &delegation->serial, NULL))
		lines_fail(lines, "the serial must be a number from 1");
	g_auto(GStrv) issued = lines_words(lines, "issued", 1);
	if (issued != NULL && !parse_time(issued[1], &delegation->issued_us, NULL))
		lines_fail(lines, "the instant cannot be read");
	if (product != NULL)
		delegation->product = g_strdup(product[1]);
}

static gboolean is_known(const Delegation *delegation, const DelegatedKey *key)
{
	for (guint i = 0; i < delegation->keys->len; i++) {
		const DelegatedKey *other = &g_array_index(delegation->keys, DelegatedKey, i);
		if (key_id_equal(&other->key.id, &key->key.id) &&
			(other->use == key->use || !public_key_equal(&other->key, &key->key)))
			return TRUE;
	}
	return FALSE;
}

static void read_key(Lines *lines, Delegation *delegation)
{
	g_auto(GStrv) words = lines_words(lines, "key", 3);
	if (words == NULL)
		return;
	DelegatedKey key = {.use = TRUST_USE_RELEASE};
	while (USES[key.use] != NULL && strcmp(USES[key.use], words[1]) != 0)
		key.use++;
	if (USES[key.use] == NULL)
		lines_fail(lines, "a key may sign 'release' or 'index'");
	else if (!public_key_parse("key", words[2], &key.key, NULL))
		lines_fail(lines, "no public key");
	else if (!parse_time(words[3], &key.expires_us, NULL))
		lines_fail(lines, "the instant cannot be read");
	else if (delegation->keys->len == TRUST_MAXIMUM_KEYS)
		lines_fail(lines, "more keys than are allowed");
	else if (is_known(delegation, &key))
		lines_fail(lines, "a key of this id was there before");
	else
		g_array_append_val(delegation->keys, key);
}

Delegation *delegation_parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (size_bytes > DELEGATION_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s is larger than the %d bytes of a delegation", name,
			DELEGATION_MAXIMUM_BYTES);
		return NULL;
	}
	g_autoptr(Delegation) delegation = delegation_new(NULL);
	g_auto(Lines) lines = lines_of(name, text, size_bytes);
	read_head(&lines, delegation);
	while (lines_next_is(&lines, "key"))
		read_key(&lines, delegation);
	revoked_read(&lines, delegation->revoked);
	if (!lines_finish(&lines, error))
		return NULL;
	g_autofree char *again = write_text(delegation);
	if (lines_are(name, text, size_bytes, again, error))
		return g_steal_pointer(&delegation);
	return NULL;
}
