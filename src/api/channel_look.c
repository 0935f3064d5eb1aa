/* SPDX-License-Identifier: ISC
 *
 * Where a channel is answered, and the summary of it.
 */
#include "api/channel_look.h"

#include <string.h>

#include "base/format.h"
#include "channel/digest.h"
#include "channel/row/row.h"

void channel_look_clear(ChannelLook *look)
{
	g_clear_pointer(&look->now, channel_now_unref);
	g_clear_pointer(&look->overlay, overlay_free);
	g_clear_pointer(&look->snapshot, snapshot_unref);
	g_clear_pointer(&look->cut, g_free);
	g_clear_pointer(&look->digest, g_free);
}

/* Cuts and times --------------------------------------------------------------------------------
 */

static const char until[] = "until ";

/* "all", "through 7", "until 2026-11-22T00:00:00Z": as people say it to cut_parse()'s. */
static char *cut_read(const char *said, GError **error)
{
	Cut cut;
	gint64 time_us;
	const char *time = g_str_has_prefix(said, until) ? said + strlen(until) : "";
	if (strpbrk(time, "-:") != NULL) {
		if (!parse_time(time, &time_us, error))
			return NULL;
		return g_strdup_printf("%s%" G_GINT64_FORMAT, until, MAX(time_us, 0));
	}
	return cut_parse(said, &cut, error) ? g_strdup(said) : NULL;
}

json_t *channel_cut_json(const char *cut)
{
	Cut parsed;
	if (cut == NULL || !cut_parse(cut, &parsed, NULL) || parsed.kind != CUT_UNTIL)
		return json_text_or_null(cut);
	g_autofree char *time = format_time(parsed.number);
	g_autofree char *said = g_strconcat(until, time, NULL);
	return json_string(said);
}

ChannelNow *channel_now_of(ApiCall *call, gint64 *at_us, GError **error)
{
	const char *at = api_query(call, "at");
	*at_us = 0;
	if (at == NULL)
		return channel_books_take(call->site->channels, call->store, error);
	if (!parse_time(at, at_us, error)) {
		g_prefix_error(error, "at: ");
		return NULL;
	}
	*at_us = MAX(*at_us, 1);
	return channel_books_take_at(
		call->site->channels, call->store, *at_us, api_now_us(call), error);
}

/* Places ----------------------------------------------------------------------------------------
 */

static gboolean check_name(const char *name, const char *what, GError **error)
{
	gsize size = strlen(name);
	if (size > 0 && size <= ROW_MAXIMUM_NAME_BYTES && g_utf8_validate(name, -1, NULL))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: must have 1 to %d bytes of UTF-8", what,
		ROW_MAXIMUM_NAME_BYTES);
	return FALSE;
}

/* The base of the channel with the changes of a cut, whether or not such a channel is declared. */
static gboolean look_at_cut(ChannelLook *look, const char *said, GError **error)
{
	Cut cut;
	look->cut = cut_read(said, error);
	if (look->cut == NULL || !cut_parse(look->cut, &cut, error)) {
		g_prefix_error(error, "cut: ");
		return FALSE;
	}
	const ChannelBook *book = look->now->book;
	look->overlay = queue_overlay(book->queue, book->live, cut, TRUE, error);
	if (look->overlay == NULL) {
		g_prefix_error(error, "cut: ");
		return FALSE;
	}
	look->snapshot = channel_snapshot(overlay_state(look->overlay), error);
	look->place.snapshot = look->snapshot;
	look->place.cut = look->cut;
	look->place.is_test = TRUE;
	look->place.held = NULL;
	look->place.undefined =
		overlay_undefined(look->overlay, look->product, look->place.channel);
	return look->snapshot != NULL;
}

gboolean channel_look_at(ChannelNow *now, const char *product, const char *channel, const char *cut,
	ChannelLook *look, GError **error)
{
	if (!check_name(product, "product", error) || !check_name(channel, "channel", error))
		return FALSE;
	look->now = channel_now_ref(now);
	look->product = product;
	look->channel = channel;
	published_find(now->published, product, channel, &look->place);
	if (now->ahead != NULL && look->place.undefined == NULL)
		look->place.undefined = overlay_undefined(now->ahead, product, look->place.channel);
	if (cut != NULL && !look_at_cut(look, cut, error))
		return FALSE;
	const char *kept = look->snapshot == NULL
				   ? published_digest(now->published, product, &look->place)
				   : NULL;
	look->digest = kept != NULL ? g_strdup(kept)
				    : digest_of(look->place.snapshot, product, look->place.channel);
	return TRUE;
}

gboolean channel_look_open(ApiCall *call, ChannelLook *look, GError **error)
{
	gint64 at_us;
	g_autoptr(ChannelNow) now = channel_now_of(call, &at_us, error);
	if (now == NULL)
		return FALSE;
	look->at_us = at_us;
	return channel_look_at(now, api_parameter(call, "product"), api_parameter(call, "channel"),
		api_query(call, "cut"), look, error);
}

/* Summaries -------------------------------------------------------------------------------------
 */

static gint64 count_rules(const ChannelLook *look)
{
	const GPtrArray *rules =
		snapshot_rules(look->place.snapshot, look->product, look->place.channel);
	gint64 count = 0;
	for (guint i = 0; rules != NULL && i < rules->len; i++) {
		const Rule *rule = rules->pdata[i];
		count += scope_holds(
			scope_of_row(STATE_RULES, rule->row), look->product, look->place.channel);
	}
	return count;
}

static gint64 count_waiting(const ChannelLook *look)
{
	gint64 count = 0;
	for (guint i = 0; i < queue_size(look->now->book->queue); i++)
		count += channel_now_alters(look->now, i, look->product, look->place.channel);
	return count;
}

/* Both tables are by product and channel. */
static json_t *row_of(const json_t *rows, const char *product, const char *channel)
{
	g_autoptr(json_t) name = json_pack("{s:s, s:s}", "product", product, "channel", channel);
	g_autofree char *key = state_key(STATE_CHANNELS, name, NULL);
	return json_object_get(rows, key);
}

json_t *channel_release_json(const ReleaseDocument *release)
{
	if (release == NULL)
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "name", release->name, "version",
		json_text_or_null(json_text(release->row, "version")), "build_id",
		json_text_or_null(release->build_id));
}

json_t *channel_summary(const ChannelLook *look)
{
	const json_t *declared = state_rows(look->now->book->live, STATE_CHANNELS);
	const json_t *row = row_of(declared, look->product, look->channel);
	if (row == NULL)
		row = row_of(declared, "*", look->channel);
	json_t *shut_off = row_of(snapshot_rows(look->place.snapshot, STATE_SHUTOFFS),
		look->product, look->place.channel);
	const char *base = look->place.is_test ? look->place.channel : NULL;
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:o, s:I, s:I, s:s, s:o, s:o}",
		"product", look->product, "channel", look->channel, "kind",
		look->place.is_test ? "test" : "live", "base", json_text_or_null(base), "cut",
		channel_cut_json(look->place.cut), "title",
		json_text_or_null(json_text(row, "title")), "declared", row != NULL, "shut_off",
		shut_off != NULL ? json_incref(shut_off) : json_null(), "rules",
		(json_int_t)count_rules(look), "waiting", (json_int_t)count_waiting(look), "digest",
		look->digest, "undefined", json_text_or_null(look->place.undefined), "held",
		json_text_or_null(look->place.held));
}

/* Names -----------------------------------------------------------------------------------------
 */

static void channel_name_clear(gpointer item)
{
	ChannelName *name = item;
	g_free(name->product);
	g_free(name->channel);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const ChannelName *first = a, *second = b;
	int order = strcmp(first->product, second->product);
	return order != 0 ? order : strcmp(first->channel, second->channel);
}

/* Keys are rows' keys in the table of channels. */
static void add_names(
	const State *state, StateTable table, const char *wanted, GHashTable *met, GArray *names)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(state, table), key, row) {
		const char *product = channel_row_product(row),
			   *channel = json_text(row, "channel");
		if (product == NULL || channel == NULL || *channel == '\0' ||
			g_str_has_suffix(channel, "*") ||
			(wanted != NULL && strcmp(wanted, product) != 0))
			continue;
		if (!g_hash_table_add(met, state_key(STATE_CHANNELS, row, NULL)))
			continue;
		ChannelName name = {g_strdup(product), g_strdup(channel)};
		g_array_append_val(names, name);
	}
}

GArray *channel_names(const State *state, const char *product)
{
	static const StateTable tables[] = {
		STATE_RULES, STATE_SHUTOFFS, STATE_PINS, STATE_CHANNELS};
	g_autoptr(GHashTable) met = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GArray *names = g_array_new(FALSE, FALSE, sizeof(ChannelName));
	g_array_set_clear_func(names, channel_name_clear);
	for (guint i = 0; i < G_N_ELEMENTS(tables); i++)
		add_names(state, tables[i], product, met, names);
	g_array_sort(names, by_name);
	return names;
}

/* Who sees what ---------------------------------------------------------------------------------
 */

const char *channel_row_product(const json_t *row)
{
	const char *product = json_text(row, "product");
	return g_strcmp0(product, "*") == 0 ? NULL : product;
}

gboolean channel_row_is_seen(const Actor *actor, const json_t *row)
{
	const char *product = channel_row_product(row);
	return actor_has(actor, ROLE_VIEWER, product != NULL ? product : "");
}
