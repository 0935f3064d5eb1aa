/* SPDX-License-Identifier: ISC
 *
 * The HTML writer. Escaping happens in one function, put_escaped(), for text and attributes alike:
 * five characters, so that a value is safe in either place, and nobody has to know which one it is.
 */
#include "page/html.h"

#include <string.h>

struct Html {
	GString *text;
	GStringChunk *prints;
	const char *open[HTML_MAXIMUM_DEPTH];
	guint depth;
};

Html *html_new(void)
{
	Html *html = g_new0(Html, 1);
	html->text = g_string_sized_new(16 * 1024);
	html->prints = g_string_chunk_new(1024);
	return html;
}

void html_free(Html *html)
{
	if (!html)
		return;
	g_string_free(html->text, TRUE);
	g_string_chunk_free(html->prints);
	g_free(html);
}

static gboolean is_forbidden(gunichar character)
{
	if (character == '\n' || character == '\t')
		return FALSE;
	return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
	       (character & 0xfffe) == 0xfffe || (character >= 0xfdd0 && character <= 0xfdef);
}

static void put_character(GString *to, gunichar character)
{
	switch (character) {
	case '<':
		g_string_append(to, "&lt;");
		break;
	case '>':
		g_string_append(to, "&gt;");
		break;
	case '&':
		g_string_append(to, "&amp;");
		break;
	case '"':
		g_string_append(to, "&quot;");
		break;
	case '\'':
		g_string_append(to, "&#39;");
		break;
	default:
		g_string_append_unichar(to, is_forbidden(character) ? 0xfffd : character);
	}
}

static void put_escaped(GString *to, const char *text)
{
	g_autofree char *repaired = NULL;
	if (!g_utf8_validate(text, -1, NULL))
		text = repaired = g_utf8_make_valid(text, -1);
	for (const char *at = text; *at; at = g_utf8_next_char(at))
		put_character(to, g_utf8_get_char(at));
}

static gboolean is_url_attribute(const char *name)
{
	return g_str_equal(name, "href") || g_str_equal(name, "src") ||
	       g_str_equal(name, "action") || g_str_equal(name, "formaction");
}

gboolean html_url_is_safe(const char *url)
{
	if (!g_utf8_validate(url, -1, NULL))
		return FALSE;
	for (const char *at = url; *at; at++)
		if ((guchar)*at <= 0x20 || *at == 0x7f || *at == '\\')
			return FALSE;
	if (g_str_has_prefix(url, "//"))
		return FALSE;
	const char *colon = strpbrk(url, ":/?#");
	if (!colon || *colon != ':')
		return TRUE;
	gsize scheme = (gsize)(colon - url);
	return (scheme == 4 && g_ascii_strncasecmp(url, "http", 4) == 0) ||
	       (scheme == 5 && g_ascii_strncasecmp(url, "https", 5) == 0) ||
	       (scheme == 6 && g_ascii_strncasecmp(url, "mailto", 6) == 0);
}

static void put_tag(Html *html, const char *tag, va_list attributes)
{
	g_string_append_c(html->text, '<');
	g_string_append(html->text, tag);
	for (const char *name; (name = va_arg(attributes, const char *));) {
		const char *value = va_arg(attributes, const char *);
		if (!value || (is_url_attribute(name) && !html_url_is_safe(value)))
			continue;
		g_string_append_printf(html->text, " %s", name);
		if (!*value && !g_str_equal(name, "value") && !g_str_equal(name, "alt"))
			continue;
		g_string_append(html->text, "=\"");
		put_escaped(html->text, value);
		g_string_append_c(html->text, '"');
	}
	g_string_append_c(html->text, '>');
}

static void push(Html *html, const char *tag)
{
	g_assert(html->depth < HTML_MAXIMUM_DEPTH);
	html->open[html->depth++] = tag;
}

void html_open(Html *html, const char *tag, ...)
{
	va_list attributes;
	va_start(attributes, tag);
	put_tag(html, tag, attributes);
	va_end(attributes);
	push(html, tag);
}

static gboolean is_of_svg(const char *tag)
{
	static const char *const shapes[] = {"path", "rect", "circle", "line", "use", NULL};
	return g_strv_contains(shapes, tag);
}

void html_void(Html *html, const char *tag, ...)
{
	va_list attributes;
	va_start(attributes, tag);
	put_tag(html, tag, attributes);
	va_end(attributes);
	if (!is_of_svg(tag))
		return;
	g_string_truncate(html->text, html->text->len - 1);
	g_string_append(html->text, "/>");
}

void html_close(Html *html, const char *tag)
{
	g_assert(html->depth > 0);
	g_assert_cmpstr(html->open[html->depth - 1], ==, tag);
	html->depth--;
	g_string_append_printf(html->text, "</%s>", tag);
}

void html_element(Html *html, const char *tag, const char *text, ...)
{
	va_list attributes;
	va_start(attributes, text);
	put_tag(html, tag, attributes);
	va_end(attributes);
	push(html, tag);
	html_text(html, text);
	html_close(html, tag);
}

void html_text(Html *html, const char *text)
{
	if (text)
		put_escaped(html->text, text);
}

void html_format(Html *html, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	g_autofree char *text = g_strdup_vprintf(format, values);
	va_end(values);
	put_escaped(html->text, text);
}

void html_outside(Html *html, const char *text)
{
	if (text)
		html_element(html, "bdi", text, NULL);
}

void html_raw(Html *html, const char *markup)
{
	g_string_append(html->text, markup);
}

void html_newline(Html *html)
{
	g_string_append_c(html->text, '\n');
}

const char *html_print(Html *html, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	g_autofree char *text = g_strdup_vprintf(format, values);
	va_end(values);
	return g_string_chunk_insert(html->prints, text);
}

const char *html_clip(Html *html, const char *text, gsize characters)
{
	if (!text)
		return "";
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	if ((gsize)g_utf8_strlen(valid, -1) <= characters)
		return g_string_chunk_insert(html->prints, valid);
	g_autofree char *head = g_utf8_substring(valid, 0, (glong)characters - 1);
	g_autofree char *clipped = g_strconcat(head, "…", NULL);
	return g_string_chunk_insert(html->prints, clipped);
}

char *html_finish(Html *html)
{
	g_assert_cmpuint(html->depth, ==, 0);
	char *text = g_string_free(g_steal_pointer(&html->text), FALSE);
	html->text = g_string_new(NULL);
	html_free(html);
	return text;
}
