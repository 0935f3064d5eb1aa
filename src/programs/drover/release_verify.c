/* SPDX-License-Identifier: ISC
 *
 * drover release verify: a version in a repository, from its signature down to each file. Believes
 * nothing but the root keys; needs no server.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "programs/drover/key_file.h"
#include "programs/drover/release.h"
#include "programs/drover/release_place.h"
#include "programs/terminal/bar.h"
#include "programs/terminal/show.h"
#include "release/delta.h"

typedef struct Verification {
	ReleasePlace place;
	const char *version;
	Manifest *manifest;
	KeyId signer;
	char sha256[SHA256_HEX]; /* of the manifest */
	char *work;		 /* what is unpacked lies here */
	guint deltas;		 /* that were tried */
	Bar *bar;
	gint64 total;
} Verification;

static void verification_clear(Verification *verification)
{
	bar_end(verification->bar);
	if (verification->work != NULL)
		file_remove(verification->work, NULL);
	g_free(verification->work);
	manifest_free(verification->manifest);
	release_place_clear(&verification->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Verification, verification_clear)

static void show(guint files, gint64 size_bytes, gpointer user)
{
	const Verification *verification = user;
	bar_set(verification->bar, size_bytes, verification->total);
}

static void step(Verification *verification, const char *what, gint64 total)
{
	bar_step(verification->bar, what, BAR_BYTES);
	verification->total = total;
}

/* Whom to believe ------------------------------------------------------------------------------ */

/* --key in the place of what is configured. */
static gboolean believe_key(ReleasePlace *place, const char *named, GError **error)
{
	PublicKey key;
	if (!key_read_named(named, &key, error))
		return FALSE;
	trust_free(place->trust);
	place->trust = trust_new(place->product);
	return trust_add_root(place->trust, &key, error) &&
	       repository_take_delegation(place->repository, place->trust, error);
}

static gboolean find_trust(Invocation *invocation, ReleasePlace *place, GError **error)
{
	const char *named = invocation_option(invocation, "key");
	if (named != NULL)
		return believe_key(place, named, error);
	if (place->trust != NULL)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"whom to believe? Set [release] keys to a folder of root public keys, or say "
		"--key KEY");
	return FALSE;
}

/* Signed texts --------------------------------------------------------------------------------- */

static gboolean check_index(Verification *verification, GError **error)
{
	ReleasePlace *place = &verification->place;
	static const IndexSeen nothing = {0};
	char sha256[SHA256_HEX];
	g_autoptr(Index) index =
		repository_index(place->repository, place->trust, place->now_us, sha256, error);
	if (index == NULL ||
		!index_may_follow(index, place->product, sha256, &nothing, place->now_us, error))
		return FALSE;
	const InstallWish wish = {.version = verification->version,
		.sequence = verification->manifest->sequence,
		.sha256 = verification->sha256};
	return index_may_install(index, &wish, place->now_us, error);
}

static gboolean check_manifest(Verification *verification, GError **error)
{
	ReleasePlace *place = &verification->place;
	if (manifest_check_name("version", verification->version, NULL) &&
		!repository_has(place->repository, verification->version)) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"no version '%s' of %s lies in the repository: drover release list %s",
			verification->version, place->product, place->product);
		return FALSE;
	}
	verification->manifest = repository_manifest(place->repository, verification->version,
		place->trust, place->now_us, &verification->signer, verification->sha256, error);
	return verification->manifest != NULL;
}

/* Files ---------------------------------------------------------------------------------------- */

static gint64 packed_bytes(const Manifest *manifest)
{
	gint64 total = manifest->payload.size_bytes;
	for (guint i = 0; i < manifest->deltas->len; i++)
		total += ((const ManifestDelta *)manifest->deltas->pdata[i])->size_bytes;
	return total;
}

/* A new folder below `work`, opened; -1 with `error`. */
static int make_folder(const Verification *verification, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(verification->work, name, NULL);
	if (!file_remove(path, error) || !file_make_folder(path, 0755, error))
		return -1;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot open %s: %s", path,
			g_strerror(errno));
	return fd;
}

static gboolean unpack(
	Verification *verification, const Manifest *manifest, int folder, GError **error)
{
	int packed = repository_open_file(
		verification->place.repository, manifest->version, REPOSITORY_PAYLOAD_FILE, error);
	if (packed < 0)
		return FALSE;
	step(verification, "unpacking", 2 * tree_size_bytes(manifest->tree));
	gboolean ok = archive_unpack(packed, &manifest->payload, manifest->tree, manifest->mtime_s,
		folder, show, verification, error);
	close(packed);
	return ok;
}

static gboolean check_payload(Verification *verification, GError **error)
{
	int folder = make_folder(verification, "tree", error);
	if (folder < 0)
		return FALSE;
	gboolean ok = unpack(verification, verification->manifest, folder, error);
	close(folder);
	return ok;
}

static gboolean apply(Verification *verification, const ManifestDelta *delta, int base_folder,
	const Manifest *base, int folder, GError **error)
{
	const Manifest *manifest = verification->manifest;
	g_autofree char *file = repository_delta_file(delta->from_version);
	int packed = repository_open_file(
		verification->place.repository, manifest->version, file, error);
	if (packed < 0)
		return FALSE;
	step(verification, "trying a delta", 2 * tree_size_bytes(manifest->tree));
	gboolean ok = delta_apply(packed, delta, base_folder, base->tree, manifest->tree,
		manifest->mtime_s, folder, show, verification, error);
	close(packed);
	return ok;
}

/* One whose base does not lie here any more cannot be tried; its bytes were compared. */
static gboolean check_delta(Verification *verification, const ManifestDelta *delta, GError **error)
{
	ReleasePlace *place = &verification->place;
	if (!repository_has(place->repository, delta->from_version))
		return TRUE;
	g_autoptr(Manifest) base = repository_manifest(place->repository, delta->from_version,
		place->trust, place->now_us, NULL, NULL, error);
	int base_folder = base != NULL ? make_folder(verification, "base", error) : -1;
	int folder = base_folder >= 0 ? make_folder(verification, "tree", error) : -1;
	gboolean ok = folder >= 0 && unpack(verification, base, base_folder, error) &&
		      apply(verification, delta, base_folder, base, folder, error);
	if (base_folder >= 0)
		close(base_folder);
	if (folder >= 0)
		close(folder);
	verification->deltas += ok ? 1 : 0;
	return ok;
}

static gboolean check_files(Verification *verification, GError **error)
{
	Manifest *manifest = verification->manifest;
	verification->work = g_dir_make_tmp("drover-verify-XXXXXX", error);
	step(verification, "comparing", packed_bytes(manifest));
	if (verification->work == NULL ||
		!repository_check_files(
			verification->place.repository, manifest, show, verification, error) ||
		!check_payload(verification, error))
		return FALSE;
	for (guint i = 0; i < manifest->deltas->len; i++) {
		const ManifestDelta *delta = manifest->deltas->pdata[i];
		if (!check_delta(verification, delta, error)) {
			g_prefix_error(error, "the delta from %s: ", delta->from_version);
			return FALSE;
		}
	}
	return TRUE;
}

/* The command ---------------------------------------------------------------------------------- */

static void show_good(const Verification *verification)
{
	const Manifest *manifest = verification->manifest;
	const Screen *screen = invocation_screen(verification->place.invocation);
	char signer[KEY_ID_TEXT];
	key_id_text(&verification->signer, signer);
	g_autoptr(json_t) shown = json_pack("{s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:I}", "product",
		manifest->product, "version", manifest->version, "sequence",
		(json_int_t)manifest->sequence, "signer", signer, "manifest_sha256",
		verification->sha256, "files", (json_int_t)tree_count(manifest->tree), "deltas",
		(json_int_t)manifest->deltas->len, "deltas_tried",
		(json_int_t)verification->deltas);
	if (screen->json) {
		screen_json(screen, shown);
		return;
	}
	g_autofree char *files = show_count(tree_count(manifest->tree), "file", "files");
	g_autofree char *deltas = show_count(manifest->deltas->len, "delta", "deltas");
	screen_line(screen, "%s %s is whole: signed by %s, in the index, %s, %s", manifest->product,
		manifest->version, signer, files, deltas);
}

gboolean release_run_verify(Invocation *invocation, GError **error)
{
	const char *product = invocation_argument(invocation, 0);
	g_auto(Verification) verification = {.version = invocation_argument(invocation, 1)};
	g_autofree char *what = g_strdup_printf("verifying %s %s", product, verification.version);
	if (!release_place_open(&verification.place, invocation, product, FALSE, error) ||
		!find_trust(invocation, &verification.place, error))
		return FALSE;
	verification.bar = bar_begin(invocation_screen(invocation), what, BAR_BYTES);
	if (!check_manifest(&verification, error) || !check_index(&verification, error) ||
		!check_files(&verification, error))
		return FALSE;
	g_clear_pointer(&verification.bar, bar_end);
	show_good(&verification);
	return TRUE;
}

const Option release_verify_options[] = {
	{"key", "KEY",
		"The root key to believe, instead of [release] keys: its file, or the line RW…"},
	RELEASE_PLACE_OPTION,
	{0},
};
