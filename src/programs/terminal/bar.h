/* SPDX-License-Identifier: ISC
 *
 * A progress bar for work that takes a while and whose size is known, or at least counted:
 *
 *     fetching payload.tar.zst  43 % [########            ] 12.2 MB of 28.4 MB, 3.1 MB/s, 5 s left
 *
 * On stderr, and only when that is a terminal and --quiet was not said. It appears half a second
 * after it began, so that quick work shows nothing, and is wiped when it ends. A thread of its own
 * draws it: work that stands still is seen to stand still, and telling it how far the work is costs
 * next to nothing.
 */
#ifndef PROGRAMS_BAR_H
#define PROGRAMS_BAR_H

#include "programs/terminal/screen.h"

typedef enum BarUnit {
	BAR_BYTES,
	BAR_COUNT, /* of files, say */
} BarUnit;

/* How far the work is, at one moment. */
typedef struct BarState {
	const char *what; /* "fetching payload.tar.zst"; clean */
	BarUnit unit;
	gint64 done, total; /* total 0: unknown */
	gint64 rate;	    /* units a second of late; -1: not known yet */
	gint64 elapsed_s;
} BarState;

/* The line, at most `width` columns. What fits least goes first: the bar, then the rate, then the
 * sizes; at last `what` is cut. Pure. Caller frees. */
char *bar_text(const BarState *state, guint width, gboolean unicode);

typedef struct Bar Bar;

/* NULL when there is nobody to see it. All take NULL. */
Bar *bar_begin(const Screen *screen, const char *what, BarUnit unit);
/* The next step: begins at 0 of an unknown total. The same step again changes nothing. */
void bar_step(Bar *bar, const char *what, BarUnit unit);
/* From any thread. `total` 0: unknown. */
void bar_set(Bar *bar, gint64 done, gint64 total);
/* Also the free function. */
void bar_end(Bar *bar);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bar, bar_end)

#endif
