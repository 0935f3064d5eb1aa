/* SPDX-License-Identifier: ISC
 *
 * Balancers and nodes: when each was last heard of, and whether its clock is off.
 */
#include "page/parts.h"

static const char *const columns[] = {
	"Name", "Kind", "Version", "Seen", "Clock", "Enrolled", "Action", NULL};
static const char *const kinds[] = {"node", "balancer", NULL};

static void write_invited(Html *html, const PageFrame *frame, const json_t *invited)
{
	if (!invited)
		return;
	html_open(html, "div", "class", "banner success", "id", "enrolment-code", "role", "status",
		NULL);
	html_open(html, "strong", NULL);
	html_text(html, "The code with which ");
	html_outside(html, html_clip(html, json_text(invited, "name"), 80));
	html_text(html, " enrols, shown this once");
	html_close(html, "strong");
	html_element(html, "code", json_text(invited, "code"), "class", "secret", NULL);
	html_text(html, "It works once, until ");
	part_time(html, frame, invited, "expires");
	html_text(html, ".");
	html_close(html, "div");
}

static void write_clock(Html *html, const json_t *host)
{
	part_cell(html, "Clock", NULL);
	if (json_has(host, "clock_warning")) {
		html_open(html, "span", "class", "state bad", NULL);
		strip_shape(html, "BAD", TRUE);
		html_outside(html, json_text(host, "clock_warning"));
		html_close(html, "span");
	} else if (json_has(host, "clock_off_ms")) {
		html_format(
			html, "%" G_GINT64_FORMAT " ms off", json_integer_of(host, "clock_off_ms"));
	} else {
		html_text(html, "–");
	}
	html_close(html, "td");
}

static void write_row(Html *html, const PageFrame *frame, const json_t *host, gsize number)
{
	const char *name = json_text(host, "name");
	const char *form = html_print(html, "host-revoke-%" G_GSIZE_FORMAT, number);
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_outside(html, html_clip(html, name, 80));
	html_close(html, "th");
	part_cell_text(html, "Kind", NULL, json_text(host, "kind"));
	part_cell_text(html, "Version", NULL, html_clip(html, json_text(host, "version"), 40));
	part_cell_time(html, frame, "Seen", host, "seen");
	write_clock(html, host);
	part_cell_time(html, frame, "Enrolled", host, "enrolled");
	part_cell(html, "", NULL);
	if (json_has(host, "revoked")) {
		html_text(html, "revoked ");
		part_time(html, frame, host, "revoked");
	} else if (frame_may(frame, ROLE_ADMIN, NULL)) {
		form_open(html, frame, form, link_print(html, "/hosts/%s/revoke", name));
		form_button(html, "Revoke", NULL, NULL, "plain");
		form_close(html);
	}
	html_close(html, "td");
	html_close(html, "tr");
	html_newline(html);
}

char *page_hosts(const PageFrame *frame, const json_t *hosts, const json_t *invited)
{
	Html *html = frame_begin(frame, "Hosts");
	html_element(html, "h1", "Hosts", NULL);
	write_invited(html, frame, invited);
	html_open(html, "div", "id", "hosts", "data-live", HTML_SET, NULL);
	if (json_array_size(hosts) == 0) {
		part_empty(html, "No hosts yet. Invite one, and give it the code:",
			"drover host invite web1 --kind node");
	} else {
		part_table_open(html, "stack", "Balancers and nodes", columns);
		size_t index;
		json_t *host;
		json_array_foreach (hosts, index, host)
			write_row(html, frame, host, index);
		part_table_close(html);
	}
	html_close(html, "div");
	if (frame_may(frame, ROLE_ADMIN, NULL)) {
		html_open(html, "section", "class", "card", "aria-labelledby",
			"host-invite-heading", NULL);
		html_element(html, "h2", "Invite a host", "id", "host-invite-heading", NULL);
		form_open(html, frame, "host-invite", "/hosts");
		form_input(html, frame, "host-invite", "name", "Name", "text", NULL, TRUE);
		form_select(html, frame, "host-invite", "kind", "Kind", kinds, NULL);
		form_button(html, "Make a code", NULL, NULL, "primary");
		form_close(html);
		html_close(html, "section");
	} else {
		html_element(
			html, "p", "An admin can invite and revoke hosts.", "class", "quiet", NULL);
	}
	return frame_end(html, frame);
}
