/* SPDX-License-Identifier: ISC
 *
 * Files beneath a folder, reached part by part without following any link: whatever lies there or
 * is put there meanwhile, nothing outside of the folder is opened. Paths have passed
 * tree_check_path(). Descriptors are the caller's, closed on exec.
 */
#ifndef RELEASE_BENEATH_H
#define RELEASE_BENEATH_H

#include "base/error.h"

/* A regular file, for reading. Fails with DROVER_ERROR_NOT_FOUND, DROVER_ERROR_INPUT (a link, or
 * no regular file) or DROVER_ERROR_INTERNAL; -1. */
int beneath_open(int folder_fd, const char *path, GError **error);
/* A new regular file for writing, mode 0600 until the caller says otherwise, with the folders (of
 * mode 0755) that lead to it. One that is there already is DROVER_ERROR_CONFLICT; -1. */
int beneath_create(int folder_fd, const char *path, GError **error);
/* A new symbolic link, with the folders that lead to it. */
gboolean beneath_link(int folder_fd, const char *path, const char *target, GError **error);

#endif
