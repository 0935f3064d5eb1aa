/* SPDX-License-Identifier: ISC
 *
 * Any bytes as an HTTP answer, in pieces whose size is the first byte: it means the same as in one
 * piece, and nothing grows beyond its limit.
 */
#include <stdint.h>
#include <string.h>

#include "balance/monitor/http_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_in_pieces(HttpAnswer *answer, const char *bytes, gsize size, gsize piece)
{
	http_answer_init(answer, TRUE);
	for (gsize at = 0; at < size; at += piece)
		http_answer_feed(answer, bytes + at, MIN(piece, size - at));
	http_answer_close(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	HttpAnswer whole, pieces;
	if (size < 1)
		return 0;
	const char *text = (const char *)bytes + 1;
	read_in_pieces(&whole, text, size - 1, MAX(size - 1, 1));
	read_in_pieces(&pieces, text, size - 1, (gsize)bytes[0] + 1);
	g_assert(whole.state == pieces.state && whole.state != HTTP_ANSWER_READING);
	g_assert((whole.problem != NULL) == (whole.state == HTTP_ANSWER_BROKEN));
	g_assert(whole.status == pieces.status && whole.maintenance == pieces.maintenance);
	g_assert(whole.body_bytes == pieces.body_bytes);
	g_assert(whole.body_bytes <= HTTP_ANSWER_MAXIMUM_BODY_BYTES);
	g_assert((whole.body == NULL ? 0 : whole.body->len) == whole.body_bytes);
	if (whole.body_bytes > 0)
		g_assert(memcmp(whole.body->data, pieces.body->data, whole.body_bytes) == 0);
	http_answer_clear(&whole);
	http_answer_clear(&pieces);
	return 0;
}
