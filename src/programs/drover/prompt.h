/* SPDX-License-Identifier: ISC
 *
 * Passwords, typed where nobody sees them.
 */
#ifndef DROVER_PROMPT_H
#define DROVER_PROMPT_H

#include "base/error.h"

/* Asks on the terminal, and when `twice` once more to compare; what is no terminal gives its first
 * line. Fails with DROVER_ERROR_INPUT: none given, given up, two that differ. Free with
 * prompt_password_free(). */
char *prompt_password(gboolean twice, GError **error);
/* Wipes it. NULL is allowed. */
void prompt_password_free(char *password);

#endif
