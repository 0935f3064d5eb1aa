/* SPDX-License-Identifier: ISC
 *
 * What a release says of itself: the small file that is signed (docs/release.md). JSON in one
 * spelling: a line for each key, in one order, and one for each entry of a list, so that it can be
 * read a line at a time, compared with diff, and searched with grep. A text that reads as a
 * manifest but is not spelled so is refused: equal manifests are equal bytes.
 *
 * Read a manifest's signature before the manifest.
 */
#ifndef RELEASE_MANIFEST_H
#define RELEASE_MANIFEST_H

#include "release/archive.h"

#define MANIFEST_MAXIMUM_BYTES	      67108864 /* 64 MiB: 200,000 entries with usual paths */
#define MANIFEST_MAXIMUM_LINE_BYTES   8192 /* a path and a target, quotes escaped, and the rest */
#define MANIFEST_MAXIMUM_NAME_BYTES   100  /* product, version, tag, dependency, run */
#define MANIFEST_MAXIMUM_NUMBER	      9007199254740991 /* 2^53 - 1: what every JSON reader can hold */
#define MANIFEST_MAXIMUM_DEPENDENCIES 10000
#define MANIFEST_MAXIMUM_DELTAS	      100

enum { MANIFEST_FORMAT = 1 };

/* A pinned dependency that went into the tree. */
typedef struct ManifestDependency {
	char *name, *version;
	char *file; /* as it was fetched: "requests-2.31.0.tar.gz" */
	char sha256[SHA256_HEX];
} ManifestDependency;

/* A way from another version's tree to this one. The file is called "from-VERSION.delta". */
typedef struct ManifestDelta {
	char *from_version;
	char from_tree_sha256[SHA256_HEX]; /* tree_digest() of what must be there */
	gint64 size_bytes;
	char sha256[SHA256_HEX];
	int window_log; /* decoding needs at most 2^window_log bytes besides the old file */
} ManifestDelta;

typedef struct Manifest {
	char *product;
	char *version;
	gint64 sequence; /* from 1; never falls from release to release */
	char *revision;	 /* of the commit: 40 or 64 small hexadecimal digits */
	gint64 landing;	 /* its ordinal; 0 when the revision is no landing that is known */
	char *tag;	 /* NULL when there is none */
	/* The run of the product's tests on exactly this tree; both NULL and "" when the product
	 * has no test command. */
	char *test_run;
	char test_log_sha256[SHA256_HEX];
	GPtrArray *dependencies; /* of ManifestDependency, sorted by name, then version and file */
	char contract_sha256[SHA256_HEX]; /* of the contract's file; "" when there is none */
	gint64 min_rollback_sequence;	  /* no older release may follow this one; 0: any may */
	gint64 mtime_s;			  /* the commit's, seconds since 1970; of every file */
	ArchivePayload payload;		  /* the file "payload.tar.zst" */
	Tree *tree;
	GPtrArray *deltas; /* of ManifestDelta, sorted by from_version */
} Manifest;

/* Empty lists and an empty tree; the rest is to be filled in. */
Manifest *manifest_new(void);
void manifest_free(Manifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Manifest, manifest_free)

/* Both add in any order; manifest_text() sorts. Everything is copied. */
void manifest_add_dependency(Manifest *manifest, const char *name, const char *version,
	const char *file, const char *sha256);
void manifest_add_delta(Manifest *manifest, const char *from_version, const char *from_tree_sha256,
	gint64 size_bytes, const char *sha256, int window_log);

/* Product, version and tag are also names of folders: 1 to MANIFEST_MAXIMUM_NAME_BYTES of letters,
 * digits and ".", "_", "+", "-", "~", beginning with a letter or digit. Fails with
 * DROVER_ERROR_INPUT; `what` names it in the error. */
gboolean manifest_check_name(const char *what, const char *name, GError **error);

/* The bytes to be signed, ending in a newline; sorts the lists. Fails with DROVER_ERROR_INPUT or
 * DROVER_ERROR_TOO_LARGE, naming what could not be read back. Caller frees. */
char *manifest_text(Manifest *manifest, GError **error);
/* Fails with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE, naming the line. `name` is the source's
 * name in errors. */
Manifest *manifest_parse(const char *name, const char *text, gsize size_bytes, GError **error);

#endif
