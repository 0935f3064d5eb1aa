/* SPDX-License-Identifier: ISC
 *
 * All pools at a glance, and what of them belongs on the first page.
 */
#include "page/pool.h"

#define PROBLEMS_SHOWN 5

static const char *link_to_pool(Html *html, const json_t *pool)
{
	return link_print(html, "/pools/%s", json_text(pool, "name"));
}

static void write_balancers(Html *html, const json_t *pool)
{
	gint64 count = json_integer_of(pool, "balancers");
	gint64 silent = json_integer_of(pool, "silent");
	html_open(html, "p", "class", "quiet", NULL);
	if (count == 0)
		html_text(html, "No balancer has reported about it.");
	else
		html_format(html, "%" G_GINT64_FORMAT " balancer%s", count, count == 1 ? "" : "s");
	if (silent > 0)
		html_format(html, ", %" G_GINT64_FORMAT " silent", silent);
	html_close(html, "p");
}

static void write_card(Html *html, const json_t *pool)
{
	g_autofree char *slug = report_slug(json_text(pool, "name"));
	html_open(html, "section", "class", "card", "id", html_print(html, "pool-%s", slug),
		"aria-labelledby", html_print(html, "pool-heading-%s", slug), NULL);
	html_open(html, "h2", "id", html_print(html, "pool-heading-%s", slug), NULL);
	part_link(html, link_to_pool(html, pool), html_clip(html, json_text(pool, "name"), 80));
	html_open(html, "span", "class", "quiet", NULL);
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(pool, "title"), 120));
	html_close(html, "span");
	html_close(html, "h2");
	pool_bar(html, pool);
	pool_problems(html, pool, PROBLEMS_SHOWN);
	write_balancers(html, pool);
	html_close(html, "section");
	html_newline(html);
}

static void write_add(Html *html, const PageFrame *frame)
{
	gboolean refused = frame->form && g_strcmp0(frame->form->id, "pool-add") == 0;
	if (!frame_may(frame, ROLE_OPERATOR, NULL)) {
		html_element(html, "p", "An operator can add pools.", "class", "quiet", NULL);
		return;
	}
	html_open(html, "details", "class", "card", "open", refused ? HTML_SET : NULL, NULL);
	html_element(html, "summary", "Add a pool", NULL);
	form_open(html, frame, "pool-add", "/pools");
	form_input(html, frame, "pool-add", "name", "Name, as in addresses", "text", NULL, TRUE);
	form_input(html, frame, "pool-add", "title", "Title, for people", "text", NULL, FALSE);
	form_button(html, "Add", NULL, NULL, "primary");
	form_close(html);
	html_close(html, "details");
}

char *page_pools(const PageFrame *frame, const json_t *pools)
{
	Html *html = frame_begin(frame, "Pools");
	html_element(html, "h1", "Pools", NULL);
	html_open(html, "div", "id", "pools", "data-live", HTML_SET, NULL);
	if (json_array_size(pools) == 0)
		part_empty(html, "No pools yet. A pool is the servers of one service. Add one:",
			"drover pool add web web1 web2 --title 'The shop'");
	size_t index;
	json_t *pool;
	json_array_foreach (pools, index, pool)
		write_card(html, pool);
	html_close(html, "div");
	write_add(html, frame);
	return frame_end(html, frame);
}

void pools_section(Html *html, const PageFrame *frame, const json_t *pools)
{
	gsize well = 0;
	size_t index;
	json_t *pool;
	if (json_array_size(pools) == 0 || frame->report)
		return;
	html_open(html, "section", "class", "card", "id", "pools", "aria-labelledby",
		"pools-heading", "data-live", HTML_SET, NULL);
	html_open(html, "h2", "id", "pools-heading", NULL);
	part_link(html, "/pools", "Pools");
	html_close(html, "h2");
	json_array_foreach (pools, index, pool) {
		if (!json_flag(pool, "trouble")) {
			well++;
			continue;
		}
		html_open(html, "h3", NULL);
		part_link(html, link_to_pool(html, pool),
			html_clip(html, json_text(pool, "name"), 80));
		html_close(html, "h3");
		pool_bar(html, pool);
		pool_problems(html, pool, PROBLEMS_SHOWN);
	}
	if (well == json_array_size(pools))
		html_element(html, "p",
			well == 1
				? "The one pool is well."
				: html_print(html, "All %" G_GSIZE_FORMAT " pools are well.", well),
			NULL);
	else if (well > 0)
		html_element(html, "p",
			html_print(html, "%" G_GSIZE_FORMAT " more %s well.", well,
				well == 1 ? "is" : "are"),
			"class", "quiet", NULL);
	html_close(html, "section");
	html_newline(html);
}
