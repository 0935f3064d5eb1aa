/* SPDX-License-Identifier: ISC
 *
 * What is remembered in the state folder from one start to the next: the last orders, what came of
 * each (node/follow.h), and whether droverd was heard. Small files, each replaced whole; one that
 * cannot be read is as if it were not there, which costs a question to droverd or one more try.
 *
 *     STATE/orders            droverd's last orders
 *     STATE/PRODUCT.follow    what was tried; written by who holds the product's lock
 *     STATE/contact           since when droverd is heard or not
 */
#ifndef DROVER_NODE_KEPT_H
#define DROVER_NODE_KEPT_H

#include "node/config.h"
#include "node/follow.h"

/* NULL when there are none. Caller frees. */
Orders *kept_orders(const NodeConfig *config);
gboolean kept_save_orders(const NodeConfig *config, const Orders *orders, GError **error);

/* `memory` is empty when nothing was kept. */
void kept_memory(const NodeConfig *config, const char *product, FollowMemory *memory);
gboolean kept_save_memory(
	const NodeConfig *config, const char *product, const FollowMemory *memory, GError **error);

typedef struct KeptContact {
	gint64 since_us; /* 0: nothing is known */
	char *problem;	 /* NULL: droverd is heard */
} KeptContact;

void kept_contact(const NodeConfig *config, KeptContact *contact);
gboolean kept_save_contact(const NodeConfig *config, const KeptContact *contact, GError **error);
void kept_contact_clear(KeptContact *contact);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KeptContact, kept_contact_clear)

#endif
