/* SPDX-License-Identifier: ISC
 *
 * Reading: rows and the queue, now and as they were.
 */
#include "channel/book/book.h"

#include "channel/book/shelf.h"
#include "wire/json.h"

static const char SQL_ROWS[] = "SELECT kind, row_json FROM channel_row WHERE until_us IS NULL";
/* Where the clock was set back, two versions claim one instant: the later written one is right. */
#define SQL_AT(id)                                                                                 \
	" version WHERE from_us <= ? AND (until_us IS NULL OR until_us > ?)"                       \
	" AND NOT EXISTS (SELECT 1 FROM channel_" id " AND later.id > version.id"                  \
	" AND later.from_us <= ? AND (later.until_us IS NULL OR later.until_us > ?))"
#define AT_PARAMS(at_us)                                                                           \
	STORE_PARAMS(STORE_INT(at_us), STORE_INT(at_us), STORE_INT(at_us), STORE_INT(at_us))
static const char SQL_ROWS_AT[] = "SELECT kind, row_json FROM channel_row" SQL_AT(
	"row later WHERE later.kind = version.kind AND later.key = version.key");
static const char SQL_GRANTS[] = "SELECT role.product, person.name, role.role FROM person_role role"
				 " JOIN person ON person.id = role.person_id"
				 " WHERE person.is_disabled = 0";
#define SQL_CHANGE                                                                                 \
	"SELECT id, state, when_us, title, reason, author, ops_json, overrides_json,"              \
	" problem_json, created_us, ended_us, data_version, concerns_json FROM channel_change "
static const char SQL_WAITING[] =
	SQL_CHANGE "WHERE state IN ('scheduled', 'going-live') ORDER BY when_us, id";
static const char SQL_LOAD[] = SQL_CHANGE "WHERE id = ?";
static const char SQL_LIST[] =
	SQL_CHANGE "WHERE (CAST(? AS TEXT) IS NULL OR state = ?) AND (? = 0 OR id < ?)"
		   " ORDER BY id DESC LIMIT ?";
static const char SQL_WAITING_AT[] =
	"SELECT change_id, 'scheduled', when_us, title, '', author, ops_json, '[]', NULL, from_us,"
	" NULL, 0, NULL FROM channel_change_version" SQL_AT(
		"change_version later WHERE later.change_id "
		"= version.change_id") " ORDER BY when_us, "
				       "change_id";

void channel_change_free(ChannelChange *change)
{
	if (change == NULL)
		return;
	g_free(change->state);
	g_free(change->title);
	g_free(change->reason);
	g_free(change->author);
	json_decref(change->ops);
	json_decref(change->overrides);
	json_decref(change->problem);
	json_decref(change->concerns);
	g_free(change);
}

json_t *channel_change_value(const ChannelChange *change)
{
	const json_t *conflicts = json_object_get(change->problem, "conflicts");
	json_t *value = json_pack("{s:I, s:I, s:O}", "id", (json_int_t)change->id, "when",
		(json_int_t)change->when_us, "ops", change->ops);
	if (json_array_size(conflicts) > 0)
		json_object_set(value, "conflicts", (json_t *)conflicts);
	return value;
}

/* What the store holds was written by us: a text that is no JSON is a broken store. */
static json_t *stored(const char *text, const char *what, GError **error)
{
	json_error_t problem;
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
	if (value == NULL)
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"the store is damaged: %s is no JSON (%s); see: drover store check", what,
			problem.text);
	return value;
}

/* Rows ---------------------------------------------------------------------------------------- */

static gboolean add_row(State *state, const char *kind, const char *text, GError **error)
{
	StateTable table;
	if (!state_table_find(kind, &table)) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"the store is damaged: a row of '%s', which is no table of channels", kind);
		return FALSE;
	}
	g_autoptr(json_t) row = stored(text, kind, error);
	return row != NULL && state_add(state, table, row, error);
}

static gboolean read_rows(Store *store, State *state, gint64 at_us, GError **error)
{
	g_autoptr(StoreRows) rows =
		at_us == 0 ? store_query(store, error, SQL_ROWS, STORE_NO_PARAMS)
			   : store_query(store, error, SQL_ROWS_AT, AT_PARAMS(at_us));
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return TRUE;
		if (!add_row(state, store_rows_text(rows, 0), store_rows_text(rows, 1), error))
			return FALSE;
	}
	return FALSE;
}

static gboolean read_grants(Store *store, State *state, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_GRANTS, STORE_NO_PARAMS);
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return TRUE;
		g_autoptr(json_t) row =
			json_pack("{s:s, s:s, s:s}", "product", store_rows_text(rows, 0), "person",
				store_rows_text(rows, 1), "role", store_rows_text(rows, 2));
		if (!state_add(state, STATE_GRANTS, row, error))
			return FALSE;
	}
	return FALSE;
}

/* Changes ------------------------------------------------------------------------------------- */

static ChannelChange *change_of(const StoreRows *rows, GError **error)
{
	g_autoptr(ChannelChange) change = g_new0(ChannelChange, 1);
	const char *problem = store_rows_text(rows, 8), *concerns = store_rows_text(rows, 12);
	change->id = store_rows_integer(rows, 0);
	change->state = g_strdup(store_rows_text(rows, 1));
	change->when_us = store_rows_integer(rows, 2);
	change->title = g_strdup(store_rows_text(rows, 3));
	change->reason = g_strdup(store_rows_text(rows, 4));
	change->author = g_strdup(store_rows_text(rows, 5));
	change->ops = stored(store_rows_text(rows, 6), "a change's ops", error);
	if (change->ops == NULL)
		return NULL;
	change->overrides = stored(store_rows_text(rows, 7), "a change's overrides", error);
	if (change->overrides == NULL)
		return NULL;
	change->problem = problem == NULL ? NULL : stored(problem, "a change's problem", error);
	if (problem != NULL && change->problem == NULL)
		return NULL;
	change->concerns =
		concerns == NULL ? NULL : stored(concerns, "what a change concerned", error);
	if (concerns != NULL && change->concerns == NULL)
		return NULL;
	change->created_us = store_rows_integer(rows, 9);
	change->ended_us = store_rows_integer(rows, 10);
	change->data_version = store_rows_integer(rows, 11);
	return g_steal_pointer(&change);
}

/* Takes the rows. */
static GPtrArray *changes_of(StoreRows *given, GError **error)
{
	g_autoptr(StoreRows) rows = given;
	g_autoptr(GPtrArray) changes =
		g_ptr_array_new_with_free_func((GDestroyNotify)channel_change_free);
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return g_steal_pointer(&changes);
		ChannelChange *change = change_of(rows, error);
		if (change == NULL)
			return NULL;
		g_ptr_array_add(changes, change);
	}
	return NULL;
}

ChannelChange *channel_change_load(Store *store, gint64 id, GError **error)
{
	g_autoptr(GPtrArray) found =
		changes_of(store_query(store, error, SQL_LOAD, STORE_PARAMS(STORE_INT(id))), error);
	if (found == NULL)
		return NULL;
	if (found->len == 1)
		return g_ptr_array_steal_index(found, 0);
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"there is no change %" G_GINT64_FORMAT "; see: drover change list", id);
	return NULL;
}

GPtrArray *channel_change_list(
	Store *store, const char *state, gint64 before, gint64 limit, GError **error)
{
	return changes_of(store_query(store, error, SQL_LIST,
				  STORE_PARAMS(STORE_TEXT(state), STORE_TEXT(state),
					  STORE_INT(before), STORE_INT(before), STORE_INT(limit))),
		error);
}

/* Books --------------------------------------------------------------------------------------- */

static Queue *queue_of(const GPtrArray *changes, GError **error)
{
	g_autoptr(json_t) values = json_array();
	for (guint i = 0; i < changes->len; i++)
		json_array_append_new(values, channel_change_value(changes->pdata[i]));
	return queue_new(values, error);
}

/* Takes the rows. */
static ChannelBook *read_queue(Store *store, State *live, gint64 at_us, GError **error)
{
	g_autoptr(ChannelBook) book = g_new0(ChannelBook, 1);
	book->at_us = at_us;
	book->live = live;
	if (!store_counter_get(store, STORE_GENERATION, &book->generation, error))
		return NULL;
	book->changes =
		changes_of(at_us == 0 ? store_query(store, error, SQL_WAITING, STORE_NO_PARAMS)
				      : store_query(store, error, SQL_WAITING_AT, AT_PARAMS(at_us)),
			error);
	if (book->changes == NULL)
		return NULL;
	book->queue = queue_of(book->changes, error);
	return book->queue != NULL ? g_steal_pointer(&book) : NULL;
}

typedef struct Reading {
	gint64 at_us;
	State *live;
} Reading;

static State *rows_of_stamp(Store *store, gint64 stamp, GError **error)
{
	g_autoptr(State) rows = channel_shelf_take(store, stamp);
	if (rows != NULL)
		return g_steal_pointer(&rows);
	rows = state_new();
	if (!read_rows(store, rows, 0, error))
		return NULL;
	channel_shelf_put(store, stamp, rows);
	return state_new_beside(rows, STATE_GRANTS);
}

/* In one view, so that the rows are those of the stamp. */
static gboolean read_live(Store *store, gpointer of, GError **error)
{
	Reading *reading = of;
	gint64 stamp;
	g_clear_pointer(&reading->live, state_unref);
	if (!channel_shelf_stamp(store, &stamp, error))
		return FALSE;
	reading->live = rows_of_stamp(store, stamp, error);
	return reading->live != NULL && read_grants(store, reading->live, error);
}

static gboolean read_live_at(Store *store, gpointer of, GError **error)
{
	Reading *reading = of;
	g_clear_pointer(&reading->live, state_unref);
	reading->live = state_new();
	return read_rows(store, reading->live, reading->at_us, error) &&
	       read_grants(store, reading->live, error);
}

static ChannelBook *read_book(Store *store, gint64 at_us, GError **error)
{
	Reading reading = {at_us, NULL};
	if (store_read(store, at_us == 0 ? read_live : read_live_at, &reading, error))
		return read_queue(store, reading.live, at_us, error);
	state_unref(reading.live);
	return NULL;
}

ChannelBook *channel_book_read(Store *store, GError **error)
{
	return read_book(store, 0, error);
}

ChannelBook *channel_book_read_at(Store *store, gint64 at_us, GError **error)
{
	return read_book(store, MAX(at_us, 1), error);
}

void channel_book_free(ChannelBook *book)
{
	if (book == NULL)
		return;
	state_unref(book->live);
	g_clear_pointer(&book->changes, g_ptr_array_unref);
	queue_free(book->queue);
	g_free(book);
}

Snapshot *channel_snapshot(const State *state, GError **error)
{
	g_autoptr(json_t) schemes = snapshot_schemes(state);
	return snapshot_new(state, schemes, error);
}
