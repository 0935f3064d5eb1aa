/* SPDX-License-Identifier: ISC
 *
 * drover-lvs enrol: a one-time code becomes this balancer's token. The code comes on standard
 * input, never as an argument: those stand in the list of processes and in the shell's history.
 */
#include "programs/drover-lvs/enrol_command.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "balance/director/enrol.h"
#include "programs/drover-lvs/run.h"

#define USER "drover-lvs"

typedef struct Options {
	char *server, *ca_file, *token_file, *user;
	gboolean plain;
} Options;

static void options_clear(Options *options)
{
	g_free(options->server);
	g_free(options->ca_file);
	g_free(options->token_file);
	g_free(options->user);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean read_options(int argc, char **argv, Options *options, GError **error)
{
	const GOptionEntry entries[] = {
		{"server", 0, 0, G_OPTION_ARG_STRING, &options->server, "droverd's admin address",
			"https://HOST:PORT"},
		{"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &options->ca_file,
			"Who signs droverd's certificate (the system's authorities)", "FILE"},
		{"token-file", 0, 0, G_OPTION_ARG_FILENAME, &options->token_file,
			"Where the token is kept (" RUN_TOKEN_FILE ")", "FILE"},
		{"user", 0, 0, G_OPTION_ARG_STRING, &options->user,
			"Whose file it is when started as root (" USER ")", "USER"},
		{"plain", 0, 0, G_OPTION_ARG_NONE, &options->plain,
			"Speak to another machine without TLS, too", NULL},
		{0},
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- become a host of droverd");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_description(context, "The code of `drover host invite NAME --kind "
						  "balancer` is read from standard input.");
	if (!g_option_context_parse(context, &argc, &argv, error)) {
		(*error)->domain = DROVER_ERROR;
		(*error)->code = DROVER_ERROR_INPUT;
		return FALSE;
	}
	if (argc > 1 || options->server == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"usage: drover-lvs enrol --server https://HOST:PORT [OPTIONS]; the code "
			"comes on standard input");
		return FALSE;
	}
	if (options->token_file == NULL)
		options->token_file = g_strdup(RUN_TOKEN_FILE);
	return TRUE;
}

/* Who is to read the token; NULL: who we are. Known before the code is used up. */
static gboolean find_owner(const Options *options, const struct passwd **owner, GError **error)
{
	*owner = NULL;
	if (geteuid() != 0)
		return TRUE;
	const char *name = options->user != NULL ? options->user : USER;
	*owner = getpwnam(name);
	if (*owner == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"there is no user %s; say with --user as whom drover-lvs runs", name);
	return *owner != NULL;
}

static char *read_code(GError **error)
{
	char line[ENROL_MAXIMUM_CODE_BYTES + 2];
	if (isatty(STDIN_FILENO))
		fputs("Code: ", stderr);
	if (fgets(line, sizeof line, stdin) != NULL)
		return g_strdup(line);
	drover_error_set(error, DROVER_ERROR_INPUT, "no code came on standard input");
	return NULL;
}

gboolean enrol_balancer(int argc, char **argv, GError **error)
{
	g_auto(Options) options = {0};
	const struct passwd *owner;
	if (!read_options(argc, argv, &options, error) || !find_owner(&options, &owner, error))
		return FALSE;
	g_autofree char *code = read_code(error);
	if (code == NULL)
		return FALSE;
	const EnrolCall call = {.server = options.server,
		.ca_file = options.ca_file,
		.token_file = options.token_file,
		.code = code,
		.version = DROVER_VERSION,
		.plain = options.plain};
	g_autofree char *name = enrol_host(&call, error);
	if (name == NULL)
		return FALSE;
	if (owner != NULL && chown(options.token_file, owner->pw_uid, owner->pw_gid) != 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"enrolled as %s, but %s cannot be given to %s: %s", name,
			options.token_file, owner->pw_name, g_strerror(errno));
		return FALSE;
	}
	printf("enrolled as %s; its token is in %s\n", name, options.token_file);
	return TRUE;
}
