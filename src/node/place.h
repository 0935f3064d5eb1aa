/* SPDX-License-Identifier: ISC
 *
 * One product's place on a node, and its journal (docs/node.md, "What lies where"):
 *
 *     PREFIX/releases/VERSION/       a whole tree, or not there
 *     PREFIX/releases/.VERSION.tmp/  one that is being unpacked
 *     PREFIX/releases/.gone-ID/      one that is being deleted
 *     PREFIX/current                 relative link to what runs
 *     PREFIX/shared/{etc,var,log}    outlives releases
 *     PREFIX/.drover/journal         what is being done, and what was seen and installed
 *     PREFIX/.drover/manifests/VERSION/  manifest and manifest.minisig of an installed release
 *     PREFIX/.drover/delegation      the last one that was taken, signed
 *     PREFIX/.drover/fetch/          *.part
 *     PREFIX/.drover/drover-node.lock  one command at a time
 *
 * The journal is a small JSON file, replaced whole (file_write). An intent is written there before
 * its first act and taken out after its last; each act may be repeated. place_open() finishes or
 * takes back what a killed command left of files and links, so every command begins on sound
 * ground; what has to be done to the service waits in the intent for node_recover()
 * (node/install.h).
 *
 *     intent     what is found                  place_open()                    node_recover()
 *     install    releases/VERSION               it is whole: into the journal
 *                only .VERSION.tmp, or nothing  thrown away; *.part stays
 *     activate   before-switch, switched, and
 *                `current` is the old one       taken out: nothing happened
 *                switched or restarted          link back; step `back`          restarts the old
 *                back                           link back                       restarts the old
 *                healthy                                                        after-switch, done
 *     remove     anything                       removed
 */
#ifndef NODE_PLACE_H
#define NODE_PLACE_H

#include <jansson.h>

#include "base/clock.h"
#include "base/joblock.h"
#include "node/config.h"
#include "release/index.h"
#include "release/manifest.h"

typedef struct Installed {
	char *version;
	gint64 sequence;
	gint64 min_rollback_sequence; /* what the floor is at least when it has run */
	char manifest_sha256[SHA256_HEX];
	gint64 installed_us;
	gint64 ran_us; /* when it was last made to run; 0: never */
} Installed;

/* What is being done, as the journal has it. */
typedef enum IntentKind { INTENT_NONE, INTENT_INSTALL, INTENT_ACTIVATE, INTENT_REMOVE } IntentKind;

typedef struct Intent {
	IntentKind kind;
	char *version;	/* to */
	char *previous; /* ACTIVATE: what ran; NULL: nothing */
	char *step;	/* ACTIVATE: "before-switch", "switched", "restarted", "healthy", "back" */
	gint64 begun_us;
} Intent;

typedef struct Place {
	const NodeProduct *product; /* borrowed */
	JobLock *lock;		    /* NULL: only looked at */
	char *current;		    /* version that the link names; NULL: none */
	char *previous;		    /* what ran before, for rollback; NULL */
	GPtrArray *installed;	    /* Installed *, the newest sequence first */
	IndexSeen seen;		    /* of the index */
	gint64 floor;		    /* highest min-rollback-sequence of all that ever ran */
	gint64 trust_serial;
	GArray *revoked; /* KeyId that were seen */
	Intent intent;
	char *recovered; /* what place_open() finished or took back, a sentence; NULL: nothing */
} Place;

#define JOURNAL_MAXIMUM_BYTES	  1048576
#define JOURNAL_MAXIMUM_INSTALLED 1000

/* Makes what is missing of the folders, takes the lock (DROVER_ERROR_LOCKED names the holder),
 * reads the journal, recovers: an unfinished install is thrown away (what was fetched stays), an
 * unfinished activation is gone back from, unless it was healthy. A journal that cannot be read is
 * DROVER_ERROR_INPUT with what to do; nothing is touched then. */
Place *place_open(const NodeProduct *product, Clock clock, GError **error);
/* The same without lock, recovery and writing: for status and verify. A product that was never
 * installed is an empty Place. */
Place *place_look(const NodeProduct *product, GError **error);
void place_free(Place *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Place, place_free)
/* Writes the journal. */
gboolean place_save(Place *place, GError **error);

const Installed *place_find(const Place *place, const char *version);
/* The kept manifest: the one that was verified when it was installed, as the journal has its
 * digest. Its signature is verified again when its key is still believed; a key that has merely
 * expired or was replaced since does not take away what is installed, one that is revoked does
 * (DROVER_ERROR_DENIED). */
Manifest *place_manifest(const Place *place, const char *version, gint64 now_us, GError **error);
/* PREFIX/releases/VERSION, opened. -1 with DROVER_ERROR_NOT_FOUND. */
int place_open_tree(const Place *place, const char *version, GError **error);
/* Root keys of the folder, what was seen and revoked. */
Trust *place_trust(const Place *place, GError **error);

#endif
