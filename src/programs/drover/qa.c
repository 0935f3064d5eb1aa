/* SPDX-License-Identifier: ISC
 *
 * drover qa: a verdict on an item of a landing, or on the landing itself.
 */
#include <string.h>

#include "programs/drover/commands.h"
#include "programs/terminal/show.h"

static void say_verdict(const Screen *screen, const json_t *result)
{
	const char *item = json_text(result, "item"), *was = json_text(result, "was");
	g_autofree char *what = item != NULL ? g_strconcat(" item ", item, NULL) : g_strdup("");
	g_autofree char *deployable_was = show_number(result, "deployable_was");
	g_autofree char *deployable_is = show_number(result, "deployable_is");
	if (!show_is_true(result, "changed")) {
		screen_done(screen, "%s %" G_GINT64_FORMAT "%s: %s already, nothing was written",
			json_text(result, "product"), json_integer_of(result, "ordinal"), what,
			json_text(result, "state"));
		return;
	}
	screen_done(screen,
		"%s %" G_GINT64_FORMAT "%s: %s -> %s; the landing %s -> %s; deployable %s -> %s",
		json_text(result, "product"), json_integer_of(result, "ordinal"), what,
		was != NULL ? was : "no verdict", json_text(result, "state"),
		json_text(result, "landing_was"), json_text(result, "landing_is"), deployable_was,
		deployable_is);
}

/* The command's second word is the verdict. */
static gboolean run_verdict(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *state = strchr(invocation_command(invocation)->name, ' ') + 1;
	const char *tool = invocation_option(invocation, "tool");
	g_autofree char *product = invocation_product(invocation, NULL, error);
	if (product == NULL)
		return FALSE;
	json_t *body = body_of("item", invocation_argument(invocation, 1), "state", state, "reason",
		invocation_option(invocation, "reason"), "tool", tool != NULL ? tool : "drover",
		NULL);
	g_autoptr(json_t) result =
		invocation_call(invocation, "POST", NULL, body, error, "products", product,
			"landings", invocation_argument(invocation, 0), "verdicts", NULL);
	if (result == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, result);
	say_verdict(screen, result);
	return TRUE;
}

static const Option verdict_options[] = {
	{"product", "PRODUCT", "Which product; the only one by default"},
	{"reason", "TEXT", "Why; it stays with the verdict"},
	{"tool", "NAME", "What gives the verdict, drover by default"},
	{0},
};

#define ABOUT                                                                                      \
	"LANDING is an ordinal, or 7 or more digits of a revision. The verdict belongs to this\n"  \
	"landing's ITEM, never to the item elsewhere. The newest verdict counts; saying the "      \
	"same\n"                                                                                   \
	"twice writes nothing."

const Command qa_commands[] = {
	{"qa ok", "LANDING [ITEM]", 1, 2, "Says that it was tested and is good", run_verdict,
		verdict_options, ABOUT "\nWithout ITEM the landing itself is ruled on.",
		"drover qa ok 43 1207\ndrover qa ok 3f2a9c1 1207 --tool selenium --reason 'run 88'",
		"3,5,7", "landing show, landing deployable"},
	{"qa bad", "LANDING [ITEM]", 1, 2, "Says that it was tested and is broken", run_verdict,
		verdict_options, ABOUT "\nWithout ITEM the landing itself is ruled on.",
		"drover qa bad 43 1207 --reason 'login fails on Safari'", "3,5,7",
		"landing show, qa ok"},
	{"qa untestable", "LANDING ITEM", 2, 2, "Says that it cannot be tested", run_verdict,
		verdict_options, ABOUT,
		"drover qa untestable 43 1207 --reason 'needs a leap second'", "3,5,7", "qa ok"},
	{"qa needs-testing", "LANDING [ITEM]", 1, 2,
		"Withdraws a verdict: it waits for testing again", run_verdict, verdict_options,
		ABOUT "\nWithout ITEM the landing's own verdict is withdrawn.",
		"drover qa needs-testing 43 1207", "3,5,7", "qa ok, landing owing"},
	{0},
};
