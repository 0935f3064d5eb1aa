/* SPDX-License-Identifier: ISC
 *
 * One look at a service's health, in a process of its own so that nobody waits for it.
 */
#ifndef NODE_HOLD_PROBE_H
#define NODE_HOLD_PROBE_H

#include "node/config.h"
#include "node/hold/listen.h"

#define PROBE_S			   10 /* for one look */
#define PROBE_EVERY_MS		   200
#define PROBE_MAXIMUM_ANSWER_BYTES 4096 /* that is read of an HTTP answer */

typedef struct Probe {
	const NodeProduct *product;
	ListenAddress at; /* instead of where `health` says */
	char **environment;
	const char *folder;
} Probe;

/* Starts a look; its process ends with status 0 when the service is healthy: `health` succeeds, or
 * its URL, asked at `at`, answers 200. Without `health`: it takes a connection, and, when
 * `wants_answer`, answers HTTP at health_path with a status below 500. */
pid_t probe_start(const Probe *probe, gboolean wants_answer, int *pidfd_out, GError **error);

/* The status of an HTTP answer's first bytes; 0: it is none, or not yet. */
int probe_status(const char *text, gsize size_bytes);
/* The path and query of an http:// URL, "/" when it has none. Caller frees. */
char *probe_path(const char *url);

#endif
