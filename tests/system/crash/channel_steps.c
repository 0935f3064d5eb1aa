/* SPDX-License-Identifier: ISC
 *
 * What droverd does with changes that are due, as a program of its own, so that a test can end it
 * at any call:
 *
 *     channel-steps STORE fill    a store with rows and changes
 *     channel-steps STORE look    the clock looks, at second 300
 *     channel-steps STORE tell    all that is in the store, on the standard output
 */
#include <stdio.h>
#include <string.h>

#include "channel/book/change.h"
#include "channel/book/edit.h"
#include "channel/book/enact.h"
#include "store/history.h"
#include "wire/json.h"

static const char *const fill_edit =
	"[{'op': 'insert', 'table': 'products', 'row': {'product': 'web'}},"
	" {'op': 'insert', 'table': 'releases', 'row': {'name': 'web-1', 'product': 'web'}},"
	" {'op': 'insert', 'table': 'rules', 'row': {'product': 'web', 'channel': 'release', "
	"'mapping': 'web-1', 'rate': 25}},"
	" {'op': 'insert', 'table': 'rules', 'row': {'product': 'web', 'channel': 'esr', "
	"'mapping': 'web-1'}},"
	" {'op': 'insert', 'table': 'requirements', 'row': {'product': 'web', 'channel': 'esr', "
	"'role': 'relman', 'n': 1}}]";
/* Two on one row, one that lacks a word, one behind it, one that overtakes both. */
static const char *const fill_changes[] = {
	"[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'rate': 50}}]",
	"[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'rate': 100}}]",
	"[{'op': 'update', 'table': 'rules', 'rule_id': 2, 'row': {'rate': 10}}]",
	"[{'op': 'insert', 'table': 'shutoffs', 'row': {'product': 'web', 'channel': 'esr'}}]",
	"[{'op': 'insert', 'table': 'rules', 'row': {'product': 'web', 'channel': 'beta'}},"
	" {'op': 'insert', 'table': 'pins', 'row': {'product': 'web', 'channel': 'beta', "
	"'version': '1.', 'mapping': 'web-1'}}]",
};

static json_t *quoted(const char *text)
{
	g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
	return json_loads(json, 0, NULL);
}

static gboolean may(const char *product, const char *role, gpointer of)
{
	return TRUE;
}

static gboolean fill(Store *store, gpointer of, GError **error)
{
	ChannelDeed deed = {100 * US_PER_SECOND, "ada", "because", 0};
	ChangeActor actor = {"ada", may, NULL};
	ChangeCall call = {store, &actor, 100 * US_PER_SECOND, NULL, NULL, NULL};
	g_auto(ChannelEdit) edited = {0};
	g_autoptr(json_t) edit = quoted(fill_edit);
	if (!channel_edit(store, edit, &deed, NULL, NULL, &edited, error))
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(fill_changes); i++) {
		g_autoptr(json_t) ops = quoted(fill_changes[i]);
		ChangeDraft draft = {(200 + i) * US_PER_SECOND, "a change", "because", ops};
		g_autoptr(ChangeDetail) detail = change_submit(&call, &draft, error);
		if (detail == NULL)
			return FALSE;
	}
	return TRUE;
}

static gboolean look(Store *store, GError **error)
{
	g_auto(Enacted) enacted = {0};
	return channel_enact(store, 300 * US_PER_SECOND, NULL, NULL, &enacted, error);
}

static gboolean tell_query(Store *store, const char *sql, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, sql, STORE_NO_PARAMS);
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return TRUE;
		puts(store_rows_text(rows, 0));
	}
	return FALSE;
}

/* The head of the history stands for all of it, times and reasons included. */
static gboolean tell(Store *store, gpointer of, GError **error)
{
	g_autofree char *head = NULL;
	gint64 sequence;
	if (!history_head(store, &head, &sequence, error))
		return FALSE;
	printf("history %" G_GINT64_FORMAT " %s\n", sequence, head);
	return tell_query(store,
		       "SELECT kind || key || row_json || from_us || ' ' || COALESCE(until_us, 0) "
		       "FROM channel_row ORDER BY id",
		       error) &&
	       tell_query(store,
		       "SELECT id || state || ops_json || COALESCE(problem_json, '') || "
		       "COALESCE(ended_us, 0) || ' ' || data_version FROM channel_change ORDER BY "
		       "id",
		       error) &&
	       tell_query(store, "SELECT name || value FROM counter ORDER BY name", error);
}

static gboolean run(Store *store, const char *step, GError **error)
{
	if (strcmp(step, "fill") == 0)
		return store_migrate(store, error) && store_write(store, fill, NULL, error);
	return strcmp(step, "look") == 0 ? look(store, error)
					 : store_read(store, tell, NULL, error);
}

int main(int count, char **arguments)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = count == 3 ? store_open(arguments[1], &error) : NULL;
	if (store != NULL && run(store, arguments[2], &error))
		return 0;
	fprintf(stderr, "channel-steps: %s\n", error != NULL ? error->message : "STORE STEP");
	return 1;
}
