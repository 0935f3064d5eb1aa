/* SPDX-License-Identifier: ISC
 *
 * /releases/… on the public address: the files of one folder, as they are. A published release
 * never changes, so whoever has fetched a file need not ask for it again; what says which releases
 * there are is asked for each time.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "programs/droverd/daemon.h"
#include "release/repository.h"

#define PREFIX "/releases/"

static int open_folder(const char *folder)
{
	return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* One that is missing is not made: perhaps its disk is not mounted yet. So it is opened for each
 * request; droverd works meanwhile, and keep_indexes() tells that the repository is away. */
gboolean releases_set_up(Daemon *daemon, GError **error)
{
	const char *folder = settings_text(daemon->settings, "public.releases");
	const char *repository = settings_text(daemon->settings, "release.repository");
	daemon->releases = folder != NULL ? folder : repository;
	if (folder == NULL)
		return TRUE;
	int fd = open_folder(folder);
	if (fd < 0)
		drover_error_set(error, DROVER_ERROR_INPUT, "[public] releases: open folder %s: %s",
			folder, g_strerror(errno));
	else
		close(fd);
	return fd >= 0;
}

/* What can be read is text; all else is for programs. */
static const char *type_of(const char *path)
{
	static const char *const types[][2] = {
		{".json", "application/json"},
		{".xml", "text/xml; charset=utf-8"},
		{".txt", "text/plain; charset=utf-8"},
		{".asc", "text/plain; charset=utf-8"},
		{".minisig", "text/plain; charset=utf-8"},
		{".sha256", "text/plain; charset=utf-8"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_str_has_suffix(path, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

/* PRODUCT/index and PRODUCT/delegation are replaced again and again; an old one is refused by who
 * has seen a newer. The signature of a manifest may be replaced by one of another key. */
static gboolean is_replaced(const char *path)
{
	const char *file = strchr(path, '/');
	if (g_str_has_suffix(path, "/" REPOSITORY_SIGNATURE_FILE))
		return TRUE;
	return file != NULL && (strcmp(file + 1, REPOSITORY_INDEX_FILE) == 0 ||
				       strcmp(file + 1, REPOSITORY_DELEGATION_FILE) == 0);
}

HttpAnswer *releases_answer(Daemon *daemon, const HttpRequest *request)
{
	const char *path = http_request_path(request) + strlen(PREFIX);
	int folder = daemon->releases != NULL ? open_folder(daemon->releases) : -1;
	if (folder < 0)
		return NULL;
	HttpAnswer *answer = http_answer_new_file(request, folder, path, type_of(path));
	close(folder);
	int status = http_answer_status(answer);
	http_answer_header(answer, "Cache-Control",
		status >= 400	    ? "no-store"
		: is_replaced(path) ? "no-cache"
				    : "public, max-age=31536000, immutable");
	return answer;
}
