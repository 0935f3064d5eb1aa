/* SPDX-License-Identifier: ISC
 *
 * May a new server list be obeyed? Pure: the pool and the list in, a decision and its reason out.
 */
#ifndef BALANCE_GUARD_H
#define BALANCE_GUARD_H

#include "balance/server_list.h"

typedef struct GuardPolicy {
	gboolean list_guard;  /* set lists aside that would cost too much */
	gboolean allow_empty; /* an empty list is meant */
	gboolean have_last;   /* there is a last good list to keep */
	gboolean forced;      /* a person wants this very list */
} GuardPolicy;

typedef enum GuardDecision {
	GUARD_OBEY,
	GUARD_OBEY_GOOD_LINES, /* with an alert */
	GUARD_KEEP_LAST,       /* with an alert: the new list is no good */
	GUARD_SET_ASIDE,       /* with an alert: it is good, but would take too much away */
} GuardDecision;

/* *why is NULL for GUARD_OBEY, else what the alert says. Caller frees. A list that could not be
 * fetched is never asked about: the last one stays. */
GuardDecision guard_decide(
	const Pool *pool, const ServerList *list, const GuardPolicy *policy, char **why);

#endif
