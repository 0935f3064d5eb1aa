/* SPDX-License-Identifier: ISC
 *
 * Products in the store.
 */
#include "landing/product.h"

#include <string.h>

#include "landing/message.h"

#define PRODUCT_COLUMNS                                                                            \
	"id, name, title, repository, branch, item_patterns, item_url, authors_may_rule, "         \
	"baseline, mail_list, overdue_days, overdue_every_days, remind, tip, frozen_reason, "      \
	"frozen_tip, scanned_us, next_ordinal, epoch, data_version"

static const char sql_select_one[] = "SELECT " PRODUCT_COLUMNS " FROM product WHERE name = ?";
static const char sql_select_all[] = "SELECT " PRODUCT_COLUMNS " FROM product ORDER BY name";
static const char sql_insert[] =
	"INSERT INTO product (name, title, repository, branch, item_patterns, item_url, "
	"authors_may_rule, baseline, mail_list, overdue_days, overdue_every_days, remind, "
	"next_ordinal, epoch, data_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1, 1) "
	"ON CONFLICT (name) DO NOTHING RETURNING id";
static const char sql_update_settings[] =
	"UPDATE product SET title = ?, repository = ?, branch = ?, item_patterns = ?, "
	"item_url = ?, authors_may_rule = ?, baseline = ?, mail_list = ?, overdue_days = ?, "
	"overdue_every_days = ?, remind = ?, epoch = epoch + 1, data_version = data_version + 1 "
	"WHERE id = ? AND data_version = ?";
static const char sql_update_scan[] =
	"UPDATE product SET tip = ?, frozen_reason = ?, frozen_tip = ?, scanned_us = ?, "
	"next_ordinal = ?, epoch = ? WHERE id = ?";

Product *product_new(const char *name)
{
	Product *product = g_new0(Product, 1);
	product->name = g_strdup(name);
	product->title = g_strdup(name);
	product->branch = g_strdup("main");
	product->item_patterns = g_strdup(ITEM_PATTERN_DEFAULT);
	product->overdue_days = 7;
	product->overdue_every_days = 7;
	product->remind = TRUE;
	product->next_ordinal = 1;
	product->epoch = 1;
	product->data_version = 1;
	return product;
}

void product_free(Product *product)
{
	if (product == NULL)
		return;
	g_free(product->name);
	g_free(product->title);
	g_free(product->repository);
	g_free(product->branch);
	g_free(product->item_patterns);
	g_free(product->item_url);
	g_free(product->mail_list);
	g_free(product->tip);
	g_free(product->frozen_reason);
	g_free(product->frozen_tip);
	g_free(product);
}

/* Capitals are for the products that clients know: Firefox. */
static gboolean name_is_valid(const char *name)
{
	if (!g_ascii_isalpha(name[0]) || strlen(name) > PRODUCT_MAXIMUM_NAME_BYTES)
		return FALSE;
	for (const char *c = name; *c != '\0'; c++)
		if (!g_ascii_isalnum(*c) && strchr("._-", *c) == NULL)
			return FALSE;
	return TRUE;
}

static gboolean text_is_valid(const char *text)
{
	if (text == NULL)
		return TRUE;
	for (const char *c = text; *c != '\0'; c++)
		if ((guchar)*c < ' ' || *c == 0x7f)
			return FALSE;
	return *text != '\0' && strlen(text) <= PRODUCT_MAXIMUM_TEXT_BYTES;
}

static gboolean url_is_valid(const char *url)
{
	return url == NULL ||
	       ((g_str_has_prefix(url, "https://") || g_str_has_prefix(url, "http://")) &&
		       strstr(url, "{item}") != NULL);
}

gboolean product_validate(const Product *product, GError **error)
{
	guint patterns;
	const char *problem = NULL;
	if (!name_is_valid(product->name))
		problem = "name: a letter, then letters, digits, '.', '_' or '-', at "
			  "most 63";
	else if (!text_is_valid(product->title))
		problem = "title: one line of 1 to 1024 bytes";
	else if (!text_is_valid(product->branch))
		problem = "branch: the name of a branch, as main or origin/main";
	else if (!text_is_valid(product->repository) ||
		 (product->repository != NULL && !g_path_is_absolute(product->repository)))
		problem = "repository: the absolute path of a folder on the control host";
	else if (!text_is_valid(product->item_url) || !url_is_valid(product->item_url))
		problem = "item_url: an http:// or https:// address with {item} in it";
	else if (!text_is_valid(product->mail_list))
		problem = "mail_list: one e-mail address";
	else if (product->baseline < 0)
		problem = "baseline: the ordinal of a landing, or 0 for none";
	else if (product->overdue_days < 1 || product->overdue_days > 3650 ||
		 product->overdue_every_days < 1 || product->overdue_every_days > 3650)
		problem = "overdue_days and overdue_every_days: 1 to 3650";
	if (problem != NULL) {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "product '%.63s': %s", product->name, problem);
		return FALSE;
	}
	return item_patterns_parse(product->item_patterns, &patterns, error);
}

static Product *product_from_row(const StoreRows *rows)
{
	Product *product = g_new0(Product, 1);
	product->id = store_rows_integer(rows, 0);
	product->name = g_strdup(store_rows_text(rows, 1));
	product->title = g_strdup(store_rows_text(rows, 2));
	product->repository = g_strdup(store_rows_text(rows, 3));
	product->branch = g_strdup(store_rows_text(rows, 4));
	product->item_patterns = g_strdup(store_rows_text(rows, 5));
	product->item_url = g_strdup(store_rows_text(rows, 6));
	product->authors_may_rule = store_rows_integer(rows, 7) != 0;
	product->baseline = store_rows_integer(rows, 8);
	product->mail_list = g_strdup(store_rows_text(rows, 9));
	product->overdue_days = store_rows_integer(rows, 10);
	product->overdue_every_days = store_rows_integer(rows, 11);
	product->remind = store_rows_integer(rows, 12) != 0;
	product->tip = g_strdup(store_rows_text(rows, 13));
	product->frozen_reason = g_strdup(store_rows_text(rows, 14));
	product->frozen_tip = g_strdup(store_rows_text(rows, 15));
	product->scanned_us = store_rows_integer(rows, 16);
	product->next_ordinal = store_rows_integer(rows, 17);
	product->epoch = store_rows_integer(rows, 18);
	product->data_version = store_rows_integer(rows, 19);
	return product;
}

GPtrArray *product_list(Store *store, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, sql_select_all, STORE_NO_PARAMS);
	g_autoptr(GPtrArray) products =
		g_ptr_array_new_with_free_func((GDestroyNotify)product_free);
	for (gboolean more = TRUE; more;) {
		if (!store_rows_next(rows, &more, error))
			return NULL;
		if (more)
			g_ptr_array_add(products, product_from_row(rows));
	}
	return g_steal_pointer(&products);
}

static void set_no_such_product(Store *store, const char *name, GError **error)
{
	g_autoptr(GPtrArray) products = product_list(store, error);
	if (products == NULL)
		return;
	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; i < products->len && i < 20; i++)
		g_string_append_printf(
			names, "%s%s", i > 0 ? ", " : "", ((Product *)products->pdata[i])->name);
	drover_error_set(error, DROVER_ERROR_NOT_FOUND, "there is no product '%.63s'; %s%s", name,
		names->len > 0 ? "there are: "
			       : "add it with: drover product add NAME --repository FOLDER",
		names->str);
}

Product *product_load(Store *store, const char *name, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, sql_select_one, STORE_PARAMS(STORE_TEXT(name)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return NULL;
	if (more)
		return product_from_row(rows);
	set_no_such_product(store, name, error);
	return NULL;
}

gboolean product_insert(Store *store, Product *product, GError **error)
{
	if (!product_validate(product, error))
		return FALSE;
	if (!store_query_integer(store, error, 0, &product->id, sql_insert,
		    STORE_PARAMS(STORE_TEXT(product->name), STORE_TEXT(product->title),
			    STORE_TEXT(product->repository), STORE_TEXT(product->branch),
			    STORE_TEXT(product->item_patterns), STORE_TEXT(product->item_url),
			    STORE_INT(product->authors_may_rule), STORE_INT(product->baseline),
			    STORE_TEXT(product->mail_list), STORE_INT(product->overdue_days),
			    STORE_INT(product->overdue_every_days), STORE_INT(product->remind))))
		return FALSE;
	if (product->id != 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"there is a product '%s' already; change it with: drover product set %s …",
		product->name, product->name);
	return FALSE;
}

gboolean product_update_settings(Store *store, Product *product, GError **error)
{
	if (!product_validate(product, error) ||
		!store_execute(store, error, sql_update_settings,
			STORE_PARAMS(STORE_TEXT(product->title), STORE_TEXT(product->repository),
				STORE_TEXT(product->branch), STORE_TEXT(product->item_patterns),
				STORE_TEXT(product->item_url), STORE_INT(product->authors_may_rule),
				STORE_INT(product->baseline), STORE_TEXT(product->mail_list),
				STORE_INT(product->overdue_days),
				STORE_INT(product->overdue_every_days), STORE_INT(product->remind),
				STORE_INT(product->id), STORE_INT(product->data_version))))
		return FALSE;
	if (store_changed(store) == 1) {
		product->data_version++;
		product->epoch++;
		return TRUE;
	}
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"product '%s' was changed by someone else since version %" G_GINT64_FORMAT
		"; look at it again and repeat",
		product->name, product->data_version);
	return FALSE;
}

gboolean product_update_scan(Store *store, const Product *product, GError **error)
{
	return store_execute(store, error, sql_update_scan,
		STORE_PARAMS(STORE_TEXT(product->tip), STORE_TEXT(product->frozen_reason),
			STORE_TEXT(product->frozen_tip), STORE_INT(product->scanned_us),
			STORE_INT(product->next_ordinal), STORE_INT(product->epoch),
			STORE_INT(product->id)));
}
