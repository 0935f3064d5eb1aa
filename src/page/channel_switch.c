/* SPDX-License-Identifier: ISC
 *
 * Shutting a channel off is one word away and is asked about once. Switching it on again may need
 * others to agree; then it becomes a change.
 */
#include "page/channel.h"

static void write_off(Html *html, const PageFrame *frame, const char *action)
{
	html_element(html, "p",
		"At once, and until somebody switches it on again, everybody who follows this "
		"channel gets nothing. Test channels that stand on it are shut off as well. "
		"Nothing is taken away from anybody who was updated already.",
		NULL);
	form_open(html, frame, "shut-off", action);
	form_input(html, frame, "shut-off", "reason", "Reason", "text", NULL, TRUE);
	form_button(html, "Shut it off now", NULL, NULL, "danger");
	form_close(html);
}

static void write_on(Html *html, const PageFrame *frame, const json_t *view, const char *action)
{
	html_element(html, "p",
		"Whoever follows this channel gets again what its rules say. Where sign-offs are "
		"required, it cannot be done directly: schedule it as a change.",
		NULL);
	form_open(html, frame, "switch-on", action);
	form_input(html, frame, "switch-on", "reason", "Reason", "text", NULL, FALSE);
	form_button(html, "Switch it on now", NULL, NULL, "primary");
	form_close(html);
	html_open(html, "p", NULL);
	part_link(html,
		link_print(html, "/changes/new?kind=switch-on&product=%s&channel=%s",
			json_text(view, "product"), json_text(view, "channel")),
		"Schedule it as a change");
	html_close(html, "p");
}

char *page_channel_switch(const PageFrame *frame, const json_t *view)
{
	gboolean off = json_has(view, "shut_off");
	const char *product = json_text(view, "product"), *channel = json_text(view, "channel");
	Html *html = frame_begin(
		frame, "%s · %s / %s", off ? "Switch on" : "Shut off", product, channel);
	html_open(html, "h1", NULL);
	html_text(html, off ? "Switch on " : "Shut off ");
	html_outside(html, html_print(html, "%s / %s", html_clip(html, product, 80),
				   html_clip(html, channel, 80)));
	html_close(html, "h1");
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, link_to_channel_of(html, view), "Back to the channel");
	html_close(html, "p");
	html_open(html, "div", "class", "card narrow", NULL);
	if (!frame_may(frame, ROLE_OPERATOR, product))
		html_element(html, "p", "An operator of this product can do this.", "class",
			"quiet", NULL);
	else if (off)
		write_on(html, frame, view,
			link_print(html, "/channels/%s/%s/switch-on", product, channel));
	else
		write_off(html, frame,
			link_print(html, "/channels/%s/%s/shut-off", product, channel));
	html_close(html, "div");
	return frame_end(html, frame);
}
