/* SPDX-License-Identifier: ISC
 *
 * A text with its signature behind it. The signature is always the last four lines, so that the
 * border needs no mark of its own: nothing in the text can look like one.
 */
#include "release/signed_text.h"

#include <string.h>

enum { SIGNATURE_LINES = 4 };

char *signed_text_join(const char *text, const Signature *signature)
{
	g_assert(g_str_has_suffix(text, "\n") && signature->trusted_comment != NULL);
	g_autofree char *lines = signature_text(signature);
	return g_strconcat(text, lines, NULL);
}

/* Where the last lines begin; NULL when there is no text before them, or the last line is cut off.
 */
static const char *last_lines(const char *bytes, gsize size_bytes)
{
	if (size_bytes == 0 || bytes[size_bytes - 1] != '\n')
		return NULL;
	const char *newline = bytes + size_bytes - 1;
	for (int i = 0; i < SIGNATURE_LINES; i++) {
		newline = memrchr(bytes, '\n', (gsize)(newline - bytes));
		if (newline == NULL)
			return NULL;
	}
	return newline + 1;
}

Signature *signed_text_split(const char *name, const char *bytes, gsize size_bytes, char **text,
	gsize *text_bytes, GError **error)
{
	const char *lines = last_lines(bytes, size_bytes);
	if (lines == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s should be a text and the %d lines of its signature: it was cut off, or "
			"is another kind of file",
			name, SIGNATURE_LINES);
		return NULL;
	}
	gsize length = (gsize)(lines - bytes);
	g_autoptr(Signature) signature = signature_parse(name, lines, size_bytes - length, error);
	if (signature == NULL) {
		g_prefix_error(error, "the signature at the end of ");
		return NULL;
	}
	/* As it was signed, whatever is in it. */
	*text = g_malloc(length + 1);
	memcpy(*text, bytes, length);
	(*text)[length] = '\0';
	*text_bytes = length;
	return g_steal_pointer(&signature);
}
