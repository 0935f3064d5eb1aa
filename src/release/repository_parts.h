/* SPDX-License-Identifier: ISC
 *
 * What the files of the repository share among themselves.
 */
#ifndef RELEASE_REPOSITORY_PARTS_H
#define RELEASE_REPOSITORY_PARTS_H

#include "release/repository.h"

#define REPOSITORY_INCOMING ".incoming"
#define REPOSITORY_REMOVED  ".removed"
#define REPOSITORY_LOCK	    ".lock"

struct Repository {
	char *folder, *product;
	char *path; /* folder/product */
};

/* Below the product's folder; `name` may have parts. Caller frees. */
char *repository_path(const Repository *repository, const char *name);
/* 16 hexadecimal digits that nobody else draws. Caller frees. */
char *repository_new_id(void);
/* "cannot TRIED PATH: REASON" out of errno: DROVER_ERROR_NOT_FOUND of ENOENT, else
 * DROVER_ERROR_INTERNAL. */
void repository_set_errno(GError **error, const char *tried, const char *path);
/* A version's name, and none of the names that are taken. Fails with DROVER_ERROR_INPUT. */
gboolean repository_check_version(const char *version, GError **error);
/* A text and its signature out of one file of the product's folder. Caller frees *text. */
Signature *repository_read_signed(const Repository *repository, const char *file,
	gsize maximum_bytes, char **text, gsize *text_bytes, GError **error);
/* The same way back, by one rename; with the lock. */
gboolean repository_write_signed(Repository *repository, RepositoryLock *lock, const char *file,
	const char *text, const Signature *signature, GError **error);

/* Fails with DROVER_ERROR_LOCKED when the lock is another's by now: we were stopped for so long
 * that somebody took it over. Asked before each step that others see. */
gboolean repository_lock_check(RepositoryLock *lock, GError **error);

/* A folder of ours beside the versions, .incoming or .removed, made and opened; -1. What else has
 * its name is removed: a link that somebody put there would have us tidy up where it leads. */
int repository_open_own(const Repository *repository, const char *name, GError **error);
/* Puts `name` of the product's folder into .removed under a name of its own: whoever still writes
 * to it by its old path fails, so half of it can never get a good name. Not there is success. */
gboolean repository_put_aside(Repository *repository, const char *name, GError **error);
/* Deletes what was put aside. */
gboolean repository_empty_removed(Repository *repository, GError **error);
/* What killed writers left. With the lock. */
gboolean repository_clean(Repository *repository, GError **error);

#endif
