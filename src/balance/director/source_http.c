/* SPDX-License-Identifier: ISC
 *
 * A server list on a web server: fetched again and again, with a pause after each try that is never
 * the same, so that many balancers do not come at one time. Any answer but 200 and 304 is a
 * problem, and the list stays. Rule: docs/balance.md, "Lists from web servers".
 */
#include "balance/director/source_kind.h"

#include <event2/event.h>
#include <string.h>

#include "balance/director/fetch.h"
#include "balance/director/pause.h"

typedef struct HttpSource {
	Source *source;
	char *url, *shown, *agent, *ca_file;
	SourcePace pace;
	Fetch *fetch;
	struct event *turn; /* the next try */
	char *etag;	    /* of the list that was told last; NULL: fetch it whole */
} HttpSource;

static void plan(HttpSource *self)
{
	pause_schedule(self->turn, pause_around(self->pace.fetch_interval_ms));
}

/* The path ends in .json, whatever question follows it; or the server says that it is JSON. */
static ServerListFormat format_of(const HttpSource *self, const char *content_type)
{
	static const char json[] = "application/json";
	g_autofree char *path = g_strndup(self->url, strcspn(self->url, "?#"));
	if (content_type != NULL && g_ascii_strncasecmp(content_type, json, strlen(json)) == 0)
		return SERVER_LIST_JSON;
	return server_list_format_of(path);
}

/* Once there was a problem, the next list is told whatever it is, so it must come whole. */
static void say_problem(HttpSource *self, const char *problem)
{
	g_clear_pointer(&self->etag, g_free);
	source_say_problem(self->source, problem);
}

static void on_answer(const FetchAnswer *answer, gpointer of)
{
	HttpSource *self = of;
	plan(self);
	if (answer->problem != NULL) {
		say_problem(self, answer->problem);
		return;
	}
	if (answer->status == 304 && self->etag != NULL)
		return;
	if (answer->status != 200) {
		g_autofree char *problem = g_strdup_printf(
			"GET %s: the server answers %d, not 200", self->shown, answer->status);
		say_problem(self, problem);
		return;
	}
	g_free(self->etag);
	self->etag = g_strdup(answer->etag);
	source_say_text(self->source, self->shown, format_of(self, answer->content_type),
		answer->body, answer->body_bytes);
}

static void on_turn(evutil_socket_t unused, short what, void *of)
{
	HttpSource *self = of;
	const FetchCall call = {.url = self->url,
		.etag = self->etag,
		.ca_file = self->ca_file,
		.agent = self->agent,
		.timeout_ms = self->pace.fetch_timeout_ms,
		.maximum_bytes = SERVER_LIST_MAXIMUM_BYTES};
	fetch_start(self->fetch, &call, on_answer, self);
}

/* The kind */

static gpointer http_begin(
	Source *source, const SourcePlace *place, const char *url, GError **error)
{
	HttpSource *self = g_new0(HttpSource, 1);
	self->source = source;
	self->url = g_strdup(url);
	self->shown = fetch_shown(url);
	self->agent = g_strdup_printf("drover-lvs/%s", place->version);
	self->ca_file = g_strdup(place->list_ca_file);
	self->pace = place->pace != NULL ? *place->pace : source_pace_usual;
	self->fetch = fetch_new(place->base, place->resolver);
	self->turn = evtimer_new(place->base, on_turn, self);
	pause_schedule(self->turn, 0);
	return self;
}

static void http_end(gpointer of)
{
	HttpSource *self = of;
	event_free(self->turn);
	fetch_free(self->fetch);
	g_free(self->url);
	g_free(self->shown);
	g_free(self->agent);
	g_free(self->ca_file);
	g_free(self->etag);
	g_free(self);
}

static void http_refresh(gpointer of)
{
	HttpSource *self = of;
	g_clear_pointer(&self->etag, g_free);
	fetch_cancel(self->fetch);
	pause_schedule(self->turn, 0);
}

const SourceKind source_kind_http = {
	.scheme = "http://",
	.begin = http_begin,
	.end = http_end,
	.refresh = http_refresh,
};

const SourceKind source_kind_https = {
	.scheme = "https://",
	.begin = http_begin,
	.end = http_end,
	.refresh = http_refresh,
};
