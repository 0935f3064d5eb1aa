/* SPDX-License-Identifier: ISC
 *
 * drover channel: questions about rules and versions that need no store.
 */
#include <sodium.h>

#include "channel/answer_file.h"
#include "channel/version.h"
#include "programs/drover/commands.h"
#include "programs/drover/show.h"

static guint draw_of_hundred(void)
{
	return randombytes_uniform(100);
}

static gboolean run_answer(Invocation *invocation, GError **error)
{
	const char *path = invocation_option(invocation, "snapshot");
	gsize size_bytes = 0;
	if (path == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"say --snapshot FILE: the rules, and the queries to answer");
		return FALSE;
	}
	g_autofree char *text =
		commands_read_input(path, ANSWER_FILE_MAXIMUM_BYTES, &size_bytes, error);
	g_autoptr(json_t) file = text == NULL ? NULL : json_read(path, text, size_bytes, error);
	if (file == NULL)
		return FALSE;
	g_autoptr(json_t) answer = answer_file(file, draw_of_hundred, error);
	if (answer == NULL) {
		g_prefix_error(error, "%s: ", path);
		return FALSE;
	}
	screen_json(invocation_screen(invocation), answer);
	return TRUE;
}

static gboolean run_version(Invocation *invocation, GError **error)
{
	const char *name = invocation_option(invocation, "scheme");
	VersionScheme scheme = VERSION_MOZILLA;
	VersionOperator operator;
	Version version;
	VersionTest test;
	if (name != NULL && !version_scheme_parse(name, &scheme, error))
		return FALSE;
	if (!version_operator_parse(invocation_argument(invocation, 1), &operator)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%s' is no operator; there are = < <= > and >=, quoted from the shell",
			invocation_argument(invocation, 1));
		return FALSE;
	}
	if (!version_parse(scheme, invocation_argument(invocation, 0), &version, error) ||
		!version_test_make(
			scheme, operator, invocation_argument(invocation, 2), &test, error))
		return FALSE;
	gboolean holds = version_test_holds(&test, &version);
	if (invocation_screen(invocation)->json) {
		g_autoptr(json_t) answer = json_pack("{s:b}", "holds", holds);
		screen_json(invocation_screen(invocation), answer);
	} else {
		screen_line(invocation_screen(invocation), "%s", holds ? "true" : "false");
	}
	return TRUE;
}

static const Option answer_options[] = {
	{"snapshot", "FILE", "Rules, releases, changes and queries; - is standard input"},
	{0},
};

static const Option version_options[] = {
	{"scheme", "SCHEME", "mozilla (default), loose or semver"},
	{0},
};

const Command channel_commands[] = {
	{"channel answer", "", 0, 0, "Answers queries from rules in a file, now and at later cuts",
		run_answer, answer_options,
		"Nothing is stored. The file is described in docs/channel.md. The answer is JSON.",
		"drover channel answer --snapshot what-if.json", "3", "channel version"},
	{"channel version", "A OP B", 3, 3, "Compares two versions as rules do", run_version,
		version_options,
		"OP is = < <= > or >=. With =, B may end in a star: 60.*. Prints true or false.",
		"drover channel version 60.0a1 '<' 60.0\n"
		"drover channel version 1.4.0 = '1.*' --scheme semver",
		NULL, "channel answer"},
	{0},
};
