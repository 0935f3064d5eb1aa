/* SPDX-License-Identifier: ISC
 *
 * How a balancer becomes one of droverd's hosts: it trades its one-time code (`drover host invite
 * NAME --kind balancer`) for a token of its own, and keeps that in a file. Rule: docs/hosts.md.
 */
#ifndef BALANCE_DIRECTOR_ENROL_H
#define BALANCE_DIRECTOR_ENROL_H

#include "base/error.h"

#define ENROL_TIMEOUT_MS	 (30 * 1000) /* of the whole exchange, name and all */
#define ENROL_MAXIMUM_CODE_BYTES 1024

typedef struct EnrolCall {
	const char
		*server; /* "https://HOST[:PORT]"; http:// only to this machine, or with `plain` */
	const char *ca_file; /* NULL: the system's */
	const char *token_file;
	const char *code;    /* blanks around it do not count */
	const char *version; /* of this program */
	gboolean plain;
} EnrolCall;

/* Blocks, with a loop of its own. The token file is there when it succeeds, mode 0600, and as it
 * was when it fails; that it can be written is seen to before the code is used up. Returns the name
 * that droverd knows us by; caller frees. Fails with DROVER_ERROR_INPUT, DROVER_ERROR_UNAVAILABLE
 * or what droverd says. */
char *enrol_host(const EnrolCall *call, GError **error);

#endif
