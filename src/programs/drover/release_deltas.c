/* SPDX-License-Identifier: ISC
 *
 * Which versions are there, and shorter ways from the last ones: each is unpacked beside, a delta
 * is made from it, and it is thrown away. docs/release.md, "Deltas"
 */
#include "programs/drover/release_deltas.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/delta.h"

/* What is there -------------------------------------------------------------------------------- */

static void known_free(gpointer data)
{
	ReleaseKnown *known = data;
	g_free(known->version);
	g_free(known);
}

static void add_known(GPtrArray *all, gint64 sequence, const char *version)
{
	ReleaseKnown *known = g_new0(ReleaseKnown, 1);
	known->sequence = sequence;
	known->version = g_strdup(version);
	g_ptr_array_add(all, known);
}

static int newest_first(gconstpointer a, gconstpointer b)
{
	const ReleaseKnown *one = *(const ReleaseKnown *const *)a;
	const ReleaseKnown *other = *(const ReleaseKnown *const *)b;
	return one->sequence == other->sequence ? 0 : one->sequence > other->sequence ? -1 : 1;
}

/* What the index does not know yet. What cannot be believed is nobody's base. */
static gboolean add_unlisted(
	ReleasePlace *place, const Index *index, GPtrArray *all, GError **error)
{
	g_autoptr(GPtrArray) versions = repository_versions(place->repository, error);
	for (guint i = 0; versions != NULL && i < versions->len; i++) {
		const char *version = versions->pdata[i];
		if (index != NULL && index_find(index, version) != NULL)
			continue;
		g_autoptr(Manifest) manifest = repository_manifest(
			place->repository, version, place->trust, place->now_us, NULL, NULL, NULL);
		if (manifest != NULL)
			add_known(all, manifest->sequence, version);
	}
	return versions != NULL;
}

GPtrArray *release_known(ReleasePlace *place, gint64 *newest, GError **error)
{
	g_autoptr(Index) index = NULL;
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(known_free);
	if (!release_place_index(place, &index, error))
		return NULL;
	for (guint i = 0; index != NULL && i < index->releases->len; i++) {
		const IndexRelease *release = index->releases->pdata[i];
		add_known(all, release->sequence, release->version);
	}
	if (!add_unlisted(place, index, all, error))
		return NULL;
	g_ptr_array_sort(all, newest_first);
	*newest = index != NULL ? index->newest : 0;
	if (all->len > 0)
		*newest = MAX(*newest, ((const ReleaseKnown *)all->pdata[0])->sequence);
	return g_steal_pointer(&all);
}

/* Deltas --------------------------------------------------------------------------------------- */

/* One delta under way. */
typedef struct Making {
	ReleasePlace *place;
	Manifest *manifest, *base;
	const char *work;
	int tree, base_tree; /* folders; -1: not open */
	Bar *bar;
	gint64 total;
} Making;

static void making_clear(Making *making)
{
	manifest_free(making->base);
	if (making->tree >= 0)
		close(making->tree);
	if (making->base_tree >= 0)
		close(making->base_tree);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Making, making_clear)

static void show(guint files, gint64 size_bytes, gpointer user)
{
	const Making *making = user;
	bar_set(making->bar, size_bytes, making->total);
}

static void show_what(const Making *making, const char *doing)
{
	g_autofree char *what = g_strdup_printf("%s %s", doing, making->base->version);
	bar_step(making->bar, what, BAR_BYTES);
}

static int open_folder(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot open the folder %s: %s",
			path, g_strerror(errno));
	return fd;
}

static gboolean unpack_base(Making *making, GError **error)
{
	const Manifest *base = making->base;
	g_autofree char *folder = g_build_filename(making->work, "base", NULL);
	if (!file_remove(folder, error) || !file_make_folder(folder, 0755, error))
		return FALSE;
	making->base_tree = open_folder(folder, error);
	int packed = making->base_tree < 0 ? -1
					   : repository_open_file(making->place->repository,
						     base->version, REPOSITORY_PAYLOAD_FILE, error);
	if (packed < 0)
		return FALSE;
	show_what(making, "unpacking");
	making->total = 2 * tree_size_bytes(base->tree); /* written, and read again */
	gboolean ok = archive_unpack(packed, &base->payload, base->tree, base->mtime_s,
		making->base_tree, show, making, error);
	close(packed);
	return ok;
}

static gboolean write_delta(Making *making, const char *path, DeltaMade *made, GError **error)
{
	int out = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	if (out < 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot make %s: %s", path,
			g_strerror(errno));
		return FALSE;
	}
	show_what(making, "making a delta from");
	making->total = tree_size_bytes(making->manifest->tree);
	gboolean ok = delta_make(making->base_tree, making->base->tree, making->tree,
		making->manifest->tree, archive_effort_default.level, out, show, making, made,
		error);
	return close(out) == 0 && ok;
}

static gboolean make_delta(Making *making, GError **error)
{
	DeltaMade made;
	char base_sha256[SHA256_HEX];
	const Manifest *base = making->base;
	g_autofree char *file = repository_delta_file(base->version);
	g_autofree char *path = g_build_filename(making->work, file, NULL);
	g_autofree char *folder = g_build_filename(making->work, "base", NULL);
	if (!unpack_base(making, error) || !write_delta(making, path, &made, error)) {
		g_prefix_error(error, "a delta from %s: ", base->version);
		return FALSE;
	}
	tree_digest(base->tree, base_sha256);
	if (made.size_bytes < making->manifest->payload.size_bytes)
		manifest_add_delta(making->manifest, base->version, base_sha256, made.size_bytes,
			made.sha256, made.window_log);
	else
		unlink(path);
	return file_remove(folder, error);
}

static gboolean delta_from(ReleasePlace *place, const char *version, const char *tree_folder,
	const char *work, Manifest *manifest, Bar *bar, GError **error)
{
	g_autoptr(GError) doubt = NULL;
	g_auto(Making) making = {.place = place,
		.manifest = manifest,
		.work = work,
		.tree = -1,
		.base_tree = -1,
		.bar = bar};
	making.base = repository_manifest(
		place->repository, version, place->trust, place->now_us, NULL, NULL, &doubt);
	if (making.base == NULL) {
		screen_note(invocation_screen(place->invocation), "no delta from %s: %s", version,
			doubt->message);
		return TRUE;
	}
	making.tree = open_folder(tree_folder, error);
	return making.tree >= 0 && make_delta(&making, error);
}

gboolean release_make_deltas(ReleasePlace *place, const GPtrArray *known, const char *tree_folder,
	const char *work, Manifest *manifest, Bar *bar, GError **error)
{
	gint64 wanted = settings_integer(place->settings, "release.deltas");
	guint count = (guint)MIN(MIN(wanted, MANIFEST_MAXIMUM_DELTAS), known->len);
	for (guint i = 0; i < count; i++) {
		const ReleaseKnown *base = known->pdata[i];
		if (!delta_from(place, base->version, tree_folder, work, manifest, bar, error))
			return FALSE;
	}
	return TRUE;
}
