/* SPDX-License-Identifier: ISC
 *
 * States of nodes, their shapes, and what else is shown of a node on more than one page.
 */
#include "page/bar.h"
#include "page/node.h"

#include <string.h>

/* In the order in which somebody should look at them. */
static const struct {
	const char *state, *word, *class, *bar, *path;
} states[] = {
	{"failed", "failed", "bad", "down",
		"M0 -8 L8 0 L0 8 L-8 0 Z M-2.4 -2.4 L2.4 2.4 M2.4 -2.4 "
		"L-2.4 2.4"},
	{"silent", "silent", "bad", "held", "M0 -7.5 L7.5 0 L0 7.5 L-7.5 0 Z"},
	{"maintenance", "in maintenance", "pending", "maintenance",
		"M0 -7 L7.5 6 H-7.5 Z M0 -2.5 V2 M0 3.6 V4.4"},
	{"working", "working", "pending", "working",
		"M0 -6.5 V2.5 M-4 -1 L0 3 L4 -1 M-6.5 6.5 H6.5"},
	{"behind", "behind", "pending", "draining",
		"M0 -6.5 A6.5 6.5 0 1 0 6.5 0 M0 -3.5 V0 L2.5 2.5"},
	{"never", "never reported", "quiet", "other", "M-6 0 H-3.5 M-1.2 0 H1.2 M3.5 0 H6"},
	{"good", "good", "good", "up", "M-6 -6 H6 V6 H-6 Z M-3.2 .2 L-1 2.6 L3.4 -2.4"},
};

const char *link_to_node(Html *html, const char *node)
{
	return link_print(html, "/nodes/%s", node);
}

int node_urgency(const char *state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(states); i++)
		if (g_strcmp0(state, states[i].state) == 0)
			return (int)i;
	return G_N_ELEMENTS(states);
}

void node_state(Html *html, const char *state)
{
	gsize at = (gsize)node_urgency(state);
	if (at == G_N_ELEMENTS(states)) {
		html_element(html, "span", html_clip(html, state, 40), "class", "quiet", NULL);
		return;
	}
	html_open(html, "span", "class", html_print(html, "state %s", states[at].class), NULL);
	html_open(html, "svg", "class", "key", "viewBox", "-9 -9 18 18", "width", "16", "height",
		"16", "aria-hidden", "true", "focusable", "false", NULL);
	html_void(html, "path", "class", html_print(html, "node-shape %s", states[at].state), "d",
		states[at].path, NULL);
	html_close(html, "svg");
	html_text(html, states[at].word);
	html_close(html, "span");
}

const char *node_target(const json_t *place)
{
	const char *ordered = json_text(place, "ordered");
	return ordered ? ordered : json_text(json_object_get(place, "should"), "version");
}

void node_bar(Html *html, const GPtrArray *places)
{
	BarPart parts[G_N_ELEMENTS(states)];
	gsize last = G_N_ELEMENTS(states) - 1;
	/* What is well stands first. */
	for (gsize i = 0; i <= last; i++)
		parts[last - i] = (BarPart){states[i].bar, states[i].word, 0};
	for (guint i = 0; i < places->len; i++) {
		gsize at = (gsize)node_urgency(json_text(places->pdata[i], "state"));
		if (at <= last)
			parts[last - at].amount++;
	}
	bar_write(html, parts, G_N_ELEMENTS(parts));
}

void node_progress(Html *html, const json_t *place)
{
	const json_t *doing = json_object_get(json_object_get(place, "report"), "doing");
	gint64 done = json_integer_of(doing, "done"), total = json_integer_of(doing, "total");
	if (total <= 0)
		return;
	int percent = (int)CLAMP((double)done / (double)total * 100, 0, 100);
	const BarPart part = {"accent", "done", percent};
	html_open(html, "p", "class", "progress", NULL);
	bar_small(html, &part, 1, 100, html_print(html, "%d percent", percent));
	html_element(html, "span", html_print(html, " %d %%", percent), "class", "quiet",
		"aria-hidden", "true", NULL);
	html_close(html, "p");
}

void node_error(Html *html, const json_t *place)
{
	const char *problem = json_text(json_object_get(place, "report"), "error");
	const char *said = json_text(place, "text");
	if (!problem || (said && strstr(said, problem)))
		return;
	html_open(html, "p", "class", "problem", NULL);
	html_outside(html, html_clip(html, problem, 2000));
	html_close(html, "p");
}

void node_maintenance(Html *html, const json_t *place)
{
	const json_t *maintenance =
		json_object_get(json_object_get(place, "report"), "maintenance");
	if (!json_flag(maintenance, "on"))
		return;
	gboolean overdue = json_flag(maintenance, "overdue");
	html_open(html, "div", "class", overdue ? "banner danger" : "banner warning", "data-banner",
		"node-maintenance", NULL);
	html_element(html, "strong", "In maintenance", NULL);
	if (json_has(maintenance, "reason")) {
		html_text(html, ": ");
		html_outside(html, html_clip(html, json_text(maintenance, "reason"), 300));
	}
	html_text(html, ". Every request is answered with 503");
	if (json_time(maintenance, "until")) {
		html_text(html, overdue ? ", and was to be until " : ", until ");
		part_instant(html, maintenance, "until");
	}
	html_text(html, overdue ? ". Somebody should look why it is still on." : ".");
	html_close(html, "div");
	html_newline(html);
}

void node_clock(Html *html, const json_t *host)
{
	const char *warning = json_has(host, "clock_warning") ? json_text(host, "clock_warning")
							      : json_text(host, "warning");
	if (warning) {
		html_open(html, "span", "class", "state bad", NULL);
		strip_shape(html, "BAD", TRUE);
		html_outside(html, html_clip(html, warning, 200));
		html_close(html, "span");
	} else if (json_has(host, "clock_off_ms")) {
		html_format(
			html, "%" G_GINT64_FORMAT " ms off", json_integer_of(host, "clock_off_ms"));
	} else {
		html_text(html, "–");
	}
}
