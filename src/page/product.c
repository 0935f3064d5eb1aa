/* SPDX-License-Identifier: ISC
 *
 * One product: the answer, the picture, every blocker and what would lift it, who owes QA, the
 * settings; and for operators the scan and the confirmation of a rewritten branch.
 */
#include "page/parts.h"
#include "page/summary.h"

#define BLOCKERS_SHOWN 200
#define OWNERS_SHOWN   200
#define SETTINGS       "product-settings"

static void write_places(Html *html, const PageFrame *frame, const char *name)
{
	html_open(html, "nav", "aria-label", "Product", "class", "places", NULL);
	part_link(html, link_to_landings(html, frame, name), "All landings");
	html_text(html, " ");
	part_link(html, link_to_where(html, frame, name), "Is my branch live?");
	if (!frame->report) {
		html_text(html, " ");
		part_link(html, link_print(html, "/products/%s/releases", name), "Releases");
	}
	if (frame_may(frame, ROLE_VIEWER, NULL)) {
		html_text(html, " ");
		part_link(html, link_print(html, "/history?subject=product/%s", name), "History");
	}
	html_close(html, "nav");
}

static void write_ask(Html *html, const PageFrame *frame, const char *name)
{
	if (frame->report)
		return;
	html_open(html, "form", "method", "get", "action", link_to_where(html, frame, name), "role",
		"search", "class", "inline", NULL);
	html_element(html, "label", "Is it live? A branch, commit, item or author", "for",
		"where-q", NULL);
	html_void(html, "input", "type", "search", "name", "q", "id", "where-q", NULL);
	form_button(html, "Ask", NULL, NULL, NULL);
	html_close(html, "form");
}

static void write_blockers(
	Html *html, const PageFrame *frame, const char *name, const json_t *product)
{
	const json_t *blockers = json_object_get(product, "blockers");
	gsize count = json_array_size(blockers);
	html_open(html, "section", "id", "blockers", "data-live", HTML_SET, "aria-labelledby",
		"blockers-heading", NULL);
	html_element(html, "h2", "Why no further", "id", "blockers-heading", NULL);
	if (count == 0) {
		html_element(html, "p", "Nothing blocks the newest tip.", "class", "quiet", NULL);
	} else {
		part_landing_list(html, frame, name, blockers, BLOCKERS_SHOWN);
		html_element(html, "h3", "What would it take", NULL);
		part_needs(html, frame, name, json_object_get(product, "needs"), BLOCKERS_SHOWN);
	}
	html_close(html, "section");
	html_newline(html);
}

static void write_steering(Html *html, const PageFrame *frame, const char *name,
	const json_t *settings, gboolean frozen)
{
	if (frame->report || !json_has(settings, "repository"))
		return;
	html_open(html, "section", "id", "steering", "aria-labelledby", "steering-heading", NULL);
	html_element(html, "h2", "Reading the branch", "id", "steering-heading", NULL);
	if (!frame_may(frame, ROLE_OPERATOR, name)) {
		html_element(html, "p",
			"An operator of this product can scan it and confirm a rewritten branch.",
			"class", "quiet", NULL);
	} else if (frozen) {
		form_open(html, frame, "rebase", link_print(html, "/products/%s/rebase", name));
		html_element(html, "p",
			"The branch was rewritten. Confirm that it is meant to be so, and it is "
			"read anew.",
			NULL);
		form_input(html, frame, "rebase", "reason", "Reason", "text", NULL, TRUE);
		form_button(html, "Confirm the rewritten branch", "confirm", "yes", "danger");
		form_close(html);
	} else {
		form_open(html, frame, "scan", link_print(html, "/products/%s/scan", name));
		form_button(html, "Scan now", NULL, NULL, NULL);
		form_close(html);
	}
	html_close(html, "section");
}

static const char *number_of(Html *html, const json_t *settings, const char *key)
{
	return json_has(settings, key)
		       ? html_print(html, "%" G_GINT64_FORMAT, json_integer_of(settings, key))
		       : NULL;
}

static void write_text(Html *html, const PageFrame *frame, const json_t *settings, const char *key,
	const char *label, gboolean required)
{
	form_input(html, frame, SETTINGS, key, label, "text", json_text(settings, key), required);
}

static void write_switch(Html *html, const PageFrame *frame, const json_t *settings,
	const char *key, const char *label)
{
	static const char *const values[] = {"yes", "no", NULL};
	form_select(
		html, frame, SETTINGS, key, label, values, json_flag(settings, key) ? "yes" : "no");
}

/* Empty fields are sent too, and mean none: see forms.c. */
static void write_change(Html *html, const PageFrame *frame, const json_t *settings)
{
	gboolean refused = frame->form && g_strcmp0(frame->form->id, SETTINGS) == 0;
	html_open(html, "details", "class", "card", "open", refused ? HTML_SET : NULL, NULL);
	html_element(html, "summary", "Change the settings", NULL);
	form_open(html, frame, SETTINGS,
		link_print(html, "/products/%s", json_text(settings, "name")));
	form_hidden(html, "data_version", number_of(html, settings, "data_version"));
	write_text(html, frame, settings, "title", "Title, for people", TRUE);
	write_text(html, frame, settings, "repository",
		"Git repository: a folder on this host; empty when landings are imported", FALSE);
	write_text(html, frame, settings, "branch", "Branch", TRUE);
	write_text(html, frame, settings, "item_patterns", "Item patterns", TRUE);
	write_text(html, frame, settings, "item_url", "Item address, with {item} in it", FALSE);
	write_switch(html, frame, settings, "authors_may_rule", "Authors may rule on themselves");
	form_input(html, frame, SETTINGS, "baseline",
		"Baseline: landings up to this one are accepted", "number",
		number_of(html, settings, "baseline"), FALSE);
	write_text(html, frame, settings, "mail_list", "Mail list, for what is overdue", FALSE);
	form_input(html, frame, SETTINGS, "overdue_days", "Days until a landing is overdue",
		"number", number_of(html, settings, "overdue_days"), TRUE);
	form_input(html, frame, SETTINGS, "overdue_every_days",
		"Days between two mails to the list", "number",
		number_of(html, settings, "overdue_every_days"), TRUE);
	write_switch(html, frame, settings, "remind", "Remind owners daily");
	form_input(html, frame, SETTINGS, "reason", "Reason", "text", NULL, FALSE);
	form_button(html, "Save", NULL, NULL, "primary");
	form_close(html);
	html_close(html, "details");
}

static void write_settings(Html *html, const PageFrame *frame, const json_t *settings)
{
	html_open(html, "section", "id", "settings", "aria-labelledby", "settings-heading", NULL);
	html_element(html, "h2", "Settings", "id", "settings-heading", NULL);
	html_open(html, "dl", "class", "facts", NULL);
	part_fact(html, "Repository",
		json_has(settings, "repository") ? json_text(settings, "repository")
						 : "none: landings are imported");
	part_fact(html, "Branch", json_text(settings, "branch"));
	part_fact(html, "Item patterns", json_text(settings, "item_patterns"));
	part_fact(html, "Item address", json_text(settings, "item_url"));
	part_fact(html, "Authors may rule on themselves",
		json_flag(settings, "authors_may_rule") ? "yes" : "no");
	part_fact(html, "Baseline",
		json_has(settings, "baseline") ? html_print(html, "landing %" G_GINT64_FORMAT,
							 json_integer_of(settings, "baseline"))
					       : NULL);
	part_fact(html, "Mail list", json_text(settings, "mail_list"));
	part_fact(html, "Reminders",
		json_flag(settings, "remind")
			? html_print(html,
				  "daily; to the list after %" G_GINT64_FORMAT
				  " days, every %" G_GINT64_FORMAT " days",
				  json_integer_of(settings, "overdue_days"),
				  json_integer_of(settings, "overdue_every_days"))
			: "off");
	html_close(html, "dl");
	if (frame_may(frame, ROLE_OPERATOR, json_text(settings, "name")))
		write_change(html, frame, settings);
	else if (!frame->report)
		html_element(html, "p", "An operator of this product can change them.", "class",
			"quiet", NULL);
	html_close(html, "section");
}

char *page_product(const PageFrame *frame, const json_t *product)
{
	const json_t *settings = json_object_get(product, "settings");
	const json_t *summary = json_object_get(product, "summary");
	const char *name = json_text(summary, "name");
	Html *html = frame_begin(frame, "%s", name);
	html_open(html, "h1", NULL);
	html_outside(html, html_clip(html, name, 200));
	html_open(html, "span", "class", "quiet", NULL);
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(settings, "title"), 200));
	html_close(html, "span");
	html_close(html, "h1");
	write_places(html, frame, name);
	html_open(html, "section", "id", "answer", "class", "card", "aria-label",
		"Up to where it may be deployed", "data-live", HTML_SET, NULL);
	summary_picture(html, frame, summary);
	if (json_integer_of(summary, "landings") > 0)
		strip_legend(html);
	html_open(html, "p", "class", "quiet scanned", NULL);
	html_text(html, "Branch ");
	html_outside(html, html_clip(html, json_text(summary, "branch"), 100));
	html_text(html, ", last scan ");
	part_time(html, frame, summary, "scanned");
	html_close(html, "p");
	html_close(html, "section");
	html_newline(html);
	write_ask(html, frame, name);
	if (json_integer_of(summary, "landings") > 0)
		write_blockers(html, frame, name, product);
	html_open(html, "section", "id", "owing", "data-live", HTML_SET, "aria-labelledby",
		"owing-heading", NULL);
	html_element(html, "h2", "Who owes QA", "id", "owing-heading", NULL);
	summary_owing(html, frame, name, json_object_get(product, "owing"), OWNERS_SHOWN);
	html_close(html, "section");
	write_steering(html, frame, name, settings, json_has(summary, "frozen"));
	write_settings(html, frame, settings);
	return frame_end(html, frame);
}
