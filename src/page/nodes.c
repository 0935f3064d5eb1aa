/* SPDX-License-Identifier: ISC
 *
 * All nodes: for each product and channel what every one runs and should run, what needs somebody
 * first. And what of them belongs on the first page.
 */
#include "page/node.h"
#include "page/release.h"

#include <string.h>

#define TROUBLE_SHOWN 5

static const char *const columns[] = {
	"Node", "Runs", "Should run", "State", "Since", "Last report", "Clock", NULL};

/* One product of one node. */
typedef struct Place {
	const json_t *node, *place;
} Place;

static const char *text_of(const Place *place, const char *key)
{
	const char *text = json_text(place->place, key);
	return text ? text : "";
}

/* Groups together, the most urgent first, then by name. */
static int by_urgency(gconstpointer left, gconstpointer right)
{
	const Place *one = left, *other = right;
	int order = strcmp(text_of(one, "product"), text_of(other, "product"));
	if (order == 0)
		order = strcmp(text_of(one, "channel"), text_of(other, "channel"));
	if (order == 0)
		order = node_urgency(text_of(one, "state")) - node_urgency(text_of(other, "state"));
	return order != 0 ? order
			  : g_strcmp0(json_text(one->node, "name"), json_text(other->node, "name"));
}

static gboolean fits(const Place *place, GHashTable *query)
{
	static const char *const keys[] = {"product", "channel", "state"};
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (*part_asked(query, keys[i]) &&
			!g_str_equal(part_asked(query, keys[i]), text_of(place, keys[i])))
			return FALSE;
	return TRUE;
}

static GArray *places_of(const json_t *nodes, GHashTable *query)
{
	GArray *places = g_array_new(FALSE, FALSE, sizeof(Place));
	size_t index, at;
	json_t *node, *product;
	json_array_foreach (nodes, index, node)
		json_array_foreach (json_object_get(node, "products"), at, product) {
			Place place = {node, product};
			if (fits(&place, query))
				g_array_append_val(places, place);
		}
	g_array_sort(places, by_urgency);
	return places;
}

static GPtrArray *states_of(const Place *places, guint count)
{
	GPtrArray *found = g_ptr_array_new();
	for (guint i = 0; i < count; i++)
		g_ptr_array_add(found, (gpointer)(guintptr)places[i].place);
	return found;
}

/* The table ----------------------------------------------------------------------------------- */

static void write_should(Html *html, const Place *place)
{
	part_cell(html, "Should run", NULL);
	release_version(html, text_of(place, "product"), node_target(place->place));
	if (json_has(place->place, "ordered"))
		html_element(html, "span", "ordered", "class", "tag", "title",
			html_clip(html, json_text(place->place, "reason"), 200), NULL);
	html_close(html, "td");
}

static void write_state(Html *html, const Place *place)
{
	part_cell(html, "State", "wide");
	node_state(html, text_of(place, "state"));
	if (json_has(place->place, "text")) {
		html_open(html, "span", "class", "quiet", NULL);
		html_text(html, " ");
		html_outside(html, html_clip(html, json_text(place->place, "text"), 400));
		html_close(html, "span");
	}
	node_progress(html, place->place);
	node_error(html, place->place);
	html_close(html, "td");
}

static void write_row(Html *html, const PageFrame *frame, const Place *place)
{
	const json_t *host = json_object_get(place->node, "host");
	const json_t *report = json_object_get(place->place, "report");
	html_open(html, "tr", "data-node", html_clip(html, json_text(place->node, "name"), 120),
		NULL);
	html_open(html, "th", "scope", "row", NULL);
	part_link(html, link_to_node(html, json_text(place->node, "name")),
		html_clip(html, json_text(place->node, "name"), 80));
	html_close(html, "th");
	part_cell(html, "Runs", NULL);
	release_version(html, text_of(place, "product"), json_text(place->place, "running"));
	html_close(html, "td");
	write_should(html, place);
	write_state(html, place);
	part_cell_time(html, frame, "Since", json_object_get(report, "service"), "since");
	part_cell_time(html, frame, "Last report", place->place, "reported");
	part_cell(html, "Clock", NULL);
	node_clock(html, host);
	html_close(html, "td");
	html_close(html, "tr");
	html_newline(html);
}

static void write_group(Html *html, const PageFrame *frame, const Place *places, guint count)
{
	g_autoptr(GPtrArray) states = states_of(places, count);
	const char *product = html_clip(html, text_of(places, "product"), 80);
	const char *channel = html_clip(html, text_of(places, "channel"), 80);
	html_open(html, "h2", NULL);
	part_link(html, link_print(html, "/products/%s/releases", text_of(places, "product")),
		product);
	html_text(html, " on ");
	part_link(html,
		link_print(html, "/channels/%s/%s", text_of(places, "product"),
			text_of(places, "channel")),
		channel);
	html_close(html, "h2");
	node_bar(html, states);
	part_table_open(html, "stack nodes",
		html_print(html, "Nodes of %s on %s", product, channel), columns);
	for (guint i = 0; i < MIN(count, NODES_SHOWN); i++)
		write_row(html, frame, &places[i]);
	part_table_close(html);
	if (count > NODES_SHOWN)
		html_element(html, "p",
			html_print(
				html, "and %u more; the filter shows fewer", count - NODES_SHOWN),
			"class", "more", NULL);
}

static void write_groups(Html *html, const PageFrame *frame, const GArray *places)
{
	for (guint first = 0, end; first < places->len; first = end) {
		const Place *at = &g_array_index(places, Place, first);
		for (end = first + 1; end < places->len; end++) {
			const Place *other = &g_array_index(places, Place, end);
			if (!g_str_equal(text_of(at, "product"), text_of(other, "product")) ||
				!g_str_equal(text_of(at, "channel"), text_of(other, "channel")))
				break;
		}
		write_group(html, frame, at, end - first);
	}
}

/* Nodes that run nothing, or nothing that this person may see. */
static void write_idle(Html *html, const json_t *nodes, GHashTable *query)
{
	gsize shown = 0;
	size_t index;
	json_t *node;
	if (*part_asked(query, "product") || *part_asked(query, "channel") ||
		*part_asked(query, "state"))
		return;
	json_array_foreach (nodes, index, node) {
		if (json_array_size(json_object_get(node, "products")) > 0)
			continue;
		if (shown++ == 0) {
			html_element(html, "h2", "Nodes without a product", NULL);
			html_open(html, "ul", "class", "lines", NULL);
		}
		html_open(html, "li", NULL);
		part_link(html, link_to_node(html, json_text(node, "name")),
			html_clip(html, json_text(node, "name"), 80));
		html_close(html, "li");
	}
	if (shown > 0)
		html_close(html, "ul");
}

/* Filter and form ----------------------------------------------------------------------------- */

/* What is asked stays a choice, also when nothing has it now. */
static void write_choice(
	Html *html, const json_t *nodes, GHashTable *query, const char *key, const char *label)
{
	g_autoptr(GPtrArray) values = g_ptr_array_new();
	size_t index, at;
	json_t *node, *place;
	if (*part_asked(query, key))
		g_ptr_array_add(values, (gpointer)(guintptr)part_asked(query, key));
	json_array_foreach (nodes, index, node)
		json_array_foreach (json_object_get(node, "products"), at, place) {
			const char *value = json_text(place, key);
			if (value &&
				!g_ptr_array_find_with_equal_func(values, value, g_str_equal, NULL))
				g_ptr_array_add(values, (gpointer)(guintptr)value);
		}
	const char *id = html_print(html, "filter-%s", key);
	html_element(html, "label", label, "for", id, NULL);
	html_open(html, "select", "name", key, "id", id, NULL);
	html_element(html, "option", "all", "value", "", NULL);
	for (guint i = 0; i < values->len; i++)
		html_element(html, "option", html_clip(html, values->pdata[i], 80), "value",
			values->pdata[i], "selected",
			g_str_equal(part_asked(query, key), values->pdata[i]) ? HTML_SET : NULL,
			NULL);
	html_close(html, "select");
}

static void write_filter(Html *html, const json_t *nodes, GHashTable *query)
{
	html_open(html, "form", "method", "get", "action", "/nodes", "class", "inline", "role",
		"search", "aria-label", "Filter nodes", NULL);
	write_choice(html, nodes, query, "product", "Product");
	write_choice(html, nodes, query, "channel", "Channel");
	write_choice(html, nodes, query, "state", "State");
	form_button(html, "Filter", NULL, NULL, NULL);
	html_close(html, "form");
	html_newline(html);
}

static void write_add(Html *html, const PageFrame *frame)
{
	if (!frame_may(frame, ROLE_ADMIN, NULL)) {
		html_element(html, "p", "An admin can add nodes.", "class", "quiet", NULL);
		return;
	}
	html_open(html, "details", "class", "card", "id", "add", "open",
		form_is_back(frame, "node-add") ? HTML_SET : NULL, NULL);
	html_element(html, "summary", "Add a node", NULL);
	html_element(html, "p",
		"What comes back is a code: the node enrols with it, once, and is shown it here "
		"only.",
		"class", "quiet", NULL);
	form_open(html, frame, "node-add", "/nodes");
	form_input(html, frame, "node-add", "name", "Name of the machine", "text", NULL, TRUE);
	form_area(html, frame, "node-add", "products", "Product and channel, a line each: web beta",
		2, NULL);
	form_input(html, frame, "node-add", "tags", "Tags, for rules: rack=a tier=front", "text",
		NULL, FALSE);
	form_input(html, frame, "node-add", "notes", "Notes", "text", NULL, FALSE);
	form_button(html, "Add", NULL, NULL, "primary");
	form_close(html);
	html_close(html, "details");
	html_newline(html);
}

char *page_nodes(const PageFrame *frame, const json_t *nodes, GHashTable *query)
{
	Html *html = frame_begin(frame, "Nodes");
	g_autoptr(GArray) places = places_of(nodes, query);
	html_element(html, "h1", "Nodes", NULL);
	write_filter(html, nodes, query);
	html_open(html, "div", "id", "nodes", "data-live", HTML_SET, NULL);
	if (json_array_size(nodes) == 0)
		part_empty(html,
			"No nodes yet. A node is a machine that runs a product and follows a "
			"channel. Add one:",
			"drover node add web1 --product web --channel release");
	else if (places->len == 0)
		html_element(html, "p", "No node fits.", "class", "quiet", NULL);
	write_groups(html, frame, places);
	write_idle(html, nodes, query);
	html_close(html, "div");
	write_add(html, frame);
	return frame_end(html, frame);
}

/* Overview ------------------------------------------------------------------------------------ */

static gboolean is_trouble(const Place *place)
{
	const json_t *report = json_object_get(place->place, "report");
	return node_urgency(text_of(place, "state")) <= node_urgency("silent") ||
	       json_flag(json_object_get(report, "maintenance"), "overdue");
}

static void write_trouble(Html *html, const GArray *places)
{
	gsize shown = 0;
	html_open(html, "ul", "class", "lines", NULL);
	for (guint i = 0; i < places->len; i++) {
		const Place *place = &g_array_index(places, Place, i);
		if (!is_trouble(place) || shown++ >= TROUBLE_SHOWN)
			continue;
		html_open(html, "li", NULL);
		node_state(html, text_of(place, "state"));
		html_text(html, " ");
		part_link(html, link_to_node(html, json_text(place->node, "name")),
			html_clip(html, json_text(place->node, "name"), 80));
		html_open(html, "span", "class", "quiet", NULL);
		html_text(html, " ");
		html_outside(html, html_clip(html, text_of(place, "product"), 80));
		html_text(html, ": ");
		html_outside(html, html_clip(html, text_of(place, "text"), 200));
		html_close(html, "span");
		html_close(html, "li");
	}
	html_close(html, "ul");
	if (shown > TROUBLE_SHOWN)
		html_element(html, "p",
			html_print(html, "and %" G_GSIZE_FORMAT " more", shown - TROUBLE_SHOWN),
			"class", "more", NULL);
}

void nodes_section(Html *html, const PageFrame *frame, const json_t *nodes)
{
	gsize trouble = 0;
	if (json_array_size(nodes) == 0 || frame->report)
		return;
	g_autoptr(GArray) places = places_of(nodes, NULL);
	g_autoptr(GPtrArray) states = states_of((const Place *)(gpointer)places->data, places->len);
	for (guint i = 0; i < places->len; i++)
		trouble += is_trouble(&g_array_index(places, Place, i)) ? 1 : 0;
	html_open(html, "section", "class", "card", "id", "nodes", "aria-labelledby",
		"nodes-heading", "data-live", HTML_SET, NULL);
	html_open(html, "h2", "id", "nodes-heading", NULL);
	part_link(html, "/nodes", "Nodes");
	html_close(html, "h2");
	if (trouble > 0) {
		html_open(html, "div", "class", "banner danger", "data-banner", "nodes", NULL);
		html_element(html, "strong",
			html_print(html, "%" G_GSIZE_FORMAT " need%s somebody", trouble,
				trouble == 1 ? "s" : ""),
			NULL);
		write_trouble(html, places);
		html_close(html, "div");
	}
	node_bar(html, states);
	html_close(html, "section");
	html_newline(html);
}
