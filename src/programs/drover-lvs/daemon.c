/* SPDX-License-Identifier: ISC
 *
 * The loop and what is around it. Balancing goes before being seen: a face that cannot listen is
 * logged and tried again.
 */
#include "programs/drover-lvs/daemon.h"

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "balance/director/control.h"
#include "balance/director/face_server.h"
#include "base/log.h"
#include "base/service.h"

enum { SIGNALS = 4 };

struct Daemon {
	struct event_base *base;
	Director *director;
	FaceServer *face;
	Control *control;
	struct event *signals[SIGNALS], *watchdog, *retry;
	char *config_path;
	char *face_problem; /* as logged; NULL: none */
	DaemonEnd end;
};

static struct timeval time_of(gint64 ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

/* The face, as the configuration has it now. */
static void listen_face(Daemon *daemon)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) config = config_load(daemon->config_path, NULL);
	struct timeval pause = time_of(DAEMON_FACE_RETRY_MS);
	if (config == NULL || config->errors->len > 0)
		return;
	gboolean ok = face_server_listen(daemon->face, &config->global, &error);
	const char *problem = ok ? NULL : error->message;
	if (!ok && g_strcmp0(problem, daemon->face_problem) != 0)
		log_event(LOG_LEVEL_ERROR, "face.failed", "why", problem, NULL);
	if (ok && daemon->face_problem != NULL)
		log_event(LOG_LEVEL_INFO, "face.listens", NULL);
	g_free(daemon->face_problem);
	daemon->face_problem = g_strdup(problem);
	if (!ok)
		event_add(daemon->retry, &pause);
}

static void try_again(evutil_socket_t fd, short what, void *of)
{
	listen_face(of);
}

static gboolean reload(Daemon *daemon, GError **error)
{
	g_autofree char *begun = g_strdup_printf(
		"RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
	service_notify(begun);
	gboolean ok = director_reload(daemon->director, error);
	if (ok)
		listen_face(daemon);
	service_notify("READY=1");
	return ok;
}

/* -- steering -------------------------------------------------------------------------------------
 */

static json_t *status_of(gpointer of)
{
	return director_status(((Daemon *)of)->director);
}

static json_t *done(gboolean ok)
{
	return ok ? json_object() : NULL;
}

static json_t *steer(const ControlRequest *request, gpointer of, GError **error)
{
	Daemon *daemon = of;
	Director *director = daemon->director;
	switch (request->command) {
	case CONTROL_STATUS:
		return status_of(daemon);
	case CONTROL_ACCEPT:
		return done(director_accept(director, request->service, request->who, error));
	case CONTROL_DRAIN:
		return done(director_drain(director, request->service, request->server,
			request->forced, request->who, error));
	case CONTROL_UNDRAIN:
		return done(director_undrain(
			director, request->service, request->server, request->who, error));
	case CONTROL_RELOAD:
		log_event(LOG_LEVEL_INFO, "drover-lvs.reload", "who", request->who, NULL);
		return done(reload(daemon, error));
	}
	g_assert_not_reached();
}

/* -- signals --------------------------------------------------------------------------------------
 */

static void end(Daemon *daemon, DaemonEnd how)
{
	service_notify("STOPPING=1");
	daemon->end = how;
	event_base_loopbreak(daemon->base);
}

static void on_signal(evutil_socket_t number, short what, void *of)
{
	g_autoptr(GError) error = NULL;
	log_event(LOG_LEVEL_INFO, "drover-lvs.signal", "signal", strsignal((int)number), NULL);
	if (number == SIGUSR1)
		end(of, DAEMON_PAUSED);
	else if (number != SIGHUP)
		end(of, DAEMON_STOPPED);
	else if (!reload(of, &error))
		log_event(LOG_LEVEL_ERROR, "drover-lvs.reload", "why", error->message, NULL);
}

/* From the loop itself: whoever hears it knows that the loop turns. */
static void feed_watchdog(evutil_socket_t fd, short what, void *of)
{
	service_notify("WATCHDOG=1");
}

static void watch_signals(Daemon *daemon)
{
	static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
	gint64 interval_ms = service_watchdog_ms() / 3;
	struct timeval interval = time_of(interval_ms);
	for (gsize i = 0; i < SIGNALS; i++) {
		daemon->signals[i] = evsignal_new(daemon->base, numbers[i], on_signal, daemon);
		event_add(daemon->signals[i], NULL);
	}
	daemon->retry = evtimer_new(daemon->base, try_again, daemon);
	daemon->watchdog = event_new(daemon->base, -1, EV_PERSIST, feed_watchdog, daemon);
	if (interval_ms > 0)
		event_add(daemon->watchdog, &interval);
}

/* -- life -----------------------------------------------------------------------------------------
 */

Daemon *daemon_new(const DaemonOptions *options, GError **error)
{
	g_autoptr(Daemon) daemon = g_new0(Daemon, 1);
	daemon->base = event_base_new();
	g_assert(daemon->base != NULL);
	daemon->config_path = g_strdup(options->director.config_path);
	daemon->control = control_new(daemon->base, options->control_fd, options->control_path,
		options->control_group, steer, daemon);
	watch_signals(daemon);
	DirectorOptions director = options->director;
	director.base = daemon->base;
	if (director.runner != NULL)
		runner_attach(director.runner, daemon->base);
	daemon->director = director_new(&director, error);
	if (daemon->director == NULL)
		return NULL;
	daemon->face = face_server_new(daemon->base, status_of, daemon);
	listen_face(daemon);
	return g_steal_pointer(&daemon);
}

static void tell_ready(const Daemon *daemon)
{
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
	g_autofree char *port = g_strdup_printf("%u", face_server_port(daemon->face));
	log_event(LOG_LEVEL_INFO, "drover-lvs.ready", "version", DROVER_VERSION, "pid", pid,
		"configuration", daemon->config_path, "port", port, NULL);
	service_notify("READY=1");
}

DaemonEnd daemon_serve(Daemon *daemon)
{
	g_autoptr(GError) error = NULL;
	tell_ready(daemon);
	event_base_dispatch(daemon->base);
	if (daemon->end == DAEMON_STOPPED && !director_withdraw(daemon->director, &error))
		log_event(LOG_LEVEL_ERROR, "route.failed", "why", error->message, NULL);
	log_event(LOG_LEVEL_INFO, "drover-lvs.ended", "routes",
		daemon->end == DAEMON_STOPPED ? "withdrawn" : "kept", NULL);
	return daemon->end;
}

void daemon_free(Daemon *daemon)
{
	if (daemon == NULL)
		return;
	g_clear_pointer(&daemon->control, control_free);
	g_clear_pointer(&daemon->face, face_server_free);
	g_clear_pointer(&daemon->director, director_free);
	for (gsize i = 0; i < SIGNALS; i++)
		g_clear_pointer(&daemon->signals[i], event_free);
	g_clear_pointer(&daemon->retry, event_free);
	g_clear_pointer(&daemon->watchdog, event_free);
	g_clear_pointer(&daemon->base, event_base_free);
	g_free(daemon->config_path);
	g_free(daemon->face_problem);
	g_free(daemon);
}
