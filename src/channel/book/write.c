/* SPDX-License-Identifier: ISC
 *
 * Writing: a row is never changed, its newest version ends and another begins. What is written is
 * the difference of two states, so whatever a change did, each row is written once.
 */
#include "channel/book/book.h"

#include "channel/book/shelf.h"
#include "channel/row/canonical.h"
#include "store/history.h"
#include "wire/json.h"

static const char SQL_END[] =
	"UPDATE channel_row SET until_us = ?, ended_change_id = ?, ended_actor = ?"
	" WHERE kind = ? AND key = ? AND until_us IS NULL";
static const char SQL_BEGIN[] = "INSERT INTO channel_row"
				" (kind, key, product, row_json, from_us, change_id, actor)"
				" VALUES (?, ?, ?, ?, ?, ?, ?)";
static const char SQL_PERSON[] = "SELECT id FROM person WHERE name = ? AND is_disabled = 0";
static const char SQL_GRANT[] =
	"INSERT INTO person_role (person_id, product, role) VALUES (?, ?, ?)";
static const char SQL_REVOKE[] =
	"DELETE FROM person_role WHERE person_id = ? AND product = ? AND role = ?";
static const char SQL_TOUCH[] = "UPDATE person SET data_version = data_version + 1 WHERE id = ?";
static const char SQL_INSERT_CHANGE[] =
	"INSERT INTO channel_change (state, when_us, title, reason, author, ops_json,"
	" overrides_json, problem_json, created_us, ended_us, data_version)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) RETURNING id";
static const char SQL_SAVE_CHANGE[] =
	"UPDATE channel_change SET state = ?, when_us = ?, title = ?, reason = ?, ops_json = ?,"
	" overrides_json = ?, problem_json = ?, ended_us = ?, concerns_json = ?, data_version = "
	"data_version + 1"
	" WHERE id = ?";
static const char SQL_END_VERSION[] = "UPDATE channel_change_version SET until_us = ?"
				      " WHERE change_id = ? AND until_us IS NULL";
static const char SQL_BEGIN_VERSION[] =
	"INSERT INTO channel_change_version (change_id, when_us, title, author, ops_json, from_us,"
	" until_us) VALUES (?, ?, ?, ?, ?, ?, NULL)";
static const char SQL_RESERVE[] =
	"UPDATE counter SET value = value + 1 WHERE name = 'rules' RETURNING value";
static const char SQL_HIGHEST[] = "UPDATE counter SET value = ? WHERE name = 'rules' AND value < ?";

/* One row ------------------------------------------------------------------------------------- */

typedef struct RowEdit {
	StateTable table;
	const char *key;
	const json_t *before, *after; /* NULL: none */
} RowEdit;

static const char *const bookkeeping[] = {"data_version", NULL};

static gboolean differs(const json_t *before, const json_t *after)
{
	if (before == NULL || after == NULL)
		return before != after;
	g_autoptr(json_t) was = canonical_row(before, bookkeeping);
	g_autoptr(json_t) is = canonical_row(after, bookkeeping);
	return !json_equal(was, is);
}

static gboolean record(Store *store, const RowEdit *edit, const json_t *after,
	const ChannelDeed *deed, GError **error)
{
	const char *verb = edit->before == NULL ? "insert" : after == NULL ? "delete" : "update";
	g_autofree char *action = g_strdup_printf("%s.%s", state_table_name(edit->table), verb);
	g_autofree char *subject =
		g_strdup_printf("channel/%s/%s", state_table_name(edit->table), edit->key);
	g_autofree char *from = edit->before != NULL ? json_write(edit->before) : NULL;
	g_autofree char *to = after != NULL ? json_write(after) : NULL;
	return history_append(
		store, deed->now_us, deed->actor, action, subject, deed->reason, from, to, error);
}

/* Who signs is a role of a person, one truth with what admins give. */
static gboolean write_grant(Store *store, const json_t *row, gboolean give, GError **error)
{
	gint64 person;
	if (!store_query_integer(store, error, 0, &person, SQL_PERSON,
		    STORE_PARAMS(STORE_TEXT(json_text(row, "person")))))
		return FALSE;
	if (person == 0) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"grants: person: there is nobody called '%s'; see: drover user list",
			json_text(row, "person"));
		return FALSE;
	}
	return store_execute(store, error, give ? SQL_GRANT : SQL_REVOKE,
		       STORE_PARAMS(STORE_INT(person), STORE_TEXT(json_text(row, "product")),
			       STORE_TEXT(json_text(row, "role")))) &&
	       store_execute(store, error, SQL_TOUCH, STORE_PARAMS(STORE_INT(person)));
}

/* Numbers given by hand are never given again. */
static gboolean note_number(Store *store, const RowEdit *edit, GError **error)
{
	if (edit->table != STATE_RULES || edit->before != NULL)
		return TRUE;
	gint64 id = json_integer_of(edit->after, "rule_id");
	return store_execute(store, error, SQL_HIGHEST, STORE_PARAMS(STORE_INT(id), STORE_INT(id)));
}

static StoreValue change_of(const ChannelDeed *deed)
{
	return deed->change != 0 ? STORE_INT(deed->change) : STORE_NULL;
}

static gboolean begin_version(Store *store, const RowEdit *edit, const json_t *row,
	const ChannelDeed *deed, GError **error)
{
	g_autofree char *text = json_write(row);
	return note_number(store, edit, error) &&
	       store_execute(store, error, SQL_BEGIN,
		       STORE_PARAMS(STORE_TEXT(state_table_name(edit->table)),
			       STORE_TEXT(edit->key), STORE_TEXT(json_text(row, "product")),
			       STORE_TEXT(text), STORE_INT(deed->now_us), change_of(deed),
			       STORE_TEXT(deed->actor)));
}

static gboolean write_row(
	Store *store, const RowEdit *edit, const ChannelDeed *deed, GError **error)
{
	if (edit->table == STATE_GRANTS)
		return (edit->before == NULL || write_grant(store, edit->before, FALSE, error)) &&
		       (edit->after == NULL || write_grant(store, edit->after, TRUE, error)) &&
		       record(store, edit, edit->after, deed, error);
	if (edit->before != NULL &&
		!store_execute(store, error, SQL_END,
			STORE_PARAMS(STORE_INT(deed->now_us), change_of(deed),
				STORE_TEXT(deed->actor), STORE_TEXT(state_table_name(edit->table)),
				STORE_TEXT(edit->key))))
		return FALSE;
	if (edit->after == NULL)
		return record(store, edit, NULL, deed, error);
	g_autoptr(json_t) row = json_copy((json_t *)edit->after);
	json_object_set_new(row, "data_version",
		json_integer(json_integer_of(edit->before, "data_version") + 1));
	return begin_version(store, edit, row, deed, error) &&
	       record(store, edit, row, deed, error);
}

/* States -------------------------------------------------------------------------------------- */

static gboolean write_table(Store *store, StateTable table, const State *before, const State *after,
	const ChannelDeed *deed, guint *written, GError **error)
{
	g_autoptr(GArray) rows =
		sheet_differences(state_sheet(before, table), state_sheet(after, table));
	for (guint i = 0; i < rows->len; i++) {
		SheetDifference row = g_array_index(rows, SheetDifference, i);
		RowEdit edit = {table, row.key, row.before, row.after};
		if (!differs(row.before, row.after))
			continue;
		++*written;
		if (!write_row(store, &edit, deed, error))
			return FALSE;
	}
	return TRUE;
}

/* Who reads them next need not read them all. */
static gboolean stamp_rows(Store *store, const State *before, const State *after, GError **error)
{
	gint64 stamp;
	if (!channel_shelf_restamp(store, &stamp, error))
		return FALSE;
	g_autoptr(State) rows = channel_rows_written(before, after);
	channel_shelf_put(store, stamp, rows);
	return TRUE;
}

gboolean channel_rows_write(Store *store, const State *before, const State *after,
	const ChannelDeed *deed, guint *written, GError **error)
{
	guint count = 0;
	for (guint i = 0; i < STATE_TABLES; i++)
		if (!write_table(store, (StateTable)i, before, after, deed, &count, error))
			return FALSE;
	if (written != NULL)
		*written = count;
	return count == 0 || (stamp_rows(store, before, after, error) &&
				     store_counter_advance(store, STORE_GENERATION, error));
}

static void note_version(StateTable table, const SheetDifference *written, json_t *ops)
{
	const json_t *before = written->before, *after = written->after;
	if (after == NULL || table == STATE_GRANTS)
		return;
	json_t *row = json_copy((json_t *)after);
	gint64 version = json_integer_of(before, "data_version") + differs(before, after);
	json_object_set_new(row, "data_version", json_integer(version));
	json_array_append_new(ops, json_pack("{s:s, s:s, s:o}", "op", "update", "table",
					   state_table_name(table), "row", row));
}

State *channel_rows_written(const State *before, const State *after)
{
	g_autoptr(json_t) ops = json_array();
	for (guint i = 0; i < STATE_TABLES; i++) {
		g_autoptr(GArray) written = sheet_differences(
			state_sheet(before, (StateTable)i), state_sheet(after, (StateTable)i));
		for (guint j = 0; j < written->len; j++)
			note_version(
				(StateTable)i, &g_array_index(written, SheetDifference, j), ops);
	}
	g_autoptr(json_t) change = json_pack("{s:O}", "ops", ops);
	State *is = state_apply(after, change, NULL);
	g_assert(is != NULL);
	return is;
}

/* Changes ------------------------------------------------------------------------------------- */

static gboolean save_version(
	Store *store, const ChannelChange *change, const char *ops, gint64 now_us, GError **error)
{
	if (!store_execute(store, error, SQL_END_VERSION,
		    STORE_PARAMS(STORE_INT(now_us), STORE_INT(change->id))))
		return FALSE;
	return change->ended_us != 0 ||
	       store_execute(store, error, SQL_BEGIN_VERSION,
		       STORE_PARAMS(STORE_INT(change->id), STORE_INT(change->when_us),
			       STORE_TEXT(change->title), STORE_TEXT(change->author),
			       STORE_TEXT(ops), STORE_INT(now_us)));
}

gboolean channel_change_save(
	Store *store, ChannelChange *change, const ChannelDeed *deed, GError **error)
{
	g_autofree char *ops = json_write(change->ops);
	g_autofree char *overrides = json_write(change->overrides);
	g_autofree char *problem = change->problem != NULL ? json_write(change->problem) : NULL;
	g_autofree char *concerns = change->concerns != NULL ? json_write(change->concerns) : NULL;
	StoreValue ended = change->ended_us != 0 ? STORE_INT(change->ended_us) : STORE_NULL;
	gboolean is_new = change->id == 0;
	if (is_new &&
		!store_query_integer(store, error, 0, &change->id, SQL_INSERT_CHANGE,
			STORE_PARAMS(STORE_TEXT(change->state), STORE_INT(change->when_us),
				STORE_TEXT(change->title), STORE_TEXT(change->reason),
				STORE_TEXT(change->author), STORE_TEXT(ops), STORE_TEXT(overrides),
				STORE_TEXT(problem), STORE_INT(change->created_us), ended)))
		return FALSE;
	if (!is_new && !store_execute(store, error, SQL_SAVE_CHANGE,
			       STORE_PARAMS(STORE_TEXT(change->state), STORE_INT(change->when_us),
				       STORE_TEXT(change->title), STORE_TEXT(change->reason),
				       STORE_TEXT(ops), STORE_TEXT(overrides), STORE_TEXT(problem),
				       ended, STORE_TEXT(concerns), STORE_INT(change->id))))
		return FALSE;
	change->data_version++;
	return save_version(store, change, ops, deed->now_us, error) &&
	       store_counter_advance(store, STORE_GENERATION, error);
}

gboolean channel_rule_reserve(Store *store, gint64 *rule_id, GError **error)
{
	return store_query_integer(store, error, 0, rule_id, SQL_RESERVE, STORE_NO_PARAMS);
}
