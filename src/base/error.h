/* SPDX-License-Identifier: ISC
 *
 * The one error domain. Its codes say what the person who meets the error can do about it, because
 * that is what survives the way from a heart through the store and the API to a terminal on another
 * host: the command's exit status, the API's status and its "kind" all come from this code. Where
 * it happened, and to what, stands in the message.
 *
 * A message is for the person who can act on it: what was tried, on what, what is wrong, what to
 * do.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <glib.h>

#define DROVER_ERROR (drover_error_quark())
GQuark drover_error_quark(void);

typedef enum DroverErrorCode {
	DROVER_ERROR_INTERNAL = 1,    /* a fault of ours or of the machine (disk full): exit 1 */
	DROVER_ERROR_INPUT,	      /* what was given cannot be read or is not allowed: exit 2 */
	DROVER_ERROR_NOT_FOUND,	      /* no such thing: exit 3 */
	DROVER_ERROR_CONFLICT,	      /* exists already, or edited from a stale version: exit 4 */
	DROVER_ERROR_DENIED,	      /* known person, lacking the role: exit 5 */
	DROVER_ERROR_UNAUTHENTICATED, /* no valid token or session: exit 5 */
	DROVER_ERROR_LOCKED,	      /* another copy of this job is at work: exit 6 */
	DROVER_ERROR_MAINTENANCE,     /* the maintenance switch is on: exit 7 */
	DROVER_ERROR_UNAVAILABLE,     /* database or server away, try again later: exit 8 */
	DROVER_ERROR_FROZEN,	      /* the branch was rewritten, a person must confirm: exit 9 */
	DROVER_ERROR_ROOT,	      /* refused to run as root: exit 10 */
	DROVER_ERROR_TOO_LARGE,	      /* over a limit: exit 2 */
	DROVER_ERROR_RATE,	      /* too many tries, wait: exit 8 */
	DROVER_ERROR_LAST = DROVER_ERROR_RATE,
} DroverErrorCode;

/* The code's name in API answers and logs: "not-found". Static. Unknown codes give "internal". */
const char *drover_error_kind(int code);
/* The other way; DROVER_ERROR_INTERNAL for a name that is none. */
DroverErrorCode drover_error_code_from_kind(const char *kind);
/* The exit status that `error` gives a program; 1 for errors of other domains. */
int drover_error_exit_status(const GError *error);
/* TRUE when `error` is of this domain and code. `error` may be NULL. */
gboolean drover_error_is(const GError *error, DroverErrorCode code);
/* g_set_error with our domain. The message is UTF-8 whatever it quotes, and wherever it cuts that
 * off. */
void drover_error_set(GError **error, DroverErrorCode code, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

#endif
