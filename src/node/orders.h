/* SPDX-License-Identifier: ISC
 *
 * What droverd wants of this node: its answer to GET /node/orders, and the same text as it is kept
 * for the time in which droverd is away (docs/node.md, "Following a channel"). From outside, and
 * read again from a file: what is not understood makes it no orders at all. Pure.
 */
#ifndef NODE_ORDERS_H
#define NODE_ORDERS_H

#include "base/error.h"
#include "release/sha256.h"

#define ORDERS_MAXIMUM_BYTES	 1048576
#define ORDERS_MAXIMUM_PRODUCTS	 200
#define ORDERS_MAXIMUM_NAMED	 1000 /* versions that are to be kept, of one product */
#define ORDERS_MAXIMUM_WHY_BYTES 4096

/* Of one product. */
typedef struct Order {
	char *product, *channel;
	char *version;	       /* NULL: its channel names none */
	gint64 sequence;       /* 0: not said */
	char *manifest_sha256; /* NULL: not said */
	gboolean is_ordered;   /* by a person or a rollout, for exactly this version: may go back */
	gint64 order_id;       /* moves when somebody orders anew */
	char *why;	       /* a sentence */
	GPtrArray *named;      /* char *: versions that are still to be needed */
} Order;

typedef struct Orders {
	gint64 version;	     /* for the next question */
	gint64 epoch;	     /* of the droverd that says so: a lower one is out of office */
	GPtrArray *products; /* Order * */
} Orders;

/* `name` is the source's name in errors. Fails with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE.
 */
Orders *orders_parse(const char *name, const char *text, gsize size_bytes, GError **error);
void orders_free(Orders *orders);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Orders, orders_free)
/* NULL when it says nothing of the product. Owned by `orders`, which may be NULL. */
const Order *orders_find(const Orders *orders, const char *product);
/* The text that parses to the same. Caller frees. */
char *orders_text(const Orders *orders);

#endif
