/* SPDX-License-Identifier: ISC
 *
 * Who may come in, and the form for a new person. For admins.
 */
#include "page/parts.h"

static const char *const columns[] = {"Name", "E-mail", "Roles", "Log in by", "Since", NULL};

static void write_roles(Html *html, const json_t *roles)
{
	size_t index;
	json_t *role;
	json_array_foreach (roles, index, role) {
		html_open(html, "span", "class", "tag", NULL);
		html_outside(html, html_clip(html, json_text(role, "role"), 40));
		html_text(html, " ");
		if (g_strcmp0(json_text(role, "product"), "*") == 0)
			html_text(html, "on all");
		else
			html_outside(html, html_clip(html, json_text(role, "product"), 60));
		html_close(html, "span");
		html_text(html, " ");
	}
	if (json_array_size(roles) == 0)
		html_element(html, "span", "none", "class", "quiet", NULL);
}

static void write_row(Html *html, const PageFrame *frame, const json_t *person)
{
	const char *name = json_text(person, "name");
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", NULL);
	part_link(html, link_print(html, "/people/%s", name), html_clip(html, name, 80));
	if (json_flag(person, "disabled"))
		html_element(html, "span", "disabled", "class", "tag bad", NULL);
	html_close(html, "th");
	part_cell_text(html, "E-mail", NULL, html_clip(html, json_text(person, "email"), 120));
	part_cell(html, "Roles", NULL);
	write_roles(html, json_object_get(person, "roles"));
	html_close(html, "td");
	part_cell_text(html, "Log in by", NULL,
		json_flag(person, "has_password") ? "password or link" : "link");
	part_cell_time(html, frame, "Since", person, "created");
	html_close(html, "tr");
	html_newline(html);
}

char *page_people(const PageFrame *frame, const json_t *people)
{
	Html *html = frame_begin(frame, "People");
	html_element(html, "h1", "People", NULL);
	html_open(html, "div", "id", "people", "data-live", HTML_SET, NULL);
	if (json_array_size(people) == 0) {
		part_empty(html, "No people yet. Add the first one below, or on the control host:",
			"drover user add ada ada@example.org");
	} else {
		part_table_open(html, "stack", "People and their roles", columns);
		size_t index;
		json_t *person;
		json_array_foreach (people, index, person)
			write_row(html, frame, person);
		part_table_close(html);
	}
	html_close(html, "div");
	if (frame_may(frame, ROLE_ADMIN, NULL)) {
		html_open(html, "section", "class", "card", "aria-labelledby", "person-add-heading",
			NULL);
		html_element(html, "h2", "Add a person", "id", "person-add-heading", NULL);
		form_open(html, frame, "person-add", "/people");
		form_input(html, frame, "person-add", "name", "Name, to log in with", "text", NULL,
			TRUE);
		form_input(html, frame, "person-add", "email", "E-mail", "email", NULL, TRUE);
		form_input(html, frame, "person-add", "password",
			"Password; leave empty and give a login link instead", "password", NULL,
			FALSE);
		form_button(html, "Add", NULL, NULL, "primary");
		form_close(html);
		html_close(html, "section");
	}
	return frame_end(html, frame);
}
