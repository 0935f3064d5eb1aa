/* SPDX-License-Identifier: ISC
 *
 * drover release build: asks what may be built, builds it on this host, says what came of it. What
 * was built lies in a folder until it is published.
 */
#include <string.h>

#include "base/file.h"
#include "base/format.h"
#include "programs/drover/commands.h"
#include "programs/drover/release.h"
#include "programs/terminal/bar.h"
#include "programs/terminal/show.h"
#include "release/build/build.h"

/* what may be built ---------------------------------------------------------------------------- */

/* Said, or the plan's suggestion. NULL with `error`. */
static const char *choose_version(Invocation *invocation, const json_t *plan, GError **error)
{
	const char *said = invocation_option(invocation, "version");
	const char *version = said != NULL ? said : json_text(plan, "version");
	if (version == NULL)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"say which version this is to be with --version: there is none before it "
			"to count on from");
	/* Said now, and not when a long build is to be published. */
	const char *newest = json_text(json_object_get(plan, "newest"), "version");
	if (version == NULL ||
		!release_check_order(json_text(plan, "product"), version, newest, error))
		return NULL;
	return version;
}

static char *choose_folder(
	Invocation *invocation, const char *product, const char *version, GError **error)
{
	const char *out = invocation_option(invocation, "out");
	if (out != NULL)
		return g_strdup(out);
	Settings *settings = invocation_settings(invocation, error);
	g_autofree char *builds = settings != NULL ? settings_builds_folder(settings) : NULL;
	return builds != NULL ? g_build_filename(builds, product, version, NULL) : NULL;
}

/* while it builds ------------------------------------------------------------------------------ */

static const char *const step_names[] = {
	[BUILD_EXPORT] = "exporting the revision",
	[BUILD_DEPENDENCIES] = "fetching dependencies",
	[BUILD_COMMAND] = "building",
	[BUILD_HASH] = "hashing the tree",
	[BUILD_TEST] = "testing a copy",
	[BUILD_PACK] = "packing",
	[BUILD_VERIFY] = "building again, to compare",
};

static void show_step(BuildStep step, gint64 done_bytes, gint64 total_bytes, gpointer bar)
{
	bar_step(bar, step_names[step], BAR_BYTES);
	bar_set(bar, done_bytes, total_bytes);
}

/* what came of it ------------------------------------------------------------------------------ */

static json_t *describe(
	const Manifest *draft, const char *folder, const char *reason, gboolean verified)
{
	char tree_sha256[SHA256_HEX];
	tree_digest(draft->tree, tree_sha256);
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:I, s:b, s:o}",
		"product", draft->product, "version", draft->version, "revision", draft->revision,
		"landing",
		draft->landing != 0 ? json_integer((json_int_t)draft->landing) : json_null(),
		"folder", folder, "tree_sha256", tree_sha256, "tar_sha256",
		draft->payload.tar_sha256, "files", (json_int_t)tree_count(draft->tree),
		"tree_size", (json_int_t)tree_size_bytes(draft->tree), "size",
		(json_int_t)draft->payload.size_bytes, "test",
		draft->test_run != NULL ? json_pack("{s:s, s:s}", "run", draft->test_run,
						  "log_sha256", draft->test_log_sha256)
					: json_null(),
		"dependencies", (json_int_t)draft->dependencies->len, "verified", verified,
		"reason", json_text_or_null(reason));
}

static void say_built(
	const Screen *screen, const Manifest *draft, const char *folder, gboolean verified)
{
	char tree_sha256[SHA256_HEX];
	tree_digest(draft->tree, tree_sha256);
	g_autofree char *revision = show_revision(draft->revision);
	g_autofree char *files = show_count(tree_count(draft->tree), "file", "files");
	g_autofree char *size = format_size((guint64)tree_size_bytes(draft->tree));
	g_autofree char *packed = format_size((guint64)draft->payload.size_bytes);
	g_autofree char *landing =
		draft->landing != 0 ? g_strdup_printf("landing %" G_GINT64_FORMAT " (%s)",
					      draft->landing, revision)
				    : g_strdup_printf("revision %s, which is no landing", revision);
	screen_line(screen, "built %s %s of %s: %s, %s, packed %s", draft->product, draft->version,
		landing, files, size, packed);
	screen_line(screen, "tree   %s", tree_sha256);
	screen_line(screen, "tar    %s%s", draft->payload.tar_sha256,
		verified ? " (built twice, the same)" : "");
	g_autofree char *with =
		show_count(draft->dependencies->len, "pinned dependency", "pinned dependencies");
	if (draft->dependencies->len > 0)
		screen_line(screen, "with   %s", with);
	if (draft->test_run != NULL)
		screen_line(screen, "tests  run %s, log in %s/test.log", draft->test_run, folder);
	else
		screen_line(screen, "tests  none: its recipe names no test command");
	screen_line(screen, "in     %s", folder);
}

/* Kept beside the draft, for who publishes. */
static gboolean keep_reason(const char *folder, const char *reason, GError **error)
{
	g_autofree char *path = g_build_filename(folder, RELEASE_REASON_FILE, NULL);
	return reason == NULL || file_write(path, reason, strlen(reason), 0644, error);
}

/* the command ---------------------------------------------------------------------------------- */

static gboolean build(Invocation *invocation, BuildWish *wish, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *reason = invocation_option(invocation, "reason");
	g_autofree char *what = g_strdup_printf("building %s %s", wish->product, wish->version);
	g_autoptr(Bar) bar = bar_begin(screen, what, BAR_BYTES);
	wish->progress = bar != NULL ? show_step : NULL;
	wish->of = bar;
	g_autoptr(Manifest) draft = build_run(wish, error);
	g_clear_pointer(&bar, bar_end);
	if (draft == NULL || !keep_reason(wish->folder, reason, error))
		return FALSE;
	if (screen->json) {
		g_autoptr(json_t) shown = describe(draft, wish->folder, reason, wish->verify);
		screen_json(screen, shown);
	} else {
		say_built(screen, draft, wish->folder, wish->verify);
	}
	return TRUE;
}

static gboolean build_planned(Invocation *invocation, const json_t *plan, GError **error)
{
	Settings *settings = invocation_settings(invocation, error);
	const char *product = json_text(plan, "product");
	const char *version = settings != NULL ? choose_version(invocation, plan, error) : NULL;
	if (version == NULL)
		return FALSE;
	g_autofree char *repository = release_repository(invocation, plan, error);
	if (repository == NULL)
		return FALSE;
	g_autofree char *folder = choose_folder(invocation, product, version, error);
	if (folder == NULL)
		return FALSE;
	BuildWish wish = {
		.repository = repository,
		.revision = json_text(plan, "revision"),
		.product = product,
		.version = version,
		.landing = json_integer_of(plan, "landing"),
		.vendor = settings_text(settings, "release.vendor"),
		.folder = folder,
		.verify = invocation_has(invocation, "verify"),
		.with_network = invocation_has(invocation, "with-network"),
	};
	return build(invocation, &wish, error);
}

gboolean release_run_build(Invocation *invocation, GError **error)
{
	const char *named = invocation_argument(invocation, 0);
	if (!commands_refuse_in_maintenance(invocation, error))
		return FALSE;
	g_autofree char *product = invocation_product(invocation, named, error);
	g_autoptr(json_t) plan = product != NULL
					 ? release_plan(invocation, product,
						   invocation_option(invocation, "revision"),
						   invocation_option(invocation, "version"), error)
					 : NULL;
	return plan != NULL &&
	       release_check_plan(
		       plan, invocation_option(invocation, "reason"), "nothing is built", error) &&
	       build_planned(invocation, plan, error);
}

const Option release_build_options[] = {
	{"product", "PRODUCT", "The product, when it is not the argument"},
	{"revision", "REV", "A landing or commit instead of the deployable landing"},
	{"version", "VERSION", "What it is to be called; one after the newest by default"},
	{"reason", "WHY", "Why another revision than the deployable landing's; kept"},
	{"out", "FOLDER",
		"Where it is built; PRODUCT/VERSION in [release] builds by default. Made, or one "
		"that was built in before: then it is emptied"},
	{"repository", "DIR", "A clone to build from, instead of the product's repository"},
	{"verify", NULL, "Build twice, compare, and name the files that differ"},
	{"with-network", NULL, "Let the commands of the recipe use the network"},
	{0},
};
