/* SPDX-License-Identifier: ISC
 *
 * A backup is an SQLite file with the same schema, whatever the store runs on: taken online, from
 * one consistent view, and usable at once as `--store sqlite:FILE`. Restoring copies it into an
 * empty store, which is also the way from the embedded database to PostgreSQL.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "store/store.h"

/* Writes `path` beside and renames it, for its owner only; an existing file is replaced, unless a
 * program uses it as a store (DROVER_ERROR_CONFLICT). Others may go on writing. Logs the head of
 * the history with it. `head` may be NULL; the caller frees *head. */
gboolean store_backup(Store *store, const char *path, char **head, GError **error);
/* Into a store with no products, users or history; else DROVER_ERROR_CONFLICT. Migrates it when it
 * is new. The backup must have this program's schema (an older one: migrate it as `sqlite:PATH`
 * before). Counters never come back to a value that the store had before. */
gboolean store_restore(Store *store, const char *path, GError **error);

/* What is wrong with the store: the database's own integrity check, foreign keys, the history's
 * chain, the schema's version. GPtrArray of char *, empty when all is well. */
GPtrArray *store_check(Store *store, GError **error);

#endif
