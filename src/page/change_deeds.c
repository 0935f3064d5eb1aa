/* SPDX-License-Identifier: ISC
 *
 * What can be done with a change. One signs what one saw: the digest of the content that is on the
 * page goes with the form, and when the change was altered meanwhile the signature is refused.
 */
#include "page/channel.h"

#include "base/format.h"

static const char *number(Html *html, gint64 value)
{
	return html_print(html, "%" G_GINT64_FORMAT, value);
}

static const char *action_of(Html *html, const json_t *detail, const char *deed)
{
	return html_print(
		html, "/changes/%" G_GINT64_FORMAT "/%s", json_integer_of(detail, "id"), deed);
}

static gboolean signs_time(const json_t *detail, const char *role)
{
	size_t index;
	json_t *required;
	json_array_foreach (json_object_get(detail, "required"), index, required)
		if (g_strcmp0(json_text(required, "role"), role) == 0)
			return json_flag(required, "signs_time");
	return FALSE;
}

/* A form with nothing but hidden fields and a button. */
static void write_button_form(Html *html, const PageFrame *frame, const char *id,
	const char *action, const char *role, const char *digest, const char *button,
	const char *class)
{
	form_open(html, frame, id, action);
	form_hidden(html, "role", role);
	if (digest)
		form_hidden(html, "digest", digest);
	form_button(html, button, NULL, NULL, class);
	form_close(html);
}

/* Signing ------------------------------------------------------------------------------------- */

static void write_signing(Html *html, const PageFrame *frame, const json_t *detail)
{
	const json_t *roles = json_object_get(json_object_get(detail, "may"), "sign");
	size_t index;
	json_t *value;
	json_array_foreach (roles, index, value) {
		const char *role = json_string_value(value);
		const char *digest =
			json_text(detail, signs_time(detail, role) ? "time_digest" : "digest");
		write_button_form(html, frame, html_print(html, "sign-%zu", index),
			action_of(html, detail, "sign"), role, digest,
			html_print(html, "Sign as %s", html_clip(html, role, 60)), "primary");
	}
}

static void write_testing(Html *html, const PageFrame *frame, const json_t *detail)
{
	const json_t *roles = json_object_get(json_object_get(detail, "may"), "tested");
	const json_t *tested = json_object_get(detail, "tested");
	size_t index;
	json_t *value;
	json_array_foreach (roles, index, value)
		write_button_form(html, frame, html_print(html, "tested-%zu", index),
			action_of(html, detail, "tested"), json_string_value(value),
			json_text(tested, "digest"),
			html_print(html, "Tested, as %s",
				html_clip(html, json_string_value(value), 60)),
			"good");
}

/* One's own sign-offs, as long as they count. */
static void write_revoking(Html *html, const PageFrame *frame, const json_t *detail)
{
	const char *me = frame->actor ? frame->actor->name : NULL;
	size_t index;
	json_t *sign_off;
	json_array_foreach (json_object_get(detail, "sign_offs"), index, sign_off)
		if (json_flag(sign_off, "counts") &&
			g_strcmp0(json_text(sign_off, "person"), me) == 0)
			write_button_form(html, frame, html_print(html, "revoke-%zu", index),
				action_of(html, detail, "revoke"), json_text(sign_off, "role"),
				NULL,
				html_print(html, "Take back what I signed as %s",
					html_clip(html, json_text(sign_off, "role"), 60)),
				NULL);
}

/* Steering ------------------------------------------------------------------------------------ */

static void open_deed(Html *html, const PageFrame *frame, const char *form, const json_t *detail,
	const char *title, const char *deed)
{
	html_open(html, "details", "class", "card", "id", html_print(html, "%s-deed", form), "open",
		form_is_back(frame, form) ? HTML_SET : NULL, NULL);
	html_element(html, "summary", title, NULL);
	form_open(html, frame, form, action_of(html, detail, deed));
	form_hidden(html, "data_version", number(html, json_integer_of(detail, "data_version")));
}

static void close_deed(Html *html, const char *button, const char *class)
{
	form_button(html, button, NULL, NULL, class);
	form_close(html);
	html_close(html, "details");
	html_newline(html);
}

static void write_moving(Html *html, const PageFrame *frame, const json_t *detail)
{
	gint64 when_us = json_time(detail, "when");
	g_autofree char *when = format_time(when_us);
	open_deed(html, frame, "move", detail, "Move it in time", "move");
	form_input(html, frame, "move", "when", "When, in UTC", "datetime-local",
		html_print(html, "%.16s", when), TRUE);
	close_deed(html, "Move it", "primary");
}

static void write_editing(Html *html, const PageFrame *frame, const json_t *detail)
{
	g_autofree char *ops = json_write_pretty(json_object_get(detail, "ops"));
	open_deed(html, frame, "edit", detail, "Write it anew", "edit");
	html_element(html, "p", "Every sign-off on it falls when its content is another.", NULL);
	form_input(html, frame, "edit", "title", "Title", "text", json_text(detail, "title"), TRUE);
	form_area(html, frame, "edit", "ops", "What it does, as JSON", 14, ops);
	form_input(html, frame, "edit", "reason", "Reason", "text", NULL, FALSE);
	close_deed(html, "Save", "primary");
}

static void write_overriding(Html *html, const PageFrame *frame, const json_t *detail)
{
	const json_t *gates = json_object_get(detail, "gates");
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	size_t index;
	json_t *gate;
	json_array_foreach (gates, index, gate)
		if (!json_flag(gate, "passes") && !json_has(gate, "override") &&
			json_has(gate, "role"))
			g_ptr_array_add(names, (gpointer)(guintptr)json_text(gate, "name"));
	g_ptr_array_add(names, NULL);
	if (names->len < 2)
		return;
	open_deed(html, frame, "override", detail, "Override a gate", "override");
	form_select(
		html, frame, "override", "gate", "Gate", (const char *const *)names->pdata, NULL);
	form_input(html, frame, "override", "reason", "Reason", "text", NULL, TRUE);
	close_deed(html, "Override it", "danger");
}

/* Deeds that want nothing but a reason. `name`: of the form, and of the API's route. */
typedef struct ReasonedDeed {
	const char *name, *title, *label, *button, *class;
} ReasonedDeed;

static const ReasonedDeed going = {
	"go", "It was missed: let it go live now", "Reason", "Let it go live", "primary"};
static const ReasonedDeed withdrawing = {
	"withdraw", "Withdraw it", "Reason", "Withdraw it", "danger"};
/* Of one that went live on one word alone. */
static const ReasonedDeed reviewing = {
	"review", "Review it: glass was broken for it", "What you found", "Reviewed", "primary"};

static void write_reasoned(
	Html *html, const PageFrame *frame, const json_t *detail, const ReasonedDeed *deed)
{
	open_deed(html, frame, deed->name, detail, deed->title, deed->name);
	form_input(html, frame, deed->name, "reason", deed->label, "text", NULL, TRUE);
	close_deed(html, deed->button, deed->class);
}

static void write_steering(Html *html, const PageFrame *frame, const json_t *detail)
{
	const json_t *may = json_object_get(detail, "may");
	if (json_flag(may, "go"))
		write_reasoned(html, frame, detail, &going);
	if (json_flag(may, "edit")) {
		write_moving(html, frame, detail);
		write_editing(html, frame, detail);
	}
	if (json_flag(may, "review"))
		write_reasoned(html, frame, detail, &reviewing);
	if (json_flag(may, "override"))
		write_overriding(html, frame, detail);
	if (json_flag(may, "withdraw"))
		write_reasoned(html, frame, detail, &withdrawing);
	if (json_flag(may, "break_glass")) {
		html_open(html, "p", NULL);
		part_link(html, action_of(html, detail, "break-glass"),
			"Break glass: go live now without the others");
		html_close(html, "p");
	}
}

static gboolean is_waiting(const json_t *detail)
{
	const char *state = json_text(detail, "state");
	return g_strcmp0(state, "live") != 0 && g_strcmp0(state, "withdrawn") != 0;
}

static void write_words(Html *html, const PageFrame *frame, const json_t *detail)
{
	const json_t *may = json_object_get(detail, "may");
	gboolean signs = json_array_size(json_object_get(may, "sign")) > 0;
	gboolean tests = json_array_size(json_object_get(may, "tested")) > 0;
	html_open(html, "div", "class", "buttons deeds", NULL);
	write_signing(html, frame, detail);
	write_testing(html, frame, detail);
	write_revoking(html, frame, detail);
	html_close(html, "div");
	if (!signs && !tests)
		html_element(html, "p", "There is nothing here that you could sign now.", "class",
			"quiet", NULL);
}

void change_deeds(Html *html, const PageFrame *frame, const json_t *detail)
{
	gboolean waits = is_waiting(detail);
	html_open(html, "div", "id", "change-deeds", "data-live", HTML_SET, NULL);
	if (waits || json_flag(json_object_get(detail, "may"), "review"))
		html_element(html, "h2", "What you can do", NULL);
	if (waits)
		write_words(html, frame, detail);
	write_steering(html, frame, detail);
	html_close(html, "div");
}

char *page_change_break_glass(const PageFrame *frame, const json_t *detail)
{
	gint64 id = json_integer_of(detail, "id");
	Html *html = frame_begin(frame, "Break glass · Change %" G_GINT64_FORMAT, id);
	html_element(
		html, "h1", html_print(html, "Break glass for change %" G_GINT64_FORMAT, id), NULL);
	html_open(html, "p", "class", "trail", NULL);
	change_link(html, detail);
	html_close(html, "p");
	html_open(html, "div", "class", "card narrow", NULL);
	html_element(html, "p",
		"This makes the change live now, on your word alone: without the sign-offs, tests "
		"and gates that it lacks. Everybody who is concerned is told at once, and it is "
		"reviewed afterwards.",
		NULL);
	change_words(html, detail);
	form_open(html, frame, "break-glass", action_of(html, detail, "break-glass"));
	form_input(html, frame, "break-glass", "reason", "Reason", "text", NULL, TRUE);
	form_button(html, "Break glass", NULL, NULL, "danger");
	form_close(html);
	html_close(html, "div");
	return frame_end(html, frame);
}
