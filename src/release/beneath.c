/* SPDX-License-Identifier: ISC
 *
 * One openat() a part, never through a link.
 */
#include "release/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* DROVER_ERROR_INTERNAL is the machine's fault; what lies where it should not is its maker's. */
static DroverErrorCode code_of(int number)
{
	switch (number) {
	case ENOENT:
		return DROVER_ERROR_NOT_FOUND;
	case EEXIST:
		return DROVER_ERROR_CONFLICT;
	case ELOOP: /* a link */
	case ENOTDIR:
	case ENXIO: /* a socket */
		return DROVER_ERROR_INPUT;
	default:
		return DROVER_ERROR_INTERNAL;
	}
}

static void set_errno(GError **error, const char *tried, const char *path)
{
	int number = errno;
	const char *reason = number == ELOOP ? "a link leads there" : g_strerror(number);
	drover_error_set(error, code_of(number), "cannot %s %s: %s", tried, path, reason);
}

/* The folder `part` in `folder_fd`. -1 with errno. */
static int open_folder(int folder_fd, const char *part)
{
	int fd = openat(folder_fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Of a link, the kernel says that it is no folder. */
	if (fd < 0 && errno == ENOTDIR) {
		struct stat status;
		gboolean is_link = fstatat(folder_fd, part, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
				   S_ISLNK(status.st_mode);
		errno = is_link ? ELOOP : ENOTDIR;
	}
	return fd;
}

/* One step down; with `make`, the folder is made when it is not there. -1 with errno. */
static int step(int folder_fd, const char *part, gboolean make)
{
	int fd = open_folder(folder_fd, part);
	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	if (mkdirat(folder_fd, part, 0700) != 0)
		return -1;
	fd = open_folder(folder_fd, part);
	/* Whatever the umask. */
	if (fd >= 0 && fchmod(fd, 0755) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The folder that the path's last part lies in; *name is that part, in `path`. -1 with errno. */
static int parent_of(int folder_fd, const char *path, gboolean make, const char **name)
{
	int fd = fcntl(folder_fd, F_DUPFD_CLOEXEC, 0);
	*name = path;
	for (const char *slash = strchr(path, '/'); fd >= 0 && slash != NULL;
		slash = strchr(*name, '/')) {
		g_autofree char *part = g_strndup(*name, (gsize)(slash - *name));
		int below = step(fd, part, make);
		int number = errno;
		close(fd);
		errno = number;
		fd = below;
		*name = slash + 1;
	}
	return fd;
}

int beneath_open(int folder_fd, const char *path, GError **error)
{
	const char *name;
	int parent = parent_of(folder_fd, path, FALSE, &name);
	if (parent < 0) {
		set_errno(error, "open", path);
		return -1;
	}
	/* A pipe must not make us wait. */
	int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) != 0)
		set_errno(error, "open", path);
	else if (!S_ISREG(status.st_mode))
		drover_error_set(error, DROVER_ERROR_INPUT, "%s is no regular file", path);
	else {
		close(parent);
		return fd;
	}
	close(parent);
	if (fd >= 0)
		close(fd);
	return -1;
}

int beneath_create(int folder_fd, const char *path, GError **error)
{
	const char *name;
	int parent = parent_of(folder_fd, path, TRUE, &name);
	int fd = parent < 0 ? -1
			    : openat(parent, name,
				      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		set_errno(error, "create", path);
	if (parent >= 0)
		close(parent);
	return fd;
}

gboolean beneath_link(int folder_fd, const char *path, const char *target, GError **error)
{
	const char *name;
	int parent = parent_of(folder_fd, path, TRUE, &name);
	gboolean linked = parent >= 0 && symlinkat(target, parent, name) == 0;
	if (!linked)
		set_errno(error, "make the link", path);
	if (parent >= 0)
		close(parent);
	return linked;
}
