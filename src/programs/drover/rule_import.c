/* SPDX-License-Identifier: ISC
 *
 * drover rule import, drover release-doc import: what Balrog gives away becomes one edit, or
 * several where it is large. Rules are sent in the order in which they are asked, so that between
 * two edits no client gets what a later rule gives.
 */
#include "programs/drover/rule_import.h"

#include "channel/balrog/balrog.h"
#include "programs/drover/commands.h"
#include "programs/terminal/show.h"

typedef json_t *(*Read)(
	const json_t *file, const State *state, const BalrogWish *wish, GError **error);

/* What is imported. */
typedef struct Import {
	const char *subject; /* "rule_id": whom refusals name */
	const char *heading;
	const char *one, *many;
	Read read;
} Import;

/* What is there ------------------------------------------------------------------------------ */

static gboolean add_table(Invocation *invocation, State *state, StateTable table, GError **error)
{
	gsize i;
	json_t *row;
	g_autoptr(json_t) answer = invocation_call(
		invocation, "GET", NULL, NULL, error, "tables", state_table_name(table), NULL);
	if (answer == NULL)
		return FALSE;
	json_array_foreach (json_object_get(answer, "rows"), i, row)
		if (!state_add(state, table, row, error))
			return FALSE;
	return TRUE;
}

static State *read_live(Invocation *invocation, GError **error)
{
	static const StateTable wanted[] = {
		STATE_RULES, STATE_RELEASES, STATE_PRODUCTS, STATE_CHANNELS};
	g_autoptr(State) state = state_new();
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (!add_table(invocation, state, wanted[i], error))
			return NULL;
	return g_steal_pointer(&state);
}

static json_t *read_file(Invocation *invocation, GError **error)
{
	const char *path = invocation_option(invocation, "balrog");
	gsize size_bytes = 0;
	if (path == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"say --balrog FILE: what its API answers, as docs/channel.md describes it");
		return NULL;
	}
	g_autofree char *text = commands_read_input(path, BALROG_MAXIMUM_BYTES, &size_bytes, error);
	return text == NULL ? NULL : json_read(path, text, size_bytes, error);
}

static json_t *read_report(Invocation *invocation, const Import *import, GError **error)
{
	const BalrogWish wish = {invocation_option(invocation, "product"),
		invocation_has(invocation, "with-stub-releases")};
	g_autoptr(json_t) file = read_file(invocation, error);
	g_autoptr(State) state = file == NULL ? NULL : read_live(invocation, error);
	json_t *report = state == NULL ? NULL : import->read(file, state, &wish, error);
	if (file != NULL && state != NULL && report == NULL)
		g_prefix_error(error, "%s: ", invocation_option(invocation, "balrog"));
	return report;
}

/* What is said --------------------------------------------------------------------------------- */

static char *name_text(const json_t *name)
{
	return json_is_string(name) ? g_strdup(json_string_value(name))
	       : json_is_null(name)
		       ? g_strdup("-")
		       : g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(name));
}

static void show_refused(const Screen *screen, const Import *import, const json_t *refused)
{
	g_autoptr(Table) table = table_new();
	gsize i;
	json_t *one;
	table_column(table, import->heading, TABLE_LEFT);
	table_column(table, "REFUSED FOR", TABLE_LEFT);
	table_column(table, "WHY", TABLE_ELASTIC);
	json_array_foreach (refused, i, one) {
		g_autofree char *name = name_text(json_object_get(one, import->subject));
		table_cell(table, STYLE_STRONG, name);
		table_cell(table, STYLE_BAD, json_text(one, "field"));
		table_cell(table, STYLE_PLAIN, json_text(one, "why"));
	}
	if (table_rows(table) > 0)
		table_show(table, screen, 0);
}

static void show_notes(const Screen *screen, const Import *import, const json_t *notes)
{
	gsize i;
	json_t *one;
	json_array_foreach (notes, i, one) {
		const json_t *of = json_object_get(one, "of");
		g_autofree char *count =
			show_count((gint64)json_array_size(of), import->one, import->many);
		g_autofree char *first = name_text(json_array_get(of, 0));
		screen_line(screen, "note: %s of %s (%s%s): %s", json_text(one, "field"), count,
			first, json_array_size(of) > 1 ? ", …" : "", json_text(one, "why"));
	}
}

static void show_totals(
	const Screen *screen, const Import *import, const json_t *report, gboolean is_written)
{
	gint64 read = json_integer_of(report, "read"), taken = json_integer_of(report, "taken");
	gint64 left_out = json_integer_of(report, "left_out");
	gint64 stubs = json_integer_of(report, "stubs");
	g_autofree char *all = show_count(read, import->one, import->many);
	g_autofree char *stubbed = show_count(stubs, "stub release", "stub releases");
	screen_line(screen,
		"%s read: %" G_GINT64_FORMAT " %s, %" G_GINT64_FORMAT " refused, %" G_GINT64_FORMAT
		" of other products; %s",
		all, taken, is_written ? "taken" : "can be taken", read - taken - left_out,
		left_out, stubbed);
}

/* The edits ------------------------------------------------------------------------------------ */

/* How many ops from `from` on go into one edit: at least one. */
static gsize batch_size(const json_t *ops, gsize from)
{
	gsize count = 0, bytes = 0;
	while (from + count < json_array_size(ops) && count < RULE_IMPORT_MAXIMUM_OPS) {
		bytes += json_dumpb(json_array_get(ops, from + count), NULL, 0, JSON_COMPACT);
		if (count > 0 && bytes > RULE_IMPORT_MAXIMUM_BYTES)
			break;
		count++;
	}
	return count;
}

static gboolean write_ops(
	Invocation *invocation, const json_t *ops, const char *reason, GError **error)
{
	for (gsize from = 0, count; from < json_array_size(ops); from += count) {
		g_autoptr(json_t) batch = json_array();
		count = batch_size(ops, from);
		for (gsize i = 0; i < count; i++)
			json_array_append(batch, json_array_get(ops, from + i));
		g_autoptr(json_t) answer = invocation_call(invocation, "POST", NULL,
			json_pack("{s:O, s:s}", "ops", batch, "reason", reason), error, "edits",
			NULL);
		if (answer != NULL)
			continue;
		if (from > 0)
			g_prefix_error(error,
				"%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
				" rows were written; then: ",
				from, json_array_size(ops));
		return FALSE;
	}
	return TRUE;
}

static gboolean may_write(
	Invocation *invocation, const Import *import, const json_t *report, GError **error)
{
	if (json_array_size(json_object_get(report, "refused")) == 0 ||
		invocation_has(invocation, "without-refused"))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"nothing was written, since not every one of the %s can be taken; mend the file, "
		"or say --without-refused to take the others",
		import->many);
	return FALSE;
}

static gboolean run(Invocation *invocation, const Import *import, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *reason = invocation_option(invocation, "reason");
	gboolean is_dry = invocation_has(invocation, "dry-run");
	g_autoptr(json_t) report = read_report(invocation, import, error);
	g_autoptr(GError) problem = NULL;
	if (report == NULL)
		return FALSE;
	gboolean is_written = !is_dry && may_write(invocation, import, report, &problem) &&
			      write_ops(invocation, json_object_get(report, "ops"),
				      reason != NULL ? reason : "imported from Balrog", &problem);
	json_object_set_new(report, "written", json_boolean(is_written));
	if (screen->json) {
		screen_json(screen, report);
	} else {
		show_refused(screen, import, json_object_get(report, "refused"));
		show_notes(screen, import, json_object_get(report, "notes"));
		show_totals(screen, import, report, is_written);
	}
	if (problem != NULL)
		g_propagate_error(error, g_steal_pointer(&problem));
	return is_dry || is_written;
}

gboolean rule_import_rules(Invocation *invocation, GError **error)
{
	static const Import rules = {"rule_id", "RULE", "rule", "rules", balrog_rules};
	return run(invocation, &rules, error);
}

gboolean rule_import_releases(Invocation *invocation, GError **error)
{
	static const Import releases = {
		"release", "RELEASE", "release", "releases", balrog_releases};
	return run(invocation, &releases, error);
}

const Option rule_import_options[] = {
	{"balrog", "FILE", "Rules as Balrog's API gives them; - is standard input"},
	{"product", "PRODUCT", "Only this product's rules"},
	{"dry-run", NULL, "Say what would be taken and what is refused, and write nothing"},
	{"with-stub-releases", NULL,
		"Make each release that is mapped to and not there, without files: it serves "
		"nobody"},
	{"without-refused", NULL, "Write what can be taken although something is refused"},
	{"reason", "TEXT", "Why, for the history"},
	{0},
};

const Option rule_import_release_options[] = {
	{"balrog", "FILE", "Release blobs as Balrog's API gives them; - is standard input"},
	{"product", "PRODUCT", "Whose releases they are, where the file does not say it"},
	{"dry-run", NULL, "Say what would be taken and what is refused, and write nothing"},
	{"without-refused", NULL, "Write what can be taken although something is refused"},
	{"reason", "TEXT", "Why, for the history"},
	{0},
};
