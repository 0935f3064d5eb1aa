/* SPDX-License-Identifier: ISC
 *
 * One product at a glance: up to where it may be deployed, the picture, and who owes QA.
 */
#include "page/summary.h"

#include "page/parts.h"

static void write_behind(Html *html, gint64 behind)
{
	if (behind > 0)
		html_format(html, ", %" G_GINT64_FORMAT " behind the tip", behind);
	else
		html_text(html, ", the tip itself");
}

void summary_answer(Html *html, const PageFrame *frame, const json_t *summary)
{
	gint64 landings = json_integer_of(summary, "landings");
	gboolean any = json_has(summary, "deployable");
	html_open(html, "p", "class", any ? "answer yes" : "answer no", NULL);
	if (any) {
		gint64 ordinal = json_integer_of(summary, "deployable");
		html_text(html, "Deployable: ");
		html_open(html, "strong", NULL);
		part_link(html, link_to_landing(html, frame, json_text(summary, "name"), ordinal),
			html_print(html, "landing %" G_GINT64_FORMAT, ordinal));
		html_close(html, "strong");
		html_text(html, " (");
		part_revision(html, json_text(summary, "deployable_revision"));
		html_text(html, ")");
		write_behind(html, json_integer_of(summary, "tip") - ordinal);
	} else {
		html_text(html, landings ? "Nothing is deployable yet" : "No landings yet");
	}
	html_close(html, "p");
	html_newline(html);
}

void summary_picture(Html *html, const PageFrame *frame, const json_t *summary)
{
	summary_answer(html, frame, summary);
	if (json_integer_of(summary, "landings") == 0) {
		part_empty(html,
			"Drover knows no landing of this product. Let it read the git repository, "
			"or "
			"import landings from elsewhere:",
			html_print(html,
				"drover landing scan %s\ndrover landing import landings.json "
				"--product %s",
				json_text(summary, "name"), json_text(summary, "name")));
		return;
	}
	strip_write(html, frame, summary);
	if (json_has(summary, "deployable"))
		return;
	part_empty(html, "Is a landing live already? Accept it and all before it:",
		html_print(html, "drover product set %s --baseline N", json_text(summary, "name")));
}

static void write_owner(
	Html *html, const PageFrame *frame, const char *product, const json_t *owner)
{
	const json_t *landings = json_object_get(owner, "landings");
	gsize count = json_array_size(landings);
	html_open(html, "li", NULL);
	html_open(html, "strong", "title", html_clip(html, json_text(owner, "email"), 200), NULL);
	html_outside(html, html_clip(html, json_text(owner, "author"), 80));
	html_close(html, "strong");
	html_text(html, count == 1 ? ": landing " : ": landings ");
	for (gsize index = 0; index < MIN(count, 8); index++) {
		gint64 ordinal = json_integer_of(json_array_get(landings, index), "ordinal");
		html_text(html, index ? ", " : "");
		part_link(html, link_to_landing(html, frame, product, ordinal),
			html_print(html, "%" G_GINT64_FORMAT, ordinal));
	}
	if (count > 8)
		html_format(html, " and %" G_GSIZE_FORMAT " more", count - 8);
	html_open(html, "span", "class", "quiet", NULL);
	html_format(html, ", since %s",
		part_age(html, frame, json_time(json_array_get(landings, 0), "landed")));
	html_close(html, "span");
	html_close(html, "li");
	html_newline(html);
}

void summary_owing(
	Html *html, const PageFrame *frame, const char *product, const json_t *owing, gsize limit)
{
	gsize count = json_array_size(owing);
	if (count == 0) {
		html_element(html, "p", "Nobody: no landing waits for QA.", "class", "quiet", NULL);
		return;
	}
	html_open(html, "ul", "class", "lines", NULL);
	for (gsize index = 0; index < MIN(count, limit); index++)
		write_owner(html, frame, product, json_array_get(owing, index));
	if (count > limit)
		html_element(html, "li",
			html_print(html, "and %" G_GSIZE_FORMAT " more people", count - limit),
			"class", "more", NULL);
	html_close(html, "ul");
}
