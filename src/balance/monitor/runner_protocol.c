/* SPDX-License-Identifier: ISC
 *
 * What runner and helper say to each other.
 *
 *     request:  wish (1)  id (4)  timeout in ms (8)  argument NUL argument NUL ...
 *     answer:   end (4)   id (4)  number (4)  bytes of output (4)  output
 */
#include "balance/monitor/runner_protocol.h"

#include <string.h>

#define REQUEST_HEAD_BYTES 13
#define ANSWER_HEAD_BYTES  16

GByteArray *runner_request_encode(
	RunnerWish wish, guint32 id, gint64 timeout_ms, const char *const *argv)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 first = (guint8)wish;
	g_byte_array_append(bytes, &first, 1);
	g_byte_array_append(bytes, (const guint8 *)&id, sizeof id);
	g_byte_array_append(bytes, (const guint8 *)&timeout_ms, sizeof timeout_ms);
	if (wish == RUNNER_WISH_DROP)
		return g_steal_pointer(&bytes);
	for (gsize i = 0; argv[i] != NULL; i++) {
		gsize length = strlen(argv[i]) + 1;
		if (i >= RUNNER_MAXIMUM_ARGUMENTS ||
			length > RUNNER_MAXIMUM_REQUEST_BYTES - (gsize)bytes->len)
			return NULL;
		g_byte_array_append(bytes, (const guint8 *)argv[i], (guint)length);
	}
	return g_steal_pointer(&bytes);
}

static char **decode_arguments(const guint8 *bytes, gsize size_bytes)
{
	if (size_bytes == 0 || bytes[size_bytes - 1] != '\0')
		return NULL;
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	for (gsize at = 0; at < size_bytes; at += strlen((const char *)bytes + at) + 1) {
		if (arguments->len >= RUNNER_MAXIMUM_ARGUMENTS)
			return NULL;
		g_ptr_array_add(arguments, g_strdup((const char *)bytes + at));
	}
	g_ptr_array_add(arguments, NULL);
	return (char **)g_ptr_array_steal(arguments, NULL);
}

gboolean runner_request_decode(const guint8 *bytes, gsize size_bytes, RunnerRequest *request)
{
	*request = (RunnerRequest){0};
	if (size_bytes < REQUEST_HEAD_BYTES || size_bytes > RUNNER_MAXIMUM_REQUEST_BYTES)
		return FALSE;
	request->wish = bytes[0];
	memcpy(&request->id, bytes + 1, sizeof request->id);
	memcpy(&request->timeout_ms, bytes + 5, sizeof request->timeout_ms);
	if (request->wish == RUNNER_WISH_DROP)
		return size_bytes == REQUEST_HEAD_BYTES;
	if (request->wish != RUNNER_WISH_RUN || request->timeout_ms <= 0)
		return FALSE;
	request->argv =
		decode_arguments(bytes + REQUEST_HEAD_BYTES, size_bytes - REQUEST_HEAD_BYTES);
	return request->argv != NULL;
}

void runner_request_clear(RunnerRequest *request)
{
	g_clear_pointer(&request->argv, g_strfreev);
}

gsize runner_answer_encode(
	const RunnerAnswer *answer, guint8 bytes[static RUNNER_MAXIMUM_ANSWER_BYTES])
{
	guint32 end = answer->end, size = (guint32)answer->output_bytes;
	memcpy(bytes, &end, 4);
	memcpy(bytes + 4, &answer->id, 4);
	memcpy(bytes + 8, &answer->number, 4);
	memcpy(bytes + 12, &size, 4);
	memcpy(bytes + ANSWER_HEAD_BYTES, answer->output, size);
	return ANSWER_HEAD_BYTES + (gsize)size;
}

gboolean runner_answer_decode(const guint8 *bytes, gsize size_bytes, RunnerAnswer *answer)
{
	guint32 end = 0, size = 0;
	if (size_bytes < ANSWER_HEAD_BYTES || size_bytes > RUNNER_MAXIMUM_ANSWER_BYTES)
		return FALSE;
	memcpy(&end, bytes, 4);
	memcpy(&answer->id, bytes + 4, 4);
	memcpy(&answer->number, bytes + 8, 4);
	memcpy(&size, bytes + 12, 4);
	if (end > RUNNER_FAILED || size != size_bytes - ANSWER_HEAD_BYTES)
		return FALSE;
	answer->end = (RunnerEnd)end;
	answer->output_bytes = size;
	memcpy(answer->output, bytes + ANSWER_HEAD_BYTES, size);
	return TRUE;
}
