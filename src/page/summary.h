/* SPDX-License-Identifier: ISC
 *
 * What the overview and a product's own page say alike about one product.
 */
#ifndef PAGE_SUMMARY_H
#define PAGE_SUMMARY_H

#include "page/view.h"

/* "Deployable: landing 43 (abcdef1), 3 behind the tip." */
void summary_answer(Html *html, const PageFrame *frame, const json_t *summary);
/* Answer, picture and legend, or what to do when there is no landing yet. */
void summary_picture(Html *html, const PageFrame *frame, const json_t *summary);
/* Who owes QA: one line for each owner, the first `limit`. */
void summary_owing(
	Html *html, const PageFrame *frame, const char *product, const json_t *owing, gsize limit);

#endif
