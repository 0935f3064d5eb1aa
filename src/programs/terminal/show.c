/* SPDX-License-Identifier: ISC
 *
 * How the API's answers look on a terminal.
 */
#include "programs/terminal/show.h"

#include <stdio.h>
#include <string.h>

#include "base/format.h"

enum { REVISION_DIGITS = 10, STRIP_INDENT = 2 };

char *show_time(const json_t *object, const char *key)
{
	const char *text = json_text(object, key);
	gint64 time_us;
	if (text == NULL || !parse_time(text, &time_us, NULL))
		return g_strdup("-");
	return format_time_short(time_us);
}

const char *show_text(const json_t *object, const char *key)
{
	const char *text = json_text(object, key);
	return text != NULL ? text : "-";
}

char *show_number(const json_t *object, const char *key)
{
	if (!json_is_integer(json_object_get(object, key)))
		return g_strdup("-");
	return g_strdup_printf("%" G_GINT64_FORMAT, json_integer_of(object, key));
}

char *show_count(gint64 count, const char *one, const char *many)
{
	g_autofree char *number = format_count(count);
	return g_strdup_printf("%s %s", number, count == 1 ? one : many);
}

char *show_revision(const char *revision)
{
	if (revision == NULL)
		return g_strdup("-");
	return g_utf8_validate(revision, -1, NULL) && g_utf8_strlen(revision, -1) > REVISION_DIGITS
		       ? g_utf8_substring(revision, 0, REVISION_DIGITS)
		       : g_strdup(revision);
}

gboolean show_is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

Style show_state_style(const char *state)
{
	if (g_strcmp0(state, "GOOD") == 0 || g_strcmp0(state, "ok") == 0)
		return STYLE_GOOD;
	if (g_strcmp0(state, "BAD") == 0 || g_strcmp0(state, "bad") == 0)
		return STYLE_BAD;
	return g_strcmp0(state, "untestable") == 0 ? STYLE_PLAIN : STYLE_WAITING;
}

/* "7 ok, 9 bad, 12?": a question mark is an item that needs testing. Caller frees. */
static char *items_text(const json_t *items)
{
	GString *text = g_string_new(NULL);
	gsize index;
	json_t *item;
	json_array_foreach (items, index, item) {
		const char *state = json_text(item, "counts_as");
		g_string_append_printf(text, "%s%s", index > 0 ? ", " : "", json_text(item, "id"));
		if (g_strcmp0(state, "needs-testing") == 0)
			g_string_append_c(text, '?');
		else
			g_string_append_printf(text, " %s", state);
	}
	return g_string_free(text, FALSE);
}

/* "BAD", "PENDING, undone", "GOOD, deployable". Caller frees. */
static char *state_text(const json_t *landing)
{
	return g_strdup_printf("%s%s", json_text(landing, "state"),
		!show_is_true(landing, "in_tree")     ? ", undone"
		: show_is_true(landing, "deployable") ? ", deployable"
						      : "");
}

void show_landings(const Screen *screen, const json_t *landings, guint indent)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "LANDING", TABLE_RIGHT);
	table_column(table, "REVISION", TABLE_LEFT);
	table_column(table, "STATE", TABLE_LEFT);
	table_column(table, "LANDED", TABLE_LEFT);
	table_column(table, "AUTHOR", TABLE_LEFT);
	table_column(table, "ITEMS", TABLE_LEFT);
	table_column(table, "SUBJECT", TABLE_ELASTIC);
	gsize index;
	json_t *landing;
	json_array_foreach (landings, index, landing) {
		g_autofree char *revision = show_revision(json_text(landing, "revision"));
		g_autofree char *landed = show_time(landing, "landed");
		g_autofree char *items = items_text(json_object_get(landing, "items"));
		g_autofree char *state = state_text(landing);
		gboolean dim = !show_is_true(landing, "in_tree");
		table_cell_integer(table, json_integer_of(landing, "ordinal"));
		table_cell(table, STYLE_DIM, revision);
		table_cell(table, dim ? STYLE_DIM : show_state_style(json_text(landing, "state")),
			state);
		table_cell(table, STYLE_PLAIN, landed);
		table_cell(table, STYLE_PLAIN, json_text(landing, "author"));
		table_cell(table, STYLE_PLAIN, items);
		table_cell(table, STYLE_PLAIN, json_text(landing, "subject"));
	}
	table_show(table, screen, indent);
}

void show_products(const Screen *screen, const json_t *products)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "PRODUCT", TABLE_LEFT);
	table_column(table, "BRANCH", TABLE_LEFT);
	table_column(table, "DEPLOYABLE", TABLE_RIGHT);
	table_column(table, "TIP", TABLE_RIGHT);
	table_column(table, "BLOCKERS", TABLE_RIGHT);
	table_column(table, "WAITING", TABLE_RIGHT);
	table_column(table, "SCANNED", TABLE_LEFT);
	table_column(table, "TITLE", TABLE_ELASTIC);
	gsize index;
	json_t *product;
	json_array_foreach (products, index, product) {
		g_autofree char *deployable = show_number(product, "deployable");
		g_autofree char *tip = show_number(product, "tip");
		g_autofree char *scanned = show_time(product, "scanned");
		const char *frozen = json_text(product, "frozen");
		table_cell(table, STYLE_STRONG, json_text(product, "name"));
		table_cell(table, STYLE_PLAIN, json_text(product, "branch"));
		table_cell(table, STYLE_GOOD, deployable);
		table_cell(table, STYLE_PLAIN, tip);
		table_cell_integer(table, json_integer_of(product, "blocker_count"));
		table_cell_integer(table, json_integer_of(product, "waiting"));
		table_cell(table, frozen != NULL ? STYLE_BAD : STYLE_PLAIN,
			frozen != NULL ? "FROZEN" : scanned);
		table_cell(table, STYLE_PLAIN, json_text(product, "title"));
	}
	table_show(table, screen, 0);
}

static const json_t *find_landing(const json_t *landings, gint64 ordinal)
{
	gsize index;
	json_t *landing;
	json_array_foreach (landings, index, landing)
		if (json_integer_of(landing, "ordinal") == ordinal)
			return landing;
	return NULL;
}

/* A word of a shell, quoted when it is not a plain one. Caller frees. */
static char *shell_word(const char *text)
{
	gboolean plain = *text != '\0';
	for (const char *c = text; *c != '\0'; c++)
		plain = plain && (g_ascii_isalnum(*c) || strchr("-_.:+@", *c) != NULL);
	return plain ? g_strdup(text) : g_shell_quote(text);
}

static char *need_command(const json_t *need, const char *product)
{
	const char *item = json_text(need, "item");
	g_autofree char *item_word = item != NULL ? shell_word(item) : NULL;
	g_autofree char *product_word = product != NULL ? shell_word(product) : NULL;
	return g_strdup_printf("drover qa ok%s%s %" G_GINT64_FORMAT "%s%s",
		product_word != NULL ? " --product " : "", product_word != NULL ? product_word : "",
		json_integer_of(need, "landing"), item_word != NULL ? " " : "",
		item_word != NULL ? item_word : "");
}

static char *need_reason(const json_t *need, const json_t *blockers)
{
	const char *item = json_text(need, "item"), *now = json_text(need, "now");
	const json_t *landing = find_landing(blockers, json_integer_of(need, "landing"));
	g_autofree char *revision = show_revision(json_text(landing, "revision"));
	g_autofree char *what = item != NULL ? g_strconcat("item ", item, " is ", now, NULL)
					     : g_strconcat("the landing itself is ", now, NULL);
	if (!show_is_true(need, "by_fix"))
		return g_strdup(what);
	return g_strdup_printf(
		"%s; or land a revert, or a fix with \"Fixes-Landing: %s\"", what, revision);
}

void show_needs(const Screen *screen, const json_t *needs, const json_t *blockers,
	const char *product, gboolean name_product)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "WHAT WOULD HELP", TABLE_LEFT);
	table_column(table, "BECAUSE", TABLE_LEFT);
	gsize index;
	json_t *need;
	json_array_foreach (needs, index, need) {
		g_autofree char *command = need_command(need, name_product ? product : NULL);
		g_autofree char *reason = need_reason(need, blockers);
		table_cell(table, STYLE_STRONG, command);
		table_cell(table, STYLE_PLAIN, reason);
	}
	if (table_rows(table) == 0)
		return;
	screen_line(screen, "%s", "");
	table_show(table, screen, 2);
}

typedef struct Sign {
	const char *unicode, *ascii;
	const char *meaning;
	Style style;
} Sign;

typedef enum SignKind { SIGN_DEPLOYABLE, SIGN_GOOD, SIGN_PENDING, SIGN_BAD, SIGN_UNDONE } SignKind;

static const Sign signs[] = {
	[SIGN_DEPLOYABLE] = {"●", "#", "deployable", STYLE_GOOD},
	[SIGN_GOOD] = {"○", "o", "good", STYLE_GOOD},
	[SIGN_PENDING] = {"◌", "?", "waits for QA", STYLE_WAITING},
	[SIGN_BAD] = {"✗", "x", "bad", STYLE_BAD},
	[SIGN_UNDONE] = {"·", ".", "undone", STYLE_DIM},
};

static SignKind sign_of(const json_t *landing)
{
	const char *state = json_text(landing, "state");
	if (!show_is_true(landing, "in_tree"))
		return SIGN_UNDONE;
	if (g_strcmp0(state, "BAD") == 0)
		return SIGN_BAD;
	if (g_strcmp0(state, "PENDING") == 0)
		return SIGN_PENDING;
	return show_is_true(landing, "deployable") ? SIGN_DEPLOYABLE : SIGN_GOOD;
}

static const char *sign_text(const Screen *screen, SignKind kind)
{
	return screen->unicode ? signs[kind].unicode : signs[kind].ascii;
}

static void show_legend(const Screen *screen, guint used)
{
	for (guint kind = 0; kind < G_N_ELEMENTS(signs); kind++) {
		if ((used & 1u << kind) == 0)
			continue;
		screen_part(screen, signs[kind].style, "  %s", sign_text(screen, kind));
		screen_part(screen, STYLE_DIM, " %s", signs[kind].meaning);
	}
	screen_line(screen, "%s", "");
}

void show_strip(const Screen *screen, const json_t *strip, const json_t *deployable)
{
	gsize count = json_array_size(strip);
	gsize room = screen->width > 0 ? screen->width - 2 * STRIP_INDENT : count;
	gsize first = count > room ? count - room : 0;
	guint used = 0;
	gssize mark = -1;
	if (count == 0)
		return;
	screen_part(screen, STYLE_PLAIN, "%*s", STRIP_INDENT, "");
	for (gsize i = first; i < count; i++) {
		const json_t *landing = json_array_get(strip, i);
		SignKind kind = sign_of(landing);
		used |= 1u << kind;
		screen_part(screen, signs[kind].style, "%s", sign_text(screen, kind));
		if (json_is_integer(deployable) &&
			json_integer_value(deployable) == json_integer_of(landing, "ordinal"))
			mark = (gssize)(i - first);
	}
	screen_line(screen, "%s", "");
	if (mark >= 0)
		screen_line(screen, "%*s^ %" JSON_INTEGER_FORMAT, (int)mark + STRIP_INDENT, "",
			json_integer_value(deployable));
	show_legend(screen, used);
}

void show_how_to_begin(const Screen *screen, const char *product)
{
	screen_note(screen,
		"Is a landing of %s live already? Accept it and all before it: drover product set "
		"%s "
		"--baseline N",
		product, product);
}
