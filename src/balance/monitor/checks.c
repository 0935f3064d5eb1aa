/* SPDX-License-Identifier: ISC
 *
 * Who watches what, and who is told.
 */
#include "balance/monitor/checks_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"

static guint probe_hash(gconstpointer of)
{
	const Probe *probe = of;
	guint hash = address_hash(&probe->target.address) * 31 + probe->target.port;
	hash = hash * 31 + g_direct_hash(probe->plan);
	return probe->plan->monitor->by_host ? hash * 31 + g_str_hash(probe->target.host) : hash;
}

static gboolean probe_equal(gconstpointer a_, gconstpointer b_)
{
	const Probe *a = a_, *b = b_;
	return a->plan == b->plan && a->target.port == b->target.port &&
	       address_equal(&a->target.address, &b->target.address) &&
	       (!a->plan->monitor->by_host || strcmp(a->target.host, b->target.host) == 0);
}

static void on_timer(evutil_socket_t fd, short what, void *of)
{
	checks_turn(of);
}

/* The soft limit is ours to raise. */
static gboolean have_descriptors(guint sockets, GError **error)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)sockets + CHECKS_SPARE_FILES;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return TRUE;
	if (limit.rlim_max >= wanted) {
		limit.rlim_cur = wanted;
		if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
			return TRUE;
	}
	drover_error_set(error, DROVER_ERROR_INTERNAL,
		"max-checks is %u, but this process may open %" G_GUINT64_FORMAT
		" files: lower max-checks, or raise LimitNOFILE to %" G_GUINT64_FORMAT,
		sockets, (guint64)limit.rlim_max, (guint64)wanted);
	return FALSE;
}

Checks *checks_new(const ChecksOptions *options, GError **error)
{
	g_assert(options->maximum_sockets > 0);
	if (!have_descriptors(options->maximum_sockets, error))
		return NULL;
	g_autoptr(Checks) checks = g_new0(Checks, 1);
	checks->base = options->base;
	checks->maximum_sockets = options->maximum_sockets;
	checks->runner = options->runner;
	checks->random = options->seed * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) + 1;
	checks->epoll = -1;
	checks->wakes_us = G_MAXINT64;
	checks->blocked_us = G_MININT64;
	pace_init(&checks->pace, checks_random(checks));
	checks->plans = g_hash_table_new(g_str_hash, g_str_equal);
	checks->probes = g_hash_table_new(probe_hash, probe_equal);
	checks->late = g_ptr_array_new();
	timer_heap_init(&checks->due);
	timer_heap_init(&checks->deadlines);
	checks->timer = evtimer_new(checks->base, on_timer, checks);
	if (checks->timer == NULL) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"the checks could not be set up: libevent takes no timer");
		return NULL;
	}
	if (!exchange_sockets_open(checks, error))
		return NULL;
	return g_steal_pointer(&checks);
}

void checks_free(Checks *checks)
{
	g_assert(checks->figures.watchers == 0);
	exchange_bury(checks);
	for (guint i = 0; i < checks->late->len; i++)
		g_free(g_ptr_array_index(checks->late, i));
	g_assert(g_hash_table_size(checks->plans) == 0);
	exchange_sockets_close(checks);
	exchange_streams_close(checks);
	g_clear_pointer(&checks->timer, event_free);
	g_ptr_array_unref(checks->late);
	g_hash_table_unref(checks->probes);
	g_hash_table_unref(checks->plans);
	timer_heap_clear(&checks->due);
	timer_heap_clear(&checks->deadlines);
	g_free(checks);
}

/* Takes the reference to the plan. */
static Probe *probe_new(Checks *checks, Plan *plan, const CheckTarget *target)
{
	Probe *probe = g_new0(Probe, 1);
	probe->checks = checks;
	probe->plan = plan;
	probe->target = *target;
	probe->target.host = g_strdup(target->host);
	probe->due.at = TIMER_HEAP_NOWHERE;
	g_hash_table_add(checks->probes, probe);
	checks->figures.checks++;
	pace_add(&checks->pace, plan->interval_us);
	probe->slot_us = pace_first_slot(&checks->pace, g_get_monotonic_time(), plan->interval_us);
	probe_schedule(probe, probe->slot_us);
	return probe;
}

static void probe_free(Probe *probe)
{
	Checks *checks = probe->checks;
	probe_unschedule(probe);
	checks_enter(checks);
	if (probe->exchange != NULL)
		exchange_stop(probe->exchange);
	g_hash_table_remove(checks->probes, probe);
	checks->figures.checks--;
	pace_remove(&checks->pace, probe->plan->interval_us);
	plan_unref(probe->plan);
	g_free((char *)probe->target.host);
	g_free(probe->why);
	g_free(probe);
	checks_exit_quietly(checks);
}

Check *checks_watch(Checks *checks, const ConfigService *service, ConfigMonitor monitor,
	const CheckTarget *target, CheckTell tell, gpointer of, GError **error)
{
	g_assert(target->address.family != 0 && tell != NULL);
	g_autoptr(Plan) plan = plan_get(checks->plans, service, monitor, error);
	if (plan == NULL)
		return NULL;
	const Probe wanted = {.plan = plan, .target = *target};
	Probe *probe = g_hash_table_lookup(checks->probes, &wanted);
	if (probe == NULL)
		probe = probe_new(checks, g_steal_pointer(&plan), target);
	Check *check = g_new0(Check, 1);
	*check = (Check){probe, probe->watchers, tell, of, FALSE, FALSE};
	probe->watchers = check;
	checks->figures.watchers++;
	if (!probe->known)
		return check;
	check->late = TRUE;
	g_ptr_array_add(checks->late, check);
	if (checks->depth == 0)
		checks_wake(checks, 0);
	return check;
}

void checks_leave(Check *check)
{
	Probe *probe = check->probe;
	Checks *checks = probe->checks;
	Check **link = &probe->watchers;
	while (*link != check)
		link = &(*link)->next;
	*link = check->next;
	if (checks->tells_next == check)
		checks->tells_next = check->next;
	checks->figures.watchers--;
	if (check->late)
		check->tell = NULL;
	else
		g_free(check);
	if (probe->watchers == NULL && checks->telling != probe)
		probe_free(probe);
}

gboolean checks_validate(const ConfigService *service, ConfigMonitor monitor, GError **error)
{
	g_autoptr(Plan) plan = plan_new(service, monitor, error);
	return plan != NULL;
}

/* One line in UTF-8, of CHECKS_MAXIMUM_WHY_BYTES at most. Caller frees. */
static char *in_plain_words(const char *why)
{
	g_autofree char *valid = g_utf8_make_valid(why, -1);
	for (char *at = valid; *at != '\0'; at++)
		if ((guchar)*at < ' ' || *at == 0x7f)
			*at = ' ';
	if (strlen(valid) > CHECKS_MAXIMUM_WHY_BYTES) {
		char *end = g_utf8_find_prev_char(valid, valid + CHECKS_MAXIMUM_WHY_BYTES - 2);
		memcpy(end, "…", sizeof "…");
	}
	return g_steal_pointer(&valid);
}

static void probe_keep(Probe *probe, PoolResult result, const char *why, gint64 took_us)
{
	gsize size_bytes = strlen(why) + 1;
	if (size_bytes > probe->why_size_bytes) {
		probe->why = g_realloc(probe->why, size_bytes);
		probe->why_size_bytes = size_bytes;
	}
	memcpy(probe->why, why, size_bytes);
	probe->known = TRUE;
	probe->result = result;
	probe->took_us = took_us;
}

static void count(ChecksFigures *figures, PoolResult result)
{
	switch (result) {
	case POOL_RESULT_DOWN:
		figures->down++;
		return;
	case POOL_RESULT_UP:
		figures->up++;
		return;
	case POOL_RESULT_MAINTENANCE:
		figures->maintenance++;
		return;
	}
	g_assert_not_reached();
}

void probe_publish(Probe *probe, PoolResult result, const char *why, gint64 took_us)
{
	Checks *checks = probe->checks;
	/* A watcher that leaves may take the probe with it, and reads `why` to the end. */
	g_autofree char *words = in_plain_words(why);
	probe_keep(probe, result, words, took_us);
	count(&checks->figures, result);
	g_assert(checks->telling == NULL);
	checks->telling = probe;
	for (Check *check = probe->watchers; check != NULL; check = checks->tells_next) {
		checks->tells_next = check->next;
		check->heard = TRUE;
		check->tell(result, words, took_us, check->of);
	}
	checks->telling = NULL;
	if (probe->watchers == NULL)
		probe_free(probe);
}

void checks_figures(const Checks *checks, ChecksFigures *figures)
{
	*figures = checks->figures;
}
