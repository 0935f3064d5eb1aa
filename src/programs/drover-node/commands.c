/* SPDX-License-Identifier: ISC
 *
 * drover-node's table of commands, and what they share.
 */
#include "programs/drover-node/commands.h"

#include "programs/terminal/about.h"

#define CONFIG_VARIABLE "DROVER_NODE_CONFIG"

const CommandProgram command_program = {
	"drover-node", "runs on this machine what its channel or an order says"};

/* clang-format off */
const Option command_global_options[] = {
	{"config", "FILE", "The configuration (" CONFIG_VARIABLE "; " NODE_DEFAULT_FILE ")"},
	{"json", NULL, "Print the answer as JSON"},
	{"quiet", NULL, "Print answers and errors only"},
	{"color", "WHEN", "auto, always or never (NO_COLOR)"},
	{"log-json", NULL, "Log to stderr as JSON, one event a line"},
	{"help", NULL, "Explain the command"},
	{"version", NULL, "Print the version"},
	{0},
};

static const Option enrol_options[] = {
	{"server", "URL", "droverd's admin address (server in [node])"},
	{"ca-file", "FILE", "Who signs its certificate (ca-file in [node]; the system's authorities)"},
	{"token-file", "FILE", "Where the token is kept (token-file in [node])"},
	{0},
};

static const Option gc_options[] = {
	{"keep", "N", "How many are kept besides what runs (keep of the product)"},
	{"dry-run", NULL, "Say what would go, and remove nothing"},
	{0},
};

static const Option maintenance_options[] = {
	{"reason", "TEXT", "Why; needed with on"},
	{"until", "TIME", "When it will be over: a time, or 90s, 15min, 2h from now; needed with on"},
	{0},
};

static const Command place_commands[] = {
	{"status", "[PRODUCT]", 0, 1, "Shows what runs here, what should, and why it does not", status_run, NULL,
		"Reads what lies here and what droverd said last; asks nobody.",
		"drover-node status\ndrover-node status web --json", "3", "verify"},
	{"install", "[PRODUCT] [VERSION]", 0, 2, "Fetches a release and checks it; what runs goes on", deed_run_install, NULL,
		"Without VERSION the newest one. What was fetched before goes on where it was left. A release that is older than "
		"what runs is refused: rollback is for going back.",
		"drover-node install web 1.4.2\ndrover-node install", "3,4,5,6", "activate, rollback"},
	{"activate", "[PRODUCT] VERSION", 1, 2, "Makes an installed release run", deed_run_activate, NULL,
		"Switches, restarts the service, and waits until it is healthy; otherwise what ran runs again. `drover-node run` "
		"leaves it so until droverd's order moves.",
		"drover-node activate web 1.4.2", "3,4,5,6", "install, rollback"},
	{"rollback", "[PRODUCT] [VERSION]", 0, 2, "Goes back to what ran before", deed_run_rollback, NULL,
		"Your word counts as an order: an older release runs again, unless a release that ran here forbids it "
		"(min-rollback-sequence). A VERSION that is not here any more is fetched first. `drover-node run` leaves it so "
		"until droverd's order moves.",
		"drover-node rollback\ndrover-node rollback web 1.4.1", "3,4,5,6", "activate, status"},
	{"verify", "[PRODUCT] [VERSION]", 0, 2, "Compares every file on the disk with the signed manifest", deed_run_verify, NULL,
		"Without VERSION what runs. Changes nothing.",
		"drover-node verify web", "3,4,5", "status"},
	{"gc", "[PRODUCT]", 0, 1, "Removes releases that nobody needs", deed_run_gc, gc_options,
		"What runs, what ran before and what droverd's orders name stays always.",
		"drover-node gc web --dry-run\ndrover-node gc web --keep 1", "3,6", "status"},
	{0},
};

static const Command service_commands[] = {
	{"maintenance", "[PRODUCT] on|off|status", 1, 2, "Answers for the service while it is worked on", maintenance_run,
		maintenance_options,
		"While it is on, the responder answers every request on the service's sockets with 503 and when to come back. "
		"Needs `run` and `listen` in the configuration.",
		"drover-node maintenance on --reason \"new disks\" --until 30min\ndrover-node maintenance web status\n"
		"drover-node maintenance off", "3,8", "status"},
	{"run", "", 0, 0, "Follows droverd's orders until SIGTERM", daemon_run, NULL,
		"What the unit drover-node.service runs. Goes on with the last orders while droverd is away.",
		"drover-node run", "3,5,6", "status"},
	{"enrol", "[CODE]", 0, 1, "Makes this machine one of droverd's nodes", enrol_run, enrol_options,
		"CODE is what `drover node add NAME` printed, or `drover host invite NAME --kind node`. Without it, it is read from "
		"standard input, where no list of processes shows it.",
		"drover-node enrol --server https://drover.example.org:8461 < code", "3,5", "run"},
	{"check-config", "[FILE]", 0, 1, "Says what is wrong with a configuration", config_run_check, NULL,
		"FILE is what --config says.",
		"drover-node check-config node.conf", "3", "keys"},
	{"keys", "", 0, 0, "Shows every key of the configuration with its default", config_run_keys, NULL,
		"What it prints is a file to begin with.",
		"drover-node keys > node.conf", NULL, "check-config"},
	{0},
};

static const Command inside_commands[] = {
	{"hold", "PRODUCT", 1, 1, "Holds the sockets of a product's service, and its processes", inside_run_hold, NULL,
		"What the unit drover-node-hold@PRODUCT.service runs; `drover-node run` starts one where there is none.",
		"drover-node hold web", "3,6", "answer, forward"},
	{"answer", "PRODUCT", 1, 1, "Answers for the service on lent sockets", inside_run_answer, NULL,
		"Started by the holder.", "drover-node answer web", "3", "hold, maintenance"},
	{"forward", "PRODUCT", 1, 1, "Copies between lent sockets and a service that can take none", inside_run_forward, NULL,
		"Started by the holder.", "drover-node forward web", "3", "hold"},
	{0},
};

static const Command explaining_commands[] = {
	{"help", "[COMMAND|exit-codes|options]", 0, 2, "Explains a command", about_run_help, NULL,
		"With --json the table of all commands and options.",
		"drover-node help install\ndrover-node help exit-codes", NULL, NULL},
	{"completion", "bash", 1, 1, "Prints a completion script for the shell", about_run_completion, NULL, NULL,
		"drover-node completion bash > /etc/bash_completion.d/drover-node", NULL, NULL},
	{"version", "", 0, 0, "Prints the version", about_run_version, NULL, NULL, "drover-node version", NULL, NULL},
	{0},
};

static const CommandGroup groups[] = {
	{NULL, "Releases on this machine", place_commands},
	{NULL, "The service and its orders", service_commands},
	{NULL, "What runs inside", inside_commands},
	{NULL, "About the program itself", explaining_commands},
	{0},
};
/* clang-format on */

const CommandGroup *command_groups(void)
{
	return groups;
}

/* -- what they share ------------------------------------------------------------------------------
 */

const char *commands_config_path(const Invocation *invocation)
{
	const char *named = invocation_option(invocation, "config");
	const char *variable = g_getenv(CONFIG_VARIABLE);
	if (named != NULL)
		return named;
	return variable != NULL && *variable != '\0' ? variable : NODE_DEFAULT_FILE;
}

static void free_config(gpointer of)
{
	node_config_free(of);
}

const NodeConfig *commands_config(Invocation *invocation, GError **error)
{
	if (invocation_place(invocation) != NULL)
		return invocation_place(invocation);
	NodeConfig *config = node_config_load(commands_config_path(invocation), error);
	if (config != NULL)
		invocation_keep_place(invocation, config, free_config);
	return config;
}

const NodeProduct *commands_product(Invocation *invocation, const char *named, GError **error)
{
	const NodeConfig *config = commands_config(invocation, error);
	if (config == NULL)
		return NULL;
	if (named != NULL)
		return node_config_product(config, named, error);
	if (config->products->len == 1)
		return config->products->pdata[0];
	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; i < config->products->len; i++)
		g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
			((const NodeProduct *)config->products->pdata[i])->name);
	if (config->products->len == 0)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"%s has no product: give it a section with the product's name",
			config->path);
	else
		drover_error_set(
			error, DROVER_ERROR_INPUT, "which product? Name one: %s", names->str);
	return NULL;
}

const NodeProduct *commands_product_of(
	Invocation *invocation, guint least_rest, guint *rest, GError **error)
{
	const NodeConfig *config = commands_config(invocation, error);
	guint count = invocation_arguments(invocation);
	const char *first = invocation_argument(invocation, 0);
	if (config == NULL)
		return NULL;
	const NodeProduct *named =
		count > least_rest ? node_config_product(config, first, NULL) : NULL;
	*rest = named != NULL ? 1 : 0;
	if (named != NULL)
		return named;
	/* With more than may follow a product, the first can only have been meant as one. */
	const Command *command = invocation_command(invocation);
	gboolean is_full = count == command->most && count > least_rest && count > 0;
	return commands_product(invocation, is_full ? first : NULL, error);
}

char *commands_token_file(const NodeConfig *config)
{
	return config->token_file != NULL ? g_strdup(config->token_file)
					  : g_build_filename(config->state, "token", NULL);
}

char *commands_program(void)
{
	char *path = g_file_read_link("/proc/self/exe", NULL);
	return path != NULL ? path : g_strdup("drover-node");
}
