/* SPDX-License-Identifier: ISC
 *
 * Help that teaches, from the table of commands.
 */
#include "programs/terminal/help.h"

#include <stdio.h>
#include <string.h>

#include "programs/terminal/text.h"

typedef struct ExitCode {
	int status;
	const char *name, *meaning;
} ExitCode;

/* The statuses are those of base/error.h. */
static const ExitCode exit_codes[] = {
	{0, "done", "It is done, or was done already"},
	{1, "internal",
		"A fault of Drover or of the machine, a disk that is full; or a check that failed"},
	{2, "input", "What was typed or given cannot be read or is not allowed"},
	{3, "not found", "There is no such thing"},
	{4, "conflict", "It exists already, or somebody else changed it meanwhile"},
	{5, "denied", "No valid token, or a role is missing"},
	{6, "locked", "Another copy of this job is at work"},
	{7, "maintenance", "The maintenance switch is on"},
	{8, "unavailable", "The database or the server is away, or asks to wait: try again later"},
	{9, "frozen", "The branch was rewritten: a person must confirm"},
	{10, "root", "Refused to touch the store as root"},
};

/* `name` and what it means, aligned at a column of 28 as long as names are shorter. */
static void show_pair(const Screen *screen, const char *name, const char *meaning)
{
	enum { COLUMN = 26 };
	guint width = text_width(name);
	screen_part(screen, STYLE_STRONG, "  %s", name);
	if (width > COLUMN)
		screen_line(screen, "%s", "");
	screen_line(screen, "%*s%s", width > COLUMN ? COLUMN + 4 : (int)(COLUMN + 2 - width), "",
		meaning);
}

static void show_title(const Screen *screen, const char *title)
{
	screen_line(screen, "%s", "");
	screen_part(screen, STYLE_STRONG, "%s", title);
	screen_line(screen, "%s", "");
}

static void show_commands(const Screen *screen, const CommandGroup *group)
{
	for (const Command *command = group->commands; command->name != NULL; command++) {
		g_autofree char *name =
			*command->arguments != '\0'
				? g_strconcat(command->name, " ", command->arguments, NULL)
				: g_strdup(command->name);
		show_pair(screen, name, command->summary);
	}
}

void help_overview(const Screen *screen)
{
	screen_line(screen, "%s %s.", command_program.name, command_program.purpose);
	screen_line(screen, "%s", "");
	screen_line(screen, "Usage: %s [OPTIONS] COMMAND [ARGUMENTS]", command_program.name);
	for (const CommandGroup *group = command_groups(); group->commands != NULL; group++) {
		show_title(screen, group->summary);
		show_commands(screen, group);
	}
	screen_line(screen, "%s", "");
	screen_line(screen,
		"%s help COMMAND explains one of them; %s help options and %s help exit-codes the "
		"rest.",
		command_program.name, command_program.name, command_program.name);
}

void help_group(const Screen *screen, const CommandGroup *group)
{
	screen_line(screen, "%s %s: %s.", command_program.name, group->name, group->summary);
	screen_line(screen, "%s", "");
	show_commands(screen, group);
	screen_line(screen, "%s", "");
	screen_line(screen, "%s help %s COMMAND explains one of them.", command_program.name,
		group->name);
}

void help_options(const Screen *screen, const Option *options)
{
	for (; options != NULL && options->name != NULL; options++) {
		g_autofree char *name =
			options->argument != NULL
				? g_strdup_printf("--%s %s", options->name, options->argument)
				: g_strdup_printf("--%s", options->name);
		show_pair(screen, name, options->summary);
	}
}

static const ExitCode *find_exit_code(const char *number)
{
	for (gsize i = 0; i < G_N_ELEMENTS(exit_codes); i++) {
		g_autofree char *text = g_strdup_printf("%d", exit_codes[i].status);
		if (strcmp(text, number) == 0)
			return &exit_codes[i];
	}
	g_assert_not_reached();
}

static void show_exit_codes(const Screen *screen, const char *numbers)
{
	g_auto(GStrv) each = g_strsplit(numbers, ",", -1);
	for (guint i = 0; each[i] != NULL; i++)
		show_pair(screen, each[i], find_exit_code(each[i])->meaning);
}

void help_exit_codes(const Screen *screen)
{
	show_exit_codes(screen, "0,1,2,3,4,5,6,7,8,9,10");
}

void help_command(const Screen *screen, const Command *command)
{
	screen_line(screen, "%s.", command->summary);
	screen_line(screen, "%s", "");
	screen_line(screen, "Usage: %s %s%s%s%s", command_program.name, command->name,
		command->options != NULL ? " [OPTIONS]" : "",
		*command->arguments != '\0' ? " " : "", command->arguments);
	if (command->about != NULL) {
		screen_line(screen, "%s", "");
		screen_block(screen, 0, command->about);
	}
	if (command->options != NULL) {
		show_title(screen, "Options");
		help_options(screen, command->options);
	}
	if (command->examples != NULL) {
		show_title(screen, "Examples");
		screen_block(screen, 2, command->examples);
	}
	if (command->exits != NULL) {
		show_title(screen, "Exit status, beside those of every command");
		show_exit_codes(screen, command->exits);
	}
	screen_line(screen, "%s", "");
	if (command->see != NULL)
		screen_line(screen, "See also: %s.", command->see);
	screen_line(screen, "Options of every command: %s help options.", command_program.name);
}

static json_t *options_json(const Option *options)
{
	json_t *list = json_array();
	for (; options != NULL && options->name != NULL; options++)
		json_array_append_new(
			list, json_pack("{s:s, s:s?, s:s}", "name", options->name, "argument",
				      options->argument, "summary", options->summary));
	return list;
}

json_t *help_json(void)
{
	json_t *commands = json_array(), *codes = json_array();
	for (const CommandGroup *group = command_groups(); group->commands != NULL; group++)
		for (const Command *command = group->commands; command->name != NULL; command++)
			json_array_append_new(
				commands, json_pack("{s:s, s:s, s:s, s:o}", "name", command->name,
						  "arguments", command->arguments, "summary",
						  command->summary, "options",
						  options_json(command->options)));
	for (gsize i = 0; i < G_N_ELEMENTS(exit_codes); i++)
		json_array_append_new(
			codes, json_pack("{s:i, s:s, s:s}", "status", exit_codes[i].status, "name",
				       exit_codes[i].name, "meaning", exit_codes[i].meaning));
	return json_pack("{s:o, s:o, s:o}", "options", options_json(command_global_options),
		"commands", commands, "exit_codes", codes);
}

/* "--reason --tool ", in the order of the table. */
static char *option_words(const Option *options)
{
	GString *words = g_string_new(NULL);
	for (; options != NULL && options->name != NULL; options++)
		g_string_append_printf(words, "--%s ", options->name);
	return g_string_free(words, FALSE);
}

static void complete_group(const Screen *screen, const CommandGroup *group)
{
	g_autoptr(GString) words = g_string_new(NULL);
	for (const Command *command = group->commands; command->name != NULL; command++)
		g_string_append_printf(words, "%s ", command->name + strlen(group->name) + 1);
	screen_line(screen, "\t'%s') words='%s' ;;", group->name, words->str);
}

static void complete_first_words(const Screen *screen)
{
	g_autoptr(GString) words = g_string_new(NULL);
	for (const CommandGroup *group = command_groups(); group->commands != NULL; group++) {
		if (group->name != NULL)
			g_string_append_printf(words, "%s ", group->name);
		else
			for (const Command *command = group->commands; command->name != NULL;
				command++)
				g_string_append_printf(words, "%s ", command->name);
	}
	fputs("\t'') words='", stdout);
	screen_part(screen, STYLE_PLAIN, "%s", words->str);
	fputs("' ;;\n", stdout);
}

void help_completion_bash(const Screen *screen)
{
	g_autofree char *global = option_words(command_global_options);
	const char *name = command_program.name;
	g_autofree char *function = g_strdelimit(g_strconcat("_", name, NULL), "-", '_');
	printf("# bash completion for %s; made by: %s completion bash\n%s()\n", name, name,
		function);
	fputs("{\n\tlocal word named='' words='' options=''\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	      "\t\t[[ $word == -* ]] || named+=\"${named:+ }$word\"\n\tdone\n"
	      "\tcase $previous in\n\t--color) COMPREPLY=($(compgen -W 'auto always never' -- "
	      "\"$current\")); return ;;\n"
	      "\t--config | --token-file | --from | --out | --state) COMPREPLY=($(compgen -f -- "
	      "\"$current\")); return ;;\n\tesac\n\tcase $named in\n",
		stdout);
	complete_first_words(screen);
	for (const CommandGroup *group = command_groups(); group->commands != NULL; group++)
		if (group->name != NULL)
			complete_group(screen, group);
	for (const CommandGroup *group = command_groups(); group->commands != NULL; group++) {
		for (const Command *command = group->commands; command->name != NULL; command++) {
			g_autofree char *own = option_words(command->options);
			printf("\t'%s' | '%s '*) options='%s' ;;\n", command->name, command->name,
				own);
		}
	}
	printf("\tesac\n\tif [[ $current == -* ]]; then words=\"$options%s\"; fi\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
	       "\tif [[ -z $words ]]; then COMPREPLY=($(compgen -f -- \"$current\")); fi\n}\n"
	       "complete -F %s %s\n",
		global, function, name);
}
