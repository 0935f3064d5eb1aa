/* SPDX-License-Identifier: ISC
 *
 * What was typed. Options may stand before, between and after words; "--" ends them. Words
 * name the command first, then are its arguments.
 */
#include "programs/terminal/typed.h"

#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "base/log.h"

struct Invocation {
	char *program;
	const CommandGroup *group;
	const Command *command;
	GPtrArray *arguments; /* char * */
	GHashTable *options;  /* name -> value; a switch's is "" */
	GHashTable *repeated; /* name -> GPtrArray of char *: every value that was given */
	Screen screen;
	Clock clock;
	gpointer place; /* of invocation_keep_place() */
	GDestroyNotify free_place;
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
	const char *name = invocation->command != NULL ? invocation->command->name
			   : invocation->group != NULL ? invocation->group->name
						       : NULL;
	return g_strjoin(" ", command_program.name, "help", name, NULL);
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
		g_autofree char *problem =
			g_strdup_printf("%s %s: no command", command_program.name, group->name);
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

static void note_value(Invocation *invocation, const char *name, const char *value)
{
	GPtrArray *values = g_hash_table_lookup(invocation->repeated, name);
	if (values == NULL) {
		values = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(invocation->repeated, g_strdup(name), values);
	}
	g_ptr_array_add(values, g_strdup(value));
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
	note_value(invocation, name, value);
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
	drover_error_set(error, DROVER_ERROR_INPUT, "%s %s: too %s; usage: %s %s %s",
		command_program.name, command->name,
		count < command->least ? "little was said" : "many words", command_program.name,
		command->name, command->arguments);
	return FALSE;
}

gboolean invocation_parse(int argc, char **argv, Invocation **invocation, GError **error)
{
	Invocation *made = g_new0(Invocation, 1);
	*invocation = made;
	made->program = g_strdup(argc > 0 ? argv[0] : command_program.name);
	made->arguments = g_ptr_array_new_with_free_func(g_free);
	made->options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	made->repeated = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
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
	if (invocation->place != NULL)
		invocation->free_place(invocation->place);
	g_ptr_array_unref(invocation->arguments);
	g_hash_table_unref(invocation->options);
	g_hash_table_unref(invocation->repeated);
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

const GPtrArray *invocation_options(const Invocation *invocation, const char *name)
{
	return g_hash_table_lookup(invocation->repeated, name);
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

gpointer invocation_place(const Invocation *invocation)
{
	return invocation->place;
}

void invocation_keep_place(Invocation *invocation, gpointer place, GDestroyNotify free_place)
{
	g_assert(invocation->place == NULL);
	invocation->place = place;
	invocation->free_place = free_place;
}
