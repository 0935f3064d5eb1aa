/* SPDX-License-Identifier: ISC
 *
 * A folder on disk becomes a tree. Down from its descriptor, never through a link; what is met is
 * looked at before it is opened, because opening a device or a pipe can have effects.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "release/progress.h"

enum { CHUNK_BYTES = 256 * 1024 };

typedef struct Walk {
	Tree *tree;
	TreeModes modes;
	const TreeLimits *limits;
	Progress progress;
	GString *path; /* of the entry or folder that is looked at; empty at the top */
	guint parts;   /* of that path */
	guint entries, folders;
	gint64 size_bytes;
	char *chunk;
} Walk;

static void walk_clear(Walk *walk)
{
	tree_free(walk->tree);
	g_string_free(walk->path, TRUE);
	g_free(walk->chunk);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, walk_clear)

static gboolean refuse_errno(const Walk *walk, const char *tried, GError **error)
{
	int number = errno;
	drover_error_set(error, number == ENOENT ? DROVER_ERROR_CONFLICT : DROVER_ERROR_INTERNAL,
		"cannot %s %s: %s", tried, walk->path->len > 0 ? walk->path->str : "the folder",
		g_strerror(number));
	return FALSE;
}

static gboolean refuse(const Walk *walk, const char *reason, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s %s", walk->path->str, reason);
	return FALSE;
}

static gboolean refuse_large(const Walk *walk, const char *what, gint64 maximum, GError **error)
{
	drover_error_set(error, DROVER_ERROR_TOO_LARGE,
		"%s: with it there are more than %" G_GINT64_FORMAT " %s", walk->path->str, maximum,
		what);
	return FALSE;
}

/* files ---------------------------------------------------------------------------------------- */

static const char *kind_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFBLK:
	case S_IFCHR:
		return "is a device, which no release may hold";
	case S_IFIFO:
		return "is a pipe, which no release may hold";
	case S_IFSOCK:
		return "is a socket, which no release may hold";
	default:
		return "is neither file, folder nor link";
	}
}

static gboolean check_file_mode(const Walk *walk, mode_t mode, GError **error)
{
	if ((mode & (S_ISUID | S_ISGID | S_ISVTX)) != 0)
		return refuse(walk,
			"is setuid, setgid or sticky: a release's files have the modes 0644 or "
			"0755",
			error);
	mode_t bits = mode & 0777;
	if (walk->modes == TREE_MODES_EXACT && bits != 0644 && bits != 0755) {
		g_autofree char *reason =
			g_strdup_printf("has the mode %04o instead of 0644 or 0755", bits);
		return refuse(walk, reason, error);
	}
	return TRUE;
}

/* Hashes `size_bytes`, and finds the end there. */
static gboolean hash_file(
	Walk *walk, int fd, gint64 size_bytes, char sha256[SHA256_HEX], GError **error)
{
	Sha256 state;
	gint64 done = 0;
	sha256_init(&state);
	for (;;) {
		gssize got = read(fd, walk->chunk, CHUNK_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return refuse_errno(walk, "read", error);
		done += got;
		if (got == 0 || done > size_bytes)
			break;
		sha256_update(&state, walk->chunk, (gsize)got);
		progress_add(&walk->progress, 0, got);
	}
	sha256_finish(&state, sha256);
	if (done == size_bytes)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s changed while it was read: try again when nobody writes there",
		walk->path->str);
	return FALSE;
}

static gboolean read_opened(Walk *walk, int fd, GError **error)
{
	struct stat status;
	char sha256[SHA256_HEX];
	if (fstat(fd, &status) != 0)
		return refuse_errno(walk, "look at", error);
	if (!S_ISREG(status.st_mode))
		return refuse(walk, kind_name(status.st_mode), error);
	if (!check_file_mode(walk, status.st_mode, error))
		return FALSE;
	if (status.st_size > walk->limits->size_bytes - walk->size_bytes)
		return refuse_large(walk, "bytes in files", walk->limits->size_bytes, error);
	walk->size_bytes += status.st_size;
	if (!hash_file(walk, fd, status.st_size, sha256, error))
		return FALSE;
	return tree_add_file(walk->tree, walk->path->str, (status.st_mode & S_IXUSR) != 0,
		status.st_size, sha256, error);
}

static gboolean read_file(Walk *walk, int parent, const char *name, GError **error)
{
	int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return refuse_errno(walk, "open", error);
	gboolean ok = read_opened(walk, fd, error);
	close(fd);
	return ok;
}

static gboolean read_link(Walk *walk, int parent, const char *name, GError **error)
{
	char target[TREE_MAXIMUM_PATH_BYTES + 2]; /* room to see that it is too long, and a NUL */
	gssize size = readlinkat(parent, name, target, sizeof target - 1);
	if (size < 0)
		return refuse_errno(walk, "read the link", error);
	target[size] = '\0';
	return tree_add_link(walk->tree, walk->path->str, target, error);
}

/* folders -------------------------------------------------------------------------------------- */

static gboolean read_folder(Walk *walk, int fd, GError **error);

static gboolean read_subfolder(Walk *walk, int parent, const char *name, GError **error)
{
	if (walk->folders++ == TREE_MAXIMUM_ENTRIES)
		return refuse_large(walk, "folders", TREE_MAXIMUM_ENTRIES, error);
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return refuse_errno(walk, "open the folder", error);
	return read_folder(walk, fd, error);
}

static gboolean check_folder_mode(const Walk *walk, mode_t mode, GError **error)
{
	if (walk->modes != TREE_MODES_EXACT || (mode & 0777) == 0755)
		return TRUE;
	g_autofree char *reason =
		g_strdup_printf("is a folder with the mode %04o instead of 0755", mode & 0777);
	return refuse(walk, reason, error);
}

static gboolean read_entry(Walk *walk, int parent, const char *name, GError **error)
{
	struct stat status;
	if (!tree_check_path(walk->path->str, error))
		return FALSE;
	if (walk->parts > walk->limits->path_parts)
		return refuse_large(walk, "parts in a path", walk->limits->path_parts, error);
	if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return refuse_errno(walk, "look at", error);
	if (S_ISDIR(status.st_mode))
		return check_folder_mode(walk, status.st_mode, error) &&
		       read_subfolder(walk, parent, name, error);
	if (walk->entries++ == walk->limits->entries)
		return refuse_large(walk, "files and links", walk->limits->entries, error);
	gboolean ok;
	if (S_ISREG(status.st_mode))
		ok = read_file(walk, parent, name, error);
	else if (S_ISLNK(status.st_mode))
		ok = read_link(walk, parent, name, error);
	else
		ok = refuse(walk, kind_name(status.st_mode), error);
	if (ok)
		progress_add(&walk->progress, 1, 0);
	return ok;
}

static gboolean read_named(Walk *walk, int parent, const char *name, GError **error)
{
	gsize length = walk->path->len;
	if (length > 0)
		g_string_append_c(walk->path, '/');
	g_string_append(walk->path, name);
	walk->parts++;
	gboolean ok = read_entry(walk, parent, name, error);
	walk->parts--;
	g_string_truncate(walk->path, length);
	return ok;
}

/* Takes `fd`. */
static gboolean read_folder(Walk *walk, int fd, GError **error)
{
	DIR *folder = fdopendir(fd);
	if (folder == NULL) {
		close(fd);
		return refuse_errno(walk, "read the folder", error);
	}
	gboolean ok = TRUE;
	while (ok) {
		errno = 0;
		struct dirent *entry = readdir(folder);
		if (entry == NULL) {
			ok = errno == 0 || refuse_errno(walk, "read the folder", error);
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ok = read_named(walk, fd, entry->d_name, error);
	}
	closedir(folder);
	return ok;
}

Tree *tree_read(int folder_fd, TreeModes modes, const TreeLimits *limits, TreeProgress progress,
	gpointer user, GError **error)
{
	g_auto(Walk) walk = {
		.tree = tree_new(),
		.modes = modes,
		.limits = limits,
		.progress = {.tell = progress, .user = user},
		.path = g_string_new(NULL),
		.chunk = g_malloc(CHUNK_BYTES),
	};
	/* A descriptor of our own: reading moves its position. */
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		refuse_errno(&walk, "open", error);
		return NULL;
	}
	if (!read_folder(&walk, fd, error) || !tree_finish(walk.tree, error))
		return NULL;
	return g_steal_pointer(&walk.tree);
}
