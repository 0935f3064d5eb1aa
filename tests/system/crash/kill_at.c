/* SPDX-License-Identifier: ISC
 *
 * Preloaded into a program (LD_PRELOAD), ends it with SIGKILL at one of its calls that change what
 * lasts: those on files and folders, and those that send to a socket (mail server, database). From
 * docs/decisions: what has steps stores its state before the act, so the end of the process at any
 * instant loses nothing; tests/system/test_crash_run.py tries every instant.
 *
 *     KILL_AT=N       die at the Nth call, counted from 1
 *     KILL_WHEN=after just after it, else just before it; stop: do not die but stop (SIGSTOP)
 * before it KILL_BARRIER=READY,GO  first write a byte to the descriptor READY, then wait for the
 * end of GO KILL_TRACE=FILE add a line for each call: name, inode, path and (of a rename) second
 * path, by tabs
 */
/* Both names of a call are ours, where the compiler would make one of them. */
#undef _FILE_OFFSET_BITS
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long kill_at;
static int kill_after;
static int kill_signal = SIGKILL;
static int trace_fd = -1;
static atomic_long calls;

/* Several that wait here start at the same instant. */
static void wait_at_barrier(const char *barrier)
{
	int ready, go;
	char byte = '.';
	if (barrier == NULL || sscanf(barrier, "%d,%d", &ready, &go) != 2)
		return;
	syscall(SYS_write, ready, &byte, (size_t)1);
	while (read(go, &byte, 1) > 0)
		continue;
}

__attribute__((constructor)) static void read_environment(void)
{
	const char *at = getenv("KILL_AT"), *when = getenv("KILL_WHEN");
	const char *path = getenv("KILL_TRACE");
	kill_at = at != NULL ? strtol(at, NULL, 10) : 0;
	kill_after = when != NULL && strcmp(when, "after") == 0;
	if (when != NULL && strcmp(when, "stop") == 0)
		kill_signal = SIGSTOP;
	if (path != NULL)
		trace_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	wait_at_barrier(getenv("KILL_BARRIER"));
}

static void trace(const char *name, unsigned long inode, const char *path, const char *second)
{
	char line[4 * PATH_MAX + 100];
	if (trace_fd < 0)
		return;
	int size = snprintf(line, sizeof line, "%s\t%lu\t%s\t%s\t%d\n", name, inode, path, second,
		(int)getpid());
	syscall(SYS_write, trace_fd, line, (size_t)size);
}

/* Returns whether to die after the call. */
static int begin_call(void)
{
	long number = atomic_fetch_add(&calls, 1) + 1;
	if (number == kill_at && !kill_after)
		raise(kill_signal);
	return number == kill_at && kill_after;
}

static int begin_on_file(const char *name, int fd)
{
	char link[64], path[PATH_MAX] = "";
	struct stat status = {0};
	if (trace_fd >= 0) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		ssize_t size = readlink(link, path, sizeof path - 1);
		path[size > 0 ? size : 0] = '\0';
		fstat(fd, &status);
		trace(name, (unsigned long)status.st_ino, path, "");
	}
	return begin_call();
}

static int begin_on_path(const char *name, const char *path, const char *second)
{
	struct stat status = {0};
	if (trace_fd >= 0) {
		lstat(path, &status);
		trace(name, (unsigned long)status.st_ino, path, second);
	}
	return begin_call();
}

static long end_call(long result, int die)
{
	if (die)
		raise(SIGKILL);
	return result;
}

#define ON_FILE(type, name, fd, ...)                                                               \
	int die = begin_on_file(name, fd);                                                         \
	return (type)end_call(syscall(__VA_ARGS__), die)
#define ON_PATH(name, path, second, ...)                                                           \
	int die = begin_on_path(name, path, second);                                               \
	return (int)end_call(syscall(__VA_ARGS__), die)

ssize_t write(int fd, const void *bytes, size_t size)
{
	ON_FILE(ssize_t, "write", fd, SYS_write, fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	ON_FILE(ssize_t, "write", fd, SYS_writev, fd, parts, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	ON_FILE(ssize_t, "write", fd, SYS_pwrite64, fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
	ON_FILE(ssize_t, "write", fd, SYS_pwrite64, fd, bytes, size, at);
}

static int truncate_to(int fd, off_t size)
{
	ON_FILE(int, "truncate", fd, SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size)
{
	return truncate_to(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return truncate_to(fd, size);
}

static int sync_file(int fd, long number)
{
	ON_FILE(int, "sync", fd, number, fd);
}

int fsync(int fd)
{
	return sync_file(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return sync_file(fd, SYS_fdatasync);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	ON_FILE(ssize_t, "send", fd, SYS_sendto, fd, bytes, size, flags, NULL, 0);
}

ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address,
	socklen_t address_size)
{
	ON_FILE(ssize_t, "send", fd, SYS_sendto, fd, bytes, size, flags, address, address_size);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ON_FILE(ssize_t, "send", fd, SYS_sendmsg, fd, message, flags);
}

/* The path of what `path` names in `folder`, for the trace; `full` has room for twice a path. */
static const char *full_path(int folder, const char *path, char *full)
{
	char link[64] = "/proc/self/cwd", name[PATH_MAX] = "";
	if (trace_fd < 0 || path[0] == '/')
		return path;
	if (folder != AT_FDCWD)
		snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
	ssize_t length = readlink(link, name, sizeof name - 1);
	name[length > 0 ? length : 0] = '\0';
	snprintf(full, 2 * PATH_MAX, "%s/%s", name, path);
	return full;
}

int renameat2(int old_folder, const char *old, int new_folder, const char *new, unsigned int flags)
{
	char full_old[2 * PATH_MAX], full_new[2 * PATH_MAX];
	const char *name = flags & RENAME_EXCHANGE ? "exchange" : "rename";
	ON_PATH(name, full_path(old_folder, old, full_old), full_path(new_folder, new, full_new),
		SYS_renameat2, old_folder, old, new_folder, new, flags);
}

int renameat(int old_folder, const char *old, int new_folder, const char *new)
{
	return renameat2(old_folder, old, new_folder, new, 0);
}

int rename(const char *old, const char *new)
{
	return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
	char full[2 * PATH_MAX];
	const char *name = flags & AT_REMOVEDIR ? "rmdir" : "unlink";
	ON_PATH(name, full_path(folder, path, full), "", SYS_unlinkat, folder, path, flags);
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
	char full[2 * PATH_MAX];
	ON_PATH("mkdir", full_path(folder, path, full), "", SYS_mkdirat, folder, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int symlinkat(const char *target, int folder, const char *path)
{
	char full[2 * PATH_MAX];
	ON_PATH("symlink", full_path(folder, path, full), target, SYS_symlinkat, target, folder,
		path);
}

int symlink(const char *target, const char *path)
{
	return symlinkat(target, AT_FDCWD, path);
}

int syncfs(int fd)
{
	return sync_file(fd, SYS_syncfs);
}
