/* SPDX-License-Identifier: ISC
 *
 * One run of a probe, from its start to the one place where it stops. Its memory is used again by
 * the next run of the same plan, but never while the engine is at work: who ended it may still
 * stand in one of its functions.
 */
#include "balance/monitor/checks_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define COMPLAINT_US (60 * G_USEC_PER_SEC) /* between two of the same */

static Exchange *exchange_new(Probe *probe)
{
	Plan *plan = probe->plan;
	Exchange *exchange = plan->spare;
	if (exchange != NULL) {
		plan->spare = exchange->next;
		memset(exchange, 0, plan->monitor->exchange_bytes);
	} else {
		exchange = g_malloc0(plan->monitor->exchange_bytes);
	}
	exchange->checks = probe->checks;
	exchange->probe = probe;
	exchange->plan = plan;
	exchange->deadline.at = TIMER_HEAP_NOWHERE;
	return exchange;
}

static void give_back_slots(Exchange *exchange)
{
	Checks *checks = exchange->probe->checks;
	timer_heap_remove(&checks->deadlines, &exchange->deadline);
	checks->figures.sockets -= exchange->slots;
	exchange->slots = 0;
}

void exchange_start(Probe *probe, gint64 now_us)
{
	Checks *checks = probe->checks;
	if (probe->exchange == NULL)
		probe->exchange = exchange_new(probe);
	Exchange *exchange = probe->exchange;
	g_assert(exchange->slots == 0);
	exchange->started_us = now_us;
	exchange->lame = FALSE;
	exchange->slots = MIN(probe->plan->slots, checks->maximum_sockets);
	timer_heap_add(&checks->deadlines, &exchange->deadline, now_us + probe->plan->timeout_us);
	checks->figures.started++;
	checks->figures.sockets += exchange->slots;
	checks->figures.sockets_peak = MAX(checks->figures.sockets_peak, checks->figures.sockets);
	probe->plan->monitor->start(exchange);
}

void exchange_stop(Exchange *exchange)
{
	Probe *probe = exchange->probe;
	give_back_slots(exchange);
	if (probe->plan->monitor->stop != NULL)
		probe->plan->monitor->stop(exchange);
	probe->exchange = NULL;
	exchange->probe = NULL;
	exchange->plan->references++; /* exchange_bury() lets go of it */
	exchange->next = probe->checks->gone;
	probe->checks->gone = exchange;
}

void exchange_bury(Checks *checks)
{
	while (checks->gone != NULL) {
		Exchange *exchange = checks->gone;
		Plan *plan = exchange->plan;
		checks->gone = exchange->next;
		exchange->next = plan->spare;
		plan->spare = exchange;
		plan_unref(plan);
	}
}

void exchange_time_text(gint64 time_ms, char text[static 24])
{
	if (time_ms % 1000 == 0)
		g_snprintf(text, 24, "%" G_GINT64_FORMAT " s", time_ms / 1000);
	else if (time_ms < 1000)
		g_snprintf(text, 24, "%" G_GINT64_FORMAT " ms", time_ms);
	else
		g_snprintf(text, 24, "%" G_GINT64_FORMAT ".%03d s", time_ms / 1000,
			(int)(time_ms % 1000));
}

void exchange_expire(Exchange *exchange)
{
	void (*expired)(Exchange *) = exchange->plan->monitor->expired;
	if (expired != NULL) {
		expired(exchange);
		return;
	}
	char time[24], why[64];
	exchange_time_text(exchange_timeout_ms(exchange), time);
	g_snprintf(why, sizeof why, "timed out after %s", time);
	exchange_end(exchange, POOL_RESULT_DOWN, why);
}

/* A check that could not be made says nothing about the server. */
static gboolean is_lame(Exchange *exchange, PoolResult result, const char *why)
{
	if (!exchange->lame || result != POOL_RESULT_DOWN)
		return FALSE;
	Checks *checks = exchange->probe->checks;
	checks->figures.unmade++;
	gint64 now_us = g_get_monotonic_time();
	if (checks->complained_us != 0 && now_us - checks->complained_us < COMPLAINT_US)
		return TRUE;
	checks->complained_us = now_us;
	log_event(LOG_LEVEL_WARNING, "checks.unmade", "monitor", exchange->plan->monitor->name,
		"why", why, "server", exchange->probe->target.host, NULL);
	return TRUE;
}

void exchange_end(Exchange *exchange, PoolResult result, const char *why)
{
	Probe *probe = exchange->probe;
	Checks *checks = probe->checks;
	g_assert(!probe->plan->monitor->standing && exchange->slots > 0);
	gint64 now_us = g_get_monotonic_time();
	gint64 interval_us = probe->plan->interval_us;
	gboolean lame = is_lame(exchange, result, why);
	gint64 started_us = exchange->started_us;
	checks_enter(checks);
	exchange_stop(exchange);
	probe->slot_us = pace_next_slot(probe->slot_us, started_us, now_us, interval_us);
	probe_schedule(probe, pace_jitter(probe->slot_us, interval_us, checks_random(checks)));
	if (!lame)
		probe_publish(probe, result, why, now_us - started_us);
	checks_exit(checks);
}

void exchange_tell(Exchange *exchange, PoolResult result, const char *why)
{
	Probe *probe = exchange->probe;
	Checks *checks = probe->checks;
	g_assert(probe->plan->monitor->standing);
	if (is_lame(exchange, result, why))
		return;
	checks_enter(checks);
	probe_publish(probe, result, why, exchange_took_us(exchange));
	checks_exit(checks);
}

void exchange_rest(Exchange *exchange)
{
	Checks *checks = exchange->probe->checks;
	g_assert(exchange->plan->monitor->standing);
	checks_enter(checks);
	give_back_slots(exchange);
	checks_exit(checks);
}

void exchange_again(Exchange *exchange, gint64 delay_ms)
{
	Probe *probe = exchange->probe;
	gint64 delay_us = MAX(delay_ms, 1) * 1000;
	checks_enter(probe->checks);
	exchange_rest(exchange);
	probe_unschedule(probe);
	probe_schedule(probe, pace_jitter(g_get_monotonic_time() + delay_us, delay_us,
				      checks_random(probe->checks)));
	checks_exit(probe->checks);
}

struct event_base *exchange_base(const Exchange *exchange)
{
	return exchange->probe->checks->base;
}

gconstpointer exchange_settings(const Exchange *exchange)
{
	return exchange->plan->settings;
}

const CheckTarget *exchange_target(const Exchange *exchange)
{
	return &exchange->probe->target;
}

Runner *exchange_runner(const Exchange *exchange)
{
	return exchange->probe->checks->runner;
}

gint64 exchange_timeout_ms(const Exchange *exchange)
{
	return exchange->plan->timeout_us / 1000;
}

gint64 exchange_took_us(const Exchange *exchange)
{
	return g_get_monotonic_time() - exchange->started_us;
}

guint32 exchange_random(Exchange *exchange)
{
	return checks_random(exchange->probe->checks);
}
