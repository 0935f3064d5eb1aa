/* SPDX-License-Identifier: ISC
 *
 * /releases/… on the public address: the files of one folder, as they are. A published release
 * never changes, so whoever has fetched a file need not ask for it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "programs/droverd/daemon.h"

#define PREFIX "/releases/"

gboolean releases_open(Daemon *daemon, GError **error)
{
	const char *folder = settings_text(daemon->settings, "public.releases");
	daemon->releases = -1;
	if (folder == NULL)
		return TRUE;
	daemon->releases = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (daemon->releases < 0)
		drover_error_set(error, DROVER_ERROR_INPUT, "[public] releases: open folder %s: %s",
			folder, g_strerror(errno));
	return daemon->releases >= 0;
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

HttpAnswer *releases_answer(Daemon *daemon, const HttpRequest *request)
{
	const char *path = http_request_path(request) + strlen(PREFIX);
	if (daemon->releases < 0)
		return NULL;
	HttpAnswer *answer = http_answer_new_file(request, daemon->releases, path, type_of(path));
	int status = http_answer_status(answer);
	http_answer_header(answer, "Cache-Control",
		status < 400 ? "public, max-age=31536000, immutable" : "no-store");
	return answer;
}
