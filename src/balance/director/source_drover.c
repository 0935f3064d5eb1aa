/* SPDX-License-Identifier: ISC
 *
 * A server list that droverd keeps, with orders for its servers: a long poll that droverd answers
 * when something moved, and reports the other way (drover_reporter.h). When droverd is away, says
 * no or says nonsense, the last orders stay. An answer of a droverd whose time is over, by its
 * fencing epoch, is no answer. Rule: docs/pools.md, "The conversation".
 */
#include "balance/director/source_kind.h"

#include <event2/event.h>

#include "balance/director/drover_answer.h"
#include "balance/director/drover_reporter.h"
#include "balance/director/host_token.h"
#include "balance/director/pause.h"
#include "base/clock.h"

typedef struct DroverSource {
	Source *source;
	DroverDoor *door;
	Fetch *fetch;
	struct event *turn; /* the next poll */
	DroverReporter *reporter;
	DroverAnswer *orders; /* that are obeyed; NULL: none yet */
	gboolean whole;	      /* the next ones are told whatever they are */
	gint64 epoch;	      /* the highest that was seen */
	gint64 asked_ms;
	guint failures; /* in a row */
	char *away;	/* why there are no new orders; NULL: there would be */
	char *remark;	/* about our reports; NULL: none */
	gint64 remarked_ms;
	char *told; /* the problem that was told last */
} DroverSource;

/* Telling */

static const char *problem_of(const DroverSource *self)
{
	return self->away != NULL ? self->away : self->remark;
}

/* TRUE when what is wrong is not what was told last. */
static gboolean note_problem(DroverSource *self)
{
	if (g_strcmp0(problem_of(self), self->told) == 0)
		return FALSE;
	g_free(self->told);
	self->told = g_strdup(problem_of(self));
	return TRUE;
}

/* The orders that are obeyed, and what is wrong besides. */
static void say_orders(DroverSource *self)
{
	note_problem(self);
	source_say(self->source,
		&(SourceNews){.list = self->orders->list,
			.problem = self->told,
			.orders = (const SourceOrder *)(gpointer)self->orders->orders->data,
			.forced = self->orders->forced,
			.version = self->orders->version,
			.epoch = self->orders->epoch});
}

static void say_problem(DroverSource *self)
{
	if (note_problem(self))
		source_say(self->source, &(SourceNews){.problem = self->told});
}

/* Polling */

static void fail(DroverSource *self, const char *problem, gboolean refused)
{
	self->failures++;
	g_free(self->away);
	self->away = g_strdup(problem);
	pause_schedule(self->turn, drover_door_pause(self->door, self->failures, refused));
	say_problem(self);
}

/* Orders that are no news must not make a loop of polls. */
static void poll_again(DroverSource *self, gboolean news)
{
	gint64 minimum_ms =
		news ? self->door->pace.poll_minimum_ms / 10 : self->door->pace.poll_minimum_ms;
	pause_schedule(self->turn, self->asked_ms + minimum_ms - clock_monotonic_ms());
}

static gboolean is_news(const DroverSource *self, const DroverAnswer *orders)
{
	return self->whole || self->orders == NULL || orders->version != self->orders->version ||
	       orders->epoch != self->orders->epoch || orders->forced != self->orders->forced;
}

static void obey(DroverSource *self, DroverAnswer *orders)
{
	gboolean news = is_news(self, orders) || self->away != NULL;
	self->failures = 0;
	self->epoch = orders->epoch;
	g_clear_pointer(&self->away, g_free);
	drover_answer_free(self->orders);
	self->orders = orders;
	self->whole = FALSE;
	drover_reporter_set_orders(self->reporter, orders->version, orders->epoch);
	drover_reporter_hurry(self->reporter);
	poll_again(self, news);
	if (news)
		say_orders(self);
}

static void on_answer(const FetchAnswer *answer, gpointer of)
{
	DroverSource *self = of;
	g_autofree char *problem = NULL;
	g_autoptr(GError) error = NULL;
	gboolean refused;
	if (!drover_door_is_open(self->door, answer, &problem, &refused)) {
		fail(self, problem, refused);
		return;
	}
	g_autoptr(DroverAnswer) orders =
		drover_answer_parse(self->door->pool, answer->body, answer->body_bytes, &error);
	if (orders == NULL) {
		fail(self, error->message, FALSE);
		return;
	}
	if (orders->epoch < self->epoch) {
		g_autofree char *stale = g_strdup_printf(
			"droverd at %s is not obeyed: it speaks for epoch %" G_GINT64_FORMAT
			", and epoch %" G_GINT64_FORMAT " has begun; stop the old droverd",
			self->door->server, orders->epoch, self->epoch);
		fail(self, stale, FALSE);
		return;
	}
	obey(self, g_steal_pointer(&orders));
}

static void on_turn(evutil_socket_t unused, short what, void *of)
{
	DroverSource *self = of;
	g_autoptr(GError) error = NULL;
	g_autofree char *token = host_token_read(self->door->token_file, &error);
	if (token == NULL) {
		fail(self, error->message, FALSE);
		return;
	}
	gboolean wait = self->orders != NULL && !self->whole && self->failures == 0;
	g_autofree char *what_since =
		wait ? g_strdup_printf("orders?after=%" G_GINT64_FORMAT, self->orders->version)
		     : g_strdup("orders");
	g_autofree char *url = drover_door_url(self->door, what_since);
	const FetchCall call = {.url = url,
		.token = token,
		.ca_file = self->door->ca_file,
		.agent = self->door->agent,
		.timeout_ms = self->door->pace.poll_timeout_ms,
		.maximum_bytes = SERVER_LIST_MAXIMUM_BYTES};
	self->asked_ms = clock_monotonic_ms();
	fetch_start(self->fetch, &call, on_answer, self);
}

/* Reporting */

/* What is told of a report is in the next one, which is therefore sent at once. A clock is off by
 * another tenth of a second each time: that alone must not make a loop of reports. */
static gboolean is_too_soon(DroverSource *self, const char *problem)
{
	gint64 now_ms = clock_monotonic_ms();
	if (problem == NULL || g_strcmp0(problem, self->remark) == 0)
		return FALSE;
	if (now_ms - self->remarked_ms < self->door->pace.report_every_ms)
		return TRUE;
	self->remarked_ms = now_ms;
	return FALSE;
}

static void on_report(const char *problem, gpointer of)
{
	DroverSource *self = of;
	if (is_too_soon(self, problem))
		return;
	g_free(self->remark);
	self->remark = g_strdup(problem);
	if (self->away != NULL || g_strcmp0(problem_of(self), self->told) == 0)
		return;
	if (self->orders != NULL)
		say_orders(self);
	else if (self->remark != NULL)
		say_problem(self);
}

/* The kind */

static gpointer drover_begin(
	Source *source, const SourcePlace *place, const char *url, GError **error)
{
	DroverDoor *door = drover_door_new(place, url, error);
	if (door == NULL)
		return NULL;
	DroverSource *self = g_new0(DroverSource, 1);
	self->source = source;
	self->door = door;
	self->epoch = place->epoch;
	self->remarked_ms = clock_monotonic_ms() - door->pace.report_every_ms;
	self->fetch = fetch_new(place->base, place->resolver);
	self->turn = evtimer_new(place->base, on_turn, self);
	self->reporter = drover_reporter_new(place->base, place->resolver, door, on_report, self);
	pause_schedule(self->turn, 0);
	return self;
}

static void drover_end(gpointer of)
{
	DroverSource *self = of;
	drover_reporter_free(self->reporter);
	event_free(self->turn);
	fetch_free(self->fetch);
	drover_answer_free(self->orders);
	drover_door_free(self->door);
	g_free(self->away);
	g_free(self->remark);
	g_free(self->told);
	g_free(self);
}

static void drover_refresh(gpointer of)
{
	DroverSource *self = of;
	self->whole = TRUE;
	self->failures = 0;
	g_clear_pointer(&self->told, g_free);
	fetch_cancel(self->fetch);
	pause_schedule(self->turn, 0);
	drover_reporter_hurry(self->reporter);
}

static void drover_report(gpointer of, json_t *report)
{
	DroverSource *self = of;
	drover_reporter_take(self->reporter, report);
}

const SourceKind source_kind_drover = {
	.scheme = "drover://",
	.begin = drover_begin,
	.end = drover_end,
	.refresh = drover_refresh,
	.report = drover_report,
};
