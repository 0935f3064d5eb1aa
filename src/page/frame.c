/* SPDX-License-Identifier: ISC
 *
 * The frame around every page: head, navigation by what the person may do, and the banners that
 * everybody must see wherever they are: maintenance, a job that may hang, what is wrong in droverd,
 * a branch that was rewritten.
 */
#include "page/assets.h"
#include "page/parts.h"

#include <string.h>

#define TITLE_CHARACTERS 120

typedef struct NavigationEntry {
	const char *path, *name;
	Role role;	   /* ROLE_NONE: whoever is logged in */
	gboolean anywhere; /* the role on one product will do */
} NavigationEntry;

static const NavigationEntry navigation[] = {
	{"/", "Overview", ROLE_NONE, TRUE},
	{"/channels", "Channels", ROLE_VIEWER, TRUE},
	{"/changes", "Changes", ROLE_VIEWER, TRUE},
	{"/nodes", "Nodes", ROLE_VIEWER, TRUE},
	{"/pools", "Pools", ROLE_VIEWER, FALSE},
	{"/history", "History", ROLE_VIEWER, FALSE},
	{"/notices", "Notices", ROLE_OPERATOR, FALSE},
	{"/hosts", "Hosts", ROLE_OPERATOR, FALSE},
	{"/maintenance", "Maintenance", ROLE_VIEWER, TRUE},
	{"/people", "People", ROLE_ADMIN, FALSE},
	{"/tokens", "Tokens", ROLE_NONE, TRUE},
	{NULL, NULL, ROLE_NONE, FALSE},
};

static gboolean is_for(const NavigationEntry *entry, const PageFrame *frame)
{
	if (entry->role == ROLE_NONE)
		return TRUE;
	return entry->anywhere ? frame_may_anywhere(frame, entry->role)
			       : frame_may(frame, entry->role, NULL);
}

gboolean frame_may(const PageFrame *frame, Role role, const char *product)
{
	return frame->actor && !frame->report && actor_has(frame->actor, role, product);
}

gboolean frame_may_anywhere(const PageFrame *frame, Role role)
{
	return frame->actor && !frame->report && actor_has_anywhere(frame->actor, role);
}

static void write_head(Html *html, const PageFrame *frame, const char *title)
{
	g_autofree char *sheet = frame->report ? g_strdup("drover.css") : asset_url("drover.css");
	g_autofree char *icon = frame->report ? g_strdup("icon.svg") : asset_url("icon.svg");
	html_open(html, "head", NULL);
	html_void(html, "meta", "charset", "utf-8", NULL);
	html_void(html, "meta", "name", "viewport", "content",
		"width=device-width, initial-scale=1", NULL);
	html_void(html, "meta", "name", "color-scheme", "content", "light dark", NULL);
	html_element(html, "title",
		html_print(html, "%s · Drover", html_clip(html, title, TITLE_CHARACTERS)), NULL);
	html_void(html, "link", "rel", "icon", "type", "image/svg+xml", "href", icon, NULL);
	html_void(html, "link", "rel", "stylesheet", "href", sheet, NULL);
	if (frame->report) {
		html_void(html, "meta", "http-equiv", "Content-Security-Policy", "content",
			"script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'",
			NULL);
	} else {
		g_autofree char *script = asset_url("drover.js");
		html_element(html, "script", NULL, "src", script, "defer", HTML_SET, NULL);
	}
	html_close(html, "head");
	html_newline(html);
}

static gboolean is_current(const char *entry, const char *path)
{
	if (!path)
		return FALSE;
	if (g_str_equal(entry, "/"))
		return g_str_equal(path, "/") || g_str_has_prefix(path, "/products");
	gsize length = strlen(entry);
	return strncmp(path, entry, length) == 0 && (!path[length] || path[length] == '/');
}

static void write_navigation(Html *html, const PageFrame *frame)
{
	html_open(html, "nav", "aria-label", "Main", NULL);
	html_open(html, "ul", NULL);
	for (const NavigationEntry *entry = navigation; entry->path; entry++) {
		if (!is_for(entry, frame))
			continue;
		html_open(html, "li", NULL);
		html_element(html, "a", entry->name, "href", entry->path, "aria-current",
			is_current(entry->path, frame->path) ? "page" : NULL, NULL);
		html_close(html, "li");
	}
	html_close(html, "ul");
	html_close(html, "nav");
}

static void write_person(Html *html, const PageFrame *frame)
{
	html_open(html, "div", "class", "person", NULL);
	html_open(html, "span", "id", "live", "class", "live", "hidden", HTML_SET, NULL);
	html_close(html, "span");
	html_open(html, "a", "href", link_print(html, "/people/%s", frame->actor->name), "id",
		"person", NULL);
	html_outside(html, html_clip(html, frame->actor->name, 40));
	html_close(html, "a");
	form_open(html, frame, "logout", "/logout");
	form_button(html, "Log out", NULL, NULL, "plain");
	form_close(html);
	html_close(html, "div");
}

static void write_header(Html *html, const PageFrame *frame)
{
	g_autofree char *icon = frame->report ? g_strdup("icon.svg") : asset_url("icon.svg");
	html_element(html, "a", "Skip to the content", "class", "skip", "href", "#main", NULL);
	html_open(html, "header", "class", "top", NULL);
	html_open(html, "a", "class", "brand", "href", link_to_overview(html, frame), NULL);
	html_void(html, "img", "src", icon, "alt", "", "width", "28", "height", "28", NULL);
	html_text(html, "Drover");
	html_close(html, "a");
	if (frame->actor && !frame->report) {
		write_navigation(html, frame);
		write_person(html, frame);
	}
	html_close(html, "header");
	html_newline(html);
}

static void write_maintenance(Html *html, const PageFrame *frame, const json_t *maintenance)
{
	if (!json_flag(maintenance, "on"))
		return;
	html_open(html, "div", "class", "banner warning", "id", "banner-maintenance", "role",
		"status", NULL);
	html_element(html, "strong", "Maintenance", NULL);
	if (json_has(maintenance, "since"))
		html_format(
			html, " for %s", part_age(html, frame, json_time(maintenance, "since")));
	if (json_has(maintenance, "actor")) {
		html_text(html, ", by ");
		html_outside(html, html_clip(html, json_text(maintenance, "actor"), 80));
	}
	if (g_strcmp0(json_text(maintenance, "source"), "file") == 0)
		html_text(html, ", by the file maintenance.txt in the state folder");
	if (json_has(maintenance, "reason")) {
		html_text(html, ": ");
		html_element(html, "q", json_text(maintenance, "reason"), "dir", "auto", NULL);
	}
	html_text(html, ". Nothing is changed until it is off.");
	html_close(html, "div");
	html_newline(html);
}

static void write_stale_jobs(Html *html, const PageFrame *frame, const json_t *jobs)
{
	size_t index;
	json_t *job;
	json_array_foreach (jobs, index, job) {
		if (!json_flag(job, "stale"))
			continue;
		html_open(html, "div", "class", "banner warning", "data-banner", "job", "role",
			"status", NULL);
		html_element(html, "strong", "A job may hang", NULL);
		html_text(html, ": ");
		html_outside(html, html_clip(html, json_text(job, "job"), 80));
		html_format(html, " has been at work for %s on ",
			part_age(html, frame, json_time(job, "since")));
		html_outside(html, html_clip(html, json_text(job, "host"), 80));
		html_format(html,
			" (process %" G_GINT64_FORMAT
			"). Look there whether it still moves; no other one starts meanwhile.",
			json_integer_of(job, "pid"));
		html_close(html, "div");
		html_newline(html);
	}
}

static void write_frozen(Html *html, const PageFrame *frame, const json_t *products)
{
	size_t index;
	json_t *product;
	json_array_foreach (products, index, product) {
		if (!json_has(product, "frozen"))
			continue;
		const char *name = json_text(product, "name");
		html_open(html, "div", "class", "banner danger", "data-banner", "frozen", "role",
			"status", NULL);
		html_open(html, "strong", NULL);
		part_link(html, link_to_product(html, frame, name), html_clip(html, name, 80));
		html_text(html, " is frozen");
		html_close(html, "strong");
		html_text(html, ": ");
		html_outside(html, json_text(product, "frozen"));
		html_text(
			html, " The last answer stands until an operator confirms the new branch.");
		html_close(html, "div");
		html_newline(html);
	}
}

/* What is wrong in the droverd that answers. */
static void write_warnings(Html *html, const json_t *warnings)
{
	size_t index;
	json_t *warning;
	json_array_foreach (warnings, index, warning) {
		html_open(html, "div", "class", "banner danger", "data-banner", "warning", "role",
			"status", NULL);
		html_element(html, "strong", "droverd", NULL);
		html_text(html, ": ");
		html_outside(html, html_clip(html, json_string_value(warning), 500));
		html_close(html, "div");
		html_newline(html);
	}
}

static void write_banners(Html *html, const PageFrame *frame)
{
	html_open(html, "div", "id", "banners", "data-live", HTML_SET, NULL);
	write_maintenance(html, frame, json_object_get(frame->status, "maintenance"));
	write_stale_jobs(html, frame, json_object_get(frame->status, "jobs"));
	write_warnings(html, json_object_get(frame->status, "warnings"));
	write_frozen(html, frame, json_object_get(frame->status, "products"));
	html_close(html, "div");
	if (frame->flash)
		html_element(html, "p", frame->flash, "class", "flash", "id", "flash", "role",
			"status", NULL);
	html_newline(html);
}

Html *frame_begin(const PageFrame *frame, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	g_autofree char *title = g_strdup_vprintf(format, values);
	va_end(values);
	Html *html = html_new();
	html_raw(html, "<!doctype html>\n");
	html_open(html, "html", "lang", "en", NULL);
	write_head(html, frame, title);
	html_open(html, "body", NULL);
	write_header(html, frame);
	html_open(
		html, "main", "id", "main", "tabindex", "-1", "data-address", frame->address, NULL);
	write_banners(html, frame);
	return html;
}

static void write_footer(Html *html, const PageFrame *frame)
{
	html_open(html, "footer", NULL);
	if (frame->status) {
		html_text(html, "Drover ");
		html_text(html, json_text(frame->status, "version"));
		html_text(html, frame->report ? " · as of " : " · ");
		part_instant(html, frame->status, "now");
		html_text(html, " · times are UTC");
	} else {
		html_text(html, "Drover");
	}
	html_close(html, "footer");
	if (!frame->report)
		html_element(html, "div", NULL, "id", "announce", "class", "unseen", "role",
			"status", "aria-live", "polite", NULL);
}

char *frame_end(Html *html, const PageFrame *frame)
{
	html_close(html, "main");
	html_newline(html);
	write_footer(html, frame);
	html_close(html, "body");
	html_close(html, "html");
	html_newline(html);
	return html_finish(html);
}
