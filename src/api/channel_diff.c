/* SPDX-License-Identifier: ISC
 *
 * Two states of a channel held beside each other; and what one change does to each channel.
 */
#include "api/channel_diff.h"

#include <string.h>

#include "api/change_view.h"
#include "channel/difference.h"
#include "channel/digest.h"

static json_t *side_json(const DiffSide *side, const char *digest)
{
	return json_pack("{s:o, s:s, s:I, s:o}", "cut", channel_cut_json(side->cut), "digest",
		digest, "generation", (json_int_t)side->generation, "undefined",
		json_text_or_null(side->undefined));
}

/* Caller frees. */
static char *say(const DiffSide *before, const DiffSide *after, gboolean same, gsize classes)
{
	const char *undefined = before->undefined != NULL ? before->undefined : after->undefined;
	if (undefined != NULL)
		return g_strdup_printf("cannot be compared: %s", undefined);
	if (same)
		return g_strdup("every query gets the same answer, and always would");
	if (classes == 0)
		return g_strdup("what is answered from differs, but no query was found that gets "
				"another answer");
	return g_strdup_printf("%" G_GSIZE_FORMAT " class%s of queries get%s another answer",
		classes, classes == 1 ? "" : "es", classes == 1 ? "s" : "");
}

json_t *channel_difference(const DiffSide *before, const DiffSide *after, const char *product,
	const char *channel, GError **error)
{
	g_autofree char *was = digest_of(before->snapshot, product, channel);
	g_autofree char *is = digest_of(after->snapshot, product, channel);
	gboolean is_defined = before->undefined == NULL && after->undefined == NULL;
	gboolean same = is_defined && strcmp(was, is) == 0;
	g_autoptr(json_t) classes =
		!is_defined || same
			? json_array()
			: difference_of(before->snapshot, after->snapshot, product, channel, error);
	if (classes == NULL)
		return NULL;
	g_autofree char *text = say(before, after, same, json_array_size(classes));
	return json_pack("{s:o, s:o, s:b, s:O, s:s}", "before", side_json(before, was), "after",
		side_json(after, is), "same", same, "classes", classes, "text", text);
}

/* One change ------------------------------------------------------------------------------------
 */

/* The book in which the change waits, or waited last. */
static ChannelNow *now_with(ApiCall *call, const ChannelChange *change, GError **error)
{
	if (change->ended_us == 0)
		return channel_books_take(call->site->channels, call->store, error);
	return channel_books_take_at(
		call->site->channels, call->store, change->ended_us - 1, api_now_us(call), error);
}

static gboolean find_place(const Queue *queue, gint64 id, guint *place)
{
	for (*place = 0; *place < queue_size(queue); ++*place)
		if (change_id(queue_change(queue, *place)) == id)
			return TRUE;
	return FALSE;
}

/* Live with the changes up to the one at `place`, and without that one. */
typedef struct Sides {
	Overlay *overlay[2];
	Snapshot *snapshot[2];
	char *cut[2];
} Sides;

static void sides_clear(Sides *sides)
{
	for (guint i = 0; i < 2; i++) {
		overlay_free(sides->overlay[i]);
		snapshot_unref(sides->snapshot[i]);
		g_free(sides->cut[i]);
	}
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sides, sides_clear)

static gboolean make_sides(const ChannelBook *book, guint place, Sides *sides, GError **error)
{
	for (guint i = 0; i < 2; i++) {
		guint count = place + i;
		sides->overlay[i] = overlay_new(book->live, TRUE);
		for (guint j = 0; j < count; j++)
			overlay_enact(sides->overlay[i], queue_change(book->queue, j), NULL);
		sides->snapshot[i] = channel_snapshot(overlay_state(sides->overlay[i]), error);
		if (sides->snapshot[i] == NULL)
			return FALSE;
		if (count > 0)
			sides->cut[i] = g_strdup_printf("through %" G_GINT64_FORMAT,
				change_id(queue_change(book->queue, count - 1)));
	}
	return TRUE;
}

static gboolean add_channel(json_t *list, const Sides *sides, gint64 generation,
	const ChannelName *name, GError **error)
{
	DiffSide side[2];
	for (guint i = 0; i < 2; i++)
		side[i] = (DiffSide){sides->snapshot[i], sides->cut[i],
			overlay_undefined(sides->overlay[i], name->product, name->channel),
			generation};
	json_t *difference =
		channel_difference(&side[0], &side[1], name->product, name->channel, error);
	if (difference == NULL)
		return FALSE;
	json_object_set_new(difference, "product", json_string(name->product));
	json_object_set_new(difference, "channel", json_string(name->channel));
	json_array_append_new(list, difference);
	return TRUE;
}

static gboolean is_test(ChannelNow *now, const ChannelName *name)
{
	Place place;
	published_find(now->published, name->product, name->channel, &place);
	return place.is_test;
}

static json_t *diff_at(ApiCall *call, ChannelNow *now, guint place, GError **error)
{
	g_auto(Sides) sides = {0};
	if (!make_sides(now->book, place, &sides, error))
		return NULL;
	g_autoptr(GArray) names = channel_names(overlay_state(sides.overlay[1]), NULL);
	g_autoptr(json_t) list = json_array();
	for (guint i = 0; i < names->len; i++) {
		const ChannelName *name = &g_array_index(names, ChannelName, i);
		if (!actor_has(call->actor, ROLE_VIEWER, name->product) || is_test(now, name) ||
			!channel_now_alters(now, place, name->product, name->channel))
			continue;
		if (!add_channel(list, &sides, now->book->generation, name, error))
			return NULL;
	}
	return json_pack("{s:O}", "channels", list);
}

json_t *change_diff(ApiCall *call, GError **error)
{
	gint64 id;
	guint place;
	ChangeCaller caller;
	change_caller_init(call, NULL, &caller);
	if (!change_read_id(call, &id, error))
		return NULL;
	g_autoptr(ChangeDetail) detail = change_load_detail(&caller.call, id, error);
	g_autoptr(json_t) seen =
		detail != NULL ? change_view_detail(call->actor, detail, error) : NULL;
	g_autoptr(ChannelNow) now = seen != NULL ? now_with(call, detail->change, error) : NULL;
	if (now == NULL)
		return NULL;
	if (!find_place(now->book->queue, id, &place))
		return json_pack("{s:[]}", "channels");
	return diff_at(call, now, place, error);
}
