/* SPDX-License-Identifier: ISC
 *
 * A writer of HTML whose default is safe: text and attribute values are escaped, bytes that are not
 * UTF-8 and control characters are replaced, URLs (href, src, action) that could run something are
 * left out, and elements nest because the writer closes what it opened. The one way around is
 * html_raw().
 *
 * Element and attribute names are constants of ours; everything else may come from a stranger.
 */
#ifndef PAGE_HTML_H
#define PAGE_HTML_H

#include <glib.h>

#define HTML_MAXIMUM_DEPTH 64

typedef struct Html Html;

Html *html_new(void);
void html_free(Html *html);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Html, html_free)

/* Attributes are pairs of name and value, ended by NULL; a value of NULL leaves the attribute out,
 * HTML_SET writes the name alone. html_void() is for elements without content (input, br, meta …)
 * and SVG's shapes. */
#define HTML_SET ""
void html_open(Html *html, const char *tag, ...) G_GNUC_NULL_TERMINATED;
void html_void(Html *html, const char *tag, ...) G_GNUC_NULL_TERMINATED;
/* Closes the element that was opened last; `tag` says which that must be. */
void html_close(Html *html, const char *tag);
/* Opens, writes `text` (NULL: nothing), closes. */
void html_element(Html *html, const char *tag, const char *text, ...) G_GNUC_NULL_TERMINATED;

void html_text(Html *html, const char *text);
void html_format(Html *html, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Text from outside, isolated: a right-to-left name does not turn its neighbours around. NULL
 * writes nothing. */
void html_outside(Html *html, const char *text);
/* Unescaped: only for constants of ours. */
void html_raw(Html *html, const char *markup);
void html_newline(Html *html);

/* Formats into memory that lives as long as the writer: for attribute values. */
const char *html_print(Html *html, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* At most `characters` characters of `text`, with an ellipsis when there were more; as
 * html_print(). */
const char *html_clip(Html *html, const char *text, gsize characters);

/* The whole text; every element must be closed. The writer is freed. Caller frees the text. */
char *html_finish(Html *html);

/* TRUE for http, https and mailto URLs, paths, relative references, queries and fragments; FALSE
 * for every other scheme, for "//host", for backslashes and control characters. */
gboolean html_url_is_safe(const char *url);

#endif
