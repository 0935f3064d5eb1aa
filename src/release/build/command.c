/* SPDX-License-Identifier: ISC
 *
 * Running a command of a recipe: what it sees, how long it may take, and what is said of it when it
 * fails.
 */
#include "release/build/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/format.h"
#include "release/build/warden.h"

enum { TICK_MS = 200 };

static char **environment_of(const CommandWish *wish)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autofree char *home = g_strconcat("HOME=", wish->home, NULL);
	g_autofree char *product = g_strconcat("DROVER_PRODUCT=", wish->product, NULL);
	g_autofree char *version = g_strconcat("DROVER_VERSION=", wish->version, NULL);
	g_autofree char *epoch =
		g_strdup_printf("SOURCE_DATE_EPOCH=%" G_GINT64_FORMAT, wish->time_s);
	g_strv_builder_add_many(builder,
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LC_ALL=C.UTF-8", "TZ=UTC", home, product, version, epoch, NULL);
	return g_strv_builder_end(builder);
}

/* what went wrong ------------------------------------------------------------------------------ */

/* The log's last lines, each after a newline; "" when there are none. Caller frees. */
static char *last_lines(int log_fd)
{
	char tail[COMMAND_LAST_BYTES + 1];
	gint64 size = lseek(log_fd, 0, SEEK_END);
	gint64 from = MAX(size - COMMAND_LAST_BYTES, 0);
	gssize got = pread(log_fd, tail, COMMAND_LAST_BYTES, from);
	g_autoptr(GString) text = g_string_new(NULL);
	if (got <= 0)
		return g_strdup("");
	for (gssize i = 0; i < got; i++)
		if (tail[i] == '\0')
			tail[i] = '?';
	tail[got] = '\0';
	g_strchomp(tail);
	g_auto(GStrv) lines = g_strsplit(tail, "\n", -1);
	guint count = g_strv_length(lines);
	for (guint i = count > COMMAND_LAST_LINES ? count - COMMAND_LAST_LINES : 0; i < count; i++)
		g_string_append_printf(text, "\n  %s", lines[i]);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean refuse(const CommandWish *wish, int log_fd, const char *how, GError **error)
{
	g_autofree char *lines = last_lines(log_fd);
	drover_error_set(error, DROVER_ERROR_INPUT, "%s of %s %s %s; its words are in %s%s%s",
		wish->what, wish->product, wish->version, how, wish->log,
		*lines != '\0' ? ", the last ones:" : ", which is empty", lines);
	return FALSE;
}

static gboolean refuse_namespaces(int number, GError **error)
{
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
		"cannot run commands without network here: no user and network namespaces (%s). "
		"Let "
		"them be made (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
		"kernel.apparmor_restrict_unprivileged_userns; in a container its seccomp "
		"profile), "
		"build on another host, or allow the network with --with-network",
		g_strerror(number));
	return FALSE;
}

static gboolean judge_status(const CommandWish *wish, int log_fd, int status, GError **error)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return TRUE;
	g_autofree char *how =
		WIFEXITED(status)
			? g_strdup_printf("failed with exit status %d", WEXITSTATUS(status))
			: g_strdup_printf("was ended by signal %d (%s)", WTERMSIG(status),
				  strsignal(WTERMSIG(status)));
	return refuse(wish, log_fd, how, error);
}

static gboolean judge(const CommandWish *wish, int log_fd, const WardenWord *word, GError **error)
{
	switch (word->step) {
	case WARDEN_ENDED:
		return judge_status(wish, log_fd, word->number, error);
	case WARDEN_NAMESPACE:
	case WARDEN_LOOPBACK:
		return refuse_namespaces(word->number, error);
	case WARDEN_FOLDER:
	case WARDEN_FORK:
	case WARDEN_EXEC:
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot run %s in %s: %s",
			wish->what, wish->folder, g_strerror(word->number));
		return FALSE;
	case WARDEN_GONE:
		break;
	}
	drover_error_set(error, DROVER_ERROR_INTERNAL,
		"what watched over %s was killed: how it ended is not known", wish->what);
	return FALSE;
}

/* the run -------------------------------------------------------------------------------------- */

static gint64 size_of(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 ? status.st_size : 0;
}

/* Waits for the end, or says why the command must not go on. */
static gboolean watch(const CommandWish *wish, Warden *warden, int log_fd, GError **error)
{
	gint64 until_ms = clock_monotonic_ms() + wish->timeout_s * 1000;
	WardenWord word;
	while (!warden_wait(warden, TICK_MS, &word)) {
		gint64 size = size_of(log_fd);
		if (wish->alive != NULL)
			wish->alive(size, wish->of);
		if (size > COMMAND_MAXIMUM_LOG_BYTES)
			return refuse(
				wish, log_fd, "was ended: it said more than a log may hold", error);
		if (clock_monotonic_ms() < until_ms)
			continue;
		g_autofree char *time = format_duration(wish->timeout_s);
		g_autofree char *how =
			g_strdup_printf("was ended after %s, the timeout in its recipe", time);
		return refuse(wish, log_fd, how, error);
	}
	return judge(wish, log_fd, &word, error);
}

static gboolean run(const CommandWish *wish, int log_fd, GError **error)
{
	g_auto(GStrv) environment = environment_of(wish);
	g_autofree char *command = g_strdup(wish->command);
	char shell[] = "/bin/sh", option[] = "-c";
	char *const arguments[] = {shell, option, command, NULL};
	WardenTask task = {arguments, environment, wish->folder, log_fd, wish->with_network};
	Warden warden;
	if (!warden_start(&task, &warden)) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot begin %s: %s", wish->what,
			g_strerror(errno));
		return FALSE;
	}
	gboolean ok = watch(wish, &warden, log_fd, error);
	warden_end(&warden);
	return ok;
}

gboolean command_run(const CommandWish *wish, GError **error)
{
	int log_fd = open(
		wish->log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (log_fd < 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write %s: %s", wish->log,
			g_strerror(errno));
		return FALSE;
	}
	gboolean ok = run(wish, log_fd, error);
	close(log_fd);
	return ok;
}
