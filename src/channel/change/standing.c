/* SPDX-License-Identifier: ISC
 *
 * The walk over the queue. Two states go along: `overlay` has all changes before, and is what test
 * channels answer from; `going` has those that are ready, and is what live will be. They are the
 * same until something waits; and for a change that meets nothing that waits they say the same.
 */
#include "channel/change/standing.h"

#include <string.h>

#include "base/clock.h"
#include "channel/change/standing_text.h"

typedef json_t StandingJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StandingJson, json_decref)

typedef struct Walk {
	const StandingQuestion *question;
	Overlay *overlay;
	State *going;
	GPtrArray *waiting; /* Standing *, borrowed */
	gboolean is_last;   /* of the changes that are asked about */
} Walk;

const char *standing_kind_name(StandingKind kind)
{
	static const char *const names[] = {
		[STANDING_READY] = "ready",
		[STANDING_UNSIGNED] = "unsigned",
		[STANDING_UNTESTED] = "untested",
		[STANDING_NEEDS_RETEST] = "needs-retest",
		[STANDING_CONFLICT] = "conflict",
		[STANDING_GATE] = "gate",
		[STANDING_BEHIND] = "behind",
		[STANDING_OVERDUE] = "overdue",
		[STANDING_GOING_LIVE] = "going-live",
		[STANDING_LIVE] = "live",
		[STANDING_WITHDRAWN] = "withdrawn",
	};
	return names[kind];
}

static void role_clear(gpointer item)
{
	StandingRole *role = item;
	g_free(role->required.role);
	g_free(role->required.because);
	g_strfreev(role->required.products);
}

void standing_free(Standing *standing)
{
	if (standing == NULL)
		return;
	g_free(standing->text);
	state_unref(standing->before);
	state_unref(standing->after);
	footprint_free(standing->footprint);
	g_strfreev(standing->products);
	json_decref(standing->content);
	g_free(standing->digest);
	g_free(standing->time_digest);
	g_clear_pointer(&standing->roles, g_array_unref);
	g_free(standing->signed_off);
	g_free(standing->tests_match);
	json_decref(standing->tested);
	g_free(standing->tested_digest);
	json_decref(standing->differs);
	g_clear_pointer(&standing->gates, g_ptr_array_unref);
	g_free(standing->overridden);
	g_free(standing);
}

/* Roles ---------------------------------------------------------------------------------------- */

static gboolean is_granted(
	const State *state, const char *product, const char *person, const char *role)
{
	g_autoptr(StandingJson) row =
		json_pack("{s:s, s:s, s:s}", "product", product, "person", person, "role", role);
	g_autofree char *key = row == NULL ? NULL : state_key(STATE_GRANTS, row, NULL);
	return key != NULL && state_row(state, STATE_GRANTS, key) != NULL;
}

gboolean standing_has_role(
	const State *state, const char *person, const char *role, char *const *products)
{
	if (is_granted(state, "*", person, role))
		return TRUE;
	for (guint i = 0; products[i] != NULL; i++)
		if (!is_granted(state, products[i], person, role))
			return FALSE;
	return products[0] != NULL;
}

static StandingRole *find_role(const Standing *standing, const char *name)
{
	for (guint i = 0; i < standing->roles->len; i++) {
		StandingRole *role = &g_array_index(standing->roles, StandingRole, i);
		if (strcmp(role->required.role, name) == 0)
			return role;
	}
	return NULL;
}

static gboolean is_said_of_role(const Standing *standing, const char *role, const char *column)
{
	const json_t *row = state_row(standing->before, STATE_ROLES, role);
	return json_is_true(json_object_get(row, column));
}

static gboolean has_role(const char *person, const char *role, gpointer of)
{
	const Standing *standing = of;
	const StandingRole *wanted = find_role(standing, role);
	return wanted != NULL &&
	       standing_has_role(standing->before, person, role, wanted->required.products);
}

static gboolean signs_time(const char *role, gpointer of)
{
	return is_said_of_role(of, role, "signs_time");
}

static gboolean author_may_sign(const char *role, gpointer of)
{
	return is_said_of_role(of, role, "author_may_sign");
}

static void judge_roles(Standing *standing, const json_t *change)
{
	g_autoptr(GArray) required = content_required_roles(standing->before, change);
	standing->roles = g_array_new(FALSE, TRUE, sizeof(StandingRole));
	for (guint i = 0; i < required->len; i++) {
		RequiredRole *from = &g_array_index(required, RequiredRole, i);
		StandingRole role = {.required = *from,
			.is_tester = is_said_of_role(standing, from->role, "tester"),
			.signs_time = signs_time(from->role, standing),
			.author_may_sign = author_may_sign(from->role, standing)};
		*from = (RequiredRole){0};
		g_array_append_val(standing->roles, role);
	}
	g_array_set_clear_func(standing->roles, role_clear);
}

/* Sign-offs and tests -------------------------------------------------------------------------- */

static void judge_sign_offs(Standing *standing, const StandingWords *words)
{
	gboolean applies = standing->digest != NULL; /* else there is nothing to agree on */
	SignOffQuestion question = {words->author, applies ? standing->digest : "",
		applies ? standing->time_digest : "", has_role, signs_time, author_may_sign,
		standing};
	standing->signed_off = g_new0(SignOffStanding, MAX(words->sign_off_count, 1));
	sign_offs_judge(&question, words->sign_offs, words->sign_off_count, standing->signed_off);
	for (guint i = 0; i < standing->roles->len; i++) {
		StandingRole *role = &g_array_index(standing->roles, StandingRole, i);
		role->missing = sign_offs_missing(&question, words->sign_offs,
			words->sign_off_count, role->required.role, role->required.count);
	}
}

static gboolean has_signed(
	const Standing *standing, const StandingWords *words, const char *person, const char *role)
{
	for (guint i = 0; i < words->sign_off_count; i++)
		if (standing->signed_off[i] == SIGN_OFF_COUNTS &&
			strcmp(words->sign_offs[i].person, person) == 0 &&
			strcmp(words->sign_offs[i].role, role) == 0)
			return TRUE;
	return FALSE;
}

static guint count_testers(const Standing *standing, const StandingWords *words, const char *role)
{
	g_autoptr(GHashTable) persons = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < words->test_count; i++) {
		const StandingTest *test = &words->tests[i];
		if (standing->tests_match[i] && strcmp(test->role, role) == 0 &&
			has_signed(standing, words, test->person, role))
			g_hash_table_add(persons, (gpointer)test->person);
	}
	return g_hash_table_size(persons);
}

static const char *digest_in(const json_t *digests, const json_t *of)
{
	json_t *one;
	gsize i;
	json_array_foreach (digests, i, one)
		if (json_equal(json_object_get(one, "product"), json_object_get(of, "product")) &&
			json_equal(json_object_get(one, "channel"), json_object_get(of, "channel")))
			return json_string_value(json_object_get(one, "digest"));
	return NULL;
}

static void add_differences(
	json_t *differs, const json_t *from, const json_t *then, const json_t *now, gboolean all)
{
	json_t *one;
	gsize i;
	json_array_foreach (from, i, one) {
		const char *was = digest_in(then, one), *is = digest_in(now, one);
		if (g_strcmp0(was, is) == 0 || (!all && was != NULL))
			continue;
		json_array_append_new(
			differs, json_pack("{s:O, s:O, s:s?, s:s?}", "product",
					 json_object_get(one, "product"), "channel",
					 json_object_get(one, "channel"), "then", was, "now", is));
	}
}

/* The newest test that does not hold says what is other now. */
static void tell_difference(Standing *standing, const StandingWords *words)
{
	standing->differs = json_array();
	for (guint i = words->test_count; i-- > 0;) {
		const json_t *then = words->tests[i].digests;
		if (standing->tests_match[i])
			return;
		add_differences(standing->differs, then, then, standing->tested, TRUE);
		add_differences(standing->differs, standing->tested, then, standing->tested, FALSE);
		return;
	}
}

static gboolean asks_testers(const Standing *standing)
{
	for (guint i = 0; i < standing->roles->len; i++)
		if (g_array_index(standing->roles, StandingRole, i).is_tester)
			return TRUE;
	return FALSE;
}

static void judge_tests(Standing *standing, const json_t *change, const StandingWords *words)
{
	if (!asks_testers(standing))
		return;
	g_autoptr(Footprint) footprint = footprint_new(standing->before, change);
	standing->tested = standing_tested_digests(standing->after, footprint, NULL);
	if (standing->tested == NULL)
		standing->tested = json_array();
	standing->tested_digest = canonical_digest(standing->tested);
	for (guint i = 0; i < words->test_count; i++) {
		const StandingTest *test = &words->tests[i];
		standing->tests_match[i] = test->void_why == NULL && !test->is_revoked &&
					   json_equal(test->digests, standing->tested) &&
					   has_role(test->person, test->role, standing);
	}
	tell_difference(standing, words);
	for (guint i = 0; i < standing->roles->len; i++) {
		StandingRole *role = &g_array_index(standing->roles, StandingRole, i);
		guint found = count_testers(standing, words, role->required.role);
		if (role->is_tester && found < role->required.count)
			role->missing_tests = role->required.count - found;
	}
}

/* Gates and the hour --------------------------------------------------------------------------- */

/* A word is for the content or the time that it was given for. */
static gboolean is_overridden(
	const Standing *standing, const StandingWords *words, const char *gate)
{
	json_t *override;
	gsize i;
	json_array_foreach (words->overrides, i, override) {
		const char *digest = json_string_value(json_object_get(override, "digest"));
		const char *name = json_string_value(json_object_get(override, "gate"));
		if (g_strcmp0(name, gate) == 0 && g_strcmp0(digest, standing->digest) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean was_told_to_go(const json_t *change, const StandingWords *words)
{
	json_t *override;
	gsize i;
	json_array_foreach (words->overrides, i, override)
		if (g_strcmp0(json_string_value(json_object_get(override, "gate")), "overdue") ==
				0 &&
			json_integer_value(json_object_get(override, "when")) ==
				change_when(change))
			return TRUE;
	return FALSE;
}

static void judge_gates(
	Standing *standing, const Walk *walk, const json_t *change, const StandingWords *words)
{
	const StandingQuestion *question = walk->question;
	gint64 at_us = MAX(question->now_us, change_when(change));
	if (question->gates != NULL)
		standing->gates = question->gates(standing->change, standing->before, question->of);
	else
		standing->gates = g_ptr_array_new_with_free_func((GDestroyNotify)gate_free);
	g_ptr_array_insert(standing->gates, 0, gate_freeze(standing->before, change, at_us));
	standing->overridden = g_new0(gboolean, standing->gates->len);
	for (guint i = 0; i < standing->gates->len; i++) {
		const Gate *gate = standing->gates->pdata[i];
		standing->overridden[i] =
			gate->role != NULL && is_overridden(standing, words, gate->name);
	}
}

/* The most careful of its products decides. */
static gint64 late_us(const Standing *standing)
{
	gint64 late_s = STANDING_LATE_S;
	gboolean is_said = FALSE;
	for (guint i = 0; standing->products[i] != NULL; i++) {
		const json_t *product =
			state_row(standing->before, STATE_PRODUCTS, standing->products[i]);
		const json_t *late = json_object_get(product, "late_s");
		if (!json_is_integer(late))
			continue;
		late_s = is_said ? MIN(late_s, json_integer_value(late)) : json_integer_value(late);
		is_said = TRUE;
	}
	return MAX(late_s, STANDING_LEAST_LATE_S) * US_PER_SECOND;
}

/* Missed: its time came while nobody looked, and nobody looked for longer than is let pass. Nobody
 * could look for it before it was there. */
static gboolean is_overdue(const Standing *standing, const StandingQuestion *question,
	const json_t *change, const StandingWords *words)
{
	gint64 since_us = MAX(change_when(change), question->watched_us);
	since_us = MAX(since_us, words->submitted_us);
	if (was_told_to_go(change, words))
		return FALSE;
	return words->is_overdue || (change_when(change) <= question->now_us &&
					    question->now_us - since_us > late_us(standing));
}

/* One change ----------------------------------------------------------------------------------- */

static State *apply(
	const Standing *standing, const Walk *walk, const json_t *change, GError **error)
{
	const StandingQuestion *question = walk->question;
	g_autoptr(State) after = state_apply(standing->before, change, error);
	if (after == NULL || !state_check_mappings(after, change, error))
		return NULL;
	gboolean is_due = change_when(change) <= question->now_us;
	if (question->fits != NULL &&
		!question->fits(standing->before, after, is_due, question->of, error))
		return NULL;
	return g_steal_pointer(&after);
}

static gboolean any_role_lacks(const Standing *standing, gboolean tests)
{
	for (guint i = 0; i < standing->roles->len; i++) {
		const StandingRole *role = &g_array_index(standing->roles, StandingRole, i);
		if ((tests ? role->missing_tests : role->missing) > 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean any_gate_is_shut(const Standing *standing)
{
	for (guint i = 0; i < standing->gates->len; i++)
		if (!((const Gate *)standing->gates->pdata[i])->passes && !standing->overridden[i])
			return TRUE;
	return FALSE;
}

static gboolean was_tested(const StandingWords *words)
{
	for (guint i = 0; i < words->test_count; i++)
		if (!words->tests[i].is_revoked)
			return TRUE;
	return FALSE;
}

static StandingKind kind_of(const Standing *standing, const StandingQuestion *question,
	const json_t *change, const StandingWords *words)
{
	if (is_overdue(standing, question, change, words))
		return STANDING_OVERDUE;
	if (any_role_lacks(standing, FALSE))
		return STANDING_UNSIGNED;
	if (any_role_lacks(standing, TRUE))
		return was_tested(words) ? STANDING_NEEDS_RETEST : STANDING_UNTESTED;
	if (any_gate_is_shut(standing))
		return STANDING_GATE;
	return standing->blocking != 0 ? STANDING_BEHIND : STANDING_READY;
}

static const Standing *first_met(const Walk *walk, const Footprint *footprint)
{
	for (guint i = 0; i < walk->waiting->len; i++) {
		const Standing *other = walk->waiting->pdata[i];
		if (!footprints_are_disjoint(other->footprint, footprint))
			return other;
	}
	return NULL;
}

static void judge(
	Standing *standing, const Walk *walk, const json_t *change, const StandingWords *words)
{
	g_autoptr(GError) problem = NULL;
	standing->products = content_products(standing->before, change);
	judge_roles(standing, change);
	standing->after = apply(standing, walk, change, &problem);
	if (standing->after != NULL) {
		standing->content = content_of(standing->before, change, NULL);
		standing->digest = content_digest(standing->content);
		standing->time_digest = content_time_digest(standing->content, change_when(change));
	}
	judge_sign_offs(standing, words);
	/* Digests cost a snapshot: not for those before the last that lack a sign-off anyway. */
	standing->tests_match = g_new0(gboolean, MAX(words->test_count, 1));
	if (standing->after != NULL && (walk->is_last || !any_role_lacks(standing, FALSE)))
		judge_tests(standing, change, words);
	judge_gates(standing, walk, change, words);
	gboolean fits = standing->after != NULL && json_array_size(words->conflicts) == 0;
	standing->kind =
		!fits ? STANDING_CONFLICT : kind_of(standing, walk->question, change, words);
	standing->text =
		standing_text(standing, change, words, problem != NULL ? problem->message : NULL);
}

static Standing *walk_on(Walk *walk, const json_t *change)
{
	StandingWords words = {.author = ""};
	Standing *standing = g_new0(Standing, 1);
	State *overlaid = overlay_state(walk->overlay);
	standing->change = change_id(change);
	standing->footprint = footprint_new(overlaid, change);
	const Standing *met = first_met(walk, standing->footprint);
	standing->blocking = met != NULL ? met->change : 0;
	standing->before = state_ref(met != NULL ? overlaid : walk->going);
	if (walk->question->words != NULL)
		walk->question->words(standing->change, &words, walk->question->of);
	judge(standing, walk, change, &words);
	overlay_enact(walk->overlay, change, NULL);
	if (standing->kind != STANDING_READY) {
		g_ptr_array_add(walk->waiting, standing);
		return standing;
	}
	state_unref(walk->going);
	walk->going = state_ref(standing->after);
	return standing;
}

GPtrArray *standings_of(
	State *live, const Queue *queue, guint count, const StandingQuestion *question)
{
	GPtrArray *standings = g_ptr_array_new_with_free_func((GDestroyNotify)standing_free);
	g_autoptr(GPtrArray) waiting = g_ptr_array_new();
	Walk walk = {question, overlay_new(live, TRUE), state_ref(live), waiting, FALSE};
	guint asked = MIN(count, queue_size(queue));
	for (guint i = 0; i < asked; i++) {
		walk.is_last = i + 1 == asked;
		Standing *standing = walk_on(&walk, queue_change(queue, i));
		g_ptr_array_add(standings, standing);
		if (question->one_ready && standing->kind == STANDING_READY)
			break;
	}
	overlay_free(walk.overlay);
	state_unref(walk.going);
	return standings;
}
