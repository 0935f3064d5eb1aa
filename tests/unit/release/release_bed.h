/* SPDX-License-Identifier: ISC
 *
 * What the tests of this room share: a folder for each test with "in" and "out" in it, trees put
 * into it and read from it, and errors compared.
 */
#ifndef TESTS_RELEASE_BED_H
#define TESTS_RELEASE_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "release/archive.h"

/* "abc" and "" by `printf abc | sha256sum`. */
#define SHA256_ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef struct Bed {
	char *folder; /* of this test alone */
	int in, out;  /* "in" and "out" below it */
} Bed;

int bed_setup(void **state);
int bed_teardown(void **state);

/* A file below `folder_fd`, with the folders it needs; `mode` whatever the umask. */
void bed_write(int folder_fd, const char *path, const char *text, mode_t mode);
void bed_link(int folder_fd, const char *path, const char *target);
/* A new folder below the bed's own; opened. */
int bed_make_folder(const Bed *bed, const char *name);
/* A new file below the bed's own folder, with these bytes; opened for reading and writing. */
int bed_file(const Bed *bed, const char *name, const void *bytes, gsize size);

/* Of a folder that must be good. */
Tree *bed_read(int folder_fd);
/* Random files, folders and links below `folder_fd`, all of them good; the same seed makes the same
 * ones. */
void bed_fill(int folder_fd, GRand *rand);

/* The error is of this code and its message holds `part`; frees it. */
void assert_error(GError **error, DroverErrorCode code, const char *part);
#define assert_fine(error) assert_fine_at(error, __FILE__, __LINE__)
void assert_fine_at(const GError *error, const char *file, int line);

#endif
