/* SPDX-License-Identifier: ISC
 *
 * The sheet, the script and the icon, built into the program. Their URLs carry a digest of their
 * content, so that a browser may keep them for ever and still has the right one after an upgrade.
 */
#ifndef PAGE_ASSETS_H
#define PAGE_ASSETS_H

#include "base/embedded.h"
#include <glib.h>

/* "/assets/0123456789ab/drover.css". Caller frees. */
char *asset_url(const char *name);
/* The first digits of the content's SHA-256. Caller frees. */
char *asset_digest(const EmbeddedFile *asset);
/* NULL when there is none of that name. */
const EmbeddedFile *asset_find(const char *name);
const char *asset_type(const char *name);

#endif
