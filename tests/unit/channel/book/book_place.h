/* SPDX-License-Identifier: ISC
 *
 * A store with channels in it: edits and changes as short texts of JSON, and what became of them.
 * Time is a number of seconds, counted from nothing.
 */
#ifndef TESTS_CHANNEL_BOOK_PLACE_H
#define TESTS_CHANNEL_BOOK_PLACE_H

#include "../../store/place.h"

#include "channel/book/edit.h"
#include "channel/book/past.h"
#include "wire/json.h"

/* Apostrophes are quotes: "{'op': 'insert', …}". New reference. */
json_t *quoted(const char *text);

/* A direct edit by ada at a second; must go well. Its result is forgotten. */
void edit(Store *store, gint64 second, const char *ops);
/* The same, with what it said. */
void edit_told(Store *store, gint64 second, const char *ops, ChannelEdit *result);
/* Must be refused. */
void edit_refused(Store *store, const char *ops, DroverErrorCode code, const char *part);

/* Puts a change into the queue, as it is, at a second; its number. */
gint64 schedule(Store *store, gint64 second, gint64 when, const char *ops);
/* Its ops, as the store has them, equal the text. */
void assert_ops(Store *store, gint64 change, const char *ops);

/* The live row, which must be there, equals the text, data_version and all. */
void assert_row(Store *store, StateTable table, const char *key, const char *row);
ChannelBook *read_book_at(Store *store, gint64 second);

/* A product with a host, two releases and a rule, 1, of 25 % for the first; at second 10. */
void furnish(Store *store);
#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#endif
