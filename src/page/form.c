/* SPDX-License-Identifier: ISC
 *
 * Forms: each carries the session's CSRF token and its own id, works without scripts, and comes
 * back with what was typed and why it was refused. Passwords are never given back.
 */
#include "page/parts.h"

gboolean form_is_back(const PageFrame *frame, const char *id)
{
	return frame->form && g_strcmp0(frame->form->id, id) == 0;
}

/* The id of what is wrong with the form, where it is said. */
static const char *problem_of(Html *html, const PageFrame *frame, const char *id)
{
	return form_is_back(frame, id) && frame->form->problem ? html_print(html, "%s-problem", id)
							       : NULL;
}

void form_hidden(Html *html, const char *name, const char *value)
{
	html_void(html, "input", "type", "hidden", "name", name, "value", value, NULL);
}

void form_open(Html *html, const PageFrame *frame, const char *id, const char *action)
{
	html_open(html, "form", "method", "post", "action", action, "id", id, NULL);
	if (form_is_back(frame, id) && frame->form->problem)
		html_element(html, "p", frame->form->problem, "class", "problem", "role", "alert",
			"id", html_print(html, "%s-problem", id), NULL);
	if (frame->csrf)
		form_hidden(html, "csrf", frame->csrf);
	form_hidden(html, "form", id);
}

void form_close(Html *html)
{
	html_close(html, "form");
	html_newline(html);
}

const char *form_value(
	const PageFrame *frame, const char *id, const char *name, const char *fallback)
{
	const char *typed =
		form_is_back(frame, id) ? g_hash_table_lookup(frame->form->fields, name) : NULL;
	return typed ? typed : fallback;
}

/* What a browser's password keeper goes by. */
static const char *autocomplete_of(const char *id, const char *name, gboolean secret)
{
	gboolean login = g_str_equal(id, "login");
	if (secret)
		return login ? "current-password" : "new-password";
	return login && g_str_equal(name, "name") ? "username" : NULL;
}

void form_input(Html *html, const PageFrame *frame, const char *id, const char *name,
	const char *label, const char *type, const char *fallback, gboolean required)
{
	const char *input = html_print(html, "%s-%s", id, name);
	gboolean secret = g_str_equal(type, "password");
	const char *value = secret ? NULL : form_value(frame, id, name, fallback);
	if (value && g_str_equal(type, "datetime-local")) /* has no seconds and no zone */
		value = html_print(html, "%.16s", value);
	html_open(html, "div", "class", "field", NULL);
	html_element(html, "label", label, "for", input, NULL);
	html_void(html, "input", "type", type, "id", input, "name", name, "value", value,
		"required", required ? HTML_SET : NULL, "autocomplete",
		autocomplete_of(id, name, secret), "aria-describedby", problem_of(html, frame, id),
		NULL);
	html_close(html, "div");
}

void form_area(Html *html, const PageFrame *frame, const char *id, const char *name,
	const char *label, int rows, const char *fallback)
{
	const char *area = html_print(html, "%s-%s", id, name);
	html_open(html, "div", "class", "field", NULL);
	html_element(html, "label", label, "for", area, NULL);
	html_element(html, "textarea", form_value(frame, id, name, fallback), "id", area, "name",
		name, "rows", html_print(html, "%d", rows), "spellcheck", "false",
		"aria-describedby", problem_of(html, frame, id), NULL);
	html_close(html, "div");
}

void form_select(Html *html, const PageFrame *frame, const char *id, const char *name,
	const char *label, const char *const *values, const char *fallback)
{
	const char *select = html_print(html, "%s-%s", id, name);
	const char *chosen = form_value(frame, id, name, fallback);
	html_open(html, "div", "class", "field", NULL);
	html_element(html, "label", label, "for", select, NULL);
	html_open(html, "select", "id", select, "name", name, NULL);
	for (; *values; values++)
		html_element(html, "option", g_str_equal(*values, "*") ? "all products" : *values,
			"value", *values, "selected",
			g_strcmp0(chosen, *values) == 0 ? HTML_SET : NULL, NULL);
	html_close(html, "select");
	html_close(html, "div");
}

void form_button(
	Html *html, const char *text, const char *name, const char *value, const char *class)
{
	html_element(html, "button", text, "type", "submit", "name", name, "value", value, "class",
		class, NULL);
}
