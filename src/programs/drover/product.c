/* SPDX-License-Identifier: ISC
 *
 * drover product: what is shipped. The settings are one table of options and fields.
 */
#include <string.h>

#include "base/format.h"
#include "programs/drover/commands.h"
#include "programs/terminal/show.h"

typedef enum FieldType {
	FIELD_TEXT,
	FIELD_NULLABLE,
	FIELD_FOLDER,
	FIELD_INTEGER,
	FIELD_BASELINE,
	FIELD_BOOLEAN
} FieldType;

typedef struct Field {
	const char *option, *field;
	FieldType type;
} Field;

static const Field fields[] = {
	{"title", "title", FIELD_TEXT},
	{"repository", "repository", FIELD_FOLDER},
	{"branch", "branch", FIELD_TEXT},
	{"item-patterns", "item_patterns", FIELD_TEXT},
	{"item-url", "item_url", FIELD_NULLABLE},
	{"authors-may-rule", "authors_may_rule", FIELD_BOOLEAN},
	{"baseline", "baseline", FIELD_BASELINE},
	{"mail-list", "mail_list", FIELD_NULLABLE},
	{"overdue-days", "overdue_days", FIELD_INTEGER},
	{"overdue-every-days", "overdue_every_days", FIELD_INTEGER},
	{"remind", "remind", FIELD_BOOLEAN},
	{"reason", "reason", FIELD_TEXT},
};

static gboolean is_none(const char *text)
{
	return *text == '\0' || strcmp(text, "none") == 0;
}

static json_t *boolean_of(const Field *field, const char *text, GError **error)
{
	if (strcmp(text, "yes") == 0)
		return json_true();
	if (strcmp(text, "no") == 0)
		return json_false();
	drover_error_set(
		error, DROVER_ERROR_INPUT, "--%s is yes or no, not '%s'", field->option, text);
	return NULL;
}

static json_t *integer_of(const Field *field, const char *text, GError **error)
{
	gint64 value;
	g_autofree char *what = g_strconcat("--", field->option, NULL);
	if (!parse_integer(text, what, 0, G_MAXINT32, &value, error))
		return NULL;
	return json_integer(value);
}

/* On the store a folder is meant as seen from here; on a server, as seen from there. */
static json_t *folder_of(Invocation *invocation, const char *text)
{
	if (is_none(text))
		return json_null();
	if (invocation_server(invocation) != NULL || strstr(text, "://") != NULL)
		return json_text_or_null(text);
	g_autofree char *whole = g_canonicalize_filename(text, NULL);
	return json_text_or_null(whole);
}

static json_t *value_of(
	Invocation *invocation, const Field *field, const char *text, GError **error)
{
	switch (field->type) {
	case FIELD_TEXT:
		return json_text_or_null(text);
	case FIELD_NULLABLE:
		return is_none(text) ? json_null() : json_text_or_null(text);
	case FIELD_FOLDER:
		return folder_of(invocation, text);
	case FIELD_BASELINE:
		return is_none(text) ? json_null() : integer_of(field, text, error);
	case FIELD_INTEGER:
		return integer_of(field, text, error);
	case FIELD_BOOLEAN:
		return boolean_of(field, text, error);
	}
	g_assert_not_reached();
}

/* Puts every setting that was given into `body`. */
static gboolean read_settings(Invocation *invocation, json_t *body, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		const char *text = invocation_option(invocation, fields[i].option);
		if (text == NULL)
			continue;
		json_t *value = value_of(invocation, &fields[i], text, error);
		if (value == NULL)
			return FALSE;
		json_object_set_new(body, fields[i].field, value);
	}
	return TRUE;
}

static gboolean show_settings_line(const Screen *screen, const json_t *settings, const char *done)
{
	if (screen->json)
		screen_json(screen, settings);
	screen_done(screen, "%s %s (branch %s, repository %s)", done, json_text(settings, "name"),
		show_text(settings, "branch"), show_text(settings, "repository"));
	return TRUE;
}

static gboolean run_add(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	json_t *body = body_of("name", invocation_argument(invocation, 0), NULL);
	if (!read_settings(invocation, body, error)) {
		json_decref(body);
		return FALSE;
	}
	g_autoptr(json_t) settings =
		invocation_call(invocation, "POST", NULL, body, error, "products", NULL);
	if (settings == NULL)
		return FALSE;
	if (json_text(settings, "repository") != NULL)
		screen_note(screen, "next: drover landing scan %s", json_text(settings, "name"));
	return show_settings_line(screen, settings, "added");
}

static gboolean run_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) products =
		invocation_call(invocation, "GET", NULL, NULL, error, "products", NULL);
	if (products == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, products);
	else
		show_products(screen, products);
	return TRUE;
}

static void show_setting(const Screen *screen, const char *name, const json_t *value)
{
	if (json_is_null(value) || value == NULL)
		screen_line(screen, "  %-20s none", name);
	else if (json_is_boolean(value))
		screen_line(screen, "  %-20s %s", name, json_is_true(value) ? "yes" : "no");
	else if (json_is_integer(value))
		screen_line(
			screen, "  %-20s %" JSON_INTEGER_FORMAT, name, json_integer_value(value));
	else
		screen_line(screen, "  %-20s %s", name, json_string_value(value));
}

static void show_product(const Screen *screen, const json_t *product, gboolean name_product)
{
	const json_t *settings = json_object_get(product, "settings");
	const json_t *summary = json_object_get(product, "summary");
	const json_t *blockers = json_object_get(product, "blockers");
	const char *name = json_text(settings, "name");
	g_autofree char *tip = show_number(summary, "tip");
	g_autofree char *deployable = show_number(summary, "deployable");
	g_autofree char *scanned = show_time(summary, "scanned");
	screen_part(screen, STYLE_STRONG, "%s", name);
	screen_line(screen, "  %s: deployable %s, tip %s, scanned %s", json_text(settings, "title"),
		deployable, tip, scanned);
	if (json_text(summary, "frozen") != NULL) {
		screen_part(screen, STYLE_BAD, "FROZEN: ");
		screen_line(screen, "%s", json_text(summary, "frozen"));
	}
	show_strip(
		screen, json_object_get(summary, "strip"), json_object_get(summary, "deployable"));
	screen_line(screen, "%s", "");
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
		if (strcmp(fields[i].option, "reason") != 0)
			show_setting(screen, fields[i].option,
				json_object_get(settings, fields[i].field));
	if (json_array_size(blockers) > 0) {
		screen_line(screen, "%s", "");
		screen_line(screen, "What blocks the tip:");
		show_landings(screen, blockers, 2);
		show_needs(screen, json_object_get(product, "needs"), blockers, name, name_product);
	}
	gsize index;
	json_t *owner;
	json_array_foreach (json_object_get(product, "owing"), index, owner) {
		g_autofree char *count =
			show_count((gint64)json_array_size(json_object_get(owner, "landings")),
				"landing", "landings");
		if (index == 0) {
			screen_line(screen, "%s", "");
			screen_line(screen, "Who owes QA:");
		}
		screen_line(screen, "  %s <%s>: %s", json_text(owner, "author"),
			json_text(owner, "email"), count);
	}
}

static gboolean run_show(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autofree char *name =
		invocation_product(invocation, invocation_argument(invocation, 0), error);
	if (name == NULL)
		return FALSE;
	g_autoptr(json_t) product =
		invocation_call(invocation, "GET", NULL, NULL, error, "products", name, NULL);
	if (product == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, product);
	else
		show_product(screen, product,
			invocation_arguments(invocation) > 0 ||
				invocation_has(invocation, "product"));
	return TRUE;
}

/* The version that the change is made from: the one named, or the one that is there now. */
static gboolean add_version(Invocation *invocation, const char *name, json_t *body, GError **error)
{
	gint64 version;
	if (!invocation_integer(invocation, "data-version", 0, 1, G_MAXINT64, &version, error))
		return FALSE;
	if (version == 0) {
		g_autoptr(json_t) product = invocation_call(
			invocation, "GET", NULL, NULL, error, "products", name, NULL);
		if (product == NULL)
			return FALSE;
		version = json_integer_of(json_object_get(product, "settings"), "data_version");
	}
	json_object_set_new(body, "data_version", json_integer(version));
	return TRUE;
}

static gboolean run_set(Invocation *invocation, GError **error)
{
	g_autofree char *name =
		invocation_product(invocation, invocation_argument(invocation, 0), error);
	if (name == NULL)
		return FALSE;
	g_autoptr(json_t) body = json_object();
	if (!read_settings(invocation, body, error))
		return FALSE;
	if (json_object_size(body) == (json_object_get(body, "reason") != NULL ? 1u : 0u)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"nothing to set: name a setting, as --branch main; drover help product set "
			"lists them");
		return FALSE;
	}
	if (!add_version(invocation, name, body, error))
		return FALSE;
	g_autoptr(json_t) settings = invocation_call(
		invocation, "PATCH", NULL, json_incref(body), error, "products", name, NULL);
	return settings != NULL &&
	       show_settings_line(invocation_screen(invocation), settings, "set");
}

#define SETTING_OPTIONS                                                                            \
	{"title", "TEXT", "What people call it"},                                                  \
		{"repository", "DIR",                                                              \
			"Folder of the git repository; none: landings are imported"},              \
		{"branch", "NAME", "The branch whose first-parent line is read"},                  \
		{"item-patterns", "LIST",                                                          \
			"Which forms in messages name items, separated by commas"},                \
		{"item-url", "URL", "Link to an item, with {item} in it; none"},                   \
		{"authors-may-rule", "YES|NO", "Whether \"QA: ok\" in a message counts"},          \
		{"baseline", "LANDING", "Landings up to this ordinal are accepted; none"},         \
		{"mail-list", "ADDRESS", "Where overdue mail goes; none"},                         \
		{"overdue-days", "N", "Days after which a landing without QA is overdue"},         \
		{"overdue-every-days", "N", "Days between two overdue mails"},                     \
		{"remind", "YES|NO", "Whether owners get daily reminders"},                        \
	{                                                                                          \
		"reason", "TEXT", "Why, for the history"                                           \
	}

static const Option add_options[] = {SETTING_OPTIONS, {0}};

static const Option set_options[] = {
	SETTING_OPTIONS,
	{"product", "PRODUCT", "Which product; the only one by default"},
	{"data-version", "N", "Refuse unless the settings are still at this version"},
	{0},
};

static const Option show_options[] = {
	{"product", "PRODUCT", "Which product; the only one by default"},
	{0},
};

const Command product_commands[] = {
	{"product add", "NAME", 1, 1, "Adds a product", run_add, add_options, NULL,
		"drover product add web --repository /srv/git/web.git --branch main\n"
		"drover product add firmware --title Firmware   # landings are imported",
		"4,5,7", "product set, landing scan, landing import"},
	{"product list", "", 0, 0, "Shows every product with its tip and what is deployable",
		run_list, NULL, NULL, "drover product list", NULL, "status, product show"},
	{"product show", "[PRODUCT]", 0, 1,
		"Shows one product: settings, landings, what blocks, who owes QA", run_show,
		show_options, NULL, "drover product show web", "3", "landing deployable"},
	{"product set", "[PRODUCT]", 0, 1, "Changes settings of a product", run_set, set_options,
		"Only what is named is changed. A change that somebody made meanwhile is never\n"
		"overwritten: then it says conflict.",
		"drover product set web --mail-list qa@example.org --overdue-days 3\n"
		"drover product set web --baseline 120 --reason 'accepted by ada'",
		"3,4,7", "product show"},
	{0},
};
