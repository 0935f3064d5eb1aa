/* SPDX-License-Identifier: ISC
 *
 * The guards of the forms. A form must carry the session's token, and when the browser says where
 * it comes from, that must be here: either alone would do, both together also hold when one is
 * missing.
 *
 * docs/pages.md
 */
#include "page/guard.h"

#include "base/secret.h"

#include <string.h>

static gboolean is_origin_of(const char *origin, const char *url)
{
	gsize length = strlen(origin);
	return url && g_ascii_strncasecmp(origin, url, length) == 0 &&
	       (url[length] == '\0' || url[length] == '/');
}

static gboolean is_own_origin(
	const char *origin, const char *host, gboolean secure, const char *base_url)
{
	if (!strstr(origin, "://"))
		return FALSE; /* "null": a sandboxed or foreign document */
	if (is_origin_of(origin, base_url))
		return TRUE;
	g_autofree char *own =
		host ? g_strdup_printf("%s://%s", secure ? "https" : "http", host) : NULL;
	return own && g_ascii_strcasecmp(origin, own) == 0;
}

GuardOrigin guard_origin(const char *origin, const char *fetch_site, const char *host,
	gboolean secure, const char *base_url)
{
	if (fetch_site && g_strcmp0(fetch_site, "same-origin") != 0 &&
		g_strcmp0(fetch_site, "none") != 0)
		return GUARD_FOREIGN;
	if (origin)
		return is_own_origin(origin, host, secure, base_url) ? GUARD_SAME : GUARD_FOREIGN;
	return g_strcmp0(fetch_site, "same-origin") == 0 ? GUARD_SAME : GUARD_UNKNOWN;
}

gboolean guard_csrf(const char *expected, const char *sent)
{
	return expected && *expected && sent && secret_equal(expected, sent);
}

gboolean guard_next_is_local(const char *next)
{
	if (!next || next[0] != '/' || next[1] == '/' || strlen(next) > GUARD_MAXIMUM_NEXT_BYTES)
		return FALSE;
	for (const char *at = next; *at; at++)
		if ((guchar)*at <= 0x20 || *at == 0x7f || *at == '\\')
			return FALSE;
	return g_utf8_validate(next, -1, NULL);
}

static int digit(char letter)
{
	return g_ascii_xdigit_value(letter);
}

/* NULL for a broken escape, NUL, or bytes that are not UTF-8. */
static char *decoded(const char *text, gsize size_bytes)
{
	g_autoptr(GString) out = g_string_sized_new(size_bytes);
	for (gsize at = 0; at < size_bytes; at++) {
		char letter = text[at] == '+' ? ' ' : text[at];
		if (letter == '%') {
			if (at + 2 >= size_bytes || digit(text[at + 1]) < 0 ||
				digit(text[at + 2]) < 0)
				return NULL;
			letter = (char)(digit(text[at + 1]) * 16 + digit(text[at + 2]));
			at += 2;
		}
		if (letter == '\0')
			return NULL;
		g_string_append_c(out, letter);
	}
	return g_utf8_validate(out->str, (gssize)out->len, NULL)
		       ? g_string_free(g_steal_pointer(&out), FALSE)
		       : NULL;
}

static gboolean read_field(GHashTable *fields, const char *pair, gsize size_bytes, GError **error)
{
	const char *equals = memchr(pair, '=', size_bytes);
	gsize name_size = equals ? (gsize)(equals - pair) : size_bytes;
	g_autofree char *name = decoded(pair, name_size);
	g_autofree char *value =
		equals ? decoded(equals + 1, size_bytes - name_size - 1) : g_strdup("");
	if (!name || !value) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"reading the form: a field is not valid UTF-8 text, percent-encoded");
		return FALSE;
	}
	g_hash_table_insert(fields, g_steal_pointer(&name), g_steal_pointer(&value));
	if (g_hash_table_size(fields) <= GUARD_MAXIMUM_FIELDS)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_TOO_LARGE, "reading the form: over %d fields",
		GUARD_MAXIMUM_FIELDS);
	return FALSE;
}

static gboolean is_urlencoded(const char *content_type)
{
	static const char expected[] = "application/x-www-form-urlencoded";
	gsize length = strlen(expected);
	return content_type && g_ascii_strncasecmp(content_type, expected, length) == 0 &&
	       (!content_type[length] || strchr("; \t", content_type[length]));
}

GHashTable *guard_form(const char *content_type, const char *body, gsize size_bytes, GError **error)
{
	if (size_bytes > GUARD_MAXIMUM_FORM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE, "reading the form: over %d bytes",
			GUARD_MAXIMUM_FORM_BYTES);
		return NULL;
	}
	if (size_bytes > 0 && !is_urlencoded(content_type)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"reading the form: its type must be application/x-www-form-urlencoded");
		return NULL;
	}
	g_autoptr(GHashTable) fields =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (gsize start = 0; start < size_bytes;) {
		const char *end = memchr(body + start, '&', size_bytes - start);
		gsize size = end ? (gsize)(end - body) - start : size_bytes - start;
		if (size > 0 && !read_field(fields, body + start, size, error))
			return NULL;
		start += size + 1;
	}
	return g_steal_pointer(&fields);
}

const char *flash_sentence(const char *code)
{
	static const char *const sentences[][2] = {
		{"verdict", "The verdict is written down."},
		{"product", "The settings are saved."},
		{"product-add", "The product is there. Scan it to read its landings."},
		{"scan", "The branch was scanned."},
		{"rebase", "The rewritten branch was confirmed and read anew."},
		{"maintenance", "The maintenance switch was turned."},
		{"person-add", "The person was added. Give roles next."},
		{"person", "Saved."},
		{"role-grant", "The role was given."},
		{"role-revoke", "The role was taken away."},
		{"token-revoke", "The token was revoked."},
		{"host-revoke", "The host was revoked."},
		{"pool-add", "The pool is there. Add its servers next."},
		{"pool", "Saved."},
		{"pool-remove", "The pool was removed."},
		{"pool-server", "The list is saved. Balancers are told now."},
		{"pool-order", "Balancers are asked now. Each answers by itself."},
		{"pool-forget", "The balancer's word is forgotten."},
		{"node", "Saved."},
		{"node-order", "The node is told now. It answers by itself."},
		{"node-remove", "The node was removed, and its host was revoked."},
		{"shut-off", "The channel is shut off: who follows it gets nothing."},
		{"switch-on", "The channel is on again."},
		{"change-submit", "The change waits. Those who must agree see it here."},
		{"change-move", "The change was moved."},
		{"change-edit", "The change was written anew."},
		{"change-sign", "You signed it."},
		{"change-revoke", "You took your signature back."},
		{"change-tested", "It is written down that you tested it."},
		{"change-withdraw", "The change was withdrawn."},
		{"change-override", "The gate is overridden."},
		{"change-go", "The change goes live now."},
		{"change-review", "It is written down that you reviewed it."},
		{"change-break-glass", "The change is live. Everybody who is concerned is told."},
		{"remind", "What was due is queued, and what could be sent was sent."},
		{"login", "You are logged in."},
		{"logout", "You are logged out."},
	};
	for (gsize index = 0; code && index < G_N_ELEMENTS(sentences); index++)
		if (g_str_equal(code, sentences[index][0]))
			return sentences[index][1];
	return NULL;
}
