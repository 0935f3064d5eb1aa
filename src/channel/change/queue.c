/* SPDX-License-Identifier: ISC
 *
 * The order of the queue, its prefixes and what they make of live.
 */
#include "channel/change/queue.h"

struct Queue {
	GPtrArray *changes; /* json_t * */
};

typedef struct Conflict {
	gint64 change;
	char *why;
	Footprint *footprint;
} Conflict;

struct Overlay {
	State *state;
	gboolean must_map;
	GPtrArray *conflicts; /* Conflict */
};

gint64 change_id(const json_t *change)
{
	return json_integer_value(json_object_get(change, "id"));
}

gint64 change_when(const json_t *change)
{
	return json_integer_value(json_object_get(change, "when"));
}

/* The order ------------------------------------------------------------------------------------ */

static gint by_order(gconstpointer a, gconstpointer b)
{
	const json_t *first = *(json_t *const *)a, *second = *(json_t *const *)b;
	gint64 when = change_when(first), other_when = change_when(second);
	gint64 id = change_id(first), other_id = change_id(second);
	if (when != other_when)
		return when < other_when ? -1 : 1;
	return id < other_id ? -1 : id > other_id;
}

static gboolean refuse(GError **error, const char *what)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "pending: %s", what);
	return FALSE;
}

static gboolean add_changes(Queue *queue, const json_t *changes, GError **error)
{
	g_autoptr(GHashTable) ids =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	for (gsize i = 0; i < json_array_size(changes); i++) {
		json_t *change = json_array_get(changes, i);
		gint64 id = change_id(change);
		if (!json_is_integer(json_object_get(change, "id")) ||
			!json_is_integer(json_object_get(change, "when")))
			return refuse(error, "must be a list of objects with id and when");
		if (!g_hash_table_add(ids, g_memdup2(&id, sizeof id)))
			return refuse(error, "two changes have one id");
		g_ptr_array_add(queue->changes, json_incref(change));
	}
	g_ptr_array_sort(queue->changes, by_order);
	return TRUE;
}

Queue *queue_new(const json_t *changes, GError **error)
{
	if (changes != NULL && !json_is_array(changes)) {
		refuse(error, "must be a list");
		return NULL;
	}
	if (json_array_size(changes) > QUEUE_MAXIMUM_CHANGES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE, "pending: may be %d changes",
			QUEUE_MAXIMUM_CHANGES);
		return NULL;
	}
	g_autoptr(Queue) queue = g_new0(Queue, 1);
	queue->changes = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	return add_changes(queue, changes, error) ? g_steal_pointer(&queue) : NULL;
}

void queue_free(Queue *queue)
{
	if (queue == NULL)
		return;
	g_ptr_array_unref(queue->changes);
	g_free(queue);
}

guint queue_size(const Queue *queue)
{
	return queue->changes->len;
}

json_t *queue_change(const Queue *queue, guint place)
{
	g_assert(place < queue->changes->len);
	return queue->changes->pdata[place];
}

/* Cuts ----------------------------------------------------------------------------------------- */

gboolean queue_prefix(const Queue *queue, Cut cut, guint *count, GError **error)
{
	guint size = queue_size(queue);
	*count = 0;
	if (cut.kind == CUT_ALL)
		*count = size;
	while (cut.kind == CUT_UNTIL && *count < size &&
		change_when(queue_change(queue, *count)) <= cut.number)
		++*count;
	for (guint i = 0; cut.kind == CUT_THROUGH && i < size; i++)
		if (change_id(queue_change(queue, i)) == cut.number)
			*count = i + 1;
	if (cut.kind != CUT_THROUGH || *count > 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"no change %" G_GINT64_FORMAT " is in the queue", cut.number);
	return FALSE;
}

/* Overlays ------------------------------------------------------------------------------------- */

static void conflict_free(gpointer item)
{
	Conflict *conflict = item;
	g_free(conflict->why);
	footprint_free(conflict->footprint);
	g_free(conflict);
}

Overlay *overlay_new(State *live, gboolean must_map)
{
	Overlay *overlay = g_new0(Overlay, 1);
	overlay->state = state_ref(live);
	overlay->must_map = must_map;
	overlay->conflicts = g_ptr_array_new_with_free_func(conflict_free);
	return overlay;
}

void overlay_free(Overlay *overlay)
{
	if (overlay == NULL)
		return;
	state_unref(overlay->state);
	g_ptr_array_unref(overlay->conflicts);
	g_free(overlay);
}

static gboolean waits(const Overlay *overlay, const Footprint *footprint, GError **error)
{
	for (guint i = 0; i < overlay->conflicts->len; i++) {
		const Conflict *conflict = overlay->conflicts->pdata[i];
		if (footprints_are_disjoint(conflict->footprint, footprint))
			continue;
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"waits behind change %" G_GINT64_FORMAT, conflict->change);
		return TRUE;
	}
	return FALSE;
}

/* What its last re-basing could not merge would overwrite what others wrote. */
static gboolean is_in_conflict(const json_t *change, GError **error)
{
	const json_t *first = json_array_get(json_object_get(change, "conflicts"), 0);
	const char *column = json_string_value(json_object_get(first, "column"));
	if (first == NULL)
		return FALSE;
	drover_error_set(error, DROVER_ERROR_CONFLICT, "%s %s: %s: was edited on both sides",
		json_string_value(json_object_get(first, "table")),
		json_string_value(json_object_get(first, "key")),
		column != NULL ? column : "the row");
	return TRUE;
}

static State *apply(const Overlay *overlay, const json_t *change, GError **error)
{
	if (is_in_conflict(change, error))
		return NULL;
	g_autoptr(State) next = state_apply(overlay->state, change, error);
	if (next == NULL)
		return NULL;
	if (overlay->must_map && !state_check_mappings(next, change, error))
		return NULL;
	return g_steal_pointer(&next);
}

gboolean overlay_enact(Overlay *overlay, const json_t *change, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(State) next = apply(overlay, change, &problem);
	g_autoptr(Footprint) footprint = NULL;
	if (next == NULL || overlay->conflicts->len > 0)
		footprint = footprint_new(overlay->state, change);
	if (next != NULL && (footprint == NULL || !waits(overlay, footprint, &problem))) {
		state_unref(overlay->state);
		overlay->state = g_steal_pointer(&next);
		return TRUE;
	}
	g_prefix_error(&problem, "change %" G_GINT64_FORMAT ": ", change_id(change));
	Conflict *conflict = g_new0(Conflict, 1);
	conflict->change = change_id(change);
	conflict->why = g_strdup(problem->message);
	conflict->footprint = g_steal_pointer(&footprint);
	g_ptr_array_add(overlay->conflicts, conflict);
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

Overlay *queue_overlay(const Queue *queue, State *live, Cut cut, gboolean must_map, GError **error)
{
	guint count;
	if (!queue_prefix(queue, cut, &count, error))
		return NULL;
	Overlay *overlay = overlay_new(live, must_map);
	for (guint i = 0; i < count; i++)
		overlay_enact(overlay, queue_change(queue, i), NULL);
	return overlay;
}

State *overlay_state(const Overlay *overlay)
{
	return overlay->state;
}

const char *overlay_undefined_within(
	const Overlay *overlay, guint conflicts, const char *product, const char *channel)
{
	for (guint i = 0; i < conflicts; i++) {
		const Conflict *conflict = overlay->conflicts->pdata[i];
		if (footprint_alters(conflict->footprint, product, channel))
			return conflict->why;
	}
	return NULL;
}

const char *overlay_undefined(const Overlay *overlay, const char *product, const char *channel)
{
	return overlay_undefined_within(overlay, overlay->conflicts->len, product, channel);
}

guint overlay_conflicts(const Overlay *overlay)
{
	return overlay->conflicts->len;
}

const char *overlay_conflict(const Overlay *overlay, guint index, gint64 *change)
{
	const Conflict *conflict = overlay->conflicts->pdata[index];
	if (change != NULL)
		*change = conflict->change;
	return conflict->why;
}
