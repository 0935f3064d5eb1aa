/* SPDX-License-Identifier: ISC
 *
 * Keeps the index of each product in the repository signed (docs/keys.md, "The index"): anew when
 * half of its life is over, when there is another release than it says, and when another key was
 * revoked than it says. An index is short-lived so that nobody can hold back updates for long, and
 * this is what makes it last. It goes on while the maintenance switch is on, since what expires
 * meanwhile could be installed nowhere.
 *
 * Of several droverds each looks, and the one that gets the repository's lock signs.
 */
#include "api/release.h"
#include "api/warnings.h"
#include "base/log.h"
#include "programs/droverd/daemon.h"
#include "release/repository.h"

#define JOB	       "index"
#define LOOK_EVERY_MS  5000
#define RETRY_EVERY_MS 60000 /* after a try that changed nothing */

typedef struct Keeper {
	Daemon *daemon;
	Store *store;
	const SecretKey *key;
	gint64 life_s;
	GHashTable *next_ms; /* product -> when it is looked at again, as gint64 * */
} Keeper;

/* The key ---------------------------------------------------------------------------------------
 */

static SecretKey *read_key(const char *path, GError **error)
{
	gsize size_bytes = 0;
	char *text = secret_key_read(path, &size_bytes, error);
	if (text == NULL)
		return NULL;
	SecretKey *key = NULL;
	if (secret_key_text_is_locked(text, size_bytes))
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s has a password, and nobody is here to type it: make a key for indexes "
			"without one (drover key generate --no-password) and delegate to it",
			path);
	else
		key = secret_key_parse(path, text, size_bytes, NULL, error);
	secret_key_text_free(text);
	return key;
}

gboolean indexes_set_up(Daemon *daemon, GError **error)
{
	const char *path = settings_text(daemon->settings, "release.index-key");
	if (path == NULL)
		return TRUE;
	if (daemon->site.release_repository == NULL || daemon->site.release_keys == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"[release] index-key: also wants [release] repository, where the indexes "
			"are, and keys, by which releases are believed");
		return FALSE;
	}
	daemon->index_key = read_key(path, error);
	if (daemon->index_key == NULL)
		g_prefix_error(error, "[release] index-key: ");
	return daemon->index_key != NULL;
}

/* One product -----------------------------------------------------------------------------------
 */

/* Versions that were removed, and stay so: who can write to the repository may bring one back, well
 * signed as it was. */
static GPtrArray *removed_versions(Keeper *keeper, const Product *product, GError **error)
{
	g_autoptr(GPtrArray) records = release_record_list(keeper->store, product, TRUE, error);
	GPtrArray *removed = records != NULL ? g_ptr_array_new_with_free_func(g_free) : NULL;
	for (guint i = 0; records != NULL && i < records->len; i++) {
		const ReleaseRecord *record = records->pdata[i];
		if (record->removed_us != 0)
			g_ptr_array_add(removed, g_strdup(record->version));
	}
	return removed;
}

static gboolean lists_exactly(
	const Index *index, const GPtrArray *versions, const GPtrArray *removed)
{
	guint count = 0;
	for (guint i = 0; i < versions->len; i++) {
		if (g_ptr_array_find_with_equal_func(
			    (GPtrArray *)removed, versions->pdata[i], g_str_equal, NULL))
			continue;
		if (index_find(index, versions->pdata[i]) == NULL)
			return FALSE;
		count++;
	}
	return index->releases->len == count;
}

/* Revocations reach hosts by the delegation or by the index, whichever they take first. */
static gboolean revokes_all(const Index *index, const Trust *trust)
{
	return revoked_same(index->revoked, trust_revoked(trust));
}

/* Without the lock: whoever signs looks again. An index that cannot be read is due. */
static gboolean is_due(Repository *repository, Trust *trust, const GPtrArray *removed,
	gint64 now_us, gboolean *due, GError **error)
{
	char sha256[SHA256_HEX];
	g_autoptr(GPtrArray) versions = repository_versions(repository, error);
	if (versions == NULL)
		return FALSE;
	g_autoptr(Index) index = repository_index(repository, trust, now_us, sha256, NULL);
	if (index == NULL)
		*due = versions->len > 0;
	else
		*due = now_us >= index->issued_us + (index->expires_us - index->issued_us) / 2 ||
		       !lists_exactly(index, versions, removed) || !revokes_all(index, trust);
	return TRUE;
}

static gboolean sign(Keeper *keeper, Repository *repository, Trust *trust, const GPtrArray *removed,
	gint64 now_us, gboolean *written, GError **error)
{
	g_autofree char *warning = NULL;
	g_autoptr(RepositoryLock) lock =
		repository_lock(repository, JOB, keeper->daemon->site.clock, &warning, error);
	if (warning != NULL)
		log_event(LOG_LEVEL_WARNING, "repository.lock", "what", warning, NULL);
	return lock != NULL && repository_sign_index(repository, lock, keeper->key, trust, removed,
				       now_us, keeper->life_s, TRUE, written, error);
}

static gboolean look(
	Keeper *keeper, const Product *product, gboolean *tried, gboolean *written, GError **error)
{
	const ApiSite *site = &keeper->daemon->site;
	gint64 now_us = clock_now_us(site->clock);
	g_autoptr(GError) problem = NULL;
	g_autoptr(Trust) trust = NULL;
	g_autoptr(Repository) repository =
		repository_open(site->release_repository, product->name, FALSE, &problem);
	if (repository == NULL && drover_error_is(problem, DROVER_ERROR_NOT_FOUND) &&
		g_file_test(site->release_repository, G_FILE_TEST_IS_DIR))
		return TRUE; /* nothing of it was ever published */
	if (repository == NULL) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	g_autoptr(GPtrArray) removed = removed_versions(keeper, product, error);
	return removed != NULL && release_trust_load(site, product->name, &trust, error) &&
	       is_due(repository, trust, removed, now_us, tried, error) &&
	       (!*tried || sign(keeper, repository, trust, removed, now_us, written, error));
}

static void tell(Keeper *keeper, const char *product, const GError *error)
{
	g_autofree char *about = g_strdup_printf("the index of %s", product);
	const char *text = error != NULL ? error->message : NULL;
	if (!api_warnings_set(keeper->daemon->site.warnings, about, text) || error == NULL)
		return;
	daemon_count(keeper->daemon, index_problems);
	log_event(LOG_LEVEL_ERROR, "index.trouble", "product", product, "why", text, NULL);
}

static void keep_product(Keeper *keeper, const Product *kept)
{
	const char *product = kept->name;
	g_autoptr(GError) error = NULL;
	gboolean tried = FALSE, written = FALSE;
	gint64 now_ms = clock_monotonic_ms();
	const gint64 *next_ms = g_hash_table_lookup(keeper->next_ms, product);
	if (next_ms != NULL && now_ms < *next_ms)
		return;
	gboolean well = look(keeper, kept, &tried, &written, &error);
	if (drover_error_is(error, DROVER_ERROR_LOCKED))
		return;
	tell(keeper, product, error);
	if (written) {
		daemon_count(keeper->daemon, indexes_signed);
		log_event(LOG_LEVEL_INFO, "index.signed", "product", product, NULL);
	}
	gint64 later_ms = now_ms + (well && (!tried || written) ? 0 : RETRY_EVERY_MS);
	g_hash_table_replace(
		keeper->next_ms, g_strdup(product), g_memdup2(&later_ms, sizeof later_ms));
}

/* All of them -----------------------------------------------------------------------------------
 */

static void keep_all(Keeper *keeper)
{
	g_autoptr(GError) error = NULL;
	if (keeper->store == NULL)
		keeper->store = daemon_open_store(keeper->daemon, &error);
	g_autoptr(GPtrArray) products =
		keeper->store != NULL ? product_list(keeper->store, &error) : NULL;
	for (guint i = 0; products != NULL && i < products->len; i++)
		if (!daemon_is_stopping(keeper->daemon))
			keep_product(keeper, products->pdata[i]);
}

gpointer keep_indexes(gpointer of)
{
	Daemon *daemon = of;
	g_autoptr(GHashTable) next_ms =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	Keeper keeper = {.daemon = daemon,
		.key = daemon->index_key,
		.life_s = settings_integer(daemon->settings, "release.index-life"),
		.next_ms = next_ms};
	do
		keep_all(&keeper);
	while (daemon_sleep(daemon, LOOK_EVERY_MS));
	store_close(keeper.store);
	return NULL;
}
