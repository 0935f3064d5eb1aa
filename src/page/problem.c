/* SPDX-License-Identifier: ISC
 *
 * What went wrong, in the words of whoever refused, and where to go from here.
 */
#include "page/parts.h"

static const char *heading(int status)
{
	switch (status) {
	case 400:
		return "That cannot be read";
	case 403:
		return "Not allowed";
	case 404:
		return "Not found";
	case 405:
		return "Not this way";
	case 409:
		return "Changed meanwhile";
	case 413:
		return "Too large";
	case 423:
		return "Somebody is at work";
	case 429:
		return "Too many tries";
	case 503:
		return "Not available now";
	default:
		return "Something went wrong";
	}
}

char *page_problem(const PageFrame *frame, int status, const char *message)
{
	Html *html = frame_begin(frame, "%s", heading(status));
	html_open(html, "section", "class", "card narrow", "aria-labelledby", "problem-heading",
		NULL);
	html_element(html, "h1", heading(status), "id", "problem-heading", NULL);
	html_element(html, "p", message, "class", "problem", "role", "alert", "dir", "auto", NULL);
	html_open(html, "p", NULL);
	html_element(html, "a", "To the overview", "href", "/", NULL);
	html_close(html, "p");
	html_close(html, "section");
	return frame_end(html, frame);
}
