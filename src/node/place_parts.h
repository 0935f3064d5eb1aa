/* SPDX-License-Identifier: ISC
 *
 * What the files of this room do to a place, one act each. For the inside of the room.
 */
#ifndef NODE_PLACE_PARTS_H
#define NODE_PLACE_PARTS_H

#include "node/place.h"

#define PLACE_OWN "/.drover"

/* PREFIX and what follows. Caller frees. */
char *place_path(const Place *place, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The journal's text, and back into an empty Place. Pure. journal_parse() fails with
 * DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE, saying what to do. */
char *journal_text(const Place *place);
gboolean journal_parse(
	Place *place, const char *name, const char *text, gsize size_bytes, GError **error);

void installed_free(Installed *installed);
Place *place_new(const NodeProduct *product);
/* Sorts by sequence, the newest first. Takes `installed`. */
void place_add(Place *place, Installed *installed);
void place_forget(Place *place, const char *version);
void intent_clear(Intent *intent);

/* Each writes the journal. `previous` and `step` may be NULL. */
gboolean place_begin(Place *place, IntentKind kind, const char *version, const char *previous,
	const char *step, gint64 now_us, GError **error);
gboolean place_step(Place *place, const char *step, GError **error);
gboolean place_end(Place *place, GError **error);

/* Nobody but root and us may write to the prefix, to .drover or to releases: else
 * DROVER_ERROR_DENIED, with what to do. Folders that are not there are good. */
gboolean place_check_owner(const NodeProduct *product, GError **error);

/* One rename makes `current` name the version; NULL takes the link away. Synced. */
gboolean place_flip(Place *place, const char *version, GError **error);
/* What `current` names; *version NULL when it is not there. Fails with DROVER_ERROR_CONFLICT when
 * it is nothing of ours. */
gboolean place_read_link(const NodeProduct *product, char **version, GError **error);
/* The tree put aside by a rename, which is synced, and then deleted; and its manifest. Not there is
 * success. */
gboolean place_discard(Place *place, const char *version, GError **error);
gboolean place_has_tree(const Place *place, const char *version);

/* The kept manifest's bytes into the journal: what place_open() does for an install that came as
 * far as its rename, and the install itself. */
gboolean place_adopt(Place *place, const char *version, gint64 now_us, GError **error);

#endif
