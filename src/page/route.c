/* SPDX-License-Identifier: ISC
 *
 * The way of a request: assets, then who asks, then either a page (GET), or a form (POST). Nobody
 * sees more than the way in. A form is looked at before anything is done: from this site, with this
 * session's token.
 */
#include "page/guard.h"
#include "page/reply.h"
#include "page/visit.h"

#include "wire/http_server.h"

#include <string.h>

static void visit_clear(Visit *visit)
{
	actor_free(visit->actor);
	g_free(visit->csrf);
	g_free(visit->address);
	json_decref(visit->status);
	g_clear_error(&visit->status_error);
	g_clear_pointer(&visit->parameters, g_hash_table_unref);
	g_clear_pointer(&visit->fields, g_hash_table_unref);
}

static gboolean is_get(const PageRequest *request)
{
	return g_str_equal(request->method, "GET") || g_str_equal(request->method, "HEAD");
}

static PageReply *problem(Visit *visit, int status, const char *message)
{
	return reply_page(status, page_problem(&visit->frame, status, message));
}

static PageReply *problem_of(Visit *visit, const GError *error)
{
	return problem(visit, http_status_of_error(error), error->message);
}

/* The path with its query, as a browser asked for it. Caller frees. */
static char *address_of(const PageRequest *request)
{
	GString *address = g_string_new(NULL);
	g_string_append_uri_escaped(
		address, request->path, G_URI_RESERVED_CHARS_ALLOWED_IN_PATH, FALSE);
	GHashTableIter each;
	gpointer name, value;
	if (!request->query)
		return g_string_free(address, FALSE);
	g_hash_table_iter_init(&each, request->query);
	while (g_hash_table_iter_next(&each, &name, &value)) {
		g_string_append_c(address, strchr(address->str, '?') ? '&' : '?');
		g_string_append_uri_escaped(address, name, NULL, FALSE);
		g_string_append_c(address, '=');
		g_string_append_uri_escaped(address, value ? value : "", NULL, FALSE);
	}
	return g_string_free(address, FALSE);
}

static PageReply *to_login(const Visit *visit)
{
	g_autofree char *address = address_of(visit->request);
	g_autofree char *next = g_uri_escape_string(address, NULL, FALSE);
	g_autofree char *path = g_strdup_printf("/login?next=%s", next);
	return reply_redirect(visit->request, g_str_equal(address, "/") ? "/login" : path, NULL);
}

static const char *next_of(GHashTable *values)
{
	const char *next = values ? g_hash_table_lookup(values, "next") : NULL;
	return guard_next_is_local(next) ? next : NULL;
}

/* Who asks. FALSE with error set only when that could not be found out. */
static gboolean find_actor(Visit *visit, GError **error)
{
	if (!visit->request->session || !*visit->request->session)
		return TRUE;
	g_autoptr(GError) problem = NULL;
	visit->actor = visit->house->session(
		visit->house->of, visit->request->session, &visit->csrf, &problem);
	if (visit->actor || drover_error_is(problem, DROVER_ERROR_UNAUTHENTICATED))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

static void fill_frame(Visit *visit)
{
	visit->frame.actor = visit->actor;
	visit->frame.csrf = visit->csrf;
	if (visit->actor)
		visit->status =
			visit_ask(visit, "GET", "/status", NULL, NULL, &visit->status_error);
	visit->frame.status = visit->status;
}

static gboolean login_code(Visit *visit)
{
	return visit_matches("/login/{code}", visit->request->path, visit->parameters);
}

static PageReply *get_login(Visit *visit)
{
	const char *next = next_of(visit->request->query);
	if (login_code(visit))
		return reply_page(200, page_login_link(&visit->frame,
					       g_hash_table_lookup(visit->parameters, "code")));
	if (visit->actor)
		return reply_redirect(visit->request, next ? next : "/", NULL);
	return reply_page(200, page_login(&visit->frame, next));
}

/* Somebody reloads or bookmarks the address of a form that was refused. */
static PageReply *to_page_of(const Visit *visit, const FormRoute *form)
{
	g_autofree char *page = visit_path(visit, form->page, TRUE);
	return reply_redirect(visit->request, page, NULL);
}

static PageReply *get_page(Visit *visit)
{
	g_autoptr(GError) error = NULL;
	const PageRequest *request = visit->request;
	if (g_str_equal(request->path, "/login") || login_code(visit))
		return get_login(visit);
	if (!visit->actor)
		return to_login(visit);
	PageShow show = show_find(visit, request->path);
	const FormRoute *form = show ? NULL : form_find(visit, request->path);
	if (form)
		return to_page_of(visit, form);
	if (!show)
		return problem(visit, 404,
			"There is no such page. Perhaps the overview leads to what you looked "
			"for.");
	char *html = show(visit, NULL, &error);
	return html ? reply_page(200, html) : problem_of(visit, error);
}

/* The form again with what was typed; when even its page is refused, the refusal alone. */
static PageReply *form_again(Visit *visit, PageShow show, int status, const char *message)
{
	visit->form.id = g_hash_table_lookup(visit->fields, "form");
	visit->form.fields = visit->fields;
	visit->form.problem = message;
	visit->frame.form = visit->form.id ? &visit->form : NULL;
	char *html = visit->frame.form ? show(visit, NULL, NULL) : NULL;
	return html ? reply_page(status, html) : problem(visit, status, message);
}

static char *show_login(Visit *visit, const json_t *answer, GError **error)
{
	return page_login(&visit->frame, next_of(visit->fields));
}

static PageReply *logged_in(Visit *visit, const char *cookie)
{
	const char *next = next_of(visit->fields);
	PageReply *reply = reply_redirect(visit->request, next ? next : "/", "login");
	reply_session(reply, visit->request, cookie);
	return reply;
}

static const char *field(const Visit *visit, const char *name)
{
	const char *value = g_hash_table_lookup(visit->fields, name);
	return value ? value : "";
}

static PageReply *post_login(Visit *visit)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *cookie = NULL;
	const PageHouse *house = visit->house;
	if (login_code(visit)) {
		const char *code = g_hash_table_lookup(visit->parameters, "code");
		if (house->log_in_by_link(house->of, code, visit->request->peer, &cookie, &error))
			return logged_in(visit, cookie);
		return problem_of(visit, error);
	}
	if (house->log_in(house->of, field(visit, "name"), field(visit, "password"),
		    visit->request->peer, &cookie, &error))
		return logged_in(visit, cookie);
	return form_again(visit, show_login, http_status_of_error(error), error->message);
}

static PageReply *post_logout(Visit *visit)
{
	g_autoptr(GError) error = NULL;
	if (!visit->house->log_out(visit->house->of, visit->request->session, &error))
		return problem_of(visit, error);
	PageReply *reply = reply_redirect(visit->request, "/login", "logout");
	reply_session(reply, visit->request, NULL);
	return reply;
}

/* An old page after a new login carries the old token. When the browser vouches that the form is
 * ours, it comes back filled in, to be looked at and sent again; else nothing of it is shown. */
static PageReply *wrong_token(Visit *visit, const FormRoute *route, GuardOrigin origin)
{
	if (route && origin == GUARD_SAME)
		return form_again(visit, route->show, 403,
			"This form was made before you logged in. Nothing was changed. Look at it, "
			"and send it again.");
	return problem(visit, 403,
		"The form did not carry this session's token. Nothing was changed. Open the page "
		"again and repeat it there.");
}

static PageReply *post_form(Visit *visit, GuardOrigin origin)
{
	g_autoptr(GError) error = NULL;
	const PageRequest *request = visit->request;
	gboolean logout = g_str_equal(request->path, "/logout");
	const FormRoute *route = form_find(visit, request->path);
	if (!route && !logout)
		return problem(visit, 404, "No form is sent to this address.");
	if (route)
		visit->frame.address = visit->address = visit_path(visit, route->page, TRUE);
	if (!guard_csrf(visit->csrf, field(visit, "csrf")))
		return wrong_token(visit, route, origin);
	if (logout)
		return post_logout(visit);
	PageReply *reply = form_send(visit, route, &error);
	return reply ? reply
		     : form_again(visit, route->show, http_status_of_error(error), error->message);
}

static PageReply *post_page(Visit *visit)
{
	g_autoptr(GError) error = NULL;
	const PageRequest *request = visit->request;
	GuardOrigin origin = guard_origin(request->origin, request->fetch_site, request->host,
		request->secure, visit->house->base_url);
	if (origin == GUARD_FOREIGN)
		return problem(visit, 403,
			"The form came from another site. Nothing was changed. If that is this "
			"site "
			"under another name, use the address that droverd was told (base-url).");
	visit->fields =
		guard_form(request->content_type, request->body, request->body_size_bytes, &error);
	if (!visit->fields)
		return problem_of(visit, error);
	if (g_str_equal(request->path, "/login") || login_code(visit))
		return post_login(visit);
	if (!visit->actor)
		return problem(visit, 401,
			"Your session has ended, and nothing was changed. Log in in another tab, "
			"come "
			"back here, go back one page and send the form again: what you typed is "
			"there.");
	return post_form(visit, origin);
}

static PageReply *answer(Visit *visit)
{
	g_autoptr(GError) error = NULL;
	if (!find_actor(visit, &error))
		return problem_of(visit, error);
	fill_frame(visit);
	if (is_get(visit->request))
		return get_page(visit);
	if (g_str_equal(visit->request->method, "POST"))
		return post_page(visit);
	PageReply *reply =
		problem(visit, 405, "Pages are read with GET; forms are sent with POST.");
	reply_header(reply, "Allow", "GET, HEAD, POST");
	return reply;
}

PageReply *page_route(const PageHouse *house, const PageRequest *request)
{
	PageReply *asset = is_get(request) ? reply_asset(request) : NULL;
	if (asset)
		return asset;
	Visit visit = {.house = house, .request = request};
	visit.parameters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	visit.frame.path = request->path;
	visit.frame.now_us = house->now_us;
	visit.frame.flash = flash_sentence(request->flash);
	PageReply *reply = answer(&visit);
	if (visit.frame.flash && reply->type)
		reply_flash_shown(reply, request);
	visit_clear(&visit);
	return reply;
}
