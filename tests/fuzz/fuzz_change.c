/* SPDX-License-Identifier: ISC
 *
 * {"rows": {TABLE: [row]}, "pending": [change], "now": [change]} from anyone: applied, digested,
 * merged and put in a queue. What is applied is what its content says; what was re-based fits.
 */
#include <stdint.h>
#include <string.h>

#include "channel/change/rebase.h"
#include "channel/change/sign_off.h"
#include "channel/digest.h"
#include "channel/row/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static State *read_state(const json_t *file)
{
	State *state = state_new();
	for (guint i = 0; i < STATE_TABLES; i++) {
		const json_t *rows = json_object_get(
			json_object_get(file, "rows"), state_table_name((StateTable)i));
		for (gsize j = 0; j < json_array_size(rows); j++)
			state_add(state, (StateTable)i, json_array_get(rows, j), NULL);
	}
	return state;
}

static void try_change(State *state, const json_t *change)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(State) after = state_apply(state, change, &error);
	g_autoptr(GError) why = NULL;
	json_t *content = content_of(state, change, &why);
	g_assert((after == NULL) == (error != NULL));
	g_assert((content == NULL) == (why != NULL));
	g_assert((content == NULL) == (after == NULL));
	if (error != NULL)
		g_assert(g_utf8_validate(error->message, -1, NULL));
	if (content != NULL)
		g_free(content_digest(content));
	footprint_free(footprint_new(state, change));
	g_array_unref(content_required_roles(state, change));
	json_decref(content);
	if (after != NULL) {
		state_check_mappings(after, change, NULL);
		rows_check(state, after, ROW_WAITS, NULL);
		g_autoptr(Snapshot) snapshot = snapshot_new(after, NULL, NULL);
		g_free(digest_of(snapshot, "P", "release"));
	}
}

static void try_rebase(const State *base, const State *now, const json_t *change)
{
	g_autoptr(GError) error = NULL;
	json_t *conflicts = json_array();
	json_t *rebased = rebase_change(base, now, change, conflicts, &error);
	g_assert((rebased == NULL) == (error != NULL));
	if (rebased != NULL) {
		g_autoptr(State) after = state_apply(now, rebased, &error);
		g_assert(after != NULL || strstr(error->message, "alias") != NULL);
	}
	json_decref(rebased);
	json_decref(conflicts);
}

static void try_queues(const json_t *file, State *state, const State *now)
{
	g_autoptr(Queue) old = queue_new(json_object_get(file, "pending"), NULL);
	g_autoptr(Queue) new = queue_new(json_object_get(file, "now"), NULL);
	if (old == NULL || queue_size(old) > 20 || (new != NULL &&queue_size(new) > 20))
		return;
	for (guint i = 0; i < queue_size(old); i++) {
		try_change(state, queue_change(old, i));
		try_rebase(state, now, queue_change(old, i));
	}
	g_autoptr(Overlay) overlay = queue_overlay(old, state, (Cut){.kind = CUT_ALL}, TRUE, NULL);
	overlay_undefined(overlay, "P", "release");
	if (new != NULL)
		g_array_unref(rebase_queue(old, state, new, overlay_state(overlay)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *file = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	if (file == NULL)
		return 0;
	g_autoptr(State) state = read_state(file);
	g_autoptr(State) applied = state_apply(state, json_object_get(file, "edit"), NULL);
	try_queues(file, state, applied != NULL ? applied : state);
	json_decref(file);
	return 0;
}
