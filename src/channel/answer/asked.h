/* SPDX-License-Identifier: ISC
 *
 * What somebody asks the public address, from an address that anybody can write. Three ways of
 * asking:
 *
 *   /update/V/PRODUCT/VERSION/BUILD/PLATFORM/LOCALE/CHANNEL/…/update.xml   clients of Mozilla's
 * kind /update/json?product=…&channel=…&version=…                            whoever reads JSON
 *   /update/node/PRODUCT/CHANNEL?release=…                                 nodes
 *
 * docs/answers.md, "Asking"
 */
#ifndef CHANNEL_ANSWER_ASKED_H
#define CHANNEL_ANSWER_ASKED_H

#include "channel/rule/query.h"

#define ASKED_MAXIMUM_PATH_BYTES 4096
#define ASKED_MAXIMUM_TEXT_BYTES 512 /* one part of the path, or one value behind it */

/* The platform and the locale of a node that does not say which. */
#define ASKED_ANY "any"

typedef enum AskedFormat { ASKED_XML, ASKED_JSON, ASKED_NODE } AskedFormat;

/* Texts are in `parts`, or of the parameters, which must live as long. */
typedef struct Asked {
	AskedFormat format;
	char *parts;
	Query query;	     /* without its version, whose scheme hangs on the product, and draw */
	const char *version; /* NULL: it does not say */
	const char *release; /* that it runs, by name; NULL: it does not say */
} Asked;

/* `path` is decoded, `parameters` (may be NULL) are those behind it: char * -> char *. Fails with
 * DROVER_ERROR_NOT_FOUND when this is no such address, with DROVER_ERROR_INPUT when what it says
 * is too long, or no number where there must be one. *asked is overwritten. */
gboolean asked_read(const char *path, GHashTable *parameters, Asked *asked, GError **error);
void asked_clear(Asked *asked);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asked, asked_clear)

#endif
