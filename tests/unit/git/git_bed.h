/* SPDX-License-Identifier: ISC
 *
 * A folder with a real git repository, made by the commands a user would type, and scans of it as
 * one line of text.
 */
#ifndef TESTS_GIT_BED_H
#define TESTS_GIT_BED_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "landing/git.h"

typedef struct GitBed {
	char *home;	  /* everything is below it, and git's HOME */
	char *repository; /* "repo" in it: initialised, branch main */
} GitBed;

/* cmocka's setup and teardown; *state is the GitBed. Call bed_isolate() once in main(). */
void bed_isolate(void);
int bed_setup(void **state);
int bed_teardown(void **state);

/* Runs a shell script in the repository; it must succeed. In it, `c "NAME words"` commits, `m "NAME
 * words" BRANCH…` merges, and both tag the commit NAME; each is a minute later than the one before.
 * Returns what the script printed; caller frees. */
char *bed_run(const GitBed *bed, const char *script);
/* The SHA of a commit's name. Caller frees. */
char *bed_sha(const GitBed *bed, const char *name);

/* Scans main in full, with all patterns. Must succeed. */
GitScan *bed_scan(const GitBed *bed);
/* Scans what is new after commit `since`. */
GitScan *bed_scan_since(const GitBed *bed, const char *since);
/* Scans `folder` and must fail with `code`; each of the texts (NULL ends them) must be in the
 * message. */
void bed_refused(const char *folder, const char *branch, int code, ...) G_GNUC_NULL_TERMINATED;

/* "A; B{1 2}; M[x y]no-qa<A": landings oldest first, [what a merge brought, newest first], {items},
 * its qa, <rollbacks. Commits by their names. Caller frees. */
char *bed_describe(const GitBed *bed, const GitScan *scan);
void bed_expect(const GitBed *bed, const GitScan *scan, const char *described);

#endif
