/* SPDX-License-Identifier: ISC
 *
 * Installing: from what a repository says to a whole tree under its name (node/install.h). Who is
 * believed, in this order: root keys, the delegation, the index, the manifest, and by its digests
 * everything else.
 */
#include "node/install.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "node/offer.h"
#include "node/place_parts.h"
#include "release/delta.h"
#include "release/repository.h"

/* Blocks of a file system that a file takes at most besides its bytes. */
enum { BLOCK_BYTES = 4096 };

/* One release under way. */
typedef struct Work {
	Place *place;
	const NodeDeed *deed;
	const Manifest *manifest;
	FetchFrom from;
	NodeStep step;	/* for progress */
	gint64 total;	/* of it */
	char *tree_tmp; /* PREFIX/releases/.VERSION.tmp */
} Work;

static void work_clear(Work *work)
{
	g_free(work->tree_tmp);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static void tell_fetched(const char *file, gint64 done, gint64 total, gpointer of)
{
	Work *work = of;
	if (work->deed->progress != NULL)
		work->deed->progress(NODE_STEP_FETCH, done, total, work->deed->of);
}

/* Unpacking hears of each file twice, written and read again: the second half is the verification.
 */
static void tell_unpacked(guint files, gint64 size_bytes, gpointer of)
{
	Work *work = of;
	if (work->deed->progress == NULL)
		return;
	gboolean again = size_bytes > work->total;
	work->deed->progress(again ? NODE_STEP_VERIFY : NODE_STEP_UNPACK,
		again ? size_bytes - work->total : size_bytes, work->total, work->deed->of);
}

static gboolean failed(GError **error, const char *tried, const char *path)
{
	drover_error_set(
		error, DROVER_ERROR_INTERNAL, "cannot %s %s: %s", tried, path, g_strerror(errno));
	return FALSE;
}

/* files ---------------------------------------------------------------------------------------- */

/* The name says the digest, so that no other file is ever gone on with. */
static char *part_path(const Work *work, const char *sha256)
{
	return place_path(
		work->place, PLACE_OWN "/fetch/%s-%.16s.part", work->manifest->version, sha256);
}

static int fetch(const Work *work, const char *file, gint64 size_bytes, const char *sha256,
	char **path, GError **error)
{
	g_autofree char *below = g_strdup_printf("%s/%s", work->manifest->version, file);
	*path = part_path(work, sha256);
	if (!fetch_file(&work->from, below, size_bytes, sha256, *path, error))
		return -1;
	int fd = open(*path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		failed(error, "open", *path);
	return fd;
}

/* An empty folder to unpack into; whoever was here before us is thrown away. */
static int make_tmp(const Work *work, GError **error)
{
	if (!file_remove(work->tree_tmp, error))
		return -1;
	if (mkdir(work->tree_tmp, 0700) != 0) {
		failed(error, "make the folder", work->tree_tmp);
		return -1;
	}
	int fd = open(work->tree_tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) != 0) {
		failed(error, "open the folder", work->tree_tmp);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* A way that is shorter than the payload, from a tree that is here; NULL. */
static const ManifestDelta *choose_delta(const Work *work)
{
	const ManifestDelta *best = NULL;
	gint64 least = work->manifest->payload.size_bytes;
	for (guint i = 0; i < work->manifest->deltas->len; i++) {
		const ManifestDelta *delta = work->manifest->deltas->pdata[i];
		if (delta->size_bytes < least && place_find(work->place, delta->from_version) &&
			place_has_tree(work->place, delta->from_version)) {
			best = delta;
			least = delta->size_bytes;
		}
	}
	return best;
}

static gboolean apply_delta(
	Work *work, const ManifestDelta *delta, int delta_fd, int tree_fd, GError **error)
{
	g_autoptr(Manifest) base = place_manifest(
		work->place, delta->from_version, clock_now_us(work->deed->clock), error);
	if (base == NULL)
		return FALSE;
	int base_fd = place_open_tree(work->place, delta->from_version, error);
	if (base_fd < 0)
		return FALSE;
	gboolean ok = delta_apply(delta_fd, delta, base_fd, base->tree, work->manifest->tree,
		work->manifest->mtime_s, tree_fd, tell_unpacked, work, error);
	close(base_fd);
	return ok;
}

static gboolean unpack_delta(Work *work, const ManifestDelta *delta, int tree_fd, GError **error)
{
	g_autofree char *path = NULL;
	g_autofree char *file = g_strdup_printf("from-%s.delta", delta->from_version);
	int fd = fetch(work, file, delta->size_bytes, delta->sha256, &path, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = apply_delta(work, delta, fd, tree_fd, error);
	close(fd);
	/* Complete and yet useless: not to be gone on with. */
	return ok || (unlink(path), FALSE);
}

static gboolean unpack_payload(Work *work, int tree_fd, GError **error)
{
	g_autofree char *path = NULL;
	const Manifest *manifest = work->manifest;
	int fd = fetch(work, REPOSITORY_PAYLOAD_FILE, manifest->payload.size_bytes,
		manifest->payload.sha256, &path, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = archive_unpack(fd, &manifest->payload, manifest->tree, manifest->mtime_s,
		tree_fd, tell_unpacked, work, error);
	close(fd);
	if (!ok && drover_error_is(error != NULL ? *error : NULL, DROVER_ERROR_INPUT))
		unlink(path);
	return ok;
}

/* the tree ------------------------------------------------------------------------------------- */

/* Said before anything is written: a full disk hurts what runs, too. */
static gboolean has_room(const Work *work, GError **error)
{
	struct statvfs disk;
	const Manifest *manifest = work->manifest;
	if (statvfs(work->place->product->prefix, &disk) != 0)
		return failed(error, "look at the disk of", work->place->product->prefix);
	gint64 free_bytes = (gint64)(disk.f_bavail * disk.f_frsize);
	gint64 needed = manifest->payload.size_bytes + tree_size_bytes(manifest->tree) +
			(gint64)tree_count(manifest->tree) * BLOCK_BYTES;
	if (needed <= free_bytes)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL,
		"the disk of %s has %" G_GINT64_FORMAT " MB left, and %s %s needs %" G_GINT64_FORMAT
		" MB: make room (drover-node gc) and try again",
		work->place->product->prefix, free_bytes / 1000000, manifest->product,
		manifest->version, needed / 1000000 + 1);
	return FALSE;
}

static gboolean sync_tree(int tree_fd, GError **error)
{
	if (syncfs(tree_fd) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL,
		"what was unpacked did not reach the disk: %s", g_strerror(errno));
	return FALSE;
}

static gboolean try_tree(Work *work, const ManifestDelta *delta, GError **error)
{
	int tree_fd = make_tmp(work, error);
	if (tree_fd < 0)
		return FALSE;
	gboolean ok = (delta != NULL ? unpack_delta(work, delta, tree_fd, error)
				     : unpack_payload(work, tree_fd, error)) &&
		      sync_tree(tree_fd, error);
	close(tree_fd);
	return ok;
}

/* A delta that does not lead there, for whatever reason, costs time and not the installation. */
static gboolean make_tree(Work *work, GError **error)
{
	const ManifestDelta *delta = choose_delta(work);
	return (delta != NULL && try_tree(work, delta, NULL)) || try_tree(work, NULL, error);
}

/* A tree that lies there although the journal does not know it (somebody moved the journal away):
 * TRUE when it is the manifest's to the last byte. */
static gboolean is_there_already(const Work *work)
{
	int fd = place_open_tree(work->place, work->manifest->version, NULL);
	if (fd < 0)
		return FALSE;
	gboolean ok =
		archive_verify(fd, work->manifest->tree, NULL, NULL, NULL) && sync_tree(fd, NULL);
	close(fd);
	return ok;
}

static gboolean put_in_place(const Work *work, GError **error)
{
	g_autofree char *releases = place_path(work->place, "/releases");
	g_autofree char *tree = place_path(work->place, "/releases/%s", work->manifest->version);
	if (rename(work->tree_tmp, tree) != 0)
		return failed(error, "rename the new tree to", tree);
	return file_sync_folder(releases, error);
}

/* A folder of this name that is not the release. */
static gboolean clear_the_way(const Work *work, const Offer *offer, GError **error)
{
	const char *version = work->manifest->version;
	if (!place_has_tree(work->place, version))
		return TRUE;
	if (g_strcmp0(version, work->place->current) == 0) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s/current names a tree that is not the release %s: activate another "
			"release first",
			work->place->product->prefix, version);
		return FALSE;
	}
	return place_discard(work->place, version, error) && offer_keep(offer, work->place, error);
}

static gboolean build(Work *work, const Offer *offer, GError **error)
{
	if (!offer_keep(offer, work->place, error))
		return FALSE;
	if (is_there_already(work))
		return TRUE;
	return clear_the_way(work, offer, error) && has_room(work, error) &&
	       make_tree(work, error) && put_in_place(work, error);
}

/* What came of an attempt is taken away; parts stay, to go on from. On a full disk not even the
 * journal may be written: then place_open() does this. */
static void take_back(Work *work)
{
	file_remove(work->tree_tmp, NULL);
	place_discard(work->place, work->manifest->version, NULL);
	place_end(work->place, NULL);
}

/* Parts of other files. */
static void drop_parts(const Work *work, gboolean of_this_too)
{
	g_autofree char *path = place_path(work->place, PLACE_OWN "/fetch");
	g_autofree char *own = g_strconcat(work->manifest->version, "-", NULL);
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	for (const char *name; folder != NULL && (name = g_dir_read_name(folder)) != NULL;) {
		g_autofree char *part = g_build_filename(path, name, NULL);
		if (of_this_too || !g_str_has_prefix(name, own))
			file_remove(part, NULL);
	}
}

static gboolean install(Work *work, const Offer *offer, GError **error)
{
	Place *place = work->place;
	const char *version = work->manifest->version;
	gint64 now_us = clock_now_us(work->deed->clock);
	if (place->installed->len >= JOURNAL_MAXIMUM_INSTALLED) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%u releases of %s are installed: remove some (drover-node gc)",
			place->installed->len, place->product->name);
		return FALSE;
	}
	drop_parts(work, FALSE);
	if (!place_begin(place, INTENT_INSTALL, version, NULL, NULL, now_us, error))
		return FALSE;
	g_autoptr(GError) fault = NULL;
	if (!build(work, offer, &fault)) {
		if (g_strcmp0(version, place->current) != 0)
			take_back(work);
		else
			place_end(place, NULL);
		g_propagate_prefixed_error(error, g_steal_pointer(&fault),
			"%s %s is not installed: ", place->product->name, version);
		return FALSE;
	}
	if (!place_adopt(place, version, now_us, error) || !place_end(place, error))
		return FALSE;
	drop_parts(work, TRUE);
	return TRUE;
}

static gboolean install_offer(
	Place *place, const NodeDeed *deed, const Offer *offer, GError **error)
{
	g_auto(Work) work = {.place = place,
		.deed = deed,
		.manifest = offer->manifest,
		.total = tree_size_bytes(offer->manifest->tree),
		.tree_tmp = place_path(place, "/releases/.%s.tmp", offer->manifest->version)};
	work.from = offer_sources(place->product);
	work.from.progress = tell_fetched;
	work.from.of = &work;
	return install(&work, offer, error);
}

/* Already here? A published release never changes, so another manifest of this version is a lie. */
static gboolean is_installed(
	const Place *place, const IndexRelease *release, gboolean *is, GError **error)
{
	const Installed *installed = place_find(place, release->version);
	*is = installed != NULL && place_has_tree(place, release->version);
	if (!*is || strcmp(installed->manifest_sha256, release->sha256) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_DENIED,
		"the index has another %s %s than the one that is installed here: a published "
		"release never changes, so somebody exchanged it",
		place->product->name, release->version);
	return FALSE;
}

/* What is kept of an installed release counts no longer: the key that signed it was revoked.
 * Perhaps another has signed it since; the manifest is the same, the index says so. */
static gboolean renew(Offer *offer, Place *place, const NodeDeed *deed, GError **error)
{
	g_autoptr(Manifest) kept =
		place_manifest(place, offer->release->version, clock_now_us(deed->clock), NULL);
	return kept != NULL ||
	       (offer_read_manifest(offer, place, deed, error) && offer_keep(offer, place, error));
}

gboolean node_renew(Place *place, const NodeDeed *deed, const char *version, GError **error)
{
	gboolean is = FALSE;
	g_autoptr(Offer) offer = offer_take(place, deed, error);
	return offer != NULL && offer_choose(offer, place, deed, version, error) &&
	       is_installed(place, offer->release, &is, error) && is &&
	       renew(offer, place, deed, error);
}

gboolean node_install(
	Place *place, const NodeDeed *deed, const char *version, char **version_out, GError **error)
{
	gboolean is = FALSE;
	if (!node_recover(place, deed, error))
		return FALSE;
	if (deed->progress != NULL)
		deed->progress(NODE_STEP_INDEX, 0, 0, deed->of);
	g_autoptr(Offer) offer = offer_take(place, deed, error);
	if (offer == NULL || !offer_choose(offer, place, deed, version, error) ||
		!is_installed(place, offer->release, &is, error))
		return FALSE;
	if (is ? !renew(offer, place, deed, error)
	       : !offer_read_manifest(offer, place, deed, error) ||
				!install_offer(place, deed, offer, error))
		return FALSE;
	*version_out = g_strdup(offer->release->version);
	return TRUE;
}
