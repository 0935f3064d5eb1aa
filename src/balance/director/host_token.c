/* SPDX-License-Identifier: ISC
 *
 * The file that holds this host's token.
 */
#include "balance/director/host_token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

static gboolean is_private(const char *path, const struct stat *status, GError **error)
{
	if (!S_ISREG(status->st_mode))
		drover_error_set(
			error, DROVER_ERROR_INPUT, "token file %s: this is not a file", path);
	else if ((status->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"token file %s: others than its owner have rights to it (mode %04o); chmod "
			"600 it, and enrol again if somebody may have read it",
			path, (guint)(status->st_mode & 07777));
	else
		return TRUE;
	return FALSE;
}

/* What is looked at is what is read: one descriptor. */
static char *read_private(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		int number = errno;
		drover_error_set(error,
			number == ENOENT ? DROVER_ERROR_NOT_FOUND : DROVER_ERROR_INTERNAL,
			"token file %s: %s%s", path, g_strerror(number),
			number == ENOENT ? "; the command enrol makes it" : "");
		return NULL;
	}
	struct stat status = {0};
	char text[HOST_TOKEN_MAXIMUM_BYTES + 1];
	int looked = fstat(fd, &status);
	g_assert(looked == 0);
	gboolean allowed = is_private(path, &status, error);
	gssize size_bytes = allowed ? read(fd, text, sizeof text) : -1;
	close(fd);
	if (!allowed)
		return NULL;
	if (size_bytes < 0 || size_bytes > HOST_TOKEN_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"token file %s: cannot be read, or is larger than %d bytes", path,
			HOST_TOKEN_MAXIMUM_BYTES);
		return NULL;
	}
	return g_strndup(text, (gsize)size_bytes);
}

char *host_token_read(const char *path, GError **error)
{
	if (path == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"droverd wants to know who asks: set droverd-token-file in [global] to the "
			"file that drover-lvs enrol wrote");
		return NULL;
	}
	g_autofree char *text = read_private(path, error);
	if (text == NULL)
		return NULL;
	g_strstrip(text);
	gboolean sound = *text != '\0';
	for (const char *c = text; *c != '\0'; c++)
		sound = sound && g_ascii_isgraph(*c);
	if (!sound) {
		drover_error_set(error, DROVER_ERROR_INPUT, "token file %s: holds no token", path);
		return NULL;
	}
	return g_steal_pointer(&text);
}

gboolean host_token_write(const char *path, const char *token, GError **error)
{
	g_autofree char *line = g_strconcat(token, "\n", NULL);
	return file_write(path, line, strlen(line), 0600, error);
}

gboolean host_token_can_write(const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	if (access(folder, W_OK | X_OK) == 0 && !g_file_test(path, G_FILE_TEST_IS_DIR))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "the token file %s cannot be written: %s", path,
		g_file_test(path, G_FILE_TEST_IS_DIR) ? "this is a folder" : g_strerror(errno));
	return FALSE;
}
