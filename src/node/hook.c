/* SPDX-License-Identifier: ISC
 *
 * Commands of the configuration: hooks, restarts, and questions for health. Each is a process group
 * of its own, so that nothing of one that hangs is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "node/hook.h"

enum { SHOWN_BYTES = 1000, SHOWN_LINES = 5 };

static void own_group(gpointer unused)
{
	setsid();
}

static char **environment_of(const NodeProduct *product, const char *version, const char *previous)
{
	/* What systemd says to us is not said to those. */
	static const char *const ours[] = {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_FDNAMES",
		"LISTEN_PID", "WATCHDOG_USEC", "WATCHDOG_PID"};
	char **environment = g_get_environ();
	for (gsize i = 0; i < G_N_ELEMENTS(ours); i++)
		environment = g_environ_unsetenv(environment, ours[i]);
	const char *const pairs[][2] = {{"DROVER_PRODUCT", product->name},
		{"DROVER_PREFIX", product->prefix}, {"DROVER_VERSION", version},
		{"DROVER_PREVIOUS", previous}};
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
		environment = g_environ_setenv(
			environment, pairs[i][0], pairs[i][1] != NULL ? pairs[i][1] : "", TRUE);
	return environment;
}

/* Where what it says goes; -1. */
static int open_log(const NodeProduct *product, const char *what, GError **error)
{
	g_autofree char *path = g_strdup_printf("%s/shared/log/%s.log", product->prefix, what);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write %s: %s", path,
			g_strerror(errno));
	return fd;
}

/* The last lines of the log, one after the other. */
static char *last_lines(int log)
{
	char text[SHOWN_BYTES + 1];
	struct stat status;
	gint64 from = fstat(log, &status) == 0 ? MAX(0, status.st_size - SHOWN_BYTES) : 0;
	gssize got = pread(log, text, SHOWN_BYTES, from);
	text[MAX(got, 0)] = '\0';
	g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
	guint count = g_strv_length(lines);
	return g_strjoinv(" | ", lines + (count > SHOWN_LINES ? count - SHOWN_LINES : 0));
}

/* FALSE when the time is over. */
static gboolean wait_for(GPid pid, gint64 timeout_ms)
{
	gint64 deadline = clock_monotonic_ms() + timeout_ms;
	int fd = pidfd_open(pid, 0);
	struct pollfd ends = {.fd = fd, .events = POLLIN};
	int ready = 0;
	do {
		gint64 left = deadline - clock_monotonic_ms();
		ready = left > 0 ? poll(&ends, 1, (int)MIN(left, G_MAXINT)) : 0;
		if (ready == 0)
			break;
	} while (ready < 0 && errno == EINTR);
	if (fd >= 0)
		close(fd);
	return ready > 0;
}

static gboolean refuse(const char *what, const char *how, int log, GError **error)
{
	g_autofree char *said = last_lines(log);
	drover_error_set(error, DROVER_ERROR_CONFLICT, "%s %s%s%s", what, how,
		*said != '\0' ? ": " : ", and said nothing", said);
	return FALSE;
}

static gboolean finish(const char *what, GPid pid, gint64 timeout_ms, int log, GError **error)
{
	int status = 0;
	gboolean in_time = wait_for(pid, timeout_ms);
	if (!in_time)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	g_spawn_close_pid(pid);
	g_autofree char *how = NULL;
	if (!in_time)
		how = g_strdup_printf("was killed after %.3g s", (double)timeout_ms / 1000);
	else if (WIFSIGNALED(status))
		how = g_strdup_printf("was ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		how = g_strdup_printf("failed with exit status %d", WEXITSTATUS(status));
	return how == NULL || refuse(what, how, log, error);
}

gboolean hook_run(const NodeProduct *product, const char *what, const char *const *command,
	const char *version, const char *previous, gint64 timeout_ms, GError **error)
{
	GPid pid;
	g_autoptr(GError) fault = NULL;
	g_autofree char *folder =
		version != NULL ? g_strdup_printf("%s/releases/%s", product->prefix, version)
				: g_strdup(product->prefix);
	int log = open_log(product, what, error);
	if (log < 0)
		return FALSE;
	g_auto(GStrv) environment = environment_of(product, version, previous);
	gboolean started = g_spawn_async_with_fds(folder, (char **)command, environment,
		G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, own_group, NULL, &pid, -1, log,
		log, &fault);
	gboolean ok = started && finish(what, pid, timeout_ms, log, error);
	if (!started)
		drover_error_set(error, DROVER_ERROR_CONFLICT, "%s cannot be started: %s", what,
			fault->message);
	close(log);
	return ok;
}

gboolean node_hook(const NodeProduct *product, const char *what, const char *command,
	const char *version, const char *previous, gint64 timeout_s, GError **error)
{
	const char *const shell[] = {"/bin/sh", "-c", command, NULL};
	return hook_run(product, what, shell, version, previous, timeout_s * 1000, error);
}
