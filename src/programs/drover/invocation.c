/* SPDX-License-Identifier: ISC
 *
 * One run of the command. Options may stand before, between and after words; "--" ends them. Words
 * name the command first, then are its arguments.
 */
#include "programs/drover/invocation.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "base/log.h"
#include "programs/drover/place.h"

struct Invocation {
	char *program;
	const CommandGroup *group;
	const Command *command;
	GPtrArray *arguments; /* char * */
	GHashTable *options;  /* name -> value; a switch's is "" */
	Screen screen;
	Clock clock;
	Settings *settings;
	Port *port;
};

static gboolean usage_error(GError **error, const char *problem, const char *typed,
	const char *nearest, const char *ask)
{
	g_autofree char *hint = nearest != NULL ? g_strdup_printf("; did you mean '%s'?", nearest)
						: g_strdup_printf("; '%s' lists them", ask);
	drover_error_set(error, DROVER_ERROR_INPUT, "%s '%s'%s", problem, typed, hint);
	return FALSE;
}

static char *help_of(const Invocation *invocation)
{
	if (invocation->command != NULL)
		return g_strdup_printf("drover help %s", invocation->command->name);
	if (invocation->group != NULL)
		return g_strdup_printf("drover help %s", invocation->group->name);
	return g_strdup("drover help");
}

/* The first word, or the second one of a group. */
static gboolean take_command_word(Invocation *invocation, const char *word, GError **error)
{
	const CommandGroup *group = invocation->group;
	g_autofree char *name =
		group != NULL ? g_strconcat(group->name, " ", word, NULL) : g_strdup(word);
	g_autofree char *ask = help_of(invocation);
	invocation->command = command_find(name);
	if (invocation->command != NULL)
		return TRUE;
	if (group != NULL) {
		g_autofree char *problem = g_strdup_printf("drover %s: no command", group->name);
		return usage_error(error, problem, word, command_nearest(group, word), ask);
	}
	invocation->group = command_find_group(word);
	return invocation->group != NULL ||
	       usage_error(error, "no command", word, command_nearest(NULL, word), ask);
}

static gboolean take_word(Invocation *invocation, const char *word, GError **error)
{
	if (invocation->command == NULL)
		return take_command_word(invocation, word, error);
	g_ptr_array_add(invocation->arguments, g_strdup(word));
	return TRUE;
}

/* `word` begins with --; `next` is the word after it or NULL. *used says that `next` was its value.
 */
static gboolean take_option(
	Invocation *invocation, const char *word, const char *next, gboolean *used, GError **error)
{
	const char *equals = strchr(word, '=');
	g_autofree char *name = equals != NULL ? g_strndup(word + 2, (gsize)(equals - word - 2))
					       : g_strdup(word + 2);
	const Option *option = command_find_option(invocation->command, name);
	if (option == NULL) {
		const char *near = command_nearest_option(invocation->command, name);
		g_autofree char *meant = near != NULL ? g_strconcat("--", near, NULL) : NULL;
		g_autofree char *typed = g_strconcat("--", name, NULL);
		g_autofree char *ask = help_of(invocation);
		return usage_error(error, "no option", typed, meant, ask);
	}
	if (option->argument == NULL && equals != NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT, "--%s takes no value", name);
		return FALSE;
	}
	*used = option->argument != NULL && equals == NULL;
	const char *value = equals != NULL ? equals + 1 : *used ? next : "";
	if (value == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT, "--%s needs a value: --%s %s", name,
			name, option->argument);
		return FALSE;
	}
	g_hash_table_replace(invocation->options, g_steal_pointer(&name), g_strdup(value));
	return TRUE;
}

static gboolean take_all(Invocation *invocation, int argc, char **argv, GError **error)
{
	gboolean words_only = FALSE;
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		gboolean used = FALSE;
		if (!words_only && strcmp(word, "-h") == 0)
			word = "--help";
		if (!words_only && strcmp(word, "--") == 0)
			words_only = TRUE;
		else if (!words_only && g_str_has_prefix(word, "--")) {
			if (!take_option(invocation, word, i + 1 < argc ? argv[i + 1] : NULL, &used,
				    error))
				return FALSE;
			i += used;
		} else if (!words_only && *word == '-' && word[1] != '\0') {
			g_autofree char *ask = help_of(invocation);
			return usage_error(error, "no option", word, NULL, ask);
		} else if (!take_word(invocation, word, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_count(const Invocation *invocation, GError **error)
{
	const Command *command = invocation->command;
	guint count = invocation->arguments->len;
	if (command == NULL || invocation_has(invocation, "help") ||
		(count >= command->least && count <= command->most))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "drover %s: too %s; usage: drover %s %s",
		command->name, count < command->least ? "little was said" : "many words",
		command->name, command->arguments);
	return FALSE;
}

gboolean invocation_parse(int argc, char **argv, Invocation **invocation, GError **error)
{
	Invocation *made = g_new0(Invocation, 1);
	*invocation = made;
	made->program = g_strdup(argc > 0 ? argv[0] : "drover");
	made->arguments = g_ptr_array_new_with_free_func(g_free);
	made->options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return take_all(made, argc, argv, error) && check_count(made, error);
}

static gboolean read_color(const Invocation *invocation, ColorWhen *when, GError **error)
{
	static const char *const names[] = {"auto", "always", "never"};
	const char *said = invocation_option(invocation, "color");
	*when = COLOR_AUTO;
	for (guint i = 0; said != NULL && i < G_N_ELEMENTS(names); i++) {
		if (strcmp(said, names[i]) == 0) {
			*when = (ColorWhen)i;
			return TRUE;
		}
	}
	if (said == NULL)
		return TRUE;
	drover_error_set(
		error, DROVER_ERROR_INPUT, "--color is auto, always or never, not '%s'", said);
	return FALSE;
}

gboolean invocation_prepare(Invocation *invocation, GError **error)
{
	const char *now = invocation_option(invocation, "now");
	gint64 now_us = 0;
	ColorWhen when;
	if (!read_color(invocation, &when, error) ||
		(now != NULL && !parse_time(now, &now_us, error)))
		return FALSE;
	invocation->clock = now != NULL ? clock_fixed(now_us) : CLOCK_SYSTEM;
	invocation->screen.json = invocation_has(invocation, "json");
	invocation->screen.quiet = invocation_has(invocation, "quiet");
	screen_look(&invocation->screen, when);
	gboolean log_json = invocation_has(invocation, "log-json");
	/* On a terminal the answer says what the log would. */
	gboolean few = !log_json && (invocation->screen.quiet || isatty(STDERR_FILENO));
	log_setup(log_json ? LOG_FORMAT_JSON : log_format_for_stderr(),
		few ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, STDERR_FILENO);
	return TRUE;
}

void invocation_free(Invocation *invocation)
{
	if (invocation == NULL)
		return;
	port_close(invocation->port);
	settings_free(invocation->settings);
	g_ptr_array_unref(invocation->arguments);
	g_hash_table_unref(invocation->options);
	g_free(invocation->program);
	g_free(invocation);
}

const Command *invocation_command(const Invocation *invocation)
{
	return invocation->command;
}

const CommandGroup *invocation_group(const Invocation *invocation)
{
	return invocation->group;
}

const Screen *invocation_screen(const Invocation *invocation)
{
	return &invocation->screen;
}

Clock invocation_clock(const Invocation *invocation)
{
	return invocation->clock;
}

const char *invocation_program(const Invocation *invocation)
{
	return invocation->program;
}

guint invocation_arguments(const Invocation *invocation)
{
	return invocation->arguments->len;
}

const char *invocation_argument(const Invocation *invocation, guint index)
{
	return index < invocation->arguments->len ? invocation->arguments->pdata[index] : NULL;
}

const char *invocation_option(const Invocation *invocation, const char *name)
{
	return g_hash_table_lookup(invocation->options, name);
}

gboolean invocation_has(const Invocation *invocation, const char *name)
{
	return invocation_option(invocation, name) != NULL;
}

gboolean invocation_integer(const Invocation *invocation, const char *name, gint64 fallback,
	gint64 minimum, gint64 maximum, gint64 *value, GError **error)
{
	const char *text = invocation_option(invocation, name);
	g_autofree char *what = g_strconcat("--", name, NULL);
	*value = fallback;
	return text == NULL || parse_integer(text, what, minimum, maximum, value, error);
}

Settings *invocation_settings(Invocation *invocation, GError **error)
{
	if (invocation->settings == NULL)
		invocation->settings = place_settings(invocation, error);
	return invocation->settings;
}

Port *invocation_port(Invocation *invocation, GError **error)
{
	Settings *settings = invocation_settings(invocation, error);
	if (settings != NULL && invocation->port == NULL)
		invocation->port = place_open(invocation, settings, error);
	return invocation->port;
}

Store *invocation_opened_store(const Invocation *invocation)
{
	return invocation->port != NULL ? invocation->port->store : NULL;
}

const char *invocation_server(Invocation *invocation)
{
	Settings *settings = invocation_settings(invocation, NULL);
	return settings != NULL ? settings_text(settings, "server.url") : NULL;
}

gboolean invocation_may_open_store(Invocation *invocation, GError **error)
{
	if (invocation_settings(invocation, error) == NULL)
		return FALSE;
	if (invocation_server(invocation) == NULL)
		return place_allows_root(invocation, error);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"drover %s needs the store itself: run it on the control host, without --server",
		invocation->command->name);
	return FALSE;
}

Store *invocation_store(Invocation *invocation, GError **error)
{
	if (!invocation_may_open_store(invocation, error))
		return NULL;
	Port *port = invocation_port(invocation, error);
	return port != NULL ? port->store : NULL;
}

void invocation_same_place(Invocation *invocation, GPtrArray *arguments)
{
	static const char *const names[] = {"config", "store", "state", "now"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *value = invocation_option(invocation, names[i]);
		if (value != NULL)
			g_ptr_array_add(arguments, g_strdup_printf("--%s=%s", names[i], value));
	}
	if (invocation_has(invocation, "allow-root"))
		g_ptr_array_add(arguments, g_strdup("--allow-root"));
}

/* "/products/web/landings"; NULL with `error` for a segment that cannot be one. */
static char *path_of(va_list segments, GError **error)
{
	g_autoptr(GString) path = g_string_new(NULL);
	for (const char *segment; (segment = va_arg(segments, const char *)) != NULL;) {
		if (*segment == '\0' || strchr(segment, '/') != NULL ||
			strspn(segment, ".") == strlen(segment)) {
			drover_error_set(
				error, DROVER_ERROR_INPUT, "'%s' is no name of anything", segment);
			return NULL;
		}
		g_string_append_printf(path, "/%s", segment);
	}
	return g_string_free(g_steal_pointer(&path), FALSE);
}

json_t *invocation_call(Invocation *invocation, const char *method, GHashTable *query, json_t *body,
	GError **error, ...)
{
	va_list segments;
	va_start(segments, error);
	g_autofree char *path = path_of(segments, error);
	va_end(segments);
	Port *port = path != NULL ? invocation_port(invocation, error) : NULL;
	json_t *answer = port != NULL ? port_call(port, method, path, query, body, error) : NULL;
	if (query != NULL)
		g_hash_table_unref(query);
	json_decref(body);
	return answer;
}

GHashTable *query_of(const char *name, ...)
{
	GHashTable *query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	va_list pairs;
	va_start(pairs, name);
	for (; name != NULL; name = va_arg(pairs, const char *)) {
		const char *value = va_arg(pairs, const char *);
		if (value != NULL)
			g_hash_table_insert(query, g_strdup(name), g_strdup(value));
	}
	va_end(pairs);
	return query;
}

json_t *body_of(const char *name, ...)
{
	json_t *body = json_object();
	va_list pairs;
	va_start(pairs, name);
	for (; name != NULL; name = va_arg(pairs, const char *)) {
		const char *value = va_arg(pairs, const char *);
		if (value != NULL)
			json_object_set_new(body, name, json_text_or_null(value));
	}
	va_end(pairs);
	return body;
}

static char *only_product(const json_t *products, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);
	gsize index;
	json_t *product;
	json_array_foreach (products, index, product)
		g_string_append_printf(
			names, "%s%s", index > 0 ? ", " : "", json_text(product, "name"));
	if (json_array_size(products) == 1)
		return g_string_free(g_steal_pointer(&names), FALSE);
	if (json_array_size(products) == 0)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"there is no product yet: drover product add NAME --repository DIR");
	else
		drover_error_set(error, DROVER_ERROR_INPUT,
			"which product? Name one with --product: %s", names->str);
	return NULL;
}

char *invocation_product(Invocation *invocation, const char *named, GError **error)
{
	const char *option = invocation_option(invocation, "product");
	if (named != NULL && option != NULL && strcmp(named, option) != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%s' or --product %s? Name one product", named, option);
		return NULL;
	}
	if (named != NULL || option != NULL)
		return g_strdup(named != NULL ? named : option);
	g_autoptr(json_t) products =
		invocation_call(invocation, "GET", NULL, NULL, error, "products", NULL);
	return products != NULL ? only_product(products, error) : NULL;
}
