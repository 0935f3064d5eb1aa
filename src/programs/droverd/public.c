/* SPDX-License-Identifier: ISC
 *
 * The public listener. It never touches the database; what it will answer comes from an immutable
 * snapshot.
 */
#include <string.h>

#include "programs/droverd/daemon.h"

HttpAnswer *public_answer(const HttpRequest *request, gpointer of)
{
	(void)of;
	gboolean health = strcmp(http_request_path(request), "/healthz") == 0;
	HttpAnswer *answer = health ? http_answer_new(200, "text/plain; charset=utf-8", "ok\n", -1)
				    : http_answer_new(404, "text/plain; charset=utf-8",
					      "nothing is published here\n", -1);
	http_answer_header(answer, "Cache-Control", "no-store");
	http_answer_header(answer, "X-Content-Type-Options", "nosniff");
	return answer;
}
