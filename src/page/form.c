/* SPDX-License-Identifier: ISC
 *
 * Forms: each carries the session's CSRF token and its own id, works without scripts, and comes
 * back with what was typed and why it was refused. Passwords are never given back.
 */
#include "page/parts.h"

static gboolean is_refused(const PageFrame *frame, const char *id)
{
	return frame->form && g_strcmp0(frame->form->id, id) == 0;
}

void form_hidden(Html *html, const char *name, const char *value)
{
	html_void(html, "input", "type", "hidden", "name", name, "value", value, NULL);
}

void form_open(Html *html, const PageFrame *frame, const char *id, const char *action)
{
	html_open(html, "form", "method", "post", "action", action, "id", id, NULL);
	if (is_refused(frame, id))
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
		is_refused(frame, id) ? g_hash_table_lookup(frame->form->fields, name) : NULL;
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
	html_open(html, "div", "class", "field", NULL);
	html_element(html, "label", label, "for", input, NULL);
	html_void(html, "input", "type", type, "id", input, "name", name, "value",
		secret ? NULL : form_value(frame, id, name, fallback), "required",
		required ? HTML_SET : NULL, "autocomplete", autocomplete_of(id, name, secret),
		"aria-describedby",
		is_refused(frame, id) ? html_print(html, "%s-problem", id) : NULL, NULL);
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
