/* SPDX-License-Identifier: ISC
 *
 * What a node does next.
 */
#include "node/follow.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

static void mark_clear(FollowMark *mark)
{
	g_clear_pointer(&mark->version, g_free);
	mark->order_id = 0;
}

static void mark_set(FollowMark *mark, const Order *order)
{
	mark_clear(mark);
	if (order == NULL)
		return;
	mark->version = g_strdup(order->version != NULL ? order->version : "");
	mark->order_id = order->order_id;
}

/* Has the order not moved since? */
static gboolean mark_is(const FollowMark *mark, const Order *order)
{
	const char *version = order->version != NULL ? order->version : "";
	return mark->version != NULL && strcmp(mark->version, version) == 0 &&
	       mark->order_id == order->order_id;
}

void follow_memory_clear(FollowMemory *memory)
{
	mark_clear(&memory->failed);
	mark_clear(&memory->by_hand);
	mark_clear(&memory->tidied);
	g_free(memory->error);
	g_free(memory->by_hand_version);
	*memory = (FollowMemory){0};
}

void follow_next_clear(FollowNext *next)
{
	g_clear_pointer(&next->why, g_free);
}

double follow_pause(guint failures, double first_s, double last_s, double lot)
{
	double pause_s = first_s;
	for (guint i = 1; i < failures && pause_s < last_s; i++)
		pause_s *= 2;
	pause_s = MIN(pause_s, last_s);
	return pause_s / 2 + pause_s / 2 * lot;
}

/* Something was away or busy, which passes by itself; so does a full disk. But what is installed
 * and could not be made to run may be stuck, and restarts must not get in the way of who mends it.
 * All else is for a person. */
static gboolean may_pass(const FollowPlace *place, int code)
{
	return code == DROVER_ERROR_UNAVAILABLE || code == DROVER_ERROR_RATE ||
	       code == DROVER_ERROR_LOCKED ||
	       (code == DROVER_ERROR_INTERNAL && !place->is_installed);
}

/* No lot is needed here: each node has failed at a moment of its own. */
static gint64 retry_us(const FollowMemory *memory)
{
	double pause_s =
		follow_pause(memory->failures, FOLLOW_FIRST_PAUSE_S, FOLLOW_LAST_PAUSE_S, 1);
	return memory->failed_us + (gint64)pause_s * US_PER_SECOND;
}

static void set(FollowNext *next, FollowAct act, char *why)
{
	*next = (FollowNext){.act = act, .why = why};
}

static void after_failure(const FollowPlace *place, const FollowMemory *memory, FollowNext *next)
{
	gint64 until_us = retry_us(memory);
	const char *error = memory->error != NULL ? memory->error : "it failed";
	next->is_failed = TRUE;
	if (!may_pass(place, memory->code)) {
		next->why = g_strdup_printf(
			"%s; it is not tried again until the order moves, or root does it by hand",
			error);
		return;
	}
	/* A clock that was put back must not make it wait for ever. */
	if (place->now_us >= until_us || place->now_us < memory->failed_us)
		return;
	next->until_us = until_us;
	next->why = g_strdup_printf("%s; it is tried again", error);
}

/* TRUE when something stands in the way; *next says what. */
static gboolean is_held(
	const Order *order, const FollowPlace *place, const FollowMemory *memory, FollowNext *next)
{
	if (mark_is(&memory->by_hand, order)) {
		set(next, FOLLOW_NOTHING,
			g_strdup_printf("root has put %s in place by hand: it stays until another "
					"order comes",
				memory->by_hand_version != NULL ? memory->by_hand_version
								: "a version"));
		return TRUE;
	}
	if (place->is_installed && order->manifest_sha256 != NULL &&
		g_strcmp0(order->manifest_sha256, place->manifest_sha256) != 0) {
		set(next, FOLLOW_NOTHING,
			g_strdup_printf("%s is here with another manifest than droverd says: "
					"something is wrong with the repository or with droverd",
				order->version));
		next->is_failed = TRUE;
		return TRUE;
	}
	if (!mark_is(&memory->failed, order))
		return FALSE;
	after_failure(place, memory, next);
	return next->why != NULL;
}

void follow_next(
	const Order *order, const FollowPlace *place, const FollowMemory *memory, FollowNext *next)
{
	*next = (FollowNext){0};
	if (order == NULL || order->version == NULL) {
		const char *why =
			order != NULL ? order->why : "droverd says nothing of this product";
		set(next, FOLLOW_NOTHING,
			g_strdup(why != NULL ? why : "its channel names no version"));
		return;
	}
	if (is_held(order, place, memory, next))
		return;
	gboolean runs = g_strcmp0(place->running, order->version) == 0;
	if (runs && mark_is(&memory->tidied, order))
		set(next, FOLLOW_NOTHING, g_strdup("it runs what it should"));
	else if (runs)
		set(next, FOLLOW_TIDY, g_strdup("it runs what it should; older ones go"));
	else if (place->is_installed)
		set(next, FOLLOW_ACTIVATE, g_strdup_printf("%s is to run", order->version));
	else
		set(next, FOLLOW_INSTALL, g_strdup_printf("%s is to be fetched", order->version));
}

void follow_failed(FollowMemory *memory, const Order *order, const GError *error, gint64 now_us)
{
	if (!mark_is(&memory->failed, order))
		memory->failures = 0;
	mark_set(&memory->failed, order);
	memory->failures++;
	memory->code = error->domain == DROVER_ERROR ? error->code : DROVER_ERROR_INTERNAL;
	memory->failed_us = now_us;
	g_free(memory->error);
	memory->error = g_strdup(error->message);
}

void follow_succeeded(FollowMemory *memory)
{
	mark_clear(&memory->failed);
	g_clear_pointer(&memory->error, g_free);
	memory->failures = 0;
	memory->code = 0;
	memory->failed_us = 0;
}

void follow_tidied(FollowMemory *memory, const Order *order)
{
	mark_set(&memory->tidied, order);
}

void follow_by_hand(FollowMemory *memory, const Order *order, const char *version)
{
	follow_succeeded(memory);
	mark_clear(&memory->by_hand);
	g_clear_pointer(&memory->by_hand_version, g_free);
	/* Who does by hand what was ordered stands against nothing. */
	if (order == NULL || g_strcmp0(order->version, version) == 0)
		return;
	mark_set(&memory->by_hand, order);
	memory->by_hand_version = g_strdup(version);
}

gboolean follow_may_take(const Orders *orders, const Orders *kept, GError **error)
{
	if (kept == NULL || orders->epoch >= kept->epoch)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"orders of epoch %" G_GINT64_FORMAT " came after those of epoch %" G_GINT64_FORMAT
		": a droverd that is out of office still answers; they are not obeyed",
		orders->epoch, kept->epoch);
	return FALSE;
}

/* -- kept -----------------------------------------------------------------------------------------
 */

static json_t *mark_json(const FollowMark *mark)
{
	return json_pack(
		"{s:s?, s:I}", "version", mark->version, "order_id", (json_int_t)mark->order_id);
}

char *follow_memory_text(const FollowMemory *memory)
{
	g_autoptr(json_t) root = json_pack("{s:o, s:s, s:s?, s:i, s:I, s:o, s:s?, s:o}", "failed",
		mark_json(&memory->failed), "kind", drover_error_kind(memory->code), "error",
		memory->error, "failures", (int)memory->failures, "failed_us",
		(json_int_t)memory->failed_us, "by_hand", mark_json(&memory->by_hand),
		"by_hand_version", memory->by_hand_version, "tidied", mark_json(&memory->tidied));
	g_assert(root != NULL);
	char *text = json_dumps(root, JSON_INDENT(2));
	char *copy = g_strconcat(text, "\n", NULL);
	free(text);
	return copy;
}

static void mark_read(const json_t *object, FollowMark *mark)
{
	mark->version = g_strdup(json_string_value(json_object_get(object, "version")));
	mark->order_id = json_integer_value(json_object_get(object, "order_id"));
}

/* Our own file: what is missing is as if it had never been said. */
gboolean follow_memory_parse(
	const char *name, const char *text, gsize size_bytes, FollowMemory *memory, GError **error)
{
	json_error_t where;
	*memory = (FollowMemory){0};
	g_autoptr(json_t) root = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(root)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "%s:%d:%d: %s", name, where.line,
			where.column, root != NULL ? "no object" : where.text);
		return FALSE;
	}
	json_int_t failures = json_integer_value(json_object_get(root, "failures"));
	mark_read(json_object_get(root, "failed"), &memory->failed);
	mark_read(json_object_get(root, "by_hand"), &memory->by_hand);
	mark_read(json_object_get(root, "tidied"), &memory->tidied);
	memory->code =
		(int)drover_error_code_from_kind(json_string_value(json_object_get(root, "kind")));
	memory->error = g_strdup(json_string_value(json_object_get(root, "error")));
	memory->failures = (guint)CLAMP(failures, 0, G_MAXINT);
	memory->failed_us =
		CLAMP(json_integer_value(json_object_get(root, "failed_us")), 0, G_MAXINT64 / 2);
	memory->by_hand_version =
		g_strdup(json_string_value(json_object_get(root, "by_hand_version")));
	return TRUE;
}
