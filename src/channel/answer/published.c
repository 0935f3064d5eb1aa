/* SPDX-License-Identifier: ISC
 *
 * The queue is laid on live change by change; where a cut that somebody asks for ends, the state is
 * compiled. So each distinct cut is compiled once, however many test channels have it.
 */
#include "channel/answer/published.h"
#include "channel/row/scope.h"

#include <string.h>

#include "channel/digest.h"

/* Live with a prefix of the queue. */
typedef struct Stage {
	Snapshot *snapshot; /* NULL: no cut ends here */
	guint conflicts;    /* how many changes were left out up to here */
} Stage;

/* A row of `channels`. */
typedef struct Declared {
	json_t *row;
	const char *base; /* NULL: a live channel */
	const char *cut;
	guint prefix;	  /* changes that the cut takes */
	char *problem;	  /* why there is no such cut; NULL: there is */
	gboolean is_last; /* on a conflict it answers like the last good cut */
} Declared;

/* Those that were asked for: they come, and stay. */
typedef struct Digests {
	GMutex lock;
	GHashTable *kept; /* key -> char * */
	guint undeclared; /* how many of them are of channels that nobody declared */
} Digests;

struct Published {
	gatomicrefcount references;
	gint64 generation;
	Overlay *overlay; /* with the whole queue */
	Stage *stages;	  /* by prefix: one more than there are changes */
	guint changes;
	GHashTable *declared; /* product, or "*" -> (channel -> Declared) */
	Digests *digests;
};

static void declared_free(gpointer item)
{
	Declared *declared = item;
	json_decref(declared->row);
	g_free(declared->problem);
	g_free(declared);
}

static const char *text_of(const json_t *row, const char *column)
{
	return json_string_value(json_object_get(row, column));
}

/* Declared channels --------------------------------------------------------------------------- */

static void find_cut(Declared *declared, const Queue *queue)
{
	g_autoptr(GError) problem = NULL;
	Cut cut;
	if (cut_parse(declared->cut, &cut, &problem) &&
		queue_prefix(queue, cut, &declared->prefix, &problem))
		return;
	declared->problem =
		g_strdup_printf("its cut is '%s', and %s", declared->cut, problem->message);
}

static Declared *declared_new(json_t *row, const Queue *queue)
{
	Declared *declared = g_new0(Declared, 1);
	declared->row = json_incref(row);
	declared->base = text_of(row, "base");
	declared->cut = text_of(row, "cut");
	if (declared->cut == NULL)
		declared->cut = "all";
	declared->is_last = g_strcmp0(text_of(row, "on_conflict"), "last") == 0;
	if (declared->base != NULL)
		find_cut(declared, queue);
	return declared;
}

static void declare(Published *published, const State *live, const Queue *queue)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(live, STATE_CHANNELS), key, row) {
		const char *product = text_of(row, "product");
		GHashTable *channels = g_hash_table_lookup(published->declared, product);
		if (channels == NULL) {
			channels = g_hash_table_new_full(
				g_str_hash, g_str_equal, g_free, declared_free);
			g_hash_table_insert(published->declared, g_strdup(product), channels);
		}
		g_hash_table_insert(
			channels, g_strdup(text_of(row, "channel")), declared_new(row, queue));
	}
}

static const Declared *find_declared(
	const Published *published, const char *product, const char *channel)
{
	const char *const products[] = {product, "*"};
	for (gsize i = 0; i < G_N_ELEMENTS(products); i++) {
		GHashTable *channels =
			products[i] == NULL ? NULL
					    : g_hash_table_lookup(published->declared, products[i]);
		const Declared *declared =
			channels == NULL ? NULL : g_hash_table_lookup(channels, channel);
		if (declared != NULL)
			return declared;
	}
	return NULL;
}

/* Stages -------------------------------------------------------------------------------------- */

/* TRUE for each prefix that must be compiled: live, the whole queue, and each declared cut. Caller
 * frees. */
static gboolean *wanted_prefixes(const Published *published)
{
	gboolean *wanted = g_new0(gboolean, published->changes + 1);
	GHashTableIter products, channels;
	gpointer of_product, item;
	wanted[0] = wanted[published->changes] = TRUE;
	g_hash_table_iter_init(&products, published->declared);
	while (g_hash_table_iter_next(&products, NULL, &of_product)) {
		g_hash_table_iter_init(&channels, of_product);
		while (g_hash_table_iter_next(&channels, NULL, &item)) {
			const Declared *declared = item;
			if (declared->base != NULL && declared->problem == NULL)
				wanted[declared->prefix] = TRUE;
		}
	}
	return wanted;
}

/* With what was compiled of the same rows for `before`. */
static gboolean compile(
	Stage *stage, const Snapshot *before, const Overlay *overlay, GError **error)
{
	const State *state = overlay_state(overlay);
	json_t *schemes = snapshot_schemes(state);
	stage->snapshot = snapshot_next(before, state, schemes, error);
	json_decref(schemes);
	return stage->snapshot != NULL;
}

static gboolean compile_stages(
	Published *published, const Published *before, const Queue *queue, GError **error)
{
	g_autofree gboolean *wanted = wanted_prefixes(published);
	Snapshot *newest = before != NULL ? before->stages[0].snapshot : NULL;
	gboolean is_new = TRUE; /* a change went live since */
	for (guint i = 0; i <= published->changes; i++) {
		Stage *stage = &published->stages[i];
		if (i > 0 && overlay_enact(published->overlay, queue_change(queue, i - 1), NULL))
			is_new = TRUE;
		stage->conflicts = overlay_conflicts(published->overlay);
		if (!wanted[i])
			continue;
		if (!is_new)
			stage->snapshot = snapshot_ref(newest);
		else if (!compile(stage, newest, published->overlay, error))
			return FALSE;
		newest = stage->snapshot;
		is_new = FALSE;
	}
	return TRUE;
}

/* Places -------------------------------------------------------------------------------------- */

static void note_conflict(const Published *published, const char *product, guint prefix,
	gboolean is_last, Place *place)
{
	const char *why = overlay_undefined_within(
		published->overlay, published->stages[prefix].conflicts, product, place->channel);
	/* What concerns the channel behind a conflict was left out, too: what remains is the last
	 * good cut. */
	if (is_last)
		place->held = why;
	else
		place->undefined = why;
}

/* The base with the rest of the name that was asked for. FALSE when that is too long. */
static gboolean name_base(Place *place, const char *base, gsize base_bytes, const char *rest)
{
	gsize rest_bytes = strlen(rest);
	if (base_bytes + rest_bytes >= sizeof place->name)
		return FALSE;
	memmove(place->name, base, base_bytes);
	memcpy(place->name + base_bytes, rest, rest_bytes + 1);
	place->channel = place->name;
	return TRUE;
}

static gboolean place_declared(const Published *published, const Declared *declared,
	const char *product, const char *rest, Place *place)
{
	if (declared->base == NULL)
		return TRUE;
	if (!name_base(place, declared->base, strlen(declared->base), rest))
		return FALSE;
	place->is_test = TRUE;
	place->cut = declared->cut;
	place->rewrite = json_object_get(declared->row, "rewrite");
	if (!json_is_object(place->rewrite))
		place->rewrite = NULL;
	place->undefined = declared->problem;
	if (declared->problem != NULL)
		return TRUE;
	place->snapshot = published->stages[declared->prefix].snapshot;
	note_conflict(published, product, declared->prefix, declared->is_last, place);
	return TRUE;
}

/* A name, as it was asked for or without its -cck-: FALSE when it says nothing. */
static gboolean place_name(const Published *published, const char *product, const char *name,
	const char *rest, Place *place)
{
	const Declared *declared = find_declared(published, product, name);
	gsize size = strlen(name);
	place->is_declared = declared != NULL;
	if (declared != NULL)
		return place_declared(published, declared, product, rest, place);
	if (size <= strlen(SCOPE_TEST_SUFFIX) || !g_str_has_suffix(name, SCOPE_TEST_SUFFIX) ||
		!name_base(place, name, size - strlen(SCOPE_TEST_SUFFIX), rest))
		return FALSE;
	place->is_test = TRUE;
	place->cut = "all";
	place->snapshot = published->stages[published->changes].snapshot;
	note_conflict(published, product, published->changes, FALSE, place);
	return TRUE;
}

void published_find(
	const Published *published, const char *product, const char *channel, Place *place)
{
	place->snapshot = published->stages[0].snapshot;
	place->channel = channel;
	place->is_test = place->is_declared = FALSE;
	place->cut = place->undefined = place->held = NULL;
	place->rewrite = NULL;
	if (channel == NULL || strlen(channel) >= sizeof place->name ||
		place_name(published, product, channel, "", place))
		return;
	gsize size = query_channel_base(channel);
	if (size == 0)
		return;
	memcpy(place->name, channel, size);
	place->name[size] = '\0';
	place_name(published, product, place->name, channel + size, place);
}

/* Digests ------------------------------------------------------------------------------------- */

static Digests *digests_new(void)
{
	Digests *digests = g_new0(Digests, 1);
	g_mutex_init(&digests->lock);
	digests->kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return digests;
}

static void digests_free(Digests *digests)
{
	g_mutex_clear(&digests->lock);
	g_hash_table_unref(digests->kept);
	g_free(digests);
}

/* NULL when it is not kept. */
static const char *kept_digest(Digests *digests, const char *key, gboolean *is_full)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&digests->lock);
	*is_full = digests->undeclared >= PUBLISHED_MAXIMUM_DIGESTS;
	return g_hash_table_lookup(digests->kept, key);
}

/* Takes both; another thread may have been faster. */
static const char *keep_digest(Digests *digests, char *key, char *digest, gboolean is_declared)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&digests->lock);
	const char *kept = g_hash_table_lookup(digests->kept, key);
	if (kept == NULL) {
		digests->undeclared += !is_declared;
		g_hash_table_insert(digests->kept, key, digest);
		return digest;
	}
	g_free(key);
	g_free(digest);
	return kept;
}

const char *published_digest(const Published *published, const char *product, const Place *place)
{
	g_autofree char *key = g_strdup_printf("%p %" G_GSIZE_FORMAT " %s %s %s",
		(const void *)place->snapshot, product != NULL ? strlen(product) : 0,
		product != NULL ? product : "-", place->channel != NULL ? "=" : "-",
		place->channel != NULL ? place->channel : "");
	gboolean is_full;
	const char *kept = kept_digest(published->digests, key, &is_full);
	if (kept != NULL || (is_full && !place->is_declared))
		return kept;
	char *digest = digest_of(place->snapshot, product, place->channel);
	return keep_digest(published->digests, g_steal_pointer(&key), digest, place->is_declared);
}

/* The whole ----------------------------------------------------------------------------------- */

Published *published_new(State *live, const Queue *queue, gint64 generation, GError **error)
{
	return published_next(NULL, live, queue, generation, error);
}

Published *published_next(
	const Published *before, State *live, const Queue *queue, gint64 generation, GError **error)
{
	g_autoptr(Published) published = g_new0(Published, 1);
	g_atomic_ref_count_init(&published->references);
	published->generation = generation;
	published->changes = queue_size(queue);
	published->stages = g_new0(Stage, published->changes + 1);
	published->overlay = overlay_new(live, TRUE);
	published->declared = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
	published->digests = digests_new();
	declare(published, live, queue);
	return compile_stages(published, before, queue, error) ? g_steal_pointer(&published) : NULL;
}

Published *published_ref(Published *published)
{
	g_atomic_ref_count_inc(&published->references);
	return published;
}

void published_unref(Published *published)
{
	if (published == NULL || !g_atomic_ref_count_dec(&published->references))
		return;
	for (guint i = 0; i <= published->changes; i++)
		snapshot_unref(published->stages[i].snapshot);
	g_free(published->stages);
	overlay_free(published->overlay);
	g_hash_table_unref(published->declared);
	digests_free(published->digests);
	g_free(published);
}

gboolean published_is_let_go(const Published *published)
{
	return g_atomic_ref_count_compare((gatomicrefcount *)&published->references, 1);
}

gint64 published_generation(const Published *published)
{
	return published->generation;
}

const Snapshot *published_live(const Published *published)
{
	return published->stages[0].snapshot;
}
