/* SPDX-License-Identifier: ISC
 *
 * The evaluator. It reads the snapshot through snapshot.h only, so what it can read for one product
 * and channel is what a digest must cover.
 */
#include "channel/evaluate.h"

#include <sodium.h>
#include <string.h>

static const char *const sentences[] = {
	[ANSWER_SERVED] = "the rule's release",
	[ANSWER_FALLBACK] = "outside the rule's rate: its fallback",
	[ANSWER_PINNED] = "the client is pinned to its line",
	[ANSWER_NO_MATCH] = "no rule matches",
	[ANSWER_NO_MAPPING] = "the rule maps to nothing",
	[ANSWER_THROTTLED] = "outside the rule's rate, and it has no fallback",
	[ANSWER_SHUT_OFF] = "the channel is shut off",
	[ANSWER_OLDER] = "the release is older than what the client has",
	[ANSWER_NO_NEWER] = "the client has this version, and no older build of it",
	[ANSWER_NO_FILES] = "the release has no files for this platform and locale",
};

const char *answer_why_text(AnswerWhy why)
{
	return sentences[why];
}

guint throttle_draw(const char *product, const char *mapping, const char *id)
{
	unsigned char digest[crypto_hash_sha256_BYTES], hash[crypto_shorthash_BYTES];
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)product, strlen(product) + 1);
	crypto_hash_sha256_update(&state, (const unsigned char *)mapping, strlen(mapping));
	crypto_hash_sha256_final(&state, digest);
	G_STATIC_ASSERT(crypto_shorthash_KEYBYTES == 16);
	crypto_shorthash(hash, (const unsigned char *)id, strlen(id), digest);
	guint64 number = 0;
	for (guint i = 0; i < sizeof hash; i++)
		number |= (guint64)hash[i] << (8 * i);
	return (guint)(number % 100);
}

static const Rule *find_winner(const Snapshot *snapshot, const Query *query)
{
	RuleColumn from;
	const GPtrArray *rules =
		snapshot_rules_from(snapshot, query->product, query->channel, &from);
	for (guint i = 0; i < rules->len; i++)
		if (rule_first_miss(rules->pdata[i], query, from) == RULE_COLUMNS)
			return rules->pdata[i];
	return NULL;
}

void evaluate_matching(const Snapshot *snapshot, const Query *query, GPtrArray *matching)
{
	RuleColumn from;
	const GPtrArray *rules =
		snapshot_rules_from(snapshot, query->product, query->channel, &from);
	for (guint i = 0; i < rules->len; i++)
		if (rule_first_miss(rules->pdata[i], query, from) == RULE_COLUMNS)
			g_ptr_array_add(matching, rules->pdata[i]);
}

/* Is the client within the rule's rate? */
static gboolean is_within_rate(const Rule *rule, const Query *query, Answer *answer)
{
	if (rule->rate == 100)
		return TRUE;
	if (query->force != QUERY_FORCE_NONE)
		return query->force == QUERY_FORCE_SERVE;
	if (query->id == NULL) {
		answer->was_drawn = TRUE;
		return query->draw < rule->rate;
	}
	return throttle_draw(query->product != NULL ? query->product : "",
		       rule->mapping != NULL ? rule->mapping : "", query->id) < rule->rate;
}

/* The pin's release, unless what the rule gives is older still. */
static void hold_on_pin(const Snapshot *snapshot, const Query *query, Answer *answer)
{
	const char *pinned = snapshot_pinned(snapshot, query->product, query->channel, query->pin);
	if (pinned == NULL)
		return;
	const ReleaseDocument *given = snapshot_release(snapshot, answer->mapping);
	const ReleaseDocument *line = snapshot_release(snapshot, pinned);
	if (given != NULL && line != NULL && given->has_version && line->has_version &&
		given->version.scheme == line->version.scheme &&
		version_compare(&given->version, &line->version) <= 0)
		return;
	answer->mapping = pinned;
	answer->why = ANSWER_PINNED;
}

static void ask_release(const Snapshot *snapshot, const Query *query, Answer *answer)
{
	static const AnswerWhy declined[] = {
		[RELEASE_IS_OLDER] = ANSWER_OLDER,
		[RELEASE_IS_NO_NEWER] = ANSWER_NO_NEWER,
		[RELEASE_HAS_NO_FILES] = ANSWER_NO_FILES,
	};
	const ReleaseDocument *document = snapshot_release(snapshot, answer->mapping);
	ReleaseWord word =
		document == NULL ? RELEASE_SERVES : release_document_ask(document, query);
	if (word == RELEASE_SERVES)
		return;
	answer->mapping = NULL;
	answer->why = declined[word];
}

void evaluate(const Snapshot *snapshot, const Query *query, Answer *answer)
{
	*answer = (Answer){.why = ANSWER_NO_MATCH};
	if (snapshot_is_shut_off(snapshot, query->product, query->channel)) {
		answer->why = ANSWER_SHUT_OFF;
		return;
	}
	const Rule *rule = answer->rule = find_winner(snapshot, query);
	if (rule == NULL)
		return;
	gboolean is_within = is_within_rate(rule, query, answer);
	answer->mapping = is_within ? rule->mapping : rule->fallback_mapping;
	answer->why = is_within ? ANSWER_SERVED : ANSWER_FALLBACK;
	if (answer->mapping == NULL) {
		answer->why = is_within ? ANSWER_NO_MAPPING : ANSWER_THROTTLED;
		return;
	}
	hold_on_pin(snapshot, query, answer);
	ask_release(snapshot, query, answer);
}
