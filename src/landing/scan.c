/* SPDX-License-Identifier: ISC
 *
 * git -> ledger. Reading git takes long and needs no transaction; storing checks, inside its
 * transaction, that the product still stands where reading began.
 */
#include "landing/scan.h"

#include <string.h>

#include "landing/branch_tips.h"
#include "landing/git.h"
#include "landing/ledger.h"
#include "store/history.h"

static const char sql_line[] = "SELECT ordinal, revision FROM landing WHERE product_id = ? AND "
			       "retired_us IS NULL ORDER BY ordinal DESC";

/* One scan under way. */
typedef struct Scan {
	const ScanOptions *options;
	const char *name;
	const char *reason; /* of a rebase */
	Product *began;	    /* the product when reading began */
	GitScan *git;
	Product *product; /* in the transaction */
	guint first;	  /* of git->landings: the first that is new */
	gint64 first_ordinal;
	GHashTable *owners; /* SHA of a new commit -> LedgerOwner *; made when one is asked for */
	ScanOutcome *outcome;
} Scan;

void scan_outcome_clear(ScanOutcome *outcome)
{
	g_clear_pointer(&outcome->tip, g_free);
	g_clear_pointer(&outcome->notes, g_ptr_array_unref);
}

static void scan_clear(Scan *scan)
{
	product_free(scan->began);
	git_scan_free(scan->git);
	product_free(scan->product);
	g_clear_pointer(&scan->owners, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scan, scan_clear)

static void set_frozen(const Product *product, GError **error)
{
	drover_error_set(error, DROVER_ERROR_FROZEN,
		"%s is frozen: %s. The last answer is kept. Look at what happened; to accept the "
		"branch as it is now: drover landing rebase %s --confirm --reason '…'",
		product->name, product->frozen_reason, product->name);
}

typedef struct Known {
	Store *store;
	const Product *product;
} Known;

/* Does a stored landing own this commit? When the store cannot say, git is read further back:
 * slower, not wrong. */
static gboolean is_known(const char *sha, gpointer of)
{
	const Known *known = of;
	LedgerOwner owner;
	return ledger_find_owner(known->store, known->product, sha, &owner, NULL) &&
	       owner.landing_id != 0;
}

static gboolean read_git(Scan *scan, Store *store, const char *since, GError **error)
{
	Known known = {store, scan->began};
	guint patterns;
	if (!item_patterns_parse(scan->began->item_patterns, &patterns, error))
		return FALSE;
	GitScanOptions options = {
		.repository = scan->began->repository,
		.branch = scan->began->branch,
		.since = since,
		.item_patterns = patterns,
		.authors_may_rule = scan->began->authors_may_rule,
		.is_known = since != NULL ? is_known : NULL,
		.is_known_of = &known,
		.progress = scan->options->progress,
		.progress_of = scan->options->progress_of,
	};
	scan->git = git_scan(&options, error);
	if (scan->git == NULL)
		g_prefix_error(error, "scan of %s: ", scan->name);
	return scan->git != NULL;
}

/* What the git scan made of new landings' own commits, before any of them is stored. */
static void map_owners(Scan *scan)
{
	const GPtrArray *landings = scan->git->landings;
	scan->owners = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	gint64 ordinal = scan->first_ordinal;
	for (guint i = scan->first; i < landings->len; i++, ordinal++) {
		const GitLanding *landing = landings->pdata[i];
		for (guint c = 0; c < landing->commits->len; c++) {
			const GitCommit *commit = landing->commits->pdata[c];
			LedgerOwner *owner = g_new(LedgerOwner, 1);
			*owner = (LedgerOwner){0, ordinal,
				git_reference_is_whole(
					commit->sha, landing->sha, landing->changes)};
			g_hash_table_insert(scan->owners, (char *)commit->sha, owner);
		}
	}
}

static gboolean find_owner(
	Scan *scan, Store *store, const char *sha, LedgerOwner *owner, GError **error)
{
	if (scan->owners == NULL)
		map_owners(scan);
	const LedgerOwner *mine = g_hash_table_lookup(scan->owners, sha);
	if (mine != NULL) {
		*owner = *mine;
		return TRUE;
	}
	return ledger_find_owner(store, scan->product, sha, owner, error);
}

/* Digits that are no full SHA name a landing by its ordinal. */
static gboolean is_ordinal(const char *reference, gint64 *ordinal)
{
	return strlen(reference) < GIT_SHA_DIGITS &&
	       g_ascii_string_to_signed(reference, 10, 1, G_MAXINT64, ordinal, NULL);
}

static gboolean add_rollback(
	Scan *scan, Store *store, LedgerLanding *landing, const char *reference, GError **error)
{
	gint64 ordinal;
	if (is_ordinal(reference, &ordinal)) {
		ledger_target_add(landing->rollbacks, ordinal, reference);
		return TRUE;
	}
	LedgerOwner owner;
	if (!find_owner(scan, store, reference, &owner, error))
		return FALSE;
	if (owner.ordinal == landing->ordinal)
		return TRUE; /* undone within the same landing */
	if (owner.ordinal == 0) {
		ledger_target_add(landing->rollbacks, LEDGER_NOT_FOUND, reference);
		ledger_landing_note(
			landing, "rolls back %.12s, which is in no landing: ignored", reference);
	} else if (owner.is_whole) {
		ledger_target_add(landing->rollbacks, owner.ordinal, reference);
	} else {
		ledger_landing_note(landing,
			"reverts %.12s, which is only a part of landing %" G_GINT64_FORMAT
			": rolls back nothing",
			reference, owner.ordinal);
	}
	return TRUE;
}

static gboolean add_fix(
	Scan *scan, Store *store, LedgerLanding *landing, const char *reference, GError **error)
{
	gint64 ordinal;
	LedgerOwner owner = {0};
	if (is_ordinal(reference, &ordinal))
		owner.ordinal = ordinal;
	else if (!find_owner(scan, store, reference, &owner, error))
		return FALSE;
	if (owner.ordinal > 0 && owner.ordinal < landing->ordinal)
		ledger_target_add(landing->fixes, owner.ordinal, reference);
	else if (owner.ordinal != landing->ordinal)
		ledger_landing_note(
			landing, "fixes %.12s, which is in no earlier landing: ignored", reference);
	return TRUE;
}

static LedgerLanding *landing_from_git(
	Scan *scan, Store *store, const GitLanding *git, gint64 ordinal, GError **error)
{
	g_autoptr(LedgerLanding) landing = ledger_landing_new();
	landing->ordinal = ordinal;
	landing->revision = git->sha;
	landing->branch = scan->product->branch;
	landing->author_name = git->author_name;
	landing->author_email = git->author_email;
	landing->subject = git->subject;
	landing->message = git->message;
	landing->has_one_commit = git->commits->len == 1;
	landing->authored_us = ((const GitCommit *)git->commits->pdata[0])->authored_us;
	landing->landed_us = git->landed_us;
	landing->qa = git->qa;
	landing->commits = git->commits->len;
	landing->changes = git->changes;
	for (guint i = 0; i < git->items->len; i++) {
		const char *item = git->items->pdata[i];
		gpointer state = g_hash_table_lookup(git->message_states, item);
		ledger_landing_add_item(landing, item, (ItemState)GPOINTER_TO_INT(state));
	}
	for (guint i = 0; i < git->notes->len; i++)
		ledger_landing_note(landing, "%s", (const char *)git->notes->pdata[i]);
	for (guint i = 0; i < git->rollbacks->len; i++)
		if (!add_rollback(scan, store, landing, git->rollbacks->pdata[i], error))
			return NULL;
	for (guint i = 0; i < git->fixes->len; i++)
		if (!add_fix(scan, store, landing, git->fixes->pdata[i], error))
			return NULL;
	return g_steal_pointer(&landing);
}

static void tell_notes(Scan *scan, const LedgerLanding *landing)
{
	g_auto(GStrv) lines = g_strsplit(landing->notes != NULL ? landing->notes : "", "\n", -1);
	for (int i = 0; lines[i] != NULL; i++)
		g_ptr_array_add(
			scan->outcome->notes, g_strdup_printf("landing %" G_GINT64_FORMAT ": %s",
						      landing->ordinal, lines[i]));
}

static void tell_scan_notes(Scan *scan)
{
	for (guint i = 0; i < scan->git->notes->len; i++)
		g_ptr_array_add(scan->outcome->notes, g_strdup(scan->git->notes->pdata[i]));
	if (scan->git->branches_omitted > 0)
		g_ptr_array_add(scan->outcome->notes,
			g_strdup_printf("%" G_GINT64_FORMAT
					" branches beyond the first %d are not looked at",
				scan->git->branches_omitted, GIT_MAXIMUM_BRANCHES));
}

static gboolean store_one(
	Scan *scan, Store *store, LedgerWriter *writer, const GitLanding *git, GError **error)
{
	gint64 ordinal = scan->product->next_ordinal++, id;
	g_autoptr(LedgerLanding) landing = landing_from_git(scan, store, git, ordinal, error);
	if (landing == NULL || !ledger_writer_add(writer, landing, &id, error))
		return FALSE;
	for (guint c = 0; c < git->commits->len && !landing->has_one_commit; c++) {
		const GitCommit *commit = git->commits->pdata[c];
		if (!ledger_writer_add_commit(writer, id, commit->sha, commit->author_name,
			    commit->author_email, commit->authored_us, commit->subject, error))
			return FALSE;
	}
	tell_notes(scan, landing);
	scan->outcome->new_landings++;
	scan->outcome->new_commits += git->commits->len;
	return TRUE;
}

static gboolean store_landings(Scan *scan, Store *store, guint first, GError **error)
{
	const GPtrArray *landings = scan->git->landings;
	scan->first = first;
	scan->first_ordinal = scan->product->next_ordinal;
	g_clear_pointer(&scan->owners, g_hash_table_unref);
	g_autoptr(LedgerWriter) writer = ledger_writer_new(store, scan->product, error);
	if (writer == NULL)
		return FALSE;
	for (guint i = first; i < landings->len; i++)
		if (!store_one(scan, store, writer, landings->pdata[i], error))
			return FALSE;
	tell_scan_notes(scan);
	return ledger_writer_finish(writer, error);
}

static gboolean record(Scan *scan, Store *store, const char *action, GError **error)
{
	g_autofree char *subject = g_strdup_printf("product/%s", scan->name);
	g_autofree char *before = scan->began->tip != NULL
					  ? g_strdup_printf("{\"tip\":\"%s\"}", scan->began->tip)
					  : NULL;
	g_autofree char *after =
		g_strdup_printf("{\"tip\":\"%s\",\"new_landings\":%" G_GINT64_FORMAT
				",\"retired\":%" G_GINT64_FORMAT "}",
			scan->git->tip != NULL ? scan->git->tip : "", scan->outcome->new_landings,
			scan->outcome->retired);
	return history_append(store, clock_now_us(scan->options->clock), scan->options->actor,
		action, subject, scan->reason, before, after, error);
}

/* Loads the product again, in the transaction, and makes sure that it stands where reading began.
 */
static gboolean still_there(Scan *scan, Store *store, GError **error)
{
	g_clear_pointer(&scan->product, product_free);
	scan->product = product_load(store, scan->name, error);
	if (scan->product == NULL)
		return FALSE;
	scan->outcome->new_landings = scan->outcome->new_commits = scan->outcome->retired = 0;
	g_clear_pointer(&scan->outcome->notes, g_ptr_array_unref);
	scan->outcome->notes = g_ptr_array_new_with_free_func(g_free);
	if (g_strcmp0(scan->product->tip, scan->began->tip) == 0 &&
		scan->product->epoch == scan->began->epoch)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s was scanned or changed by someone else meanwhile; scan again", scan->name);
	return FALSE;
}

static gboolean store_freeze(Store *store, gpointer of, GError **error)
{
	Scan *scan = of;
	if (!still_there(scan, store, error))
		return FALSE;
	scan->product->frozen_reason = g_strdup_printf(
		"its branch %s was rewritten: the stored tip %.12s is no longer on the "
		"first-parent line of %.12s",
		scan->product->branch, scan->product->tip,
		scan->git->tip != NULL ? scan->git->tip : "(nothing)");
	scan->product->frozen_tip = g_strdup(scan->git->tip);
	return product_update_scan(store, scan->product, error) &&
	       record(scan, store, "landing.freeze", error);
}

static gboolean store_scan(Store *store, gpointer of, GError **error)
{
	Scan *scan = of;
	if (!still_there(scan, store, error) || !store_landings(scan, store, 0, error))
		return FALSE;
	g_free(scan->product->tip);
	scan->product->tip = g_strdup(scan->git->tip);
	scan->product->scanned_us = clock_now_us(scan->options->clock);
	if (!product_update_scan(store, scan->product, error) ||
		!branch_tips_replace(store, scan->product, scan->git->branches, error))
		return FALSE;
	return scan->outcome->new_landings == 0 || record(scan, store, "landing.scan", error);
}

/* The newest landing of ours that is still on the branch; 0 when none is. *first is where the new
 * ones begin. */
static gboolean fork_point(Scan *scan, Store *store, gint64 *ordinal, guint *first, GError **error)
{
	g_autoptr(GHashTable) positions = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < scan->git->landings->len; i++)
		g_hash_table_insert(positions,
			(char *)((GitLanding *)scan->git->landings->pdata[i])->sha,
			GUINT_TO_POINTER(i + 1));
	*ordinal = 0;
	*first = 0;
	g_autoptr(StoreRows) rows =
		store_query(store, error, sql_line, STORE_PARAMS(STORE_INT(scan->product->id)));
	for (gboolean more = TRUE; more;) {
		if (!store_rows_next(rows, &more, error))
			return FALSE;
		gpointer found =
			more ? g_hash_table_lookup(positions, store_rows_text(rows, 1)) : NULL;
		if (found != NULL) {
			*ordinal = store_rows_integer(rows, 0);
			*first = GPOINTER_TO_UINT(found);
			return TRUE;
		}
	}
	return TRUE;
}

static gboolean store_rebase(Store *store, gpointer of, GError **error)
{
	Scan *scan = of;
	gint64 kept, now_us = clock_now_us(scan->options->clock);
	guint first;
	if (!still_there(scan, store, error) || !fork_point(scan, store, &kept, &first, error) ||
		!ledger_retire_after(
			store, scan->product, kept, now_us, &scan->outcome->retired, error) ||
		!store_landings(scan, store, first, error))
		return FALSE;
	g_free(scan->product->tip);
	scan->product->tip = g_strdup(scan->git->tip);
	scan->product->scanned_us = now_us;
	scan->product->epoch++;
	g_clear_pointer(&scan->product->frozen_reason, g_free);
	g_clear_pointer(&scan->product->frozen_tip, g_free);
	return product_update_scan(store, scan->product, error) &&
	       branch_tips_replace(store, scan->product, scan->git->branches, error) &&
	       record(scan, store, "landing.rebase", error);
}

static gboolean begin(Scan *scan, Store *store, GError **error)
{
	scan->began = product_load(store, scan->name, error);
	if (scan->began == NULL)
		return FALSE;
	if (scan->began->repository != NULL)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"product %s has no repository: its landings are imported (drover landing import)",
		scan->name);
	return FALSE;
}

gboolean landing_scan(Store *store, const char *product, const ScanOptions *options,
	ScanOutcome *outcome, GError **error)
{
	g_auto(Scan) scan = {.options = options, .name = product, .outcome = outcome};
	if (!begin(&scan, store, error))
		return FALSE;
	if (scan.began->frozen_reason != NULL) {
		set_frozen(scan.began, error);
		return FALSE;
	}
	if (!read_git(&scan, store, scan.began->tip, error))
		return FALSE;
	if (scan.git->rewritten) {
		if (store_write(store, store_freeze, &scan, error))
			set_frozen(scan.product, error);
		return FALSE;
	}
	outcome->tip = g_strdup(scan.git->tip);
	return store_write(store, store_scan, &scan, error);
}

gboolean landing_rebase(Store *store, const char *product, const ScanOptions *options,
	const char *reason, ScanOutcome *outcome, GError **error)
{
	g_auto(Scan)
		scan = {.options = options, .name = product, .outcome = outcome, .reason = reason};
	if (!begin(&scan, store, error) || !read_git(&scan, store, NULL, error))
		return FALSE;
	outcome->tip = g_strdup(scan.git->tip);
	return store_write(store, store_rebase, &scan, error);
}
