/* SPDX-License-Identifier: ISC
 *
 * What a node is to run. A channel says it as it does to whoever asks the public address: the same
 * code decides (channel/answer/update_answer.h), asked in the node's name with its tags, and the
 * release that is mapped to is one of those that were published. An order for one version comes
 * before that, and a server of a pool waits for one (node_pool.c).
 *
 * Channels move without a word about nodes. So what each node was last told is kept beside it, and
 * when that is another by now, its version moves, for which it waits.
 */
#include <string.h>

#include "api/maintenance.h"
#include "api/node.h"
#include "channel/answer/update_answer.h"

static const char SQL_RELEASES[] =
	"SELECT version, document, sequence, manifest_sha256, removed_us FROM release"
	" WHERE product_id = ?";

/* A release that was published. */
typedef struct Released {
	char *version, *document, *manifest_sha256;
	gint64 sequence;
	gboolean is_removed;
} Released;

/* Those of one product, by both of their names. */
typedef struct Shelf {
	gint64 product_id;
	GHashTable *by_version; /* char * -> Released *, which it owns */
	GHashTable *by_document;
} Shelf;

struct NodeAsker {
	ChannelNow *now;
	Store *store;
	GHashTable *shelves; /* product_id -> Shelf * */
	NodePools *pools;    /* NULL: not yet read */
};

void node_target_clear(NodeTarget *target)
{
	g_clear_pointer(&target->version, g_free);
	g_clear_pointer(&target->manifest_sha256, g_free);
	g_clear_pointer(&target->why, g_free);
	g_clear_pointer(&target->mapping, g_free);
}

/* Releases --------------------------------------------------------------------------------------
 */

static void released_free(gpointer of)
{
	Released *released = of;
	g_free(released->version);
	g_free(released->document);
	g_free(released->manifest_sha256);
	g_free(released);
}

static void shelf_free(gpointer of)
{
	Shelf *shelf = of;
	g_hash_table_unref(shelf->by_document);
	g_hash_table_unref(shelf->by_version);
	g_free(shelf);
}

static Shelf *shelf_new(gint64 product_id)
{
	Shelf *shelf = g_new0(Shelf, 1);
	shelf->product_id = product_id;
	shelf->by_version = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, released_free);
	shelf->by_document = g_hash_table_new(g_str_hash, g_str_equal);
	return shelf;
}

static gboolean fill_shelf(Store *store, Shelf *shelf, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, SQL_RELEASES, STORE_PARAMS(STORE_INT(shelf->product_id)));
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return TRUE;
		Released *released = g_new0(Released, 1);
		released->version = g_strdup(store_rows_text(rows, 0));
		released->document = g_strdup(store_rows_text(rows, 1));
		released->sequence = store_rows_integer(rows, 2);
		released->manifest_sha256 = g_strdup(store_rows_text(rows, 3));
		released->is_removed = !store_rows_is_null(rows, 4);
		g_hash_table_insert(shelf->by_version, released->version, released);
		g_hash_table_insert(shelf->by_document, released->document, released);
	}
	return FALSE;
}

static const Shelf *find_shelf(NodeAsker *asker, gint64 product_id, GError **error)
{
	Shelf *shelf = g_hash_table_lookup(asker->shelves, &product_id);
	if (shelf != NULL)
		return shelf;
	shelf = shelf_new(product_id);
	if (!fill_shelf(asker->store, shelf, error)) {
		shelf_free(shelf);
		return NULL;
	}
	g_hash_table_insert(asker->shelves, &shelf->product_id, shelf);
	return shelf;
}

NodeAsker *node_asker_new(ChannelBooks *channels, Store *store, GError **error)
{
	ChannelNow *now = channel_books_take(channels, store, error);
	if (now == NULL)
		return NULL;
	NodeAsker *asker = g_new0(NodeAsker, 1);
	asker->now = now;
	asker->store = store;
	asker->shelves = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, shelf_free);
	return asker;
}

void node_asker_free(NodeAsker *asker)
{
	if (asker == NULL)
		return;
	channel_now_unref(asker->now);
	g_hash_table_unref(asker->shelves);
	node_pools_free(asker->pools);
	g_free(asker);
}

/* Asking ----------------------------------------------------------------------------------------
 */

static GHashTable *parameters_of(const NodeRecord *node)
{
	GHashTable *parameters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const char *name;
	json_t *value;
	json_object_foreach (node->tags, name, value)
		g_hash_table_insert(parameters, g_strconcat("tag.", name, NULL),
			(gpointer)(guintptr)json_string_value(value));
	g_hash_table_insert(parameters, g_strdup("id"), node->name);
	return parameters;
}

static void take_release(NodeTarget *target, const Released *released)
{
	target->version = g_strdup(released->version);
	target->sequence = released->sequence;
	target->manifest_sha256 = g_strdup(released->manifest_sha256);
}

/* A channel may map to what was never published here: files of somebody else's, or a release that
 * is still to come. */
static void take_answer(
	NodeTarget *target, const UpdateAnswer *answer, const Shelf *shelf, const NodeDuty *duty)
{
	const char *mapping = answer->decided.mapping;
	target->rule_id = answer->decided.rule != NULL ? answer->decided.rule->rule_id : 0;
	target->mapping = g_strdup(mapping);
	const Released *released =
		mapping != NULL ? g_hash_table_lookup(shelf->by_document, mapping) : NULL;
	if (released != NULL && !released->is_removed)
		take_release(target, released);
	if (mapping == NULL || target->version != NULL)
		target->why = g_strdup(answer->why);
	else
		target->why = g_strdup_printf("channel %s maps to %s, which %s", duty->channel,
			mapping,
			released != NULL ? "was removed"
					 : "was never published as a release of this product");
}

gboolean node_ask_channel(NodeAsker *asker, const NodeRecord *node, const NodeDuty *duty,
	NodeTarget *target, GError **error)
{
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) answer = {0};
	g_autoptr(GHashTable) parameters = parameters_of(node);
	g_autofree char *path = g_strdup_printf("/update/node/%s/%s", duty->product, duty->channel);
	*target = (NodeTarget){0};
	const Shelf *shelf = find_shelf(asker, duty->product_id, error);
	if (shelf == NULL || !asked_read(path, parameters, &asked, error) ||
		!update_answer_decide(asker->now->published, NULL, &asked, 0, &answer, error))
		return FALSE;
	take_answer(target, &answer, shelf, duty);
	return TRUE;
}

static gboolean find_pool(
	NodeAsker *asker, const NodeRecord *node, const char **pool, GError **error)
{
	if (asker->pools == NULL)
		asker->pools = node_pools_load(asker->store, error);
	if (asker->pools == NULL)
		return FALSE;
	*pool = node_pools_find(asker->pools, node->name);
	return TRUE;
}

/* Who never said what runs may run something. What runs already is not switched to, only kept. */
gboolean node_ask_pool(NodeAsker *asker, const NodeRecord *node, const NodeDuty *duty,
	const NodeTarget *should, const char **pool, GError **error)
{
	const char *running = json_text(duty->report, "running");
	*pool = NULL;
	if (should->version == NULL || strcmp(duty->follows, NODE_FOLLOWS_ALWAYS) == 0 ||
		(duty->report != NULL && running == NULL) ||
		g_strcmp0(running, should->version) == 0)
		return TRUE;
	return find_pool(asker, node, pool, error);
}

static gboolean ask_alone(NodeAsker *asker, const NodeRecord *node, const NodeDuty *duty,
	NodeTarget *target, GError **error)
{
	const char *pool;
	if (!node_ask_channel(asker, node, duty, target, error) ||
		!node_ask_pool(asker, node, duty, target, &pool, error))
		return FALSE;
	if (pool == NULL)
		return TRUE;
	g_autofree char *version = g_steal_pointer(&target->version);
	node_target_clear(target);
	*target = (NodeTarget){
		.why = g_strdup_printf(
			"its channel gives it %s, but it " NODE_WAITS_IN_POOL, version, pool)};
	return TRUE;
}

gboolean node_ask_target(NodeAsker *asker, const NodeRecord *node, const NodeDuty *duty,
	NodeTarget *target, GError **error)
{
	if (duty->ordered == NULL)
		return ask_alone(asker, node, duty, target, error);
	*target = (NodeTarget){0};
	const Shelf *shelf = find_shelf(asker, duty->product_id, error);
	if (shelf == NULL)
		return FALSE;
	const Released *released = g_hash_table_lookup(shelf->by_version, duty->ordered);
	target->why = g_strdup_printf("%s ordered it", duty->asked_by);
	if (released != NULL && !released->is_removed)
		take_release(target, released);
	return TRUE;
}

/* What is still named ---------------------------------------------------------------------------
 */

static void add_named(json_t *named, const char *version)
{
	gsize i;
	json_t *known;
	if (json_array_size(named) == NODE_ORDERS_MAXIMUM_NAMED)
		return;
	json_array_foreach (named, i, known)
		if (strcmp(json_string_value(known), version) == 0)
			return;
	json_array_append_new(named, json_string(version));
}

static void add_mapped(json_t *named, const Shelf *shelf, const char *document)
{
	const Released *released =
		document != NULL ? g_hash_table_lookup(shelf->by_document, document) : NULL;
	if (released != NULL && !released->is_removed)
		add_named(named, released->version);
}

json_t *node_ask_named(
	NodeAsker *asker, const NodeRecord *node, const NodeDuty *duty, GError **error)
{
	g_auto(NodeTarget) target = {0};
	const Shelf *shelf = find_shelf(asker, duty->product_id, error);
	if (shelf == NULL || !node_ask_channel(asker, node, duty, &target, error))
		return NULL;
	json_t *named = json_array();
	if (duty->ordered != NULL && target.version != NULL)
		add_named(named, target.version);
	const GPtrArray *changes = asker->now->book->changes;
	for (guint i = 0; i < changes->len; i++) {
		const ChannelChange *change = changes->pdata[i];
		gsize n;
		json_t *op;
		json_array_foreach (change->ops, n, op) {
			const json_t *row = json_object_get(op, "row");
			add_mapped(named, shelf, json_text(row, "mapping"));
			add_mapped(named, shelf, json_text(row, "fallback_mapping"));
		}
	}
	return named;
}

/* Following -------------------------------------------------------------------------------------
 */

typedef struct Following {
	const ApiSite *site;
	gboolean writes;
	guint moved; /* nodes */
} Following;

static gboolean follow_duty(NodeAsker *asker, const NodeRecord *node, NodeDuty *duty,
	gboolean writes, gboolean *moved, GError **error)
{
	g_auto(NodeTarget) target = {0};
	if (!node_ask_target(asker, node, duty, &target, error))
		return FALSE;
	if (g_strcmp0(target.version, duty->target) == 0)
		return TRUE;
	*moved = TRUE;
	g_free(duty->target);
	duty->target = g_steal_pointer(&target.version);
	return !writes || node_duty_save(asker->store, node, duty, error);
}

static gboolean follow_node(
	NodeAsker *asker, NodeRecord *node, Following *following, GError **error)
{
	gboolean moved = FALSE;
	for (guint i = 0; i < node->duties->len; i++)
		if (!follow_duty(
			    asker, node, node->duties->pdata[i], following->writes, &moved, error))
			return FALSE;
	following->moved += moved ? 1 : 0;
	return !moved || !following->writes || node_record_move(asker->store, node, error);
}

static gboolean follow_all(Store *store, gpointer of, GError **error)
{
	Following *following = of;
	following->moved = 0;
	if (following->writes && !maintenance_refuse(following->site, store, error))
		return FALSE;
	g_autoptr(NodeAsker) asker = node_asker_new(following->site->channels, store, error);
	g_autoptr(GPtrArray) nodes = asker != NULL ? node_record_list(store, error) : NULL;
	for (guint i = 0; nodes != NULL && i < nodes->len; i++)
		if (!follow_node(asker, nodes->pdata[i], following, error))
			return FALSE;
	return nodes != NULL;
}

gboolean node_target_renew(NodeAsker *asker, NodeRecord *node, GError **error)
{
	Following following = {.writes = TRUE};
	return follow_node(asker, node, &following, error);
}

/* Looking is cheap and writing is rare. */
gboolean node_targets_follow(const ApiSite *site, Store *store, GError **error)
{
	Following following = {.site = site};
	if (!store_read(store, follow_all, &following, error))
		return FALSE;
	if (following.moved == 0)
		return TRUE;
	following.writes = TRUE;
	return store_write(store, follow_all, &following, error);
}
