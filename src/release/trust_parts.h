/* SPDX-License-Identifier: ISC
 *
 * Lists of revoked keys as lines, which delegations and indexes have alike.
 */
#ifndef RELEASE_TRUST_PARTS_H
#define RELEASE_TRUST_PARTS_H

#include "release/lines.h"

/* Lines "revoked ID" at the end of `text`. */
void revoked_write(const GArray *revoked, GString *text);
/* As many such lines as there are. */
void revoked_read(Lines *lines, GArray *revoked);

#endif
