/* SPDX-License-Identifier: ISC
 *
 * RunCommand: a program of the operator's says whether a server is up, by its exit status. It runs
 * in the helper (runner.h); words in its arguments stand for the server, as plain texts, for there
 * is no shell. Rules: docs/monitors.md, "RunCommand".
 */
#include "balance/monitor/monitor.h"

#include <errno.h>
#include <string.h>

#include "balance/shown.h"
#include "base/error.h"
#include "base/log.h"

#define GRACE_MS 1000 /* for the helper to tell of a timeout */

typedef struct CommandSettings {
	char *command;
	char **arguments;
	gint64 timeout_ms;
	gboolean log_output;
} CommandSettings;

typedef struct CommandExchange {
	Exchange exchange;
	RunnerJob *job;
} CommandExchange;

static void command_times(const ConfigService *service, gint64 *interval_ms, gint64 *timeout_ms)
{
	*interval_ms = service->runcommand.interval_ms;
	*timeout_ms = service->runcommand.timeout_ms + GRACE_MS;
}

static void command_settings_free(gpointer of)
{
	CommandSettings *settings = of;
	g_free(settings->command);
	g_strfreev(settings->arguments);
	g_free(settings);
}

static gpointer command_settings_new(const ConfigService *service, GError **error)
{
	char **arguments = service->runcommand.arguments;
	gsize count = arguments != NULL ? g_strv_length(arguments) : 0, bytes = 0;
	for (gsize i = 0; i < count; i++)
		bytes += strlen(arguments[i]) + POOL_MAXIMUM_NAME_BYTES;
	if (count >= RUNNER_MAXIMUM_ARGUMENTS || bytes > RUNNER_MAXIMUM_REQUEST_BYTES / 2) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"runcommand.arguments: %zu arguments of %zu bytes are more than %d of %d: "
			"let a script of your own give them",
			count, bytes, RUNNER_MAXIMUM_ARGUMENTS - 1,
			RUNNER_MAXIMUM_REQUEST_BYTES / 2);
		return NULL;
	}
	CommandSettings *settings = g_new0(CommandSettings, 1);
	settings->command = g_strdup(service->runcommand.command);
	settings->arguments = arguments != NULL ? g_strdupv(arguments) : g_new0(char *, 1);
	settings->timeout_ms = service->runcommand.timeout_ms;
	settings->log_output = service->runcommand.log_output;
	return settings;
}

/* The texts are borrowed. */
static const char **words_of(
	const CommandSettings *settings, const CheckTarget *target, const char *address)
{
	GPtrArray *words = g_ptr_array_new();
	g_ptr_array_add(words, settings->command);
	for (char **argument = settings->arguments; *argument != NULL; argument++) {
		const char *word = *argument;
		if (strcmp(word, CONFIG_SERVER_HOST) == 0)
			word = target->host;
		else if (strcmp(word, CONFIG_SERVER_IP) == 0)
			word = address;
		g_ptr_array_add(words, (gpointer)(guintptr)word);
	}
	g_ptr_array_add(words, NULL);
	return (const char **)g_ptr_array_free(words, FALSE);
}

/* ": " and the last line that says something; or "". */
static char *last_line(const char *output)
{
	const char *end = output + strlen(output);
	while (end > output && g_ascii_isspace(end[-1]))
		end--;
	const char *begin = end;
	while (begin > output && begin[-1] != '\n')
		begin--;
	g_autofree char *shown = g_strndup(begin, (gsize)(end - begin));
	return *shown == '\0' ? g_strdup("") : g_strconcat(": ", g_strstrip(shown), NULL);
}

static char *words_about(
	const CommandSettings *settings, RunnerEnd end, int number, const char *output)
{
	g_autofree char *line = last_line(output);
	char time[24];
	switch (end) {
	case RUNNER_EXITED:
		return g_strdup_printf("exit status %d%s", number, line);
	case RUNNER_SIGNALLED:
		return g_strdup_printf(
			"died by signal %d (%s)%s", number, g_strsignal(number), line);
	case RUNNER_TIMED_OUT:
		exchange_time_text(settings->timeout_ms, time);
		return g_strdup_printf("killed after %s%s", time, line);
	case RUNNER_FAILED:
		break;
	}
	if (number == EPIPE)
		return g_strdup("not run: the process that runs commands is gone; restart "
				"drover-lvs");
	return g_strdup_printf("not run: %s: %s", settings->command, g_strerror(number));
}

/* What this host lacks says nothing about the server. */
static gboolean is_ours(RunnerEnd end, int number)
{
	return end == RUNNER_FAILED && (number == EPIPE || number == EAGAIN || number == ENOMEM ||
					       number == EMFILE || number == ENFILE);
}

static void log_output(const Exchange *exchange, const char *output)
{
	const CommandSettings *settings = exchange_settings(exchange);
	if (settings->log_output && *output != '\0')
		log_event(LOG_LEVEL_INFO, "runcommand.output", "server",
			exchange_target(exchange)->host, "command", settings->command, "output",
			output, NULL);
}

static void on_end(RunnerEnd end, int number, const char *output, gpointer of)
{
	CommandExchange *command = of;
	Exchange *exchange = &command->exchange;
	command->job = NULL;
	log_output(exchange, output);
	g_autofree char *why = words_about(exchange_settings(exchange), end, number, output);
	gboolean up = end == RUNNER_EXITED && number == 0;
	exchange->lame = is_ours(end, number);
	exchange_end(exchange, up ? POOL_RESULT_UP : POOL_RESULT_DOWN, why);
}

static void command_start(Exchange *exchange)
{
	CommandExchange *command = (CommandExchange *)exchange;
	const CommandSettings *settings = exchange_settings(exchange);
	const CheckTarget *target = exchange_target(exchange);
	Runner *runner = exchange_runner(exchange);
	if (runner == NULL) {
		exchange_end(exchange, POOL_RESULT_DOWN, "not run: this program runs no commands");
		return;
	}
	char address[ADDRESS_TEXT_BYTES];
	address_text(&target->address, address);
	g_autofree const char **words = words_of(settings, target, address);
	command->job = runner_run(runner, words, settings->timeout_ms, on_end, command);
}

static void command_expired(Exchange *exchange)
{
	const CommandSettings *settings = exchange_settings(exchange);
	char time[24], why[96];
	exchange_time_text(settings->timeout_ms, time);
	g_snprintf(why, sizeof why, "no result after %s: too many commands at one time", time);
	exchange->lame = TRUE; /* the helper's own timeout would have told of the command */
	exchange_end(exchange, POOL_RESULT_DOWN, why);
}

static void command_stop(Exchange *exchange)
{
	CommandExchange *command = (CommandExchange *)exchange;
	g_clear_pointer(&command->job, runner_drop);
}

const Monitor monitor_command = {
	.name = "RunCommand",
	.exchange_bytes = sizeof(CommandExchange),
	.by_host = TRUE,
	.times = command_times,
	.settings_new = command_settings_new,
	.settings_free = command_settings_free,
	.start = command_start,
	.expired = command_expired,
	.stop = command_stop,
};
