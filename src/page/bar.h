/* SPDX-License-Identifier: ISC
 *
 * Bars: numbers side by side, drawn and in words.
 */
#ifndef PAGE_BAR_H
#define PAGE_BAR_H

#include "page/parts.h"

typedef struct BarPart {
	const char *class, *words; /* "up" and "up": the legend says "3 up" */
	gint64 amount;
} BarPart;

/* A whole bar, each part as wide as its share, and a legend of those that are not 0 under it.
 * Nothing when all are 0. */
void bar_write(Html *html, const BarPart *parts, gsize count);
/* A small one inside of a line: `parts` from left to right, `whole` is its width, `words` what it
 * says. */
void bar_small(Html *html, const BarPart *parts, gsize count, gint64 whole, const char *words);

#endif
