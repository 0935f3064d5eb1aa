/* SPDX-License-Identifier: ISC
 *
 * The hash chain of store/history.h: who changed what, provably (docs/store.md).
 *
 * A field is hashed with its length before it, so no two entries, however their texts are cut, hash
 * the same bytes. Verification reads pages of the primary key inside one reading transaction: a
 * history of any length costs the memory of one page.
 */
#include "store/history.h"

#include <string.h>

#define PAGE_ENTRIES 500

#define COLUMNS "sequence, at_us, actor, action, subject, reason, before_json, after_json, digest"
#define NEWEST	" ORDER BY sequence DESC LIMIT ?"
/* What is below "product/web" begins with "product/web/", and '0' is the character after '/'. */
#define BELOW "(subject = ? OR (subject >= ? AND subject < ?))"

static const char SQL_HEAD[] =
	"SELECT sequence, digest FROM history ORDER BY sequence DESC LIMIT 1";
static const char SQL_APPEND[] =
	"INSERT INTO history (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char SQL_GET[] = "SELECT " COLUMNS " FROM history WHERE sequence = ?";
static const char SQL_PAGE[] =
	"SELECT " COLUMNS " FROM history WHERE sequence > ? ORDER BY sequence LIMIT ?";
static const char SQL_LIST[] = "SELECT " COLUMNS " FROM history WHERE sequence < ?" NEWEST;
static const char SQL_LIST_ACTOR[] =
	"SELECT " COLUMNS " FROM history WHERE sequence < ? AND actor = ?" NEWEST;
static const char SQL_LIST_BELOW[] =
	"SELECT " COLUMNS " FROM history WHERE sequence < ? AND " BELOW NEWEST;
static const char SQL_LIST_ACTOR_BELOW[] =
	"SELECT " COLUMNS " FROM history WHERE sequence < ? AND actor = ? AND " BELOW NEWEST;

void history_entry_free(HistoryEntry *entry)
{
	if (!entry)
		return;
	g_free(entry->actor);
	g_free(entry->action);
	g_free(entry->subject);
	g_free(entry->reason);
	g_free(entry->before);
	g_free(entry->after);
	g_free(entry->digest);
	g_free(entry);
}

static HistoryEntry *read_entry(const StoreRows *rows)
{
	HistoryEntry *entry = g_new0(HistoryEntry, 1);
	entry->sequence = store_rows_integer(rows, 0);
	entry->at_us = store_rows_integer(rows, 1);
	entry->actor = g_strdup(store_rows_text(rows, 2));
	entry->action = g_strdup(store_rows_text(rows, 3));
	entry->subject = g_strdup(store_rows_text(rows, 4));
	entry->reason = g_strdup(store_rows_text(rows, 5));
	entry->before = g_strdup(store_rows_text(rows, 6));
	entry->after = g_strdup(store_rows_text(rows, 7));
	entry->digest = g_strdup(store_rows_text(rows, 8));
	return entry;
}

/* The chain ----------------------------------------------------------------------------------- */

static void hash_text(GChecksum *hash, const char *text)
{
	if (!text) {
		g_checksum_update(hash, (const guchar *)"-,", 2);
		return;
	}
	gsize size_bytes = strlen(text);
	g_autofree char *length = g_strdup_printf("%zu:", size_bytes);
	g_checksum_update(hash, (const guchar *)length, (gssize)strlen(length));
	g_checksum_update(hash, (const guchar *)text, (gssize)size_bytes);
	g_checksum_update(hash, (const guchar *)",", 1);
}

static void hash_integer(GChecksum *hash, gint64 integer)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, integer);
	hash_text(hash, text);
}

/* The digest of `entry`, whose own `digest` is not looked at, after an entry with digest
 * `previous`. */
static char *digest_after(const char *previous, const HistoryEntry *entry)
{
	g_autoptr(GChecksum) hash = g_checksum_new(G_CHECKSUM_SHA256);
	hash_text(hash, previous);
	hash_integer(hash, entry->sequence);
	hash_integer(hash, entry->at_us);
	hash_text(hash, entry->actor);
	hash_text(hash, entry->action);
	hash_text(hash, entry->subject);
	hash_text(hash, entry->reason);
	hash_text(hash, entry->before);
	hash_text(hash, entry->after);
	return g_strdup(g_checksum_get_string(hash));
}

static char *digest_of_nothing(void)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, "", 0);
}

gboolean history_head(Store *store, char **head, gint64 *sequence, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_HEAD, STORE_NO_PARAMS);
	gboolean more;
	*head = NULL;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (sequence)
		*sequence = more ? store_rows_integer(rows, 0) : 0;
	*head = more ? g_strdup(store_rows_text(rows, 1)) : digest_of_nothing();
	return TRUE;
}

gboolean history_append(Store *store, gint64 at_us, const char *actor, const char *action,
	const char *subject, const char *reason, const char *before, const char *after,
	GError **error)
{
	g_autofree char *head = NULL;
	gint64 last;
	if (!history_head(store, &head, &last, error))
		return FALSE;
	const HistoryEntry entry = {
		.sequence = last + 1,
		.at_us = at_us,
		.actor = (char *)actor,
		.action = (char *)action,
		.subject = (char *)subject,
		.reason = (char *)reason,
		.before = (char *)before,
		.after = (char *)after,
	};
	g_autofree char *digest = digest_after(head, &entry);
	return store_execute(store, error, SQL_APPEND,
		       STORE_PARAMS(STORE_INT(entry.sequence), STORE_INT(at_us), STORE_TEXT(actor),
			       STORE_TEXT(action), STORE_TEXT(subject), STORE_TEXT(reason),
			       STORE_TEXT(before), STORE_TEXT(after), STORE_TEXT(digest))) &&
	       store_counter_advance(store, STORE_CHANGES, error);
}

/* Reading ------------------------------------------------------------------------------------- */

GPtrArray *history_list(Store *store, const HistoryFilter *filter, GError **error)
{
	static const char *const statements[] = {
		SQL_LIST, SQL_LIST_ACTOR, SQL_LIST_BELOW, SQL_LIST_ACTOR_BELOW};
	g_assert(filter->limit >= 1 && filter->limit <= HISTORY_MAXIMUM_LIMIT);
	g_autofree char *low = NULL, *high = NULL;
	StoreValue values[6];
	gsize count = 0;
	values[count++] =
		STORE_INT(filter->before_sequence > 0 ? filter->before_sequence : G_MAXINT64);
	if (filter->actor)
		values[count++] = STORE_TEXT(filter->actor);
	if (filter->subject_prefix) {
		low = g_strconcat(filter->subject_prefix, "/", NULL);
		high = g_strconcat(filter->subject_prefix, "0", NULL);
		values[count++] = STORE_TEXT(filter->subject_prefix);
		values[count++] = STORE_TEXT(low);
		values[count++] = STORE_TEXT(high);
	}
	values[count++] = STORE_INT(filter->limit);
	const char *sql = statements[(filter->subject_prefix ? 2 : 0) + (filter->actor ? 1 : 0)];

	g_autoptr(StoreRows) rows = store_query(store, error, sql, values, count);
	g_autoptr(GPtrArray) entries =
		g_ptr_array_new_with_free_func((GDestroyNotify)history_entry_free);
	gboolean more = TRUE;
	while (more) {
		if (!store_rows_next(rows, &more, error))
			return NULL;
		if (more)
			g_ptr_array_add(entries, read_entry(rows));
	}
	return g_steal_pointer(&entries);
}

HistoryEntry *history_get(Store *store, gint64 sequence, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, SQL_GET, STORE_PARAMS(STORE_INT(sequence)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return NULL;
	if (more)
		return read_entry(rows);
	drover_error_set(
		error, DROVER_ERROR_NOT_FOUND, "history has no entry %" G_GINT64_FORMAT, sequence);
	return NULL;
}

/* Verification -------------------------------------------------------------------------------- */

typedef struct Verification {
	const char *expected_head;
	HistoryVerdict *verdict;
	gint64 last; /* the sequence read before */
} Verification;

/* FALSE at the first entry that does not fit. */
static gboolean check_entry(Verification *check, const HistoryEntry *entry)
{
	HistoryVerdict *verdict = check->verdict;
	g_autofree char *digest = digest_after(verdict->head, entry);
	if (entry->sequence != check->last + 1)
		verdict->problem = g_strdup_printf("entry %" G_GINT64_FORMAT
						   " is missing: entry %" G_GINT64_FORMAT
						   " stands in its place",
			check->last + 1, entry->sequence);
	else if (g_strcmp0(digest, entry->digest) != 0)
		verdict->problem = g_strdup_printf("entry %" G_GINT64_FORMAT
						   " (%s on %s by %s) was altered, or one before "
						   "it was replaced",
			entry->sequence, entry->action, entry->subject, entry->actor);
	if (verdict->problem) {
		verdict->broken_at = entry->sequence;
		return FALSE;
	}
	g_free(verdict->head);
	verdict->head = g_steal_pointer(&digest);
	verdict->entries++;
	check->last = entry->sequence;
	if (g_strcmp0(verdict->head, check->expected_head) == 0)
		verdict->head_found = TRUE;
	return TRUE;
}

/* *count is how many entries were read and fit. */
static gboolean check_page(Store *store, Verification *check, int *count, GError **error)
{
	/* Before the first too: an entry 0 was forged. */
	gint64 after = check->last ? check->last : G_MININT64;
	g_autoptr(StoreRows) rows = store_query(
		store, error, SQL_PAGE, STORE_PARAMS(STORE_INT(after), STORE_INT(PAGE_ENTRIES)));
	gboolean more;
	for (*count = 0;; ++*count) {
		if (!store_rows_next(rows, &more, error))
			return FALSE;
		if (!more)
			return TRUE;
		g_autoptr(HistoryEntry) entry = read_entry(rows);
		if (!check_entry(check, entry))
			return TRUE;
	}
}

static gboolean verify(Store *store, gpointer of, GError **error)
{
	Verification *check = of;
	history_verdict_clear(check->verdict);
	check->verdict->head = digest_of_nothing();
	check->verdict->head_found =
		!check->expected_head || strcmp(check->expected_head, check->verdict->head) == 0;
	check->last = 0;
	int count = PAGE_ENTRIES;
	while (count == PAGE_ENTRIES)
		if (!check_page(store, check, &count, error))
			return FALSE;
	return TRUE;
}

gboolean history_verify(
	Store *store, const char *expected_head, HistoryVerdict *verdict, GError **error)
{
	*verdict = (HistoryVerdict){0};
	Verification check = {.expected_head = expected_head, .verdict = verdict};
	if (!store_read(store, verify, &check, error)) {
		history_verdict_clear(verdict);
		return FALSE;
	}
	if (!verdict->head_found && !verdict->problem)
		verdict->problem =
			g_strdup_printf("no entry has the digest %s: the end was cut off or "
					"replaced after that head "
					"was published; the newest entry is %" G_GINT64_FORMAT,
				expected_head, verdict->entries);
	return TRUE;
}

void history_verdict_clear(HistoryVerdict *verdict)
{
	g_free(verdict->head);
	g_free(verdict->problem);
	*verdict = (HistoryVerdict){0};
}
