/* SPDX-License-Identifier: ISC
 *
 * Branch tips in the store.
 */
#include "landing/branch_tips.h"

#include <string.h>

#include "landing/git.h"
#include "landing/ledger.h"
#include "store/batch.h"

static const char sql_list[] =
	"SELECT branch_tip.name, branch_tip.sha, branch_tip.author_name, branch_tip.author_email, "
	"landing.ordinal, branch_tip.ahead FROM branch_tip "
	"LEFT JOIN landing ON landing.id = branch_tip.landing_id "
	"WHERE branch_tip.product_id = ? ORDER BY branch_tip.name";
static const char sql_delete[] = "DELETE FROM branch_tip WHERE product_id = ?";
static const char sql_insert[] =
	"INSERT INTO branch_tip (product_id, name, sha, landing_id, ahead, "
	"author_name, author_email)";

static void branch_tip_free(BranchTip *tip)
{
	g_free(tip->name);
	g_free(tip->sha);
	g_free(tip->author_name);
	g_free(tip->author_email);
	g_free(tip);
}

GPtrArray *branch_tips_list(Store *store, const Product *product, GError **error)
{
	g_autoptr(GPtrArray) tips = g_ptr_array_new_with_free_func((GDestroyNotify)branch_tip_free);
	g_autoptr(StoreRows) rows =
		store_query(store, error, sql_list, STORE_PARAMS(STORE_INT(product->id)));
	for (gboolean more = TRUE; more;) {
		if (!store_rows_next(rows, &more, error))
			return NULL;
		if (!more)
			break;
		BranchTip *tip = g_new(BranchTip, 1);
		*tip = (BranchTip){g_strdup(store_rows_text(rows, 0)),
			g_strdup(store_rows_text(rows, 1)), g_strdup(store_rows_text(rows, 2)),
			g_strdup(store_rows_text(rows, 3)), store_rows_integer(rows, 4),
			store_rows_integer(rows, 5)};
		g_ptr_array_add(tips, tip);
	}
	return g_steal_pointer(&tips);
}

static gboolean same(const GPtrArray *stored, const GPtrArray *branches)
{
	if (stored->len != branches->len)
		return FALSE;
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < stored->len; i++) {
		BranchTip *tip = stored->pdata[i];
		g_hash_table_insert(by_name, tip->name, tip);
	}
	for (guint i = 0; i < branches->len; i++) {
		const GitBranch *branch = branches->pdata[i];
		const BranchTip *tip = g_hash_table_lookup(by_name, branch->name);
		if (tip == NULL || strcmp(tip->sha, branch->sha) != 0 ||
			tip->ahead != branch->ahead || (branch->ahead == 0 && tip->ordinal == 0))
			return FALSE;
	}
	return TRUE;
}

static gboolean add_tip(StoreBatch *batch, Store *store, const Product *product,
	const GitBranch *branch, GError **error)
{
	LedgerOwner owner = {0};
	if (branch->ahead == 0 && !ledger_find_owner(store, product, branch->sha, &owner, error))
		return FALSE;
	StoreValue values[] = {STORE_INT(product->id), STORE_TEXT(branch->name),
		STORE_TEXT(branch->sha),
		owner.landing_id != 0 ? STORE_INT(owner.landing_id) : STORE_NULL,
		STORE_INT(branch->ahead), STORE_TEXT(branch->author_name),
		STORE_TEXT(branch->author_email)};
	return store_batch_add(batch, values, error);
}

gboolean branch_tips_replace(
	Store *store, const Product *product, const GPtrArray *branches, GError **error)
{
	g_autoptr(GPtrArray) stored = branch_tips_list(store, product, error);
	if (stored == NULL)
		return FALSE;
	if (same(stored, branches))
		return TRUE;
	if (!store_execute(store, error, sql_delete, STORE_PARAMS(STORE_INT(product->id))))
		return FALSE;
	g_autoptr(StoreBatch) batch = store_batch_new(store, sql_insert, 7, "");
	for (guint i = 0; i < branches->len; i++)
		if (!add_tip(batch, store, product, branches->pdata[i], error))
			return FALSE;
	return store_batch_finish(batch, error) &&
	       store_counter_advance(store, STORE_CHANGES, error);
}
