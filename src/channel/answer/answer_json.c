/* SPDX-License-Identifier: ISC
 *
 * The answers in JSON: for whoever asks, and for nodes. What moves without the answer being another
 * (generation, a rule's data version) is in the head, and in the body of test channels only, so
 * that equal digests give equal bytes.
 */
#include "channel/answer/update_answer.h"

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

/* As it stands in the release, with the address that it is had from. */
static json_t *file_value(const OfferedFile *file)
{
	if (file->url == NULL)
		return json_null();
	json_t *value = json_pack("{s:s}", "url", file->url);
	static const char *const columns[] = {"from", "size", "sha256", "sha512"};
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		json_t *column = json_object_get(file->row, columns[i]);
		if (column != NULL)
			json_object_set(value, columns[i], column);
	}
	return value;
}

static json_t *release_value(const UpdateAnswer *answer)
{
	const Offer *offer = &answer->offer;
	const char *name = answer->decided.mapping;
	if (name == NULL || offer->release == NULL)
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "name", name, "version",
		text_or_null(offer_text(offer, "version")), "build_id",
		text_or_null(offer_text(offer, "build_id")));
}

static json_t *rule_value(const UpdateAnswer *answer)
{
	return answer->decided.rule != NULL ? json_integer(answer->decided.rule->rule_id)
					    : json_null();
}

static void add_place(json_t *value, const UpdateAnswer *answer)
{
	const Place *place = &answer->place;
	json_object_set_new(value, "channel", text_or_null(answer->asked->query.channel));
	json_object_set_new(value, "is_test", json_boolean(place->is_test));
	if (!place->is_test)
		return;
	json_object_set_new(value, "base", text_or_null(place->channel));
	json_object_set_new(value, "generation", json_integer(answer->generation));
	json_object_set_new(value, "cut", text_or_null(place->cut));
	json_object_set_new(value, "digest", text_or_null(answer->digest));
	json_object_set_new(value, "undefined", text_or_null(place->undefined));
	json_object_set_new(value, "held", text_or_null(place->held));
}

/* {"mapping", "rule_id", "why", "release": {"name", "version", "build_id"} or null, "files":
 * {"complete", "partial"} or null, "channel", "is_test"; of a test channel also "base",
 * "generation", "cut", "digest", "undefined", "held"}. */
static json_t *value_of(const UpdateAnswer *answer)
{
	const Offer *offer = &answer->offer;
	gboolean has_files = answer->outcome == UPDATE_OFFERED &&
			     (offer->complete.url != NULL || offer->partial.url != NULL);
	json_t *files = has_files
				? json_pack("{s:o, s:o}", "complete", file_value(&offer->complete),
					  "partial", file_value(&offer->partial))
				: json_null();
	json_t *value = json_pack("{s:o, s:o, s:s, s:o, s:o}", "mapping",
		text_or_null(answer->decided.mapping), "rule_id", rule_value(answer), "why",
		answer->why, "release", release_value(answer), "files", files);
	add_place(value, answer);
	return value;
}

static char *written(json_t *value)
{
	char *dumped = json_dumps(value, JSON_COMPACT);
	char *text = g_strconcat(dumped, "\n", NULL);
	free(dumped);
	json_decref(value);
	return text;
}

char *update_answer_json(const UpdateAnswer *answer)
{
	return written(value_of(answer));
}

static json_t *list_of(const OfferedFile *file)
{
	json_t *list = json_array();
	if (file->url != NULL)
		json_array_append_new(list, file_value(file));
	return list;
}

/* `release` null: a node stays with what it runs. */
char *update_answer_node(const UpdateAnswer *answer)
{
	const Offer *offer = &answer->offer;
	gboolean is_offered = answer->outcome == UPDATE_OFFERED;
	OfferedFile none = {0};
	json_t *value = json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}", "product",
		text_or_null(answer->asked->query.product), "release", release_value(answer),
		"files", list_of(is_offered ? &offer->complete : &none), "deltas",
		list_of(is_offered ? &offer->partial : &none), "why", answer->why, "rule_id",
		rule_value(answer));
	add_place(value, answer);
	json_object_set_new(value, "digest", text_or_null(answer->digest));
	return written(value);
}
