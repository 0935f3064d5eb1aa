/* SPDX-License-Identifier: ISC
 *
 * Landings in the store.
 */
#include "landing/ledger.h"

#include "landing/git.h"
#include "store/batch.h"

static const char sql_last_id[] = "SELECT MAX(id) FROM landing";
static const char sql_insert_landing[] =
	"INSERT INTO landing (id, product_id, ordinal, revision, branch, author_name, "
	"author_email, authored_us, landed_us, subject, message, qa, commits, changes, notes)";
static const char sql_insert_item[] = "INSERT INTO landing_item (landing_id, item, message_state)";
static const char sql_insert_target[] =
	"INSERT INTO landing_target (landing_id, kind, position, ordinal, reference)";
static const char sql_insert_commit[] =
	"INSERT INTO brought_commit (landing_id, product_id, sha, author_name, author_email, "
	"authored_us, subject)";
static const char sql_owner[] =
	"SELECT landing.id, landing.ordinal, landing.changes, landing.revision "
	"FROM landing_commit JOIN landing ON landing.id = landing_commit.landing_id "
	"WHERE landing_commit.product_id = ? AND landing_commit.sha = ?";
static const char sql_forget_tips[] = "DELETE FROM branch_tip WHERE product_id = ?";
static const char sql_forget_commits[] =
	"DELETE FROM brought_commit WHERE product_id = ? AND landing_id IN "
	"(SELECT id FROM landing WHERE product_id = ? AND ordinal > ?)";
static const char sql_retire[] = "UPDATE landing SET retired_us = ? "
				 "WHERE product_id = ? AND ordinal > ? AND retired_us IS NULL";

struct LedgerWriter {
	const Product *product;
	gint64 next_id;
	StoreBatch *landings, *items, *targets, *commits;
};

static void item_clear(LedgerItem *item)
{
	g_free(item->id);
}

static void target_clear(LedgerTarget *target)
{
	g_free(target->reference);
}

static GArray *targets_new(void)
{
	GArray *targets = g_array_new(FALSE, FALSE, sizeof(LedgerTarget));
	g_array_set_clear_func(targets, (GDestroyNotify)target_clear);
	return targets;
}

LedgerLanding *ledger_landing_new(void)
{
	LedgerLanding *landing = g_new0(LedgerLanding, 1);
	landing->items = g_array_new(FALSE, FALSE, sizeof(LedgerItem));
	g_array_set_clear_func(landing->items, (GDestroyNotify)item_clear);
	landing->rollbacks = targets_new();
	landing->fixes = targets_new();
	return landing;
}

void ledger_landing_free(LedgerLanding *landing)
{
	if (landing == NULL)
		return;
	g_array_unref(landing->items);
	g_array_unref(landing->rollbacks);
	g_array_unref(landing->fixes);
	g_free(landing->notes);
	g_free(landing);
}

void ledger_landing_add_item(LedgerLanding *landing, const char *id, ItemState message_state)
{
	LedgerItem item = {g_strdup(id), message_state};
	g_array_append_val(landing->items, item);
}

void ledger_target_add(GArray *targets, gint64 ordinal, const char *reference)
{
	LedgerTarget target = {ordinal, g_strdup(reference)};
	g_array_append_val(targets, target);
}

void ledger_landing_note(LedgerLanding *landing, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *line = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	char *notes = landing->notes == NULL ? g_strdup(line)
					     : g_strconcat(landing->notes, "\n", line, NULL);
	g_free(landing->notes);
	landing->notes = notes;
}

LedgerWriter *ledger_writer_new(Store *store, const Product *product, GError **error)
{
	gint64 last;
	if (!store_query_integer(store, error, 0, &last, sql_last_id, STORE_NO_PARAMS))
		return NULL;
	LedgerWriter *writer = g_new(LedgerWriter, 1);
	*writer = (LedgerWriter){product, last + 1,
		store_batch_new(store, sql_insert_landing, 15, ""),
		store_batch_new(store, sql_insert_item, 3, ""),
		store_batch_new(store, sql_insert_target, 5, ""),
		store_batch_new(
			store, sql_insert_commit, 7, "ON CONFLICT (product_id, sha) DO NOTHING")};
	return writer;
}

static gboolean add_targets(LedgerWriter *writer, gint64 landing_id, const char *kind,
	const GArray *targets, GError **error)
{
	for (guint i = 0; i < targets->len; i++) {
		const LedgerTarget *target = &g_array_index(targets, LedgerTarget, i);
		StoreValue values[] = {STORE_INT(landing_id), STORE_TEXT(kind), STORE_INT(i),
			STORE_INT(target->ordinal), STORE_TEXT(target->reference)};
		if (!store_batch_add(writer->targets, values, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean add_items(
	LedgerWriter *writer, gint64 landing_id, const GArray *items, GError **error)
{
	for (guint i = 0; i < items->len; i++) {
		const LedgerItem *item = &g_array_index(items, LedgerItem, i);
		StoreValue values[] = {STORE_INT(landing_id), STORE_TEXT(item->id),
			STORE_TEXT(item_state_name(item->message_state))};
		if (!store_batch_add(writer->items, values, error))
			return FALSE;
	}
	return TRUE;
}

gboolean ledger_writer_add(
	LedgerWriter *writer, const LedgerLanding *landing, gint64 *landing_id, GError **error)
{
	gint64 id = writer->next_id++;
	StoreValue authored =
		landing->has_one_commit ? STORE_INT(landing->authored_us) : STORE_NULL;
	StoreValue values[] = {STORE_INT(id), STORE_INT(writer->product->id),
		STORE_INT(landing->ordinal), STORE_TEXT(landing->revision),
		STORE_TEXT(landing->branch), STORE_TEXT(landing->author_name),
		STORE_TEXT(landing->author_email), authored, STORE_INT(landing->landed_us),
		STORE_TEXT(landing->subject), STORE_TEXT(landing->message),
		STORE_TEXT(landing_qa_name(landing->qa)), STORE_INT(landing->commits),
		STORE_INT(landing->changes), STORE_TEXT(landing->notes)};
	if (landing_id != NULL)
		*landing_id = id;
	return store_batch_add(writer->landings, values, error) &&
	       add_items(writer, id, landing->items, error) &&
	       add_targets(writer, id, "rollback", landing->rollbacks, error) &&
	       add_targets(writer, id, "fix", landing->fixes, error);
}

gboolean ledger_writer_add_commit(LedgerWriter *writer, gint64 landing_id, const char *sha,
	const char *author_name, const char *author_email, gint64 authored_us, const char *subject,
	GError **error)
{
	StoreValue values[] = {STORE_INT(landing_id), STORE_INT(writer->product->id),
		STORE_TEXT(sha), STORE_TEXT(author_name), STORE_TEXT(author_email),
		STORE_INT(authored_us), STORE_TEXT(subject)};
	return store_batch_add(writer->commits, values, error);
}

/* Landings first: the others refer to them. A full batch of items may be sent before the landings
 * they belong to are; so the foreign keys are checked when the transaction ends (see the
 * migration). */
gboolean ledger_writer_finish(LedgerWriter *writer, GError **error)
{
	return store_batch_finish(writer->landings, error) &&
	       store_batch_finish(writer->items, error) &&
	       store_batch_finish(writer->targets, error) &&
	       store_batch_finish(writer->commits, error);
}

void ledger_writer_free(LedgerWriter *writer)
{
	if (writer == NULL)
		return;
	store_batch_free(writer->landings);
	store_batch_free(writer->items);
	store_batch_free(writer->targets);
	store_batch_free(writer->commits);
	g_free(writer);
}

gboolean ledger_find_owner(
	Store *store, const Product *product, const char *sha, LedgerOwner *owner, GError **error)
{
	*owner = (LedgerOwner){0};
	g_autoptr(StoreRows) rows = store_query(
		store, error, sql_owner, STORE_PARAMS(STORE_INT(product->id), STORE_TEXT(sha)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (more)
		*owner = (LedgerOwner){store_rows_integer(rows, 0), store_rows_integer(rows, 1),
			git_reference_is_whole(
				sha, store_rows_text(rows, 3), store_rows_integer(rows, 2))};
	return TRUE;
}

gboolean ledger_retire_after(Store *store, const Product *product, gint64 ordinal, gint64 now_us,
	gint64 *retired, GError **error)
{
	if (!store_execute(store, error, sql_forget_tips, STORE_PARAMS(STORE_INT(product->id))) ||
		!store_execute(store, error, sql_forget_commits,
			STORE_PARAMS(STORE_INT(product->id), STORE_INT(product->id),
				STORE_INT(ordinal))) ||
		!store_execute(store, error, sql_retire,
			STORE_PARAMS(
				STORE_INT(now_us), STORE_INT(product->id), STORE_INT(ordinal))))
		return FALSE;
	*retired = store_changed(store);
	return TRUE;
}
