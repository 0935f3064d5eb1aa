/* SPDX-License-Identifier: ISC
 *
 * "Is my branch live?": by branch, commit, landing, item or author, answered in words.
 */
#include <string.h>

#include "api/routes.h"
#include "api/where.h"
#include "landing/branch_tips.h"

#define WHERE_MAXIMUM_MATCHES	  200
#define WHERE_MAXIMUM_QUERY_BYTES 200

static const char sql_commits[] =
	"SELECT landing_commit.sha, landing_commit.subject, landing_commit.author_name, "
	"landing.ordinal FROM landing_commit JOIN landing ON landing.id = "
	"landing_commit.landing_id "
	"WHERE landing_commit.product_id = ? AND landing_commit.sha >= ? AND landing_commit.sha < "
	"? "
	"ORDER BY landing_commit.sha LIMIT 20";

typedef struct Search {
	const View *view;
	char *folded;
	const char *query;
	gboolean is_ascii; /* the query */
	json_t *matches;
	GHashTable *seen; /* ordinals shown as landings */
} Search;

static gboolean full(const Search *search)
{
	return json_array_size(search->matches) >= WHERE_MAXIMUM_MATCHES;
}

/* Names at most three landings: "42, 43, 44 and 7 more". Caller frees. */
static char *name_blockers(const View *view, gint64 ordinal)
{
	g_autoptr(GArray) blockers = deployable_index_blockers(view->index, ordinal);
	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; i < blockers->len && i < 3; i++)
		g_string_append_printf(names, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "",
			g_array_index(blockers, gint64, i));
	if (blockers->len > 3)
		g_string_append_printf(names, " and %u more", blockers->len - 3);
	return g_string_free(g_steal_pointer(&names), FALSE);
}

char *where_in_words(const View *view, gint64 ordinal)
{
	gint64 deployable = view->deployable;
	if (deployable != 0 && deployable_index_in_tree(view->index, ordinal, deployable))
		return g_strdup_printf(
			"landed as %" G_GINT64_FORMAT
			", and is in the deployable revision (landing %" G_GINT64_FORMAT ")",
			ordinal, deployable);
	if (!deployable_index_in_tree(view->index, ordinal, view->tip))
		return g_strdup_printf(
			"landed as %" G_GINT64_FORMAT ", and was rolled back since", ordinal);
	g_autofree char *blockers = name_blockers(view, ordinal);
	if (deployable == 0)
		return g_strdup_printf("landed as %" G_GINT64_FORMAT
				       "; nothing is deployable yet, held back by landing %s",
			ordinal, blockers);
	return g_strdup_printf("landed as %" G_GINT64_FORMAT
			       "; deployable is only %" G_GINT64_FORMAT "%s%s",
		ordinal, deployable,
		*blockers != '\0' ? ", held back by landing " : ", a newer tip is not", blockers);
}

static void add_match(Search *search, const char *kind, const char *name, const char *author,
	gint64 ordinal, gint64 ahead)
{
	if (full(search))
		return;
	const View *view = search->view;
	gboolean deployable = ordinal != 0 && view->deployable != 0 &&
			      deployable_index_in_tree(view->index, ordinal, view->deployable);
	g_autofree char *why =
		ordinal != 0 ? where_in_words(view, ordinal)
		: ahead == 1 ? g_strdup("one commit of it has not landed")
			     : g_strdup_printf(
				       "%" G_GINT64_FORMAT " commits of it have not landed", ahead);
	json_array_append_new(search->matches,
		json_pack("{s:s, s:o, s:o, s:o, s:I, s:b, s:o}", "kind", kind, "name",
			json_text_or_null(name), "author", json_text_or_null(author), "landing",
			view_ordinal(ordinal), "ahead", (json_int_t)ahead, "deployable", deployable,
			"why", json_text_or_null(why)));
}

/* Folding is dear; most texts and questions are plain ASCII. */
static gboolean contains(const Search *search, const char *text)
{
	if (search->is_ascii && g_str_is_ascii(text))
		return strcasestr(text, search->query) != NULL;
	g_autofree char *folded = g_utf8_casefold(text, -1);
	return strstr(folded, search->folded) != NULL;
}

static gboolean search_branches(Search *search, Store *store, GError **error)
{
	const Product *product = landing_book_product(search->view->book);
	g_autoptr(GPtrArray) tips = branch_tips_list(store, product, error);
	if (tips == NULL)
		return FALSE;
	for (guint i = 0; i < tips->len; i++) {
		const BranchTip *tip = tips->pdata[i];
		gboolean landed = tip->ordinal != 0 &&
				  landing_book_find(search->view->book, tip->ordinal) != NULL;
		if (contains(search, tip->name) || contains(search, tip->author_name) ||
			contains(search, tip->author_email))
			add_match(search, "branch", tip->name, tip->author_name,
				landed ? tip->ordinal : 0, tip->ahead);
	}
	return TRUE;
}

static gboolean is_revision(const char *query)
{
	gsize length = strlen(query);
	return length >= 7 && length <= 64 && strspn(query, "0123456789abcdefABCDEF") == length;
}

static gboolean search_commits(Search *search, Store *store, GError **error)
{
	if (!is_revision(search->query))
		return TRUE;
	const Product *product = landing_book_product(search->view->book);
	g_autofree char *from = g_ascii_strdown(search->query, -1);
	g_autofree char *to = g_strconcat(from, "g", NULL); /* after every digit */
	g_autoptr(StoreRows) rows = store_query(store, error, sql_commits,
		STORE_PARAMS(STORE_INT(product->id), STORE_TEXT(from), STORE_TEXT(to)));
	for (gboolean more = TRUE; more;) {
		if (!store_rows_next(rows, &more, error))
			return FALSE;
		if (!more)
			break;
		g_autofree char *name = g_strdup_printf(
			"%.12s %s", store_rows_text(rows, 0), store_rows_text(rows, 1));
		add_match(search, "commit", name, store_rows_text(rows, 2),
			store_rows_integer(rows, 3), 0);
	}
	return TRUE;
}

static void add_landing(Search *search, const char *kind, const BookLanding *landing)
{
	if (g_hash_table_add(search->seen, (gpointer)landing))
		add_match(
			search, kind, landing->subject, landing->author_name, landing->ordinal, 0);
}

static void search_landings(Search *search)
{
	LandingBook *book = search->view->book;
	const char *query = search->query;
	gint64 ordinal;
	if (!g_ascii_string_to_signed(query, 10, 1, G_MAXINT64, &ordinal, NULL))
		ordinal = 0;
	for (guint i = landing_book_count(book); i > 0 && !full(search); i--) {
		const BookLanding *landing = landing_book_at(book, i - 1);
		if (landing->ordinal == ordinal || strcmp(landing->revision, query) == 0)
			add_landing(search, "landing", landing);
		else if (book_landing_item(landing, *query == '#' ? query + 1 : query) != NULL)
			add_landing(search, "item", landing);
		else if (contains(search, landing->author_name) ||
			 contains(search, landing->author_email))
			add_landing(search, "author", landing);
		else if (contains(search, landing->subject))
			add_landing(search, "landing", landing);
	}
}

static json_t *answer_where(ApiCall *call, GError **error)
{
	const char *query = api_query(call, "q");
	query = query != NULL ? query : "";
	if (strlen(query) > WHERE_MAXIMUM_QUERY_BYTES) {
		drover_error_set(error, DROVER_ERROR_INPUT, "q: at most %d bytes",
			WHERE_MAXIMUM_QUERY_BYTES);
		return NULL;
	}
	g_autoptr(LandingBook) book = landing_books_take(
		call->site->books, call->store, api_parameter(call, "product"), error);
	if (book == NULL)
		return NULL;
	g_autoptr(View) view = view_new(book);
	g_autoptr(json_t) matches = json_array();
	g_autofree char *folded = g_utf8_casefold(query, -1);
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	Search search = {view, folded, query, g_str_is_ascii(query), matches, seen};
	if (!search_branches(&search, call->store, error) ||
		!search_commits(&search, call->store, error))
		return NULL;
	if (*query != '\0')
		search_landings(&search);
	return json_pack("{s:s, s:o, s:o, s:O}", "product", api_parameter(call, "product"), "query",
		json_text_or_null(query), "deployable", view_ordinal(view->deployable), "matches",
		matches);
}

const ApiRoute api_where_routes[] = {
	{"GET", "/products/{product}/where", ROLE_VIEWER, API_READ, answer_where},
	{0},
};
