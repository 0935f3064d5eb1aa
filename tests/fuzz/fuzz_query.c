/* SPDX-License-Identifier: ISC
 *
 * A query as JSON from anyone, asked of rules that look at everything: an answer or an error; the
 * index finds what explain() finds without it.
 */
#include <stdint.h>

#include "channel/evaluate.h"
#include "channel/explain.h"
#include "channel/query_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char rows[] =
	"{\"rules\": [{\"rule_id\": 1, \"product\": \"P\", \"channel\": \"re*\", \"version\": "
	"\"<60.0\", \"mapping\": \"A\", \"rate\": 50, \"fallback_mapping\": \"B\"}, "
	"{\"rule_id\": 2, \"priority\": 5, \"channel\": \"beta-cck-x\", \"build_id\": \"<7\", "
	"\"mapping\": \"B\"}, {\"rule_id\": 3, \"priority\": 7, \"product\": \"S\", \"version\": "
	"\"1.*\", \"locale\": \"de,fr\", \"os_version\": \"Linux && 5,Win\", \"mapping\": \"B\"}, "
	"{\"rule_id\": 4, \"memory\": \">7\", \"instruction_set\": \"SSE2&&SSE3\", \"flags\": "
	"{\"jaws\": true}, \"tags\": {\"rack\": \"a\"}, \"mapping\": \"A\"}, {\"rule_id\": 5}], "
	"\"releases\": [{\"name\": \"A\", \"version\": \"60.0\", \"build_id\": \"7\"}, {\"name\": "
	"\"B\", \"platforms\": {\"T\": {\"locales\": {\"de\": {}}}, \"U\": {\"alias\": \"T\"}}}], "
	"\"pins\": [{\"product\": \"P\", \"channel\": \"release\", \"version\": \"59.\", "
	"\"mapping\": \"B\"}], \"shutoffs\": [{\"product\": \"P\", \"channel\": \"nightly\"}]}";

static Snapshot *compile(void)
{
	json_t *file = json_loads(rows, 0, NULL);
	json_t *schemes = json_pack("{s:s, s:s}", "S", "semver", "L", "loose");
	g_autoptr(State) state = state_new();
	for (guint i = 0; i < STATE_TABLES; i++) {
		const json_t *list = json_object_get(file, state_table_name((StateTable)i));
		for (gsize j = 0; j < json_array_size(list); j++)
			g_assert(state_add(state, (StateTable)i, json_array_get(list, j), NULL));
	}
	Snapshot *snapshot = snapshot_new(state, schemes, NULL);
	g_assert_cmpuint(snapshot_errors(snapshot)->len, ==, 0);
	json_decref(file);
	json_decref(schemes);
	return snapshot;
}

/* Rules 1 to 5 asked one by one, without the index. */
static void check_matching(const Snapshot *snapshot, const Query *query)
{
	g_autoptr(GPtrArray) matching = g_ptr_array_new();
	const GPtrArray *all = snapshot_all_rules(snapshot);
	guint next = 0;
	evaluate_matching(snapshot, query, matching);
	for (guint i = 0; i < all->len; i++)
		if (rule_first_miss(all->pdata[i], query, 0) == RULE_COLUMNS)
			g_assert(next < matching->len && matching->pdata[next++] == all->pdata[i]);
	g_assert_cmpuint(next, ==, matching->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *asked = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	g_autoptr(Snapshot) snapshot = asked == NULL ? NULL : compile();
	g_autoptr(GError) error = NULL;
	Query query = {.draw = 7};
	Answer answer;
	if (asked == NULL)
		return 0;
	if (query_from_json(snapshot, asked, &query, &error)) {
		evaluate(snapshot, &query, &answer);
		check_matching(snapshot, &query);
		json_decref(explain(snapshot, &query));
	} else {
		g_assert(g_utf8_validate(error->message, -1, NULL));
	}
	json_decref(asked);
	return 0;
}
