/* SPDX-License-Identifier: ISC
 *
 * Replies and their headers. The session's cookie is SameSite=Lax, not Strict: with Strict, a link
 * in a mail or a chat would open the login page for somebody who is logged in. What Lax lets
 * through are GETs, and no GET changes anything; the forms have their own guards (guard.h).
 */
#include "page/reply.h"

#include "api/identity.h"
#include "page/assets.h"
#include "page/guard.h"

#include <string.h>

#define ASSET_PREFIX  "/assets/"
#define FLASH_SECONDS 60

static PageReply *reply_new(int status, const char *type, GBytes *body)
{
	PageReply *reply = g_new0(PageReply, 1);
	reply->status = status;
	reply->type = type;
	reply->body = body;
	reply->headers = g_ptr_array_new_with_free_func(g_free);
	reply_header(reply, "Content-Security-Policy", PAGE_CONTENT_SECURITY_POLICY);
	reply_header(reply, "X-Content-Type-Options", "nosniff");
	reply_header(reply, "Referrer-Policy", "same-origin");
	reply_header(reply, "Cross-Origin-Opener-Policy", "same-origin");
	reply_header(reply, "Cross-Origin-Resource-Policy", "same-origin");
	return reply;
}

void page_reply_free(PageReply *reply)
{
	if (!reply)
		return;
	g_clear_pointer(&reply->body, g_bytes_unref);
	g_ptr_array_unref(reply->headers);
	g_free(reply);
}

void reply_header(PageReply *reply, const char *name, const char *value)
{
	g_ptr_array_add(reply->headers, g_strdup(name));
	g_ptr_array_add(reply->headers, g_strdup(value));
}

const char *page_reply_header(const PageReply *reply, const char *name)
{
	for (guint index = reply->headers->len; index >= 2; index -= 2)
		if (g_ascii_strcasecmp(reply->headers->pdata[index - 2], name) == 0)
			return reply->headers->pdata[index - 1];
	return NULL;
}

PageReply *reply_page(int status, char *html)
{
	PageReply *reply =
		reply_new(status, "text/html; charset=utf-8", g_bytes_new_take(html, strlen(html)));
	reply_header(reply, "Cache-Control", "no-store");
	return reply;
}

static void set_cookie(PageReply *reply, const PageRequest *request, const char *name,
	const char *value, gint64 seconds)
{
	g_autofree char *cookie = g_strdup_printf("%s=%s; Path=/; Max-Age=%" G_GINT64_FORMAT
						  "; HttpOnly; SameSite=Lax%s",
		name, value, seconds, request->secure ? "; Secure" : "");
	reply_header(reply, "Set-Cookie", cookie);
}

void reply_session(PageReply *reply, const PageRequest *request, const char *cookie)
{
	set_cookie(reply, request, SESSION_COOKIE, cookie ? cookie : "",
		cookie ? SESSION_HOURS * 3600 : 0);
}

void reply_flash_shown(PageReply *reply, const PageRequest *request)
{
	set_cookie(reply, request, FLASH_COOKIE, "", 0);
}

PageReply *reply_redirect(const PageRequest *request, const char *path, const char *flash)
{
	/* What is not ASCII is encoded; what stands encoded already stays. */
	g_autofree char *encoded =
		g_uri_escape_string(path, G_URI_RESERVED_CHARS_ALLOWED_IN_PATH "?%#[]", FALSE);
	PageReply *reply = reply_new(303, NULL, NULL);
	reply_header(reply, "Location", guard_next_is_local(encoded) ? encoded : "/");
	reply_header(reply, "Cache-Control", "no-store");
	if (flash) {
		g_assert(flash_sentence(flash));
		set_cookie(reply, request, FLASH_COOKIE, flash, FLASH_SECONDS);
	}
	return reply;
}

static gboolean etag_fits(const char *if_none_match, const char *etag)
{
	return if_none_match &&
	       (g_str_equal(if_none_match, "*") || strstr(if_none_match, etag) != NULL);
}

/* Under its own digest an asset never changes; under an older one the new content is given,
 * uncached. */
PageReply *reply_asset(const PageRequest *request)
{
	if (!g_str_has_prefix(request->path, ASSET_PREFIX))
		return NULL;
	const char *asked = request->path + strlen(ASSET_PREFIX);
	const char *slash = strchr(asked, '/');
	const EmbeddedFile *asset = slash ? asset_find(slash + 1) : NULL;
	if (!asset)
		return NULL;
	g_autofree char *digest = asset_digest(asset);
	g_autofree char *etag = g_strdup_printf("\"%s\"", digest);
	gboolean fits = etag_fits(request->if_none_match, etag);
	PageReply *reply = fits ? reply_new(304, NULL, NULL)
				: reply_new(200, asset_type(asset->name),
					  g_bytes_new_static(asset->bytes, asset->size_bytes));
	gsize length = (gsize)(slash - asked);
	gboolean current = length == strlen(digest) && strncmp(asked, digest, length) == 0;
	reply_header(reply, "ETag", etag);
	reply_header(reply, "Cache-Control",
		current ? "public, max-age=31536000, immutable" : "no-cache");
	return reply;
}
