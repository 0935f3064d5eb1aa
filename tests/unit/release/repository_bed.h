/* SPDX-License-Identifier: ISC
 *
 * What the tests of the repository share: an empty repository of the product "web" with a root key
 * that signs all, and small versions to publish.
 */
#ifndef TESTS_REPOSITORY_BED_H
#define TESTS_REPOSITORY_BED_H

#include "release/repository.h"
#include "release_bed.h"

#define REPOSITORY_NOW (G_GINT64_CONSTANT(1795232839) * US_PER_SECOND) /* 2026-11-21T03:47:19Z */

/* A version that was built and signed: its files lie in a folder of their own. */
typedef struct Built {
	char *folder;
	Manifest *manifest;
	PublishFile files[4];
	gsize count;
	char *paths[4];
} Built;

typedef struct RepositoryBed {
	Bed *bed;
	char *folder;
	Repository *repository;
	SecretKey *key;
} RepositoryBed;

int repository_bed_setup(void **state);
int repository_bed_teardown(void **state);

/* A new Trust whose only root is the bed's key. */
Trust *bed_trust(const RepositoryBed *bed);
/* One file "file" that holds `text`; with a delta (of any bytes) from `from` unless that is NULL.
 */
Built *bed_build(const RepositoryBed *bed, const char *version, gint64 sequence, const char *text,
	const char *from);
void built_free(Built *built);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Built, built_free)

/* With the lock held only for this. */
gboolean bed_publish(
	const RepositoryBed *bed, const Built *built, PublishOutcome *outcome, GError **error);
/* Builds and publishes; must be good. */
void bed_publish_text(
	const RepositoryBed *bed, const char *version, gint64 sequence, const char *text);
/* Signs the index; must be good. TRUE when it was written. */
gboolean bed_sign(const RepositoryBed *bed, gint64 now_us, gboolean only_when_due);
/* A path below the product's folder. Caller frees. */
char *bed_path(const RepositoryBed *bed, const char *name);
/* The names in a folder below the product's, "" for that itself, sorted, with blanks between. */
char *bed_names(const RepositoryBed *bed, const char *name);

#endif
