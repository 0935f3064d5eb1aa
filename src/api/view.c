/* SPDX-License-Identifier: ISC
 *
 * A product's landings as JSON.
 */
#include "api/view.h"

#include <string.h>

View *view_new(LandingBook *book)
{
	View *view = g_new(View, 1);
	view->book = book;
	view->index = landing_book_index(book);
	view->tip = deployable_index_tip(view->index);
	view->deployable = deployable_index_newest(view->index);
	view->blockers = view->tip != 0 ? deployable_index_blockers(view->index, view->tip)
					: g_array_new(FALSE, FALSE, sizeof(gint64));
	return view;
}

void view_free(View *view)
{
	if (view == NULL)
		return;
	g_array_unref(view->blockers);
	g_free(view);
}

json_t *view_ordinal(gint64 ordinal)
{
	return ordinal != 0 ? json_integer(ordinal) : json_null();
}

static int compare_ordinals(gconstpointer a, gconstpointer b)
{
	gint64 first = *(const gint64 *)a, second = *(const gint64 *)b;
	return (first > second) - (first < second);
}

static gboolean blocks(const View *view, gint64 ordinal)
{
	return g_array_binary_search(view->blockers, &ordinal, compare_ordinals, NULL);
}

static json_t *item_url(const View *view, const char *item)
{
	const char *pattern = landing_book_product(view->book)->item_url;
	if (pattern == NULL)
		return json_null();
	g_autofree char *escaped = g_uri_escape_string(item, NULL, FALSE);
	g_auto(GStrv) parts = g_strsplit(pattern, "{item}", -1);
	g_autofree char *url = g_strjoinv(escaped, parts);
	return json_text_or_null(url);
}

static json_t *items(const View *view, const BookLanding *landing)
{
	json_t *list = json_array();
	for (guint i = 0; i < landing->item_count; i++) {
		const BookItem *item = &landing->items[i];
		ItemState counts_as =
			deployable_index_item_counts_as(view->index, landing->ordinal, item->key);
		json_array_append_new(
			list, json_pack("{s:o, s:o, s:s, s:o}", "id", json_text_or_null(item->id),
				      "state", json_text_or_null(item_state_name(item->verdict)),
				      "counts_as", item_state_name(counts_as), "url",
				      item_url(view, item->id)));
	}
	return list;
}

static json_t *ordinals(const gint64 *values, guint count)
{
	json_t *list = json_array();
	for (guint i = 0; i < count; i++)
		json_array_append_new(list, json_integer(values[i]));
	return list;
}

static json_t *lines(const char *text)
{
	json_t *list = json_array();
	g_auto(GStrv) each = g_strsplit(text != NULL ? text : "", "\n", -1);
	for (int i = 0; each[i] != NULL; i++)
		json_array_append_new(list, json_text_or_null(each[i]));
	return list;
}

json_t *view_landing(const View *view, const BookLanding *landing)
{
	gint64 ordinal = landing->ordinal;
	json_t *json = json_object();
	json_object_set_new(json, "ordinal", json_integer(ordinal));
	json_object_set_new(json, "revision", json_text_or_null(landing->revision));
	json_object_set_new(json, "subject", json_text_or_null(landing->subject));
	json_object_set_new(json, "author", json_text_or_null(landing->author_name));
	json_object_set_new(json, "email", json_text_or_null(landing->author_email));
	json_object_set_new(json, "landed", json_time_or_null(landing->landed_us));
	json_object_set_new(json, "qa", json_string(landing_qa_name(landing->qa)));
	json_object_set_new(json, "state",
		json_string(landing_state_name(deployable_index_state(view->index, ordinal))));
	json_object_set_new(json, "deployable",
		json_boolean(deployable_index_is_deployable(view->index, ordinal)));
	json_object_set_new(json, "in_tree",
		json_boolean(deployable_index_in_tree(view->index, ordinal, view->tip)));
	json_object_set_new(json, "blocks", json_boolean(blocks(view, ordinal)));
	json_object_set_new(json, "items", items(view, landing));
	json_object_set_new(
		json, "rolls_back", ordinals(landing->rollbacks, landing->rollback_count));
	json_object_set_new(json, "malformed_rollback",
		json_boolean(deployable_index_rollback_malformed(view->index, ordinal)));
	json_object_set_new(json, "fixes", ordinals(landing->fixes, landing->fix_count));
	json_object_set_new(
		json, "notes", landing->notes != NULL ? lines(landing->notes) : json_array());
	json_object_set_new(json, "commits", json_integer(landing->commits));
	return json;
}

json_t *view_blockers(const View *view, gint64 tip)
{
	json_t *list = json_array();
	if (tip == 0)
		return list;
	g_autoptr(GArray) found = deployable_index_blockers(view->index, tip);
	for (guint i = 0; i < found->len && i < VIEW_MAXIMUM_BLOCKERS; i++)
		json_array_append_new(list,
			view_landing(view,
				landing_book_find(view->book, g_array_index(found, gint64, i))));
	return list;
}

json_t *view_needs(const View *view, gint64 tip)
{
	json_t *list = json_array();
	if (tip == 0)
		return list;
	g_autoptr(GArray) needs = deployable_index_needs(view->index, tip);
	for (guint i = 0; i < needs->len && i < VIEW_MAXIMUM_BLOCKERS; i++) {
		const LandingNeed *need = &g_array_index(needs, LandingNeed, i);
		const char *item = need->landing_itself
					   ? NULL
					   : landing_book_item_name(view->book, need->item);
		const char *now = item_state_name(need->now);
		json_array_append_new(
			list, json_pack("{s:I, s:o, s:s, s:b}", "landing", (json_int_t)need->rev,
				      "item", json_text_or_null(item), "now",
				      now != NULL ? now : "needs-testing", "by_fix", need->by_fix));
	}
	return list;
}

static gboolean waits(const View *view, gint64 ordinal)
{
	/* A pending change in the tree is always a blocker, so the blockers hold all that wait. */
	return deployable_index_state(view->index, ordinal) == LANDING_PENDING;
}

static int compare_owners(gconstpointer a, gconstpointer b)
{
	const json_t *first = *(json_t *const *)a, *second = *(json_t *const *)b;
	int by_mail = strcmp(json_text(first, "email"), json_text(second, "email"));
	return by_mail != 0 ? by_mail
			    : strcmp(json_text(first, "author"), json_text(second, "author"));
}

json_t *view_owing(const View *view)
{
	g_autoptr(GHashTable) by_mail =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) owners = g_ptr_array_new();
	for (guint i = 0; i < view->blockers->len; i++) {
		gint64 ordinal = g_array_index(view->blockers, gint64, i);
		if (!waits(view, ordinal))
			continue;
		const BookLanding *landing = landing_book_find(view->book, ordinal);
		const char *name = *landing->author_email != '\0' ? landing->author_email
								  : landing->author_name;
		char *key = g_utf8_casefold(name, -1);
		json_t *owner = g_hash_table_lookup(by_mail, key);
		if (owner == NULL) {
			owner = json_pack("{s:o, s:o, s:[]}", "author",
				json_text_or_null(landing->author_name), "email",
				json_text_or_null(landing->author_email), "landings");
			g_ptr_array_add(owners, owner);
			g_hash_table_insert(by_mail, key, owner);
		} else {
			g_free(key);
		}
		json_array_append_new(
			json_object_get(owner, "landings"), view_landing(view, landing));
	}
	g_ptr_array_sort(owners, compare_owners);
	json_t *list = json_array();
	for (guint i = 0; i < owners->len; i++)
		json_array_append_new(list, owners->pdata[i]);
	return list;
}

json_t *view_revision(const View *view, gint64 ordinal)
{
	return ordinal != 0 ? json_text_or_null(landing_book_find(view->book, ordinal)->revision)
			    : json_null();
}

static json_t *strip(const View *view)
{
	json_t *list = json_array();
	guint count = landing_book_count(view->book);
	guint first = count > VIEW_STRIP_LANDINGS ? count - VIEW_STRIP_LANDINGS : 0;
	for (guint i = first; i < count; i++) {
		const BookLanding *landing = landing_book_at(view->book, i);
		gint64 ordinal = landing->ordinal;
		json_array_append_new(list,
			json_pack("{s:I, s:s, s:b, s:b, s:b, s:o}", "ordinal", (json_int_t)ordinal,
				"state",
				landing_state_name(deployable_index_state(view->index, ordinal)),
				"deployable", deployable_index_is_deployable(view->index, ordinal),
				"blocks", blocks(view, ordinal), "in_tree",
				deployable_index_in_tree(view->index, ordinal, view->tip),
				"subject", json_text_or_null(landing->subject)));
	}
	return list;
}

json_t *view_summary(const View *view)
{
	const Product *product = landing_book_product(view->book);
	gint64 waiting = 0, oldest_us = 0;
	for (guint i = 0; i < view->blockers->len; i++) {
		gint64 ordinal = g_array_index(view->blockers, gint64, i);
		if (!waits(view, ordinal))
			continue;
		gint64 landed_us = landing_book_find(view->book, ordinal)->landed_us;
		oldest_us = waiting == 0 ? landed_us : MIN(oldest_us, landed_us);
		waiting++;
	}
	json_t *json = json_object();
	json_object_set_new(json, "name", json_text_or_null(product->name));
	json_object_set_new(json, "title", json_text_or_null(product->title));
	json_object_set_new(json, "branch", json_text_or_null(product->branch));
	json_object_set_new(json, "tip", view_ordinal(view->tip));
	json_object_set_new(json, "tip_revision", view_revision(view, view->tip));
	json_object_set_new(json, "landings", json_integer(landing_book_count(view->book)));
	json_object_set_new(json, "deployable", view_ordinal(view->deployable));
	json_object_set_new(json, "deployable_revision", view_revision(view, view->deployable));
	json_object_set_new(json, "blocker_count", json_integer(view->blockers->len));
	json_object_set_new(json, "waiting", json_integer(waiting));
	json_object_set_new(json, "oldest_waiting", json_time_or_null(oldest_us));
	json_object_set_new(json, "frozen", json_text_or_null(product->frozen_reason));
	json_object_set_new(json, "scanned", json_time_or_null(product->scanned_us));
	json_object_set_new(json, "strip", strip(view));
	return json;
}

json_t *view_settings(const Product *product)
{
	json_t *json = json_object();
	json_object_set_new(json, "name", json_text_or_null(product->name));
	json_object_set_new(json, "title", json_text_or_null(product->title));
	json_object_set_new(json, "repository", json_text_or_null(product->repository));
	json_object_set_new(json, "branch", json_text_or_null(product->branch));
	json_object_set_new(json, "item_patterns", json_text_or_null(product->item_patterns));
	json_object_set_new(json, "item_url", json_text_or_null(product->item_url));
	json_object_set_new(json, "authors_may_rule", json_boolean(product->authors_may_rule));
	json_object_set_new(json, "baseline", view_ordinal(product->baseline));
	json_object_set_new(json, "mail_list", json_text_or_null(product->mail_list));
	json_object_set_new(json, "overdue_days", json_integer(product->overdue_days));
	json_object_set_new(json, "overdue_every_days", json_integer(product->overdue_every_days));
	json_object_set_new(json, "remind", json_boolean(product->remind));
	json_object_set_new(json, "data_version", json_integer(product->data_version));
	return json;
}
