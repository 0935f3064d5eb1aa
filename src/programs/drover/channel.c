/* SPDX-License-Identifier: ISC
 *
 * drover channel: what channels answer, now, in the past and with the queue. With --snapshot the
 * same is asked of a file (channel_file.c); what it looks like stands in channel_show.c.
 */
#include <string.h>

#include "channel/row/scope.h"
#include "channel/rule/version.h"
#include "programs/drover/channel_file.h"
#include "programs/drover/channel_show.h"
#include "programs/drover/commands.h"
#include "programs/drover/row.h"
#include "programs/drover/row_tables.h"
#include "programs/drover/when.h"
#include "programs/terminal/show.h"

/* Which channel ------------------------------------------------------------------------------- */

/* What was typed: names first, then what a client says. */
typedef struct Asked {
	char *product;
	const char *channel, *other; /* other: of a diff */
	GHashTable *query;	     /* text -> text */
} Asked;

static void asked_clear(Asked *asked)
{
	g_clear_pointer(&asked->product, g_free);
	g_clear_pointer(&asked->query, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asked, asked_clear)

/* Which products have the channel. Borrowed texts. */
static GPtrArray *products_with(const json_t *channels, const char *channel)
{
	GPtrArray *found = g_ptr_array_new();
	gsize i;
	json_t *one;
	json_array_foreach (channels, i, one)
		if (g_strcmp0(json_text(one, "channel"), channel) == 0)
			g_ptr_array_add(found, (gpointer)json_text(one, "product"));
	return found;
}

/* The one product that has the channel; NAME-test, which nobody needs to declare, is where NAME is.
 * Caller frees; NULL with `error`. */
static char *product_with(Invocation *invocation, const char *channel, GError **error)
{
	static const char suffix[] = SCOPE_TEST_SUFFIX;
	g_autoptr(json_t) answer =
		invocation_call(invocation, "GET", NULL, NULL, error, "channels", NULL);
	if (answer == NULL)
		return NULL;
	const json_t *channels = json_object_get(answer, "channels");
	g_autoptr(GPtrArray) found = products_with(channels, channel);
	if (found->len == 0 && g_str_has_suffix(channel, suffix)) {
		g_autofree char *base = g_strndup(channel, strlen(channel) - strlen(suffix));
		g_ptr_array_unref(found);
		found = products_with(channels, base);
	}
	if (found->len == 1)
		return g_strdup(found->pdata[0]);
	if (found->len == 0)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"no product has a channel '%s'; drover channel list shows them", channel);
	else
		drover_error_set(error, DROVER_ERROR_INPUT,
			"more than one product has a channel '%s': name one before it", channel);
	return NULL;
}

static gboolean take_words(
	Invocation *invocation, const char **names, guint most, Asked *asked, GError **error)
{
	guint count = 0;
	for (guint i = 0; i < invocation_arguments(invocation); i++) {
		const char *word = invocation_argument(invocation, i);
		const char *equals = strchr(word, '=');
		if (equals != NULL && equals > word && asked->query != NULL) {
			g_hash_table_replace(asked->query, g_strndup(word, (gsize)(equals - word)),
				g_strdup(equals + 1));
			continue;
		}
		if (count == most) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"'%s': say what the client says as KEY=VALUE: version=1.3.0", word);
			return FALSE;
		}
		names[count++] = word;
	}
	return TRUE;
}

/* [PRODUCT] CHANNEL, for a diff [PRODUCT] TEST LIVE; *asked is overwritten, its query has --at and
 * --cut. */
static gboolean read_asked(Invocation *invocation, gboolean is_diff, Asked *asked, GError **error)
{
	const char *names[3] = {NULL};
	guint wanted = is_diff ? 2 : 1;
	g_autofree char *at = NULL;
	*asked = (Asked){.query = query_of("cut", invocation_option(invocation, "cut"), NULL)};
	if (!take_words(invocation, names, wanted + 1, asked, error) ||
		!row_time_option(invocation, "at", &at, error))
		return FALSE;
	if (names[wanted - 1] == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"say which channel%s: drover help channel list", is_diff ? "s" : "");
		return FALSE;
	}
	if (at != NULL)
		g_hash_table_replace(asked->query, g_strdup("at"), g_steal_pointer(&at));
	guint first = names[wanted] != NULL ? 1 : 0;
	asked->channel = names[first];
	asked->other = is_diff ? names[first + 1] : NULL;
	asked->product =
		first > 0 ? g_strdup(names[0]) : product_with(invocation, asked->channel, error);
	return asked->product != NULL;
}

/* GET /channels/PRODUCT/CHANNEL/WHAT; `what` NULL: itself. */
static json_t *ask(Invocation *invocation, const Asked *asked, const char *what, GError **error)
{
	return invocation_call(invocation, "GET", g_hash_table_ref(asked->query), NULL, error,
		"channels", asked->product, asked->channel, what, NULL);
}

static gboolean show(Invocation *invocation, const json_t *answer, const json_t *part,
	void (*shown)(const Screen *screen, const json_t *part))
{
	const Screen *screen = invocation_screen(invocation);
	if (screen->json)
		screen_json(screen, answer);
	else
		shown(screen, part);
	return TRUE;
}

/* Looking ------------------------------------------------------------------------------------- */

static gboolean run_list(Invocation *invocation, GError **error)
{
	g_autoptr(json_t) answer = invocation_call(invocation, "GET",
		query_of("product", invocation_option(invocation, "product"), NULL), NULL, error,
		"channels", NULL);
	return answer != NULL &&
	       show(invocation, answer, json_object_get(answer, "channels"), channel_show_list);
}

static gboolean view(Invocation *invocation, GError **error)
{
	g_auto(Asked) asked = {0};
	if (!read_asked(invocation, FALSE, &asked, error))
		return FALSE;
	g_autoptr(json_t) answer = ask(invocation, &asked, NULL, error);
	return answer != NULL && show(invocation, answer, answer, channel_show_view);
}

static gboolean answer_query(Invocation *invocation, GError **error)
{
	g_auto(Asked) asked = {0};
	if (!read_asked(invocation, FALSE, &asked, error))
		return FALSE;
	g_autoptr(json_t) answer = ask(invocation, &asked, "answer", error);
	return answer != NULL && show(invocation, answer, answer, channel_show_answer);
}

/* The rules come with names only when a file is asked. */
static gboolean refuse_words_with_file(Invocation *invocation, GError **error)
{
	if (invocation_arguments(invocation) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"with --snapshot the file says it all; '%s' is one word too many",
		invocation_argument(invocation, 0));
	return FALSE;
}

static gboolean run_answer(Invocation *invocation, GError **error)
{
	if (!invocation_has(invocation, "snapshot"))
		return answer_query(invocation, error);
	return refuse_words_with_file(invocation, error) && channel_file_answer(invocation, error);
}

static gboolean run_explain(Invocation *invocation, GError **error)
{
	g_auto(Asked) asked = {0};
	if (invocation_has(invocation, "snapshot"))
		return channel_file_explain(invocation, error);
	if (!read_asked(invocation, FALSE, &asked, error))
		return FALSE;
	g_autoptr(json_t) answer = ask(invocation, &asked, "explain", error);
	return answer != NULL && show(invocation, answer, answer, channel_show_explanation);
}

static gboolean run_lint(Invocation *invocation, GError **error)
{
	g_auto(Asked) asked = {0};
	if (invocation_has(invocation, "snapshot"))
		return refuse_words_with_file(invocation, error) &&
		       channel_file_lint(invocation, error);
	if (!read_asked(invocation, FALSE, &asked, error))
		return FALSE;
	g_autoptr(json_t) answer = ask(invocation, &asked, "lint", error);
	return answer != NULL &&
	       show(invocation, answer, json_object_get(answer, "findings"), channel_show_findings);
}

static gboolean run_diff(Invocation *invocation, GError **error)
{
	g_auto(Asked) asked = {0};
	if (invocation_has(invocation, "snapshot"))
		return refuse_words_with_file(invocation, error) &&
		       channel_file_diff(invocation, error);
	if (!read_asked(invocation, TRUE, &asked, error))
		return FALSE;
	g_hash_table_replace(asked.query, g_strdup("with"), g_strdup(asked.other));
	g_autoptr(json_t) answer = ask(invocation, &asked, "diff", error);
	return answer != NULL && show(invocation, answer, answer, channel_show_difference);
}

/* --at is there, and on the right side of now. */
static gboolean check_at(Invocation *invocation, gboolean past, GError **error)
{
	gint64 at_us, now_us = clock_now_us(invocation_clock(invocation));
	const char *at = invocation_option(invocation, "at");
	if (at == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT, "say as of when: --at TIME");
		return FALSE;
	}
	if (!when_parse(at, now_us, &at_us, error))
		return FALSE;
	if (past ? at_us <= now_us : at_us >= now_us)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "--at: '%s' %s", at,
		past ? "is to come: drover channel preview shows that"
		     : "has been: drover channel history shows that");
	return FALSE;
}

/* A query is answered, a channel shown. */
static gboolean look_at(Invocation *invocation, gboolean past, GError **error)
{
	gboolean has_query = FALSE;
	for (guint i = 0; i < invocation_arguments(invocation); i++)
		has_query = has_query || strchr(invocation_argument(invocation, i), '=') != NULL;
	return check_at(invocation, past, error) &&
	       (has_query ? answer_query(invocation, error) : view(invocation, error));
}

static gboolean run_preview(Invocation *invocation, GError **error)
{
	return look_at(invocation, FALSE, error);
}

static gboolean run_history(Invocation *invocation, GError **error)
{
	return look_at(invocation, TRUE, error);
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

/* The table ----------------------------------------------------------------------------------- */

#define SNAPSHOT                                                                                   \
	{                                                                                          \
		"snapshot", "FILE", "Ask the rules in a file, not the store; - is standard input"  \
	}

static const Option list_options[] = {
	{"product", "PRODUCT", "Only those of this product"},
	{0},
};

static const Option show_options[] = {
	{"at", "TIME", "As of this time, past or to come"},
	{"cut", "CUT", "With the queue: all, 'until TIME' or 'through CHANGE'"},
	{0},
};

static const Option ask_options[] = {
	SNAPSHOT,
	{"cut", "CUT",
		"With the queue: all, 'until TIME' or 'through CHANGE'; of a file: a time, -1 for "
		"all"},
	{"at", "TIME", "As of this time, past or to come"},
	{0},
};

static const Option lint_options[] = {
	SNAPSHOT,
	{"cut", "TIME",
		"Of a file: with the changes up to this time, -1 for all; 0, the default, is live"},
	{0},
};

static const Option diff_options[] = {
	{"snapshot", "FILE", "Ask the rules in a file: its live state is before"},
	{"with", "FILE", "Another file, whose live state is after"},
	{"cut", "CUT",
		"Of TEST: all, 'until TIME' or 'through CHANGE'; of a file: a time, all by "
		"default"},
	{"at", "TIME", "Both as of this time"},
	{0},
};

static const Option at_options[] = {
	{"at", "TIME", "As of when"},
	{0},
};

static const Option declare_options[] = {
	{"product", "PRODUCT", "Of which product"},
	{"base", "CHANNEL", "A test channel: of this live one"},
	{"cut", "CUT", "How much of the queue it has: all, 'until TIME' or 'through CHANGE'"},
	{"on-conflict", "WHAT",
		"Behind a change that conflicts: say so, or answer as the last good cut (last)"},
	{"channel-title", "TEXT", "What people call it"},
	{"rewrite", "FROM=TO", "Hosts of files that are not public yet, separated by commas"},
	ROW_WRITE_OPTIONS,
	{0},
};

static const Option remove_options[] = {
	{"product", "PRODUCT", "Of which product"},
	ROW_WRITE_OPTIONS,
	{0},
};

static const Option settings_options[] = {
	{"scheme", "SCHEME", "How its versions compare: mozilla, loose or semver"},
	{"hosts", "LIST", "From where files may come, separated by commas"},
	{"late-s", "SECONDS", "How late a change may still go live by itself"},
	ROW_WRITE_OPTIONS,
	{0},
};

static const Option version_options[] = {
	{"scheme", "SCHEME", "mozilla (default), loose or semver"},
	{0},
};

#define WHICH "PRODUCT may be left out when only one has such a channel. "

const Command channel_commands[] = {
	{"channel list", "", 0, 0, "Shows the channels of each product, live and for tests",
		run_list, list_options, NULL, "drover channel list --product web", "5",
		"channel show"},
	{"channel show", "[PRODUCT] CHANNEL", 1, 2,
		"Shows a channel: its rules, what waits, its test channels, who must sign", view,
		show_options, WHICH,
		"drover channel show web release\ndrover channel show web release --cut all", "3,5",
		"channel explain, change list"},
	{"channel answer", "[PRODUCT] CHANNEL KEY=VALUE…", 0, COMMAND_ANY_NUMBER,
		"Says what a query gets from a channel", run_answer, ask_options,
		"KEY=VALUE is what the client says: version=1.3.0 platform=linux. " WHICH
		"\nWith --snapshot it answers the queries in the file, now and at its cuts, and "
		"nothing is\nstored; docs/channel.md describes the file. That answer is JSON.",
		"drover channel answer web release version=1.3.0 platform=linux locale=en\n"
		"drover channel answer --snapshot what-if.json",
		"3,5", "channel explain, channel version"},
	{"channel diff", "[PRODUCT] TEST LIVE", 0, 3,
		"Lists whose answers differ between two channels", run_diff, diff_options,
		"One query for each class that the rules tell apart, with its release before "
		"(LIVE) and\nafter (TEST). " WHICH
		"\nWith --snapshot: what its queue, or another file, alters.",
		"drover channel diff web release-test release\n"
		"drover channel diff --snapshot what-if.json\n"
		"drover channel diff --snapshot live.json --with new.json",
		"3,5", "channel explain, change diff"},
	{"channel explain", "[PRODUCT] CHANNEL KEY=VALUE…", 0, COMMAND_ANY_NUMBER,
		"Says why a query gets what it gets, rule by rule", run_explain, ask_options,
		"KEY=VALUE is what the client says: version=1.3.0. " WHICH
		"A near miss\nis a rule of which one matcher only was not met. With --snapshot "
		"product and channel are\nsaid as KEY=VALUE, too.",
		"drover channel explain web release version=1.3.0\n"
		"drover channel explain --snapshot what-if.json product=web channel=release",
		"3,5", "channel lint"},
	{"channel lint", "[PRODUCT] CHANNEL", 0, 2,
		"Finds rules that cannot do what they were meant to", run_lint, lint_options,
		"Rules that are shadowed by one before them, that nothing reaches, that name a "
		"test\n"
		"channel, or that are refused. " WHICH,
		"drover channel lint web release\ndrover channel lint --snapshot what-if.json",
		"3,5", "channel explain"},
	{"channel preview", "[PRODUCT] CHANNEL KEY=VALUE…", 1, COMMAND_ANY_NUMBER,
		"Shows a channel as it will be, with what is due until then", run_preview,
		at_options, "With KEY=VALUE, what a query will get. " WHICH,
		"drover channel preview web release --at 'tomorrow 10:00'\n"
		"drover channel preview web release version=1.3.0 --at +2h",
		"3,5", "channel history, change list"},
	{"channel history", "[PRODUCT] CHANNEL KEY=VALUE…", 1, COMMAND_ANY_NUMBER,
		"Shows a channel as it was", run_history, at_options,
		"With KEY=VALUE, what a query would have got. " WHICH,
		"drover channel history web release --at 2026-11-01T12:00:00Z", "3,5",
		"channel preview, rule show"},
	{"channel declare", "NAME", 1, 1, "Declares a channel, or changes what was declared",
		row_tables_declare, declare_options,
		"A live channel needs no declaration, and each has a test channel NAME-test. Those "
		"that\nare declared have their digests signed by testers.",
		"drover channel declare release-localtest --product web --base release\n"
		"drover channel declare release --product web --channel-title 'Everybody'",
		"4,5,7", "channel list"},
	{"channel remove", "NAME", 1, 1, "Takes the declaration of a channel away",
		row_tables_remove, remove_options, NULL,
		"drover channel remove release-localtest --product web", "3,4,5,7",
		"channel declare"},
	{"channel settings", "PRODUCT", 1, 1, "Says how a product is delivered",
		row_tables_settings, settings_options, "Only what is named is changed.",
		"drover channel settings web --scheme semver --hosts cdn.example.org", "4,5,7",
		"channel version"},
	{"channel version", "A OP B", 3, 3, "Compares two versions as rules do", run_version,
		version_options,
		"OP is = < <= > or >=. With =, B may end in a star: 60.*. Prints true or false.",
		"drover channel version 60.0a1 '<' 60.0\n"
		"drover channel version 1.4.0 = '1.*' --scheme semver",
		NULL, "channel answer"},
	{0},
};
