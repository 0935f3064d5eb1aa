/* SPDX-License-Identifier: ISC
 *
 * drover release publish: what was built gets its place in the order of releases, shorter ways from
 * the last ones, a signature and a name in the repository; then the index, then the server is told.
 *
 * Killed anywhere, it is typed again. Until the version has its name in the repository nothing was
 * published, and all is made anew; from then on the manifest that lies there is the one, and the
 * steps behind it are done or found done.
 */
#include <string.h>

#include "base/file.h"
#include "base/format.h"
#include "landing/git.h"
#include "programs/drover/commands.h"
#include "programs/drover/key_file.h"
#include "programs/drover/release.h"
#include "programs/drover/release_deltas.h"
#include "programs/terminal/show.h"
#include "release/build/build.h"

#define WORK_FOLDER "publish" /* in the build folder: what is made here */

typedef struct Publish {
	ReleasePlace place;
	Invocation *invocation;
	const char *product;
	char *folder; /* of the build */
	char *work;
	char *version;
	char *reason; /* NULL: none */
	Manifest *manifest;
	SecretKey *key;
	Bar *bar;
	gint64 total;
	PublishOutcome outcome;
	gboolean signed_index;
} Publish;

static void publish_clear(Publish *publish)
{
	bar_end(publish->bar);
	if (publish->work != NULL)
		file_remove(publish->work, NULL);
	release_place_clear(&publish->place);
	secret_key_free(publish->key);
	manifest_free(publish->manifest);
	g_free(publish->folder);
	g_free(publish->work);
	g_free(publish->version);
	g_free(publish->reason);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Publish, publish_clear)

/* What was built ------------------------------------------------------------------------------- */

static gboolean is_folder(const char *named)
{
	return strchr(named, '/') != NULL || g_file_test(named, G_FILE_TEST_IS_DIR);
}

/* The argument, or the folder in which release build puts that version. */
static gboolean find_folder(Publish *publish, GError **error)
{
	Settings *settings = invocation_settings(publish->invocation, error);
	const char *named = invocation_argument(publish->invocation, 1);
	if (settings == NULL)
		return FALSE;
	if (is_folder(named)) {
		g_autoptr(Manifest) draft = build_read_draft(named, error);
		publish->version = draft != NULL ? g_strdup(draft->version) : NULL;
		publish->folder = g_strdup(named);
		return draft != NULL;
	}
	if (!manifest_check_name("version", named, error))
		return FALSE;
	g_autofree char *builds = settings_builds_folder(settings);
	publish->version = g_strdup(named);
	publish->folder = g_build_filename(builds, publish->product, named, NULL);
	return TRUE;
}

static gboolean load_draft(Publish *publish, GError **error)
{
	publish->manifest = build_load(publish->folder, error);
	if (publish->manifest == NULL)
		return FALSE;
	if (strcmp(publish->manifest->product, publish->product) == 0 &&
		strcmp(publish->manifest->version, publish->version) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "%s holds a build of %s %s, not of %s %s",
		publish->folder, publish->manifest->product, publish->manifest->version,
		publish->product, publish->version);
	return FALSE;
}

/* --reason, or what was said to release build. */
static gboolean find_reason(Publish *publish, GError **error)
{
	const char *said = invocation_option(publish->invocation, "reason");
	g_autofree char *path = g_build_filename(publish->folder, RELEASE_REASON_FILE, NULL);
	if (said != NULL)
		publish->reason = g_strdup(said);
	else if (g_file_test(path, G_FILE_TEST_EXISTS))
		publish->reason = file_read(path, API_MAXIMUM_REASON_BYTES, NULL, error);
	return said != NULL || publish->reason != NULL || !g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Whether it may be published ------------------------------------------------------------------ */

static gboolean check_version(
	const Publish *publish, const json_t *plan, const GPtrArray *known, GError **error)
{
	const char *newest = json_text(json_object_get(plan, "newest"), "version");
	const ReleaseKnown *last = known->len > 0 ? known->pdata[0] : NULL;
	return release_check_order(publish->product, publish->version,
		       last != NULL ? last->version : NULL, error) &&
	       release_check_order(publish->product, publish->version, newest, error);
}

/* The git repository, NULL without an error when it is not needed and not here. */
static gboolean find_git(const Publish *publish, const json_t *plan, char **git, GError **error)
{
	g_autoptr(GError) away = NULL;
	gboolean must = invocation_has(publish->invocation, "tag") ||
			invocation_has(publish->invocation, "tag-name");
	*git = release_repository(publish->invocation, plan, &away);
	if (*git != NULL || !must) {
		if (*git == NULL)
			screen_note(invocation_screen(publish->invocation),
				"no tag was looked for: %s", away->message);
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&away));
	return FALSE;
}

/* TRUE: it is there, or was made, on this revision; FALSE without an error: there is none. */
static gboolean has_tag(
	const Publish *publish, const char *git, const char *name, gboolean make, GError **error)
{
	GError *failed = NULL;
	if (build_tag(git, name, publish->manifest->revision, make, &failed))
		return TRUE;
	if (drover_error_is(failed, DROVER_ERROR_NOT_FOUND) &&
		!invocation_has(publish->invocation, "tag-name"))
		g_clear_error(&failed);
	else
		g_propagate_error(error, failed);
	return FALSE;
}

static gboolean find_tag(Publish *publish, const json_t *plan, GError **error)
{
	GError *failed = NULL;
	g_autofree char *git = NULL;
	if (!find_git(publish, plan, &git, error))
		return FALSE;
	if (git == NULL)
		return TRUE;
	const char *named = invocation_option(publish->invocation, "tag-name");
	gboolean make = invocation_has(publish->invocation, "tag");
	g_autofree char *usual = g_strconcat("v", publish->version, NULL);
	const char *const names[] = {named != NULL ? named : publish->version, usual};
	gsize count = named != NULL || make ? 1 : 2;
	for (gsize i = 0; i < count && failed == NULL; i++) {
		if (!has_tag(publish, git, names[i], make, &failed))
			continue;
		publish->manifest->tag = g_strdup(names[i]);
		return TRUE;
	}
	if (failed == NULL)
		return TRUE;
	g_propagate_error(error, failed);
	return FALSE;
}

/* Making it ------------------------------------------------------------------------------------ */

static gboolean load_keys(Publish *publish, gboolean is_there, GError **error)
{
	ReleasePlace *place = &publish->place;
	if (!release_place_load_key(place, "index-key", TRUST_USE_INDEX, &place->index_key, error))
		return FALSE;
	if (place->index_key != NULL && place->trust == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"who may sign? Set [release] keys to a folder of root public keys: "
			"without them an index is signed for nobody");
		return FALSE;
	}
	if (is_there)
		return TRUE;
	if (!release_place_load_key(place, "key", TRUST_USE_RELEASE, &publish->key, error))
		return FALSE;
	if (publish->key == NULL)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"which key signs the manifest? Set [release] key, or say --key FILE");
	return publish->key != NULL;
}

static gboolean write_signed(const Publish *publish, GError **error)
{
	g_autofree char *text = manifest_text(publish->manifest, error);
	if (text == NULL)
		return FALSE;
	g_autofree char *comment = signature_comment("release", publish->product, publish->version);
	g_autoptr(Signature) signature = signature_make(publish->key, text, strlen(text), comment);
	g_autofree char *lines = signature_text(signature);
	g_autofree char *manifest = g_build_filename(publish->work, REPOSITORY_MANIFEST_FILE, NULL);
	g_autofree char *beside = g_build_filename(publish->work, REPOSITORY_SIGNATURE_FILE, NULL);
	return file_write(manifest, text, strlen(text), 0644, error) &&
	       file_write(beside, lines, strlen(lines), 0644, error);
}

static gboolean make_work(Publish *publish, GError **error)
{
	publish->work = g_build_filename(publish->folder, WORK_FOLDER, NULL);
	return file_remove(publish->work, error) && file_make_folder(publish->work, 0755, error);
}

/* All that the manifest's draft lacks: sequence, tag, deltas, signature. */
static gboolean complete(Publish *publish, GError **error)
{
	gint64 newest;
	ReleasePlace *place = &publish->place;
	g_autofree char *tree = g_build_filename(publish->folder, BUILD_TREE_FOLDER, NULL);
	g_autoptr(json_t) plan = release_plan(publish->invocation, publish->product,
		publish->manifest->revision, publish->version, error);
	if (plan == NULL ||
		!release_check_plan(plan, publish->reason, "nothing is published", error))
		return FALSE;
	g_autoptr(GPtrArray) known = release_known(place, &newest, error);
	if (known == NULL || !check_version(publish, plan, known, error) ||
		!find_tag(publish, plan, error))
		return FALSE;
	publish->manifest->sequence = MAX(newest + 1, json_integer_of(plan, "next_sequence"));
	return make_work(publish, error) &&
	       release_make_deltas(
		       place, known, tree, publish->work, publish->manifest, publish->bar, error) &&
	       write_signed(publish, error);
}

/* Bringing it in ------------------------------------------------------------------------------- */

static void show_copied(guint files, gint64 size_bytes, gpointer user)
{
	const Publish *publish = user;
	bar_set(publish->bar, size_bytes, publish->total);
}

/* Of the payload from `payload`, all other files from `folder`. */
static gboolean bring_in(Publish *publish, const char *folder, const char *payload, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(PublishFile));
	const GPtrArray *deltas = publish->manifest->deltas;
	publish->total = publish->manifest->payload.size_bytes;
	g_ptr_array_add(paths, g_build_filename(folder, REPOSITORY_MANIFEST_FILE, NULL));
	g_ptr_array_add(paths, g_build_filename(folder, REPOSITORY_SIGNATURE_FILE, NULL));
	g_ptr_array_add(paths, g_strdup(payload));
	for (guint i = 0; i < deltas->len; i++) {
		const ManifestDelta *delta = deltas->pdata[i];
		g_autofree char *name = repository_delta_file(delta->from_version);
		g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
		publish->total += delta->size_bytes;
	}
	for (guint i = 0; i < paths->len; i++) {
		const char *path = paths->pdata[i];
		PublishFile file = {.name = strrchr(path, '/') + 1, .path = path};
		g_array_append_val(files, file);
	}
	bar_step(publish->bar, "copying", BAR_BYTES);
	return repository_publish(publish->place.repository, publish->place.lock, publish->manifest,
		(const PublishFile *)files->data, files->len, show_copied, publish,
		&publish->outcome, error);
}

static gboolean publish_new(Publish *publish, GError **error)
{
	g_autofree char *payload = g_build_filename(publish->folder, BUILD_PAYLOAD_FILE, NULL);
	return load_draft(publish, error) && complete(publish, error) &&
	       bring_in(publish, publish->work, payload, error);
}

/* The build folder may be gone by now; when it is there, it must be what was published. */
static gboolean is_same_build(const Publish *publish, const Manifest *published, GError **error)
{
	g_autoptr(Manifest) draft = build_read_draft(publish->folder, NULL);
	if (draft == NULL ||
		(strcmp(draft->payload.tar_sha256, published->payload.tar_sha256) == 0 &&
			strcmp(draft->revision, published->revision) == 0))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s %s is published, with other files or of another revision than %s: what was "
		"published never changes. Build it under another version",
		publish->product, publish->version, publish->folder);
	return FALSE;
}

/* Compared with its manifest once more, and made sure of. */
static gboolean publish_again(Publish *publish, GError **error)
{
	ReleasePlace *place = &publish->place;
	g_autofree char *folder = repository_folder(place->repository, publish->version);
	g_autofree char *payload = g_build_filename(folder, REPOSITORY_PAYLOAD_FILE, NULL);
	publish->manifest = repository_manifest(place->repository, publish->version, place->trust,
		place->now_us, NULL, NULL, error);
	return publish->manifest != NULL && is_same_build(publish, publish->manifest, error) &&
	       bring_in(publish, folder, payload, error);
}

/* Everything behind the rename: done, or found done. */
static json_t *finish(Publish *publish, GError **error)
{
	ReleasePlace *place = &publish->place;
	bar_step(publish->bar, "signing the index", BAR_COUNT);
	if (!release_place_sign(place, NULL, &publish->signed_index, error))
		return NULL;
	bar_step(publish->bar, "telling the server", BAR_COUNT);
	json_t *view = release_place_tell(place, publish->version, publish->reason, error);
	if (view == NULL)
		g_prefix_error(error,
			"%s %s lies in the repository, and the server does not know it yet; "
			"publish it again when that is mended: ",
			publish->product, publish->version);
	g_clear_pointer(&publish->bar, bar_end);
	return view;
}

/* The command ---------------------------------------------------------------------------------- */

static void say_published(const Publish *publish, const json_t *view)
{
	const Screen *screen = invocation_screen(publish->invocation);
	const Manifest *manifest = publish->manifest;
	g_autofree char *size = format_size((guint64)manifest->payload.size_bytes);
	screen_done(screen, "%s %s %s as release %" G_GINT64_FORMAT ": %s, signed by %s",
		publish->outcome == PUBLISH_DONE ? "published" : "found published",
		publish->product, publish->version, manifest->sequence, size,
		show_text(view, "signer"));
	for (guint i = 0; i < manifest->deltas->len; i++) {
		const ManifestDelta *delta = manifest->deltas->pdata[i];
		g_autofree char *shorter = format_size((guint64)delta->size_bytes);
		screen_done(screen, "from %s it is %s", delta->from_version, shorter);
	}
	if (publish->outcome == PUBLISH_WAS_THERE && manifest->tag == NULL &&
		invocation_has(publish->invocation, "tag"))
		screen_note(screen,
			"no tag was made: it was published without one, and its manifest says so "
			"for ever");
	if (publish->place.index_key == NULL)
		screen_done(screen, "droverd signs the index: hosts see it then");
	else
		screen_done(screen, "the index %s it",
			publish->signed_index ? "was signed, and has" : "was signed before with");
}

static void show_published(const Publish *publish, json_t *view)
{
	const Screen *screen = invocation_screen(publish->invocation);
	json_object_set_new(view, "outcome",
		json_string(publish->outcome == PUBLISH_DONE ? "published" : "was-there"));
	json_object_set_new(view, "index",
		json_string(publish->place.index_key == NULL ? "left-to-droverd"
			    : publish->signed_index	     ? "signed"
							     : "was-signed"));
	if (screen->json)
		screen_json(screen, view);
	else
		say_published(publish, view);
}

static gboolean run(Publish *publish, GError **error)
{
	ReleasePlace *place = &publish->place;
	if (!release_place_open(place, publish->invocation, publish->product, TRUE, error) ||
		!load_keys(publish, repository_has(place->repository, publish->version), error) ||
		!release_place_lock(place, "publish", error))
		return FALSE;
	/* Somebody may have published it while we waited for a password. */
	gboolean is_there = repository_has(place->repository, publish->version);
	g_autofree char *what =
		g_strdup_printf("checking %s %s", publish->product, publish->version);
	publish->bar = bar_begin(invocation_screen(publish->invocation), what, BAR_BYTES);
	if (is_there ? !publish_again(publish, error) : !publish_new(publish, error))
		return FALSE;
	g_autoptr(json_t) view = finish(publish, error);
	if (view != NULL)
		show_published(publish, view);
	return view != NULL;
}

gboolean release_run_publish(Invocation *invocation, GError **error)
{
	g_auto(Publish)
		publish = {.invocation = invocation, .product = invocation_argument(invocation, 0)};
	return commands_refuse_in_maintenance(invocation, error) && find_folder(&publish, error) &&
	       find_reason(&publish, error) && run(&publish, error);
}

const Option release_publish_options[] = {
	{"key", "FILE", "The key that signs the manifest, instead of [release] key"},
	RELEASE_INDEX_KEY_OPTION,
	{"tag", NULL, "Make the tag in git when it is not there"},
	{"tag-name", "NAME", "What the tag is called; VERSION or vVERSION by default"},
	{"reason", "WHY",
		"Why another revision than the deployable landing's; what was said to release "
		"build by default"},
	{"repository", "DIR", "A clone to look for the tag, instead of the product's repository"},
	RELEASE_PLACE_OPTION,
	{0},
};
