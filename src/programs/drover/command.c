/* SPDX-License-Identifier: ISC
 *
 * The table of commands: the groups in order.
 */
#include "programs/drover/commands.h"

const CommandProgram command_program = {"drover", "takes a change from landing to live"};

/* clang-format off */
const Option command_global_options[] = {
	{"store", "URL", "The database, sqlite:PATH or postgresql://… (DROVER_STORE, [store] url)"},
	{"state", "DIR", "The state folder (DROVER_STATE, [state] folder)"},
	{"server", "URL", "Work through this server's API, not on the store (DROVER_SERVER, [server] url)"},
	{"token-file", "FILE", "The token for the server (DROVER_TOKEN, DROVER_TOKEN_FILE, [server] token-file)"},
	{"config", "FILE", "The configuration (DROVER_CONFIG; /etc/drover/drover.conf if it is there)"},
	{"json", NULL, "Print the API's answer itself"},
	{"quiet", NULL, "Print answers and errors only"},
	{"color", "WHEN", "auto, always or never (NO_COLOR)"},
	{"log-json", NULL, "Log to stderr as JSON, one event a line"},
	{"now", "TIME", "Act as if it were this time, for rehearsals and tests"},
	{"allow-root", NULL, "Work on the store although you are root"},
	{"help", NULL, "Explain the command"},
	{"version", NULL, "Print the version"},
	{0},
};

static const CommandGroup groups[] = {
	{NULL, "Every day", job_commands},
	{"landing", "What landed, and up to where it may be deployed", landing_commands},
	{"qa", "Verdicts on landings and their items", qa_commands},
	{"product", "What is shipped", product_commands},
	{"release", "Releases: built once, signed, kept for ever", release_commands},
	{"notice", "Mail that was queued and sent", notice_commands},
	{"channel", "Which release a query gets", channel_commands},
	{"rule", "Queries that match this get that release", rule_commands},
	{"release-doc", "What channels may hand out for a release", release_doc_commands},
	{"shutoff", "Channels that are switched off", shutoff_commands},
	{"pin", "Lines on which clients are held", pin_commands},
	{"change", "Edits that go live at one instant, once they are agreed to", change_commands},
	{"requirement", "Who must sign what", requirement_commands},
	{"signing-role", "What signing in a role means", signing_role_commands},
	{"freeze", "When nothing goes live", freeze_commands},
	{"maintenance", "The maintenance switch", maintenance_commands},
	{"history", "Who changed what, and proof that it is all there", history_commands},
	{"store", "The database: backup, restore, check, migrate", store_commands},
	{"user", "People, their roles and how they log in", user_commands},
	{"token", "Secrets with which programs and people use the API", token_commands},
	{"host", "Balancers and nodes", host_commands},
	{"node", "Machines that run releases", node_commands},
	{"key", "Keys with which releases are signed", key_commands},
	{"lvs", "The balancer on this host", lvs_commands},
	{"pool", "The servers of a service, as balancers see them", pool_commands},
	{"config", "The configuration file", config_commands},
	{NULL, "About the command itself", about_commands},
	{0},
};
/* clang-format on */

const CommandGroup *command_groups(void)
{
	return groups;
}
