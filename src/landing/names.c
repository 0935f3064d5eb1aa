/* SPDX-License-Identifier: ISC
 *
 * The words for states, as they stand in files, API answers and commands.
 */
#include "landing/deployable.h"

#include <string.h>

static const char *const item_states[] = {
	[ITEM_UNRULED] = NULL,
	[ITEM_NEEDS_TESTING] = "needs-testing",
	[ITEM_OK] = "ok",
	[ITEM_BAD] = "bad",
	[ITEM_UNTESTABLE] = "untestable",
};

static const char *const landing_qas[] = {
	[LANDING_QA_REQUIRED] = "required",
	[LANDING_QA_NO_QA] = "no-qa",
	[LANDING_QA_INCR] = "incr",
	[LANDING_QA_OK] = "ok",
	[LANDING_QA_BAD] = "bad",
};

static const char *const landing_states[] = {
	[LANDING_PENDING] = "PENDING",
	[LANDING_GOOD] = "GOOD",
	[LANDING_BAD] = "BAD",
};

static const char *const rollback_faults[] = {
	[ROLLBACK_FAULT_NONE] = NULL,
	[ROLLBACK_FAULT_TARGET] =
		"it names a landing that is not older than itself, or is none of this branch",
	[ROLLBACK_FAULT_NESTING] = "it is a rollback of rollbacks, more than " G_STRINGIFY(
		LANDING_MAXIMUM_NESTING) " deep",
	[ROLLBACK_FAULT_REACH] = "it would undo more than this branch's rollbacks may in all",
};

/* The position of `name` in `names`, or -1. */
static gssize position_of(const char *name, const char *const *names, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		if (names[i] != NULL && strcmp(names[i], name) == 0)
			return (gssize)i;
	}
	return -1;
}

const char *item_state_name(ItemState state)
{
	g_assert(state < G_N_ELEMENTS(item_states));
	return item_states[state];
}

gboolean item_state_parse(const char *name, ItemState *state)
{
	gssize found = position_of(name, item_states, G_N_ELEMENTS(item_states));
	if (found < 0)
		return FALSE;
	*state = (ItemState)found;
	return TRUE;
}

const char *landing_qa_name(LandingQa qa)
{
	g_assert(qa < G_N_ELEMENTS(landing_qas));
	return landing_qas[qa];
}

gboolean landing_qa_parse(const char *name, LandingQa *qa)
{
	gssize found = position_of(name, landing_qas, G_N_ELEMENTS(landing_qas));
	if (found < 0)
		return FALSE;
	*qa = (LandingQa)found;
	return TRUE;
}

const char *landing_state_name(LandingState state)
{
	g_assert(state < G_N_ELEMENTS(landing_states));
	return landing_states[state];
}

const char *rollback_fault_describe(RollbackFault fault)
{
	g_assert(fault < G_N_ELEMENTS(rollback_faults));
	return rollback_faults[fault];
}
