/* SPDX-License-Identifier: ISC
 *
 * The warden and the command, after fork(): from there on only what may be called in a process
 * whose other threads are gone, so no memory is asked for and nothing is formatted but by hand.
 *
 *     we ──fork──► warden ──fork──► namespaces, folder, log ──exec──► /bin/sh -c …
 *        ◄─words─         ◄─words─
 *        ──hold──►
 *
 * Both pipes close on exec. What dies leaves its children to the warden (it is their subreaper),
 * so when it has none left, nothing of the command is.
 */
#include "release/build/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ORPHAN_ROUNDS = 10000, LINE_BYTES = 64 };

static void say(int fd, WardenStep step, int number)
{
	WardenWord word = {step, number};
	while (write(fd, &word, sizeof word) < 0 && errno == EINTR)
		;
}

/* namespaces ----------------------------------------------------------------------------------- */

static gboolean write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return FALSE;
	gssize written = write(fd, text, strlen(text));
	int number = errno;
	close(fd);
	errno = number;
	return written == (gssize)strlen(text);
}

static char *put_number(char *end, guint number)
{
	do
		*--end = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return end;
}

/* "ID ID 1": we are who we are. */
static gboolean map_id(const char *path, guint id)
{
	char digits[16] = {0};
	char line[LINE_BYTES] = {0};
	const char *number = put_number(digits + sizeof digits - 1, id);
	memcpy(line, number, strlen(number));
	strncat(line, " ", sizeof line - strlen(line) - 1);
	strncat(line, number, sizeof line - strlen(line) - 1);
	strncat(line, " 1", sizeof line - strlen(line) - 1);
	return write_text(path, line);
}

static gboolean enter_namespaces(void)
{
	guint user = geteuid(), group = getegid();
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
	       write_text("/proc/self/setgroups", "deny") && map_id("/proc/self/uid_map", user) &&
	       map_id("/proc/self/gid_map", group);
}

/* Tests that talk to themselves may. */
static gboolean raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return FALSE;
	gboolean ok = ioctl(fd, SIOCGIFFLAGS, &request) == 0;
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
	ok = ok && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	int number = errno;
	close(fd);
	errno = number;
	return ok;
}

/* the command ---------------------------------------------------------------------------------- */

static void forget_signals(void)
{
	sigset_t none;
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static gboolean take_descriptors(int log_fd)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
	       dup2(log_fd, STDOUT_FILENO) >= 0 && dup2(log_fd, STDERR_FILENO) >= 0 &&
	       close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

G_GNUC_NORETURN static void become_command(const WardenTask *task, int words)
{
	WardenStep failed = WARDEN_EXEC;
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	umask(022);
	forget_signals();
	if (!task->with_network && !enter_namespaces())
		failed = WARDEN_NAMESPACE;
	else if (!task->with_network && !raise_loopback())
		failed = WARDEN_LOOPBACK;
	else if (chdir(task->folder) != 0)
		failed = WARDEN_FOLDER;
	else if (take_descriptors(task->log_fd))
		execve(task->arguments[0], task->arguments, task->environment);
	say(words, failed, errno);
	_exit(127);
}

/* the warden ----------------------------------------------------------------------------------- */

static void wait_for_end(int command_fd, int hold)
{
	struct pollfd watched[] = {
		{.fd = command_fd, .events = POLLIN}, {.fd = hold, .events = POLLIN}};
	while (poll(watched, G_N_ELEMENTS(watched), -1) < 0 && errno == EINTR)
		;
}

/* Kills our children of this moment; FALSE when there are none, or when nobody tells. */
static gboolean kill_children(void)
{
	char list[4096];
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	gssize size = fd < 0 ? 0 : read(fd, list, sizeof list - 1);
	if (fd >= 0)
		close(fd);
	int pid = 0;
	for (gssize i = 0; i < size; i++) {
		if (g_ascii_isdigit(list[i])) {
			pid = 10 * pid + (list[i] - '0');
			continue;
		}
		if (pid > 1)
			kill(pid, SIGKILL);
		pid = 0;
	}
	return size > 0;
}

/* A killed process leaves us its children, which are met in the next round. */
static void kill_rest(void)
{
	for (guint round = 0; round < ORPHAN_ROUNDS && kill_children(); round++)
		while (waitpid(-1, NULL, __WALL) < 0 && errno == EINTR)
			;
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
}

G_GNUC_NORETURN static void keep(const WardenTask *task, int hold, int words)
{
	int status = 0;
	/* Not of our terminal: what ends the program there ends the command through `hold`. */
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t command = fork();
	if (command == 0)
		become_command(task, words);
	int command_fd = command > 0 ? pidfd_open(command, 0) : -1;
	if (command_fd < 0) {
		say(words, WARDEN_FORK, errno);
		_exit(1);
	}
	wait_for_end(command_fd, hold);
	kill(-command, SIGKILL);
	while (waitpid(command, &status, 0) < 0 && errno == EINTR)
		;
	kill_rest();
	say(words, WARDEN_ENDED, status);
	_exit(0);
}

/* ours ----------------------------------------------------------------------------------------- */

gboolean warden_start(const WardenTask *task, Warden *warden)
{
	int hold[2], words[2];
	if (pipe2(hold, O_CLOEXEC) != 0)
		return FALSE;
	if (pipe2(words, O_CLOEXEC) != 0) {
		close(hold[0]);
		close(hold[1]);
		return FALSE;
	}
	warden->pid = fork();
	if (warden->pid == 0) {
		close(hold[1]);
		close(words[0]);
		keep(task, hold[0], words[1]);
	}
	int number = errno;
	close(hold[0]);
	close(words[1]);
	warden->hold = hold[1];
	warden->words = words[0];
	errno = number;
	if (warden->pid > 0)
		return TRUE;
	close(warden->hold);
	close(warden->words);
	return FALSE;
}

gboolean warden_wait(Warden *warden, int timeout_ms, WardenWord *word)
{
	struct pollfd watched = {.fd = warden->words, .events = POLLIN};
	if (poll(&watched, 1, timeout_ms) <= 0)
		return FALSE;
	/* The first word counts: what failed before the command began is followed by its end. */
	if (read(warden->words, word, sizeof *word) != (gssize)sizeof *word)
		*word = (WardenWord){WARDEN_GONE, 0};
	return TRUE;
}

void warden_end(Warden *warden)
{
	close(warden->hold);
	while (waitpid(warden->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(warden->words);
}
