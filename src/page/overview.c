/* SPDX-License-Identifier: ISC
 *
 * The first page: every product at a glance. What is deployable, why no further, who owes QA.
 */
#include "page/channel.h"
#include "page/node.h"
#include "page/pool.h"
#include "page/release.h"
#include "page/summary.h"

#define BLOCKERS_SHOWN 5
#define OWNERS_SHOWN   5

static void write_card(Html *html, const PageFrame *frame, const json_t *product)
{
	const json_t *summary = json_object_get(product, "summary");
	const json_t *blockers = json_object_get(product, "blockers");
	const char *name = json_text(summary, "name");
	g_autofree char *slug = report_slug(name);
	html_open(html, "section", "class", "card", "id", html_print(html, "product-%s", slug),
		"aria-labelledby", html_print(html, "heading-%s", slug), "data-live", HTML_SET,
		NULL);
	html_open(html, "h2", "id", html_print(html, "heading-%s", slug), NULL);
	part_link(html, link_to_product(html, frame, name), html_clip(html, name, 80));
	html_open(html, "span", "class", "quiet", NULL);
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(summary, "title"), 120));
	html_close(html, "span");
	html_close(html, "h2");
	summary_picture(html, frame, summary);
	releases_line(html, frame, name, json_object_get(product, "releases"));
	if (!blockers) {
		html_element(html, "p",
			html_print(html, "%" G_GINT64_FORMAT " landings block the tip.",
				json_integer_of(summary, "blocker_count")),
			"class", "quiet", NULL);
	} else if (json_integer_of(summary, "landings") > 0) {
		html_open(html, "div", "class", "columns", NULL);
		html_open(html, "div", NULL);
		html_element(html, "h3", "Why no further", NULL);
		if (json_array_size(blockers) == 0)
			html_element(html, "p", "Nothing blocks: the tip is deployable.", "class",
				"quiet", NULL);
		else
			part_landing_list(html, frame, name, blockers, BLOCKERS_SHOWN);
		html_close(html, "div");
		html_open(html, "div", NULL);
		html_element(html, "h3", "Who owes QA", NULL);
		summary_owing(html, frame, name, json_object_get(product, "owing"), OWNERS_SHOWN);
		html_close(html, "div");
		html_close(html, "div");
	}
	html_close(html, "section");
	html_newline(html);
}

static void write_add(Html *html, const PageFrame *frame)
{
	if (frame->report)
		return;
	if (!frame_may(frame, ROLE_ADMIN, NULL)) {
		html_element(html, "p", "An admin can add products.", "class", "quiet", NULL);
		return;
	}
	gboolean refused = frame->form && g_strcmp0(frame->form->id, "product-add") == 0;
	html_open(html, "details", "class", "card", "open", refused ? HTML_SET : NULL, NULL);
	html_element(html, "summary", "Add a product", NULL);
	form_open(html, frame, "product-add", "/products");
	form_input(html, frame, "product-add", "name", "Name, as in addresses", "text", NULL, TRUE);
	form_input(html, frame, "product-add", "title", "Title, for people", "text", NULL, FALSE);
	form_input(html, frame, "product-add", "repository",
		"Git repository: a folder on this host; empty when landings are imported", "text",
		NULL, FALSE);
	form_input(html, frame, "product-add", "branch", "Branch", "text", NULL, FALSE);
	form_button(html, "Add", NULL, NULL, "primary");
	form_close(html);
	html_close(html, "details");
}

char *page_overview(const PageFrame *frame, const json_t *products, const json_t *pools,
	const json_t *channels, const json_t *nodes)
{
	Html *html = frame_begin(frame, "Overview");
	html_element(html, "h1", "Overview", NULL);
	if (json_array_size(products) == 0)
		part_empty(html,
			"No products yet. A product is one git repository and one line of "
			"releases. "
			"Add the first one on the control host:",
			"drover product add web --repository /srv/git/web.git\ndrover landing scan "
			"web");
	else
		strip_legend(html);
	size_t index;
	json_t *product;
	json_array_foreach (products, index, product)
		write_card(html, frame, product);
	nodes_section(html, frame, nodes);
	channels_section(html, frame, channels);
	pools_section(html, frame, pools);
	write_add(html, frame);
	return frame_end(html, frame);
}
