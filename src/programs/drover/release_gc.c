/* SPDX-License-Identifier: ISC
 *
 * drover release gc: takes out of the repository what nothing names any more.
 *
 * In this order: the index without them, so that no host begins to fetch one; the server, which
 * refuses what is needed after all, and then it is in the next index again; last the files, renamed
 * aside and deleted. Killed anywhere, the next run finds the rest to do.
 */
#include <string.h>

#include "base/format.h"
#include "programs/drover/commands.h"
#include "programs/drover/release.h"
#include "programs/drover/release_deltas.h"
#include "programs/terminal/show.h"

enum { KEPT_BY_DEFAULT = 3 };

typedef struct Gc {
	ReleasePlace place;
	const Screen *screen;
	GHashTable *needed; /* version -> why */
	GPtrArray *drop;    /* versions that go; char * */
	json_t *removed, *kept;
} Gc;

static void gc_clear(Gc *gc)
{
	g_clear_pointer(&gc->needed, g_hash_table_unref);
	g_clear_pointer(&gc->drop, g_ptr_array_unref);
	g_clear_pointer(&gc->removed, json_decref);
	g_clear_pointer(&gc->kept, json_decref);
	release_place_clear(&gc->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Gc, gc_clear)

/* What may go ---------------------------------------------------------------------------------- */

static char *because_words(const json_t *because)
{
	g_autoptr(GString) words = g_string_new(NULL);
	gsize i;
	json_t *reason;
	json_array_foreach (because, i, reason)
		g_string_append_printf(words, "%s%s", i > 0 ? "; " : "",
			json_is_string(reason) ? json_string_value(reason) : "?");
	return g_string_free(g_steal_pointer(&words), FALSE);
}

static gboolean ask_needed(Gc *gc, GError **error)
{
	g_autoptr(json_t) answer = invocation_call(gc->place.invocation, "GET", NULL, NULL, error,
		"products", gc->place.product, "releases", "needed", NULL);
	if (answer == NULL)
		return FALSE;
	gsize i;
	json_t *needed;
	json_array_foreach (json_object_get(answer, "versions"), i, needed) {
		const json_t *because = json_object_get(needed, "because");
		g_hash_table_insert(
			gc->needed, g_strdup(json_text(needed, "version")), because_words(because));
	}
	return TRUE;
}

/* The newest `keep` stay, and what is needed. */
static gboolean choose(Gc *gc, gint64 keep, GError **error)
{
	gint64 newest;
	g_autoptr(GPtrArray) known = release_known(&gc->place, &newest, error);
	for (guint i = 0; known != NULL && i < known->len; i++) {
		const char *version = ((const ReleaseKnown *)known->pdata[i])->version;
		const char *why = g_hash_table_lookup(gc->needed, version);
		if (why == NULL && i < keep)
			why = "one of the newest";
		if (why == NULL)
			g_ptr_array_add(gc->drop, g_strdup(version));
		else
			json_array_append_new(gc->kept,
				json_pack("{s:s, s:s}", "version", version, "because", why));
	}
	return known != NULL;
}

/* Taking it out -------------------------------------------------------------------------------- */

/* TRUE in *is_gone: the server knows it no longer. A release that it never knew is none of its
 * business. */
static gboolean tell_server(Gc *gc, const char *version, gboolean *is_gone, GError **error)
{
	GError *failed = NULL;
	const char *reason = invocation_option(gc->place.invocation, "reason");
	g_autoptr(json_t) answer = invocation_call(gc->place.invocation, "POST", NULL,
		body_of("reason", reason, NULL), &failed, "products", gc->place.product, "releases",
		version, "remove", NULL);
	*is_gone = answer != NULL || drover_error_is(failed, DROVER_ERROR_NOT_FOUND);
	if (*is_gone || drover_error_is(failed, DROVER_ERROR_CONFLICT)) {
		if (!*is_gone)
			screen_warn(gc->screen, "%s stays: %s", version, failed->message);
		g_clear_error(&failed);
		return TRUE;
	}
	g_propagate_error(error, failed);
	return FALSE;
}

static gboolean take_out(Gc *gc, const char *version, GError **error)
{
	gboolean is_gone;
	if (!tell_server(gc, version, &is_gone, error))
		return FALSE;
	if (!is_gone)
		return TRUE;
	json_array_append_new(gc->removed, json_string(version));
	return repository_remove(gc->place.repository, gc->place.lock, version, error);
}

static gboolean take_all_out(Gc *gc, GError **error)
{
	if (gc->drop->len > 0 && !release_place_sign(&gc->place, gc->drop, NULL, error))
		return FALSE;
	for (guint i = 0; i < gc->drop->len; i++)
		if (!take_out(gc, gc->drop->pdata[i], error))
			return FALSE;
	/* With what stays after all. */
	return release_place_sign(&gc->place, NULL, NULL, error);
}

/* The command ---------------------------------------------------------------------------------- */

static gboolean load_key(Gc *gc, GError **error)
{
	if (!release_place_load_key(
		    &gc->place, "index-key", TRUST_USE_INDEX, &gc->place.index_key, error))
		return FALSE;
	if (gc->place.index_key != NULL && gc->place.trust != NULL)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the index must be signed without what goes, before it goes: run this where "
		"[release] index-key and [release] keys are, or say --index-key FILE");
	return FALSE;
}

static void show_result(const Gc *gc, gboolean is_rehearsal)
{
	gsize i;
	json_t *each;
	g_autoptr(json_t) would = json_array();
	for (guint n = 0; n < gc->drop->len; n++)
		json_array_append_new(would, json_string(gc->drop->pdata[n]));
	json_t *removed = is_rehearsal ? would : gc->removed;
	if (gc->screen->json) {
		g_autoptr(json_t) shown = json_pack("{s:O, s:O, s:b}", "removed", removed, "kept",
			gc->kept, "dry_run", is_rehearsal);
		screen_json(gc->screen, shown);
		return;
	}
	json_array_foreach (gc->kept, i, each)
		screen_done(gc->screen, "%s stays: %s", json_text(each, "version"),
			json_text(each, "because"));
	json_array_foreach (removed, i, each)
		screen_done(gc->screen, "%s %s", json_string_value(each),
			is_rehearsal ? "would be removed" : "is removed");
	if (json_array_size(removed) == 0)
		screen_done(gc->screen, "nothing is to be removed");
}

static gboolean run(Gc *gc, gint64 keep, gboolean is_rehearsal, GError **error)
{
	if (!is_rehearsal && (!load_key(gc, error) || !release_place_lock(&gc->place, "gc", error)))
		return FALSE;
	if (!ask_needed(gc, error) || !choose(gc, keep, error))
		return FALSE;
	if (!is_rehearsal && !take_all_out(gc, error))
		return FALSE;
	show_result(gc, is_rehearsal);
	return TRUE;
}

gboolean release_run_gc(Invocation *invocation, GError **error)
{
	gint64 keep;
	gboolean is_rehearsal = invocation_has(invocation, "dry-run");
	g_auto(Gc) gc = {.screen = invocation_screen(invocation),
		.needed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.drop = g_ptr_array_new_with_free_func(g_free),
		.removed = json_array(),
		.kept = json_array()};
	return (is_rehearsal || commands_refuse_in_maintenance(invocation, error)) &&
	       invocation_integer(
		       invocation, "keep", KEPT_BY_DEFAULT, 1, G_MAXINT32, &keep, error) &&
	       release_place_open(
		       &gc.place, invocation, invocation_argument(invocation, 0), FALSE, error) &&
	       run(&gc, keep, is_rehearsal, error);
}

const Option release_gc_options[] = {
	{"keep", "N", "How many of the newest stay in any case; 3 by default"},
	{"dry-run", NULL, "Only say what would be removed"},
	{"reason", "WHY", "Kept in the history"},
	RELEASE_INDEX_KEY_OPTION,
	RELEASE_PLACE_OPTION,
	{0},
};
