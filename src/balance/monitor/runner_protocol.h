/* SPDX-License-Identifier: ISC
 *
 * What runner and helper say to each other: one packet a message, numbers as the machine has them,
 * because both are one program on one machine. Pure.
 */
#ifndef BALANCE_MONITOR_RUNNER_PROTOCOL_H
#define BALANCE_MONITOR_RUNNER_PROTOCOL_H

#include "balance/monitor/runner.h"

typedef enum RunnerWish { RUNNER_WISH_RUN = 1, RUNNER_WISH_DROP } RunnerWish;

/* To the helper. */
typedef struct RunnerRequest {
	RunnerWish wish;
	guint32 id; /* of the command */
	gint64 timeout_ms;
	char **argv; /* NULL-terminated, at least one */
} RunnerRequest;

/* From the helper: a command has ended. */
typedef struct RunnerAnswer {
	guint32 id;
	RunnerEnd end;
	gint32 number;
	gsize output_bytes;
	char output[RUNNER_MAXIMUM_OUTPUT_BYTES];
} RunnerAnswer;

#define RUNNER_MAXIMUM_ANSWER_BYTES (16 + RUNNER_MAXIMUM_OUTPUT_BYTES)

/* NULL when the command is over the limits. `argv` is not read for RUNNER_WISH_DROP. */
GByteArray *runner_request_encode(
	RunnerWish wish, guint32 id, gint64 timeout_ms, const char *const *argv);
/* FALSE when it is no request. */
gboolean runner_request_decode(const guint8 *bytes, gsize size_bytes, RunnerRequest *request);
void runner_request_clear(RunnerRequest *request);

/* Returns its size. */
gsize runner_answer_encode(
	const RunnerAnswer *answer, guint8 bytes[static RUNNER_MAXIMUM_ANSWER_BYTES]);
gboolean runner_answer_decode(const guint8 *bytes, gsize size_bytes, RunnerAnswer *answer);

#endif
