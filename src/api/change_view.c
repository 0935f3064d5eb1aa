/* SPDX-License-Identifier: ISC
 *
 * Changes as callers may see them.
 */
#include "api/change_view.h"

#include <string.h>

#include "api/channel_gate.h"
#include "base/format.h"

/* The four rungs of the ladder open doors, the higher ones those of the lower; any other role is
 * for signing, and only a grant gives it. */
static gboolean actor_may(const char *product, const char *role, gpointer of)
{
	const Actor *actor = of;
	Role rung = role_from_name(role);
	gboolean everywhere = strcmp(product, "*") == 0;
	if (rung != ROLE_NONE)
		return actor_has(actor, rung, everywhere ? NULL : product);
	for (guint i = 0; i < actor->grants->len; i++) {
		const char *grant = actor->grants->pdata[i], *slash = strrchr(grant, '/');
		gsize size = (gsize)(slash - grant);
		gboolean fits = strncmp(grant, "*/", 2) == 0 ||
				(strlen(product) == size && memcmp(grant, product, size) == 0);
		if (fits && strcmp(slash + 1, role) == 0)
			return TRUE;
	}
	return FALSE;
}

void change_caller_init(ApiCall *call, const char *reason, ChangeCaller *caller)
{
	caller->actor = (ChangeActor){call->actor->name, actor_may, (gpointer)call->actor};
	caller->call = (ChangeCall){
		.store = call->store,
		.actor = &caller->actor,
		.now_us = api_now_us(call),
		.reason = reason,
		.gates = channel_gates_ask,
		.gates_of = (gpointer)call->site,
	};
}

gboolean change_read_id(const ApiCall *call, gint64 *id, GError **error)
{
	const char *said = api_parameter(call, "id");
	if (parse_integer(said, "id", 1, G_MAXINT64, id, NULL))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"there is no change '%.40s'; see: drover change list", said);
	return FALSE;
}

/* Who sees it -----------------------------------------------------------------------------------
 */

typedef enum Sight { SEES_NOTHING, SEES_A_PART, SEES_ALL } Sight;

static Sight sight_of(const Actor *actor, const Standing *standing)
{
	guint seen = 0, count = 0;
	for (; standing->products != NULL && standing->products[count] != NULL; count++) {
		const char *product = standing->products[count];
		gboolean is_all = strcmp(product, "*") == 0;
		seen += actor_has(actor, ROLE_VIEWER, is_all ? "" : product) ? 1 : 0;
	}
	if (count == 0)
		return actor_has_anywhere(actor, ROLE_VIEWER) ? SEES_ALL : SEES_NOTHING;
	return seen == 0 ? SEES_NOTHING : seen < count ? SEES_A_PART : SEES_ALL;
}

/* Leaves the scopes that the caller sees. */
static void keep_seen(const Actor *actor, json_t *scopes)
{
	for (gsize i = json_array_size(scopes); i > 0; i--)
		if (!channel_row_is_seen(actor, json_array_get(scopes, i - 1)))
			json_array_remove(scopes, i - 1);
}

json_t *change_view(const Actor *actor, const ChannelChange *change, const Standing *standing)
{
	if (sight_of(actor, standing) == SEES_NOTHING)
		return NULL;
	json_t *view = change_json(change, standing);
	keep_seen(actor, json_object_get(view, "scopes"));
	return view;
}

json_t *change_view_detail(const Actor *actor, const ChangeDetail *detail, GError **error)
{
	gint64 id = detail->change->id;
	switch (sight_of(actor, detail->standing)) {
	case SEES_ALL:
		return change_detail_json(detail);
	case SEES_A_PART:
		drover_error_set(error, DROVER_ERROR_DENIED,
			"change %" G_GINT64_FORMAT " also concerns products that you may not see; "
			"an admin can give you the role viewer on them",
			id);
		return NULL;
	case SEES_NOTHING:
		break;
	}
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"there is no change %" G_GINT64_FORMAT "; see: drover change list", id);
	return NULL;
}

json_t *change_queue_of(ApiCall *call, const ChannelLook *look, GError **error)
{
	ChangeCaller caller;
	ChannelBook *book = look->now->book;
	change_caller_init(call, NULL, &caller);
	if (look->at_us != 0)
		caller.call.now_us = look->at_us;
	g_autoptr(GPtrArray) standings = change_standings(&caller.call, book, error);
	if (standings == NULL)
		return NULL;
	json_t *queue = json_array();
	for (guint i = 0; i < book->changes->len; i++) {
		if (!channel_now_alters(look->now, i, look->product, look->place.channel))
			continue;
		json_t *view =
			change_view(call->actor, book->changes->pdata[i], standings->pdata[i]);
		if (view != NULL)
			json_array_append_new(queue, view);
	}
	return queue;
}

/* Counts --------------------------------------------------------------------------------------- */

typedef struct Counting {
	const ApiSite *site;
	json_t *kinds;
} Counting;

static gboolean count_waiting(Store *store, gpointer of, GError **error)
{
	const Counting *counting = of;
	ChangeCall call = {.store = store,
		.now_us = clock_now_us(counting->site->clock),
		.gates = channel_gates_ask,
		.gates_of = (gpointer)counting->site};
	json_object_clear(counting->kinds);
	for (guint kind = STANDING_READY; kind < STANDING_LIVE; kind++)
		json_object_set_new(
			counting->kinds, standing_kind_name((StandingKind)kind), json_integer(0));
	g_autoptr(ChannelNow) now = channel_books_take(counting->site->channels, store, error);
	g_autoptr(GPtrArray) standings =
		now != NULL ? change_standings(&call, now->book, error) : NULL;
	for (guint i = 0; standings != NULL && i < standings->len; i++) {
		const Standing *standing = standings->pdata[i];
		const char *kind = standing_kind_name(standing->kind);
		json_object_set_new(counting->kinds, kind,
			json_integer(json_integer_of(counting->kinds, kind) + 1));
	}
	return standings != NULL;
}

json_t *change_count_waiting(const ApiSite *site, Store *store, GError **error)
{
	g_autoptr(json_t) kinds = json_object();
	Counting counting = {site, kinds};
	return store_read(store, count_waiting, &counting, error) ? g_steal_pointer(&kinds) : NULL;
}
