/* SPDX-License-Identifier: ISC
 *
 * Turns of the engine: one timer for everything that has a time.
 */
#include "balance/monitor/checks_parts.h"

void checks_enter(Checks *checks)
{
	checks->depth++;
}

/* The first in the queue needs more sockets than are free. */
static gboolean is_blocked(Checks *checks, const Probe *probe)
{
	guint slots = MIN(probe->plan->slots, checks->maximum_sockets);
	return checks->figures.sockets + slots > checks->maximum_sockets;
}

static void start_queued(Checks *checks)
{
	if (g_queue_is_empty(&checks->queue))
		return;
	gint64 now_us = g_get_monotonic_time();
	for (;;) {
		GList *first = g_queue_peek_head_link(&checks->queue);
		if (first == NULL || pace_next_start(&checks->pace, now_us) > now_us)
			return;
		Probe *probe = first->data;
		if (is_blocked(checks, probe)) {
			checks->blocked_us = now_us;
			return;
		}
		if (checks->blocked_us >= probe->due.due_us)
			checks->figures.delayed++;
		probe_unschedule(probe);
		pace_started(&checks->pace, now_us);
		exchange_start(probe, now_us);
	}
}

static void wake_for_what_is_next(Checks *checks)
{
	gint64 when_us = G_MAXINT64;
	const Timer *due = timer_heap_first(&checks->due);
	const Timer *deadline = timer_heap_first(&checks->deadlines);
	GList *first = g_queue_peek_head_link(&checks->queue);
	if (due != NULL)
		when_us = due->due_us;
	/* While checks are under way the timer fires so often that a loop held up is noticed. */
	if (deadline != NULL && checks->wakes_us == G_MAXINT64)
		when_us = MIN(when_us, g_get_monotonic_time() + CHECKS_STALL_MS * 1000);
	if (deadline != NULL)
		when_us = MIN(when_us, deadline->due_us);
	if (first != NULL && !is_blocked(checks, first->data))
		when_us = MIN(when_us, pace_next_start(&checks->pace, 0));
	if (checks->late->len > 0)
		when_us = 0;
	checks_wake(checks, when_us);
}

void checks_exit(Checks *checks)
{
	if (checks->depth == 1) {
		exchange_bury(checks);
		start_queued(checks);
	}
	checks_exit_quietly(checks);
}

void checks_exit_quietly(Checks *checks)
{
	g_assert(checks->depth > 0);
	if (checks->depth == 1) {
		exchange_bury(checks);
		wake_for_what_is_next(checks);
	}
	checks->depth--;
}

void checks_wake(Checks *checks, gint64 when_us)
{
	if (when_us >= checks->wakes_us)
		return;
	gint64 now_us = g_get_monotonic_time();
	/* A timer that is overdue stays so: by how much is how the turn knows of a stall. */
	if (checks->wakes_us <= now_us)
		return;
	gint64 after_us = when_us <= now_us ? 0 : MAX(when_us - now_us, CHECKS_TICK_US);
	checks->wakes_us = now_us + after_us;
	struct timeval after = {after_us / G_USEC_PER_SEC, after_us % G_USEC_PER_SEC};
	event_add(checks->timer, &after);
}

static void queue_due(Checks *checks, gint64 now_us)
{
	for (Timer *timer; (timer = timer_heap_pop_due(&checks->due, now_us)) != NULL;) {
		Probe *probe = (Probe *)((char *)timer - G_STRUCT_OFFSET(Probe, due));
		probe->waiting = TRUE;
		probe->queued = (GList){.data = probe};
		g_queue_push_tail_link(&checks->queue, &probe->queued);
	}
}

static void expire(Checks *checks, gint64 now_us)
{
	const Timer *first = timer_heap_first(&checks->deadlines);
	if (first == NULL || first->due_us > now_us)
		return;
	/* An answer that is there already is in time. */
	exchange_sockets_look(checks);
	for (Timer *timer; (timer = timer_heap_pop_due(&checks->deadlines, now_us)) != NULL;)
		exchange_expire((Exchange *)((char *)timer - G_STRUCT_OFFSET(Exchange, deadline)));
}

/* Those who came when the result was known already. */
static void tell_late(Checks *checks)
{
	for (guint left = checks->late->len; left > 0; left--) {
		Check *check = g_ptr_array_steal_index_fast(checks->late, 0);
		check->late = FALSE;
		if (check->tell == NULL) {
			g_free(check);
			continue;
		}
		const Probe *probe = check->probe;
		if (check->heard || !probe->known)
			continue;
		g_autofree char *why = g_strdup(probe->why);
		check->tell(probe->result, why, probe->took_us, check->of);
	}
}

/* While the loop was held up nobody read answers: that is no fault of the servers. */
static void make_up_for(Checks *checks, gint64 stall_us)
{
	if (stall_us > CHECKS_STALL_MS * 1000)
		timer_heap_postpone(&checks->deadlines, stall_us);
}

void checks_turn(Checks *checks)
{
	gint64 now_us = g_get_monotonic_time();
	gint64 late_us = now_us - checks->wakes_us;
	checks->wakes_us = G_MAXINT64;
	checks_enter(checks);
	make_up_for(checks, late_us);
	queue_due(checks, now_us);
	expire(checks, now_us);
	tell_late(checks);
	make_up_for(checks, g_get_monotonic_time() - now_us);
	checks_exit(checks);
}

void probe_schedule(Probe *probe, gint64 due_us)
{
	timer_heap_add(&probe->checks->due, &probe->due, due_us);
	if (probe->checks->depth == 0)
		checks_wake(probe->checks, due_us);
}

void probe_unschedule(Probe *probe)
{
	timer_heap_remove(&probe->checks->due, &probe->due);
	if (!probe->waiting)
		return;
	probe->waiting = FALSE;
	g_queue_unlink(&probe->checks->queue, &probe->queued);
}

/* xorshift64*: what is wanted is spread, not secrecy. */
guint32 checks_random(Checks *checks)
{
	guint64 state = checks->random;
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	checks->random = state;
	return (guint32)((state * G_GUINT64_CONSTANT(2685821657736338717)) >> 32);
}
