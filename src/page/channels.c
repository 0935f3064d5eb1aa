/* SPDX-License-Identifier: ISC
 *
 * All channels by product: the live one, its test channels below it, what is shut off, what waits.
 * And what of that belongs on the first page.
 */
#include "page/channel.h"

#define SHUT_OFF_SHOWN 10

static const char *const columns[] = {
	"Channel", "Kind", "Answers", "Rules", "Waiting", "Digest", NULL};

static gboolean is_test(const json_t *channel)
{
	return g_strcmp0(json_text(channel, "kind"), "test") == 0;
}

static void write_kind(Html *html, const json_t *channel)
{
	part_cell(html, "Kind", NULL);
	if (is_test(channel)) {
		html_text(html, "test of ");
		html_outside(html, html_clip(html, json_text(channel, "base"), 80));
		html_text(html, ", cut ");
		html_outside(html, html_clip(html, json_text(channel, "cut"), 60));
	} else {
		html_text(html, "live");
	}
	if (!json_flag(channel, "declared"))
		html_element(html, "span", ", not declared", "class", "quiet", NULL);
	html_close(html, "td");
}

static void write_answers(Html *html, const json_t *channel)
{
	gboolean off = json_has(channel, "shut_off"), undefined = json_has(channel, "undefined");
	part_cell(html, "Answers", NULL);
	html_open(html, "span", "class", off || undefined ? "state bad" : "state good", NULL);
	strip_shape(html, off || undefined ? "BAD" : "GOOD", TRUE);
	html_text(html, off ? "shut off" : undefined ? "undefined" : "on");
	html_close(html, "span");
	html_close(html, "td");
}

static void write_row(Html *html, const json_t *channel)
{
	gint64 waiting = json_integer_of(channel, "waiting");
	html_open(html, "tr", "data-channel", html_clip(html, json_text(channel, "channel"), 80),
		NULL);
	html_open(html, "th", "scope", "row", NULL);
	part_link(html, link_to_channel_of(html, channel),
		html_clip(html, json_text(channel, "channel"), 80));
	if (json_has(channel, "title")) {
		html_open(html, "span", "class", "quiet", NULL);
		html_text(html, " ");
		html_outside(html, html_clip(html, json_text(channel, "title"), 120));
		html_close(html, "span");
	}
	html_close(html, "th");
	write_kind(html, channel);
	write_answers(html, channel);
	part_cell(html, "Rules", NULL);
	html_format(html, "%" G_GINT64_FORMAT, json_integer_of(channel, "rules"));
	html_close(html, "td");
	part_cell(html, "Waiting", NULL);
	if (waiting > 0)
		html_format(
			html, "%" G_GINT64_FORMAT " change%s", waiting, waiting == 1 ? "" : "s");
	else
		html_element(html, "span", "nothing", "class", "quiet", NULL);
	html_close(html, "td");
	part_cell(html, "Digest", NULL);
	part_digest(html, json_text(channel, "digest"));
	html_close(html, "td");
	html_close(html, "tr");
	html_newline(html);
}

/* The rows of one product; the API gives them by product, live before test. */
static void write_product(Html *html, const json_t *channels, const char *product)
{
	size_t index;
	json_t *channel;
	const char *name = html_clip(html, product, 80);
	html_open(html, "h2", NULL);
	html_outside(html, name);
	html_close(html, "h2");
	part_table_open(html, "stack channels", html_print(html, "Channels of %s", name), columns);
	json_array_foreach (channels, index, channel)
		if (g_strcmp0(json_text(channel, "product"), product) == 0)
			write_row(html, channel);
	part_table_close(html);
}

static void write_products(Html *html, const json_t *channels)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	size_t index;
	json_t *channel;
	json_array_foreach (channels, index, channel) {
		const char *product = json_text(channel, "product");
		if (product && g_hash_table_add(seen, (gpointer)(guintptr)product))
			write_product(html, channels, product);
	}
}

char *page_channels(const PageFrame *frame, const json_t *channels)
{
	Html *html = frame_begin(frame, "Channels");
	html_element(html, "h1", "Channels", NULL);
	html_open(html, "p", "class", "places", NULL);
	part_link(html, "/changes", "Changes that wait");
	if (frame_may_anywhere(frame, ROLE_OPERATOR))
		part_link(html, "/changes/new", "Write a change");
	html_close(html, "p");
	html_open(html, "div", "id", "channels", "data-live", HTML_SET, NULL);
	if (json_array_size(channels) == 0)
		part_empty(html,
			"No channels yet. A channel is a name that clients follow; a rule gives "
			"what is asked there a release. Add one:",
			"drover rule add product=web channel=release mapping=web-1.4.0");
	write_products(html, channels);
	html_close(html, "div");
	return frame_end(html, frame);
}

/* Overview ------------------------------------------------------------------------------------ */

static void write_shut_off(Html *html, const PageFrame *frame, const json_t *channels)
{
	gsize shown = 0, more = 0;
	size_t index;
	json_t *channel;
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (channels, index, channel) {
		const json_t *shut_off = json_object_get(channel, "shut_off");
		if (!json_has(channel, "shut_off") || is_test(channel))
			continue;
		if (shown++ >= SHUT_OFF_SHOWN) {
			more++;
			continue;
		}
		html_open(html, "li", "class", "problem", NULL);
		channel_name(html, channel);
		html_text(html, " is shut off");
		if (json_has(shut_off, "reason")) {
			html_text(html, ": ");
			html_outside(html, html_clip(html, json_text(shut_off, "reason"), 200));
		}
		html_close(html, "li");
	}
	if (more > 0)
		html_element(html, "li", html_print(html, "and %" G_GSIZE_FORMAT " more", more),
			"class", "more", NULL);
	html_close(html, "ul");
}

void channels_section(Html *html, const PageFrame *frame, const json_t *channels)
{
	gsize live = 0, off = 0, with_changes = 0;
	size_t index;
	json_t *channel;
	if (json_array_size(channels) == 0 || frame->report)
		return;
	json_array_foreach (channels, index, channel) {
		if (is_test(channel))
			continue;
		live++;
		off += json_has(channel, "shut_off") ? 1 : 0;
		with_changes += json_integer_of(channel, "waiting") > 0 ? 1 : 0;
	}
	html_open(html, "section", "class", "card", "id", "channels", "aria-labelledby",
		"channels-heading", "data-live", HTML_SET, NULL);
	html_open(html, "h2", "id", "channels-heading", NULL);
	part_link(html, "/channels", "Channels");
	html_close(html, "h2");
	if (off > 0)
		write_shut_off(html, frame, channels);
	html_open(html, "p", "class", off > 0 ? "quiet" : NULL, NULL);
	html_format(html, "%" G_GSIZE_FORMAT " live channel%s", live, live == 1 ? "" : "s");
	html_text(html, off == 0 ? ", none is shut off; " : "; ");
	if (with_changes > 0) {
		part_link(html, "/changes", "changes wait");
		html_format(html, " for %" G_GSIZE_FORMAT " of them.", with_changes);
	} else {
		html_text(html, "no change waits.");
	}
	html_close(html, "p");
	html_close(html, "section");
	html_newline(html);
}
