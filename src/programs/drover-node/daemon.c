/* SPDX-License-Identifier: ISC
 *
 * drover-node run: start, signals, end.
 *
 * At the end an activation under way is waited for, since it is nearly done; an install is not: the
 * journal makes a stop at any instruction harmless, and threads that wait for a network have
 * nothing to lose.
 */
#include "programs/drover-node/daemon.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "balance/director/host_token.h"
#include "base/file.h"
#include "base/joblock.h"
#include "base/log.h"
#include "base/service.h"
#include "programs/drover-node/commands.h"
#include "wire/json.h"

enum { STATE_MODE = 0700 };

gboolean daemon_wait(Daemon *daemon, const guint64 *counter, guint64 seen, double seconds)
{
	gint64 until_us = g_get_monotonic_time() + (gint64)(seconds * 1e6);
	g_mutex_lock(&daemon->lock);
	while (!daemon->is_ending && *counter == seen)
		if (!g_cond_wait_until(&daemon->moved, &daemon->lock, until_us))
			break;
	gboolean goes_on = !daemon->is_ending;
	g_mutex_unlock(&daemon->lock);
	return goes_on;
}

gboolean daemon_is_ending(Daemon *daemon)
{
	g_mutex_lock(&daemon->lock);
	gboolean is_ending = daemon->is_ending;
	g_mutex_unlock(&daemon->lock);
	return is_ending;
}

static void move(Daemon *daemon, guint64 *counter)
{
	g_mutex_lock(&daemon->lock);
	(*counter)++;
	g_cond_broadcast(&daemon->moved);
	g_mutex_unlock(&daemon->lock);
}

void daemon_orders_moved(Daemon *daemon)
{
	move(daemon, &daemon->orders_moved);
}

void daemon_report_moved(Daemon *daemon)
{
	move(daemon, &daemon->report_moved);
}

/* -- signals --------------------------------------------------------------------------------------
 */

static gboolean on_end(gpointer of)
{
	Daemon *daemon = of;
	service_notify("STOPPING=1");
	g_mutex_lock(&daemon->lock);
	daemon->is_ending = TRUE;
	g_cond_broadcast(&daemon->moved);
	g_mutex_unlock(&daemon->lock);
	g_main_loop_quit(daemon->loop);
	return G_SOURCE_CONTINUE;
}

/* From the loop, with the lock that all threads share: whoever hears it knows that none keeps it.
 */
static gboolean feed_watchdog(gpointer of)
{
	daemon_is_ending(of);
	service_notify("WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

/* What was written to is gone, or may not grow: write() says so. Unlike SIG_IGN it does not outlive
 * exec: hooks and services end by these signals as usual. */
static void ignore(int number)
{
}

static void listen_to_signals(Daemon *daemon)
{
	const struct sigaction nothing = {.sa_handler = ignore, .sa_flags = SA_RESTART};
	gint64 interval_ms = service_watchdog_ms() / 3;
	sigaction(SIGPIPE, &nothing, NULL);
	sigaction(SIGXFSZ, &nothing, NULL);
	g_unix_signal_add(SIGTERM, on_end, daemon);
	g_unix_signal_add(SIGINT, on_end, daemon);
	if (interval_ms > 0)
		g_timeout_add((guint)interval_ms, feed_watchdog, daemon);
}

/* -- life -----------------------------------------------------------------------------------------
 */

static gboolean check(const NodeConfig *config, const char *token_file, GError **error)
{
	if (config->server == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: [node] has no server: there is nobody to follow", config->path);
		return FALSE;
	}
	g_autofree char *token = host_token_read(token_file, error);
	return token != NULL && file_make_folder(config->state, STATE_MODE, error);
}

static void start(Daemon *daemon)
{
	for (guint i = 0; i < daemon->config->products->len; i++) {
		Worker *worker = g_new0(Worker, 1);
		worker->daemon = daemon;
		worker->product = daemon->config->products->pdata[i];
		g_ptr_array_add(daemon->workers, worker);
	}
	for (guint i = 0; i < daemon->workers->len; i++) {
		Worker *worker = daemon->workers->pdata[i];
		worker->thread = g_thread_new(worker->product->name, daemon_work, worker);
	}
	daemon->asker = g_thread_new("asker", daemon_ask, daemon);
	daemon->reporter = g_thread_new("reporter", daemon_report, daemon);
}

static gboolean is_activating(Daemon *daemon)
{
	gboolean found = FALSE;
	g_mutex_lock(&daemon->lock);
	for (guint i = 0; i < daemon->workers->len; i++) {
		const Worker *worker = daemon->workers->pdata[i];
		found = found || worker->doing.state == REPORT_ACTIVATING;
	}
	g_mutex_unlock(&daemon->lock);
	return found;
}

static void wait_for_activations(Daemon *daemon)
{
	enum { TICK_MS = 50 };
	for (guint i = 0; i < DAEMON_ENDS_S * 1000 / TICK_MS && is_activating(daemon); i++)
		g_usleep(TICK_MS * 1000);
	if (is_activating(daemon))
		log_event(LOG_LEVEL_WARNING, "drover-node.ended", "why",
			"an activation took too long; the next start takes it back", NULL);
}

static void serve(Daemon *daemon)
{
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
	g_autofree char *products = g_strdup_printf("%u", daemon->config->products->len);
	listen_to_signals(daemon);
	start(daemon);
	log_event(LOG_LEVEL_INFO, "drover-node.ready", "version", DROVER_VERSION, "pid", pid,
		"configuration", daemon->config->path, "server", daemon->config->server, "products",
		products, NULL);
	service_notify("READY=1");
	g_main_loop_run(daemon->loop);
	wait_for_activations(daemon);
	log_event(LOG_LEVEL_INFO, "drover-node.ended", NULL);
	fflush(NULL);
	_exit(0);
}

gboolean daemon_run(Invocation *invocation, GError **error)
{
	const NodeConfig *config = commands_config(invocation, error);
	if (config == NULL)
		return FALSE;
	g_autofree char *token_file = commands_token_file(config);
	if (!check(config, token_file, error))
		return FALSE;
	g_autoptr(JobLock) lock = joblock_take(config->state, "run", CLOCK_SYSTEM, error);
	if (lock == NULL)
		return FALSE;
	Daemon daemon = {.config = config,
		.token_file = token_file,
		.program = commands_program(),
		.loop = g_main_loop_new(NULL, FALSE),
		.workers = g_ptr_array_new()};
	g_mutex_init(&daemon.lock);
	g_cond_init(&daemon.moved);
	serve(&daemon);
	g_assert_not_reached();
}
