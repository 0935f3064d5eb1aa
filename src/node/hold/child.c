/* SPDX-License-Identifier: ISC
 *
 * Children of the holder: begun, heard, asked to leave, collected.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/hold/holder.h"
#include "node/hold/spawn.h"

static const char *const kind_names[] = {[CHILD_SERVICE] = "service",
	[CHILD_RESPONDER] = "responder",
	[CHILD_FORWARDER] = "forwarder"};

const char *child_kind_name(ChildKind kind)
{
	return kind_names[kind];
}

static void log_child(const Child *child, LogLevel level, const char *event, const char *how)
{
	g_autofree char *process = g_strdup_printf("%d", (int)child->process);
	log_event(level, event, "product", child->holder->product->name, "kind",
		kind_names[child->kind], "version", child->version, "pid", process, "how", how,
		NULL);
}

void child_free(Child *child)
{
	g_clear_pointer(&child->ended, event_free);
	g_clear_pointer(&child->notified, event_free);
	g_clear_pointer(&child->deadline, event_free);
	close(child->pidfd);
	if (child->notify_fd >= 0)
		close(child->notify_fd);
	g_free(child->version);
	g_free(child->address);
	g_free(child);
}

static void forget_child(Child *child)
{
	Holder *holder = child->holder;
	for (guint i = 0; i < holder->children->len; i++) {
		Child *each = holder->children->pdata[i];
		if (each->backend == child)
			each->backend = NULL;
	}
	if (holder->front == child)
		holder->front = NULL;
}

static void on_ended(evutil_socket_t fd, short what, gpointer of)
{
	Child *child = of;
	Holder *holder = child->holder;
	g_autofree char *how = spawn_collect(child->process, child->pidfd);
	log_child(child, child->stage == CHILD_LEAVING ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
		"hold.ended", how);
	Child *backend = child->backend;
	if (child->kind == CHILD_RESPONDER && child->stage != CHILD_LEAVING)
		holder->responder_ms = clock_monotonic_ms();
	forget_child(child);
	turn_child_ended(holder, child, how);
	/* A forwarder has let go: now the service behind it may. */
	if (backend != NULL && child->stage == CHILD_LEAVING)
		child_leave(backend, holder->product->drain_timeout_s);
	g_ptr_array_remove(holder->children, child);
	saved_write(holder);
	holder_look(holder);
}

static void on_notified(evutil_socket_t fd, short what, gpointer of)
{
	Child *child = of;
	guint before = child->strangers;
	notify_read(child->notify_fd, child->process, &child->said, &child->strangers);
	if (before == 0 && child->strangers > 0)
		log_child(child, LOG_LEVEL_WARNING, "hold.stranger",
			"somebody else spoke at its NOTIFY_SOCKET");
	gboolean is_believed = child->kind != CHILD_SERVICE ||
			       child->holder->product->readiness != NODE_READINESS_VERIFY;
	if (child->said.ready && is_believed && child->stage == CHILD_STARTING) {
		if (child->kind == CHILD_RESPONDER)
			child->stage = CHILD_READY;
		else
			turn_child_ready(child->holder, child);
		holder_look(child->holder);
	}
}

static void on_deadline(evutil_socket_t fd, short what, gpointer of)
{
	Child *child = of;
	Child *backend = child->backend;
	if (child->kind == CHILD_FORWARDER && backend != NULL && backend->stage != CHILD_LEAVING) {
		/* Half of its time is over, and clients stay: the service may know how to tell
		 * them. */
		gint64 half_s = MAX(child->holder->product->drain_timeout_s / 2, 1);
		child_leave(backend, half_s);
		holder_arm(child->deadline, half_s * 1000);
		return;
	}
	log_child(child, LOG_LEVEL_WARNING, "hold.killed", "it did not leave in time");
	kill(-child->process, SIGKILL);
	syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
}

void child_leave(Child *child, gint64 limit_s)
{
	if (child->stage == CHILD_LEAVING)
		return;
	child->stage = CHILD_LEAVING;
	if (child->kind == CHILD_FORWARDER && child->backend != NULL)
		limit_s = MAX(limit_s / 2, 1);
	syscall(SYS_pidfd_send_signal, child->pidfd, SIGTERM, NULL, 0);
	holder_arm(child->deadline, MAX(limit_s, 1) * 1000);
	log_child(child, LOG_LEVEL_INFO, "hold.leaving", NULL);
}

static Child *add_child(Holder *holder, ChildKind kind, pid_t process, int pidfd)
{
	Child *child = g_new0(Child, 1);
	*child = (Child){.holder = holder,
		.kind = kind,
		.process = process,
		.pidfd = pidfd,
		.notify_fd = -1,
		.start_time = spawn_start_time(process),
		.since_us = clock_now_us(CLOCK_SYSTEM)};
	fcntl(pidfd, F_SETFD, FD_CLOEXEC);
	child->ended = event_new(holder->base, pidfd, EV_READ, on_ended, child);
	child->deadline = evtimer_new(holder->base, on_deadline, child);
	event_add(child->ended, NULL);
	g_ptr_array_add(holder->children, child);
	return child;
}

char *child_folder(const Holder *holder, const char *version)
{
	const char *prefix = holder->product->prefix;
	char *folder = g_build_filename(prefix, "releases", version, NULL);
	if (version != NULL && g_file_test(folder, G_FILE_TEST_IS_DIR))
		return folder;
	g_free(folder);
	return g_build_filename(prefix, "current", NULL);
}

static char *names_of(guint count)
{
	GString *names = g_string_new(NULL);
	for (guint i = 0; i < count; i++)
		g_string_append_printf(names, "%slisten%u", i > 0 ? ":" : "", i);
	return g_string_free(names, FALSE);
}

char **child_environment(const Holder *holder, const char *version, const char *address)
{
	static const char *const ours[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
		"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "INVOCATION_ID", "DROVER_ADDRESS",
		"DROVER_PORT", "DROVER_FORWARD_TO", "DROVER_VERSION"};
	char **environment = g_get_environ();
	for (gsize i = 0; i < G_N_ELEMENTS(ours); i++)
		environment = g_environ_unsetenv(environment, ours[i]);
	environment = g_environ_setenv(environment, "DROVER_PRODUCT", holder->product->name, TRUE);
	environment = g_environ_setenv(environment, "DROVER_PREFIX", holder->product->prefix, TRUE);
	if (version != NULL)
		environment = g_environ_setenv(environment, "DROVER_VERSION", version, TRUE);
	if (address != NULL) {
		environment = g_environ_setenv(environment, "DROVER_ADDRESS", address, TRUE);
		environment = g_environ_setenv(
			environment, "DROVER_PORT", strrchr(address, ':') + 1, TRUE);
	}
	return environment;
}

/* Starts `how`, with its own NOTIFY_SOCKET. Its environment is this function's. */
static Child *start(Holder *holder, ChildKind kind, Spawn *how, GError **error)
{
	g_autofree char *name = NULL;
	int notify_fd = notify_open(&name, error), pidfd = -1;
	if (notify_fd < 0)
		return NULL;
	how->environment = g_environ_setenv(how->environment, "NOTIFY_SOCKET", name, TRUE);
	if (how->fds != NULL) {
		g_autofree char *count = g_strdup_printf("%u", how->fds->len);
		g_autofree char *names = names_of(how->fds->len);
		how->environment = g_environ_setenv(how->environment, "LISTEN_FDS", count, TRUE);
		how->environment =
			g_environ_setenv(how->environment, "LISTEN_FDNAMES", names, TRUE);
	}
	pid_t process = spawn_start(how, &pidfd, error);
	if (process < 0) {
		close(notify_fd);
		return NULL;
	}
	Child *child = add_child(holder, kind, process, pidfd);
	child->notify_fd = notify_fd;
	child->notified =
		event_new(holder->base, notify_fd, EV_READ | EV_PERSIST, on_notified, child);
	event_add(child->notified, NULL);
	return child;
}

Child *child_start_service(
	Holder *holder, const char *version, const GArray *fds, const char *address, GError **error)
{
	const NodeProduct *product = holder->product;
	g_auto(GStrv) argv = NULL;
	g_autoptr(GError) failure = NULL;
	if (!g_shell_parse_argv(product->run, NULL, &argv, &failure)) {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "run = %s: %s", product->run, failure->message);
		return NULL;
	}
	g_autofree char *folder = child_folder(holder, version);
	Spawn how = {.argv = argv,
		.environment = child_environment(holder, version, address),
		.folder = folder,
		.fds = fds,
		.user = product->user,
		.group = product->group};
	Child *child = start(holder, CHILD_SERVICE, &how, error);
	g_strfreev(how.environment);
	if (child == NULL)
		return NULL;
	child->version = g_strdup(version);
	child->address = g_strdup(address);
	log_child(child, LOG_LEVEL_INFO, "hold.started", NULL);
	return child;
}

typedef struct Own {
	const NodeProduct *product;
	gboolean (*run)(const NodeProduct *product, GError **error);
	const char *name;
} Own;

/* A copy of this process needs nothing from the disk: there is always a responder. */
static int be_own(gpointer of)
{
	const Own *own = of;
	g_autoptr(GError) failure = NULL;
	prctl(PR_SET_NAME, own->name);
	if (own->run(own->product, &failure))
		return 0;
	log_event(
		LOG_LEVEL_ERROR, "hold.failed", "what", own->name, "error", failure->message, NULL);
	return 1;
}

Child *child_start_responder(Holder *holder, GError **error)
{
	Own own = {holder->product, respond_run, "drover-answer"};
	Spawn how = {.body = be_own,
		.of = &own,
		.environment = child_environment(holder, NULL, NULL),
		.fds = holder->listeners};
	Child *child = start(holder, CHILD_RESPONDER, &how, error);
	g_strfreev(how.environment);
	if (child != NULL)
		log_child(child, LOG_LEVEL_INFO, "hold.started", NULL);
	return child;
}

Child *child_start_forwarder(Holder *holder, Child *backend, GError **error)
{
	Own own = {holder->product, forward_run, "drover-forward"};
	Spawn how = {.body = be_own,
		.of = &own,
		.environment = child_environment(holder, backend->version, NULL),
		.fds = holder->listeners};
	how.environment =
		g_environ_setenv(how.environment, "DROVER_FORWARD_TO", backend->address, TRUE);
	Child *child = start(holder, CHILD_FORWARDER, &how, error);
	g_strfreev(how.environment);
	if (child == NULL)
		return NULL;
	child->backend = backend;
	child->version = g_strdup(backend->version);
	log_child(child, LOG_LEVEL_INFO, "hold.started", NULL);
	return child;
}

Child *child_adopt(Holder *holder, ChildKind kind, pid_t process, guint64 start_time)
{
	int pidfd = (int)syscall(SYS_pidfd_open, process, 0);
	if (pidfd < 0)
		return NULL;
	if (start_time == 0 || spawn_start_time(process) != start_time) {
		close(pidfd);
		return NULL;
	}
	Child *child = add_child(holder, kind, process, pidfd);
	child->stage = CHILD_READY;
	return child;
}
