/* SPDX-License-Identifier: ISC
 *
 * Nodes as the store has them, for the files of this room that deal with nodes (docs/hosts.md):
 *
 *     node.c          people: which nodes there are, and what each follows
 *     node_target.c   what a node is to run: by its channel, or by order
 *     node_pool.c     which nodes are servers of pools, and wait for orders
 *     node_orders.c   people: orders; nodes: what they are to do
 *     node_report.c   nodes: what they run
 *     node_overdue.c  maintenance that lasts longer than was said
 *     node_view.c     both sides together, as people look at it
 *     node_store.c    rows
 *
 * A node's version is taken from the counter 'nodes' whenever what it is to do moves, by an order,
 * by an edit of the node, or because its channel says something else; nodes wait for that.
 */
#ifndef API_NODE_H
#define API_NODE_H

#include "api/api.h"
#include "api/channel_books.h"
#include "api/host.h"
#include "api/node_pool.h"

#define NODES_MAXIMUM		      10000
#define NODE_LIST_MAXIMUM_PRODUCTS    50 /* of one node */
#define NODE_MAXIMUM_TAGS	      50
#define NODE_TAG_MAXIMUM_BYTES	      100 /* its name, and what it says */
#define NODE_NOTES_MAXIMUM_BYTES      4096
#define NODE_REPORT_MAXIMUM_INSTALLED 200  /* releases on one node, of one product */
#define NODE_ORDERS_MAXIMUM_NAMED     1000 /* versions that a node is told to keep, of one product */
#define NODE_SILENT_S		      75   /* who did not report for longer is shown as silent */
#define NODE_EVENTS_KEPT	      100  /* of one product on one node */
#define NODE_EVENTS_MAXIMUM_SHOWN     200
#define NODE_POLL_S		      25 /* how long a node's question for orders waits at most */

/* What is said of a node, of its pool. */
#define NODE_WAITS_IN_POOL                                                                         \
	"is in pool %s: it waits for an order, or its rollout, since nobody drains it"

#define STORE_NODES "nodes" /* the counter of versions */

/* How a node follows a channel by itself: as long as it is in no pool, or always. */
#define NODE_FOLLOWS_ALONE  "alone"
#define NODE_FOLLOWS_ALWAYS "always"

/* A product that the node runs. */
typedef struct NodeDuty {
	gint64 product_id;
	char *product, *channel;
	const char *follows; /* one of NODE_FOLLOWS_; NULL, in a body: as it was. Static */
	char *ordered;	     /* a version; NULL: it follows its channel */
	gint64 order_id;
	char *asked_by; /* NULL: nobody asked */
	gint64 asked_us;
	char *reason;
	char *target;	/* what it was last told to run; NULL: nothing */
	json_t *report; /* the newest; NULL: it never reported */
	gint64 reported_us;
} NodeDuty;

typedef struct NodeRecord {
	gint64 id;
	char *name;
	char *notes;  /* NULL: none */
	json_t *tags; /* name -> text */
	gint64 version, data_version;
	json_t *host;	   /* the API's NodeHost, or JSON null: it never enrolled */
	GPtrArray *duties; /* NodeDuty *, by product */
} NodeRecord;

NodeDuty *node_duty_new(gint64 product_id, const char *product, const char *channel);
void node_duty_free(NodeDuty *duty);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NodeDuty, node_duty_free)
void node_record_free(NodeRecord *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NodeRecord, node_record_free)

/* Inside a transaction, as all that follows. Fails with DROVER_ERROR_NOT_FOUND. */
NodeRecord *node_record_load(Store *store, const char *name, GError **error);
/* By name, with all that they run. */
GPtrArray *node_record_list(Store *store, GError **error);
/* NODE_FOLLOWS_ALONE or NODE_FOLLOWS_ALWAYS by its word; NULL: there is no such word. Static. */
const char *node_follows_find(const char *word);
/* NULL: the node does not run it. */
NodeDuty *node_record_duty(const NodeRecord *node, const char *product);
/* The same as an error: DROVER_ERROR_NOT_FOUND. */
NodeDuty *node_record_require(const NodeRecord *node, const char *product, GError **error);

/* Sets id. */
gboolean node_record_insert(Store *store, NodeRecord *node, GError **error);
/* The next version; it is the node's. */
gboolean node_record_move(Store *store, NodeRecord *node, GError **error);
/* Notes and tags; moves data_version and version. */
gboolean node_record_save(Store *store, NodeRecord *node, GError **error);
/* Channel, how it is followed, order and target, not the report. */
gboolean node_duty_save(Store *store, const NodeRecord *node, const NodeDuty *duty, GError **error);
/* The report. */
gboolean node_duty_keep(Store *store, const NodeRecord *node, const NodeDuty *duty, GError **error);
gboolean node_duty_remove(Store *store, const NodeRecord *node, gint64 product_id, GError **error);
gboolean node_record_remove(Store *store, const NodeRecord *node, GError **error);

/* The node that asks, from its token. Fails with DROVER_ERROR_DENIED for a balancer,
 * DROVER_ERROR_UNAUTHENTICATED when it was revoked meanwhile, DROVER_ERROR_NOT_FOUND when nobody
 * said what it is to run. */
NodeRecord *node_load_caller(ApiCall *call, GError **error);

/* Targets ---------------------------------------------------------------------------------------
 */

/* What a node is to run, and why. */
typedef struct NodeTarget {
	char *version; /* NULL: nothing, it stays with what it runs */
	gint64 sequence;
	char *manifest_sha256;
	char *why;	/* a sentence without its full stop */
	gint64 rule_id; /* 0: no rule decided */
	char *mapping;	/* the name of the release that its channel gives it; NULL: none */
} NodeTarget;

void node_target_clear(NodeTarget *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NodeTarget, node_target_clear)

/* Asks for many nodes at one moment. */
typedef struct NodeAsker NodeAsker;

/* `channels` as of ApiSite. Before the transaction writes. */
NodeAsker *node_asker_new(ChannelBooks *channels, Store *store, GError **error);
void node_asker_free(NodeAsker *asker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NodeAsker, node_asker_free)
/* What its channel gives it: the very answer of GET /update/node/PRODUCT/CHANNEL to a node of its
 * name and tags, and which release that is. *target is overwritten. */
gboolean node_ask_channel(NodeAsker *asker, const NodeRecord *node, const NodeDuty *duty,
	NodeTarget *target, GError **error);
/* The pool for whose sake the node does not take *should, which its channel gives it, by itself;
 * *pool NULL: it takes it. Borrowed from `asker`. */
gboolean node_ask_pool(NodeAsker *asker, const NodeRecord *node, const NodeDuty *duty,
	const NodeTarget *should, const char **pool, GError **error);
/* The same, or what was ordered; nothing while it waits for an order. */
gboolean node_ask_target(NodeAsker *asker, const NodeRecord *node, const NodeDuty *duty,
	NodeTarget *target, GError **error);
/* Versions that changes in the queue, or its channel while there is an order, still name: a list of
 * texts. New reference; NULL with `error`. */
json_t *node_ask_named(
	NodeAsker *asker, const NodeRecord *node, const NodeDuty *duty, GError **error);

/* Asks anew what the node is to run, and moves its version when that is another. */
gboolean node_target_renew(NodeAsker *asker, NodeRecord *node, GError **error);
/* Opens its own transactions: moves the versions of nodes whose channel says something else by
 * now, or whose pools do.
 * Fails with DROVER_ERROR_MAINTENANCE when there is something to write and the switch is on. */
gboolean node_targets_follow(const ApiSite *site, Store *store, GError **error);

/* The versions that nodes wait for. Calls `visit` for each node. */
gboolean node_each_version(Store *store, HostVisit visit, gpointer of, GError **error);
/* Products on nodes whose newest report is older than NODE_SILENT_S. */
gboolean node_count_silent(Store *store, gint64 now_us, gint64 *count, GError **error);
/* Whether its maintenance lasts longer than was said, by the node's word or by our clock. */
gboolean node_is_overdue(const json_t *report, gint64 now_us);
/* How many of those there are, and a sentence about them; *text NULL: none. Caller frees. */
gboolean node_tell_overdue(Store *store, gint64 now_us, gint64 *count, char **text, GError **error);

/* Views -----------------------------------------------------------------------------------------
 */

/* The API's Node, with the products that the caller may see. */
json_t *node_json(const ApiCall *call, NodeAsker *asker, const NodeRecord *node, GError **error);
/* What people edit, for history. */
json_t *node_settings_json(const NodeRecord *node);
gboolean node_is_seen(const Actor *actor, const NodeRecord *node);

/* Handlers in node_view.c, node_orders.c, node_report.c. */
json_t *node_list_all(ApiCall *call, GError **error);
json_t *node_show(ApiCall *call, GError **error);
json_t *node_give_order(ApiCall *call, GError **error);
json_t *node_show_orders(ApiCall *call, GError **error);
json_t *node_take_report(ApiCall *call, GError **error);

#endif
