/* SPDX-License-Identifier: ISC
 *
 * A product: what is shipped; one git repository (or an importer), one branch, one line of
 * landings.
 */
#ifndef LANDING_PRODUCT_H
#define LANDING_PRODUCT_H

#include "store/store.h"

#define PRODUCT_MAXIMUM_NAME_BYTES 63
#define PRODUCT_MAXIMUM_TEXT_BYTES 1024

typedef struct Product {
	gint64 id;
	char *name; /* [a-z][a-z0-9._-]* */
	char *title;
	char *repository; /* absolute folder; NULL: landings are imported */
	char *branch;
	char *item_patterns; /* landing/message.h */
	char *item_url;	     /* "https://bugs.example/{item}", NULL for none */
	gboolean authors_may_rule;
	gint64 baseline; /* 0 for none */
	char *mail_list; /* NULL for none */
	gint64 overdue_days, overdue_every_days;
	gboolean remind;
	char *tip;	     /* newest scanned commit, NULL before the first scan */
	char *frozen_reason; /* NULL: not frozen */
	char *frozen_tip;
	gint64 scanned_us; /* 0: never */
	gint64 next_ordinal;
	gint64 epoch; /* moves when landings kept in memory must be read anew */
	gint64 data_version;
} Product;

/* With the defaults of a new product. */
Product *product_new(const char *name);
void product_free(Product *product);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Product, product_free)

/* Fails with DROVER_ERROR_INPUT, naming the field and what is allowed. */
gboolean product_validate(const Product *product, GError **error);

/* Fails with DROVER_ERROR_NOT_FOUND, naming the products there are. */
Product *product_load(Store *store, const char *name, GError **error);
/* By name: GPtrArray of Product *. */
GPtrArray *product_list(Store *store, GError **error);
/* Inside store_write(); sets id. A taken name is DROVER_ERROR_CONFLICT. */
gboolean product_insert(Store *store, Product *product, GError **error);
/* Settings, not the scan's state; inside store_write(). Moves data_version and epoch. Fails with
 * DROVER_ERROR_CONFLICT unless the stored version is `product->data_version`. */
gboolean product_update_settings(Store *store, Product *product, GError **error);
/* The scan's state: tip, frozen_*, scanned_us, next_ordinal, epoch. Inside store_write(). */
gboolean product_update_scan(Store *store, const Product *product, GError **error);

#endif
