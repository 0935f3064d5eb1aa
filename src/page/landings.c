/* SPDX-License-Identifier: ISC
 *
 * The landings of a product, newest first, filtered by state and author, a page at a time.
 */
#include "page/parts.h"

static const char *const columns[] = {
	"Landing", "State", "Subject", "Items", "Author", "Landed", NULL};

static void write_items(Html *html, const json_t *landing)
{
	size_t index;
	json_t *item;
	json_array_foreach (json_object_get(landing, "items"), index, item) {
		html_open(html, "div", "class", "item", NULL);
		part_item(html, item);
		html_text(html, " ");
		part_item_state(html, json_text(item, "counts_as"));
		html_close(html, "div");
	}
	const char *qa = json_text(landing, "qa");
	if (qa && !g_str_equal(qa, "required"))
		html_element(html, "span", qa, "class", "tag", NULL);
}

static void write_marks(
	Html *html, const PageFrame *frame, const char *product, const json_t *landing)
{
	if (json_flag(landing, "deployable"))
		html_element(html, "span", "deployable", "class", "tag good", NULL);
	if (json_flag(landing, "blocks"))
		html_element(html, "span", "blocks", "class", "tag bad", NULL);
	size_t index;
	json_t *target;
	json_array_foreach (json_object_get(landing, "rolls_back"), index, target) {
		gint64 ordinal = json_integer_value(target);
		html_open(html, "span", "class", "tag", NULL);
		html_text(html, "rolls back ");
		if (ordinal > 0)
			part_link(html, link_to_landing(html, frame, product, ordinal),
				html_print(html, "%" G_GINT64_FORMAT, ordinal));
		else
			html_text(html, ordinal == 0 ? "an older one" : "an unknown one");
		html_close(html, "span");
	}
}

static void write_row(
	Html *html, const PageFrame *frame, const char *product, const json_t *landing)
{
	gint64 ordinal = json_integer_of(landing, "ordinal");
	const char *number = html_print(html, "%" G_GINT64_FORMAT, ordinal);
	html_open(html, "tr", "id", html_print(html, "landing-%s", number), NULL);
	html_open(html, "th", "scope", "row", NULL);
	part_link(html, frame->report ? NULL : link_to_landing(html, frame, product, ordinal),
		number);
	html_text(html, " ");
	part_revision(html, json_text(landing, "revision"));
	html_close(html, "th");
	part_cell(html, "State", NULL);
	part_state(html, landing);
	html_close(html, "td");
	part_cell(html, "Subject", "wide");
	html_outside(html, html_clip(html, json_text(landing, "subject"), 200));
	html_text(html, " ");
	write_marks(html, frame, product, landing);
	html_close(html, "td");
	part_cell(html, "Items", "items");
	write_items(html, landing);
	html_close(html, "td");
	part_cell_text(html, "Author", NULL, html_clip(html, json_text(landing, "author"), 60));
	part_cell_time(html, frame, "Landed", landing, "landed");
	html_close(html, "tr");
	html_newline(html);
}

static void write_filter(Html *html, const PageFrame *frame, const char *product, GHashTable *query)
{
	static const char *const states[][2] = {
		{"", "every state"}, {"PENDING", "pending"}, {"GOOD", "good"}, {"BAD", "bad"}};
	html_open(html, "form", "method", "get", "action", link_to_landings(html, frame, product),
		"class", "inline", "role", "search", "aria-label", "Filter landings", NULL);
	html_element(html, "label", "State", "for", "filter-state", NULL);
	html_open(html, "select", "name", "state", "id", "filter-state", NULL);
	for (gsize index = 0; index < G_N_ELEMENTS(states); index++)
		html_element(html, "option", states[index][1], "value", states[index][0],
			"selected",
			g_str_equal(part_asked(query, "state"), states[index][0]) ? HTML_SET : NULL,
			NULL);
	html_close(html, "select");
	html_element(html, "label", "Author", "for", "filter-author", NULL);
	html_void(html, "input", "type", "search", "name", "author", "id", "filter-author", "value",
		part_asked(query, "author"), NULL);
	form_button(html, "Filter", NULL, NULL, NULL);
	html_close(html, "form");
	html_newline(html);
}

static void write_pager(Html *html, const PageFrame *frame, const char *product, const json_t *list,
	GHashTable *query)
{
	html_open(html, "nav", "class", "pager", "aria-label", "Pages", NULL);
	const char *base = link_to_landings(html, frame, product);
	if (*part_asked(query, "before"))
		html_element(html, "a", "Newest", "href",
			html_print(html, "%s%s", base,
				link_print(html, "?state=%s&author=%s", part_asked(query, "state"),
					part_asked(query, "author"))),
			"rel", "first", NULL);
	if (json_has(list, "next"))
		html_element(html, "a", "Older", "href",
			html_print(html, "%s%s", base,
				link_print(html, "?before=%" G_GINT64_FORMAT "&state=%s&author=%s",
					json_integer_of(list, "next"), part_asked(query, "state"),
					part_asked(query, "author"))),
			"rel", "next", NULL);
	html_close(html, "nav");
}

char *page_landings(const PageFrame *frame, const json_t *list, GHashTable *query)
{
	const char *product = json_text(list, "product");
	const json_t *landings = json_object_get(list, "landings");
	Html *html = frame_begin(frame, "Landings · %s", product);
	html_element(html, "h1", "Landings", NULL);
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, link_to_product(html, frame, product), html_clip(html, product, 80));
	html_close(html, "p");
	if (!frame->report)
		write_filter(html, frame, product, query);
	html_open(html, "div", "id", "landings", "data-live", HTML_SET, NULL);
	if (json_array_size(landings) == 0)
		part_empty(html, "No landing fits.", NULL);
	else {
		part_table_open(html, "stack", "Landings, newest first", columns);
		size_t index;
		json_t *landing;
		json_array_foreach (landings, index, landing)
			write_row(html, frame, product, landing);
		part_table_close(html);
	}
	html_close(html, "div");
	if (frame->report && json_has(list, "next"))
		html_element(html, "p", "Older landings are not part of this report.", "class",
			"quiet", NULL);
	if (!frame->report)
		write_pager(html, frame, product, list, query);
	return frame_end(html, frame);
}
