/* SPDX-License-Identifier: ISC
 *
 * Tokens for scripts and CI. A new one's secret is shown once, in the answer to the form, and
 * nowhere else.
 */
#include "page/parts.h"

static const char *const columns[] = {
	"Name", "Whose", "Made", "Expires", "Last used", "Action", NULL};

static void write_created(Html *html, const json_t *created)
{
	if (!created)
		return;
	html_open(html, "div", "class", "banner success", "id", "token-secret", "role", "status",
		NULL);
	html_element(html, "strong", "Your new token, shown this once", NULL);
	html_element(html, "code", json_text(created, "secret"), "class", "secret", NULL);
	html_text(html, "Keep it now: only its digest is stored. Send it as ");
	html_element(html, "code", "Authorization: Bearer …", NULL);
	html_text(html, ".");
	html_close(html, "div");
}

static void write_row(Html *html, const PageFrame *frame, const json_t *token)
{
	gint64 id = json_integer_of(token, "id");
	const char *form = html_print(html, "token-revoke-%" G_GINT64_FORMAT, id);
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_outside(html, html_clip(html, json_text(token, "name"), 80));
	html_close(html, "th");
	part_cell_text(html, "Whose", NULL, html_clip(html, json_text(token, "person"), 80));
	static const char *const times[] = {"created", "expires", "used"};
	static const char *const column_of_time[] = {"Made", "Expires", "Last used"};
	for (gsize index = 0; index < G_N_ELEMENTS(times); index++) {
		part_cell_time(html, frame, column_of_time[index], token, times[index]);
	}
	part_cell(html, "", NULL);
	if (json_has(token, "revoked")) {
		html_text(html, "revoked ");
		part_time(html, frame, token, "revoked");
	} else {
		form_open(html, frame, form,
			html_print(html, "/tokens/%" G_GINT64_FORMAT "/revoke", id));
		form_button(html, "Revoke", NULL, NULL, "plain");
		form_close(html);
	}
	html_close(html, "td");
	html_close(html, "tr");
	html_newline(html);
}

char *page_tokens(const PageFrame *frame, const json_t *tokens, const json_t *created)
{
	Html *html = frame_begin(frame, "Tokens");
	html_element(html, "h1", "Tokens", NULL);
	write_created(html, created);
	html_open(html, "div", "id", "tokens", "data-live", HTML_SET, NULL);
	if (json_array_size(tokens) == 0) {
		part_empty(html, "No tokens yet. A token lets a script speak for you:",
			"curl -H 'Authorization: Bearer drt_…' "
			"https://drover.example.org/api/v1/status");
	} else {
		part_table_open(html, "stack", "Tokens and whose they are", columns);
		size_t index;
		json_t *token;
		json_array_foreach (tokens, index, token)
			write_row(html, frame, token);
		part_table_close(html);
	}
	html_close(html, "div");
	html_open(html, "section", "class", "card", "aria-labelledby", "token-add-heading", NULL);
	html_element(html, "h2", "Make a token", "id", "token-add-heading", NULL);
	form_open(html, frame, "token-add", "/tokens");
	form_input(html, frame, "token-add", "name", "What it is for", "text", NULL, TRUE);
	form_input(html, frame, "token-add", "expires_days", "Days until it expires", "number",
		"90", TRUE);
	if (frame_may(frame, ROLE_ADMIN, NULL))
		form_input(html, frame, "token-add", "person", "For whom; empty for yourself",
			"text", NULL, FALSE);
	form_button(html, "Make", NULL, NULL, "primary");
	form_close(html);
	html_close(html, "section");
	return frame_end(html, frame);
}
