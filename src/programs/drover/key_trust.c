/* SPDX-License-Identifier: ISC
 *
 * drover key trust, key revoke, key rotate: the delegation that hosts read, as a file and its
 * signature by a root key; docs/keys.md, "Trust". A delegation is only added to when the same root
 * key signed it: a line that somebody else put there is not to be signed unseen.
 */
#include <string.h>

#include "base/file.h"
#include "base/format.h"
#include "programs/drover/key_file.h"
#include "release/manifest.h"
#include "release/trust.h"

enum { OVERLAP_BY_DEFAULT_S = 30 * 86400 };

/* A delegation, and who signs it. */
typedef struct Edit {
	const char *path;
	char *signature_path;
	SecretKey *root;
	Delegation *delegation;
} Edit;

static void edit_clear(Edit *edit)
{
	g_free(edit->signature_path);
	secret_key_free(edit->root);
	delegation_free(edit->delegation);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Edit, edit_clear)

static gboolean read_signed(Edit *edit, GError **error)
{
	gsize size_bytes;
	g_autofree char *text = file_read(edit->path, DELEGATION_MAXIMUM_BYTES, &size_bytes, error);
	g_autoptr(Signature) signature =
		text != NULL ? key_load_signature(edit->signature_path, error) : NULL;
	if (signature == NULL)
		return FALSE;
	if (!signature_verify(signature, secret_key_public(edit->root), edit->path, text,
		    size_bytes, error)) {
		g_prefix_error(error,
			"a delegation is only added to when the same root key signed it; start "
			"another file with --serial, and name the keys anew: ");
		return FALSE;
	}
	edit->delegation = delegation_parse(edit->path, text, size_bytes, error);
	return edit->delegation != NULL;
}

static gboolean check_product(
	const Edit *edit, const char *product, gboolean is_new, GError **error)
{
	if (product == NULL && is_new) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"of which product? Say --for PRODUCT: %s is not there yet", edit->path);
		return FALSE;
	}
	if (is_new)
		return manifest_check_name("product", product, error);
	if (product == NULL || strcmp(product, edit->delegation->product) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT, "%s is a delegation of %s, not of %s",
		edit->path, edit->delegation->product, product);
	return FALSE;
}

/* The one that is there, with the next serial, or a new one. */
static gboolean open_delegation(Invocation *invocation, Edit *edit, GError **error)
{
	const char *product = invocation_option(invocation, "for");
	gboolean is_new = !g_file_test(edit->path, G_FILE_TEST_EXISTS);
	if (!is_new && invocation_has(invocation, "serial")) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s is there: --serial is for a new delegation", edit->path);
		return FALSE;
	}
	if ((!is_new && !read_signed(edit, error)) || !check_product(edit, product, is_new, error))
		return FALSE;
	if (is_new) {
		edit->delegation = delegation_new(product);
		return invocation_integer(invocation, "serial", 1, 1, MANIFEST_MAXIMUM_NUMBER,
			&edit->delegation->serial, error);
	}
	edit->delegation->serial++;
	return TRUE;
}

static gboolean open_edit(Invocation *invocation, Edit *edit, GError **error)
{
	const char *by = key_needed(invocation, "by", error);
	if (by == NULL)
		return FALSE;
	edit->path = invocation_argument(invocation, 0);
	edit->signature_path = g_strconcat(edit->path, ".minisig", NULL);
	edit->root = key_load_secret(by, error);
	return edit->root != NULL && open_delegation(invocation, edit, error);
}

static gboolean save(Invocation *invocation, Edit *edit, GError **error)
{
	gint64 now_us = clock_now_us(invocation_clock(invocation));
	edit->delegation->issued_us = now_us - now_us % US_PER_SECOND;
	g_autofree char *text = delegation_text(edit->delegation, error);
	if (text == NULL)
		return FALSE;
	g_autofree char *serial = g_strdup_printf("%" G_GINT64_FORMAT, edit->delegation->serial);
	g_autofree char *comment =
		signature_comment("delegation", edit->delegation->product, serial);
	g_autoptr(Signature) signature = signature_make(edit->root, text, strlen(text), comment);
	g_autofree char *signed_text = signature_text(signature);
	return file_write(edit->path, text, strlen(text), 0644, error) &&
	       file_write(edit->signature_path, signed_text, strlen(signed_text), 0644, error);
}

static gboolean show(Invocation *invocation, const Edit *edit, const KeyId *id, const char *done)
{
	const Screen *screen = invocation_screen(invocation);
	char key[KEY_ID_TEXT];
	key_id_text(id, key);
	g_autoptr(json_t) answer = json_pack("{s:s, s:s, s:I}", "id", key, "product",
		edit->delegation->product, "serial", (json_int_t)edit->delegation->serial);
	if (screen->json)
		screen_json(screen, answer);
	screen_done(screen, "%s the key %s of %s; %s has the serial %" G_GINT64_FORMAT, done, key,
		edit->delegation->product, edit->path, edit->delegation->serial);
	return TRUE;
}

/* Takes a key out, for one use or (NULL) for all. */
static void take_out(Delegation *delegation, const KeyId *id, const TrustUse *use)
{
	for (guint i = delegation->keys->len; i-- > 0;) {
		const DelegatedKey *key = &g_array_index(delegation->keys, DelegatedKey, i);
		if (key_id_equal(&key->key.id, id) && (use == NULL || key->use == *use))
			g_array_remove_index(delegation->keys, i);
	}
}

static gboolean read_use(Invocation *invocation, TrustUse *use, GError **error)
{
	const char *typed = invocation_option(invocation, "use");
	*use = g_strcmp0(typed, "index") == 0 ? TRUST_USE_INDEX : TRUST_USE_RELEASE;
	if (*use == TRUST_USE_INDEX || g_strcmp0(typed, "release") == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"what may the key sign? Say --use release or --use index");
	return FALSE;
}

static gboolean read_until(Invocation *invocation, gint64 *until_us, GError **error)
{
	const char *typed = invocation_option(invocation, "until");
	if (typed == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"until when? Say --until TIME: a key that was forgotten ends by itself");
		return FALSE;
	}
	if (!parse_time(typed, until_us, error))
		return FALSE;
	if (*until_us > clock_now_us(invocation_clock(invocation)))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "--until %s is over", typed);
	return FALSE;
}

gboolean key_run_trust(Invocation *invocation, GError **error)
{
	PublicKey key;
	TrustUse use;
	gint64 until_us;
	g_auto(Edit) edit = {0};
	if (!read_use(invocation, &use, error) || !read_until(invocation, &until_us, error) ||
		!key_read_named(invocation_argument(invocation, 1), &key, error) ||
		!open_edit(invocation, &edit, error))
		return FALSE;
	if (revoked_has(edit.delegation->revoked, &key.id)) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s revokes this key, and that is for ever: make another key", edit.path);
		return FALSE;
	}
	take_out(edit.delegation, &key.id, &use);
	delegation_add(edit.delegation, use, &key, until_us);
	return save(invocation, &edit, error) && show(invocation, &edit, &key.id, "trusted");
}

gboolean key_run_revoke(Invocation *invocation, GError **error)
{
	KeyId id;
	g_auto(Edit) edit = {0};
	if (!key_id_parse(invocation_argument(invocation, 1), &id, error) ||
		!open_edit(invocation, &edit, error))
		return FALSE;
	if (key_id_equal(&id, &secret_key_public(edit.root)->id)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"a root key that revokes itself ends its delegation too: sign with "
			"another root key");
		return FALSE;
	}
	take_out(edit.delegation, &id, NULL);
	delegation_revoke(edit.delegation, &id);
	return save(invocation, &edit, error) && show(invocation, &edit, &id, "revoked");
}

/* Every other key of this use ends at `end_us`, unless it does so before; those that ended already
 * are taken out. How many are left. */
static guint end_others(
	Delegation *delegation, TrustUse use, gint64 now_us, gint64 end_us, gint64 *last_us)
{
	guint left = 0;
	*last_us = 0;
	for (guint i = delegation->keys->len; i-- > 0;) {
		DelegatedKey *key = &g_array_index(delegation->keys, DelegatedKey, i);
		if (key->use != use)
			continue;
		key->expires_us = MIN(key->expires_us, end_us);
		*last_us = MAX(*last_us, key->expires_us);
		if (key->expires_us > now_us)
			left++;
		else
			g_array_remove_index(delegation->keys, i);
	}
	return left;
}

static void say_next(
	Invocation *invocation, const Edit *edit, TrustUse use, guint old, gint64 last_us)
{
	const Screen *screen = invocation_screen(invocation);
	const char *product = edit->delegation->product;
	if (old > 0) {
		g_autofree char *last = format_time_short(last_us);
		screen_done(screen, "the old one may sign until %s", last);
	}
	screen_done(screen, "next: drover release delegate %s %s", product, edit->path);
	if (use == TRUST_USE_RELEASE)
		screen_done(screen,
			"then set [release] key, and sign what hosts shall still install: drover "
			"release sign %s VERSION…",
			product);
	else
		screen_done(screen, "then set [release] index-key where droverd runs");
}

static gboolean read_overlap(Invocation *invocation, gint64 *overlap_s, GError **error)
{
	const char *typed = invocation_option(invocation, "overlap");
	*overlap_s = OVERLAP_BY_DEFAULT_S;
	return typed == NULL || parse_duration(typed, overlap_s, error);
}

gboolean key_run_rotate(Invocation *invocation, GError **error)
{
	PublicKey key;
	TrustUse use;
	gint64 until_us, overlap_s, last_us, now_us = clock_now_us(invocation_clock(invocation));
	g_auto(Edit) edit = {0};
	if (!read_use(invocation, &use, error) || !read_until(invocation, &until_us, error) ||
		!read_overlap(invocation, &overlap_s, error) ||
		!open_edit(invocation, &edit, error) || !key_make(invocation, &key, error))
		return FALSE;
	gint64 end_us = now_us - now_us % US_PER_SECOND + overlap_s * US_PER_SECOND;
	guint old = end_others(edit.delegation, use, now_us, end_us, &last_us);
	delegation_add(edit.delegation, use, &key, until_us);
	if (!save(invocation, &edit, error) || !show(invocation, &edit, &key.id, "trusted"))
		return FALSE;
	say_next(invocation, &edit, use, old, last_us);
	return TRUE;
}

const Option key_rotate_options[] = {
	{"by", "FILE", "The secret root key that signs"},
	{"for", "PRODUCT", "The product, when DELEGATION is new"},
	{"use", "USE", "What the key may sign: release or index"},
	{"secret", "FILE", "Where the new secret key goes; there must be no such file"},
	{"public", "FILE", "Where the new public key goes; there must be no such file"},
	{"no-password", NULL, "Leave the new secret key without a password, for a program"},
	{"until", "TIME", "Until when the new key may sign"},
	{"overlap", "DURATION", "How long the old one may sign beside it; 30d by default"},
	{"serial", "N",
		"The serial of a new delegation, above any that hosts have seen; 1 by default"},
	{0},
};

const Option key_trust_options[] = {
	{"by", "FILE", "The secret root key that signs"},
	{"for", "PRODUCT", "The product, when DELEGATION is new"},
	{"use", "USE", "What KEY may sign: release or index"},
	{"until", "TIME", "Until when"},
	{"serial", "N",
		"The serial of a new delegation, above any that hosts have seen; 1 by default"},
	{0},
};

const Option key_revoke_options[] = {
	{"by", "FILE", "The secret root key that signs"},
	{"for", "PRODUCT", "The product, when DELEGATION is new"},
	{"serial", "N",
		"The serial of a new delegation, above any that hosts have seen; 1 by default"},
	{0},
};
