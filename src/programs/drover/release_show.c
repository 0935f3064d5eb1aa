/* SPDX-License-Identifier: ISC
 *
 * drover release list, show, diff: what was published, as the server knows it.
 */
#include <string.h>

#include "base/format.h"
#include "programs/drover/release.h"
#include "programs/terminal/show.h"

/* drover release list -------------------------------------------------------------------------- */

/* "release, beta"; "-" for none. Caller frees. */
static char *live_words(const json_t *release)
{
	g_autoptr(GString) words = g_string_new(NULL);
	gsize i;
	json_t *live;
	json_array_foreach (json_object_get(release, "live"), i, live)
		g_string_append_printf(
			words, "%s%s", i > 0 ? ", " : "", show_text(live, "channel"));
	return g_strdup(words->len > 0 ? words->str : "-");
}

/* "3 of 5"; "-" when no node has to do with it. Caller frees. */
static char *nodes_words(const json_t *release)
{
	const json_t *nodes = json_object_get(release, "nodes");
	gint64 running = json_integer_of(nodes, "running");
	gint64 should = json_integer_of(nodes, "should");
	if (running == 0 && should == 0)
		return g_strdup("-");
	return g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT, running, should);
}

static void add_release(Table *table, const json_t *release)
{
	gboolean is_removed = json_text(release, "removed") != NULL;
	g_autofree char *landing = show_number(release, "landing");
	g_autofree char *published = show_time(release, "published");
	g_autofree char *size = format_size((guint64)json_integer_of(release, "size"));
	g_autofree char *live = live_words(release);
	g_autofree char *nodes = nodes_words(release);
	Style style = is_removed ? STYLE_DIM : STYLE_PLAIN;
	table_cell_integer(table, json_integer_of(release, "sequence"));
	table_cell(table, is_removed ? STYLE_DIM : STYLE_STRONG, json_text(release, "version"));
	table_cell(table, style, landing);
	table_cell(table, style, size);
	table_cell(table, style, is_removed ? "removed" : live);
	table_cell(table, style, nodes);
	table_cell(table, style, published);
	table_cell(table, style, show_text(release, "actor"));
}

static void show_list(const Screen *screen, const json_t *releases)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "SEQUENCE", TABLE_RIGHT);
	table_column(table, "VERSION", TABLE_LEFT);
	table_column(table, "LANDING", TABLE_RIGHT);
	table_column(table, "SIZE", TABLE_RIGHT);
	table_column(table, "LIVE ON", TABLE_LEFT);
	table_column(table, "NODES", TABLE_LEFT);
	table_column(table, "PUBLISHED", TABLE_LEFT);
	table_column(table, "BY", TABLE_LEFT);
	gsize i;
	json_t *release;
	json_array_foreach (releases, i, release)
		add_release(table, release);
	table_show_or_say(table, screen, "nothing was published");
}

gboolean release_run_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autofree char *product =
		invocation_product(invocation, invocation_argument(invocation, 0), error);
	if (product == NULL)
		return FALSE;
	const char *removed = invocation_has(invocation, "removed") ? "true" : NULL;
	g_autoptr(json_t) answer =
		invocation_call(invocation, "GET", query_of("removed", removed, NULL), NULL, error,
			"products", product, "releases", NULL);
	if (answer == NULL)
		return FALSE;
	const json_t *releases = json_object_get(answer, "releases");
	if (screen->json)
		screen_json(screen, releases);
	else
		show_list(screen, releases);
	return TRUE;
}

/* drover release show -------------------------------------------------------------------------- */

static void show_deltas(const Screen *screen, const json_t *deltas)
{
	gsize i;
	json_t *delta;
	json_array_foreach (deltas, i, delta) {
		g_autofree char *size = format_size((guint64)json_integer_of(delta, "size"));
		screen_line(screen, "from %s: %s", show_text(delta, "from"), size);
	}
}

static void show_items(const Screen *screen, const json_t *view)
{
	gsize i;
	json_t *landing;
	const json_t *items = json_object_get(view, "items");
	const char *previous = json_text(view, "previous");
	if (json_array_size(items) > 0)
		screen_line(screen, "new%s%s:", previous != NULL ? " since " : "",
			previous != NULL ? previous : "");
	json_array_foreach (items, i, landing) {
		g_autofree char *number = show_number(landing, "landing");
		screen_line(screen, "  %s  %s (%s)", number, show_text(landing, "subject"),
			show_text(landing, "author"));
	}
	if (json_integer_of(view, "more") > 0)
		screen_line(
			screen, "  and %" G_GINT64_FORMAT " more", json_integer_of(view, "more"));
}

static void show_origin(const Screen *screen, const json_t *view)
{
	const json_t *test = json_object_get(view, "test");
	g_autofree char *landing = show_number(view, "landing");
	g_autofree char *published = show_time(view, "published");
	screen_line(screen, "revision   %s, landing %s, tag %s", show_text(view, "revision"),
		landing, show_text(view, "tag"));
	screen_line(screen, "published  %s by %s", published, show_text(view, "actor"));
	if (json_text(view, "reason") != NULL)
		screen_line(screen, "reason     %s", json_text(view, "reason"));
	screen_line(
		screen, "tests      %s", json_is_object(test) ? show_text(test, "run") : "none");
}

static void show_view(const Screen *screen, const json_t *view)
{
	g_autofree char *size = format_size((guint64)json_integer_of(view, "size"));
	g_autofree char *whole = format_size((guint64)json_integer_of(view, "tree_size"));
	g_autofree char *live = live_words(view);
	g_autofree char *nodes = nodes_words(view);
	const json_t *state = json_object_get(view, "signature_state");
	screen_line(screen, "%s %s, release %" G_GINT64_FORMAT "%s", show_text(view, "product"),
		show_text(view, "version"), json_integer_of(view, "sequence"),
		json_text(view, "removed") != NULL ? ", removed" : "");
	show_origin(screen, view);
	screen_line(screen, "signature  %s", show_text(state, "text"));
	screen_line(screen, "files      %" G_GINT64_FORMAT ", %s; packed %s",
		json_integer_of(view, "files"), whole, size);
	screen_line(screen, "tree       %s", show_text(view, "tree_sha256"));
	screen_line(screen, "tar        %s", show_text(view, "tar_sha256"));
	screen_line(screen, "live on    %s; nodes: %s", live, nodes);
	show_deltas(screen, json_object_get(view, "deltas"));
	show_items(screen, view);
}

gboolean release_run_show(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) view = invocation_call(invocation, "GET", NULL, NULL, error, "products",
		invocation_argument(invocation, 0), "releases", invocation_argument(invocation, 1),
		NULL);
	if (view == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, view);
	else
		show_view(screen, view);
	return TRUE;
}

/* drover release diff -------------------------------------------------------------------------- */

static void show_paths(const Screen *screen, Style style, const char *sign, const json_t *paths)
{
	gsize i;
	json_t *path;
	json_array_foreach (paths, i, path) {
		screen_part(screen, style, "%s ", sign);
		screen_line(screen, "%s", show_text(path, "path"));
	}
}

static void show_diff(const Screen *screen, const json_t *diff)
{
	const json_t *added = json_object_get(diff, "added");
	const json_t *changed = json_object_get(diff, "changed");
	const json_t *removed = json_object_get(diff, "removed");
	g_autofree char *before = format_size((guint64)json_integer_of(diff, "size_before"));
	g_autofree char *after = format_size((guint64)json_integer_of(diff, "size_after"));
	show_paths(screen, STYLE_GOOD, "+", added);
	show_paths(screen, STYLE_WAITING, "~", changed);
	show_paths(screen, STYLE_BAD, "-", removed);
	if (json_integer_of(diff, "truncated") > 0)
		screen_line(screen, "and %" G_GINT64_FORMAT " more",
			json_integer_of(diff, "truncated"));
	screen_line(screen, "%s to %s: %d added, %d changed, %d removed; %s to %s",
		show_text(diff, "from"), show_text(diff, "to"), (int)json_array_size(added),
		(int)json_array_size(changed), (int)json_array_size(removed), before, after);
}

gboolean release_run_diff(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) diff = invocation_call(invocation, "GET",
		query_of("from", invocation_argument(invocation, 2), NULL), NULL, error, "products",
		invocation_argument(invocation, 0), "releases", invocation_argument(invocation, 1),
		"diff", NULL);
	if (diff == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, diff);
	else
		show_diff(screen, diff);
	return TRUE;
}

const Option release_list_options[] = {
	{"product", "PRODUCT", "The product, when it is not the argument"},
	{"removed", NULL, "Also those that were removed"},
	{0},
};
