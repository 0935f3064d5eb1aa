/* SPDX-License-Identifier: ISC
 *
 * The process that runs commands. It trusts nobody: not the commands, and not who asks, for that
 * one talks to the network. So it is as small as can be, waits nowhere but in poll(), and holds a
 * place for each command from its start until its answer has been sent and its process is gone.
 *
 *     free -> running -> told -> free
 *
 * A place is *told* when its answer stands ready or is sent. The leader of a killed group may take
 * its time to die (a hanging disk), and the one who asked hears of the timeout all the same.
 *
 * The helper adopts what its commands leave behind (PR_SET_CHILD_SUBREAPER). A group is killed
 * before its leader is reaped, for until then nobody else can have its number. What has left its
 * group is killed when no command runs, and at the end.
 */
#include "balance/monitor/runner_helper.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "balance/monitor/runner_protocol.h"
#include "base/clock.h"

#define SOCKET_FD	 3 /* the helper's end of the pair, after it has tidied up */
#define FIRST_OTHER	 4
#define MAXIMUM_READS	 16 /* of 4 KiB of one command's output in a turn */
#define ROUNDS_OF_STRAYS 8

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};

typedef struct Place {
	gboolean used;
	gboolean told, sent;
	pid_t leader; /* 0: reaped, or never was */
	gint64 deadline_ms;
	int output_fd;	/* of both streams; -1: closed */
	int failure_fd; /* says the errno of an exec that failed; -1: closed */
	RunnerAnswer answer;
} Place;

typedef struct Helper {
	int signals_fd;
	sigset_t outer_signals; /* as a command shall have them */
	Place places[RUNNER_MAXIMUM_COMMANDS];
	guint8 request[RUNNER_MAXIMUM_REQUEST_BYTES];
} Helper;

/* Privileges */

static gboolean become(uid_t user, gid_t group)
{
	if (user == (uid_t)-1 && group == (gid_t)-1)
		return TRUE;
	return setgroups(0, NULL) == 0 && setresgid(group, group, group) == 0 &&
	       setresuid(user, user, user) == 0;
}

static const char *drop_privileges(uid_t user, gid_t group)
{
	capng_clear(CAPNG_SELECT_ALL);
	/* Only who has CAP_SETPCAP can empty the bounding set. For the others no_new_privs, below,
	 * sees to it that what is in it cannot be had. */
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
	if (!become(user, group))
		return "it cannot become the user that commands run as";
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return "it cannot drop its capabilities";
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return "it cannot drop its ambient capabilities";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return "it cannot renounce new privileges";
	return NULL;
}

static const char *tidy_descriptors(int *socket)
{
	int null_fd = open("/dev/null", O_RDWR);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
		return "it cannot open /dev/null";
	if (*socket != SOCKET_FD && dup2(*socket, SOCKET_FD) < 0)
		return "it cannot move its socket";
	*socket = SOCKET_FD;
	fcntl(SOCKET_FD, F_SETFD, FD_CLOEXEC);
	fcntl(SOCKET_FD, F_SETFL, O_NONBLOCK);
	return close_range(FIRST_OTHER, ~0U, 0) == 0 ? NULL : "it cannot close descriptors";
}

static const char *prepare(Helper *helper, int *socket, uid_t user, gid_t group)
{
	const char *trouble = tidy_descriptors(socket);
	if (trouble == NULL)
		trouble = drop_privileges(user, group);
	if (trouble != NULL)
		return trouble;
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	umask(022);
	prctl(PR_SET_NAME, "drover-commands");
	prctl(PR_SET_DUMPABLE, 0);
	/* A stop of the service signals all its processes; this one goes when the first has gone.
	 */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigset_t children;
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigemptyset(&helper->outer_signals);
	sigprocmask(SIG_SETMASK, &children, NULL);
	helper->signals_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	if (helper->signals_fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return "it cannot look after processes";
	return chdir("/") == 0 ? NULL : "it cannot go to /";
}

/* Starting */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* In the new process. */
static void G_GNUC_NORETURN become_command(
	const Helper *helper, char **argv, int output_fd, int failure_fd)
{
	setsid();
	/* Also those that somebody had us ignore: nohup does. */
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigprocmask(SIG_SETMASK, &helper->outer_signals, NULL);
	/* All else is closed by exec. */
	if (dup2(output_fd, STDOUT_FILENO) >= 0 && dup2(output_fd, STDERR_FILENO) >= 0)
		execve(argv[0], argv, (char **)(guintptr)environment);
	int number = errno;
	if (write(failure_fd, &number, sizeof number) != sizeof number)
		_exit(126);
	_exit(127);
}

static void tell(Place *place, RunnerEnd end, int number)
{
	place->told = TRUE;
	place->answer.end = end;
	place->answer.number = number;
}

static void begin(Helper *helper, Place *place, const RunnerRequest *request)
{
	int output[2] = {-1, -1}, failure[2] = {-1, -1};
	*place = (Place){.used = TRUE, .output_fd = -1, .failure_fd = -1};
	place->answer.id = request->id;
	place->deadline_ms = clock_monotonic_ms() + MIN(request->timeout_ms, G_MAXINT32);
	gboolean ok = pipe2(output, O_CLOEXEC) == 0 && pipe2(failure, O_CLOEXEC) == 0;
	pid_t child = ok ? fork() : -1;
	if (child == 0)
		become_command(helper, request->argv, output[1], failure[1]);
	if (child < 0) {
		tell(place, RUNNER_FAILED, errno);
		close_fd(&output[0]);
		close_fd(&failure[0]);
	} else {
		place->leader = child;
		place->output_fd = output[0];
		place->failure_fd = failure[0];
		/* Only our ends: the command's shall not notice. */
		fcntl(output[0], F_SETFL, O_NONBLOCK);
		fcntl(failure[0], F_SETFL, O_NONBLOCK);
	}
	close_fd(&output[1]);
	close_fd(&failure[1]);
}

/* Output: its end is kept. */

static void keep_output(RunnerAnswer *answer, const char *bytes, gsize size_bytes)
{
	gsize room = RUNNER_MAXIMUM_OUTPUT_BYTES;
	gsize fresh = MIN(size_bytes, room);
	gsize kept = MIN(answer->output_bytes, room - fresh);
	memmove(answer->output, answer->output + answer->output_bytes - kept, kept);
	memcpy(answer->output + kept, bytes + size_bytes - fresh, fresh);
	answer->output_bytes = kept + fresh;
}

static void read_output(Place *place)
{
	char bytes[4096];
	for (int i = 0; i < MAXIMUM_READS && place->output_fd >= 0; i++) {
		ssize_t got = read(place->output_fd, bytes, sizeof bytes);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got > 0 && !place->told)
			keep_output(&place->answer, bytes, (gsize)got);
		if (got <= 0)
			close_fd(&place->output_fd);
	}
}

/* Ending */

static void kill_group(const Place *place)
{
	if (place->leader <= 0)
		return;
	kill(-place->leader, SIGKILL);
	kill(place->leader, SIGKILL); /* before its setsid() it has no group of its own yet */
}

static void take_end(Place *place, int status)
{
	int number = 0;
	place->leader = 0;
	read_output(place);
	gboolean no_exec = read(place->failure_fd, &number, sizeof number) == sizeof number;
	close_fd(&place->output_fd);
	close_fd(&place->failure_fd);
	if (place->told)
		return;
	if (no_exec)
		tell(place, RUNNER_FAILED, number);
	else if (WIFSIGNALED(status))
		tell(place, RUNNER_SIGNALLED, WTERMSIG(status));
	else
		tell(place, RUNNER_EXITED, WEXITSTATUS(status));
}

static Place *find_leader(Helper *helper, pid_t process)
{
	for (gsize i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++)
		if (helper->places[i].used && helper->places[i].leader == process)
			return &helper->places[i];
	return NULL;
}

static void reap(Helper *helper)
{
	struct signalfd_siginfo news[16];
	while (read(helper->signals_fd, news, sizeof news) > 0)
		;
	siginfo_t dead = {0};
	while (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) == 0 && dead.si_pid != 0) {
		int status = 0;
		Place *place = find_leader(helper, dead.si_pid);
		if (place != NULL)
			kill_group(place);
		if (waitpid(dead.si_pid, &status, 0) == dead.si_pid && place != NULL)
			take_end(place, status);
		dead = (siginfo_t){0};
	}
}

static void drop(Helper *helper, guint32 id)
{
	for (gsize i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++) {
		Place *place = &helper->places[i];
		if (!place->used || place->told || place->answer.id != id)
			continue;
		read_output(place);
		kill_group(place);
		tell(place, RUNNER_SIGNALLED, SIGKILL);
	}
}

static void end_late(Helper *helper, gint64 now_ms)
{
	for (gsize i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++) {
		Place *place = &helper->places[i];
		if (!place->used || place->told || place->deadline_ms > now_ms)
			continue;
		read_output(place);
		kill_group(place);
		tell(place, RUNNER_TIMED_OUT, 0);
	}
}

static gboolean is_idle(const Helper *helper)
{
	for (gsize i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++)
		if (helper->places[i].used)
			return FALSE;
	return TRUE;
}

/* While no command runs, every child is what a command left behind. A stray may have children, who
 * become ours when it is gone. */
static void kill_strays(Helper *helper)
{
	for (int round = 0; round < ROUNDS_OF_STRAYS; round++) {
		char line[4096];
		int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
		ssize_t got = fd >= 0 ? read(fd, line, sizeof line - 1) : 0;
		close_fd(&fd);
		if (got <= 0)
			return;
		line[got] = '\0';
		for (char *at = line, *end = NULL;; at = end) {
			long process = strtol(at, &end, 10);
			if (end == at || process <= 0)
				break;
			kill((pid_t)process, SIGKILL);
			/* Gone in no time, or stuck in a call to a device: that is waited for
			 * no longer than this. */
			for (int wait_ms = 0; wait_ms < 20; wait_ms++) {
				if (waitpid((pid_t)process, NULL, WNOHANG) != 0)
					break;
				usleep(1000);
			}
		}
	}
}

static void G_GNUC_NORETURN end(Helper *helper)
{
	for (gsize i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++)
		if (helper->places[i].used)
			kill_group(&helper->places[i]);
	kill_strays(helper);
	_exit(0);
}

/* Talking */

static void take_request(Helper *helper, const RunnerRequest *request)
{
	if (request->wish == RUNNER_WISH_DROP) {
		drop(helper, request->id);
		return;
	}
	for (gsize i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++) {
		if (helper->places[i].used)
			continue;
		begin(helper, &helper->places[i], request);
		return;
	}
	/* Killed commands that will not die hold all places. */
	RunnerAnswer full = {.id = request->id, .end = RUNNER_FAILED, .number = EAGAIN};
	guint8 bytes[RUNNER_MAXIMUM_ANSWER_BYTES];
	if (send(SOCKET_FD, bytes, runner_answer_encode(&full, bytes), MSG_NOSIGNAL) < 0)
		end(helper); /* nobody would ever hear of it */
}

static void listen_to_runner(Helper *helper)
{
	for (int i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++) {
		ssize_t got = recv(SOCKET_FD, helper->request, sizeof helper->request, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		RunnerRequest request;
		if (got <= 0 || !runner_request_decode(helper->request, (gsize)got, &request))
			end(helper);
		take_request(helper, &request);
		runner_request_clear(&request);
	}
}

/* FALSE: the socket is full. */
static gboolean send_answer(Helper *helper, Place *place)
{
	guint8 bytes[RUNNER_MAXIMUM_ANSWER_BYTES];
	gsize size_bytes = runner_answer_encode(&place->answer, bytes);
	ssize_t sent = send(SOCKET_FD, bytes, size_bytes, MSG_NOSIGNAL);
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return FALSE;
	if (sent < 0)
		end(helper);
	place->sent = TRUE;
	return TRUE;
}

/* FALSE: there are answers that wait for room. */
static gboolean send_answers(Helper *helper)
{
	gboolean room = TRUE, freed = FALSE;
	for (gsize i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++) {
		Place *place = &helper->places[i];
		if (room && place->used && place->told && !place->sent)
			room = send_answer(helper, place);
		if (place->used && place->sent && place->leader == 0) {
			place->used = FALSE;
			freed = TRUE;
		}
	}
	if (freed && is_idle(helper))
		kill_strays(helper);
	return room;
}

static int patience_ms(const Helper *helper, gint64 now_ms)
{
	gint64 next_ms = G_MAXINT64;
	for (gsize i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++)
		if (helper->places[i].used && !helper->places[i].told)
			next_ms = MIN(next_ms, helper->places[i].deadline_ms);
	return next_ms == G_MAXINT64 ? -1 : (int)CLAMP(next_ms - now_ms, 0, G_MAXINT);
}

static void turn(Helper *helper)
{
	struct pollfd wait[2 + RUNNER_MAXIMUM_COMMANDS];
	Place *of[2 + RUNNER_MAXIMUM_COMMANDS];
	gboolean room = send_answers(helper);
	nfds_t count = 2;
	wait[0] = (struct pollfd){SOCKET_FD, (short)(room ? POLLIN : POLLIN | POLLOUT), 0};
	wait[1] = (struct pollfd){helper->signals_fd, POLLIN, 0};
	for (gsize i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++) {
		Place *place = &helper->places[i];
		if (!place->used || place->output_fd < 0)
			continue;
		of[count] = place;
		wait[count++] = (struct pollfd){place->output_fd, POLLIN, 0};
	}
	if (poll(wait, count, patience_ms(helper, clock_monotonic_ms())) < 0 && errno != EINTR)
		end(helper);
	for (nfds_t i = 2; i < count; i++)
		if (wait[i].revents != 0)
			read_output(of[i]);
	if (wait[1].revents != 0)
		reap(helper);
	end_late(helper, clock_monotonic_ms());
	if (wait[0].revents & ~POLLOUT)
		listen_to_runner(helper);
}

void runner_helper_live(int socket, uid_t user, gid_t group)
{
	Helper *helper = g_new0(Helper, 1);
	const char *trouble = prepare(helper, &socket, user, group);
	const char *word = trouble != NULL ? trouble : RUNNER_READY;
	if (send(socket, word, strlen(word), MSG_NOSIGNAL) < 0 || trouble != NULL)
		_exit(1);
	for (;;)
		turn(helper);
}
