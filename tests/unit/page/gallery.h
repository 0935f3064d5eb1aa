/* SPDX-License-Identifier: ISC
 *
 * Every page, rendered from the fixtures: for the tests that look at all of them, and for the eye
 * (render.c).
 */
#ifndef TESTS_PAGE_GALLERY_H
#define TESTS_PAGE_GALLERY_H

#include "page/view.h"

#define GALLERY_NOW_US (G_GINT64_CONSTANT(1795233900) * US_PER_SECOND) /* 2026-11-21T04:05:00Z */

/* What a fixture is turned into before a page sees it; NULL: nothing. Takes the reference, gives
 * one. */
typedef json_t *(*GalleryTwist)(json_t *answer);
typedef void (*GalleryVisit)(const char *name, const char *html, gpointer of);

/* From the folder in $FIXTURES. A new reference; a fixture that is not there aborts. */
json_t *gallery_fixture(const char *name);
/* Calls `visit` with each page. */
void gallery_render(GalleryTwist twist, GalleryVisit visit, gpointer of);
/* The static report of the fixtures. */
json_t *gallery_report(GalleryTwist twist);

#endif
