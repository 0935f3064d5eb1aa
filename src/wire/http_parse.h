/* SPDX-License-Identifier: ISC
 *
 * The head of a request, read from bytes: pure, and without a copy. Strict as RFC 9112 allows: what
 * could be read in two ways is refused, never repaired.
 */
#ifndef WIRE_HTTP_PARSE_H
#define WIRE_HTTP_PARSE_H

#include "wire/http_inside.h"

/* Where the head that begins at `bytes` ends: its length with the empty line; 0 when it is not
 * whole yet, or when `refusal` says what is wrong with it already. `*line` is 0 for a new head and
 * then kept between calls: how far whole lines were seen. */
gsize http_parse_find_end(const char *bytes, gsize size_bytes, gsize *line, HttpRefusal *refusal);

/* Reads a whole head, as http_parse_find_end() found it, into an empty request, whose texts then
 * lie in these bytes. */
HttpRefusal http_parse_head(char *head, gsize size_bytes, HttpRequest *request);

#endif
