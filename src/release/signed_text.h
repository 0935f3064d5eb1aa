/* SPDX-License-Identifier: ISC
 *
 * A text and its signature in one file: the text, then minisign's four lines. So that both are
 * replaced by one rename and fetched by one request: whoever reads sees the old pair or the new
 * one. `head -n -4` gives the text, `tail -n 4` the signature. Index and delegation of a repository
 * lie there like this.
 */
#ifndef RELEASE_SIGNED_TEXT_H
#define RELEASE_SIGNED_TEXT_H

#include "release/signature.h"

/* The text ends in a newline. Caller frees. */
char *signed_text_join(const char *text, const Signature *signature);
/* *text is the signed part, caller frees. Fails with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE.
 */
Signature *signed_text_split(const char *name, const char *bytes, gsize size_bytes, char **text,
	gsize *text_bytes, GError **error);

#endif
