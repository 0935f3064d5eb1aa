/* SPDX-License-Identifier: ISC
 *
 * An address from anyone: "PATH?NAME=VALUE&…", each asked of rules that look at much. Refused, or a
 * body that is whole: XML with one update at most, or JSON.
 */
#include <stdint.h>
#include <string.h>

#include "channel/answer/update_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char rows[] =
	"{\"products\": [{\"product\": \"P\", \"hosts\": [\"a.org\"]}, {\"product\": \"S\", "
	"\"scheme\": \"semver\"}], \"channels\": [{\"product\": \"P\", \"channel\": \"t\", "
	"\"base\": \"release\", \"rewrite\": {\"a.org\": \"b.org:8\"}}], \"rules\": [{\"rule_id\": "
	"1, \"product\": \"P\", \"channel\": \"re*\", \"mapping\": \"A\", \"rate\": 50, "
	"\"fallback_mapping\": \"B\"}, {\"rule_id\": 2, \"memory\": \">7\", \"tags\": {\"imei\": "
	"\"1\"}, \"mapping\": \"B\"}], \"releases\": [{\"name\": \"A\", \"version\": \"60.0\", "
	"\"build_id\": \"7\", \"details_url\": \"http://a.org/%LOCALE%\", \"platforms\": {\"T\": "
	"{\"locales\": {\"de\": {\"completes\": [{\"from\": \"*\", \"url\": \"http://a.org/x\", "
	"\"size\": 1, \"sha256\": \"f\"}], \"partials\": [{\"from\": \"B\", \"file\": \"x\", "
	"\"size\": 1, \"sha512\": \"f\"}]}}}}}, {\"name\": \"B\", \"version\": \"59.0\"}]}";

static Published *publish(void)
{
	json_t *file = json_loads(rows, 0, NULL);
	g_autoptr(State) state = state_new();
	g_autoptr(Queue) queue = queue_new(NULL, NULL);
	for (guint i = 0; i < STATE_TABLES; i++) {
		const json_t *list = json_object_get(file, state_table_name((StateTable)i));
		for (gsize j = 0; j < json_array_size(list); j++)
			g_assert(state_add(state, (StateTable)i, json_array_get(list, j), NULL));
	}
	json_decref(file);
	return published_new(state, queue, 1, NULL);
}

/* Cuts the text in place. */
static GHashTable *parameters_of(char *text)
{
	GHashTable *parameters = g_hash_table_new(g_str_hash, g_str_equal);
	char *pair;
	while ((pair = strsep(&text, "&")) != NULL) {
		char *value = strchr(pair, '=');
		if (value != NULL)
			*value++ = '\0';
		g_hash_table_insert(parameters, pair, value != NULL ? value : "");
	}
	return parameters;
}

static guint times(const char *text, const char *part)
{
	guint found = 0;
	while ((text = strstr(text, part)) != NULL) {
		text++;
		found++;
	}
	return found;
}

static void check(const UpdateAnswer *answer)
{
	if (answer->asked->format == ASKED_XML) {
		g_assert(g_str_has_prefix(answer->body, "<?xml version=\"1.0\"?>\n<updates>\n"));
		g_assert(g_str_has_suffix(answer->body, "</updates>\n"));
		g_assert_cmpuint(times(answer->body, "<update "), <=, 1);
		g_assert_cmpuint(times(answer->body, "<patch "), <=, 2);
		return;
	}
	json_t *value = json_loads(answer->body, 0, NULL);
	g_assert(json_is_string(json_object_get(value, "why")));
	json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autofree char *path = g_strndup((const char *)bytes, size);
	char *question = strchr(path, '?');
	g_autoptr(GError) error = NULL;
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) answer = {0};
	if (question != NULL)
		*question++ = '\0';
	g_autoptr(GHashTable) parameters = parameters_of(question);
	if (!asked_read(path, parameters, &asked, &error)) {
		g_assert(g_utf8_validate(error->message, -1, NULL));
		return 0;
	}
	g_autoptr(Published) published = publish();
	if (update_answer_make(published, "https://c.org/releases", &asked, 7, &answer, &error))
		check(&answer);
	else
		g_assert(drover_error_is(error, DROVER_ERROR_INPUT));
	return 0;
}
