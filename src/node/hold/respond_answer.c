/* SPDX-License-Identifier: ISC
 *
 * Answers of the responder (docs/maintenance.md, "What the responder says").
 */
#include "node/hold/respond_answer.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"

/* Colours as on Drover's own pages. */
static const char page_begin[] =
	"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"robots\" content=\"noindex\">\n<title>Back soon</title>\n<style>\n"
	":root{color-scheme:light dark;--ground:#faf8f4;--card:#fff;--ink:#22261f;--quiet:#5c6259;"
	"--line:#ddd8cc;--accent:#1b625d}\n"
	"@media(prefers-color-scheme:dark){:root{--ground:#171a18;--card:#1f2321;--ink:#e8e6df;"
	"--quiet:#a7ada4;--line:#3a403c;--accent:#7fcdc4}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;"
	"background:var(--ground);color:var(--ink);font:1.05rem/1.6 system-ui,-apple-system,"
	"\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\",sans-serif;overflow-wrap:anywhere}\n"
	"main{width:100%;max-width:34rem;padding:clamp(1.25rem,6vw,2.75rem);background:var(--card);"
	"border:1px solid var(--line);border-top:.3rem solid var(--accent);border-radius:.6rem}\n"
	"h1{margin:0 0 .75rem;font-size:clamp(1.4rem,6vw,1.9rem);line-height:1.25}\n"
	"p{margin:.75rem 0 0}.quiet{color:var(--quiet);font-size:.95rem}\n"
	"</style>\n<main>\n";

gsize respond_head_end(const char *text, gsize size_bytes)
{
	const char *end = text + size_bytes;
	for (const char *at = text; (at = memchr(at, '\n', (gsize)(end - at))) != NULL;) {
		at++;
		if (at < end && *at == '\n')
			return (gsize)(at - text) + 1;
		if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
			return (gsize)(at - text) + 2;
	}
	return 0;
}

/* The lines of a head, one after the other; FALSE at its end. */
static gboolean next_line(const char **at, const char *end, const char **line, gsize *length)
{
	if (*at >= end)
		return FALSE;
	const char *stop = memchr(*at, '\n', (gsize)(end - *at));
	const char *after = stop != NULL ? stop : end;
	*line = *at;
	*length = (gsize)(after - *at);
	if (*length > 0 && (*line)[*length - 1] == '\r')
		(*length)--;
	*at = stop != NULL ? stop + 1 : end;
	return TRUE;
}

/* "GET /path?query HTTP/1.1", also with a whole URL for its target. */
static void read_request_line(
	const char *line, gsize length, const char *health_path, RespondAsked *asked)
{
	g_autofree char *text = g_strndup(line, length);
	char *target = strchr(text, ' ');
	if (target == NULL)
		return;
	*target++ = '\0';
	target[strcspn(target, " ?#")] = '\0';
	asked->is_head = strcmp(text, "HEAD") == 0;
	if (g_ascii_strncasecmp(target, "http://", 7) == 0 ||
		g_ascii_strncasecmp(target, "https://", 8) == 0) {
		const char *slash = strchr(strstr(target, "://") + 3, '/');
		target = (char *)(slash != NULL ? slash : "/");
	}
	asked->is_health = health_path != NULL && strcmp(target, health_path) == 0;
}

/* The first of Accept's types that we speak; browsers name text/html first. A client of an API that
 * says nothing about what it accepts, but sends JSON, gets JSON. */
static void read_accept(const char *value, gboolean is_accept, RespondAsked *asked)
{
	g_autofree char *text = g_ascii_strdown(value, -1);
	const char *html = is_accept ? strstr(text, "text/html") : NULL;
	const char *json = strstr(text, "application/json");
	if (is_accept && json == NULL)
		json = strstr(text, "+json");
	if (html != NULL && (json == NULL || html < json))
		asked->form = RESPOND_HTML;
	else if (json != NULL && (is_accept || asked->form == RESPOND_PLAIN))
		asked->form = RESPOND_JSON;
}

RespondAsked respond_asked(const char *head, gsize size_bytes, const char *health_path)
{
	RespondAsked asked = {0};
	const char *at = head, *line;
	gsize length;
	if (next_line(&at, head + size_bytes, &line, &length))
		read_request_line(line, length, health_path, &asked);
	while (next_line(&at, head + size_bytes, &line, &length)) {
		gboolean is_accept = length > 7 && g_ascii_strncasecmp(line, "Accept:", 7) == 0;
		if (is_accept ||
			(length > 13 && g_ascii_strncasecmp(line, "Content-Type:", 13) == 0)) {
			g_autofree char *value = g_strndup(line, length);
			read_accept(strchr(value, ':') + 1, is_accept, &asked);
		}
	}
	return asked;
}

guint64 respond_lot(const void *address, gsize size_bytes, guint64 number)
{
	const guint8 *bytes = address;
	guint64 mixed = number + G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
	for (gsize i = 0; i <= size_bytes; i++) {
		/* splitmix64's steps, once for each byte and once to end with. */
		mixed ^= i < size_bytes ? bytes[i] : 0;
		mixed = (mixed ^ (mixed >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
		mixed = (mixed ^ (mixed >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
		mixed ^= mixed >> 31;
	}
	return mixed;
}

gint64 respond_away_s(const RespondWindow *window, gint64 now_us, guint64 lot)
{
	gint64 rest_s = RESPOND_AWAY_S;
	if (window->in_maintenance && window->until_us > now_us)
		rest_s = (window->until_us - now_us - 1) / US_PER_SECOND + 1;
	rest_s = CLAMP(rest_s, 1, RESPOND_MAXIMUM_AWAY_S);
	gint64 most = rest_s * RESPOND_SPREAD_PERCENT / 100;
	return rest_s + (gint64)(lot % (guint64)(most + 1));
}

static char *end_in_words(const RespondWindow *window)
{
	if (!window->in_maintenance || window->until_us <= 0)
		return NULL;
	return format_time_short(window->until_us);
}

static void append_html(GString *body, const RespondWindow *window, const char *end)
{
	if (window->page != NULL) {
		g_string_append(body, window->page);
		return;
	}
	g_string_append(body, page_begin);
	g_string_append(
		body, window->in_maintenance
			      ? "<h1>Back soon</h1>\n<p>We are working on this service. "
				"Please try again in a while.</p>\n"
			      : "<h1>Just a moment</h1>\n<p>This service cannot answer right "
				"now. Please try again in a moment.</p>\n");
	if (window->in_maintenance && window->reason != NULL) {
		g_autofree char *reason = g_markup_escape_text(window->reason, -1);
		g_string_append_printf(body, "<p>%s</p>\n", reason);
	}
	if (end != NULL)
		g_string_append_printf(body,
			"<p class=\"quiet\">It should be done by <time>%s</time> UTC.</p>\n", end);
	g_string_append(body, "</main>\n</html>\n");
}

static void append_json(GString *body, const RespondWindow *window, gint64 away_s)
{
	g_autofree char *until = window->in_maintenance && window->until_us > 0
					 ? format_time(window->until_us)
					 : NULL;
	json_t *said = json_pack("{s:{s:s, s:s}, s:I, s:s?, s:s?}", "error", "code",
		window->in_maintenance ? "maintenance" : "unavailable", "message",
		window->in_maintenance ? "this service is in maintenance; try again later"
				       : "this service cannot answer right now; try again later",
		"retry_after_s", (json_int_t)away_s, "reason",
		window->in_maintenance ? window->reason : NULL, "until", until);
	g_autofree char *text = json_dumps(said, JSON_COMPACT | JSON_PRESERVE_ORDER);
	g_string_append(body, text);
	g_string_append_c(body, '\n');
	json_decref(said);
}

static void append_plain(GString *body, const RespondWindow *window, const char *end)
{
	g_string_append(
		body, window->in_maintenance
			      ? "This service is in maintenance. Please try again later.\n"
			      : "This service cannot answer right now. Please try again.\n");
	if (window->in_maintenance && window->reason != NULL)
		g_string_append_printf(body, "%s\n", window->reason);
	if (end != NULL)
		g_string_append_printf(body, "It should be done by %s UTC.\n", end);
}

static GString *make_body(const RespondWindow *window, const RespondAsked *asked, gint64 away_s)
{
	g_autofree char *end = end_in_words(window);
	GString *body = g_string_new(NULL);
	if (asked->form == RESPOND_HTML)
		append_html(body, window, end);
	else if (asked->form == RESPOND_JSON)
		append_json(body, window, away_s);
	else
		append_plain(body, window, end);
	return body;
}

GString *respond_answer(const NodeProduct *product, const RespondWindow *window,
	const RespondAsked *asked, gint64 away_s)
{
	static const char *const types[] = {[RESPOND_PLAIN] = "text/plain; charset=utf-8",
		[RESPOND_JSON] = "application/json",
		[RESPOND_HTML] = "text/html; charset=utf-8"};
	g_autoptr(GString) body = make_body(window, asked, away_s);
	GString *answer = g_string_new("HTTP/1.1 503 Service Unavailable\r\n");
	g_string_append_printf(
		answer, "%s: %" G_GINT64_FORMAT "\r\n", product->retry_header, away_s);
	g_string_append_printf(
		answer, "%s: %" G_GINT64_FORMAT "\r\n", product->backoff_header, away_s);
	if (window->in_maintenance)
		g_string_append_printf(answer, "%s: 1\r\n", product->maintenance_header);
	if (window->in_maintenance && asked->is_health)
		g_string_append(answer, "X-Drover-Maintenance: 1\r\n");
	g_string_append_printf(answer,
		"Cache-Control: no-store\r\nConnection: close\r\nVary: Accept\r\n"
		"X-Content-Type-Options: nosniff\r\nContent-Type: %s\r\n"
		"Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
		types[asked->form], body->len);
	if (!asked->is_head)
		g_string_append_len(answer, body->str, (gssize)body->len);
	return answer;
}
