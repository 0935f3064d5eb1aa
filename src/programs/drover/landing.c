/* SPDX-License-Identifier: ISC
 *
 * drover landing: what landed, and where it is. `landing deployable` has a file of its own,
 * deployable.c.
 */
#include <string.h>

#include "programs/drover/commands.h"
#include "programs/terminal/show.h"

static void show_scan(const Screen *screen, const json_t *scan)
{
	g_autofree char *tip = show_number(scan, "tip_ordinal");
	g_autofree char *deployable = show_number(scan, "deployable");
	g_autofree char *fresh =
		show_count(json_integer_of(scan, "new_landings"), "new landing", "new landings");
	g_autofree char *commits =
		show_count(json_integer_of(scan, "new_commits"), "commit", "commits");
	screen_done(screen, "%s: %s (%s); tip %s, deployable %s", json_text(scan, "product"), fresh,
		commits, tip, deployable);
	gsize index;
	json_t *note;
	json_array_foreach (json_object_get(scan, "notes"), index, note)
		screen_done(screen, "  %s", json_string_value(note));
	if (json_integer_of(scan, "new_landings") > 0 &&
		json_is_null(json_object_get(scan, "deployable")))
		show_how_to_begin(screen, json_text(scan, "product"));
}

void landing_show_scans(const Screen *screen, const json_t *scans)
{
	gsize index;
	json_t *scan;
	json_array_foreach (scans, index, scan)
		show_scan(screen, scan);
}

/* Names of the products that have a repository to read: GPtrArray of char *. */
static GPtrArray *products_to_scan(Invocation *invocation, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(json_t) products =
		invocation_call(invocation, "GET", NULL, NULL, error, "products", NULL);
	if (products == NULL)
		return NULL;
	gsize index;
	json_t *each;
	json_array_foreach (products, index, each) {
		const char *name = json_text(each, "name");
		g_autoptr(json_t) product = invocation_call(
			invocation, "GET", NULL, NULL, error, "products", name, NULL);
		if (product == NULL)
			return NULL;
		if (json_text(json_object_get(product, "settings"), "repository") != NULL)
			g_ptr_array_add(names, g_strdup(name));
	}
	return g_steal_pointer(&names);
}

static GPtrArray *products_named(Invocation *invocation, GError **error)
{
	const char *first = invocation_argument(invocation, 0);
	if (first == NULL || strcmp(first, "all") == 0)
		return products_to_scan(invocation, error);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < invocation_arguments(invocation); i++)
		g_ptr_array_add(names, g_strdup(invocation_argument(invocation, i)));
	return names;
}

static json_t *scan_one(Invocation *invocation, const char *product, GError **error)
{
	g_autofree char *what = g_strconcat("scanning ", product, NULL);
	Progress *progress = progress_begin(invocation_screen(invocation), what);
	json_t *scan = invocation_call(
		invocation, "POST", NULL, NULL, error, "products", product, "scan", NULL);
	progress_end(progress);
	return scan;
}

/* One product that cannot be read does not keep the others waiting; the first error is the
 * command's. */
static gboolean run_scan(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(GPtrArray) names = products_named(invocation, error);
	if (names == NULL)
		return FALSE;
	g_autoptr(json_t) scans = json_array();
	g_autoptr(GError) first = NULL;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GError) problem = NULL;
		json_t *scan = scan_one(invocation, names->pdata[i], &problem);
		if (scan != NULL) {
			show_scan(screen, scan);
			json_array_append_new(scans, scan);
			continue;
		}
		g_prefix_error(&problem, "%s: ", (char *)names->pdata[i]);
		if (first == NULL)
			first = g_steal_pointer(&problem);
		else
			screen_error(problem);
	}
	gboolean single = invocation_arguments(invocation) == 1 &&
			  strcmp(invocation_argument(invocation, 0), "all") != 0;
	if (screen->json && !(single && first != NULL))
		screen_json(screen, single ? json_array_get(scans, 0) : scans);
	if (names->len == 0)
		screen_note(screen, "no product has a repository to scan");
	if (first == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&first));
	return FALSE;
}

static gboolean run_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autofree char *product =
		invocation_product(invocation, invocation_argument(invocation, 0), error);
	if (product == NULL)
		return FALSE;
	g_autoptr(json_t) list = invocation_call(invocation, "GET",
		query_of("limit", invocation_option(invocation, "limit"), "before",
			invocation_option(invocation, "before"), "state",
			invocation_option(invocation, "only"), "author",
			invocation_option(invocation, "author"), NULL),
		NULL, error, "products", product, "landings", NULL);
	if (list == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, list);
		return TRUE;
	}
	show_landings(screen, json_object_get(list, "landings"), 0);
	if (json_is_integer(json_object_get(list, "next")))
		screen_note(screen, "older ones: --before %" G_GINT64_FORMAT,
			json_integer_of(list, "next"));
	return TRUE;
}

static void show_verdicts(const Screen *screen, const json_t *verdicts)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "WHEN", TABLE_LEFT);
	table_column(table, "ITEM", TABLE_LEFT);
	table_column(table, "VERDICT", TABLE_LEFT);
	table_column(table, "BY", TABLE_LEFT);
	table_column(table, "REASON", TABLE_ELASTIC);
	gsize index;
	json_t *verdict;
	json_array_foreach (verdicts, index, verdict) {
		const char *state = json_text(verdict, "state");
		g_autofree char *at = show_time(verdict, "at");
		g_autofree char *by = g_strdup_printf(
			"%s, %s", json_text(verdict, "actor"), json_text(verdict, "tool"));
		table_cell(table, STYLE_PLAIN, at);
		table_cell(table, STYLE_PLAIN, show_text(verdict, "item"));
		table_cell(table, show_state_style(state), state);
		table_cell(table, STYLE_PLAIN, by);
		table_cell(table, STYLE_PLAIN, json_text(verdict, "reason"));
	}
	if (table_rows(table) > 0) {
		screen_line(screen, "%s", "");
		table_show(table, screen, 2);
	}
}

static void show_commits(const Screen *screen, const json_t *commits)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "COMMIT", TABLE_LEFT);
	table_column(table, "AUTHOR", TABLE_LEFT);
	table_column(table, "SUBJECT", TABLE_ELASTIC);
	gsize index;
	json_t *commit;
	json_array_foreach (commits, index, commit) {
		g_autofree char *sha = show_revision(json_text(commit, "sha"));
		table_cell(table, STYLE_DIM, sha);
		table_cell(table, STYLE_PLAIN, json_text(commit, "author"));
		table_cell(table, STYLE_PLAIN, json_text(commit, "subject"));
	}
	if (table_rows(table) > 1) {
		screen_line(screen, "%s", "");
		table_show(table, screen, 2);
	}
}

static void show_ordinals(const Screen *screen, const char *what, const json_t *ordinals)
{
	gsize index;
	json_t *ordinal;
	json_array_foreach (ordinals, index, ordinal) {
		json_int_t number = json_integer_value(ordinal);
		if (number == 0)
			screen_line(screen, "  %s a landing older than the first one known", what);
		else if (number < 0)
			screen_line(screen, "  %s a landing that was not found", what);
		else
			screen_line(screen, "  %s landing %" JSON_INTEGER_FORMAT, what, number);
	}
}

static void show_detail(const Screen *screen, const json_t *detail)
{
	const json_t *landing = json_object_get(detail, "landing");
	const char *state = json_text(landing, "state");
	g_autofree char *landed = show_time(landing, "landed");
	screen_part(screen, STYLE_STRONG, "%s %" G_GINT64_FORMAT, json_text(detail, "product"),
		json_integer_of(landing, "ordinal"));
	screen_part(screen, show_state_style(state), "  %s", state);
	screen_line(screen, "%s%s", show_is_true(landing, "in_tree") ? "" : ", rolled back since",
		show_is_true(landing, "deployable") ? ", may be deployed" : "");
	screen_line(screen, "  revision %s on %s", json_text(landing, "revision"),
		json_text(detail, "branch"));
	screen_line(screen, "  landed %s by %s <%s>", landed, json_text(landing, "author"),
		json_text(landing, "email"));
	show_ordinals(screen, "rolls back", json_object_get(landing, "rolls_back"));
	show_ordinals(screen, "fixes", json_object_get(landing, "fixes"));
	gsize index;
	json_t *each;
	json_array_foreach (json_object_get(landing, "items"), index, each)
		screen_line(screen, "  item %s: %s  %s", json_text(each, "id"),
			json_text(each, "counts_as"),
			json_text(each, "url") != NULL ? json_text(each, "url") : "");
	json_array_foreach (json_object_get(landing, "notes"), index, each)
		screen_line(screen, "  note: %s", json_string_value(each));
	screen_line(screen, "%s", "");
	screen_block(screen, 4, json_text(detail, "message"));
}

static gboolean run_show(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autofree char *product = invocation_product(invocation, NULL, error);
	if (product == NULL)
		return FALSE;
	g_autoptr(json_t) detail = invocation_call(invocation, "GET", NULL, NULL, error, "products",
		product, "landings", invocation_argument(invocation, 0), NULL);
	if (detail == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, detail);
		return TRUE;
	}
	const json_t *why_not = json_object_get(detail, "why_not");
	show_detail(screen, detail);
	show_commits(screen, json_object_get(detail, "commits"));
	show_verdicts(screen, json_object_get(detail, "verdicts"));
	if (json_array_size(why_not) > 0) {
		screen_line(screen, "%s", "");
		screen_line(screen, "As a tip it may not be deployed, because of:");
		show_landings(screen, why_not, 2);
		show_needs(screen, json_object_get(detail, "needs"), why_not, product,
			invocation_has(invocation, "product"));
	}
	return TRUE;
}

/* {"landings":[…]}, or the list alone. */
static json_t *read_import(const char *path, GError **error)
{
	gsize size_bytes = 0;
	g_autofree char *text =
		commands_read_input(path, API_MAXIMUM_IMPORT_BYTES, &size_bytes, error);
	g_autoptr(json_t) read = text != NULL ? json_read(path, text, size_bytes, error) : NULL;
	if (read == NULL)
		return NULL;
	if (json_is_array(read))
		return json_pack("{s:O}", "landings", read);
	if (json_is_array(json_object_get(read, "landings")))
		return g_steal_pointer(&read);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s: must be {\"landings\": [...]} or a list of landings", path);
	return NULL;
}

static gboolean run_import(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autofree char *product = invocation_product(invocation, NULL, error);
	json_t *body =
		product != NULL ? read_import(invocation_argument(invocation, 0), error) : NULL;
	if (body == NULL)
		return FALSE;
	const char *reason = invocation_option(invocation, "reason");
	if (reason != NULL)
		json_object_set_new(body, "reason", json_text_or_null(reason));
	g_autoptr(Progress) progress = progress_begin(screen, "importing");
	g_autoptr(json_t) result = invocation_call(
		invocation, "POST", NULL, body, error, "products", product, "landings", NULL);
	g_clear_pointer(&progress, progress_end);
	if (result == NULL)
		return FALSE;
	g_autofree char *fresh =
		show_count(json_integer_of(result, "new_landings"), "new landing", "new landings");
	g_autofree char *deployable = show_number(result, "deployable");
	screen_done(screen, "%s: %s, %" G_GINT64_FORMAT " known already; deployable %s", product,
		fresh, json_integer_of(result, "unchanged"), deployable);
	if (screen->json)
		screen_json(screen, result);
	return TRUE;
}

static gboolean run_rebase(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autofree char *product =
		invocation_product(invocation, invocation_argument(invocation, 0), error);
	if (product == NULL)
		return FALSE;
	if (!invocation_has(invocation, "confirm")) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"this accepts that %s's branch was rewritten, and reads it anew: say "
			"--confirm "
			"--reason WHY",
			product);
		return FALSE;
	}
	json_t *body = body_of("reason", invocation_option(invocation, "reason"), NULL);
	json_object_set_new(body, "confirm", json_true());
	g_autoptr(json_t) scan = invocation_call(
		invocation, "POST", NULL, body, error, "products", product, "rebase", NULL);
	if (scan == NULL)
		return FALSE;
	show_scan(screen, scan);
	if (screen->json)
		screen_json(screen, scan);
	return TRUE;
}

static gboolean run_where(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autofree char *product = invocation_product(invocation, NULL, error);
	if (product == NULL)
		return FALSE;
	g_autoptr(json_t) answer = invocation_call(invocation, "GET",
		query_of("q", invocation_argument(invocation, 0), NULL), NULL, error, "products",
		product, "where", NULL);
	if (answer == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, answer);
		return TRUE;
	}
	g_autoptr(Table) table = table_new();
	table_column(table, "WHAT", TABLE_LEFT);
	table_column(table, "NAME", TABLE_LEFT);
	table_column(table, "AUTHOR", TABLE_LEFT);
	table_column(table, "LANDING", TABLE_RIGHT);
	table_column(table, "LIVE?", TABLE_ELASTIC);
	gsize index;
	json_t *match;
	json_array_foreach (json_object_get(answer, "matches"), index, match) {
		g_autofree char *landing = show_number(match, "landing");
		table_cell(table, STYLE_PLAIN, json_text(match, "kind"));
		table_cell(table, STYLE_PLAIN, json_text(match, "name"));
		table_cell(table, STYLE_PLAIN, json_text(match, "author"));
		table_cell(table, STYLE_PLAIN, landing);
		table_cell(table, show_is_true(match, "deployable") ? STYLE_GOOD : STYLE_WAITING,
			json_text(match, "why"));
	}
	if (table_rows(table) > 0)
		table_show(table, screen, 0);
	else
		screen_line(screen,
			"Nothing in %s is called '%s': no branch, commit, landing, item or author.",
			product, json_text(answer, "query"));
	return TRUE;
}

static gboolean run_owing(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autofree char *product =
		invocation_product(invocation, invocation_argument(invocation, 0), error);
	if (product == NULL)
		return FALSE;
	g_autoptr(json_t) owners = invocation_call(
		invocation, "GET", NULL, NULL, error, "products", product, "owing", NULL);
	if (owners == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, owners);
		return TRUE;
	}
	if (json_array_size(owners) == 0)
		screen_line(screen, "Nobody owes QA in %s.", product);
	gsize index;
	json_t *owner;
	json_array_foreach (owners, index, owner) {
		screen_part(screen, STYLE_STRONG, "%s <%s>", json_text(owner, "author"),
			json_text(owner, "email"));
		screen_line(screen, "%s", "");
		show_landings(screen, json_object_get(owner, "landings"), 2);
	}
	return TRUE;
}

static const Option product_option[] = {
	{"product", "PRODUCT", "Which product; the only one by default"},
	{0},
};

static const Option list_options[] = {
	{"product", "PRODUCT", "Which product; the only one by default"},
	{"only", "STATE", "Only those that are PENDING, GOOD or BAD"},
	{"author", "TEXT", "Only those by this author: a name or an e-mail address"},
	{"limit", "N", "So many at most, 1 to 1000"},
	{"before", "LANDING", "Only those below this ordinal: the next page"},
	{0},
};

static const Option deployable_options[] = {
	{"product", "PRODUCT", "Which product; the only one by default"},
	{"tip", "LANDING", "Ask about this tip, not the newest: an ordinal"},
	{"from", "FILE",
		"Ask about landings in a JSON file, - for standard input; touches no store"},
	{0},
};

static const Option import_options[] = {
	{"product", "PRODUCT", "Which product; the only one by default"},
	{"reason", "TEXT", "Why, for the history"},
	{0},
};

static const Option rebase_options[] = {
	{"product", "PRODUCT", "Which product; the only one by default"},
	{"confirm", NULL, "Yes, the rewritten branch is the right one"},
	{"reason", "TEXT", "Why, for the history"},
	{0},
};

const Command landing_commands[] = {
	{"landing scan", "[PRODUCT…|all]", 0, COMMAND_ANY_NUMBER,
		"Reads what is new in the git repositories", run_scan, NULL,
		"Reads from the stored tip to the new one; a second time changes nothing. Without "
		"a\n"
		"PRODUCT, or with all, every product that has a repository. With --json a list, or "
		"the\n"
		"one answer when exactly one PRODUCT was named.",
		"drover landing scan\ndrover landing scan web api", "3,6,7,9",
		"landing list, landing deployable, run"},
	{"landing list", "[PRODUCT]", 0, 1, "Shows landings, newest first", run_list, list_options,
		NULL,
		"drover landing list --only BAD\ndrover landing list web --author ada --limit 20",
		"3", "landing show, landing owing"},
	{"landing show", "LANDING", 1, 1,
		"Shows one landing: commits, items, verdicts, and what keeps it from being "
		"deployed",
		run_show, product_option,
		"LANDING is an ordinal, or 7 or more digits of a revision.",
		"drover landing show 43\ndrover landing show 3f2a9c1 --product web", "3",
		"landing list, qa ok"},
	{"landing deployable", "[PRODUCT]", 0, 1,
		"Says up to where it may be deployed, why no further, and what it would take",
		landing_run_deployable, deployable_options,
		"With --from it reads "
		"{\"landings\":[{\"rev\":4,\"items\":[{\"id\":7,\"state\":\"ok\"}],\n"
		"\"qa\":\"required\",\"rollback_of\":2,\"fixes\":[1]}],\"baseline\":null} and "
		"prints\n"
		"{\"deployable\":4,\"deployable_all\":[1,4],\"blockers\":[]}: no store, no "
		"configuration.",
		"drover landing deployable\ndrover landing deployable web --json\ndrover landing "
		"deployable --from what-if.json",
		"3", "landing owing, qa ok, product show"},
	{"landing import", "FILE", 1, 1, "Takes landings from a JSON file, without version control",
		run_import, import_options,
		"FILE is {\"landings\":[…]} or the list alone; - is standard input. What is known "
		"already\n"
		"is left alone.",
		"drover landing import landings.json --product web\ntagger --json | drover landing "
		"import -",
		"3,4,6,7", "landing scan"},
	{"landing rebase", "[PRODUCT]", 0, 1,
		"Accepts that the branch was rewritten, and reads it anew", run_rebase,
		rebase_options,
		"After a force push the last answer stays, frozen, until somebody looked and said "
		"so.",
		"drover landing rebase web --confirm --reason 'dropped a leaked key'", "3,6,7",
		"landing scan"},
	{"landing where", "QUERY", 1, 1, "Answers \"is my branch live?\"", run_where,
		product_option, "QUERY is a branch, a commit, a landing, an item or an author.",
		"drover landing where fix-login\ndrover landing where ada@example.org", "3",
		"landing show"},
	{"landing owing", "[PRODUCT]", 0, 1, "Shows who owes QA, and for what", run_owing,
		product_option, NULL, "drover landing owing", "3", "remind, qa ok"},
	{0},
};
