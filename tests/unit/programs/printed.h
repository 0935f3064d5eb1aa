/* SPDX-License-Identifier: ISC
 *
 * What a function that shows something prints, for tests that compare it with what a person would
 * read.
 */
#ifndef TEST_PROGRAMS_PRINTED_H
#define TEST_PROGRAMS_PRINTED_H

#include "programs/terminal/screen.h"
#include "wire/json.h"

/* JSON with single quotes. New reference. */
json_t *json_of(const char *text);
/* What `show` prints where nothing is shortened or coloured. Caller frees. */
char *printed(void (*show)(const Screen *screen, const json_t *value), const json_t *value);

#endif
