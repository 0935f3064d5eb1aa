/* SPDX-License-Identifier: ISC
 *
 * What droverd does with changes that are due, as a program of its own, so that a test can end it
 * at any call:
 *
 *     channel-steps STORE fill    a store with rows and changes
 *     channel-steps STORE look    the clock looks, at second 300
 *     channel-steps STORE WORD    a deed of ada's, or of bob's word, at second 150: see deeds[]
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

static gboolean add_people(Store *store, GError **error)
{
	static const char *const sql[] = {
		"INSERT INTO person (name, email, is_disabled, created_us, data_version) VALUES "
		"('ada', 'ada@example.org', 0, 1, 1), ('bob', 'bob@example.org', 0, 1, 1)",
		"INSERT INTO person_role (person_id, product, role) SELECT id, '*', 'relman' FROM "
		"person WHERE name = 'bob'",
	};
	for (guint i = 0; i < G_N_ELEMENTS(sql); i++)
		if (!store_execute(store, error, sql[i], STORE_NO_PARAMS))
			return FALSE;
	return TRUE;
}

static gboolean fill(Store *store, gpointer of, GError **error)
{
	ChannelDeed deed = {100 * US_PER_SECOND, "ada", "because", 0};
	ChangeActor actor = {"ada", may, NULL};
	ChangeCall call = {store, &actor, 100 * US_PER_SECOND, NULL, NULL, NULL};
	g_auto(ChannelEdit) edited = {0};
	g_autoptr(json_t) edit = quoted(fill_edit);
	if (!add_people(store, error) ||
		!channel_edit(store, edit, &deed, NULL, NULL, &edited, error))
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

/* Deeds ---------------------------------------------------------------------------------------- */

typedef enum DeedKind { SUBMIT, EDIT, MOVE, WITHDRAW, SIGN, BREAK_GLASS, DIRECT } DeedKind;

/* Those on change 1 re-base change 2, which is of the same row. */
static const struct {
	const char *name;
	DeedKind kind;
	gint64 change;
	const char *ops;
} deeds[] = {
	{"submit", SUBMIT, 0,
		"[{'op': 'insert', 'table': 'rules', 'row': {'product': 'web', 'channel': "
		"'nightly', 'mapping': 'web-1', 'alias': 'n'}}]"},
	{"edit", EDIT, 1,
		"[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'rate': 50, 'comment': "
		"'half'}}]"},
	{"move", MOVE, 4, NULL},
	{"withdraw", WITHDRAW, 1, NULL},
	{"sign", SIGN, 3, NULL},
	{"break-glass", BREAK_GLASS, 1, NULL},
	{"direct", DIRECT, 0,
		"[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'comment': 'now'}},"
		" {'op': 'insert', 'table': 'releases', 'row': {'name': 'web-2', 'product': "
		"'web'}}]"},
};

static gboolean edit_rows(Store *store, const json_t *ops, GError **error)
{
	ChannelDeed deed = {150 * US_PER_SECOND, "ada", "because", 0};
	g_auto(ChannelEdit) edited = {0};
	return channel_edit(store, ops, &deed, NULL, NULL, &edited, error);
}

static ChangeDetail *do_deed(const ChangeCall *call, guint number, json_t *ops, GError **error)
{
	ChangeDraft draft = {210 * US_PER_SECOND, "a change", "because", ops};
	ChangeDraft edited = {.ops = ops}, moved = {.when_us = 260 * US_PER_SECOND};
	gint64 change = deeds[number].change;
	g_autoptr(ChangeDetail) now = change != 0 ? change_load_detail(call, change, error) : NULL;
	if (change != 0 && now == NULL)
		return NULL;
	gint64 version = now != NULL ? now->change->data_version : 0;
	switch (deeds[number].kind) {
	case SUBMIT:
		return change_submit(call, &draft, error);
	case EDIT:
		return change_edit(call, change, version, &edited, error);
	case MOVE:
		return change_edit(call, change, version, &moved, error);
	case WITHDRAW:
		return change_withdraw(call, change, version, error);
	case SIGN:
		return change_sign(call, change, "relman", now->standing->digest, error);
	default:
		return change_break_glass(call, change, error);
	}
}

static gboolean do_numbered(Store *store, gpointer of, GError **error)
{
	guint number = GPOINTER_TO_UINT(of);
	ChangeActor actor = {deeds[number].kind == SIGN ? "bob" : "ada", may, NULL};
	ChangeCall call = {store, &actor, 150 * US_PER_SECOND, "because", NULL, NULL};
	g_autoptr(json_t) ops = deeds[number].ops != NULL ? quoted(deeds[number].ops) : NULL;
	if (deeds[number].kind == DIRECT)
		return edit_rows(store, ops, error);
	g_autoptr(ChangeDetail) detail = do_deed(&call, number, ops, error);
	return detail != NULL;
}

/* What the clock and people do ----------------------------------------------------------------- */

static gboolean look(Store *store, GError **error)
{
	g_auto(Enacted) enacted = {0};
	return channel_enact(store, 300 * US_PER_SECOND, NULL, &enacted, error);
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
	       tell_query(store,
		       "SELECT change_id || ' ' || when_us || ops_json || from_us || ' ' || "
		       "COALESCE(until_us, 0) FROM channel_change_version ORDER BY id",
		       error) &&
	       tell_query(store,
		       "SELECT change_id || person || role || digest FROM channel_sign_off ORDER "
		       "BY id",
		       error) &&
	       /* The stamp of the rows is drawn by lot. */
	       tell_query(store,
		       "SELECT name || value FROM counter WHERE name <> 'channel-rows' ORDER BY "
		       "name",
		       error);
}

static gboolean run(Store *store, const char *step, GError **error)
{
	if (strcmp(step, "fill") == 0)
		return store_migrate(store, error) && store_write(store, fill, NULL, error);
	for (guint i = 0; i < G_N_ELEMENTS(deeds); i++)
		if (strcmp(step, deeds[i].name) == 0)
			return store_write(store, do_numbered, GUINT_TO_POINTER(i), error);
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
