/* SPDX-License-Identifier: ISC
 *
 * From a secret to an actor: tokens, sessions, passwords and one-time links. The store keeps only
 * digests. Each function opens its own transactions. What fails says DROVER_ERROR_UNAUTHENTICATED
 * with the same words whether the name, the password or the secret was wrong.
 */
#ifndef API_IDENTITY_H
#define API_IDENTITY_H

#include "api/api.h"

#define SESSION_HOURS		   12
#define LOGIN_FAILURES_PER_NAME	   5 /* within LOGIN_WINDOW_MINUTES, then DROVER_ERROR_RATE */
#define LOGIN_FAILURES_PER_ADDRESS 20
#define LOGIN_WINDOW_MINUTES	   15
#define LOGIN_LINK_MINUTES	   60
#define ENROLMENT_HOURS		   24
#define TOKEN_DAYS		   90 /* unless the caller says otherwise */
#define TOKEN_MAXIMUM_DAYS	   366
#define CLOCK_WARNING_MS	   2000 /* a host's clock that is further off is told and shown */
#define PASSWORD_MINIMUM_BYTES	   10
#define PASSWORD_MAXIMUM_BYTES	   1024

#define SESSION_COOKIE "drover-session"

/* What a secret begins with tells what it is, to us and to tools that look for secrets in the wrong
 * places. */
#define TOKEN_PREFIX	  "drt_"
#define HOST_TOKEN_PREFIX "drh_"
#define ENROLMENT_PREFIX  "dre_"
#define SESSION_PREFIX	  "drs_"

#define TOKEN_NAME_MAXIMUM_BYTES   100
#define TOKENS_PER_PERSON	   100 /* that are neither revoked nor expired */
#define TOKEN_USED_EVERY_S	   60  /* how exactly it is kept when a token was used */
#define HOST_NAME_MAXIMUM_BYTES	   253
#define HOST_VERSION_MAXIMUM_BYTES 100

/* A person's or a host's token, as sent in Authorization: Bearer. */
Actor *identity_from_token(const ApiSite *site, Store *store, const char *secret, GError **error);
/* *csrf (caller frees) is what this session's forms must carry. */
Actor *identity_from_session(
	const ApiSite *site, Store *store, const char *cookie, char **csrf, GError **error);
/* The person whom this token or session let in, as they are now; NULL without an error when it lets
 * nobody in any more. Looking again is no use of a token. */
Actor *identity_again(const ApiSite *site, Store *store, const char *secret, GError **error);
/* Counts failures by name and by `peer`, also across droverds. *cookie: caller frees. */
gboolean identity_log_in(const ApiSite *site, Store *store, const char *name, const char *password,
	const char *peer, char **cookie, GError **error);
/* The link is used up, also when two ask at once: exactly one gets in. */
gboolean identity_log_in_by_link(const ApiSite *site, Store *store, const char *code,
	const char *peer, char **cookie, GError **error);
/* Ends the session; an unknown one is success. */
gboolean identity_log_out(Store *store, const char *cookie, GError **error);

#endif
