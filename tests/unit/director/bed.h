/* SPDX-License-Identifier: ISC
 *
 * A director in a folder of its own, on fakes: its configuration, its list and its state are files
 * there, its loop turns only when the test says so.
 */
#ifndef TESTS_DIRECTOR_BED_H
#define TESTS_DIRECTOR_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "balance/director/director.h"
#include "tests/unit/director/fakes.h"

struct event_base;

typedef struct Bed {
	char *folder, *config, *list, *state;
	struct event_base *base;
	Director *director;
} Bed;

int bed_setup(void **state);
int bed_teardown(void **state);

/* The configuration: one service `web` at 192.0.2.1:80 with the list of this bed, ProxyFetch, and
 * `more` lines; then `rest`, further sections. */
void bed_configure(const Bed *bed, const char *more, const char *rest);
void bed_write(const char *path, const char *text);
/* The list in JSON: "a b c", each enabled with weight 10. */
void bed_list(const Bed *bed, const char *hosts);
void bed_start(Bed *bed);
void bed_stop(Bed *bed);
/* One turn of the loop, at most 20 ms of waiting. */
void bed_turn(const Bed *bed);
/* Turns the loop until the keeper was told `line`; fails after ten seconds. */
void bed_until_told(Bed *bed, const char *line);
/* Turns the loop until there is an alert of this kind that contains `part`; with a NULL `part`
 * until there is none. */
void bed_until_alert(Bed *bed, const char *kind, const char *part);
/* Until that file is there and contains `part`. */
void bed_until_file(Bed *bed, const char *name, const char *part);
/* What was told since the last question. */
#define assert_told(expected)                                                                      \
	do {                                                                                       \
		g_autofree char *told_ = fakes_told();                                             \
		assert_string_equal(told_, expected);                                              \
	} while (0)
/* The alert's text; NULL when there is none. Caller frees. */
char *bed_alert(const Bed *bed, const char *kind);
/* Of service `web`: the server's object in the status; new reference. */
json_t *bed_server(const Bed *bed, const char *host);
/* The field as text: "true", "10", "\"up\"". Caller frees. */
char *bed_field(const Bed *bed, const char *host, const char *field);
/* The servers that are pooled: "a c". Caller frees. */
char *bed_pooled(const Bed *bed);

/* a, b, c and d at 10.0.0.1 to .4, all passing, nothing left to be told. */
void bed_four_servers(Bed *bed);

#endif
