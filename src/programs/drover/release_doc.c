/* SPDX-License-Identifier: ISC
 *
 * drover release-doc: what channels may hand out for one release: its files by platform and locale.
 * A document is put whole, from a file.
 */
#include <string.h>

#include "api/api.h"
#include "programs/drover/commands.h"
#include "programs/drover/row.h"
#include "programs/drover/rule_import.h"
#include "programs/terminal/show.h"

static const char NOUN[] = "release";

static void show_list(const Screen *screen, const json_t *rows)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "RELEASE", TABLE_LEFT);
	table_column(table, "PRODUCT", TABLE_LEFT);
	table_column(table, "VERSION", TABLE_LEFT);
	table_column(table, "BUILD", TABLE_LEFT);
	table_column(table, "LANDING", TABLE_RIGHT);
	table_column(table, "PUBLISHED", TABLE_LEFT);
	gsize i;
	json_t *row;
	json_array_foreach (rows, i, row) {
		gboolean published = !json_is_false(json_object_get(row, "published"));
		g_autofree char *landing = show_number(row, "landing");
		table_cell(table, STYLE_STRONG, json_text(row, "name"));
		table_cell(table, STYLE_PLAIN, show_text(row, "product"));
		table_cell(table, STYLE_PLAIN, show_text(row, "version"));
		table_cell(table, STYLE_PLAIN, show_text(row, "build_id"));
		table_cell(table, STYLE_PLAIN, landing);
		table_cell(
			table, published ? STYLE_PLAIN : STYLE_WAITING, published ? "yes" : "no");
	}
	table_show_or_say(table, screen, "there is no release");
}

static gboolean run_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) answer = row_all(invocation, STATE_RELEASES,
		query_of("product", invocation_option(invocation, "product"), "brief", "1", NULL),
		error);
	if (answer == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, answer);
	else
		show_list(screen, json_object_get(answer, "rows"));
	return TRUE;
}

static gboolean run_show(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) answer = invocation_call(invocation, "GET",
		query_of("key", invocation_argument(invocation, 0), NULL), NULL, error, "tables",
		state_table_name(STATE_RELEASES), "row", NULL);
	if (answer == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, answer);
	else
		row_show(screen, STATE_RELEASES, NOUN, answer);
	return TRUE;
}

static json_t *read_document(const char *path, GError **error)
{
	gsize size_bytes = 0;
	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
	g_autofree char *text =
		commands_read_input(path, API_MAXIMUM_IMPORT_BYTES, &size_bytes, error);
	g_autoptr(json_t) row = text == NULL ? NULL : json_read(name, text, size_bytes, error);
	if (row == NULL)
		return NULL;
	if (json_is_object(row) && json_text(row, "name") != NULL)
		return g_steal_pointer(&row);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s: must be an object with the release's name and its files", name);
	return NULL;
}

static gboolean run_put(Invocation *invocation, GError **error)
{
	g_autoptr(json_t) row = read_document(invocation_argument(invocation, 0), error);
	g_autoptr(json_t) before = NULL;
	if (row == NULL ||
		!row_find(invocation, STATE_RELEASES, json_text(row, "name"), &before, error))
		return FALSE;
	return row_send(invocation, STATE_RELEASES, NOUN, before != NULL ? "update" : "insert",
		before, row_patch(STATE_RELEASES, before, row), error);
}

static gboolean run_delete(Invocation *invocation, GError **error)
{
	const char *name = invocation_argument(invocation, 0);
	g_autoptr(json_t) before = NULL;
	return row_find(invocation, STATE_RELEASES, name, &before, error) &&
	       row_send(invocation, STATE_RELEASES, NOUN, "delete", before,
		       json_pack("{s:s}", "name", name), error);
}

static const Option list_options[] = {
	{"product", "PRODUCT", "Only those of this product"},
	{0},
};

static const Option write_options[] = {ROW_WRITE_OPTIONS, {0}};

const Command release_doc_commands[] = {
	{"release-doc list", "", 0, 0, "Shows the releases that channels may hand out", run_list,
		list_options, NULL, "drover release-doc list --product web", "5",
		"release-doc show"},
	{"release-doc show", "RELEASE", 1, 1, "Shows one, with its files and what was done to it",
		run_show, NULL, NULL, "drover release-doc show web-1.4.0", "3,5",
		"release-doc put"},
	{"release-doc put", "FILE", 1, 1, "Adds a release, or puts a file in its place", run_put,
		write_options,
		"FILE is the document as JSON, as docs/channel.md describes it; - is standard "
		"input.",
		"drover release-doc put web-1.4.0.json", "3,4,5,7", "rule add"},
	{"release-doc delete", "RELEASE", 1, 1, "Takes a release away that nothing maps to",
		run_delete, write_options, NULL, "drover release-doc delete web-1.2.0", "3,4,5,7",
		"release-doc list"},
	RULE_IMPORT_RELEASE_COMMAND,
	{0},
};
