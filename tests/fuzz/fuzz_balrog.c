/* SPDX-License-Identifier: ISC
 *
 * A file of Balrog's from anyone: what is taken is an edit that applies, maps to what is there and
 * compiles without an error; and each rule is taken, refused or left out.
 */
#include <stdint.h>

#include "channel/balrog/balrog.h"
#include "channel/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* How many rules a list of refusals is about, at least. */
static guint names(const json_t *list)
{
	gsize i;
	json_t *one, *last = NULL;
	guint count = 0;
	json_array_foreach (list, i, one) {
		json_t *name = json_object_get(one, "rule_id");
		count += name == NULL || json_is_null(name) || name != last;
		last = name;
	}
	return count;
}

static gint64 number(const json_t *report, const char *key)
{
	return json_integer_value(json_object_get(report, key));
}

static void check(const State *state, const json_t *report, gboolean are_rules)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(State) after = state_apply(state, report, &error);
	g_assert_no_error(error);
	g_assert(state_check_mappings(after, report, NULL));
	g_autoptr(Snapshot) snapshot = snapshot_new(after, NULL, NULL);
	g_assert_cmpuint(snapshot_errors(snapshot)->len, ==, 0);
	g_assert_cmpint(number(report, "taken") + number(report, "stubs"), ==,
		(gint64)json_array_size(json_object_get(report, "ops")));
	g_assert_cmpint(
		number(report, "taken") + number(report, "left_out"), <=, number(report, "read"));
	if (!are_rules)
		return;
	g_assert_cmpint(number(report, "taken") + number(report, "left_out") +
				names(json_object_get(report, "refused")),
		>=, number(report, "read"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *file = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	json_t *row = json_pack("{s:s, s:s}", "name", "A", "product", "P");
	g_autoptr(State) state = state_new();
	state_add(state, STATE_RELEASES, row, NULL);
	json_decref(row);
	for (guint i = 0; file != NULL && i < 4; i++) {
		BalrogWish wish = {i % 2 == 0 ? NULL : "P", i < 2};
		json_t *rules = balrog_rules(file, state, &wish, NULL);
		json_t *releases = balrog_releases(file, state, &wish, NULL);
		if (rules != NULL)
			check(state, rules, TRUE);
		if (releases != NULL)
			check(state, releases, FALSE);
		json_decref(rules);
		json_decref(releases);
	}
	json_decref(file);
	return 0;
}
