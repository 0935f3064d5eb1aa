/* SPDX-License-Identifier: ISC
 *
 * "Is my branch live?" One question, a plain answer for each branch, commit, item or author that
 * fits. In the static report the question is empty: every branch is answered, and an index by
 * author stands above.
 */
#include "page/parts.h"

static const char *const columns[] = {"What", "Answer", "Landing", "Why", NULL};
static const char *const report_columns[] = {"Branch", "Answer", "Landing", "Author", "Why", NULL};

static void write_ask(Html *html, const PageFrame *frame, const char *product, const char *query)
{
	html_open(html, "form", "method", "get", "action", link_to_where(html, frame, product),
		"role", "search", "class", "inline", NULL);
	html_element(
		html, "label", "A branch, commit, landing, item or author", "for", "where-q", NULL);
	html_void(html, "input", "type", "search", "name", "q", "id", "where-q", "value", query,
		"autofocus", *query ? NULL : HTML_SET, NULL);
	form_button(html, "Ask", NULL, NULL, "primary");
	html_close(html, "form");
	html_newline(html);
}

static void write_answer(Html *html, const json_t *match)
{
	gboolean yes = json_flag(match, "deployable") && json_integer_of(match, "ahead") == 0;
	const char *word = yes ? "yes" : json_has(match, "landing") ? "not yet" : "not landed";
	html_open(html, "span", "class", yes ? "state good" : "state pending", NULL);
	strip_shape(html, yes ? "GOOD" : "PENDING", TRUE);
	html_text(html, word);
	html_close(html, "span");
	gint64 ahead = json_integer_of(match, "ahead");
	if (ahead > 0 && json_has(match, "landing"))
		html_element(html, "span",
			html_print(html, " %" G_GINT64_FORMAT " commit%s not landed", ahead,
				ahead == 1 ? "" : "s"),
			"class", "quiet", NULL);
}

/* A person is answered with what that person landed. */
static const char *kind_word(const char *kind)
{
	return g_strcmp0(kind, "author") == 0 ? "landing" : kind;
}

static void write_match(
	Html *html, const PageFrame *frame, const char *product, const json_t *match)
{
	gint64 ordinal = json_integer_of(match, "landing");
	html_open(html, "tr", "data-kind", json_text(match, "kind"), NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_outside(html, html_clip(html, json_text(match, "name"), 120));
	if (!frame->report)
		html_element(
			html, "span", kind_word(json_text(match, "kind")), "class", "tag", NULL);
	html_close(html, "th");
	part_cell(html, "Answer", NULL);
	write_answer(html, match);
	html_close(html, "td");
	part_cell(html, "Landing", NULL);
	if (json_has(match, "landing"))
		part_link(html, link_to_landing(html, frame, product, ordinal),
			html_print(html, "landing %" G_GINT64_FORMAT, ordinal));
	else
		html_text(html, "–");
	html_close(html, "td");
	if (frame->report) {
		part_cell_text(
			html, "Author", NULL, html_clip(html, json_text(match, "author"), 80));
	}
	part_cell_text(html, "Why", "wide", json_text(match, "why"));
	html_close(html, "tr");
	html_newline(html);
}

static int compare_authors(gconstpointer a, gconstpointer b)
{
	return g_strcmp0(*(const char *const *)a, *(const char *const *)b);
}

/* Distinct authors in alphabetical order, borrowed. */
static GPtrArray *authors_of(const json_t *matches)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *authors = g_ptr_array_new();
	size_t index;
	json_t *match;
	json_array_foreach (matches, index, match) {
		const char *author = json_text(match, "author");
		if (author && g_hash_table_add(seen, (gpointer)author))
			g_ptr_array_add(authors, (gpointer)author);
	}
	g_ptr_array_sort(authors, compare_authors);
	return authors;
}

static void write_by_author(
	Html *html, const PageFrame *frame, const char *product, const json_t *matches)
{
	g_autoptr(GPtrArray) authors = authors_of(matches);
	html_element(html, "h2", "By author", NULL);
	html_open(html, "dl", "class", "facts", "id", "by-author", NULL);
	for (guint author = 0; author < authors->len; author++) {
		html_open(html, "dt", NULL);
		html_outside(html, html_clip(html, authors->pdata[author], 80));
		html_close(html, "dt");
		size_t index;
		json_t *match;
		json_array_foreach (matches, index, match) {
			if (g_strcmp0(json_text(match, "author"), authors->pdata[author]) != 0)
				continue;
			html_open(html, "dd", NULL);
			html_outside(html, html_clip(html, json_text(match, "name"), 120));
			html_text(html, ": ");
			write_answer(html, match);
			html_close(html, "dd");
		}
	}
	html_close(html, "dl");
}

char *page_where(const PageFrame *frame, const char *product, const json_t *answer)
{
	const json_t *matches = json_object_get(answer, "matches");
	const char *query = json_text(answer, "query");
	Html *html = frame_begin(frame, "Is my branch live? · %s", product);
	html_element(html, "h1", "Is my branch live?", NULL);
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, link_to_product(html, frame, product), html_clip(html, product, 80));
	html_close(html, "p");
	if (!frame->report)
		write_ask(html, frame, product, query ? query : "");
	html_open(html, "div", "id", "matches", "data-live", HTML_SET, NULL);
	if (json_array_size(matches) == 0 && (frame->report || (query && *query)))
		part_empty(html,
			"Nothing fits. Try the branch's name, 7 or more digits of a commit, an "
			"item's "
			"number, or an author's e-mail address.",
			NULL);
	else if (json_array_size(matches) > 0) {
		part_table_open(html, "stack",
			"What fits, and whether it is in the newest deployable tip",
			frame->report ? report_columns : columns);
		size_t index;
		json_t *match;
		json_array_foreach (matches, index, match)
			write_match(html, frame, product, match);
		part_table_close(html);
	}
	html_close(html, "div");
	if (frame->report && json_array_size(matches) > 0)
		write_by_author(html, frame, product, matches);
	return frame_end(html, frame);
}
