/* SPDX-License-Identifier: ISC
 *
 * A server list in a file: watched by inotify, on its folder (it is replaced, goes and comes back)
 * and on the file itself (it may be a link to somewhere else). Nobody writes lists as carefully as
 * one would like, so what is seen is only a reason to look a little later: when the writer has
 * closed the file, or has been quiet for a while. Whatever inotify misses (another machine's file,
 * no watch to be had) a slow look finds. Rule: docs/balance.md, "Lists in files".
 */
#include "balance/director/source_kind.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "balance/director/pause.h"
#include "base/clock.h"
#include "base/file.h"

#define SCHEME "file://"

enum {
	FOLDER_EVENTS = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |
			IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
	FILE_EVENTS = IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF,
	WRITING_EVENTS = IN_CREATE | IN_MODIFY,
};

/* What a file is, without reading it. All zero: there is none. */
typedef struct Look {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
} Look;

typedef struct FileSource {
	Source *source;
	char *path, *folder, *base;
	int inotify;		 /* -1: none to be had, the slow look does it alone */
	int folder_watch;	 /* -1: none */
	int file_watch;		 /* -1: none */
	struct event *readable;	 /* NULL without inotify */
	struct event *look;	 /* once, a little after something was seen */
	struct event *slow_look; /* every few seconds */
	gboolean unsettled;	 /* `look` is pending because something was seen */
	gboolean touched;	 /* the list itself was */
	gboolean being_written;	 /* and its writer has not closed it */
	gint64 unsettled_since_ms;
	Look last;		 /* when it was read */
	gint64 missing_since_ms; /* 0: it is there */
} FileSource;

static Look look_at(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return (Look){0};
	return (Look){status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
}

static gboolean same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static gboolean same_look(Look a, Look b)
{
	return a.device == b.device && a.inode == b.inode && a.size == b.size &&
	       same_time(a.modified, b.modified) && same_time(a.changed, b.changed);
}

/* Another look soon: after a quiet moment, a longer one while somebody writes, but not for ever. */
static void unsettle(FileSource *self)
{
	gint64 now_ms = clock_monotonic_ms();
	if (!self->unsettled)
		self->unsettled_since_ms = now_ms;
	self->unsettled = TRUE;
	gint64 wait_ms = self->being_written ? SOURCE_FILE_WRITING_MS : SOURCE_FILE_SETTLE_MS;
	gint64 patience_ms = self->unsettled_since_ms + SOURCE_FILE_PATIENCE_MS - now_ms;
	pause_schedule(self->look, MAX(MIN(wait_ms, patience_ms), 0));
}

/* Watching */

static void watch_folder(FileSource *self)
{
	if (self->inotify < 0 || self->folder_watch >= 0)
		return;
	self->folder_watch = inotify_add_watch(self->inotify, self->folder, FOLDER_EVENTS);
}

/* For the same file the kernel gives the same number again. */
static void watch_file(FileSource *self)
{
	if (self->inotify < 0)
		return;
	int watch = inotify_add_watch(self->inotify, self->path, FILE_EVENTS);
	if (self->file_watch >= 0 && self->file_watch != watch)
		inotify_rm_watch(self->inotify, self->file_watch);
	self->file_watch = watch;
}

static void take_event(FileSource *self, const struct inotify_event *event)
{
	if (event->mask & IN_IGNORED) {
		if (event->wd == self->folder_watch)
			self->folder_watch = -1;
		if (event->wd == self->file_watch)
			self->file_watch = -1;
		return;
	}
	gboolean in_folder = event->wd == self->folder_watch;
	if (in_folder && event->mask & (IN_MOVE_SELF | IN_DELETE_SELF)) {
		inotify_rm_watch(self->inotify, self->folder_watch);
		self->folder_watch = -1;
	}
	gboolean ours = event->wd == self->file_watch ||
			(in_folder && event->len > 0 && strcmp(event->name, self->base) == 0);
	if (ours) {
		self->touched = TRUE;
		self->being_written = (event->mask & WRITING_EVENTS) != 0;
	}
	/* Another name may be a link on the way to ours; another file's bytes are not. */
	if (ours || !(event->mask & (IN_MODIFY | IN_CLOSE_WRITE)))
		unsettle(self);
}

static void on_inotify(evutil_socket_t inotify, short what, void *of)
{
	FileSource *self = of;
	char buffer[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t size;
	while ((size = read(inotify, buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < size;) {
			const struct inotify_event *event = (const void *)(buffer + at);
			take_event(self, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
}

/* Looking */

/* What could not be read (out of descriptors, say) is read again at the next look, though the file
 * looks as it did. */
static void say_read(FileSource *self)
{
	g_autoptr(GError) error = NULL;
	gsize size_bytes;
	g_autofree char *text =
		file_read(self->path, SERVER_LIST_MAXIMUM_BYTES, &size_bytes, &error);
	if (text == NULL) {
		self->last = (Look){0};
		source_say_problem(self->source, error->message);
		return;
	}
	source_say_text(
		self->source, self->path, server_list_format_of(self->path), text, size_bytes);
}

/* Who replaces a file by removing it first is given a moment. */
static void say_missing(FileSource *self, int why)
{
	gint64 now_ms = clock_monotonic_ms();
	gboolean was_there = !same_look(self->last, (Look){0});
	if (self->missing_since_ms == 0)
		self->missing_since_ms = now_ms;
	gint64 left_ms = self->missing_since_ms + SOURCE_FILE_GONE_MS - now_ms;
	if (was_there && left_ms > 0) {
		pause_schedule(self->look, left_ms);
		return;
	}
	self->last = (Look){0};
	g_autofree char *problem = g_strdup_printf("%s: %s", self->path, g_strerror(why));
	source_say_problem(self->source, problem);
}

static gboolean is_regular(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return FALSE;
	errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
	return S_ISREG(status.st_mode);
}

static void look(FileSource *self, gboolean always)
{
	self->unsettled = self->touched = self->being_written = FALSE;
	evtimer_del(self->look);
	watch_folder(self);
	watch_file(self);
	errno = 0;
	if (!is_regular(self->path)) {
		say_missing(self, errno);
		return;
	}
	self->missing_since_ms = 0;
	Look before = look_at(self->path);
	if (!always && same_look(before, self->last))
		return;
	self->last = before;
	say_read(self);
	if (!same_look(before, look_at(self->path)))
		unsettle(self);
}

static void on_look(evutil_socket_t unused, short what, void *of)
{
	FileSource *self = of;
	look(self, self->touched || same_look(self->last, (Look){0}));
}

static void on_slow_look(evutil_socket_t unused, short what, void *of)
{
	FileSource *self = of;
	pause_schedule(self->slow_look, SOURCE_FILE_LOOK_MS);
	if (!self->unsettled)
		look(self, FALSE);
}

/* The kind */

static void file_end(gpointer of)
{
	FileSource *self = of;
	if (self->readable != NULL)
		event_free(self->readable);
	event_free(self->look);
	event_free(self->slow_look);
	if (self->inotify >= 0)
		close(self->inotify);
	g_free(self->path);
	g_free(self->folder);
	g_free(self->base);
	g_free(self);
}

static gpointer file_begin(
	Source *source, const SourcePlace *place, const char *url, GError **error)
{
	FileSource *self = g_new0(FileSource, 1);
	self->source = source;
	self->path = g_strdup(url + strlen(SCHEME));
	self->folder = g_path_get_dirname(self->path);
	self->base = g_path_get_basename(self->path);
	self->folder_watch = self->file_watch = -1;
	self->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (self->inotify >= 0) {
		self->readable = event_new(
			place->base, self->inotify, EV_READ | EV_PERSIST, on_inotify, self);
		event_add(self->readable, NULL);
	}
	self->look = evtimer_new(place->base, on_look, self);
	self->slow_look = evtimer_new(place->base, on_slow_look, self);
	pause_schedule(self->look, 0);
	pause_schedule(self->slow_look, SOURCE_FILE_LOOK_MS);
	return self;
}

static void file_refresh(gpointer of)
{
	FileSource *self = of;
	self->touched = TRUE;
	pause_schedule(self->look, 0);
}

const SourceKind source_kind_file = {
	.scheme = SCHEME,
	.begin = file_begin,
	.end = file_end,
	.refresh = file_refresh,
};
