/* SPDX-License-Identifier: ISC
 *
 * What was found, for a message about it: short, on one line, and fit for a terminal.
 */
#ifndef BALANCE_SHOWN_H
#define BALANCE_SHOWN_H

#include <glib.h>

#define SHOWN_MAXIMUM_BYTES 60

/* The beginning of `length` bytes (-1: up to the NUL), in UTF-8, control characters as blanks.
 * Caller frees. */
char *shown_text(const char *text, gssize length);

#endif
