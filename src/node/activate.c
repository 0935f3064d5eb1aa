/* SPDX-License-Identifier: ISC
 *
 * Making an installed release run, and going back: before-switch, the link, the restart, health,
 * after-switch; or all of it back (node/install.h). The journal has each step before it begins.
 */
#include <string.h>
#include <unistd.h>

#include "node/hook.h"
#include "node/place_parts.h"

static void tell(const NodeDeed *deed, NodeStep step)
{
	if (deed->progress != NULL)
		deed->progress(step, 0, 0, deed->of);
}

static const char *or_nothing(const char *version)
{
	return version != NULL ? version : "nothing";
}

/* the service ---------------------------------------------------------------------------------- */

static gboolean restart(Place *place, const NodeDeed *deed, const char *version,
	const char *previous, GError **error)
{
	const NodeProduct *product = place->product;
	const char *const systemctl[] = {"systemctl", "restart", "--", product->unit, NULL};
	tell(deed, NODE_STEP_RESTART);
	if (deed->restart != NULL)
		return deed->restart(product, version, deed->of, error);
	if (product->unit != NULL)
		return hook_run(product, "restart", systemctl, version, previous,
			product->hook_timeout_s * 1000, error);
	return product->restart == NULL || node_hook(product, "restart", product->restart, version,
						   previous, product->hook_timeout_s, error);
}

static gboolean bring_up(Place *place, const NodeDeed *deed, const char *version,
	const char *previous, GError **error)
{
	if (!restart(place, deed, version, previous, error))
		return FALSE;
	tell(deed, NODE_STEP_HEALTH);
	return node_health(place->product, version, previous, error);
}

/* TRUE: what ran runs again. */
static gboolean bring_back(Place *place, const NodeDeed *deed, GError **error)
{
	g_autofree char *old = g_strdup(place->intent.previous);
	g_autofree char *new = g_strdup(place->intent.version);
	if (place_flip(place, old, error) &&
		(old == NULL || bring_up(place, deed, old, new, error)) && place_end(place, error))
		return TRUE;
	/* Nobody is helped by trying the restart again and again. */
	if (g_strcmp0(place->current, old) == 0)
		place_end(place, NULL);
	return FALSE;
}

/* Always FALSE: `why` is what was wrong with the new one. */
static gboolean go_back(Place *place, const NodeDeed *deed, const GError *why, GError **error)
{
	const char *product = place->product->name;
	g_autofree char *old = g_strdup(or_nothing(place->intent.previous));
	g_autofree char *new = g_strdup(place->intent.version);
	g_autoptr(GError) fault = NULL;
	/* When not even the journal can be written, the link still goes back: place_open() would
	 * do the same with the step before. */
	place_step(place, "back", NULL);
	if (bring_back(place, deed, &fault))
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s %s does not run: %s; %s runs again", product, new, why->message, old);
	else
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"%s is stuck: %s does not run (%s), and %s does not run again: %s", product,
			new, why->message, old, fault->message);
	return FALSE;
}

/* the steps ------------------------------------------------------------------------------------ */

static gboolean after_switch(Place *place, const NodeDeed *deed, GError **error)
{
	const NodeProduct *product = place->product;
	tell(deed, NODE_STEP_HOOK);
	return product->after_switch == NULL ||
	       node_hook(product, "after-switch", product->after_switch, place->intent.version,
		       place->intent.previous, product->hook_timeout_s, error);
}

/* It runs: from here on it is what ran. */
static gboolean settle(Place *place, const NodeDeed *deed, GError **error)
{
	Installed *installed = (Installed *)place_find(place, place->intent.version);
	if (installed != NULL) {
		installed->ran_us = clock_now_us(deed->clock);
		place->floor = MAX(place->floor, installed->min_rollback_sequence);
	}
	g_free(place->previous);
	place->previous = g_strdup(place->intent.previous);
	return place_end(place, error);
}

static gboolean complete(Place *place, const NodeDeed *deed, GError **error)
{
	g_autoptr(GError) why = NULL;
	if (!after_switch(place, deed, &why))
		return go_back(place, deed, why, error);
	return settle(place, deed, error);
}

static gboolean switch_over(Place *place, const NodeDeed *deed, GError **error)
{
	Intent *intent = &place->intent;
	tell(deed, NODE_STEP_SWITCH);
	return place_step(place, "switched", error) && place_flip(place, intent->version, error) &&
	       place_step(place, "restarted", error) &&
	       bring_up(place, deed, intent->version, intent->previous, error) &&
	       place_step(place, "healthy", error);
}

static gboolean before_switch(Place *place, const NodeDeed *deed, GError **error)
{
	const NodeProduct *product = place->product;
	tell(deed, NODE_STEP_HOOK);
	if (product->before_switch == NULL ||
		node_hook(product, "before-switch", product->before_switch, place->intent.version,
			place->intent.previous, product->hook_timeout_s, error))
		return TRUE;
	g_prefix_error(error, "%s %s is not activated, %s goes on: ", product->name,
		place->intent.version, or_nothing(place->intent.previous));
	place_end(place, NULL);
	return FALSE;
}

static gboolean activate(Place *place, const NodeDeed *deed, const char *version, GError **error)
{
	g_autoptr(GError) why = NULL;
	if (!place_begin(place, INTENT_ACTIVATE, version, place->current, "before-switch",
		    clock_now_us(deed->clock), error) ||
		!before_switch(place, deed, error))
		return FALSE;
	if (!switch_over(place, deed, &why))
		return go_back(place, deed, why, error);
	return complete(place, deed, error);
}

/* the deeds ------------------------------------------------------------------------------------ */

gboolean node_recover(Place *place, const NodeDeed *deed, GError **error)
{
	if (place->intent.kind != INTENT_ACTIVATE)
		return TRUE;
	if (strcmp(place->intent.step, "healthy") == 0)
		return complete(place, deed, error);
	g_autoptr(GError) fault = NULL;
	if (bring_back(place, deed, &fault))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL,
		"%s is stuck: an activation was interrupted, and %s does not run again: %s",
		place->product->name, or_nothing(place->current), fault->message);
	return FALSE;
}

static gboolean may_run(Place *place, const NodeDeed *deed, const char *version, GError **error)
{
	const Installed *installed = place_find(place, version);
	const Installed *running = place_find(place, place->current);
	if (installed == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"%s %s is not installed here: drover-node install %s %s",
			place->product->name, version, place->product->name, version);
		return FALSE;
	}
	const InstallWish wish = {.version = version,
		.sequence = installed->sequence,
		.sha256 = installed->manifest_sha256,
		.running = running != NULL ? running->sequence : 0,
		.floor = place->floor,
		.is_ordered = deed->is_ordered};
	return install_may_replace(&wish, error);
}

static void tell_verified(guint files, gint64 size_bytes, gpointer of)
{
	const NodeDeed *deed = of;
	if (deed->progress != NULL)
		deed->progress(NODE_STEP_VERIFY, size_bytes, 0, deed->of);
}

/* When its key was revoked, the sources are asked whether another has signed it since: the one case
 * in which activating needs them. */
static gboolean is_signed(Place *place, const NodeDeed *deed, const char *version, GError **error)
{
	g_autoptr(GError) fault = NULL;
	g_autoptr(Manifest) kept =
		place_manifest(place, version, clock_now_us(deed->clock), &fault);
	if (kept != NULL || (drover_error_is(fault, DROVER_ERROR_DENIED) &&
				    node_renew(place, deed, version, NULL)))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&fault));
	return FALSE;
}

gboolean node_activate(Place *place, const NodeDeed *deed, const char *version, GError **error)
{
	if (!node_recover(place, deed, error) || !may_run(place, deed, version, error))
		return FALSE;
	if (g_strcmp0(version, place->current) == 0)
		return TRUE;
	/* Since it was installed, the disk had time to change. */
	return is_signed(place, deed, version, error) &&
	       node_verify(place, version, clock_now_us(deed->clock), tell_verified, (gpointer)deed,
		       error) &&
	       activate(place, deed, version, error);
}

gboolean node_rollback(Place *place, const NodeDeed *deed, const char *version, GError **error)
{
	NodeDeed ordered = *deed;
	if (!node_recover(place, deed, error))
		return FALSE;
	g_autofree char *to = g_strdup(version != NULL ? version : place->previous);
	if (to == NULL && place->current == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"nothing of %s runs yet: activate a version instead", place->product->name);
	else if (to == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"nothing ran before %s of %s: name the version to go back to",
			place->current, place->product->name);
	if (to == NULL)
		return FALSE;
	/* Whoever may call this is root, and root's word is an order. */
	ordered.is_ordered = TRUE;
	return node_activate(place, &ordered, to, error);
}
