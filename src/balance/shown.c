/* SPDX-License-Identifier: ISC
 *
 * What was found, for a message about it.
 */
#include "balance/shown.h"

#include <string.h>

char *shown_text(const char *text, gssize length)
{
	gsize all = length < 0 ? strlen(text) : (gsize)length;
	char *shown = g_utf8_make_valid(text, (gssize)MIN(all, SHOWN_MAXIMUM_BYTES));
	for (char *c = shown; *c != '\0'; c++)
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	return shown;
}
