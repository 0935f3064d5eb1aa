/* SPDX-License-Identifier: ISC
 *
 * fork(2) and what stands between it and the program. Everything that can fail and be said well is
 * looked up before.
 */
#include "node/hold/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "node/hold/listen.h"

#define MAXIMUM_GROUPS	   256
#define MAXIMUM_STAT_BYTES 4096
#define KILLED_MS	   5000 /* for a process that was killed to be gone */

extern char **environ;

typedef struct Identity {
	gboolean is_set;
	uid_t user;
	gid_t group, groups[MAXIMUM_GROUPS];
	int group_count;
	const char *home, *name;
} Identity;

static gboolean find_group(const char *name, gid_t *group, GError **error)
{
	const struct group *found = getgrnam(name);
	if (found != NULL) {
		*group = found->gr_gid;
		return TRUE;
	}
	drover_error_set(error, DROVER_ERROR_INPUT, "there is no group '%s' on this host", name);
	return FALSE;
}

static gboolean find_identity(
	const char *user, const char *group, Identity *identity, GError **error)
{
	*identity = (Identity){.user = geteuid(), .group = getegid()};
	if (user == NULL && group == NULL)
		return TRUE;
	const struct passwd *found = user != NULL ? getpwnam(user) : getpwuid(geteuid());
	if (found == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT, "there is no user '%s' on this host",
			user != NULL ? user : "of this process");
		return FALSE;
	}
	identity->user = found->pw_uid;
	identity->group = found->pw_gid;
	identity->home = found->pw_dir;
	identity->name = found->pw_name;
	if (group != NULL && !find_group(group, &identity->group, error))
		return FALSE;
	identity->is_set = identity->user != geteuid() || identity->group != getegid();
	if (identity->is_set && geteuid() != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"only root can start a service as user '%s'; this holder runs as user %u",
			identity->name, geteuid());
		return FALSE;
	}
	identity->group_count = MAXIMUM_GROUPS;
	if (getgrouplist(
		    identity->name, identity->group, identity->groups, &identity->group_count) < 0)
		identity->group_count = MAXIMUM_GROUPS;
	return TRUE;
}

static gboolean become(const Identity *identity)
{
	return !identity->is_set ||
	       (setgroups((gsize)identity->group_count, identity->groups) == 0 &&
		       setresgid(identity->group, identity->group, identity->group) == 0 &&
		       setresuid(identity->user, identity->user, identity->user) == 0);
}

/* Lent sockets stand from LISTEN_FIRST_FD on, in their order, and nothing else is open. */
static gboolean put_descriptors(const GArray *fds)
{
	guint count = fds != NULL ? fds->len : 0;
	int above = LISTEN_FIRST_FD + (int)count, empty = open("/dev/null", O_RDONLY);
	if (empty < 0 || dup2(empty, STDIN_FILENO) < 0)
		return FALSE;
	for (guint i = 0; i < count; i++) {
		int *fd = &g_array_index(fds, int, i);
		*fd = fcntl(*fd, F_DUPFD, above);
		if (*fd < 0)
			return FALSE;
	}
	for (guint i = 0; i < count; i++)
		if (dup2(g_array_index(fds, int, i), LISTEN_FIRST_FD + (int)i) < 0)
			return FALSE;
	return syscall(SYS_close_range, above, ~0U, 0) == 0 || errno == ENOSYS;
}

static gboolean put_output(int fd)
{
	return fd <= 0 || (dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0);
}

static void forget_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static G_GNUC_NORETURN void be_child(
	const Spawn *how, const Identity *identity, char *listen_pid, gsize size_bytes)
{
	setsid();
	forget_signals();
	g_snprintf(listen_pid, size_bytes, "LISTEN_PID=%d", (int)getpid());
	environ = how->environment;
	if (put_output(how->output) && put_descriptors(how->fds) &&
		chdir(how->folder != NULL ? how->folder : "/") == 0 && become(identity)) {
		if (how->argv == NULL)
			_exit(how->body(how->of));
		execvp(how->argv[0], how->argv);
	}
	fprintf(stderr, "drover-node: cannot start %s: %s\n",
		how->argv != NULL ? how->argv[0] : "a process of its own", g_strerror(errno));
	_exit(127);
}

pid_t spawn_start(const Spawn *how, int *pidfd_out, GError **error)
{
	Identity identity;
	if (!find_identity(how->user, how->group, &identity, error))
		return -1;
	g_auto(GStrv) environment = g_strdupv(how->environment);
	if (identity.name != NULL) {
		environment = g_environ_setenv(environment, "HOME", identity.home, TRUE);
		environment = g_environ_setenv(environment, "USER", identity.name, TRUE);
		environment = g_environ_setenv(environment, "LOGNAME", identity.name, TRUE);
	}
	/* Its number is known in the child only: room for it is made here. */
	char listen_pid[64] = "LISTEN_PID=";
	guint count = g_strv_length(environment);
	g_autofree char **with_pid = g_new0(char *, count + 2);
	memcpy(with_pid, environment, count * sizeof *with_pid);
	with_pid[count] = how->fds != NULL ? listen_pid : NULL;
	Spawn child = *how;
	child.environment = with_pid;
	pid_t process = fork();
	if (process == 0)
		be_child(&child, &identity, listen_pid, sizeof listen_pid);
	if (process > 0) {
		*pidfd_out = (int)syscall(SYS_pidfd_open, process, 0);
		if (*pidfd_out >= 0)
			return process;
		kill(process, SIGKILL);
		waitpid(process, NULL, 0);
	}
	drover_error_set(
		error, DROVER_ERROR_INTERNAL, "cannot start a process: %s", g_strerror(errno));
	return -1;
}

char *spawn_collect(pid_t process, int pidfd)
{
	siginfo_t how = {0};
	/* Before its number is free: the group may have outlived it, with our sockets. */
	kill(-process, SIGKILL);
	if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &how, WEXITED) != 0)
		return g_strdup("ended"); /* not our child: begun under a holder before this */
	if (how.si_code == CLD_EXITED)
		return g_strdup_printf("ended with status %d", how.si_status);
	return g_strdup_printf(
		"was killed by signal %d (%s)", how.si_status, g_strsignal(how.si_status));
}

static void send_all(const GArray *pidfds, int number)
{
	for (guint i = 0; i < pidfds->len; i++)
		syscall(SYS_pidfd_send_signal, g_array_index(pidfds, int, i), number, NULL, 0);
}

static void wait_all(const GArray *pidfds, gint64 until_ms)
{
	for (guint i = 0; i < pidfds->len; i++) {
		struct pollfd ends = {.fd = g_array_index(pidfds, int, i), .events = POLLIN};
		gint64 left_ms = until_ms - clock_monotonic_ms();
		poll(&ends, 1, (int)CLAMP(left_ms, 0, G_MAXINT));
	}
}

void spawn_end_all(const GArray *pidfds, gint64 limit_s)
{
	send_all(pidfds, SIGTERM);
	wait_all(pidfds, clock_monotonic_ms() + limit_s * 1000);
	send_all(pidfds, SIGKILL);
	wait_all(pidfds, clock_monotonic_ms() + KILLED_MS);
}

guint64 spawn_start_time(pid_t process)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)process), *text = NULL;
	text = file_read(path, MAXIMUM_STAT_BYTES, NULL, NULL);
	/* The name, in parentheses, may hold anything. Field 22 is the twentieth after it. */
	const char *at = text != NULL ? strrchr(text, ')') : NULL;
	g_auto(GStrv) fields = at != NULL ? g_strsplit(at + 1, " ", -1) : NULL;
	if (fields == NULL || g_strv_length(fields) < 21)
		return 0;
	return g_ascii_strtoull(fields[20], NULL, 10);
}

gboolean spawn_become(const char *user, const char *group, GError **error)
{
	Identity identity;
	gboolean is_root = geteuid() == 0;
	if (!find_identity(user == NULL && group == NULL && is_root ? "nobody" : user, group,
		    &identity, error))
		return FALSE;
	if (become(&identity) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot become user '%s': %s", identity.name,
		g_strerror(errno));
	return FALSE;
}

void spawn_raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int spawn_signals(const int *numbers, GError **error)
{
	sigset_t set;
	sigemptyset(&set);
	for (const int *number = numbers; *number != 0; number++)
		sigaddset(&set, *number);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot wait for signals: %s",
			g_strerror(errno));
	return fd;
}

int spawn_signalled(int fd)
{
	struct signalfd_siginfo signalled;
	if (read(fd, &signalled, sizeof signalled) != sizeof signalled)
		return 0;
	return (int)signalled.ssi_signo;
}
