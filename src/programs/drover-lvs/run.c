/* SPDX-License-Identifier: ISC
 *
 * The order of the start matters: what needs root is done first (folders, socket, limits), then the
 * helper for commands is forked, then privileges go, then the configuration is read and the kernel
 * looked at, then the filter shuts, and only then is anything heard from the network.
 */
#include "programs/drover-lvs/run.h"

#include <curl/curl.h>
#include <errno.h>
#include <grp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "balance/director/confine.h"
#include "balance/director/control.h"
#include "balance/director/privileges.h"
#include "base/file.h"
#include "base/log.h"
#include "programs/drover-lvs/daemon.h"

#define CONFIG_FILE	   "/etc/drover-lvs/drover-lvs.conf"
#define USER		   "drover-lvs"
#define DESCRIPTORS_WANTED 65536

typedef struct Options {
	char *config, *state, *socket, *group, *user, *command_user, *token, *authorities;
	gboolean dry_run, unconfined, log_json, debug;
} Options;

static void options_clear(Options *options)
{
	g_free(options->config);
	g_free(options->state);
	g_free(options->socket);
	g_free(options->group);
	g_free(options->user);
	g_free(options->command_user);
	g_free(options->token);
	g_free(options->authorities);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static void set_default(char **option, const char *value)
{
	if (*option == NULL)
		*option = g_strdup(value);
}

static gboolean parse(GOptionContext *context, int argc, char **argv, GError **error)
{
	if (!g_option_context_parse(context, &argc, &argv, error)) {
		(*error)->domain = DROVER_ERROR;
		(*error)->code = DROVER_ERROR_INPUT;
		return FALSE;
	}
	if (argc > 1)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"drover-lvs run takes no arguments, only options: '%s' is none", argv[1]);
	return argc <= 1;
}

static gboolean read_options(int argc, char **argv, Options *options, GError **error)
{
	const GOptionEntry entries[] = {
		{"config", 0, 0, G_OPTION_ARG_FILENAME, &options->config,
			"Configuration (" CONFIG_FILE ")", "FILE"},
		{"state-folder", 0, 0, G_OPTION_ARG_FILENAME, &options->state,
			"Last good lists, drains, the host's token (" RUN_STATE_FOLDER ")", "DIR"},
		{"socket", 0, 0, G_OPTION_ARG_FILENAME, &options->socket,
			"Control socket (" CONTROL_SOCKET ")", "PATH"},
		{"socket-group", 0, 0, G_OPTION_ARG_STRING, &options->group,
			"Whose members may steer (" CONTROL_GROUP ", if there is one)", "GROUP"},
		{"user", 0, 0, G_OPTION_ARG_STRING, &options->user,
			"Who to become when started as root (" USER ")", "USER"},
		{"command-user", 0, 0, G_OPTION_ARG_STRING, &options->command_user,
			"Who runs commands when started as root (as --user)", "USER"},
		{"token-file", 0, 0, G_OPTION_ARG_FILENAME, &options->token,
			"This host's token at droverd (token in the state folder)", "FILE"},
		{"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &options->authorities,
			"Who signs droverd's certificate (the system's authorities)", "FILE"},
		{"dry-run", 0, 0, G_OPTION_ARG_NONE, &options->dry_run,
			"Print what would be done to the kernel, and do nothing", NULL},
		{"allow-unconfined", 0, 0, G_OPTION_ARG_NONE, &options->unconfined,
			"Keep all privileges, and no filter: for development alone", NULL},
		{"log-json", 0, 0, G_OPTION_ARG_NONE, &options->log_json, "Log as JSON", NULL},
		{"debug", 0, 0, G_OPTION_ARG_NONE, &options->debug, "Log more", NULL},
		{0},
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- balance");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_description(
		context, "See drover-lvs(8), drover-lvs.conf(5), drover-lvs(1).");
	if (!parse(context, argc, argv, error))
		return FALSE;
	set_default(&options->config, CONFIG_FILE);
	set_default(&options->state, RUN_STATE_FOLDER);
	set_default(&options->socket, CONTROL_SOCKET);
	set_default(&options->user, USER);
	set_default(&options->command_user, options->user);
	if (options->token == NULL)
		options->token = g_build_filename(options->state, "token", NULL);
	return TRUE;
}

/* Of a group that was named there has to be one; the usual one may be absent. */
static gboolean find_group(const Options *options, gid_t *group, GError **error)
{
	const struct group *found =
		getgrnam(options->group != NULL ? options->group : CONTROL_GROUP);
	*group = found != NULL ? found->gr_gid : (gid_t)-1;
	if (found == NULL && options->group != NULL)
		drover_error_set(
			error, DROVER_ERROR_NOT_FOUND, "there is no group %s", options->group);
	return found != NULL || options->group == NULL;
}

/* One that is there already is left as it is. */
static gboolean make_folder(
	const char *path, mode_t mode, const Privileges *privileges, GError **error)
{
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return TRUE;
	if (!file_make_folder(path, mode, error))
		return FALSE;
	if (privileges->user == (uid_t)-1 || chown(path, privileges->user, privileges->group) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "%s: cannot give it to its user: %s", path,
		g_strerror(errno));
	return FALSE;
}

static gboolean make_folders(const Options *options, const Privileges *privileges, GError **error)
{
	g_autofree char *run = g_path_get_dirname(options->socket);
	return make_folder(options->state, 0750, privileges, error) &&
	       make_folder(run, 0755, privileges, error);
}

/* A check is a descriptor. */
static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	struct rlimit more = {
		MAX(limit.rlim_max, DESCRIPTORS_WANTED), MAX(limit.rlim_max, DESCRIPTORS_WANTED)};
	if (setrlimit(RLIMIT_NOFILE, &more) != 0)
		setrlimit(RLIMIT_NOFILE, &limit);
}

/* [global] dry-run counts as the option does. What is wrong with the file is said later. */
static gboolean is_dry(const Options *options)
{
	g_autoptr(Config) config = config_load(options->config, NULL);
	return options->dry_run || (config != NULL && config->global.dry_run);
}

static Runner *start_helper(const Options *options, const Privileges *privileges, GError **error)
{
	Privileges commands = *privileges;
	if (privileges->user != (uid_t)-1 &&
		!privileges_look(options->command_user, TRUE, &commands, error))
		return NULL;
	return runner_start(commands.user, commands.group, error);
}

static gboolean look(const Options *options, gboolean dry, Privileges *privileges, GError **error)
{
	*privileges = (Privileges){.user = (uid_t)-1, .group = (gid_t)-1};
	if (!options->unconfined)
		return privileges_look(options->user, dry, privileges, error);
	log_event(LOG_LEVEL_WARNING, "drover-lvs.unconfined", "why", "--allow-unconfined", NULL);
	return TRUE;
}

/* What TLS loads, by its own configuration, is code: it must be there before the filter shuts. */
static void load_tls(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, NULL);
	SSL_CTX_free(SSL_CTX_new(TLS_client_method()));
}

static gboolean serve(const Options *options, gboolean dry, Runner *runner, int control_fd,
	gid_t group, int *status, GError **error)
{
	const DaemonOptions daemon_options = {
		.director = {.config_path = options->config,
			.state_folder = options->state,
			.dry_run = dry,
			.seed = g_random_int(),
			.runner = runner,
			.token_file = options->token,
			.ca_file = options->authorities,
			.clock = CLOCK_SYSTEM},
		.control_fd = control_fd,
		.control_path = options->socket,
		.control_group = group,
	};
	g_autoptr(Daemon) daemon = daemon_new(&daemon_options, error);
	if (daemon == NULL || (!options->unconfined && !confine_process(error)))
		return FALSE;
	*status = daemon_serve(daemon) == DAEMON_PAUSED ? RUN_RESTART_STATUS : 0;
	return TRUE;
}

gboolean run_balancer(int argc, char **argv, int *status, GError **error)
{
	g_auto(Options) options = {0};
	Privileges privileges;
	gid_t group;
	if (!read_options(argc, argv, &options, error))
		return FALSE;
	log_setup(options.log_json ? LOG_FORMAT_JSON : log_format_for_stderr(),
		options.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, STDERR_FILENO);
	signal(SIGPIPE, SIG_IGN);
	gboolean dry = is_dry(&options);
	if (!look(&options, dry, &privileges, error) || !find_group(&options, &group, error) ||
		!make_folders(&options, &privileges, error))
		return FALSE;
	int control_fd = control_open(options.socket, privileges.user, group, error);
	if (control_fd < 0)
		return FALSE;
	raise_descriptors();
	g_autoptr(Runner) runner = start_helper(&options, &privileges, error);
	if (runner == NULL || (!options.unconfined && !privileges_drop(&privileges, error))) {
		close(control_fd);
		unlink(options.socket);
		return FALSE;
	}
	load_tls();
	setvbuf(stdout, NULL, _IOLBF, 0);
	return serve(&options, dry, runner, control_fd, group, status, error);
}
