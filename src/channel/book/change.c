/* SPDX-License-Identifier: ISC
 *
 * One change with all that is known of it, and what every deed asks first.
 */
#include "channel/book/change_parts.h"

#include "store/history.h"
#include "wire/json.h"

void change_detail_free(ChangeDetail *detail)
{
	if (detail == NULL)
		return;
	channel_change_free(detail->change);
	standing_free(detail->standing);
	g_clear_pointer(&detail->sign_offs, g_ptr_array_unref);
	g_clear_pointer(&detail->tests, g_ptr_array_unref);
	json_decref(detail->conflicts);
	g_clear_pointer(&detail->may_sign, g_ptr_array_unref);
	g_clear_pointer(&detail->may_test, g_ptr_array_unref);
	g_free(detail);
}

/* Overrides ------------------------------------------------------------------------------------ */

const json_t *change_override_of(const ChannelChange *change, const char *gate)
{
	for (gsize i = json_array_size(change->overrides); i-- > 0;) {
		const json_t *override = json_array_get(change->overrides, i);
		if (g_strcmp0(json_text(override, "gate"), gate) == 0)
			return override;
	}
	return NULL;
}

void change_add_override(
	ChannelChange *change, const ChangeCall *call, const char *gate, json_t *more)
{
	json_t *override = json_pack("{s:s, s:s, s:o, s:s}", "gate", gate, "by", call->actor->name,
		"at", json_time_or_null(call->now_us), "reason", call->reason);
	if (more != NULL)
		json_object_update(override, more);
	json_decref(more);
	json_array_append_new(change->overrides, override);
}

/* Deeds ---------------------------------------------------------------------------------------- */

ChannelDeed change_deed(const ChangeCall *call, const ChannelChange *change)
{
	return (ChannelDeed){call->now_us, call->actor->name, call->reason, change->id};
}

json_t *change_brief(const ChannelChange *change)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:s, s:O}", "state", change->state, "when",
		json_time_or_null(change->when_us), "title", change->title, "reason",
		change->reason, "author", change->author, "ops", change->ops);
}

gboolean change_record(const ChangeCall *call, const ChannelChange *change, const char *verb,
	const char *reason, const json_t *before, const json_t *after, GError **error)
{
	g_autoptr(json_t) brief = change_brief(change);
	g_autofree char *action = g_strconcat("change.", verb, NULL);
	g_autofree char *subject = g_strdup_printf("change/%" G_GINT64_FORMAT, change->id);
	g_autofree char *from = before != NULL ? json_write(before) : NULL;
	g_autofree char *to = json_write(after != NULL ? after : brief);
	return history_append(call->store, call->now_us, call->actor->name, action, subject, reason,
		from, to, error);
}

gboolean change_want_reason(const ChangeCall *call, GError **error)
{
	if (call->reason == NULL || *call->reason == '\0') {
		drover_error_set(error, DROVER_ERROR_INPUT, "reason: is missing: say why");
		return FALSE;
	}
	if (strlen(call->reason) <= CHANGE_MAXIMUM_REASON_BYTES)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_TOO_LARGE, "reason: may have %d bytes",
		CHANGE_MAXIMUM_REASON_BYTES);
	return FALSE;
}

gboolean change_want_role(
	const ChangeCall *call, char *const *products, const char *role, GError **error)
{
	const ChangeActor *actor = call->actor;
	for (guint i = 0; products[i] != NULL; i++) {
		if (actor->may(products[i], role, actor->of))
			continue;
		gboolean is_all = g_str_equal(products[i], "*");
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s lacks the role %s on %s, which the change concerns; an admin gives it: "
			"drover user grant",
			actor->name, role, is_all ? "all products" : products[i]);
		return FALSE;
	}
	return TRUE;
}

static gboolean may(const ChangeCall *call, char *const *products, const char *role)
{
	return change_want_role(call, products, role, NULL);
}

/* What the actor may do ------------------------------------------------------------------------ */

static gboolean has_signed(const ChangeDetail *detail, const char *person)
{
	for (guint i = 0; i < detail->sign_offs->len; i++) {
		const ChangeWord *word = detail->sign_offs->pdata[i];
		if (detail->standing->signed_off[i] == SIGN_OFF_COUNTS &&
			g_str_equal(word->person, person))
			return TRUE;
	}
	return FALSE;
}

static gboolean has_tested(const ChangeDetail *detail, const char *person, const char *role)
{
	for (guint i = 0; i < detail->tests->len; i++) {
		const ChangeWord *word = detail->tests->pdata[i];
		if (detail->standing->tests_match[i] && g_str_equal(word->person, person) &&
			g_str_equal(word->role, role))
			return TRUE;
	}
	return FALSE;
}

static void list_roles(ChangeDetail *detail, const char *person)
{
	const Standing *standing = detail->standing;
	for (guint i = 0; standing->roles != NULL && i < standing->roles->len; i++) {
		const StandingRole *role = &g_array_index(standing->roles, StandingRole, i);
		const char *name = role->required.role;
		if (!standing_has_role(standing->before, person, name, role->required.products) ||
			standing->digest == NULL)
			continue;
		if (!has_signed(detail, person))
			g_ptr_array_add(detail->may_sign, g_strdup(name));
		if (role->is_tester && !has_tested(detail, person, name))
			g_ptr_array_add(detail->may_test, g_strdup(name));
	}
}

static gboolean may_override(const ChangeCall *call, const Standing *standing)
{
	for (guint i = 0; i < standing->gates->len; i++) {
		const Gate *gate = standing->gates->pdata[i];
		if (!gate->passes && !standing->overridden[i] && gate->role != NULL &&
			may(call, standing->products, gate->role))
			return TRUE;
	}
	return FALSE;
}

static void say_what_actor_may(ChangeDetail *detail, const ChangeCall *call)
{
	const ChannelChange *change = detail->change;
	const Standing *standing = detail->standing;
	detail->may_sign = g_ptr_array_new_with_free_func(g_free);
	detail->may_test = g_ptr_array_new_with_free_func(g_free);
	if (call->actor == NULL)
		return;
	gboolean is_operator = may(call, standing->products, "operator");
	const json_t *broken = change_override_of(change, OVERRIDE_BREAK_GLASS);
	detail->may_review = broken != NULL && is_operator &&
			     change_override_of(change, OVERRIDE_REVIEWED) == NULL &&
			     !g_str_equal(json_text(broken, "by"), call->actor->name);
	if (!g_str_equal(change->state, "scheduled"))
		return;
	list_roles(detail, call->actor->name);
	detail->may_edit = is_operator;
	detail->may_withdraw = is_operator || g_str_equal(change->author, call->actor->name);
	detail->may_override = may_override(call, standing);
	detail->may_break_glass = is_operator && standing->kind != STANDING_CONFLICT;
	detail->may_go = is_operator && standing->kind == STANDING_OVERDUE;
}

/* Loading -------------------------------------------------------------------------------------- */

void change_note_concerns(ChannelChange *change, const State *before)
{
	g_autoptr(json_t) value = channel_change_value(change);
	g_autoptr(Footprint) footprint = footprint_new(before, value);
	g_auto(GStrv) products = content_products(before, value);
	json_t *names = json_array(), *scopes = json_array();
	for (guint i = 0; products[i] != NULL; i++)
		json_array_append_new(names, json_string(products[i]));
	for (guint i = 0; i < footprint->scopes->len; i++) {
		Scope scope = g_array_index(footprint->scopes, Scope, i);
		json_array_append_new(scopes, json_pack("[s?, s?]", scope.product, scope.channel));
	}
	json_decref(change->concerns);
	change->concerns = json_pack("{s:o, s:o}", "products", names, "scopes", scopes);
}

static void recall_concerns(Standing *standing, const json_t *concerns)
{
	g_autoptr(State) nothing = state_new();
	g_autoptr(json_t) no_ops = json_pack("{s:[]}", "ops");
	GPtrArray *products = g_ptr_array_new();
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(concerns, "products"), i, one)
		g_ptr_array_add(products, g_strdup(json_string_value(one)));
	g_ptr_array_add(products, NULL);
	standing->products = (char **)g_ptr_array_free(products, FALSE);
	standing->footprint = footprint_new(nothing, no_ops);
	json_array_foreach (json_object_get(concerns, "scopes"), i, one) {
		Scope scope = {g_strdup(json_string_value(json_array_get(one, 0))),
			g_strdup(json_string_value(json_array_get(one, 1)))};
		g_array_append_val(standing->footprint->scopes, scope);
	}
}

Standing *change_ended_standing(const State *live, const ChannelChange *change)
{
	Standing *standing = g_new0(Standing, 1);
	standing->change = change->id;
	standing->kind = g_str_equal(change->state, "live") ? STANDING_LIVE : STANDING_WITHDRAWN;
	standing->text =
		g_strdup(standing->kind == STANDING_LIVE ? "It is live." : "It was withdrawn.");
	if (change->concerns != NULL) {
		recall_concerns(standing, change->concerns);
	} else { /* it ends this moment */
		g_autoptr(json_t) value = channel_change_value(change);
		standing->footprint = footprint_new(live, value);
		standing->products = content_products(live, value);
	}
	standing->roles = g_array_new(FALSE, TRUE, sizeof(StandingRole));
	standing->gates = g_ptr_array_new_with_free_func((GDestroyNotify)gate_free);
	return standing;
}

GPtrArray *change_standings(const ChangeCall *call, const ChannelBook *book, GError **error)
{
	g_auto(StandingDesk) desk = {0};
	if (!standing_desk_read(
		    &desk, call->store, book, call->now_us, call->gates, call->gates_of, error))
		return NULL;
	return standing_desk_ask(&desk, book->changes->len);
}

static Standing *standing_in(
	const ChangeCall *call, const ChannelBook *book, guint place, GError **error)
{
	g_auto(StandingDesk) desk = {0};
	if (!standing_desk_read(
		    &desk, call->store, book, call->now_us, call->gates, call->gates_of, error))
		return NULL;
	g_autoptr(GPtrArray) standings = standing_desk_ask(&desk, place + 1);
	return g_ptr_array_steal_index(standings, place);
}

static gboolean read_words(ChangeDetail *detail, Store *store, GError **error)
{
	g_autoptr(GHashTable) all = sign_words_read(store, detail->change->id, error);
	if (all == NULL)
		return FALSE;
	SignWords *words = g_hash_table_lookup(all, &detail->change->id);
	detail->sign_offs = g_ptr_array_ref(words->sign_offs);
	detail->tests = g_ptr_array_ref(words->tests);
	return TRUE;
}

/* What was agreed on when it went live, as history keeps it; nothing when it did not. */
static gboolean recall_content(Store *store, Standing *standing, GError **error)
{
	g_autofree char *subject = g_strdup_printf("change/%" G_GINT64_FORMAT, standing->change);
	HistoryFilter filter = {subject, NULL, 0, HISTORY_MAXIMUM_LIMIT};
	g_autoptr(GPtrArray) entries = history_list(store, &filter, error);
	for (guint i = 0; entries != NULL && i < entries->len; i++) {
		const HistoryEntry *entry = entries->pdata[i];
		if (!g_str_equal(entry->action, "change.live") &&
			!g_str_equal(entry->action, "change.break-glass"))
			continue;
		g_autoptr(json_t) after = json_loads(entry->after, 0, NULL);
		standing->content = json_incref(json_object_get(after, "content"));
		standing->digest = g_strdup(json_text(after, "digest"));
		standing->tested_digest = g_strdup(json_text(after, "tested"));
		return TRUE;
	}
	return entries != NULL;
}

static Standing *ended_in(const ChangeCall *call, const ChannelBook *book,
	const ChannelChange *change, GError **error)
{
	g_autoptr(Standing) standing = change_ended_standing(book->live, change);
	return recall_content(call->store, standing, error) ? g_steal_pointer(&standing) : NULL;
}

/* What another, `with`, has with this change, as this one sees it. */
static json_t *seen_from_here(const json_t *conflict, gint64 with)
{
	json_t *mirrored = json_copy((json_t *)conflict);
	json_object_set(mirrored, "ours", json_object_get(conflict, "theirs"));
	json_object_set(mirrored, "theirs", json_object_get(conflict, "ours"));
	json_object_set_new(mirrored, "with", json_integer(with));
	return mirrored;
}

static json_t *conflicts_of(const ChannelBook *book, const ChannelChange *change)
{
	json_t *all = json_array();
	json_array_extend(all, json_object_get(change->problem, "conflicts"));
	for (guint i = 0; i < book->changes->len; i++) {
		const ChannelChange *other = book->changes->pdata[i];
		size_t index;
		json_t *conflict;
		json_array_foreach (json_object_get(other->problem, "conflicts"), index, conflict)
			if (other->id != change->id &&
				json_integer_of(conflict, "with") == change->id)
				json_array_append_new(all, seen_from_here(conflict, other->id));
	}
	return all;
}

ChangeDetail *change_load_detail(const ChangeCall *call, gint64 id, GError **error)
{
	g_autoptr(ChangeDetail) detail = g_new0(ChangeDetail, 1);
	guint place;
	detail->change = channel_change_load(call->store, id, error);
	if (detail->change == NULL || !read_words(detail, call->store, error))
		return NULL;
	g_autoptr(ChannelBook) book = channel_book_read(call->store, error);
	if (book == NULL)
		return NULL;
	detail->standing = standing_find_place(book, id, &place)
				   ? standing_in(call, book, place, error)
				   : ended_in(call, book, detail->change, error);
	if (detail->standing == NULL)
		return NULL;
	detail->conflicts = conflicts_of(book, detail->change);
	say_what_actor_may(detail, call);
	return g_steal_pointer(&detail);
}

ChangeDetail *change_load_waiting(const ChangeCall *call, gint64 id, GError **error)
{
	g_autoptr(ChangeDetail) detail = change_load_detail(call, id, error);
	if (detail == NULL || g_str_equal(detail->change->state, "scheduled"))
		return g_steal_pointer(&detail);
	const char *state = detail->change->state;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		g_str_equal(state, "going-live")
			? "change %" G_GINT64_FORMAT " is %s just now: it cannot be touched"
			: "change %" G_GINT64_FORMAT " does not wait any more: it is %s",
		id, state);
	return NULL;
}

ChangeDetail *change_load_for_operator(const ChangeCall *call, gint64 id, GError **error)
{
	if (!change_want_reason(call, error))
		return NULL;
	g_autoptr(ChangeDetail) detail = change_load_waiting(call, id, error);
	if (detail == NULL ||
		!change_want_role(call, detail->standing->products, "operator", error))
		return NULL;
	return g_steal_pointer(&detail);
}

ChangeDetail *change_load_version(
	const ChangeCall *call, gint64 id, gint64 data_version, GError **error)
{
	g_autoptr(ChangeDetail) detail = change_load_waiting(call, id, error);
	if (detail == NULL || detail->change->data_version == data_version)
		return g_steal_pointer(&detail);
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"change %" G_GINT64_FORMAT " is at version %" G_GINT64_FORMAT
		" by now, and this was made from version %" G_GINT64_FORMAT ": look at it again",
		id, detail->change->data_version, data_version);
	return NULL;
}
