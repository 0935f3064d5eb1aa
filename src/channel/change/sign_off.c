/* SPDX-License-Identifier: ISC
 *
 * Sign-offs, judged one by one in the order in which they were given.
 */
#include "channel/change/sign_off.h"

#include <string.h>

const char *sign_off_standing_text(SignOffStanding standing)
{
	static const char *const sentences[] = {
		[SIGN_OFF_COUNTS] = "counts",
		[SIGN_OFF_REVOKED] = "revoked",
		[SIGN_OFF_OTHER_CONTENT] = "for another content than the change has now",
		[SIGN_OFF_LOST_ROLE] = "the person no longer has the role",
		[SIGN_OFF_SECOND] = "the person has signed this change already",
	};
	return sentences[standing];
}

static SignOffStanding judge(
	const SignOffQuestion *question, const SignOff *sign_off, GHashTable *persons)
{
	const char *digest = question->signs_time(sign_off->role, question->of)
				     ? question->time_digest
				     : question->digest;
	if (sign_off->is_revoked)
		return SIGN_OFF_REVOKED;
	if (strcmp(sign_off->digest, digest) != 0)
		return SIGN_OFF_OTHER_CONTENT;
	if (!question->has_role(sign_off->person, sign_off->role, question->of))
		return SIGN_OFF_LOST_ROLE;
	/* What did not count takes nothing away: who lost one role may sign in another. */
	return g_hash_table_add(persons, (gpointer)sign_off->person) ? SIGN_OFF_COUNTS
								     : SIGN_OFF_SECOND;
}

void sign_offs_judge(const SignOffQuestion *question, const SignOff *sign_offs, guint count,
	SignOffStanding *standings)
{
	g_autoptr(GHashTable) persons = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < count; i++)
		standings[i] = judge(question, &sign_offs[i], persons);
}

guint sign_offs_missing(const SignOffQuestion *question, const SignOff *sign_offs, guint count,
	const char *role, guint wanted)
{
	g_autofree SignOffStanding *standings = g_new0(SignOffStanding, count);
	gboolean may_be_alone = question->author_may_sign(role, question->of);
	guint found = 0, others = 0;
	sign_offs_judge(question, sign_offs, count, standings);
	for (guint i = 0; i < count; i++) {
		if (standings[i] != SIGN_OFF_COUNTS || strcmp(sign_offs[i].role, role) != 0)
			continue;
		found++;
		others += strcmp(sign_offs[i].person, question->author) != 0;
	}
	guint missing = wanted > found ? wanted - found : 0;
	return missing == 0 && wanted > 0 && others == 0 && !may_be_alone ? 1 : missing;
}
