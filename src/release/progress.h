/* SPDX-License-Identifier: ISC
 *
 * What is done so far, told to whoever asked. For the inside of this room.
 */
#ifndef RELEASE_PROGRESS_H
#define RELEASE_PROGRESS_H

#include "release/tree.h"

typedef struct Progress {
	TreeProgress tell; /* may be NULL */
	gpointer user;
	guint files;
	gint64 size_bytes;
} Progress;

static inline void progress_add(Progress *progress, guint files, gint64 size_bytes)
{
	progress->files += files;
	progress->size_bytes += size_bytes;
	if (progress->tell != NULL)
		progress->tell(progress->files, progress->size_bytes, progress->user);
}

#endif
