/* SPDX-License-Identifier: ISC
 *
 * Where a landing stands, in words.
 */
#ifndef API_WHERE_H
#define API_WHERE_H

#include "api/view.h"

/* "landed as 43; deployable is only 41, held back by landing 42". Caller frees. */
char *where_in_words(const View *view, gint64 ordinal);

#endif
