/* SPDX-License-Identifier: ISC
 *
 * The index signed again, from what lies in the repository: whoever published or removed before it
 * was killed has left the folders in order, and the next signing tells so.
 */
#include <string.h>

#include "base/file.h"
#include "base/format.h"
#include "release/repository_parts.h"

static gboolean is_dropped(const GPtrArray *drop, const char *version)
{
	for (guint i = 0; drop != NULL && i < drop->len; i++)
		if (strcmp(drop->pdata[i], version) == 0)
			return TRUE;
	return FALSE;
}

/* The one that is there, as far as `trust` believes it. NULL: none. */
static Index *last_index(Repository *repository, Trust *trust, gint64 now_us, GError **error)
{
	GError *failed = NULL;
	Index *index = repository_index(repository, trust, now_us, NULL, &failed);
	if (drover_error_is(failed, DROVER_ERROR_INTERNAL))
		g_propagate_error(error, failed);
	else
		g_clear_error(&failed);
	return index;
}

static gboolean has_sequence(const Index *index, gint64 sequence)
{
	for (guint i = 0; i < index->releases->len; i++)
		if (((const IndexRelease *)index->releases->pdata[i])->sequence == sequence)
			return TRUE;
	return FALSE;
}

/* What was in the last one keeps its digest: a manifest that was exchanged since stays refused. */
static void keep_known(
	const Repository *repository, const Index *last, const GPtrArray *drop, Index *index)
{
	for (guint i = 0; i < last->releases->len; i++) {
		const IndexRelease *release = last->releases->pdata[i];
		if (!is_dropped(drop, release->version) &&
			repository_has(repository, release->version))
			index_add(index, release->sequence, release->version, release->sha256);
	}
	index->newest = MAX(index->newest, last->newest);
}

/* What nobody that we believe has signed, or what cannot be read, is left out: it stops nothing. */
static void add_new(Repository *repository, const Trust *trust, gint64 now_us, const char *version,
	Index *index)
{
	char sha256[SHA256_HEX];
	g_autoptr(Manifest) manifest =
		repository_manifest(repository, version, trust, now_us, NULL, sha256, NULL);
	if (manifest != NULL && !has_sequence(index, manifest->sequence))
		index_add(index, manifest->sequence, version, sha256);
}

static Index *next_index(Repository *repository, Trust *trust, const Index *last,
	const GPtrArray *drop, gint64 now_us, GError **error)
{
	g_autoptr(GPtrArray) versions = repository_versions(repository, error);
	if (versions == NULL)
		return NULL;
	Index *index = index_new(repository->product);
	if (last != NULL)
		keep_known(repository, last, drop, index);
	for (guint i = 0; i < versions->len; i++) {
		const char *version = versions->pdata[i];
		if (!is_dropped(drop, version) && index_find(index, version) == NULL)
			add_new(repository, trust, now_us, version, index);
	}
	const GArray *revoked = trust_revoked(trust);
	for (guint i = 0; i < revoked->len; i++)
		revoked_add(index->revoked, &g_array_index(revoked, KeyId, i));
	return index;
}

/* Hosts refuse two indexes of one instant, and one that is older than the last. */
static gboolean date(Index *index, const Index *last, gint64 now_us, gint64 life_s, GError **error)
{
	index->issued_us = now_us - now_us % US_PER_SECOND;
	if (last != NULL && index->issued_us <= last->issued_us)
		index->issued_us = last->issued_us + US_PER_SECOND;
	if (index->issued_us > now_us + INDEX_MAXIMUM_AHEAD_S * US_PER_SECOND) {
		g_autofree char *issued = format_time(last->issued_us);
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"the last index of %s was issued at %s, which is in the future: one of the "
			"clocks is wrong. Set it right",
			index->product, issued);
		return FALSE;
	}
	index->expires_us = index->issued_us + life_s * US_PER_SECOND;
	return TRUE;
}

static gboolean same_releases(const GPtrArray *a, const GPtrArray *b)
{
	if (a->len != b->len)
		return FALSE;
	for (guint i = 0; i < a->len; i++) {
		const IndexRelease *one = a->pdata[i], *other = b->pdata[i];
		if (one->sequence != other->sequence || strcmp(one->version, other->version) != 0 ||
			strcmp(one->sha256, other->sha256) != 0)
			return FALSE;
	}
	return TRUE;
}

/* The last one says what `index` says, and less than half of its life is over. */
static gboolean is_fresh(const Index *last, const Index *index, gint64 now_us)
{
	gint64 half_us = (last->expires_us - last->issued_us) / 2;
	return last->newest == index->newest && same_releases(last->releases, index->releases) &&
	       revoked_same(last->revoked, index->revoked) &&
	       now_us >= last->issued_us - INDEX_MAXIMUM_AHEAD_S * US_PER_SECOND &&
	       now_us < last->issued_us + half_us;
}

static gboolean write_index(Repository *repository, RepositoryLock *lock, const SecretKey *key,
	const Trust *trust, Index *index, gint64 now_us, GError **error)
{
	g_autofree char *text = index_text(index, error);
	if (text == NULL)
		return FALSE;
	g_autofree char *issued = format_time(index->issued_us);
	g_autofree char *comment = signature_comment("index", index->product, issued);
	g_autoptr(Signature) signature = signature_make(key, text, strlen(text), comment);
	return trust_verify(trust, TRUST_USE_INDEX, signature, "the new index", text, strlen(text),
		       now_us, error) &&
	       repository_write_signed(
		       repository, lock, REPOSITORY_INDEX_FILE, text, signature, error);
}

gboolean repository_sign_index(Repository *repository, RepositoryLock *lock, const SecretKey *key,
	Trust *trust, const GPtrArray *drop, gint64 now_us, gint64 life_s, gboolean only_when_due,
	gboolean *written, GError **error)
{
	GError *failed = NULL;
	g_autoptr(Index) last = last_index(repository, trust, now_us, &failed);
	if (failed != NULL) {
		g_propagate_error(error, failed);
		return FALSE;
	}
	g_autoptr(Index) index = next_index(repository, trust, last, drop, now_us, error);
	if (index == NULL || !date(index, last, now_us, life_s, error))
		return FALSE;
	/* Sorts both alike. */
	g_autofree char *text = index_text(index, error);
	if (text == NULL)
		return FALSE;
	gboolean is_due = !only_when_due || last == NULL || !is_fresh(last, index, now_us);
	if (written != NULL)
		*written = is_due;
	/* Who wrote the last one was perhaps killed before its name was safe. */
	return is_due ? write_index(repository, lock, key, trust, index, now_us, error)
		      : file_sync_folder(repository->path, error);
}

gboolean repository_put_delegation(Repository *repository, RepositoryLock *lock, Trust *trust,
	const char *text, const Signature *signature, GError **error)
{
	return trust_take_delegation(
		       trust, "the delegation", text, strlen(text), signature, error) &&
	       repository_write_signed(
		       repository, lock, REPOSITORY_DELEGATION_FILE, text, signature, error);
}
