/* SPDX-License-Identifier: ISC
 *
 * The maintenance switch: what it says now, and the form that turns it.
 */
#include "page/parts.h"

char *page_maintenance(const PageFrame *frame)
{
	const json_t *maintenance = json_object_get(frame->status, "maintenance");
	gboolean on = json_flag(maintenance, "on");
	gboolean by_file = g_strcmp0(json_text(maintenance, "source"), "file") == 0;
	Html *html = frame_begin(frame, "Maintenance");
	html_element(html, "h1", "Maintenance", NULL);
	html_element(html, "p",
		"While the switch is on, nothing is changed: no scan, no verdict, no mail. Reading "
		"goes on.",
		NULL);
	html_open(
		html, "section", "class", "card", "id", "switch", "aria-label", "The switch", NULL);
	html_open(html, "p", "class", on ? "answer no" : "answer yes", NULL);
	html_text(html, on ? "It is on." : "It is off.");
	html_close(html, "p");
	if (by_file) {
		html_element(html, "p",
			"It is on because the file maintenance.txt lies in the state folder. "
			"Remove the file "
			"there to turn it off.",
			NULL);
	} else if (!frame_may(frame, ROLE_OPERATOR, NULL)) {
		html_element(html, "p", "An operator of all products can turn it.", "class",
			"quiet", NULL);
	} else {
		form_open(html, frame, "maintenance", "/maintenance");
		form_input(html, frame, "maintenance", "reason",
			on ? "Reason (may be empty)" : "Reason", "text", NULL, !on);
		form_button(html, on ? "Turn it off" : "Turn it on", "on", on ? "no" : "yes",
			on ? "primary" : "danger");
		form_close(html);
	}
	html_close(html, "section");
	return frame_end(html, frame);
}
