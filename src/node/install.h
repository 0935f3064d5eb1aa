/* SPDX-License-Identifier: ISC
 *
 * Installing, activating, going back and tidying up, each one an intent of the journal
 * (node/place.h). Killed at any instruction the node has the old or the new tree, whole, as
 * `current`, and place_open() finishes or cleans up.
 *
 *     index (signature, expiry, sequence or order) -> manifest (signature) -> fetch -> unpack or
 *     delta into .VERSION.tmp -> every file read again from the disk -> syncfs -> rename -> fsync
 *     of the parent -> journal
 *
 *     before-switch -> link made beside and renamed over `current` -> restart or handover ->
 *     health until good or health-timeout -> after-switch -> journal; otherwise back to what ran
 */
#ifndef NODE_INSTALL_H
#define NODE_INSTALL_H

#include "node/fetch.h"
#include "node/place.h"

typedef enum NodeStep {
	NODE_STEP_INDEX,
	NODE_STEP_FETCH,
	NODE_STEP_UNPACK,
	NODE_STEP_VERIFY,
	NODE_STEP_HOOK,
	NODE_STEP_SWITCH,
	NODE_STEP_RESTART,
	NODE_STEP_HEALTH,
} NodeStep;

typedef struct NodeDeed {
	Clock clock;
	gboolean is_ordered; /* by an authenticated order, or root's own word */
	/* May be NULL. `total` 0: unknown. */
	void (*progress)(NodeStep step, gint64 done, gint64 total, gpointer of);
	gpointer of;
	/* Makes the service run what `current` names: unit, command or handover. NULL: the
	 * product's own `unit` or `restart`. */
	gboolean (*restart)(
		const NodeProduct *product, const char *version, gpointer of, GError **error);
} NodeDeed;

/* Ends what place_open() could not end alone: restarts the service that an activation which was
 * killed had ended, or completes one that was healthy. Each deed below begins with it; whoever runs
 * for long calls it at its start. Nothing to do is success. Fails with DROVER_ERROR_INTERNAL and
 * "stuck" in it when what ran does not run again. */
gboolean node_recover(Place *place, const NodeDeed *deed, GError **error);

/* The index of the first source that has one that may be taken, remembered in the journal. The
 * newest version that is acceptable when `version` is NULL. Fails as index_may_follow(),
 * index_may_install(), fetch_*(). Already installed is success. *version_out: caller frees. */
gboolean node_install(Place *place, const NodeDeed *deed, const char *version, char **version_out,
	GError **error);
/* Takes the signature of an installed version anew, where the key of the one that is kept was
 * revoked and another has signed it since. Fails as node_install(). */
gboolean node_renew(Place *place, const NodeDeed *deed, const char *version, GError **error);
/* Makes an installed version run. DROVER_ERROR_CONFLICT: it was not healthy, and what ran runs
 * again; DROVER_ERROR_INTERNAL with "stuck" in it: the old one does not run either. */
gboolean node_activate(Place *place, const NodeDeed *deed, const char *version, GError **error);
/* To `version`, or what ran before when NULL. The same flip, never a rebuild. */
gboolean node_rollback(Place *place, const NodeDeed *deed, const char *version, GError **error);

/* What is on the disk compared with the signed manifest; `version` NULL: what runs. */
gboolean node_verify(Place *place, const char *version, gint64 now_us, TreeProgress progress,
	gpointer of, GError **error);

/* Removes all but `keep`, what runs, what ran before, and `named` (char *, may be NULL: what a
 * rollout names). Removed versions are appended to `removed` (char *, may be NULL). */
gboolean node_gc(Place *place, const NodeDeed *deed, gint64 keep, const GPtrArray *named,
	gboolean dry_run, GPtrArray *removed, GError **error);

/* A hook or health command: /bin/sh -c in PREFIX/releases/VERSION, what it says in
 * PREFIX/shared/log/WHAT.log (the last one only), with DROVER_PRODUCT, DROVER_VERSION,
 * DROVER_PREVIOUS (may be empty), DROVER_PREFIX; its whole process group is killed at the limit.
 * Fails with DROVER_ERROR_CONFLICT and the last lines it said. */
gboolean node_hook(const NodeProduct *product, const char *what, const char *command,
	const char *version, const char *previous, gint64 timeout_s, GError **error);
/* Asks `health` of the product until it is good or `health-timeout` is over; none: good. Fails with
 * DROVER_ERROR_CONFLICT and the last thing that was wrong. */
gboolean node_health(
	const NodeProduct *product, const char *version, const char *previous, GError **error);

#endif
