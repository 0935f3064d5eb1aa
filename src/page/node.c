/* SPDX-License-Identifier: ISC
 *
 * One node: for each of its products what runs and what should, what it is doing, what went wrong,
 * what it ran before; the order for exactly one version; and what is written down about it.
 */
#include "page/node.h"
#include "page/release.h"

#define VERSIONS_OFFERED 50
#define EVENTS_SHOWN	 50
#define INSTALLED_SHOWN	 20

static const char *const event_columns[] = {"When", "Product", "What", "Ran", "Why", NULL};

/* The code ------------------------------------------------------------------------------------ */

static void write_invited(
	Html *html, const PageFrame *frame, const json_t *invited, const char *problem)
{
	if (problem) {
		html_open(html, "div", "class", "banner warning", "role", "status", NULL);
		html_text(html, "There is no code for it: ");
		html_outside(html, html_clip(html, problem, 400));
		html_close(html, "div");
	}
	if (!invited)
		return;
	html_open(html, "div", "class", "banner success", "id", "enrolment-code", "role", "status",
		NULL);
	html_element(html, "strong", "The code with which it enrols, shown this once", NULL);
	html_element(html, "code", json_text(invited, "code"), "class", "secret", NULL);
	html_text(html, "It works once, until ");
	part_time(html, frame, invited, "expires");
	html_text(html, ". On the node: ");
	html_element(html, "code", "drover-node enrol --server URL", NULL);
	html_text(html, ".");
	html_close(html, "div");
}

/* The machine --------------------------------------------------------------------------------- */

static void write_tags(Html *html, const json_t *tags)
{
	const char *name;
	json_t *value;
	gboolean first = TRUE;
	html_element(html, "dt", "Tags", NULL);
	html_open(html, "dd", NULL);
	if (json_object_size(tags) == 0)
		html_text(html, "–");
	json_object_foreach ((json_t *)(guintptr)tags, name, value) {
		html_text(html, first ? "" : ", ");
		html_outside(html, html_clip(html, name, 60));
		html_text(html, "=");
		html_outside(html, html_clip(html, json_string_value(value), 60));
		first = FALSE;
	}
	html_close(html, "dd");
}

static void write_machine(Html *html, const PageFrame *frame, const json_t *node)
{
	const json_t *host = json_object_get(node, "host");
	html_open(html, "section", "id", "machine", "aria-label", "The machine", "data-live",
		HTML_SET, NULL);
	html_open(html, "dl", "class", "facts", NULL);
	html_element(html, "dt", "Last heard of", NULL);
	html_open(html, "dd", NULL);
	if (!json_is_object(host))
		html_text(html, "it has not enrolled yet");
	else
		part_time(html, frame, host, "seen");
	if (json_is_object(host) && !json_flag(host, "enrolled"))
		html_element(html, "span", "revoked", "class", "tag bad", NULL);
	html_close(html, "dd");
	html_element(html, "dt", "Clock", NULL);
	html_open(html, "dd", NULL);
	node_clock(html, host);
	html_close(html, "dd");
	part_fact(html, "drover-node", html_clip(html, json_text(host, "version"), 60));
	write_tags(html, json_object_get(node, "tags"));
	if (json_has(node, "notes"))
		part_fact(html, "Notes", html_clip(html, json_text(node, "notes"), 2000));
	html_close(html, "dl");
	html_close(html, "section");
	html_newline(html);
}

/* A product ----------------------------------------------------------------------------------- */

static void write_versions(Html *html, const json_t *place)
{
	const char *product = json_text(place, "product");
	const json_t *should = json_object_get(place, "should");
	html_element(html, "dt", "Runs", NULL);
	html_open(html, "dd", NULL);
	release_version(html, product, json_text(place, "running"));
	html_close(html, "dd");
	html_element(html, "dt", "Its channel gives it", NULL);
	html_open(html, "dd", NULL);
	release_version(html, product, json_text(should, "version"));
	html_text(html, " ");
	html_open(html, "span", "class", "quiet", NULL);
	html_outside(html, html_clip(html, json_text(should, "why"), 300));
	html_close(html, "span");
	html_close(html, "dd");
}

static void write_follows(Html *html, const json_t *place)
{
	const char *pool = json_text(place, "waits_in");
	gboolean always = g_strcmp0(json_text(place, "follows"), "always") == 0;
	html_element(html, "dt", "Follows its channel", NULL);
	html_open(html, "dd", NULL);
	html_text(html,
		always ? "always by itself, in a pool, too" : "by itself, unless it is in a pool");
	if (pool != NULL) {
		html_text(html, "; it waits for an order, as a server of pool ");
		part_link(html, link_print(html, "/pools/%s", pool), html_clip(html, pool, 80));
	}
	html_close(html, "dd");
}

static void write_ordered(Html *html, const PageFrame *frame, const json_t *place)
{
	if (!json_has(place, "ordered"))
		return;
	html_element(html, "dt", "Ordered", NULL);
	html_open(html, "dd", NULL);
	html_text(html, "exactly ");
	release_version(html, json_text(place, "product"), json_text(place, "ordered"));
	html_text(html, " by ");
	html_outside(html, html_clip(html, json_text(place, "asked_by"), 80));
	html_text(html, ", ");
	part_time(html, frame, place, "asked");
	if (json_has(place, "reason")) {
		html_text(html, ": ");
		html_outside(html, html_clip(html, json_text(place, "reason"), 300));
	}
	html_close(html, "dd");
}

static void write_service(Html *html, const PageFrame *frame, const json_t *report)
{
	const json_t *service = json_object_get(report, "service");
	const char *health = json_text(report, "health");
	if (health) {
		gboolean good = g_str_equal(health, "good");
		html_element(html, "dt", "Health", NULL);
		html_open(html, "dd", NULL);
		html_open(html, "span", "class", good ? "state good" : "state bad", NULL);
		strip_shape(html, good ? "GOOD" : "BAD", TRUE);
		html_outside(html, html_clip(html, health, 40));
		html_close(html, "span");
		html_close(html, "dd");
	}
	if (!json_is_object(service))
		return;
	html_element(html, "dt", "Service", NULL);
	html_open(html, "dd", NULL);
	html_format(html, "process %" G_GINT64_FORMAT ", since ", json_integer_of(service, "pid"));
	part_time(html, frame, service, "since");
	html_format(html, ", restarts: %" G_GINT64_FORMAT, json_integer_of(service, "restarts"));
	html_close(html, "dd");
}

static void write_installed(Html *html, const json_t *place, const json_t *report)
{
	const json_t *installed = json_object_get(report, "installed");
	gsize count = json_array_size(installed);
	if (count == 0)
		return;
	html_element(html, "dt", "Installed", NULL);
	html_open(html, "dd", NULL);
	for (gsize i = 0; i < MIN(count, INSTALLED_SHOWN); i++) {
		html_text(html, i > 0 ? ", " : "");
		release_version(html, json_text(place, "product"),
			json_text(json_array_get(installed, i), "version"));
	}
	html_close(html, "dd");
}

static void write_head(Html *html, const PageFrame *frame, const json_t *place)
{
	const json_t *report = json_object_get(place, "report");
	html_open(html, "p", "class", "lead", NULL);
	node_state(html, json_text(place, "state"));
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(place, "text"), 2000));
	html_close(html, "p");
	node_maintenance(html, place);
	node_progress(html, place);
	node_error(html, place);
	html_open(html, "dl", "class", "facts", NULL);
	write_versions(html, place);
	write_follows(html, place);
	write_ordered(html, frame, place);
	write_service(html, frame, report);
	write_installed(html, place, report);
	html_element(html, "dt", "Last report", NULL);
	html_open(html, "dd", NULL);
	part_time(html, frame, place, "reported");
	html_close(html, "dd");
	html_close(html, "dl");
}

/* Orders -------------------------------------------------------------------------------------- */

/* The versions that are still there, newest first, ended by NULL. Borrowed texts. */
static GPtrArray *versions_of(const json_t *releases)
{
	GPtrArray *versions = g_ptr_array_new();
	size_t index;
	json_t *release;
	json_array_foreach (releases, index, release)
		if (!json_has(release, "removed") && json_text(release, "version") &&
			versions->len < VERSIONS_OFFERED)
			g_ptr_array_add(
				versions, (gpointer)(guintptr)json_text(release, "version"));
	g_ptr_array_add(versions, NULL);
	return versions;
}

static void write_order(Html *html, const PageFrame *frame, const json_t *node, const json_t *place,
	const json_t *releases, const char *slug)
{
	const char *form = html_print(html, "order-%s", slug);
	const char *action = link_print(html, "/nodes/%s/products/%s/order",
		json_text(node, "name"), json_text(place, "product"));
	g_autoptr(GPtrArray) versions = versions_of(releases);
	if (!frame_may(frame, ROLE_OPERATOR, json_text(place, "product"))) {
		html_element(html, "p", "An operator of this product can order a version.", "class",
			"quiet", NULL);
		return;
	}
	if (json_has(place, "ordered")) {
		const char *follow = html_print(html, "follow-%s", slug);
		form_open(html, frame, follow, action);
		form_hidden(html, "version", "");
		form_button(html, "Follow the channel again", NULL, NULL, NULL);
		form_close(html);
	}
	html_open(html, "details", "id", html_print(html, "orders-%s", slug), "open",
		form_is_back(frame, form) ? HTML_SET : NULL, NULL);
	html_element(html, "summary", "Order exactly one version", NULL);
	html_element(html, "p",
		"It stays on this version, whatever its channel says, until it is told to follow "
		"again. An order is the only way back to an older release.",
		"class", "quiet", NULL);
	form_open(html, frame, form, action);
	if (versions->len > 1)
		form_select(html, frame, form, "version", "Version",
			(const char *const *)versions->pdata, json_text(place, "running"));
	else
		form_input(html, frame, form, "version", "Version", "text", NULL, TRUE);
	form_input(html, frame, form, "reason", "Reason, required", "text", NULL, TRUE);
	form_button(html, "Order it", NULL, NULL, "primary");
	form_close(html);
	html_close(html, "details");
}

static void write_product(Html *html, const PageFrame *frame, const json_t *node,
	const json_t *place, const json_t *releases)
{
	const char *product = json_text(place, "product");
	g_autofree char *slug = report_slug(product ? product : "");
	html_open(html, "section", "class", "card", "id", html_print(html, "product-%s", slug),
		"aria-labelledby", html_print(html, "product-heading-%s", slug), NULL);
	html_open(html, "h2", "id", html_print(html, "product-heading-%s", slug), NULL);
	part_link(html, link_print(html, "/products/%s/releases", product),
		html_clip(html, product, 80));
	html_text(html, " on ");
	part_link(html, link_print(html, "/channels/%s/%s", product, json_text(place, "channel")),
		html_clip(html, json_text(place, "channel"), 80));
	html_close(html, "h2");
	html_open(
		html, "div", "id", html_print(html, "place-%s", slug), "data-live", HTML_SET, NULL);
	write_head(html, frame, place);
	node_timeline(html, frame, product, json_object_get(node, "events"));
	html_close(html, "div");
	write_order(
		html, frame, node, place, json_object_get(releases, product ? product : ""), slug);
	html_close(html, "section");
	html_newline(html);
}

/* The past ------------------------------------------------------------------------------------ */

static void write_event(Html *html, const PageFrame *frame, const json_t *event)
{
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", NULL);
	part_time(html, frame, event, "at");
	html_close(html, "th");
	part_cell_text(html, "Product", NULL, html_clip(html, json_text(event, "product"), 80));
	part_cell_text(html, "What", NULL, html_clip(html, json_text(event, "state"), 40));
	part_cell(html, "Ran", NULL);
	release_version(html, json_text(event, "product"), json_text(event, "version"));
	html_close(html, "td");
	part_cell_text(html, "Why", "wide", html_clip(html, json_text(event, "text"), 400));
	html_close(html, "tr");
	html_newline(html);
}

static void write_events(Html *html, const PageFrame *frame, const json_t *events)
{
	html_open(html, "section", "id", "events", "aria-labelledby", "events-heading", "data-live",
		HTML_SET, NULL);
	html_element(html, "h2", "What happened", "id", "events-heading", NULL);
	if (json_array_size(events) == 0) {
		html_element(html, "p", "Nothing yet.", "class", "quiet", NULL);
	} else {
		part_table_open(html, "stack", "What happened, newest first", event_columns);
		for (gsize i = 0; i < MIN(json_array_size(events), EVENTS_SHOWN); i++)
			write_event(html, frame, json_array_get(events, i));
		part_table_close(html);
	}
	html_close(html, "section");
}

/* Changing ------------------------------------------------------------------------------------ */

static const char *tags_text(Html *html, const json_t *tags)
{
	GString *text = g_string_new(NULL);
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *)(guintptr)tags, name, value)
		g_string_append_printf(
			text, "%s%s=%s", text->len > 0 ? " " : "", name, json_string_value(value));
	const char *whole = html_print(html, "%s", text->str);
	g_string_free(text, TRUE);
	return whole;
}

static const char *products_text(Html *html, const json_t *places)
{
	GString *text = g_string_new(NULL);
	size_t index;
	json_t *place;
	json_array_foreach (places, index, place)
		g_string_append_printf(text, "%s %s%s\n", json_text(place, "product"),
			json_text(place, "channel"),
			g_strcmp0(json_text(place, "follows"), "always") == 0 ? " always" : "");
	const char *whole = html_print(html, "%s", text->str);
	g_string_free(text, TRUE);
	return whole;
}

static void write_edits(Html *html, const PageFrame *frame, const json_t *node)
{
	const char *name = json_text(node, "name");
	gint64 version = json_integer_of(node, "data_version");
	if (!frame_may(frame, ROLE_ADMIN, NULL)) {
		html_element(html, "p", "An admin can change, invite and remove nodes.", "class",
			"quiet", NULL);
		return;
	}
	html_open(html, "details", "class", "card", "open",
		form_is_back(frame, "node") ? HTML_SET : NULL, NULL);
	html_element(html, "summary", "Products, tags and notes", NULL);
	form_open(html, frame, "node", link_to_node(html, name));
	form_hidden(html, "data_version", html_print(html, "%" G_GINT64_FORMAT, version));
	form_area(html, frame, "node", "products",
		"Product and channel, a line each; and always, if it follows in a pool, too", 3,
		products_text(html, json_object_get(node, "products")));
	form_input(html, frame, "node", "tags", "Tags, for rules: rack=a tier=front", "text",
		tags_text(html, json_object_get(node, "tags")), FALSE);
	form_input(html, frame, "node", "notes", "Notes", "text", json_text(node, "notes"), FALSE);
	form_button(html, "Save", NULL, NULL, "primary");
	form_close(html);
	html_close(html, "details");
	html_open(html, "details", "class", "card", "open",
		form_is_back(frame, "node-invite") || form_is_back(frame, "node-remove") ? HTML_SET
											 : NULL,
		NULL);
	html_element(html, "summary", "Invite it again, or remove it", NULL);
	form_open(html, frame, "node-invite", link_print(html, "/nodes/%s/invite", name));
	form_button(html, "Make a new code", NULL, NULL, NULL);
	form_close(html);
	form_open(html, frame, "node-remove", link_print(html, "/nodes/%s/remove", name));
	form_input(html, frame, "node-remove", "reason", "Reason", "text", NULL, FALSE);
	form_button(html, "Remove the node, and its host", NULL, NULL, "danger");
	form_close(html);
	html_close(html, "details");
	html_newline(html);
}

char *page_node(const PageFrame *frame, const json_t *node, const json_t *releases,
	const json_t *invited, const char *problem)
{
	Html *html = frame_begin(frame, "Node %s", json_text(node, "name"));
	const json_t *places = json_object_get(node, "products");
	size_t index;
	json_t *place;
	html_open(html, "h1", NULL);
	html_outside(html, html_clip(html, json_text(node, "name"), 80));
	html_close(html, "h1");
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, "/nodes", "Nodes");
	html_close(html, "p");
	write_invited(html, frame, invited, problem);
	write_machine(html, frame, node);
	if (json_array_size(places) == 0)
		html_element(
			html, "p", "It runs no product that you may see.", "class", "quiet", NULL);
	json_array_foreach (places, index, place)
		write_product(html, frame, node, place, releases);
	write_events(html, frame, json_object_get(node, "events"));
	write_edits(html, frame, node);
	return frame_end(html, frame);
}
