/* SPDX-License-Identifier: ISC
 *
 * Any bytes as what runner and helper say to each other: what can be read says the same again.
 */
#include <stdint.h>
#include <string.h>

#include "balance/monitor/runner_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_request(const uint8_t *bytes, size_t size)
{
	RunnerRequest request;
	if (runner_request_decode(bytes, size, &request)) {
		g_autoptr(GByteArray) again = runner_request_encode(request.wish, request.id,
			request.timeout_ms, (const char *const *)request.argv);
		g_assert(again != NULL && again->len == size);
		g_assert(memcmp(again->data, bytes, size) == 0);
	}
	runner_request_clear(&request);
}

static void check_answer(const uint8_t *bytes, size_t size)
{
	guint8 again[RUNNER_MAXIMUM_ANSWER_BYTES];
	RunnerAnswer answer;
	if (!runner_answer_decode(bytes, size, &answer))
		return;
	g_assert(runner_answer_encode(&answer, again) == size);
	g_assert(memcmp(again, bytes, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	check_request(bytes, size);
	check_answer(bytes, size);
	return 0;
}
