/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a request to the responder: its head ends at the same place however it comes, and
 * the answer is one 503 that its own lines cannot be talked out of.
 */
#include <string.h>

#include "node/hold/respond_answer.h"

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

static gsize find_end_in_pieces(const char *text, gsize size_bytes, gsize step)
{
	for (gsize seen = 0, before; seen < size_bytes;) {
		before = seen > 3 ? seen - 3 : 0;
		seen = MIN(seen + step, size_bytes);
		gsize end = respond_head_end(text + before, seen - before);
		if (end > 0)
			return before + end;
	}
	return 0;
}

static void check_answer(const char *answer, const RespondAsked *asked)
{
	const char *end = strstr(answer, "\r\n\r\n"), *length = strstr(answer, "Content-Length: ");
	g_assert(g_str_has_prefix(answer, "HTTP/1.1 503 Service Unavailable\r\n"));
	g_assert(end != NULL && length != NULL && length < end);
	guint64 said = g_ascii_strtoull(length + strlen("Content-Length: "), NULL, 10);
	g_assert(asked->is_head ? end[4] == '\0' : strlen(end + 4) == said);
	g_assert(g_utf8_validate(answer, -1, NULL));
}

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	static const NodeProduct product = {.retry_header = (char *)"Retry-After",
		.backoff_header = (char *)"X-Weave-Backoff",
		.maintenance_header = (char *)"X-Weave-Maintenance"};
	const char *text = (const char *)bytes;
	if (size_bytes == 0)
		return 0;
	gsize end = respond_head_end(text, size_bytes);
	g_assert(end <= size_bytes);
	g_assert(find_end_in_pieces(text, size_bytes, 1 + bytes[0] % 7) == end);
	RespondAsked asked = respond_asked(text, end > 0 ? end : size_bytes, "/health");
	RespondWindow window = {.in_maintenance = bytes[0] % 2, .reason = "r"};
	gint64 away_s = respond_away_s(&window, 0, respond_lot(bytes, size_bytes, 0));
	g_assert(away_s >= RESPOND_AWAY_S && away_s <= RESPOND_AWAY_S * 120 / 100);
	GString *answer = respond_answer(&product, &window, &asked, away_s);
	check_answer(answer->str, &asked);
	g_string_free(answer, TRUE);
	return 0;
}
