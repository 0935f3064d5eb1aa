/* SPDX-License-Identifier: ISC
 *
 * See book_place.h.
 */
#include "book_place.h"

#include <string.h>

json_t *quoted(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
	json_t *value = json_read("test", json, strlen(json), &error);
	assert_good(error);
	return value;
}

typedef struct Edit {
	json_t *ops;
	ChannelDeed deed;
	ChannelEdit *result;
} Edit;

static gboolean write_edit(Store *store, gpointer of, GError **error)
{
	Edit *edit = of;
	channel_edit_clear(edit->result);
	return channel_edit(store, edit->ops, &edit->deed, NULL, NULL, edit->result, error);
}

void edit_told(Store *store, gint64 second, const char *ops, ChannelEdit *result)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) value = quoted(ops);
	Edit edit = {value, {second * US_PER_SECOND, "ada", "because", 0}, result};
	*result = (ChannelEdit){0};
	store_write(store, write_edit, &edit, &error);
	assert_good(error);
}

void edit(Store *store, gint64 second, const char *ops)
{
	g_auto(ChannelEdit) result = {0};
	edit_told(store, second, ops, &result);
}

void edit_refused(Store *store, const char *ops, DroverErrorCode code, const char *part)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) value = quoted(ops);
	g_auto(ChannelEdit) result = {0};
	Edit edit = {value, {90 * US_PER_SECOND, "ada", NULL, 0}, &result};
	gint64 before, after;
	assert_true(store_counter_get(store, STORE_GENERATION, &before, NULL));
	assert_false(store_write(store, write_edit, &edit, &error));
	assert_error(&error, code, part);
	assert_true(store_counter_get(store, STORE_GENERATION, &after, NULL));
	assert_int_equal(before, after);
}

typedef struct Scheduling {
	ChannelChange *change;
	ChannelDeed deed;
} Scheduling;

static gboolean write_change(Store *store, gpointer of, GError **error)
{
	Scheduling *scheduling = of;
	scheduling->change->id = 0;
	return channel_change_save(store, scheduling->change, &scheduling->deed, error);
}

gint64 schedule(Store *store, gint64 second, gint64 when, const char *ops)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(ChannelChange) change = g_new0(ChannelChange, 1);
	change->state = g_strdup("scheduled");
	change->title = g_strdup("a change");
	change->reason = g_strdup("");
	change->author = g_strdup("bob");
	change->when_us = when * US_PER_SECOND;
	change->created_us = second * US_PER_SECOND;
	change->ops = quoted(ops);
	change->overrides = json_array();
	Scheduling scheduling = {change, {change->created_us, "bob", NULL, 0}};
	store_write(store, write_change, &scheduling, &error);
	assert_good(error);
	return change->id;
}

static void assert_json(const json_t *value, const char *text)
{
	g_autoptr(json_t) wanted = quoted(text);
	g_autofree char *said = value != NULL ? json_write(value) : g_strdup("nothing");
	if (!json_equal((json_t *)value, wanted))
		fail_msg("wanted %s, got %s", text, said);
}

void assert_ops(Store *store, gint64 change, const char *ops)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(ChannelChange) loaded = channel_change_load(store, change, &error);
	assert_good(error);
	assert_json(loaded->ops, ops);
}

void assert_row(Store *store, StateTable table, const char *key, const char *row)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(ChannelBook) book = channel_book_read(store, &error);
	assert_good(error);
	assert_json(json_object_get(state_rows(book->live, table), key), row);
}

ChannelBook *read_book_at(Store *store, gint64 second)
{
	g_autoptr(GError) error = NULL;
	ChannelBook *book = channel_book_read_at(store, second * US_PER_SECOND, &error);
	assert_good(error);
	return book;
}

void furnish(Store *store)
{
	edit(store, 10,
		"[{'op': 'insert', 'table': 'products', 'row': {'product': 'web', 'scheme': "
		"'semver', 'hosts': ['cdn.example.org']}},"
		" {'op': 'insert', 'table': 'releases', 'row': {'name': 'web-1', 'product': 'web', "
		"'version': '1.0.0'}},"
		" {'op': 'insert', 'table': 'releases', 'row': {'name': 'web-2', 'product': 'web', "
		"'version': '2.0.0'}},"
		" {'op': 'insert', 'table': 'rules', 'row': {'product': 'web', 'channel': "
		"'release', 'priority': 10, 'rate': 25, 'mapping': 'web-1'}}]");
}
