/* SPDX-License-Identifier: ISC
 *
 * The way in: by name and password, or by a one-time link. The link's page only shows a button, and
 * the POST behind it uses the link up: mail scanners fetch every address they find, and must not
 * spend it.
 */
#include "page/parts.h"

char *page_login(const PageFrame *frame, const char *next)
{
	Html *html = frame_begin(frame, "Log in");
	html_open(
		html, "section", "class", "card narrow", "aria-labelledby", "login-heading", NULL);
	html_element(html, "h1", "Log in", "id", "login-heading", NULL);
	form_open(html, frame, "login", "/login");
	if (next)
		form_hidden(html, "next", next);
	form_input(html, frame, "login", "name", "Name", "text", NULL, TRUE);
	form_input(html, frame, "login", "password", "Password", "password", NULL, TRUE);
	form_button(html, "Log in", NULL, NULL, "primary");
	form_close(html);
	html_element(html, "p",
		"No password? An admin can make you a login link, and so can whoever has the "
		"control host:",
		"class", "quiet", NULL);
	html_open(html, "pre", NULL);
	html_element(html, "code", "drover user login-link NAME", NULL);
	html_close(html, "pre");
	html_close(html, "section");
	return frame_end(html, frame);
}

char *page_login_link(const PageFrame *frame, const char *code)
{
	Html *html = frame_begin(frame, "Log in");
	html_open(
		html, "section", "class", "card narrow", "aria-labelledby", "login-heading", NULL);
	html_element(html, "h1", "Log in by link", "id", "login-heading", NULL);
	html_element(html, "p", "This link lets you in once.", NULL);
	form_open(html, frame, "login-by-link", link_print(html, "/login/%s", code));
	form_button(html, "Log in", NULL, NULL, "primary");
	form_close(html);
	html_close(html, "section");
	return frame_end(html, frame);
}
