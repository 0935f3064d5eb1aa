/* SPDX-License-Identifier: ISC
 *
 * One person: everybody sees themselves; an admin changes e-mail, password and roles, and makes
 * login links.
 */
#include "page/parts.h"

static const char *const role_values[] = {"viewer", "tester", "operator", "admin", NULL};
static const char *const role_columns[] = {"Product", "Role", "Action", NULL};

static void write_secret_link(Html *html, const PageFrame *frame, const json_t *link)
{
	if (!link)
		return;
	html_open(
		html, "div", "class", "banner success", "id", "login-link", "role", "status", NULL);
	html_element(html, "strong", "A login link, shown this once", NULL);
	html_element(html, "code", json_text(link, "path"), "class", "secret", NULL);
	html_text(html, "It logs in once, until ");
	part_time(html, frame, link, "expires");
	html_text(html, ". Put this server's address before it and give it to nobody else.");
	html_close(html, "div");
}

static void write_role(Html *html, const PageFrame *frame, const char *roles_action,
	const json_t *role, gsize number, gboolean may)
{
	const char *id = html_print(html, "role-revoke-%" G_GSIZE_FORMAT, number);
	const char *product = json_text(role, "product");
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_outside(
		html, g_strcmp0(product, "*") == 0 ? "all products" : html_clip(html, product, 80));
	html_close(html, "th");
	part_cell_text(html, "Role", NULL, html_clip(html, json_text(role, "role"), 80));
	part_cell(html, "", NULL);
	if (may) {
		form_open(html, frame, id, html_print(html, "%s/revoke", roles_action));
		form_hidden(html, "product", product);
		form_hidden(html, "role", json_text(role, "role"));
		form_button(html, "Take away", NULL, NULL, "plain");
		form_close(html);
	}
	html_close(html, "td");
	html_close(html, "tr");
}

static const char **product_values(const json_t *status)
{
	GPtrArray *values = g_ptr_array_new();
	size_t index;
	json_t *product;
	g_ptr_array_add(values, (gpointer) "*");
	json_array_foreach (json_object_get(status, "products"), index, product)
		g_ptr_array_add(values, (gpointer)json_text(product, "name"));
	g_ptr_array_add(values, NULL);
	return (const char **)g_ptr_array_free(values, FALSE);
}

/* Roles that open no page, and count when a change is signed: any name that requirements have. */
static void write_signing(
	Html *html, const PageFrame *frame, const char *action, const char *const *products)
{
	html_open(html, "details", "class", "card", "open",
		form_is_back(frame, "role-sign") ? HTML_SET : NULL, NULL);
	html_element(html, "summary", "Let them sign changes", NULL);
	form_open(html, frame, "role-sign", action);
	form_select(html, frame, "role-sign", "product", "They sign for", products, NULL);
	form_input(html, frame, "role-sign", "role", "In which role, as in requirements", "text",
		NULL, TRUE);
	form_button(html, "Let them sign", NULL, NULL, "primary");
	form_close(html);
	html_close(html, "details");
}

static void write_roles(Html *html, const PageFrame *frame, const json_t *person, gboolean may)
{
	const json_t *roles = json_object_get(person, "roles");
	const char *action = link_print(html, "/people/%s/roles", json_text(person, "name"));
	html_element(html, "h2", "Roles", NULL);
	if (json_array_size(roles) == 0) {
		html_element(html, "p", "None: this person sees nothing. An admin gives roles.",
			"class", "quiet", NULL);
	} else {
		part_table_open(html, "stack", "Roles, product by product", role_columns);
		size_t index;
		json_t *role;
		json_array_foreach (roles, index, role)
			write_role(html, frame, action, role, index, may);
		part_table_close(html);
	}
	if (!may)
		return;
	g_autofree const char **products = product_values(frame->status);
	form_open(html, frame, "role-grant", action);
	form_select(html, frame, "role-grant", "product", "Product", products, NULL);
	form_select(html, frame, "role-grant", "role", "Role", role_values, NULL);
	form_input(html, frame, "role-grant", "reason", "Reason", "text", NULL, FALSE);
	form_button(html, "Give this role", NULL, NULL, "primary");
	form_close(html);
	write_signing(html, frame, action, products);
}

static void write_change(Html *html, const PageFrame *frame, const json_t *person)
{
	const char *action = link_print(html, "/people/%s", json_text(person, "name"));
	const char *version =
		html_print(html, "%" G_GINT64_FORMAT, json_integer_of(person, "data_version"));
	html_element(html, "h2", "Change", NULL);
	form_open(html, frame, "person-change", action);
	form_hidden(html, "data_version", version);
	form_input(html, frame, "person-change", "email", "E-mail", "email",
		json_text(person, "email"), TRUE);
	form_input(html, frame, "person-change", "password",
		"New password; empty keeps the old one", "password", NULL, FALSE);
	form_button(html, "Save", NULL, NULL, "primary");
	form_close(html);
	gboolean disabled = json_flag(person, "disabled");
	form_open(html, frame, "person-disable", action);
	form_hidden(html, "data_version", version);
	form_button(html, disabled ? "Let this person in again" : "Disable this person", "disabled",
		disabled ? "no" : "yes", disabled ? NULL : "danger");
	form_close(html);
	form_open(html, frame, "person-link",
		link_print(html, "/people/%s/login-link", json_text(person, "name")));
	form_button(html, "Make a login link", NULL, NULL, NULL);
	form_close(html);
}

/* Only oneself: the session ends with it. */
static void write_own_password(Html *html, const PageFrame *frame, const json_t *person)
{
	const char *name = json_text(person, "name");
	if (frame->actor == NULL || frame->report || strcmp(frame->actor->name, name) != 0)
		return;
	html_element(html, "h2", "Your password", NULL);
	form_open(html, frame, "person-password", link_print(html, "/people/%s/password", name));
	if (json_flag(person, "has_password"))
		form_input(html, frame, "person-password", "old", "Present password", "password",
			NULL, TRUE);
	form_input(html, frame, "person-password", "new", "New password", "password", NULL, TRUE);
	form_button(html, "Change it, and log in again", NULL, NULL, NULL);
	form_close(html);
}

char *page_person(const PageFrame *frame, const json_t *person, const json_t *link)
{
	const char *name = json_text(person, "name");
	gboolean may = frame_may(frame, ROLE_ADMIN, NULL);
	Html *html = frame_begin(frame, "%s · People", name);
	html_open(html, "h1", NULL);
	html_outside(html, html_clip(html, name, 200));
	html_close(html, "h1");
	write_secret_link(html, frame, link);
	html_open(html, "dl", "class", "facts card", NULL);
	part_fact(html, "E-mail", json_text(person, "email"));
	part_fact(html, "State", json_flag(person, "disabled") ? "disabled" : "may log in");
	part_fact(html, "Logs in by",
		json_flag(person, "has_password") ? "password or link" : "link");
	html_element(html, "dt", "Since", NULL);
	html_open(html, "dd", NULL);
	part_time(html, frame, person, "created");
	html_close(html, "dd");
	html_close(html, "dl");
	write_roles(html, frame, person, may);
	write_own_password(html, frame, person);
	if (may)
		write_change(html, frame, person);
	else
		html_element(
			html, "p", "An admin can change what stands here.", "class", "quiet", NULL);
	return frame_end(html, frame);
}
