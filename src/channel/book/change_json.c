/* SPDX-License-Identifier: ISC
 *
 * A change as JSON: what API, command and pages show.
 */
#include "channel/book/change.h"
#include "wire/json.h"

static json_t *or_empty(json_t *list)
{
	return list != NULL ? json_incref(list) : json_array();
}

/* A line of a list ----------------------------------------------------------------------------- */

static json_t *scopes_of(const Footprint *footprint)
{
	json_t *scopes = json_array();
	for (guint i = 0; i < footprint->scopes->len; i++) {
		Scope scope = g_array_index(footprint->scopes, Scope, i);
		json_array_append_new(scopes, json_pack("{s:s?, s:s?}", "product", scope.product,
						      "channel", scope.channel));
	}
	return scopes;
}

static json_t *standing_json(const Standing *standing)
{
	json_t *blocking = standing->blocking != 0 ? json_integer(standing->blocking) : json_null();
	return json_pack("{s:s, s:s, s:o}", "kind", standing_kind_name(standing->kind), "text",
		standing->text, "blocking", blocking);
}

json_t *change_json(const ChannelChange *change, const Standing *standing)
{
	json_t *json = json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:I, s:o, s:o}", "state",
		change->state, "when", json_time_or_null(change->when_us), "title", change->title,
		"reason", change->reason, "author", change->author, "created",
		json_time_or_null(change->created_us), "ended", json_time_or_null(change->ended_us),
		"data_version", (json_int_t)change->data_version, "scopes",
		scopes_of(standing->footprint), "standing", standing_json(standing));
	json_object_set_new(json, "id", change->id != 0 ? json_integer(change->id) : json_null());
	return json;
}

/* Words ---------------------------------------------------------------------------------------- */

static char *shown(const json_t *value)
{
	if (value == NULL || json_is_null(value))
		return g_strdup("nothing");
	if (json_is_string(value))
		return g_strdup(json_string_value(value));
	return json_write(value);
}

/* A rule without a rate is for all: "nothing" would read as nobody. */
static char *shown_in(const char *column, const json_t *value)
{
	gboolean is_said = value != NULL && !json_is_null(value);
	return !is_said && g_str_equal(column, "rate") ? g_strdup("100") : shown(value);
}

static void add_column(GString *words, const char *column, const json_t *was, const json_t *is)
{
	if (was == is || (was != NULL && is != NULL && json_equal(was, is)))
		return;
	g_autofree char *from = shown_in(column, was);
	g_autofree char *to = shown_in(column, is);
	g_string_append_printf(words, "%s%s %s -> %s",
		g_str_has_suffix(words->str, ":") ? " " : ", ", column, from, to);
}

static void add_columns(GString *words, const json_t *before, const json_t *after)
{
	const char *column;
	json_t *value;
	json_object_foreach ((json_t *)before, column, value)
		add_column(words, column, value, json_object_get(after, column));
	json_object_foreach ((json_t *)after, column, value)
		if (json_object_get(before, column) == NULL)
			add_column(words, column, NULL, value);
}

static void add_row(GString *words, const json_t *row)
{
	const char *column;
	json_t *value;
	json_object_foreach ((json_t *)row, column, value) {
		g_autofree char *text = shown(value);
		g_string_append_printf(words, "%s%s %s",
			g_str_has_suffix(words->str, ":") ? " " : ", ", column, text);
	}
}

/* "rule 7: rate 25 -> 100". */
static char *words_of(const json_t *row)
{
	const char *table = json_text(row, "table");
	const json_t *before = json_object_get(row, "before"),
		     *after = json_object_get(row, "after");
	g_autoptr(GString) words = g_string_new(NULL);
	g_string_append_printf(
		words, "%.*s %s:", (int)strlen(table) - 1, table, json_text(row, "key"));
	if (json_is_null(after))
		g_string_append(words, " deleted");
	else if (json_is_null(before)) {
		g_string_append(words, " new:");
		add_row(words, after);
	} else
		add_columns(words, before, after);
	return g_strdup(words->str);
}

static json_t *all_words(const json_t *content)
{
	json_t *words = json_array(), *row;
	gsize i;
	json_array_foreach (content, i, row) {
		g_autofree char *text = words_of(row);
		json_array_append_new(words, json_string(text));
	}
	return words;
}

/* People --------------------------------------------------------------------------------------- */

static json_t *required_json(const Standing *standing)
{
	json_t *list = json_array();
	for (guint i = 0; i < standing->roles->len; i++) {
		const StandingRole *role = &g_array_index(standing->roles, StandingRole, i);
		json_t *products = json_array();
		for (guint k = 0; role->required.products[k] != NULL; k++)
			json_array_append_new(products, json_string(role->required.products[k]));
		json_array_append_new(list,
			json_pack("{s:s, s:I, s:I, s:I, s:s, s:o, s:b, s:b, s:b}", "role",
				role->required.role, "count", (json_int_t)role->required.count,
				"missing", (json_int_t)role->missing, "missing_tests",
				(json_int_t)role->missing_tests, "because", role->required.because,
				"products", products, "tester", role->is_tester, "signs_time",
				role->signs_time, "author_may_sign", role->author_may_sign));
	}
	return list;
}

/* Of a change that ended nothing is judged any more. */
static json_t *sign_offs_json(const ChangeDetail *detail)
{
	const SignOffStanding *judged = detail->standing->signed_off;
	json_t *list = json_array();
	for (guint i = 0; i < detail->sign_offs->len; i++) {
		const ChangeWord *word = detail->sign_offs->pdata[i];
		gboolean counts = judged != NULL ? judged[i] == SIGN_OFF_COUNTS : !word->is_revoked;
		const char *text = judged != NULL     ? sign_off_standing_text(judged[i])
				   : word->is_revoked ? "revoked"
						      : "given";
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:o, s:s, s:b, s:s}", "person", word->person,
				      "role", word->role, "at", json_time_or_null(word->at_us),
				      "digest", word->digest, "counts", counts, "text", text));
	}
	return list;
}

static const char *test_text(const ChangeWord *word, gboolean matches)
{
	if (matches)
		return "holds";
	if (word->is_revoked)
		return "revoked";
	return word->void_why != NULL ? word->void_why
				      : "what the test channels answer is other now";
}

static json_t *given_json(const ChangeDetail *detail)
{
	json_t *list = json_array();
	for (guint i = 0; i < detail->tests->len; i++) {
		const ChangeWord *word = detail->tests->pdata[i];
		gboolean matches = detail->standing->tests_match != NULL
					   ? detail->standing->tests_match[i]
					   : !word->is_revoked && word->void_why == NULL;
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:o, s:b, s:s}", "person", word->person, "role",
				      word->role, "at", json_time_or_null(word->at_us), "matches",
				      matches, "text", test_text(word, matches)));
	}
	return list;
}

static json_t *tested_json(const ChangeDetail *detail)
{
	const Standing *standing = detail->standing;
	gboolean is_needed = FALSE;
	for (guint i = 0; i < standing->roles->len; i++)
		is_needed |= g_array_index(standing->roles, StandingRole, i).is_tester;
	return json_pack("{s:b, s:o, s:s?, s:o, s:o}", "needed", is_needed, "digests",
		or_empty(standing->tested), "digest", standing->tested_digest, "given",
		given_json(detail), "differs", or_empty(standing->differs));
}

/* Gates ---------------------------------------------------------------------------------------- */

static json_t *override_of(const ChannelChange *change, const char *gate)
{
	for (gsize i = json_array_size(change->overrides); i-- > 0;) {
		json_t *override = json_array_get(change->overrides, i);
		if (g_strcmp0(json_text(override, "gate"), gate) == 0)
			return json_incref(override);
	}
	return json_null();
}

static json_t *gates_json(const ChangeDetail *detail)
{
	const Standing *standing = detail->standing;
	json_t *list = json_array();
	for (guint i = 0; i < standing->gates->len; i++) {
		const Gate *gate = standing->gates->pdata[i];
		json_t *override = standing->overridden[i] ? override_of(detail->change, gate->name)
							   : json_null();
		json_array_append_new(
			list, json_pack("{s:s, s:b, s:s, s:s?, s:o}", "name", gate->name, "passes",
				      gate->passes, "text", gate->text, "role", gate->role,
				      "override", override));
	}
	return list;
}

/* All of it ------------------------------------------------------------------------------------ */

static json_t *texts(const GPtrArray *list)
{
	json_t *json = json_array();
	for (guint i = 0; i < list->len; i++)
		json_array_append_new(json, json_string(list->pdata[i]));
	return json;
}

static json_t *may_json(const ChangeDetail *detail)
{
	return json_pack("{s:o, s:o, s:b, s:b, s:b, s:b, s:b, s:b}", "sign",
		texts(detail->may_sign), "tested", texts(detail->may_test), "edit",
		detail->may_edit, "withdraw", detail->may_withdraw, "override",
		detail->may_override, "break_glass", detail->may_break_glass, "go", detail->may_go,
		"review", detail->may_review);
}

json_t *change_detail_json(const ChangeDetail *detail)
{
	const ChannelChange *change = detail->change;
	const Standing *standing = detail->standing;
	json_t *json = change_json(change, standing);
	g_autoptr(json_t) more =
		json_pack("{s:O, s:o, s:o, s:s?, s:s?, s:o, s:o, s:o, s:o, s:O, s:o, s:o}", "ops",
			change->ops, "words", all_words(standing->content), "content",
			or_empty(standing->content), "digest", standing->digest, "time_digest",
			standing->time_digest, "required", required_json(standing), "sign_offs",
			sign_offs_json(detail), "tested", tested_json(detail), "gates",
			gates_json(detail), "overrides", change->overrides, "conflicts",
			or_empty(detail->conflicts), "may", may_json(detail));
	json_object_update(json, more);
	return json;
}
