/* SPDX-License-Identifier: ISC
 *
 * A product's place: opened, looked at, recovered (node/place.h).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "node/place_parts.h"

#define LOCK_JOB "drover-node"

/* what is in memory ---------------------------------------------------------------------------- */

void installed_free(Installed *installed)
{
	g_free(installed->version);
	g_free(installed);
}

void intent_clear(Intent *intent)
{
	g_free(intent->version);
	g_free(intent->previous);
	g_free(intent->step);
	*intent = (Intent){0};
}

Place *place_new(const NodeProduct *product)
{
	Place *place = g_new0(Place, 1);
	place->product = product;
	place->installed = g_ptr_array_new_with_free_func((GDestroyNotify)installed_free);
	place->revoked = g_array_new(FALSE, FALSE, sizeof(KeyId));
	return place;
}

void place_free(Place *place)
{
	if (place == NULL)
		return;
	joblock_release(place->lock);
	g_free(place->current);
	g_free(place->previous);
	g_ptr_array_unref(place->installed);
	g_array_unref(place->revoked);
	intent_clear(&place->intent);
	g_free(place->recovered);
	g_free(place);
}

const Installed *place_find(const Place *place, const char *version)
{
	for (guint i = 0; version != NULL && i < place->installed->len; i++) {
		const Installed *installed = place->installed->pdata[i];
		if (strcmp(installed->version, version) == 0)
			return installed;
	}
	return NULL;
}

static int compare_installed(gconstpointer a, gconstpointer b)
{
	const Installed *x = *(Installed *const *)a, *y = *(Installed *const *)b;
	return (y->sequence > x->sequence) - (y->sequence < x->sequence);
}

void place_add(Place *place, Installed *installed)
{
	g_ptr_array_add(place->installed, installed);
	g_ptr_array_sort(place->installed, compare_installed);
}

void place_forget(Place *place, const char *version)
{
	const Installed *installed = place_find(place, version);
	if (installed != NULL)
		g_ptr_array_remove(place->installed, (gpointer)installed);
}

char *place_path(const Place *place, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *rest = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	return g_strconcat(place->product->prefix, rest, NULL);
}

/* reading -------------------------------------------------------------------------------------- */

static gboolean load_journal(Place *place, GError **error)
{
	gsize size_bytes;
	g_autoptr(GError) fault = NULL;
	g_autofree char *path = place_path(place, PLACE_OWN "/journal");
	g_autofree char *text = file_read(path, JOURNAL_MAXIMUM_BYTES, &size_bytes, &fault);
	if (text != NULL)
		return journal_parse(place, path, text, size_bytes, error);
	if (drover_error_is(fault, DROVER_ERROR_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&fault));
	return FALSE;
}

gboolean place_read_link(const NodeProduct *product, char **version, GError **error)
{
	char target[MANIFEST_MAXIMUM_NAME_BYTES + sizeof "releases/"];
	g_autofree char *path = g_build_filename(product->prefix, "current", NULL);
	gssize length = readlink(path, target, sizeof target);
	*version = NULL;
	if (length < 0 && (errno == ENOENT || errno == ENOTDIR))
		return TRUE;
	if (length > 0 && length < (gssize)sizeof target) {
		target[length] = '\0';
		const char *name = target + strlen("releases/");
		if (g_str_has_prefix(target, "releases/") &&
			manifest_check_name("version", name, NULL)) {
			*version = g_strdup(name);
			return TRUE;
		}
	}
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s should be a link to releases/VERSION, made by drover-node, and is something "
		"else: move it away",
		path);
	return FALSE;
}

static gboolean load(Place *place, GError **error)
{
	return load_journal(place, error) &&
	       place_read_link(place->product, &place->current, error);
}

Place *place_look(const NodeProduct *product, GError **error)
{
	g_autoptr(Place) place = place_new(product);
	return place_check_owner(product, error) && load(place, error) ? g_steal_pointer(&place)
								       : NULL;
}

gboolean place_has_tree(const Place *place, const char *version)
{
	struct stat status;
	g_autofree char *path = place_path(place, "/releases/%s", version);
	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int place_open_tree(const Place *place, const char *version, GError **error)
{
	g_autofree char *path = place_path(place, "/releases/%s", version);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND, "cannot open %s: %s", path,
			g_strerror(errno));
	return fd;
}

/* acts ----------------------------------------------------------------------------------------- */

gboolean place_save(Place *place, GError **error)
{
	g_autofree char *path = place_path(place, PLACE_OWN "/journal");
	g_autofree char *text = journal_text(place);
	g_assert(place->lock != NULL);
	if (strlen(text) > JOURNAL_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"the journal %s would be larger than the %d bytes allowed: remove releases "
			"(drover-node gc)",
			path, JOURNAL_MAXIMUM_BYTES);
		return FALSE;
	}
	return file_write(path, text, strlen(text), 0600, error);
}

gboolean place_begin(Place *place, IntentKind kind, const char *version, const char *previous,
	const char *step, gint64 now_us, GError **error)
{
	g_assert(place->intent.kind == INTENT_NONE);
	place->intent = (Intent){.kind = kind,
		.version = g_strdup(version),
		.previous = g_strdup(previous),
		.step = g_strdup(step),
		.begun_us = now_us};
	if (place_save(place, error))
		return TRUE;
	intent_clear(&place->intent);
	return FALSE;
}

gboolean place_step(Place *place, const char *step, GError **error)
{
	g_assert(place->intent.kind == INTENT_ACTIVATE);
	g_free(place->intent.step);
	place->intent.step = g_strdup(step);
	return place_save(place, error);
}

gboolean place_end(Place *place, GError **error)
{
	intent_clear(&place->intent);
	return place_save(place, error);
}

static gboolean failed(GError **error, const char *tried, const char *path)
{
	drover_error_set(
		error, DROVER_ERROR_INTERNAL, "cannot %s %s: %s", tried, path, g_strerror(errno));
	return FALSE;
}

gboolean place_flip(Place *place, const char *version, GError **error)
{
	g_autofree char *link = place_path(place, "/current");
	g_autofree char *beside = place_path(place, "/.current-next");
	g_autofree char *target = g_strconcat("releases/", version, NULL);
	if (g_strcmp0(version, place->current) == 0)
		return TRUE;
	if (version == NULL) {
		if (unlink(link) != 0 && errno != ENOENT)
			return failed(error, "remove the link", link);
	} else {
		if (unlink(beside) != 0 && errno != ENOENT)
			return failed(error, "remove the link", beside);
		if (symlink(target, beside) != 0)
			return failed(error, "make the link", beside);
		if (rename(beside, link) != 0)
			return failed(error, "rename the new link to", link);
	}
	g_free(place->current);
	place->current = g_strdup(version);
	return file_sync_folder(place->product->prefix, error);
}

gboolean place_discard(Place *place, const char *version, GError **error)
{
	g_autofree char *releases = place_path(place, "/releases");
	g_autofree char *tree = place_path(place, "/releases/%s", version);
	g_autofree char *gone = place_path(place, "/releases/.gone-%s", version);
	g_autofree char *texts = place_path(place, PLACE_OWN "/manifests/%s", version);
	g_assert(g_strcmp0(version, place->current) != 0);
	if (!file_remove(gone, error))
		return FALSE;
	if (rename(tree, gone) != 0 && errno != ENOENT)
		return failed(error, "put aside", tree);
	return file_sync_folder(releases, error) && file_remove(gone, error) &&
	       file_remove(texts, error);
}

/* manifests ------------------------------------------------------------------------------------ */

static void digest_of(const char *bytes, gsize size_bytes, char sha256[SHA256_HEX])
{
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, bytes, size_bytes);
	sha256_finish(&state, sha256);
}

static char *read_kept(const Place *place, const char *version, const char *file,
	gsize maximum_bytes, gsize *size_bytes, GError **error)
{
	g_autofree char *path = place_path(place, PLACE_OWN "/manifests/%s/%s", version, file);
	return file_read(path, maximum_bytes, size_bytes, error);
}

gboolean place_adopt(Place *place, const char *version, gint64 now_us, GError **error)
{
	gsize size_bytes;
	g_autofree char *text =
		read_kept(place, version, "manifest", MANIFEST_MAXIMUM_BYTES, &size_bytes, error);
	g_autoptr(Manifest) manifest =
		text != NULL ? manifest_parse("the kept manifest", text, size_bytes, error) : NULL;
	if (manifest == NULL)
		return FALSE;
	Installed *installed = g_new0(Installed, 1);
	installed->version = g_strdup(version);
	installed->sequence = manifest->sequence;
	installed->min_rollback_sequence = manifest->min_rollback_sequence;
	installed->installed_us = now_us;
	digest_of(text, size_bytes, installed->manifest_sha256);
	place_forget(place, version);
	place_add(place, installed);
	return TRUE;
}

/* The bytes were verified when they were installed; only a revocation since then undoes that. */
static gboolean check_kept(const Place *place, const Installed *installed, const char *text,
	gsize size_bytes, gint64 now_us, GError **error)
{
	char sha256[SHA256_HEX];
	gsize signature_bytes;
	digest_of(text, size_bytes, sha256);
	if (strcmp(sha256, installed->manifest_sha256) != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the kept manifest of %s is not the one that was installed: remove the "
			"release and install it again",
			installed->version);
		return FALSE;
	}
	g_autoptr(Trust) trust = place_trust(place, error);
	if (trust == NULL)
		return FALSE;
	g_autofree char *lines = read_kept(place, installed->version, "manifest.minisig",
		SIGNATURE_MAXIMUM_BYTES, &signature_bytes, error);
	g_autoptr(Signature) signature =
		lines != NULL ? signature_parse("the kept signature", lines, signature_bytes, error)
			      : NULL;
	if (signature == NULL)
		return FALSE;
	gboolean is_believed =
		trust_key(trust, TRUST_USE_RELEASE, &signature->key, now_us, NULL) != NULL;
	if (is_believed || revoked_has(trust_revoked(trust), &signature->key))
		return trust_verify(trust, TRUST_USE_RELEASE, signature, installed->version, text,
			size_bytes, now_us, error);
	return TRUE;
}

Manifest *place_manifest(const Place *place, const char *version, gint64 now_us, GError **error)
{
	gsize size_bytes;
	const Installed *installed = place_find(place, version);
	if (installed == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND, "%s %s is not installed here",
			place->product->name, version);
		return NULL;
	}
	g_autofree char *text =
		read_kept(place, version, "manifest", MANIFEST_MAXIMUM_BYTES, &size_bytes, error);
	if (text == NULL || !check_kept(place, installed, text, size_bytes, now_us, error))
		return NULL;
	return manifest_parse("the kept manifest", text, size_bytes, error);
}

/* recovery ------------------------------------------------------------------------------------- */

static gboolean recover_install(Place *place, gint64 now_us, GError **error)
{
	const char *version = place->intent.version;
	if (place_find(place, version) != NULL || g_strcmp0(version, place->current) == 0) {
		place->recovered = g_strdup_printf("%s was installed", version);
	} else if (place_has_tree(place, version) && place_adopt(place, version, now_us, NULL)) {
		place->recovered = g_strdup_printf(
			"installing %s was interrupted after its last check: it is whole", version);
	} else {
		if (!place_discard(place, version, error))
			return FALSE;
		place->recovered = g_strdup_printf(
			"installing %s was interrupted: it is taken back, what was fetched stays",
			version);
	}
	return place_end(place, error);
}

static gboolean recover_activate(Place *place, GError **error)
{
	const Intent *intent = &place->intent;
	const char *old = intent->previous != NULL ? intent->previous : "nothing";
	gboolean is_back = strcmp(intent->step, "back") == 0;
	if (strcmp(intent->step, "healthy") == 0) {
		place->recovered = g_strdup_printf(
			"activating %s was interrupted when it was healthy", intent->version);
		return TRUE;
	}
	gboolean began = is_back || strcmp(intent->step, "restarted") == 0 ||
			 g_strcmp0(place->current, intent->previous) != 0;
	place->recovered = g_strdup_printf(
		"activating %s was interrupted: %s runs again", intent->version, old);
	if (!began)
		return place_end(place, error);
	/* The service is restarted before the intent ends. */
	return (is_back || place_step(place, "back", error)) &&
	       place_flip(place, intent->previous, error);
}

static gboolean recover_remove(Place *place, GError **error)
{
	/* What runs is never removed, whatever the journal says. */
	if (g_strcmp0(place->intent.version, place->current) == 0)
		return place_end(place, error);
	place->recovered = g_strdup_printf("removing %s was finished", place->intent.version);
	place_forget(place, place->intent.version);
	return place_discard(place, place->intent.version, error) && place_end(place, error);
}

static gboolean recover_intent(Place *place, gint64 now_us, GError **error)
{
	switch (place->intent.kind) {
	case INTENT_NONE:
		return TRUE;
	case INTENT_INSTALL:
		return recover_install(place, now_us, error);
	case INTENT_ACTIVATE:
		return recover_activate(place, error);
	case INTENT_REMOVE:
		return recover_remove(place, error);
	}
	g_assert_not_reached();
}

/* What nobody needs: trees half made or half gone, and texts of releases that are not there. */
static gboolean sweep(Place *place, const char *below,
	gboolean (*is_left)(const Place *, const char *), GError **error)
{
	g_autofree char *path = place_path(place, "%s", below);
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
	DIR *folder = opendir(path);
	if (folder == NULL)
		return failed(error, "read the folder", path);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			is_left(place, entry->d_name))
			g_ptr_array_add(left, g_build_filename(path, entry->d_name, NULL));
	closedir(folder);
	for (guint i = 0; i < left->len; i++)
		if (!file_remove(left->pdata[i], error))
			return FALSE;
	return TRUE;
}

static gboolean is_left_of_tree(const Place *place, const char *name)
{
	return g_str_has_prefix(name, ".gone-") ||
	       (name[0] == '.' && g_str_has_suffix(name, ".tmp"));
}

static gboolean is_left_of_manifest(const Place *place, const char *name)
{
	return place_find(place, name) == NULL && g_strcmp0(place->current, name) != 0;
}

/* VERSION-16DIGITS.part of what is installed by now. */
static gboolean is_left_of_fetch(const Place *place, const char *name)
{
	const gsize tail = strlen("-0123456789abcdef.part");
	gsize length = strlen(name);
	g_autofree char *version = g_strndup(name, length > tail ? length - tail : 0);
	return place_find(place, version) != NULL;
}

/* file_write() may be killed between its two names. */
static gboolean is_left_of_writing(const Place *place, const char *name)
{
	return strstr(name, ".part-") != NULL;
}

static gboolean recover(Place *place, gint64 now_us, GError **error)
{
	return recover_intent(place, now_us, error) &&
	       sweep(place, "/releases", is_left_of_tree, error) &&
	       sweep(place, PLACE_OWN "/manifests", is_left_of_manifest, error) &&
	       sweep(place, PLACE_OWN "/fetch", is_left_of_fetch, error) &&
	       sweep(place, PLACE_OWN, is_left_of_writing, error);
}

/* opening -------------------------------------------------------------------------------------- */

/* Whatever the umask: services of other users read the trees. */
static gboolean make_folder(const Place *place, const char *below, mode_t mode, GError **error)
{
	struct stat status;
	g_autofree char *path = place_path(place, "%s", below);
	if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return TRUE;
	if (!file_make_folder(path, mode, error))
		return FALSE;
	return chmod(path, mode) == 0 || failed(error, "set the mode of", path);
}

static gboolean make_folders(const Place *place, GError **error)
{
	static const struct {
		const char *below;
		mode_t mode;
	} folders[] = {
		{"", 0755},
		{PLACE_OWN, 0700},
		{PLACE_OWN "/manifests", 0700},
		{PLACE_OWN "/fetch", 0700},
		{"/releases", 0755},
		{"/shared", 0755},
		{"/shared/etc", 0755},
		{"/shared/var", 0755},
		{"/shared/log", 0755},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
		if (!make_folder(place, folders[i].below, folders[i].mode, error))
			return FALSE;
	return TRUE;
}

Place *place_open(const NodeProduct *product, Clock clock, GError **error)
{
	g_autoptr(Place) place = place_new(product);
	g_autofree char *own = place_path(place, PLACE_OWN);
	if (!place_check_owner(product, error) || !make_folders(place, error))
		return NULL;
	place->lock = joblock_take(own, LOCK_JOB, clock, error);
	if (place->lock == NULL) {
		g_prefix_error(error, "%s: ", product->name);
		return NULL;
	}
	if (!load(place, error) || !recover(place, clock_now_us(clock), error))
		return NULL;
	return g_steal_pointer(&place);
}
