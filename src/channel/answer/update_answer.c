/* SPDX-License-Identifier: ISC
 *
 * Find the place, ask the evaluator, choose the files, write the body.
 */
#include "channel/answer/update_answer.h"

#include <sodium.h>
#include <string.h>

static gboolean read_version(const Place *place, Asked *asked, GError **error)
{
	Query *query = &asked->query;
	if (asked->version == NULL)
		return TRUE;
	query->has_version = version_parse(snapshot_scheme(place->snapshot, query->product),
		asked->version, &query->version, error);
	if (!query->has_version)
		g_prefix_error(error, "version: ");
	return query->has_version;
}

static void decline(UpdateAnswer *answer, UpdateOutcome outcome, const char *why)
{
	answer->outcome = outcome;
	answer->why = why;
	answer->decided.mapping = NULL;
}

static void decide(UpdateAnswer *answer, const char *base_url)
{
	const Asked *asked = answer->asked;
	if (answer->place.undefined != NULL) {
		decline(answer, UPDATE_UNDEFINED, answer->place.undefined);
		return;
	}
	evaluate(answer->place.snapshot, &asked->query, &answer->decided);
	answer->is_private = answer->decided.was_drawn;
	answer->why = answer_why_text(answer->decided.why);
	const char *mapping = answer->decided.mapping;
	if (mapping == NULL)
		return;
	offer_make(&answer->place, &asked->query, asked->release,
		snapshot_release(answer->place.snapshot, mapping), base_url, &answer->offer);
	if (answer->offer.refused > 0 && answer->offer.complete.url == NULL)
		decline(answer, UPDATE_REFUSED,
			"the release's files are of hosts that the product does not allow");
	else
		answer->outcome = UPDATE_OFFERED;
}

static void write_body(UpdateAnswer *answer)
{
	static const struct {
		const char *content_type;
		char *(*write)(const UpdateAnswer *answer);
	} formats[] = {
		[ASKED_XML] = {"text/xml; charset=utf-8", update_answer_xml},
		[ASKED_JSON] = {"application/json", update_answer_json},
		[ASKED_NODE] = {"application/json", update_answer_node},
	};
	unsigned char digest[crypto_hash_sha256_BYTES];
	answer->content_type = formats[answer->asked->format].content_type;
	answer->body = formats[answer->asked->format].write(answer);
	answer->body_bytes = strlen(answer->body);
	crypto_hash_sha256(digest, (const unsigned char *)answer->body, answer->body_bytes);
	sodium_bin2hex(answer->tag, sizeof answer->tag, digest, (sizeof answer->tag - 1) / 2);
}

gboolean update_answer_decide(const Published *published, const char *base_url, Asked *asked,
	guint draw, UpdateAnswer *answer, GError **error)
{
	Query *query = &asked->query;
	memset(answer, 0, sizeof *answer);
	answer->asked = asked;
	answer->generation = published_generation(published);
	answer->outcome = UPDATE_NOTHING;
	published_find(published, query->product, query->channel, &answer->place);
	if (!read_version(&answer->place, asked, error))
		return FALSE;
	query->draw = draw;
	/* What rules see is the base; what was asked for stays with the answer. */
	const char *asked_for = query->channel;
	query->channel = answer->place.channel;
	decide(answer, base_url);
	query->channel = asked_for;
	return TRUE;
}

gboolean update_answer_make(const Published *published, const char *base_url, Asked *asked,
	guint draw, UpdateAnswer *answer, GError **error)
{
	const Query *query = &asked->query;
	if (!update_answer_decide(published, base_url, asked, draw, answer, error))
		return FALSE;
	gboolean tells_digest = answer->place.is_test || asked->format == ASKED_NODE;
	if (tells_digest && answer->place.undefined == NULL)
		answer->digest = published_digest(published, query->product, &answer->place);
	write_body(answer);
	return TRUE;
}

void update_answer_clear(UpdateAnswer *answer)
{
	offer_clear(&answer->offer);
	g_clear_pointer(&answer->body, g_free);
}
