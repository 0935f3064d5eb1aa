/* SPDX-License-Identifier: ISC
 *
 * How rows came to be what they are: the versions of one, and the moments at which any were
 * written. What all rows were at a moment: channel_book_read_at().
 *
 * docs/channel.md, "In the store"
 */
#ifndef CHANNEL_BOOK_PAST_H
#define CHANNEL_BOOK_PAST_H

#include "channel/book/book.h"

#define CHANNEL_MAXIMUM_VERSIONS 1000 /* of one row that are told, the newest */
#define CHANNEL_MAXIMUM_MOMENTS	 1000

/* The versions of a row, newest first, by its key as state_key() writes it: a list of {"row",
 * "from_us", "until_us": null when it is live, "change": null for a direct edit, "actor"}. While a
 * row was away it has an element {"row": null, …}, with who took it away. New reference. Grants
 * have none: they are roles of persons. */
json_t *channel_row_versions(Store *store, StateTable table, const char *key, GError **error);

/* When rows were written, newest first, one for each change or edit: a list of {"at_us", "actor",
 * "change": null for a direct edit, "written", "deleted", "tables": ["rules", …]}. `product` NULL:
 * all; else rows of it, of every product ("*" or none), and releases of it. New reference. */
json_t *channel_moments(Store *store, const char *product, gint64 limit, GError **error);

#endif
