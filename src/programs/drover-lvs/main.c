/* SPDX-License-Identifier: ISC
 *
 * drover-lvs, the balancer's program: a table of commands, and main(). The commands of the table
 * are pure: they read a file and print an answer, need no privilege, and touch no kernel table.
 * `run` is in run.c, `enrol` in enrol_command.c.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "balance/config.h"
#include "balance/director/settings.h"
#include "balance/server_list.h"
#include "balance/simulate.h"
#include "base/error.h"
#include "base/file.h"
#include "programs/drover-lvs/enrol_command.h"
#include "programs/drover-lvs/keys.h"
#include "programs/drover-lvs/run.h"

/* What follows the command's name, options taken out. */
typedef struct Arguments {
	const char *format; /* of --format */
	gboolean strict;
	const char *file;
} Arguments;

typedef struct Command {
	const char *name, *arguments, *summary;
	gboolean takes_format;
	gboolean (*run)(const Arguments *arguments, GError **error);
} Command;

static void print_warnings(const GPtrArray *warnings)
{
	for (guint i = 0; i < warnings->len; i++)
		fprintf(stderr, "warning: %s\n", (const char *)warnings->pdata[i]);
}

static gboolean run_simulate(const Arguments *arguments, GError **error)
{
	gsize size_bytes = 0;
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text =
		file_read(arguments->file, SIMULATE_MAXIMUM_BYTES, &size_bytes, error);
	if (text == NULL)
		return FALSE;
	json_t *answer = simulate_answer(arguments->file, text, size_bytes, warnings, error);
	print_warnings(warnings);
	if (answer == NULL)
		return FALSE;
	g_autofree char *states = simulate_text(answer);
	fputs(states, stdout);
	json_decref(answer);
	return TRUE;
}

static gboolean run_check_list(const Arguments *arguments, GError **error)
{
	gsize size_bytes = 0;
	ServerListFormat format = server_list_format_of(arguments->file);
	if (arguments->format != NULL &&
		!server_list_format_parse(arguments->format, &format, error))
		return FALSE;
	g_autofree char *text =
		file_read(arguments->file, SERVER_LIST_MAXIMUM_BYTES, &size_bytes, error);
	if (text == NULL)
		return FALSE;
	g_autoptr(ServerList) list = server_list_parse(arguments->file, format, text, size_bytes);
	json_t *answer = server_list_json(list);
	char *shown = json_dumps(answer, JSON_INDENT(2));
	puts(shown);
	free(shown);
	json_decref(answer);
	if (!arguments->strict || list->bad == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: %u bad lines", arguments->file, list->bad);
	return FALSE;
}

static gboolean run_check_config(const Arguments *arguments, GError **error)
{
	g_autoptr(Config) config = settings_look(arguments->file, RUN_TOKEN_FILE, error);
	if (config == NULL)
		return FALSE;
	print_warnings(config->warnings);
	for (guint i = 0; i < config->errors->len; i++)
		fprintf(stderr, "error: %s\n", (const char *)config->errors->pdata[i]);
	if (config->errors->len > 0) {
		drover_error_set(error, DROVER_ERROR_INPUT, "%s: %u errors, %u warnings",
			arguments->file, config->errors->len, config->warnings->len);
		return FALSE;
	}
	printf("%s: %u services, %u warnings\n", arguments->file, config->services->len,
		config->warnings->len);
	return TRUE;
}

static const Command commands[] = {
	{"simulate", "FILE", "Play events to a pool and print its states, as JSON", FALSE,
		run_simulate},
	{"check-list", "[--format legacy|json] [--strict] FILE",
		"Read a server list and print what it says; with --strict, exit 2 on a bad line",
		TRUE, run_check_list},
	{"check-config", "FILE", "Say everything that is wrong with a configuration", FALSE,
		run_check_config},
	{0},
};

static void print_help(void)
{
	puts("drover-lvs: only healthy servers get traffic\n\n"
	     "  drover-lvs run [OPTIONS]\n      Balance, until SIGTERM; run --help shows the "
	     "options");
	puts("  drover-lvs enrol --server https://HOST:PORT [OPTIONS]\n      Become a host of "
	     "droverd, with the one-time code on standard input");
	for (const Command *command = commands; command->name != NULL; command++)
		printf("  drover-lvs %s %s\n      %s\n", command->name, command->arguments,
			command->summary);
	puts("  drover-lvs keys\n      Print every key of the configuration with its default");
	puts("\n  drover-lvs --help | --version\n\n"
	     "All but run and enrol change nothing and need no privilege. Exit status: 0, or 2 "
	     "when the\n"
	     "input is no good, 3 when there is no such file.");
}

static const Command *find_command(const char *name)
{
	for (const Command *command = commands; command->name != NULL; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

static gboolean fail_usage(const Command *command, const char *what, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s\nusage: drover-lvs %s %s", what,
		command->name, command->arguments);
	return FALSE;
}

static gboolean read_option(
	const Command *command, char **argv, int *at, Arguments *arguments, GError **error)
{
	const char *word = argv[*at];
	g_autofree char *what = g_strdup_printf("unknown option %s", word);
	if (!command->takes_format)
		return fail_usage(command, what, error);
	if (strcmp(word, "--strict") == 0)
		arguments->strict = TRUE;
	else if (g_str_has_prefix(word, "--format="))
		arguments->format = word + strlen("--format=");
	else if (strcmp(word, "--format") != 0)
		return fail_usage(command, what, error);
	else if (argv[*at + 1] == NULL)
		return fail_usage(command, "--format needs legacy or json", error);
	else
		arguments->format = argv[++*at];
	return TRUE;
}

static gboolean read_arguments(
	const Command *command, char **argv, Arguments *arguments, GError **error)
{
	gboolean options = TRUE;
	for (int at = 2; argv[at] != NULL; at++) {
		if (options && strcmp(argv[at], "--") == 0)
			options = FALSE;
		else if (options && g_str_has_prefix(argv[at], "--")) {
			if (!read_option(command, argv, &at, arguments, error))
				return FALSE;
		} else if (arguments->file != NULL)
			return fail_usage(command, "one file, please", error);
		else
			arguments->file = argv[at];
	}
	return arguments->file != NULL || fail_usage(command, "which file?", error);
}

static gboolean run(int argc, char **argv, GError **error)
{
	Arguments arguments = {0};
	const char *word = argc > 1 ? argv[1] : NULL;
	const Command *command = word != NULL ? find_command(word) : NULL;
	if (g_strcmp0(word, "--version") == 0) {
		puts("drover-lvs " DROVER_VERSION);
		return TRUE;
	}
	if (g_strcmp0(word, "--help") == 0 ||
		(command != NULL && g_strcmp0(argv[2], "--help") == 0)) {
		print_help();
		return TRUE;
	}
	if (g_strcmp0(word, "enrol") == 0)
		return enrol_balancer(argc - 1, argv + 1, error);
	if (g_strcmp0(word, "keys") == 0 && argc == 2) {
		keys_print();
		return TRUE;
	}
	if (command == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s; drover-lvs --help shows the commands",
			word != NULL ? "there is no such command" : "no command was given");
		return FALSE;
	}
	return read_arguments(command, argv, &arguments, error) && command->run(&arguments, error);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	int status = 0;
	setlocale(LC_CTYPE, "C.UTF-8");
	gboolean ok = argc > 1 && strcmp(argv[1], "run") == 0
			      ? run_balancer(argc - 1, argv + 1, &status, &error)
			      : run(argc, argv, &error);
	if (ok && (fflush(stdout) != 0 || ferror(stdout)))
		drover_error_set(&error, DROVER_ERROR_INTERNAL, "the answer could not be written");
	if (error == NULL)
		return status;
	fflush(stdout);
	fprintf(stderr, "drover-lvs: %s\n", error->message);
	return drover_error_exit_status(error);
}
