/* SPDX-License-Identifier: ISC
 *
 * drover landing deployable: the one question that all of this is about, answered in words, with
 * the commands that would change the answer. With --from it asks the pure heart about a file.
 */
#include <stdio.h>

#include "base/format.h"
#include "landing/whatif.h"
#include "programs/drover/commands.h"
#include "programs/terminal/show.h"

static gboolean answer_from_file(const char *path, GError **error)
{
	gsize size_bytes = 0;
	g_autofree char *text = commands_read_input(path, WHATIF_MAXIMUM_BYTES, &size_bytes, error);
	g_autoptr(json_t) answer =
		text != NULL ? whatif_answer(path, text, size_bytes, error) : NULL;
	if (answer == NULL)
		return FALSE;
	g_autofree char *line = json_write(answer);
	puts(line);
	return TRUE;
}

/* Landings above the deployable one; counted in the strip where that reaches back far enough. */
static gint64 landings_ahead(const json_t *strip, gint64 deployable, gint64 tip)
{
	gint64 ahead = 0;
	gboolean seen = FALSE;
	gsize index;
	json_t *landing;
	json_array_foreach (strip, index, landing) {
		gint64 ordinal = json_integer_of(landing, "ordinal");
		seen = seen || ordinal == deployable;
		ahead += ordinal > deployable && ordinal <= tip;
	}
	return seen ? ahead : tip - deployable;
}

static void say_answer(const Screen *screen, const json_t *answer, const json_t *strip)
{
	const char *product = json_text(answer, "product");
	gint64 tip = json_integer_of(answer, "tip");
	gint64 deployable = json_integer_of(answer, "deployable");
	g_autofree char *revision = show_revision(json_text(answer, "deployable_revision"));
	screen_part(screen, STYLE_STRONG, "%s", product);
	if (json_is_null(json_object_get(answer, "tip"))) {
		screen_line(screen, ": nothing has landed yet.");
		return;
	}
	if (json_is_null(json_object_get(answer, "deployable"))) {
		screen_line(
			screen, ": no landing up to %" G_GINT64_FORMAT " may be deployed.", tip);
		return;
	}
	if (deployable == tip) {
		screen_line(screen,
			": landing %" G_GINT64_FORMAT " (%s), the tip, may be deployed.", tip,
			revision);
		return;
	}
	g_autofree char *behind =
		show_count(landings_ahead(strip, deployable, tip), "landing", "landings");
	screen_line(screen,
		": landing %" G_GINT64_FORMAT
		" (%s) may be deployed, %s behind the tip %" G_GINT64_FORMAT ".",
		deployable, revision, behind, tip);
}

static void say_frozen(const Screen *screen, const json_t *summary)
{
	const char *frozen = json_text(summary, "frozen");
	if (frozen == NULL)
		return;
	screen_part(screen, STYLE_BAD, "FROZEN: ");
	screen_line(screen,
		"%s. This is the answer from before; look, then: drover landing rebase %s "
		"--confirm --reason WHY",
		frozen, json_text(summary, "name"));
}

static void say_why(Invocation *invocation, const json_t *answer)
{
	const Screen *screen = invocation_screen(invocation);
	const json_t *blockers = json_object_get(answer, "blockers");
	gsize count = json_array_size(blockers);
	if (count == 0)
		return;
	gboolean named =
		invocation_has(invocation, "product") || invocation_arguments(invocation) > 0;
	screen_line(screen, "%s", "");
	screen_line(screen, "%s the tip %" G_GINT64_FORMAT ":",
		count == 1 ? "This landing blocks" : "These landings block",
		json_integer_of(answer, "tip"));
	show_landings(screen, blockers, 2);
	show_needs(screen, json_object_get(answer, "needs"), blockers, json_text(answer, "product"),
		named);
}

gboolean landing_run_deployable(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *from = invocation_option(invocation, "from");
	const char *tip = invocation_option(invocation, "tip");
	if (from != NULL)
		return answer_from_file(from, error);
	g_autofree char *product =
		invocation_product(invocation, invocation_argument(invocation, 0), error);
	if (product == NULL)
		return FALSE;
	g_autoptr(json_t) answer = invocation_call(invocation, "GET", query_of("tip", tip, NULL),
		NULL, error, "products", product, "deployable", NULL);
	if (answer == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, answer);
		return TRUE;
	}
	g_autoptr(json_t) shown =
		invocation_call(invocation, "GET", NULL, NULL, error, "products", product, NULL);
	if (shown == NULL)
		return FALSE;
	const json_t *summary = json_object_get(shown, "summary");
	const json_t *strip = json_object_get(summary, "strip");
	say_answer(screen, answer, strip);
	say_frozen(screen, summary);
	show_strip(screen, strip, json_object_get(answer, "deployable"));
	say_why(invocation, answer);
	if (!json_is_null(json_object_get(answer, "tip")) &&
		json_is_null(json_object_get(answer, "deployable")))
		show_how_to_begin(screen, product);
	return TRUE;
}
