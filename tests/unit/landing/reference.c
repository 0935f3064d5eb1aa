/* SPDX-License-Identifier: ISC
 *
 * Sentence by sentence what docs/landing.md says under "Verdicts" and "Deployable".
 */
#include "reference.h"

#include <string.h>

static gssize landing_of(const ReferenceHistory *history, gint64 rev)
{
	for (gsize v = 0; v < history->count; v++) {
		if (history->landings[v].rev == rev)
			return (gssize)v;
	}
	return -1;
}

/* A target not older than the rollback itself, or a hole inside the known window. */
gboolean reference_malformed(const ReferenceHistory *history, gsize landing)
{
	const ReferenceLanding *v = &history->landings[landing];
	for (gsize i = 0; i < v->rollback_count; i++) {
		gint64 target = v->rollback_of[i];
		gboolean historic = target < history->landings[0].rev;
		if (target >= v->rev || (!historic && landing_of(history, target) < 0))
			return TRUE;
	}
	return FALSE;
}

static gboolean has_item(const ReferenceLanding *landing, guint32 item)
{
	for (gsize i = 0; i < landing->item_count; i++) {
		if (landing->items[i] == item)
			return TRUE;
	}
	return FALSE;
}

static gboolean linked_to_target(const ReferenceHistory *history, gsize landing, guint32 item)
{
	const ReferenceLanding *v = &history->landings[landing];
	if (reference_malformed(history, landing))
		return FALSE;
	for (gsize i = 0; i < v->rollback_count; i++) {
		gssize target = landing_of(history, v->rollback_of[i]);
		if (target < 0)
			continue;
		if (has_item(&history->landings[target], item) ||
			linked_to_target(history, (gsize)target, item))
			return TRUE;
	}
	return FALSE;
}

ItemState reference_item(const ReferenceHistory *history, gsize landing, gsize item)
{
	const ReferenceLanding *v = &history->landings[landing];
	if (v->states[item] != ITEM_UNRULED)
		return v->states[item];
	switch (v->qa) {
	case LANDING_QA_NO_QA:
	case LANDING_QA_INCR:
	case LANDING_QA_OK:
		return ITEM_UNTESTABLE;
	case LANDING_QA_REQUIRED:
	case LANDING_QA_BAD:
		break;
	}
	return linked_to_target(history, landing, v->items[item]) ? ITEM_UNTESTABLE
								  : ITEM_NEEDS_TESTING;
}

LandingState reference_state(const ReferenceHistory *history, gsize landing)
{
	const ReferenceLanding *v = &history->landings[landing];
	gsize passed = 0;
	if (v->rev <= history->baseline)
		return LANDING_GOOD;
	if (v->qa == LANDING_QA_BAD)
		return LANDING_BAD;
	for (gsize i = 0; i < v->item_count; i++) {
		ItemState state = reference_item(history, landing, i);
		if (state == ITEM_BAD)
			return LANDING_BAD;
		if (state == ITEM_OK || state == ITEM_UNTESTABLE)
			passed++;
	}
	if (reference_malformed(history, landing) && v->qa != LANDING_QA_OK)
		return LANDING_PENDING;
	if (v->item_count > 0)
		return passed == v->item_count ? LANDING_GOOD : LANDING_PENDING;
	if (v->qa == LANDING_QA_OK || v->qa == LANDING_QA_NO_QA || v->rollback_count > 0)
		return LANDING_GOOD;
	return LANDING_PENDING;
}

void reference_tree(const ReferenceHistory *history, gsize tip, gboolean *tree)
{
	/* changed[v][c]: what landing v did to change c: 1 came in, -1 went out, 0 nothing. */
	gint changed[REFERENCE_LANDINGS][REFERENCE_LANDINGS] = {0};
	memset(tree, 0, REFERENCE_LANDINGS * sizeof *tree);
	for (gsize v = 0; v <= tip; v++) {
		gboolean before[REFERENCE_LANDINGS];
		memcpy(before, tree, sizeof before);
		tree[v] = TRUE;
		for (gssize target = (gssize)v - 1; target >= 0; target--) {
			const ReferenceLanding *landing = &history->landings[v];
			gboolean named = FALSE;
			for (gsize i = 0; i < landing->rollback_count; i++)
				named |= landing->rollback_of[i] == history->landings[target].rev;
			if (!named || reference_malformed(history, v))
				continue;
			for (gsize c = 0; c < v; c++) {
				if (changed[target][c] != 0)
					tree[c] = changed[target][c] < 0;
			}
		}
		for (gsize c = 0; c <= v; c++)
			changed[v][c] = tree[c] - before[c];
	}
}

void reference_blockers(
	const ReferenceHistory *history, const gboolean *tree, gsize tip, gboolean *blocks)
{
	for (gsize v = 0; v <= tip; v++) {
		LandingState state = reference_state(history, v);
		gboolean fixed = FALSE;
		for (gsize f = v + 1; f <= tip; f++) {
			const ReferenceLanding *fixer = &history->landings[f];
			for (gsize i = 0; i < fixer->fix_count; i++)
				fixed |= tree[f] && fixer->fixes[i] == history->landings[v].rev;
		}
		blocks[v] =
			tree[v] && (state == LANDING_PENDING || (state == LANDING_BAD && !fixed));
	}
}
