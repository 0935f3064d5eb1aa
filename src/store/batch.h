/* SPDX-License-Identifier: ISC
 *
 * Many rows into one table, several to a statement: a scan of a whole repository would otherwise
 * wait for the database at every row. Use inside store_write().
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/store.h"

#define STORE_BATCH_MAXIMUM_PARAMETERS 900 /* a statement; SQLite's limit was 999 for long */

typedef struct StoreBatch StoreBatch;

/* `head` is "INSERT INTO table (a, b)" with `columns` columns; `tail` follows the rows, "" for
 * nothing. */
StoreBatch *store_batch_new(Store *store, const char *head, gsize columns, const char *tail);
/* `columns` values; texts are copied. Sends a statement when enough rows are there. */
gboolean store_batch_add(StoreBatch *batch, const StoreValue *values, GError **error);
/* Sends the rest. */
gboolean store_batch_finish(StoreBatch *batch, GError **error);
void store_batch_free(StoreBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreBatch, store_batch_free)

#endif
