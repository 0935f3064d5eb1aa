/* SPDX-License-Identifier: ISC
 *
 * What several pages show alike: addresses, times, states and landings. A landing is good, pending
 * or bad, in words everywhere; beside the word stands the same shape as in the picture.
 */
#include "page/parts.h"

#include "base/format.h"

#include <string.h>

#define NO_BREAK_SPACE "\u00a0"
#define DIGEST_DIGITS  10

const char *part_asked(GHashTable *query, const char *name)
{
	const char *value = query ? g_hash_table_lookup(query, name) : NULL;
	return value ? value : "";
}

gboolean json_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

gboolean json_has(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return value && !json_is_null(value);
}

gint64 json_time(const json_t *object, const char *key)
{
	gint64 time_us = 0;
	const char *text = json_text(object, key);
	return text && parse_time(text, &time_us, NULL) ? time_us : 0;
}

/* Percent-encodes what each %s stands for; %d and friends stay as they are. */
const char *link_print(Html *html, const char *format, ...)
{
	g_autoptr(GString) link = g_string_new(NULL);
	va_list values;
	va_start(values, format);
	for (const char *at = format; *at; at++) {
		if (*at != '%') {
			g_string_append_c(link, *at);
		} else if (*++at == 's') {
			const char *value = va_arg(values, const char *);
			g_string_append_uri_escaped(link, value ? value : "", NULL, FALSE);
		} else {
			g_assert(g_str_has_prefix(at, G_GINT64_FORMAT));
			g_string_append_printf(link, "%" G_GINT64_FORMAT, va_arg(values, gint64));
			at += strlen(G_GINT64_FORMAT) - 1;
		}
	}
	va_end(values);
	return html_print(html, "%s", link->str);
}

char *report_slug(const char *product)
{
	GString *slug = g_string_new(NULL);
	for (const char *at = product; *at; at++) {
		if (g_ascii_isalnum(*at) || *at == '-' || (*at == '.' && at > product))
			g_string_append_c(slug, *at);
		else
			g_string_append_printf(slug, "_%02x", (guint)(guchar)*at);
	}
	return g_string_free(slug, FALSE);
}

static const char *in_report(Html *html, const PageFrame *frame, const char *kind,
	const char *product, const char *anchor)
{
	g_autofree char *slug = report_slug(product);
	const char *place = html_print(html, "%s-%s.html%s", kind, slug, anchor);
	return g_hash_table_contains(frame->report, place) ? place : NULL;
}

const char *link_to_overview(Html *html, const PageFrame *frame)
{
	return frame->report ? "index.html" : "/";
}

const char *link_to_product(Html *html, const PageFrame *frame, const char *product)
{
	if (frame->report)
		return in_report(html, frame, "product", product, "");
	return link_print(html, "/products/%s", product);
}

const char *link_to_landings(Html *html, const PageFrame *frame, const char *product)
{
	if (frame->report)
		return in_report(html, frame, "landings", product, "");
	return link_print(html, "/products/%s/landings", product);
}

const char *link_to_landing(Html *html, const PageFrame *frame, const char *product, gint64 ordinal)
{
	if (ordinal < 1)
		return NULL;
	if (frame->report)
		return in_report(html, frame, "landings", product,
			html_print(html, "#landing-%" G_GINT64_FORMAT, ordinal));
	return link_print(html, "/products/%s/landings/%" G_GINT64_FORMAT, product, ordinal);
}

const char *link_to_where(Html *html, const PageFrame *frame, const char *product)
{
	if (frame->report)
		return in_report(html, frame, "where", product, "");
	return link_print(html, "/products/%s/where", product);
}

void part_link(Html *html, const char *href, const char *text)
{
	html_open(html, href ? "a" : "span", "href", href, NULL);
	html_outside(html, text);
	html_close(html, href ? "a" : "span");
}

const char *part_age(Html *html, const PageFrame *frame, gint64 time_us)
{
	gint64 seconds = (frame->now_us - time_us) / US_PER_SECOND;
	g_autofree char *duration = format_duration(ABS(seconds));
	g_auto(GStrv) words = g_strsplit(duration, " ", -1);
	g_autofree char *unbroken = g_strjoinv(NO_BREAK_SPACE, words);
	return html_print(html, "%s", unbroken);
}

void part_instant(Html *html, const json_t *object, const char *key)
{
	g_autofree char *brief = format_time_short(json_time(object, key));
	html_element(html, "time", brief, "datetime", json_text(object, key), "title",
		html_print(html, "%s UTC", brief), NULL);
}

void part_time(Html *html, const PageFrame *frame, const json_t *object, const char *key)
{
	gint64 time_us = json_time(object, key);
	if (!time_us) {
		html_element(html, "span", "–", "class", "quiet", NULL);
		return;
	}
	const char *age = part_age(html, frame, time_us);
	part_instant(html, object, key);
	html_text(html, " ");
	html_element(html, "span",
		time_us >= frame->now_us + US_PER_SECOND ? html_print(html, "in %s", age)
							 : html_print(html, "%s ago", age),
		"class", "age", NULL);
}

void part_revision(Html *html, const char *revision)
{
	if (revision)
		html_element(html, "code", html_print(html, "%.7s", revision), "dir", "ltr",
			"class", "revision", "title", html_clip(html, revision, 100), NULL);
}

static const char *state_word(const char *state)
{
	if (g_strcmp0(state, "GOOD") == 0)
		return "good";
	return g_strcmp0(state, "BAD") == 0 ? "bad" : "pending";
}

void part_digest(Html *html, const char *digest)
{
	if (digest)
		html_element(html, "code",
			html_print(html, "%.*s", DIGEST_DIGITS, html_clip(html, digest, 80)), "dir",
			"ltr", "class", "revision", "title", html_clip(html, digest, 140), NULL);
}

const char *part_size(Html *html, gint64 bytes)
{
	g_autofree char *size = format_size((guint64)MAX(bytes, 0));
	return html_print(html, "%s", size);
}

void part_state(Html *html, const json_t *landing)
{
	const char *word = state_word(json_text(landing, "state"));
	gboolean in_tree = json_flag(landing, "in_tree");
	html_open(html, "span", "class", html_print(html, "state %s", word), NULL);
	strip_shape(html, json_text(landing, "state"), in_tree);
	html_text(html, word);
	if (!in_tree)
		html_element(html, "span", ", rolled back", "class", "undone", NULL);
	html_close(html, "span");
}

void part_item_state(Html *html, const char *state)
{
	const char *shape = "PENDING";
	const char *class = "state pending";
	if (g_strcmp0(state, "ok") == 0 || g_strcmp0(state, "untestable") == 0) {
		shape = "GOOD";
		class = "state good";
	} else if (g_strcmp0(state, "bad") == 0) {
		shape = "BAD";
		class = "state bad";
	}
	html_open(html, "span", "class", class, NULL);
	strip_shape(html, shape, TRUE);
	html_text(html, state ? state : "needs-testing");
	html_close(html, "span");
}

static gboolean is_web_url(const char *url)
{
	return url && html_url_is_safe(url) &&
	       (g_ascii_strncasecmp(url, "http://", 7) == 0 ||
		       g_ascii_strncasecmp(url, "https://", 8) == 0);
}

void part_item(Html *html, const json_t *item)
{
	const char *url = json_text(item, "url");
	part_link(html, is_web_url(url) ? url : NULL, html_clip(html, json_text(item, "id"), 80));
}

static void write_missing(Html *html, const json_t *landing)
{
	size_t index;
	json_t *item;
	gboolean first = TRUE;
	json_array_foreach (json_object_get(landing, "items"), index, item) {
		const char *state = json_text(item, "counts_as");
		if (g_strcmp0(state, "needs-testing") != 0 && g_strcmp0(state, "bad") != 0)
			continue;
		html_text(html, first ? " – item " : ", item ");
		part_item(html, item);
		html_format(html, " %s", state);
		first = FALSE;
	}
	if (json_array_size(json_object_get(landing, "items")) == 0 &&
		g_strcmp0(json_text(landing, "state"), "PENDING") == 0)
		html_text(html, " – names no item: needs a verdict on itself");
}

void part_landing_line(
	Html *html, const PageFrame *frame, const char *product, const json_t *landing)
{
	gint64 ordinal = json_integer_of(landing, "ordinal");
	part_state(html, landing);
	html_text(html, " ");
	part_link(html, link_to_landing(html, frame, product, ordinal),
		html_print(html, "landing %" G_GINT64_FORMAT, ordinal));
	html_text(html, " ");
	html_open(html, "span", "class", "subject", NULL);
	html_outside(html, html_clip(html, json_text(landing, "subject"), 140));
	html_close(html, "span");
	html_open(html, "span", "class", "quiet", NULL);
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(landing, "author"), 60));
	html_format(html, ", %s", part_age(html, frame, json_time(landing, "landed")));
	write_missing(html, landing);
	html_close(html, "span");
}

void part_landing_list(Html *html, const PageFrame *frame, const char *product,
	const json_t *landings, gsize limit)
{
	gsize count = json_array_size(landings);
	html_open(html, "ul", "class", "lines", NULL);
	for (gsize index = 0; index < MIN(count, limit); index++) {
		html_open(html, "li", NULL);
		part_landing_line(html, frame, product, json_array_get(landings, index));
		html_close(html, "li");
		html_newline(html);
	}
	if (count > limit) {
		html_open(html, "li", "class", "more", NULL);
		part_link(html, link_to_product(html, frame, product),
			html_print(html, "and %" G_GSIZE_FORMAT " more", count - limit));
		html_close(html, "li");
	}
	html_close(html, "ul");
}

static void write_need(Html *html, const PageFrame *frame, const char *product, const json_t *need)
{
	gint64 ordinal = json_integer_of(need, "landing");
	const char *item = json_text(need, "item");
	part_link(html, link_to_landing(html, frame, product, ordinal),
		html_print(html, "landing %" G_GINT64_FORMAT, ordinal));
	if (item) {
		html_text(html, ", item ");
		html_outside(html, html_clip(html, item, 80));
	} else {
		html_text(html, " itself");
	}
	html_format(html, ": is %s, needs ok", json_text(need, "now"));
	if (json_flag(need, "by_fix"))
		html_text(html, "; a later fix or rollback would do as well");
}

void part_needs(
	Html *html, const PageFrame *frame, const char *product, const json_t *needs, gsize limit)
{
	gsize count = json_array_size(needs);
	html_open(html, "ul", "class", "lines", NULL);
	for (gsize index = 0; index < MIN(count, limit); index++) {
		html_open(html, "li", NULL);
		write_need(html, frame, product, json_array_get(needs, index));
		html_close(html, "li");
		html_newline(html);
	}
	if (count > limit)
		html_element(html, "li",
			html_print(html, "and %" G_GSIZE_FORMAT " more", count - limit), "class",
			"more", NULL);
	html_close(html, "ul");
}

void part_empty(Html *html, const char *says, const char *command)
{
	html_open(html, "div", "class", "empty", NULL);
	html_element(html, "p", says, NULL);
	if (command) {
		html_open(html, "pre", NULL);
		html_element(html, "code", command, NULL);
		html_close(html, "pre");
	}
	html_close(html, "div");
	html_newline(html);
}

void part_table_open(Html *html, const char *class, const char *caption, const char *const *columns)
{
	html_open(html, "div", "class", "scroll", "role", "region", "tabindex", "0", "aria-label",
		caption, NULL);
	html_open(html, "table", "class", class, NULL);
	html_element(html, "caption", caption, NULL);
	html_open(html, "thead", NULL);
	html_open(html, "tr", NULL);
	for (; *columns; columns++)
		html_element(html, "th", *columns, "scope", "col", NULL);
	html_close(html, "tr");
	html_close(html, "thead");
	html_newline(html);
	html_open(html, "tbody", NULL);
}

void part_table_close(Html *html)
{
	html_close(html, "tbody");
	html_close(html, "table");
	html_close(html, "div");
	html_newline(html);
}

void part_cell(Html *html, const char *column, const char *class)
{
	html_open(html, "td", "class", class, "data-column", *column ? column : NULL, NULL);
}

void part_cell_text(Html *html, const char *column, const char *class, const char *text)
{
	part_cell(html, column, class);
	html_outside(html, text && *text ? text : NULL);
	html_close(html, "td");
}

void part_cell_time(Html *html, const PageFrame *frame, const char *column, const json_t *object,
	const char *key)
{
	part_cell(html, column, NULL);
	part_time(html, frame, object, key);
	html_close(html, "td");
}

void part_fact(Html *html, const char *name, const char *value)
{
	html_element(html, "dt", name, NULL);
	html_open(html, "dd", NULL);
	html_outside(html, value ? value : "–");
	html_close(html, "dd");
}
