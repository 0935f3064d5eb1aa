/* SPDX-License-Identifier: ISC
 *
 * Who writes to the repository: a file made with O_EXCL, which is exclusive on NFS too, where locks
 * of the kernel may be of one host only.
 *
 * The file says who made it, and a thread touches it every REPOSITORY_LOCK_BEAT_S. A holder is gone
 * when it is a process of this very system that does not run any more, or when nobody touched the
 * file for REPOSITORY_LOCK_STALE_S, by the clock of whoever keeps the file: the age is measured
 * against a file that was made just now. What was judged is renamed aside, and looked at again:
 * when it is another file meanwhile, a quicker one took the lock over, and it is put back.
 *
 * All that can be seen changes by single renames, so that even two writers at once could publish no
 * half of anything; the lock keeps them from working in vain.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/format.h"
#include "release/lines.h"
#include "release/repository_parts.h"

enum { MAXIMUM_BYTES = 4096, TRIES = 10 };

struct RepositoryLock {
	char *path;
	char *text; /* what the file says; no other lock says the same */
	int fd;
	GThread *beat;
	GMutex mutex;
	GCond end;
	gboolean ends;
};

/* Who holds a lock, as its file says it. */
typedef struct Holder {
	char *host, *place, *job;
	gint64 pid, started, since_us;
} Holder;

static void holder_clear(Holder *holder)
{
	g_free(holder->host);
	g_free(holder->place);
	g_free(holder->job);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Holder, holder_clear)

/* Processes ------------------------------------------------------------------------------------ */

/* The system whose process ids ours are: this boot, and this name space of processes. "-" where
 * nobody tells: then no holder is known to be dead. */
static char *place_of_pids(void)
{
	g_autofree char *boot = file_read("/proc/sys/kernel/random/boot_id", 100, NULL, NULL);
	char space[100];
	ssize_t size = readlink("/proc/self/ns/pid", space, sizeof space - 1);
	if (boot == NULL || size <= 0)
		return g_strdup("-");
	space[size] = '\0';
	return g_strconcat(g_strstrip(boot), ".", space, NULL);
}

/* When the process began, in ticks since the boot; 0 when there is none. */
static gint64 start_of(gint64 pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/stat", pid);
	g_autofree char *text = file_read(path, MAXIMUM_BYTES, NULL, NULL);
	/* The name in parentheses may hold anything; the start is the 20th word after it. */
	const char *rest = text != NULL ? strrchr(text, ')') : NULL;
	if (rest == NULL)
		return 0;
	g_auto(GStrv) words = g_strsplit(rest, " ", 22);
	gint64 start = 0;
	if (g_strv_length(words) > 20)
		parse_integer(words[20], "start", 0, G_MAXINT64, &start, NULL);
	return start;
}

static gboolean is_dead(const Holder *holder)
{
	g_autofree char *here = place_of_pids();
	if (strcmp(here, "-") == 0 || strcmp(here, holder->place) != 0)
		return FALSE;
	if (kill((pid_t)holder->pid, 0) != 0 && errno == ESRCH)
		return TRUE;
	gint64 started = start_of(holder->pid);
	return started != 0 && holder->started != 0 && started != holder->started;
}

/* The file's text ------------------------------------------------------------------------------ */

static char *lock_text(const char *job, Clock clock)
{
	g_autofree char *place = place_of_pids();
	g_autofree char *id = repository_new_id();
	g_autofree char *since = format_time(clock_now_us(clock));
	return g_strdup_printf("drover-lock 1\nid %s\nhost %s\nplace %s\npid %d\nstarted "
			       "%" G_GINT64_FORMAT "\nsince %s\njob %s\n",
		id, g_get_host_name(), place, (int)getpid(), start_of(getpid()), since, job);
}

static char *read_word(Lines *lines, const char *first)
{
	g_auto(GStrv) words = lines_words(lines, first, 1);
	return words != NULL ? g_strdup(words[1]) : NULL;
}

static gint64 read_number(Lines *lines, const char *first, gint64 maximum)
{
	gint64 number = 0;
	g_autofree char *word = read_word(lines, first);
	if (word != NULL && !parse_integer(word, first, 0, maximum, &number, NULL))
		lines_fail(lines, "must be a number");
	return number;
}

/* FALSE: nothing that we wrote; perhaps its maker was killed before it wrote anything. */
static gboolean read_holder(const char *text, Holder *holder)
{
	g_auto(Lines) lines = lines_of("lock", text, strlen(text));
	g_free(read_word(&lines, "drover-lock"));
	g_free(read_word(&lines, "id"));
	holder->host = read_word(&lines, "host");
	holder->place = read_word(&lines, "place");
	holder->pid = read_number(&lines, "pid", G_MAXINT32);
	holder->started = read_number(&lines, "started", G_MAXINT64);
	g_autofree char *since = read_word(&lines, "since");
	holder->job = lines_comment(&lines, "job ", MANIFEST_MAXIMUM_NAME_BYTES);
	if (since != NULL && !parse_time(since, &holder->since_us, NULL))
		lines_fail(&lines, "the instant cannot be read");
	return lines_finish(&lines, NULL);
}

/* Taking over ---------------------------------------------------------------------------------- */

/* Somebody's lock, as it was seen at one instant. */
typedef struct Seen {
	char *text;
	struct stat status;
	gint64 age_s; /* since it was touched last */
	Holder holder;
	gboolean has_holder;
} Seen;

static void seen_clear(Seen *seen)
{
	g_free(seen->text);
	holder_clear(&seen->holder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Seen, seen_clear)

/* The present time by the clock that dates the repository's files. 0 with `error`. */
static gint64 time_of_folder(const Repository *repository, GError **error)
{
	g_autofree char *id = repository_new_id();
	g_autofree char *name = g_strconcat(REPOSITORY_LOCK "-now-", id, NULL);
	g_autofree char *path = repository_path(repository, name);
	struct stat status = {0};
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	gboolean known = fd >= 0 && fstat(fd, &status) == 0;
	if (!known)
		repository_set_errno(error, "make", path);
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	return known ? (gint64)status.st_mtim.tv_sec : 0;
}

/* FALSE without an error when there is no lock any more. */
static gboolean look(const Repository *repository, const char *path, Seen *seen, GError **error)
{
	gint64 now_s = time_of_folder(repository, error);
	if (now_s == 0)
		return FALSE;
	seen->text = file_read_regular(path, MAXIMUM_BYTES, NULL, NULL);
	if (seen->text == NULL || stat(path, &seen->status) != 0)
		return FALSE;
	seen->age_s = now_s - (gint64)seen->status.st_mtim.tv_sec;
	seen->has_holder = read_holder(seen->text, &seen->holder);
	return TRUE;
}

static gboolean is_stale(const Seen *seen)
{
	if (!seen->has_holder)
		return seen->age_s >= REPOSITORY_LOCK_NAMELESS_S;
	return seen->age_s >= REPOSITORY_LOCK_STALE_S || is_dead(&seen->holder);
}

static char *describe(const Seen *seen)
{
	g_autofree char *age = format_duration(MAX(seen->age_s, 0));
	if (!seen->has_holder)
		return g_strdup_printf("somebody who has not said a name for %s", age);
	return g_strdup_printf("%s on host %s, pid %" G_GINT64_FORMAT ", last heard of %s ago",
		seen->holder.job, seen->holder.host, seen->holder.pid, age);
}

static void set_locked(const Repository *repository, const Seen *seen, GError **error)
{
	g_autofree char *who = describe(seen);
	drover_error_set(error, DROVER_ERROR_LOCKED,
		"%s is written to by %s. Wait for it; one that is gone is put aside after %d s",
		repository->path, who, REPOSITORY_LOCK_STALE_S);
}

/* What lies at `path` is what was seen, and nobody touched it. */
static gboolean is_same(const char *path, const Seen *seen)
{
	struct stat status;
	g_autofree char *text = file_read_regular(path, MAXIMUM_BYTES, NULL, NULL);
	return g_strcmp0(text, seen->text) == 0 && stat(path, &status) == 0 &&
	       status.st_mtim.tv_sec == seen->status.st_mtim.tv_sec &&
	       status.st_mtim.tv_nsec == seen->status.st_mtim.tv_nsec;
}

/* TRUE when it was what we saw that was put aside, by us. */
static gboolean put_lock_aside(const Repository *repository, const char *path, const Seen *seen)
{
	g_autofree char *id = repository_new_id();
	g_autofree char *name = g_strconcat(REPOSITORY_LOCK "-", id, NULL);
	g_autofree char *aside = repository_path(repository, name);
	if (rename(path, aside) != 0)
		return FALSE;
	gboolean ours = is_same(aside, seen);
	/* Not to a name that a third one took meanwhile; who loses so is told by its next
	 * repository_lock_check(). */
	gboolean put_back = !ours && link(aside, path) == 0;
	(void)put_back;
	unlink(aside);
	return ours;
}

/* TRUE: the way is free, or may be. */
static gboolean take_over(
	const Repository *repository, const char *path, char **warning, GError **error)
{
	GError *failed = NULL;
	g_auto(Seen) seen = {0};
	if (!look(repository, path, &seen, &failed)) {
		if (failed == NULL)
			return TRUE;
		g_propagate_error(error, failed);
		return FALSE;
	}
	if (!is_stale(&seen)) {
		set_locked(repository, &seen, error);
		return FALSE;
	}
	if (put_lock_aside(repository, path, &seen) && warning != NULL) {
		g_autofree char *who = describe(&seen);
		g_free(*warning);
		*warning = g_strdup_printf(
			"took the lock of %s over from %s: it is gone", repository->path, who);
	}
	return TRUE;
}

/* The heartbeat -------------------------------------------------------------------------------- */

static gpointer beat(gpointer data)
{
	RepositoryLock *lock = data;
	g_mutex_lock(&lock->mutex);
	while (!lock->ends) {
		gint64 next = g_get_monotonic_time() + REPOSITORY_LOCK_BEAT_S * G_TIME_SPAN_SECOND;
		if (g_cond_wait_until(&lock->end, &lock->mutex, next))
			continue;
		/* Of the server's clock; a failure shows as a lock that is taken over. */
		futimens(lock->fd, NULL);
	}
	g_mutex_unlock(&lock->mutex);
	return NULL;
}

gboolean repository_lock_check(RepositoryLock *lock, GError **error)
{
	g_autofree char *text = file_read_regular(lock->path, MAXIMUM_BYTES, NULL, NULL);
	if (g_strcmp0(text, lock->text) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_LOCKED,
		"the lock %s is no longer ours: we were stopped for so long that somebody took it "
		"over. Try again",
		lock->path);
	return FALSE;
}

/* Taking and giving back ----------------------------------------------------------------------- */

static void lock_free(RepositoryLock *lock)
{
	close(lock->fd);
	g_mutex_clear(&lock->mutex);
	g_cond_clear(&lock->end);
	g_free(lock->path);
	g_free(lock->text);
	g_free(lock);
}

static gboolean write_text(RepositoryLock *lock, GError **error)
{
	gsize size = strlen(lock->text);
	if (write(lock->fd, lock->text, size) == (gssize)size && fsync(lock->fd) == 0)
		return repository_lock_check(lock, error);
	repository_set_errno(error, "write", lock->path);
	unlink(lock->path);
	return FALSE;
}

/* `fd` is the new file. */
static RepositoryLock *hold(const char *path, int fd, const char *job, Clock clock, GError **error)
{
	RepositoryLock *lock = g_new0(RepositoryLock, 1);
	lock->path = g_strdup(path);
	lock->text = lock_text(job, clock);
	lock->fd = fd;
	g_mutex_init(&lock->mutex);
	g_cond_init(&lock->end);
	if (!write_text(lock, error)) {
		lock_free(lock);
		return NULL;
	}
	lock->beat = g_thread_new("repository-lock", beat, lock);
	return lock;
}

/* -1 without an error: try again. */
static int make_file(const Repository *repository, const char *path, char **warning, GError **error)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 && errno != EEXIST)
		repository_set_errno(error, "make", path);
	else if (fd < 0)
		take_over(repository, path, warning, error);
	return fd;
}

/* What cannot be cleaned up is no reason not to work: it is in nobody's way. */
static void clean(Repository *repository, char **warning)
{
	g_autoptr(GError) failed = NULL;
	if (repository_clean(repository, &failed) || warning == NULL)
		return;
	g_autofree char *before = g_steal_pointer(warning);
	*warning = g_strconcat(before != NULL ? before : "", before != NULL ? "; " : "",
		"what was left by who was killed stays: ", failed->message, NULL);
}

RepositoryLock *repository_lock(
	Repository *repository, const char *job, Clock clock, char **warning, GError **error)
{
	g_autofree char *path = repository_path(repository, REPOSITORY_LOCK);
	for (int i = 0; i < TRIES; i++) {
		GError *failed = NULL;
		int fd = make_file(repository, path, warning, &failed);
		if (failed != NULL) {
			g_propagate_error(error, failed);
			return NULL;
		}
		if (fd < 0)
			continue;
		RepositoryLock *lock = hold(path, fd, job, clock, error);
		if (lock != NULL)
			clean(repository, warning);
		return lock;
	}
	drover_error_set(error, DROVER_ERROR_LOCKED,
		"%s: others took the lock each time that it was free. Try again", path);
	return NULL;
}

void repository_unlock(RepositoryLock *lock)
{
	if (lock == NULL)
		return;
	g_mutex_lock(&lock->mutex);
	lock->ends = TRUE;
	g_cond_signal(&lock->end);
	g_mutex_unlock(&lock->mutex);
	g_thread_join(lock->beat);
	if (repository_lock_check(lock, NULL))
		unlink(lock->path);
	lock_free(lock);
}
