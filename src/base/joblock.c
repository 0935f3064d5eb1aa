/* SPDX-License-Identifier: ISC
 *
 * A lock on a file that names its holder. It is an "open file description" lock (fcntl(2)): like
 * flock(2) it goes with the file descriptor and so with the process, and unlike flock(2) it can be
 * asked for without being taken, so that listing never stands in a taker's way.
 *
 * The kernel's lock is the only truth about whether the job is at work; the file's text (host, pid,
 * since when) is read for messages. The file stays when the lock is released: removing it would let
 * two processes lock two files of the same name.
 */
#include "base/joblock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/format.h"

/* A holder that has not written its name yet is about to: we look again before we say so. */
enum { HOLDER_MAXIMUM_BYTES = 1024, UNNAMED_LOOKS = 50, UNNAMED_LOOK_US = 10 * 1000 };

struct JobLock {
	int fd;
};

JobHolder *job_holder_new(const char *job, const char *host, gint64 pid, gint64 since_us)
{
	JobHolder *holder = g_new(JobHolder, 1);
	*holder = (JobHolder){g_strdup(job), g_strdup(host), pid, since_us};
	return holder;
}

void job_holder_free(JobHolder *holder)
{
	if (holder == NULL)
		return;
	g_free(holder->job);
	g_free(holder->host);
	g_free(holder);
}

char *job_holder_describe(const JobHolder *holder, gint64 now_us)
{
	if (holder->pid == 0)
		return g_strdup_printf(
			"%s is at work (its holder has not written its name yet)", holder->job);
	g_autofree char *age = format_duration((now_us - holder->since_us) / US_PER_SECOND);
	return g_strdup_printf("%s is at work on host %s, pid %" G_GINT64_FORMAT ", for %s",
		holder->job, holder->host, holder->pid, age);
}

static char *lock_path(const char *folder, const char *job)
{
	return g_strdup_printf("%s/%s.lock", folder, job);
}

static gboolean write_holder(int fd, Clock clock, GError **error)
{
	g_autofree char *text = g_strdup_printf("%s %d %" G_GINT64_FORMAT "\n", g_get_host_name(),
		(int)getpid(), clock_now_us(clock));
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, strlen(text), 0) == (gssize)strlen(text))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write the lock's holder: %s",
		g_strerror(errno));
	return FALSE;
}

/* What the file says; pid 0 when it says nothing readable. */
static JobHolder *read_holder(int fd, const char *job)
{
	char text[HOLDER_MAXIMUM_BYTES] = {0};
	gssize got = pread(fd, text, sizeof text - 1, 0);
	g_auto(GStrv) words = g_strsplit(got > 0 ? g_strchomp(text) : "", " ", 4);
	gint64 pid = 0, since_us = 0;
	if (g_strv_length(words) != 3 ||
		!g_ascii_string_to_signed(words[1], 10, 1, G_MAXINT32, &pid, NULL) ||
		!g_ascii_string_to_signed(words[2], 10, 0, G_MAXINT64, &since_us, NULL))
		return job_holder_new(job, "?", 0, 0);
	return job_holder_new(job, words[0], pid, since_us);
}

/* FALSE with errno EAGAIN or EACCES when somebody holds it. */
static gboolean lock_now(int fd)
{
	struct flock whole_file = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, F_OFD_SETLK, &whole_file) == 0;
}

static gboolean is_named(int fd, const char *job)
{
	g_autoptr(JobHolder) holder = read_holder(fd, job);
	return holder->pid != 0;
}

/* lock_now(), but a holder that comes or goes at this instant is waited for: it has no name. */
static gboolean lock_or_learn_holder(int fd, const char *job)
{
	for (int looks = 1; !lock_now(fd); looks++) {
		int number = errno;
		if (looks >= UNNAMED_LOOKS || is_named(fd, job)) {
			errno = number;
			return FALSE;
		}
		g_usleep(UNNAMED_LOOK_US);
	}
	return TRUE;
}

static gboolean is_locked(int fd)
{
	struct flock whole_file = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, F_OFD_GETLK, &whole_file) == 0 && whole_file.l_type != F_UNLCK;
}

static void refuse(int fd, const char *path, const char *job, Clock clock, GError **error)
{
	if (errno != EAGAIN && errno != EACCES) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot lock %s: %s", path,
			g_strerror(errno));
		return;
	}
	g_autoptr(JobHolder) holder = read_holder(fd, job);
	g_autofree char *who = job_holder_describe(holder, clock_now_us(clock));
	drover_error_set(error, DROVER_ERROR_LOCKED, "%s", who);
}

JobLock *joblock_take(const char *folder, const char *job, Clock clock, GError **error)
{
	if (!file_make_folder(folder, 0700, error))
		return NULL;
	g_autofree char *path = lock_path(folder, job);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot open the lock %s: %s", path,
			g_strerror(errno));
		return NULL;
	}
	if (!lock_or_learn_holder(fd, job)) {
		refuse(fd, path, job, clock, error);
		close(fd);
		return NULL;
	}
	if (!write_holder(fd, clock, error)) {
		close(fd);
		return NULL;
	}
	JobLock *lock = g_new(JobLock, 1);
	lock->fd = fd;
	return lock;
}

void joblock_release(JobLock *lock)
{
	if (lock == NULL)
		return;
	/* Who takes it next is not taken for us before it has written its name. */
	int emptied = ftruncate(lock->fd, 0);
	(void)emptied;
	close(lock->fd);
	g_free(lock);
}

/* Adds the holder when somebody holds the lock. */
static void list_one(GPtrArray *holders, const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (is_locked(fd)) {
		g_autofree char *job = g_strndup(name, strlen(name) - strlen(".lock"));
		g_ptr_array_add(holders, read_holder(fd, job));
	}
	close(fd);
}

static int compare_holders(gconstpointer a, gconstpointer b)
{
	return strcmp((*(JobHolder *const *)a)->job, (*(JobHolder *const *)b)->job);
}

GPtrArray *joblock_list(const char *folder, GError **error)
{
	g_autoptr(GPtrArray) holders =
		g_ptr_array_new_with_free_func((GDestroyNotify)job_holder_free);
	DIR *entries = opendir(folder);
	if (entries == NULL && errno != ENOENT) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"cannot read the folder of locks %s: %s", folder, g_strerror(errno));
		return NULL;
	}
	for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
		if (g_str_has_suffix(entry->d_name, ".lock"))
			list_one(holders, folder, entry->d_name);
	if (entries != NULL)
		closedir(entries);
	g_ptr_array_sort(holders, compare_holders);
	return g_steal_pointer(&holders);
}
