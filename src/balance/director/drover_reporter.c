/* SPDX-License-Identifier: ISC
 *
 * A pool's reports to droverd.
 *
 *     quiet -- changed, 50 ms --> sending -- taken --> quiet
 *       \---- 30 s since the last ---^  \-- not --> pausing, then sending
 */
#include "balance/director/drover_reporter.h"

#include <event2/event.h>
#include <stdlib.h>

#include "balance/director/drover_answer.h"
#include "balance/director/host_token.h"
#include "balance/director/pause.h"
#include "balance/json_input.h"
#include "base/clock.h"
#include "base/format.h"

#define ANSWER_MAXIMUM_BYTES (64 * 1024)

struct DroverReporter {
	const DroverDoor *door;
	DroverReporterTell tell;
	gpointer of;
	Fetch *fetch;
	struct event *turn;
	json_t *report;	 /* the newest; NULL: none yet */
	json_t *news;	 /* what of it is worth a report of its own */
	json_t *sending; /* the news that are under way */
	json_t *sent;	 /* those that droverd took last */
	gboolean soon;	 /* the turn is planned because there are news */
	gint64 sent_ms;
	guint failures; /* in a row */
	gboolean refused;
	char *started;
	gint64 sequence;
	gint64 version, epoch;
};

/* Each check moves these, and each client: alone they wait for the next report. */
static json_t *news_of(const json_t *report)
{
	static const char *const restless[] = {"checked", "why", "active", "inactive"};
	json_t *news = json_deep_copy(report);
	json_t *server;
	gsize i;
	json_array_foreach (json_object_get(news, "servers"), i, server)
		for (guint k = 0; k < G_N_ELEMENTS(restless); k++)
			json_object_del(server, restless[k]);
	return news;
}

/* The next turn, after a try or when there is something to say. */
static void plan(DroverReporter *reporter)
{
	const SourcePace *pace = &reporter->door->pace;
	reporter->soon = FALSE;
	if (reporter->failures > 0) {
		pause_schedule(reporter->turn,
			drover_door_pause(reporter->door, reporter->failures, reporter->refused));
		return;
	}
	reporter->soon = !json_equal(reporter->news, reporter->sent);
	gint64 beat_ms = reporter->sent_ms + pace->report_every_ms - clock_monotonic_ms();
	pause_schedule(reporter->turn, reporter->soon ? pace->report_minimum_ms : beat_ms);
}

static void set_default(json_t *report, const char *key, gint64 number)
{
	if (json_object_get(report, key) == NULL)
		json_object_set_new(report, key, json_integer(number));
}

static char *write_report(DroverReporter *reporter)
{
	json_t *report = json_copy(reporter->report);
	g_autofree char *now = format_time(clock_now_us(CLOCK_SYSTEM));
	json_object_set_new(report, "now", json_string(now));
	json_object_set_new(report, "started", json_string(reporter->started));
	json_object_set_new(report, "sequence", json_integer(++reporter->sequence));
	set_default(report, "version", reporter->version);
	set_default(report, "epoch", reporter->epoch);
	char *text = json_dumps(report, JSON_COMPACT);
	json_decref(report);
	g_assert(text != NULL);
	return text;
}

static void fail(DroverReporter *reporter, const char *problem, gboolean refused)
{
	reporter->failures++;
	reporter->refused = refused;
	plan(reporter);
	reporter->tell(problem, reporter->of);
}

static void on_answer(const FetchAnswer *answer, gpointer of)
{
	DroverReporter *reporter = of;
	g_autofree char *problem = NULL;
	g_autofree char *warning = NULL;
	g_autoptr(GError) error = NULL;
	gboolean refused;
	g_autoptr(BalanceJson) sending = g_steal_pointer(&reporter->sending);
	if (!drover_door_is_open(reporter->door, answer, &problem, &refused)) {
		fail(reporter, problem, refused);
		return;
	}
	if (!drover_answer_clock(answer->body, answer->body_bytes, &warning, &error)) {
		fail(reporter, error->message, FALSE);
		return;
	}
	json_decref(reporter->sent);
	reporter->sent = g_steal_pointer(&sending);
	reporter->sent_ms = clock_monotonic_ms();
	reporter->failures = 0;
	plan(reporter);
	reporter->tell(warning, reporter->of);
}

static void on_turn(evutil_socket_t unused, short what, void *of)
{
	DroverReporter *reporter = of;
	reporter->soon = FALSE;
	g_autoptr(GError) error = NULL;
	g_autofree char *token = host_token_read(reporter->door->token_file, &error);
	if (token == NULL) {
		fail(reporter, error->message, FALSE);
		return;
	}
	reporter->sending = json_incref(reporter->news);
	g_autofree char *url = drover_door_url(reporter->door, "reports");
	char *text = write_report(reporter);
	const FetchCall call = {.url = url,
		.token = token,
		.json = text,
		.ca_file = reporter->door->ca_file,
		.agent = reporter->door->agent,
		.timeout_ms = reporter->door->pace.report_timeout_ms,
		.maximum_bytes = ANSWER_MAXIMUM_BYTES};
	fetch_start(reporter->fetch, &call, on_answer, reporter);
	free(text);
}

/* The door */

DroverReporter *drover_reporter_new(struct event_base *base, Resolver *resolver,
	const DroverDoor *door, DroverReporterTell tell, gpointer of)
{
	DroverReporter *reporter = g_new0(DroverReporter, 1);
	reporter->door = door;
	reporter->tell = tell;
	reporter->of = of;
	reporter->fetch = fetch_new(base, resolver);
	reporter->turn = evtimer_new(base, on_turn, reporter);
	reporter->started = format_time(clock_now_us(CLOCK_SYSTEM));
	return reporter;
}

void drover_reporter_free(DroverReporter *reporter)
{
	if (reporter == NULL)
		return;
	event_free(reporter->turn);
	fetch_free(reporter->fetch);
	json_decref(reporter->report);
	json_decref(reporter->news);
	json_decref(reporter->sending);
	json_decref(reporter->sent);
	g_free(reporter->started);
	g_free(reporter);
}

/* What waits for its turn already goes out then, as it is by then. */
void drover_reporter_take(DroverReporter *reporter, json_t *report)
{
	json_decref(reporter->report);
	json_decref(reporter->news);
	reporter->report = report;
	reporter->news = news_of(report);
	gboolean waits = reporter->soon || reporter->failures > 0;
	if (!waits && !fetch_is_busy(reporter->fetch))
		plan(reporter);
}

void drover_reporter_set_orders(DroverReporter *reporter, gint64 version, gint64 epoch)
{
	reporter->version = version;
	reporter->epoch = epoch;
}

void drover_reporter_hurry(DroverReporter *reporter)
{
	if (reporter->failures > 0 && !fetch_is_busy(reporter->fetch))
		pause_schedule(reporter->turn, 0);
}
