/* SPDX-License-Identifier: ISC
 *
 * Two states of a channel held beside each other; and what one change does to each channel.
 */
#include "api/channel_diff.h"

#include <string.h>

#include "api/channel_look.h"
#include "channel/difference.h"
#include "channel/digest.h"

static json_t *side_json(const DiffSide *side, const char *digest)
{
	return json_pack("{s:o, s:s, s:I, s:o}", "cut", channel_cut_json(side->cut), "digest",
		digest, "generation", (json_int_t)side->generation, "undefined",
		json_text_or_null(side->undefined));
}

/* Caller frees. */
static char *say(const DiffSide *before, const DiffSide *after, gboolean same, gsize classes)
{
	const char *undefined = before->undefined != NULL ? before->undefined : after->undefined;
	if (undefined != NULL)
		return g_strdup_printf("cannot be compared: %s", undefined);
	if (same)
		return g_strdup("every query gets the same answer, and always would");
	if (classes == 0)
		return g_strdup("what is answered from differs, but no query was found that gets "
				"another answer");
	return g_strdup_printf("%" G_GSIZE_FORMAT " class%s of queries get%s another answer",
		classes, classes == 1 ? "" : "es", classes == 1 ? "s" : "");
}

json_t *channel_difference(const DiffSide *before, const DiffSide *after, const char *product,
	const char *channel, GError **error)
{
	g_autofree char *was = digest_of(before->snapshot, product, channel);
	g_autofree char *is = digest_of(after->snapshot, product, channel);
	gboolean is_defined = before->undefined == NULL && after->undefined == NULL;
	gboolean same = is_defined && strcmp(was, is) == 0;
	g_autoptr(json_t) classes =
		!is_defined || same
			? json_array()
			: difference_of(before->snapshot, after->snapshot, product, channel, error);
	if (classes == NULL)
		return NULL;
	g_autofree char *text = say(before, after, same, json_array_size(classes));
	return json_pack("{s:o, s:o, s:b, s:O, s:s}", "before", side_json(before, was), "after",
		side_json(after, is), "same", same, "classes", classes, "text", text);
}
