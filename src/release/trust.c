/* SPDX-License-Identifier: ISC
 *
 * Whose signature counts. Values in, a decision out.
 */
#include "release/trust.h"

#include "base/format.h"

struct Trust {
	char *product;
	GArray *roots;	 /* of PublicKey */
	GArray *revoked; /* of KeyId */
	gint64 serial;
	Delegation *delegation; /* NULL: none yet */
	KeyId delegator;	/* the root key that signed it */
};

Trust *trust_new(const char *product)
{
	Trust *trust = g_new0(Trust, 1);
	trust->product = g_strdup(product);
	trust->roots = g_array_new(FALSE, FALSE, sizeof(PublicKey));
	trust->revoked = g_array_new(FALSE, FALSE, sizeof(KeyId));
	return trust;
}

void trust_free(Trust *trust)
{
	if (trust == NULL)
		return;
	g_free(trust->product);
	g_array_unref(trust->roots);
	g_array_unref(trust->revoked);
	delegation_free(trust->delegation);
	g_free(trust);
}

static const PublicKey *find_root(const Trust *trust, const KeyId *id)
{
	for (guint i = 0; i < trust->roots->len; i++) {
		const PublicKey *root = &g_array_index(trust->roots, PublicKey, i);
		if (key_id_equal(&root->id, id))
			return root;
	}
	return NULL;
}

gboolean trust_add_root(Trust *trust, const PublicKey *key, GError **error)
{
	const PublicKey *same = find_root(trust, &key->id);
	if (same != NULL && public_key_equal(same, key))
		return TRUE;
	if (same != NULL) {
		char id[KEY_ID_TEXT];
		key_id_text(&key->id, id);
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"two different root keys of %s have the id %s: make one of them anew",
			trust->product, id);
		return FALSE;
	}
	if (trust->roots->len == TRUST_MAXIMUM_KEYS) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE, "%s has more than %d root keys",
			trust->product, TRUST_MAXIMUM_KEYS);
		return FALSE;
	}
	g_array_append_val(trust->roots, *key);
	return TRUE;
}

void trust_add_revoked(Trust *trust, const KeyId *id)
{
	revoked_add(trust->revoked, id);
}

void trust_set_serial(Trust *trust, gint64 serial)
{
	trust->serial = MAX(trust->serial, serial);
}

void trust_take_revoked(Trust *trust, const GArray *revoked, const KeyId *signer)
{
	gboolean by_root = find_root(trust, signer) != NULL;
	for (guint i = 0; i < revoked->len; i++) {
		const KeyId *id = &g_array_index(revoked, KeyId, i);
		if (by_root || find_root(trust, id) == NULL)
			revoked_add(trust->revoked, id);
	}
}

const GArray *trust_revoked(const Trust *trust)
{
	return trust->revoked;
}

gint64 trust_serial(const Trust *trust)
{
	return trust->serial;
}

/* Which key ----------------------------------------------------------------------------------- */

static const char *use_words(TrustUse use)
{
	switch (use) {
	case TRUST_USE_RELEASE:
		return "releases";
	case TRUST_USE_INDEX:
		return "the index";
	case TRUST_USE_DELEGATION:
		return "delegations";
	}
	g_assert_not_reached();
}

static void refuse(const Trust *trust, const KeyId *id, GError **error, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

static void refuse(const Trust *trust, const KeyId *id, GError **error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *why = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	char text[KEY_ID_TEXT];
	key_id_text(id, text);
	drover_error_set(
		error, DROVER_ERROR_DENIED, "the key %s %s (%s)", text, why, trust->product);
}

/* One key may be delegated for two uses: the entry that fits, else any entry of that id. */
static const DelegatedKey *find_delegated(const Trust *trust, TrustUse use, const KeyId *id)
{
	const DelegatedKey *found = NULL;
	if (trust->delegation == NULL)
		return NULL;
	for (guint i = 0; i < trust->delegation->keys->len; i++) {
		const DelegatedKey *key = &g_array_index(trust->delegation->keys, DelegatedKey, i);
		if (key_id_equal(&key->key.id, id) && (found == NULL || key->use == use))
			found = key;
	}
	return found;
}

static gboolean may_sign(
	const Trust *trust, const DelegatedKey *key, TrustUse use, gint64 now_us, GError **error)
{
	const KeyId *id = &key->key.id;
	if (revoked_has(trust->revoked, &trust->delegator)) {
		refuse(trust, id, error,
			"was delegated by a root key that is revoked: sign a delegation with "
			"another root key");
		return FALSE;
	}
	if (key->use != use) {
		refuse(trust, id, error, "may sign %s, not %s", use_words(key->use),
			use_words(use));
		return FALSE;
	}
	if (now_us >= key->expires_us) {
		g_autofree char *expired = format_time(key->expires_us);
		refuse(trust, id, error,
			"was allowed to sign %s until %s: sign a new delegation with the root key",
			use_words(use), expired);
		return FALSE;
	}
	return TRUE;
}

const PublicKey *trust_key(
	const Trust *trust, TrustUse use, const KeyId *id, gint64 now_us, GError **error)
{
	if (revoked_has(trust->revoked, id)) {
		refuse(trust, id, error,
			"is revoked: what it signed counts for nothing and must be signed by "
			"another");
		return NULL;
	}
	const PublicKey *root = find_root(trust, id);
	if (root != NULL)
		return root;
	const DelegatedKey *key = find_delegated(trust, use, id);
	if (key == NULL) {
		refuse(trust, id, error,
			"is not trusted: it is no root key of this host, and none of them "
			"delegated to it");
		return NULL;
	}
	return may_sign(trust, key, use, now_us, error) ? &key->key : NULL;
}

gboolean trust_verify(const Trust *trust, TrustUse use, const Signature *signature,
	const char *what, const void *bytes, gsize size_bytes, gint64 now_us, GError **error)
{
	const PublicKey *key = trust_key(trust, use, &signature->key, now_us, error);
	if (key != NULL)
		return signature_verify(signature, key, what, bytes, size_bytes, error);
	g_prefix_error(error, "%s: ", what);
	return FALSE;
}

/* Delegations --------------------------------------------------------------------------------- */

/* An id means one key: a root's cannot be given to another. */
static gboolean ids_are_free(const Trust *trust, const Delegation *delegation, GError **error)
{
	for (guint i = 0; i < delegation->keys->len; i++) {
		const PublicKey *key = &g_array_index(delegation->keys, DelegatedKey, i).key;
		const PublicKey *root = find_root(trust, &key->id);
		if (root == NULL || public_key_equal(root, key))
			continue;
		refuse(trust, &key->id, error, "is delegated, but a root key has this id");
		return FALSE;
	}
	return TRUE;
}

static gboolean may_take(const Trust *trust, const Delegation *delegation, GError **error)
{
	if (g_strcmp0(delegation->product, trust->product) != 0) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"the delegation is one of %s, not of %s", delegation->product,
			trust->product);
		return FALSE;
	}
	if (delegation->serial < trust->serial) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"the delegation of %s with the serial %" G_GINT64_FORMAT
			" is old: %" G_GINT64_FORMAT " was seen",
			trust->product, delegation->serial, trust->serial);
		return FALSE;
	}
	return ids_are_free(trust, delegation, error);
}

gboolean trust_take_delegation(Trust *trust, const char *name, const char *text, gsize size_bytes,
	const Signature *signature, GError **error)
{
	/* A root's right does not end with time. */
	if (!trust_verify(trust, TRUST_USE_DELEGATION, signature, name, text, size_bytes, 0, error))
		return FALSE;
	g_autoptr(Delegation) delegation = delegation_parse(name, text, size_bytes, error);
	if (delegation == NULL || !may_take(trust, delegation, error))
		return FALSE;
	trust->serial = delegation->serial;
	trust->delegator = signature->key;
	trust_take_revoked(trust, delegation->revoked, &signature->key);
	delegation_free(trust->delegation);
	trust->delegation = g_steal_pointer(&delegation);
	return TRUE;
}
