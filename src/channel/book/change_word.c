/* SPDX-License-Identifier: ISC
 *
 * What persons say about a change: sign-offs, tests, overrides, go, reviewed. None of it moves a
 * row or the queue.
 */
#include "channel/book/change_parts.h"
#include "wire/json.h"

/* Signing -------------------------------------------------------------------------------------- */

static const StandingRole *find_role(const ChangeDetail *detail, const char *name, GError **error)
{
	const GArray *roles = detail->standing->roles;
	for (guint i = 0; i < roles->len; i++) {
		const StandingRole *role = &g_array_index(roles, StandingRole, i);
		if (g_str_equal(role->required.role, name))
			return role;
	}
	drover_error_set(error, DROVER_ERROR_INPUT,
		"change %" G_GINT64_FORMAT " asks for no sign-off as %s", detail->change->id, name);
	return NULL;
}

/* Only a person with a grant: whoever may open the store is somebody else to everyone. */
static gboolean check_grant(const ChangeCall *call, const ChangeDetail *detail,
	const StandingRole *role, GError **error)
{
	const RequiredRole *required = &role->required;
	if (standing_has_role(detail->standing->before, call->actor->name, required->role,
		    required->products))
		return TRUE;
	g_autofree char *products = g_strjoinv(", ", required->products);
	drover_error_set(error, DROVER_ERROR_DENIED,
		"%s is no person with the role %s on %s; an admin gives it: drover user grant",
		call->actor->name, required->role,
		g_str_equal(products, "*") ? "all products" : products);
	return FALSE;
}

static gboolean check_digest(
	const ChangeDetail *detail, const char *given, const char *now, GError **error)
{
	if (now == NULL) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"change %" G_GINT64_FORMAT " cannot be signed: %s", detail->change->id,
			detail->standing->text);
		return FALSE;
	}
	if (g_str_equal(given, now))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"change %" G_GINT64_FORMAT
		" is another by now (%.12s) than the one that was read (%.12s): look at it again",
		detail->change->id, now, given);
	return FALSE;
}

static gboolean check_first(const ChangeCall *call, const ChangeDetail *detail, GError **error)
{
	for (guint i = 0; i < detail->sign_offs->len; i++) {
		const ChangeWord *word = detail->sign_offs->pdata[i];
		if (detail->standing->signed_off[i] != SIGN_OFF_COUNTS ||
			!g_str_equal(word->person, call->actor->name))
			continue;
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s signed change %" G_GINT64_FORMAT " already, as %s: one role a person",
			word->person, detail->change->id, word->role);
		return FALSE;
	}
	return TRUE;
}

static gboolean record_word(const ChangeCall *call, const ChangeDetail *detail, const char *verb,
	const char *role, const char *digest, GError **error)
{
	g_autoptr(json_t) word = json_pack("{s:s, s:s?}", "role", role, "digest", digest);
	return change_record(call, detail->change, verb, call->reason, NULL, word, error);
}

ChangeDetail *change_sign(
	const ChangeCall *call, gint64 id, const char *role, const char *digest, GError **error)
{
	g_autoptr(ChangeDetail) detail = change_load_waiting(call, id, error);
	if (detail == NULL)
		return NULL;
	const Standing *standing = detail->standing;
	const StandingRole *wanted = find_role(detail, role, error);
	if (wanted == NULL || !check_grant(call, detail, wanted, error) ||
		!check_digest(detail, digest,
			wanted->signs_time ? standing->time_digest : standing->digest, error) ||
		!check_first(call, detail, error) ||
		!sign_add(call->store, id, call->actor->name, role, digest, call->now_us, error) ||
		!record_word(call, detail, "sign", role, digest, error))
		return NULL;
	return change_load_detail(call, id, error);
}

ChangeDetail *change_revoke(const ChangeCall *call, gint64 id, const char *role, GError **error)
{
	g_autoptr(ChangeDetail) detail = change_load_waiting(call, id, error);
	gint64 taken;
	if (detail == NULL ||
		!sign_revoke(call->store, id, call->actor->name, role, call->now_us, &taken, error))
		return NULL;
	if (taken == 0) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"%s has no sign-off and no test as %s on change %" G_GINT64_FORMAT,
			call->actor->name, role, id);
		return NULL;
	}
	return record_word(call, detail, "revoke", role, NULL, error)
		       ? change_load_detail(call, id, error)
		       : NULL;
}

ChangeDetail *change_test(
	const ChangeCall *call, gint64 id, const char *role, const char *digest, GError **error)
{
	g_autoptr(ChangeDetail) detail = change_load_waiting(call, id, error);
	if (detail == NULL)
		return NULL;
	const StandingRole *wanted = find_role(detail, role, error);
	if (wanted == NULL || !check_grant(call, detail, wanted, error))
		return NULL;
	if (!wanted->is_tester) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"role: %s signs contents only; what test channels answer is signed by "
			"roles marked tester",
			role);
		return NULL;
	}
	if (!check_digest(detail, digest, detail->standing->tested_digest, error) ||
		!sign_add_test(call->store, id, call->actor->name, role, detail->standing->tested,
			call->now_us, error) ||
		!record_word(call, detail, "test", role, digest, error))
		return NULL;
	return change_load_detail(call, id, error);
}

/* Overriding ----------------------------------------------------------------------------------- */

static const Gate *find_gate(const ChangeDetail *detail, const char *name, GError **error)
{
	const GPtrArray *gates = detail->standing->gates;
	for (guint i = 0; i < gates->len; i++)
		if (g_str_equal(((const Gate *)gates->pdata[i])->name, name))
			return gates->pdata[i];
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"change %" G_GINT64_FORMAT " has no gate '%s'", detail->change->id, name);
	return NULL;
}

static ChangeDetail *save_override(const ChangeCall *call, ChangeDetail *detail, const char *gate,
	json_t *more, const char *verb, GError **error)
{
	ChannelChange *change = detail->change;
	ChannelDeed deed = change_deed(call, change);
	change_add_override(change, call, gate, more);
	if (!channel_change_save(call->store, change, &deed, error) ||
		!change_record(call, change, verb, call->reason, NULL,
			change_override_of(change, gate), error))
		return NULL;
	return change_load_detail(call, change->id, error);
}

ChangeDetail *change_override(const ChangeCall *call, gint64 id, const char *gate, GError **error)
{
	if (!change_want_reason(call, error))
		return NULL;
	g_autoptr(ChangeDetail) detail = change_load_waiting(call, id, error);
	const Gate *found = detail != NULL ? find_gate(detail, gate, error) : NULL;
	if (found == NULL)
		return NULL;
	if (found->role == NULL) {
		drover_error_set(error, DROVER_ERROR_DENIED, "%s: %s: nobody's word overrides that",
			found->name, found->text);
		return NULL;
	}
	if (!change_want_role(call, detail->standing->products, found->role, error))
		return NULL;
	return save_override(call, detail, gate,
		json_pack("{s:s?}", "digest", detail->standing->digest), "override", error);
}

ChangeDetail *change_go(const ChangeCall *call, gint64 id, GError **error)
{
	g_autoptr(ChangeDetail) detail = change_load_for_operator(call, id, error);
	if (detail == NULL)
		return NULL;
	if (detail->standing->kind != STANDING_OVERDUE) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"change %" G_GINT64_FORMAT " is not overdue: %s", id,
			detail->standing->text);
		return NULL;
	}
	g_clear_pointer(&detail->change->problem, json_decref);
	return save_override(call, detail, OVERRIDE_OVERDUE,
		json_pack("{s:I}", "when", (json_int_t)detail->change->when_us), "go", error);
}

ChangeDetail *change_review(const ChangeCall *call, gint64 id, GError **error)
{
	if (!change_want_reason(call, error))
		return NULL;
	g_autoptr(ChangeDetail) detail = change_load_detail(call, id, error);
	if (detail == NULL ||
		!change_want_role(call, detail->standing->products, "operator", error))
		return NULL;
	const json_t *broken = change_override_of(detail->change, OVERRIDE_BREAK_GLASS);
	if (broken == NULL || change_override_of(detail->change, OVERRIDE_REVIEWED) != NULL) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"change %" G_GINT64_FORMAT " waits for no review", id);
		return NULL;
	}
	if (g_str_equal(json_text(broken, "by"), call->actor->name)) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s broke the glass for change %" G_GINT64_FORMAT
			": another operator reviews it",
			call->actor->name, id);
		return NULL;
	}
	return save_override(call, detail, OVERRIDE_REVIEWED, NULL, "review", error);
}
