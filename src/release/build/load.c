/* SPDX-License-Identifier: ISC
 *
 * What was built, read again: between building and publishing lies time, in which a folder may be
 * altered.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "release/build/build_parts.h"
#include "release/build/copy.h"

Manifest *build_read_draft(const char *folder, GError **error)
{
	g_autoptr(GError) wrong = NULL;
	g_autofree char *path = g_build_filename(folder, BUILD_DRAFT_FILE, NULL);
	gsize size = 0;
	g_autofree char *text = file_read(path, MANIFEST_MAXIMUM_BYTES, &size, &wrong);
	if (text != NULL)
		return manifest_parse(path, text, size, error);
	if (!drover_error_is(wrong, DROVER_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&wrong));
		return NULL;
	}
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"there is no finished build in %s: no %s, which comes when all steps went well. "
		"drover release build makes one",
		folder, BUILD_DRAFT_FILE);
	return NULL;
}

static gboolean refuse_altered(const char *folder, const char *what, GError **error)
{
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s was altered after it was built: %s. Build it again", folder, what);
	return FALSE;
}

static gboolean check_payload(const char *folder, const ArchivePayload *payload, GError **error)
{
	char sha256[SHA256_HEX] = "";
	gint64 size = 0;
	g_autofree char *path = g_build_filename(folder, BUILD_PAYLOAD_FILE, NULL);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	gboolean read = fd >= 0 && nowhere >= 0 &&
			copy_stream(fd, nowhere, payload->size_bytes, &size, sha256);
	int number = errno;
	if (fd >= 0)
		close(fd);
	if (nowhere >= 0)
		close(nowhere);
	if (!read && number != EFBIG && number != ENOENT) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot read %s: %s", path,
			g_strerror(number));
		return FALSE;
	}
	if (read && size == payload->size_bytes && strcmp(sha256, payload->sha256) == 0)
		return TRUE;
	return refuse_altered(folder, BUILD_PAYLOAD_FILE " is another file, or gone", error);
}

static gboolean check_tree(const char *folder, const Tree *tree, GError **error)
{
	g_autofree char *path = g_build_filename(folder, BUILD_TREE_FOLDER, NULL);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return refuse_altered(folder, "its tree is gone", error);
	g_autoptr(Tree) now =
		tree_read(fd, TREE_MODES_BY_OWNER, &tree_limits_largest, NULL, NULL, error);
	close(fd);
	if (now == NULL)
		return FALSE;
	g_autofree char *paths = build_difference(tree, now, "the manifest", "the folder");
	return paths == NULL || refuse_altered(folder, paths, error);
}

Manifest *build_load(const char *folder, GError **error)
{
	g_autoptr(Manifest) draft = build_read_draft(folder, error);
	if (draft == NULL || !check_payload(folder, &draft->payload, error) ||
		!check_tree(folder, draft->tree, error))
		return NULL;
	return g_steal_pointer(&draft);
}
