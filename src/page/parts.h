/* SPDX-License-Identifier: ISC
 *
 * What several pages show alike: links, times, states, lists of landings, forms.
 */
#ifndef PAGE_PARTS_H
#define PAGE_PARTS_H

#include "page/view.h"

/* Addresses, alive as long as the writer. In the static report they are relative files; NULL when
 * the report has no such place, and a link to NULL is only its text. */
const char *link_to_overview(Html *html, const PageFrame *frame);
const char *link_to_product(Html *html, const PageFrame *frame, const char *product);
const char *link_to_landings(Html *html, const PageFrame *frame, const char *product);
const char *link_to_landing(
	Html *html, const PageFrame *frame, const char *product, gint64 ordinal);
const char *link_to_where(Html *html, const PageFrame *frame, const char *product);
/* A path whose `%s` are path segments or query values, percent-encoded. */
const char *link_print(Html *html, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* <a href>, or <span> when `href` is NULL. */
void part_link(Html *html, const char *href, const char *text);
/* The name of a product's files in the report: letters, digits, dots and dashes. Caller frees. */
char *report_slug(const char *product);

/* What a question of the address said, "" when it said nothing; `query` may be NULL. */
const char *part_asked(GHashTable *query, const char *name);
/* Readers of answers. */
gboolean json_flag(const json_t *object, const char *key);
gboolean json_has(const json_t *object, const char *key); /* there, and not null */
/* 0 when absent or no time. */
gint64 json_time(const json_t *object, const char *key);

/* "2026-11-21 03:47, 3 h ago" in <time>; a dash for null. */
void part_time(Html *html, const PageFrame *frame, const json_t *object, const char *key);
/* The same without the age. */
void part_instant(Html *html, const json_t *object, const char *key);
/* Only "3 h", for sentences. As html_print(). */
const char *part_age(Html *html, const PageFrame *frame, gint64 time_us);
/* Seven digits of a revision as <code> with the whole in its title. */
void part_revision(Html *html, const char *revision);
/* The first digits of a digest, the whole in its title; nothing for NULL. */
void part_digest(Html *html, const char *digest);
/* "1.2 MB"; as html_print(). */
const char *part_size(Html *html, gint64 bytes);
void part_state(Html *html, const json_t *landing);
void part_item_state(Html *html, const char *state);
/* An item's id, linked when its URL is http or https. */
void part_item(Html *html, const json_t *item);
/* "landing 43 subject" as a line with its state, and what is missing. */
void part_landing_line(
	Html *html, const PageFrame *frame, const char *product, const json_t *landing);
/* The lines as a list: the first `limit`, then how many more and where. */
void part_landing_list(Html *html, const PageFrame *frame, const char *product,
	const json_t *landings, gsize limit);
void part_needs(
	Html *html, const PageFrame *frame, const char *product, const json_t *needs, gsize limit);
void part_empty(Html *html, const char *says, const char *command);
/* Opens <table> with its caption and a head row of the NULL-terminated columns, and <tbody>. */
void part_table_open(
	Html *html, const char *class, const char *caption, const char *const *columns);
void part_table_close(Html *html);
/* Opens <td>; the column's name heads the cell on narrow screens. `class` may be NULL. */
void part_cell(Html *html, const char *column, const char *class);
/* A whole cell: text from outside, or a time. */
void part_cell_text(Html *html, const char *column, const char *class, const char *text);
void part_cell_time(Html *html, const PageFrame *frame, const char *column, const json_t *object,
	const char *key);
void part_fact(Html *html, const char *name, const char *value);

/* Two objects, or two values, as a table of their keys: what was and what is. `caption` is of its
 * own on the page; `all`: also the keys whose values are the same. */
void part_difference(Html *html, const char *caption, json_t *before, json_t *after, gboolean all);

/* Forms. `id` is unique on the page and comes back with the form. */
void form_open(Html *html, const PageFrame *frame, const char *id, const char *action);
void form_close(Html *html);
void form_hidden(Html *html, const char *name, const char *value);
/* Did this form come back, refused or to be looked at again? */
gboolean form_is_back(const PageFrame *frame, const char *id);
/* What was typed when this form was refused, else `fallback`. */
const char *form_value(
	const PageFrame *frame, const char *id, const char *name, const char *fallback);
/* A labelled input; `type` "text", "email", "password" (never given back), "number",
 * "datetime-local". */
void form_input(Html *html, const PageFrame *frame, const char *id, const char *name,
	const char *label, const char *type, const char *fallback, gboolean required);
/* Several lines. */
void form_area(Html *html, const PageFrame *frame, const char *id, const char *name,
	const char *label, int rows, const char *fallback);
void form_select(Html *html, const PageFrame *frame, const char *id, const char *name,
	const char *label, const char *const *values, const char *fallback);
/* `name` and `value` may be NULL; `class` "primary", "danger", a state, or NULL. */
void form_button(
	Html *html, const char *text, const char *name, const char *value, const char *class);

#endif
