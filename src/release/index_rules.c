/* SPDX-License-Identifier: ISC
 *
 * Which index may follow which, and which release may follow which: against being shown old things
 * (docs/keys.md, "The index").
 */
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "release/index.h"

void index_seen(const Index *index, const char *sha256, IndexSeen *seen)
{
	*seen = (IndexSeen){.issued_us = index->issued_us, .newest = index->newest};
	g_strlcpy(seen->sha256, sha256, sizeof seen->sha256);
}

static gboolean is_of_now(const Index *index, gint64 now_us, GError **error)
{
	if (now_us >= index->expires_us) {
		g_autofree char *expired = format_time(index->expires_us);
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"the index of %s expired at %s: nobody signs it any more, or an old one is "
			"shown to hold back updates",
			index->product, expired);
		return FALSE;
	}
	if (index->issued_us - now_us > INDEX_MAXIMUM_AHEAD_S * US_PER_SECOND) {
		g_autofree char *issued = format_time(index->issued_us);
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"the index of %s was issued at %s, which is in the future: look at the "
			"clocks of this host and of droverd",
			index->product, issued);
		return FALSE;
	}
	return TRUE;
}

static gboolean is_not_older(
	const Index *index, const char *sha256, const IndexSeen *seen, GError **error)
{
	g_autofree char *issued = format_time(index->issued_us);
	g_autofree char *before = format_time(seen->issued_us);
	if (index->issued_us < seen->issued_us) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"the index of %s is old: issued at %s, but one of %s was seen",
			index->product, issued, before);
		return FALSE;
	}
	if (index->issued_us == seen->issued_us && seen->sha256[0] != '\0' &&
		strcmp(sha256, seen->sha256) != 0) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"there are two different indexes of %s issued at %s: sign it again",
			index->product, issued);
		return FALSE;
	}
	if (index->newest < seen->newest) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"the newest sequence of %s fell from %" G_GINT64_FORMAT
			" to %" G_GINT64_FORMAT ", and it never falls",
			index->product, seen->newest, index->newest);
		return FALSE;
	}
	return TRUE;
}

gboolean index_may_follow(const Index *index, const char *product, const char *sha256,
	const IndexSeen *seen, gint64 now_us, GError **error)
{
	if (strcmp(index->product, product) != 0) {
		drover_error_set(error, DROVER_ERROR_DENIED, "the index is one of %s, not of %s",
			index->product, product);
		return FALSE;
	}
	return is_of_now(index, now_us, error) && is_not_older(index, sha256, seen, error);
}

gboolean install_may_replace(const InstallWish *wish, GError **error)
{
	if (wish->sequence < wish->floor) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s has the sequence %" G_GINT64_FORMAT ", below %" G_GINT64_FORMAT
			", the lowest that a release which ran here can be taken back to",
			wish->version, wish->sequence, wish->floor);
		return FALSE;
	}
	if (wish->sequence < wish->running && !wish->is_ordered) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s has the sequence %" G_GINT64_FORMAT
			" and is older than what runs, with %" G_GINT64_FORMAT
			": only an order goes back",
			wish->version, wish->sequence, wish->running);
		return FALSE;
	}
	return TRUE;
}

gboolean index_may_install(
	const Index *index, const InstallWish *wish, gint64 now_us, GError **error)
{
	if (!is_of_now(index, now_us, error))
		return FALSE;
	const IndexRelease *release = index_find(index, wish->version);
	if (release == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND, "the index of %s has no release %s",
			index->product, wish->version);
		return FALSE;
	}
	if (release->sequence != wish->sequence || strcmp(release->sha256, wish->sha256) != 0) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"the manifest of %s %s is not the one that the index names: it was "
			"exchanged",
			index->product, wish->version);
		return FALSE;
	}
	return install_may_replace(wish, error);
}
