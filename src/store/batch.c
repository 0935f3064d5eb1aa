/* SPDX-License-Identifier: ISC
 *
 * Many rows into one table. The statement for a full batch is always the same text, so the database
 * plans it once. PostgreSQL is asked as rarely as may be, for it is a way off; SQLite is asked row
 * by row, for it keeps a copy of each page that a statement of several rows changes, in case that a
 * later row of it fails.
 */
#include "store/batch.h"

struct StoreBatch {
	Store *store;
	char *head, *tail;
	gsize columns, rows_per_statement;
	GArray *values; /* StoreValue */
	GStringChunk *texts;
	char *full_statement;
};

static char *statement(const StoreBatch *batch, gsize rows)
{
	GString *sql = g_string_new(batch->head);
	g_string_append(sql, " VALUES ");
	for (gsize row = 0; row < rows; row++) {
		g_string_append(sql, row > 0 ? ", (" : "(");
		for (gsize column = 0; column < batch->columns; column++)
			g_string_append(sql, column > 0 ? ", ?" : "?");
		g_string_append_c(sql, ')');
	}
	if (*batch->tail != '\0')
		g_string_append_printf(sql, " %s", batch->tail);
	return g_string_free(sql, FALSE);
}

StoreBatch *store_batch_new(Store *store, const char *head, gsize columns, const char *tail)
{
	StoreBatch *batch = g_new0(StoreBatch, 1);
	batch->store = store;
	batch->head = g_strdup(head);
	batch->tail = g_strdup(tail);
	batch->columns = columns;
	batch->rows_per_statement =
		store_kind(store) == STORE_SQLITE ? 1 : STORE_BATCH_MAXIMUM_PARAMETERS / columns;
	batch->values = g_array_new(FALSE, FALSE, sizeof(StoreValue));
	batch->texts = g_string_chunk_new(16 * 1024);
	batch->full_statement = statement(batch, batch->rows_per_statement);
	return batch;
}

static gboolean send(StoreBatch *batch, const char *sql, GError **error)
{
	gboolean sent = store_execute(batch->store, error, sql,
		(StoreValue *)(void *)batch->values->data, batch->values->len);
	g_array_set_size(batch->values, 0);
	g_string_chunk_clear(batch->texts);
	return sent;
}

gboolean store_batch_add(StoreBatch *batch, const StoreValue *values, GError **error)
{
	if (batch->rows_per_statement == 1) /* nothing waits, so nothing is copied */
		return store_execute(
			batch->store, error, batch->full_statement, values, batch->columns);
	for (gsize column = 0; column < batch->columns; column++) {
		StoreValue value = values[column];
		if (value.text != NULL)
			value.text = g_string_chunk_insert(batch->texts, value.text);
		g_array_append_val(batch->values, value);
	}
	if (batch->values->len < batch->rows_per_statement * batch->columns)
		return TRUE;
	return send(batch, batch->full_statement, error);
}

gboolean store_batch_finish(StoreBatch *batch, GError **error)
{
	if (batch->values->len == 0)
		return TRUE;
	g_autofree char *sql = statement(batch, batch->values->len / batch->columns);
	return send(batch, sql, error);
}

void store_batch_free(StoreBatch *batch)
{
	if (batch == NULL)
		return;
	g_free(batch->head);
	g_free(batch->tail);
	g_free(batch->full_statement);
	g_array_unref(batch->values);
	g_string_chunk_free(batch->texts);
	g_free(batch);
}
