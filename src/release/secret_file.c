/* SPDX-License-Identifier: ISC
 *
 * The file of a secret key: made once, mode 0600, never written over, and refused when anyone but
 * its owner may read it. It is read into memory that is wiped.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/key.h"

/* Written beside and linked to its name, which fails when the name is taken: whole or not there,
 * and nothing is ever replaced. */
gboolean secret_key_save(const char *path, const char *text, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *beside =
		g_strdup_printf("%s.new-%08x%08x", path, g_random_int(), g_random_int());
	if (!file_write(beside, text, strlen(text), 0600, error))
		return FALSE;
	int failed = link(beside, path) == 0 ? 0 : errno;
	unlink(beside);
	if (failed == 0)
		return file_sync_folder(folder, error);
	if (failed == EEXIST)
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s exists, and keys are not written over: name another file", path);
	else
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot make %s: %s", path,
			g_strerror(failed));
	return FALSE;
}

static gboolean is_private(const char *path, const struct stat *status, GError **error)
{
	if (!S_ISREG(status->st_mode)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "%s is not a file", path);
		return FALSE;
	}
	if ((status->st_mode & 077) != 0) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s can be read or written by others (mode %03o). If that was so for "
			"long, make another key; else chmod 600 %s",
			path, (guint)status->st_mode & 0777, path);
		return FALSE;
	}
	if (status->st_uid != geteuid() && status->st_uid != 0) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s belongs to user %u, who can read it: a secret key must belong to "
			"who uses it, or to root",
			path, status->st_uid);
		return FALSE;
	}
	return TRUE;
}

/* NULL with errno. */
static char *read_all(int fd, gsize *size_bytes)
{
	char *text = g_malloc0(KEY_MAXIMUM_FILE_BYTES + 2);
	gsize size = 0;
	while (size <= KEY_MAXIMUM_FILE_BYTES) {
		gssize got = read(fd, text + size, KEY_MAXIMUM_FILE_BYTES + 1 - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			sodium_memzero(text, size);
			g_free(text);
			return NULL;
		}
		if (got == 0)
			break;
		size += (gsize)got;
	}
	*size_bytes = size; /* one too many is found by who parses it */
	return text;
}

char *secret_key_read(const char *path, gsize *size_bytes, GError **error)
{
	/* Not to wait for who writes into a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		drover_error_set(error,
			errno == ENOENT ? DROVER_ERROR_NOT_FOUND : DROVER_ERROR_INTERNAL,
			"cannot open the secret key %s: %s", path, g_strerror(errno));
		return NULL;
	}
	struct stat status;
	if (fstat(fd, &status) != 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot look at %s: %s", path,
			g_strerror(errno));
		close(fd);
		return NULL;
	}
	if (!is_private(path, &status, error)) {
		close(fd);
		return NULL;
	}
	char *text = read_all(fd, size_bytes);
	if (text == NULL)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot read %s: %s", path,
			g_strerror(errno));
	close(fd);
	return text;
}
