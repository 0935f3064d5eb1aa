/* SPDX-License-Identifier: ISC
 *
 * Reads a cut.
 */
#include "channel/row/cut.h"

#include <string.h>

#include "base/format.h"

gboolean cut_parse(const char *text, Cut *cut, GError **error)
{
	static const struct {
		const char *word;
		CutKind kind;
	} kinds[] = {{"until ", CUT_UNTIL}, {"through ", CUT_THROUGH}};
	*cut = (Cut){.kind = CUT_ALL};
	if (strcmp(text, "all") == 0)
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		cut->kind = kinds[i].kind;
		if (g_str_has_prefix(text, kinds[i].word) &&
			g_ascii_string_to_signed(text + strlen(kinds[i].word), 10, 0, G_MAXINT64,
				&cut->number, NULL))
			return TRUE;
	}
	if (g_str_has_prefix(text, "until ") &&
		parse_time(text + strlen("until "), &cut->number, NULL)) {
		cut->kind = CUT_UNTIL;
		return TRUE;
	}
	drover_error_set(error, DROVER_ERROR_INPUT,
		"'%s' is no cut: all, until TIME, or through CHANGE", text);
	return FALSE;
}
