/* SPDX-License-Identifier: ISC
 *
 * /products/{product}/landings and the questions about them: which, why not, who owes, import.
 */
#include <string.h>

#include "api/routes.h"
#include "api/transitions.h"
#include "api/view.h"
#include "landing/import.h"
#include "landing/verdict.h"

#define LANDINGS_DEFAULT_LIMIT	 100
#define LANDING_MAXIMUM_COMMITS	 1000
#define LANDING_MAXIMUM_VERDICTS 500
#define DEPLOYABLE_MAXIMUM	 1000

static const char sql_detail[] = "SELECT message, branch FROM landing WHERE id = ?";
static const char sql_commits[] =
	"SELECT sha, author_name, author_email, authored_us, subject FROM landing_commit "
	"WHERE landing_id = ? ORDER BY authored_us DESC, sha LIMIT ?";

static LandingBook *take_book(ApiCall *call, GError **error)
{
	return landing_books_take(
		call->site->books, call->store, api_parameter(call, "product"), error);
}

static gboolean contains_folded(const char *text, const char *folded)
{
	g_autofree char *lower = g_utf8_casefold(text, -1);
	return strstr(lower, folded) != NULL;
}

typedef struct ListFilter {
	const char *state; /* a state's name, or "blocks", or NULL */
	char *author;	   /* folded, NULL for all */
	gint64 before, limit;
} ListFilter;

static void list_filter_clear(ListFilter *filter)
{
	g_free(filter->author);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListFilter, list_filter_clear)

static gboolean passes(const View *view, const ListFilter *filter, const BookLanding *landing)
{
	if (filter->before != 0 && landing->ordinal >= filter->before)
		return FALSE;
	LandingState state = deployable_index_state(view->index, landing->ordinal);
	if (filter->state != NULL && strcmp(landing_state_name(state), filter->state) != 0)
		return FALSE;
	return filter->author == NULL || contains_folded(landing->author_name, filter->author) ||
	       contains_folded(landing->author_email, filter->author);
}

static gboolean read_filter(ApiCall *call, ListFilter *filter, GError **error)
{
	*filter = (ListFilter){.state = api_query(call, "state")};
	if (filter->state != NULL && *filter->state == '\0')
		filter->state = NULL;
	const char *author = api_query(call, "author");
	if (author != NULL && *author != '\0')
		filter->author = g_utf8_casefold(author, -1);
	if (!api_query_integer(call, "before", 0, 0, G_MAXINT64, &filter->before, error) ||
		!api_query_integer(
			call, "limit", LANDINGS_DEFAULT_LIMIT, 1, 1000, &filter->limit, error))
		return FALSE;
	if (filter->state == NULL || strcmp(filter->state, "PENDING") == 0 ||
		strcmp(filter->state, "GOOD") == 0 || strcmp(filter->state, "BAD") == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "state: must be PENDING, GOOD or BAD");
	return FALSE;
}

static json_t *list_landings(ApiCall *call, GError **error)
{
	g_autoptr(LandingBook) book = take_book(call, error);
	g_auto(ListFilter) filter = {0};
	if (book == NULL || !read_filter(call, &filter, error))
		return NULL;
	g_autoptr(View) view = view_new(book);
	g_autoptr(json_t) list = json_array();
	gint64 next = 0, last = 0;
	for (guint i = landing_book_count(book); i > 0 && next == 0; i--) {
		const BookLanding *landing = landing_book_at(book, i - 1);
		if (!passes(view, &filter, landing))
			continue;
		if ((gint64)json_array_size(list) == filter.limit) {
			next = last;
			break;
		}
		json_array_append_new(list, view_landing(view, landing));
		last = landing->ordinal;
	}
	return json_pack("{s:s, s:O, s:o}", "product", api_parameter(call, "product"), "landings",
		list, "next", view_ordinal(next));
}

static json_t *commits_of(ApiCall *call, gint64 landing_id, GError **error)
{
	g_autoptr(json_t) list = json_array();
	g_autoptr(StoreRows) rows = store_query(call->store, error, sql_commits,
		STORE_PARAMS(STORE_INT(landing_id), STORE_INT(LANDING_MAXIMUM_COMMITS)));
	for (gboolean more = TRUE; more;) {
		if (!store_rows_next(rows, &more, error))
			return NULL;
		if (more)
			json_array_append_new(list,
				json_pack("{s:o, s:o, s:o, s:o, s:o}", "sha",
					json_text_or_null(store_rows_text(rows, 0)), "author",
					json_text_or_null(store_rows_text(rows, 1)), "email",
					json_text_or_null(store_rows_text(rows, 2)), "authored",
					json_time_or_null(store_rows_integer(rows, 3)), "subject",
					json_text_or_null(store_rows_text(rows, 4))));
	}
	return g_steal_pointer(&list);
}

static json_t *verdicts_of(ApiCall *call, gint64 landing_id, GError **error)
{
	g_autoptr(GPtrArray) verdicts =
		verdict_list(call->store, landing_id, LANDING_MAXIMUM_VERDICTS, error);
	if (verdicts == NULL)
		return NULL;
	json_t *list = json_array();
	for (guint i = 0; i < verdicts->len; i++) {
		const Verdict *verdict = verdicts->pdata[i];
		json_array_append_new(list,
			json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o}", "id",
				(json_int_t)verdict->id, "item",
				json_text_or_null(*verdict->item != '\0' ? verdict->item : NULL),
				"state", item_state_name(verdict->state), "at",
				json_time_or_null(verdict->at_us), "actor",
				json_text_or_null(verdict->actor), "tool",
				json_text_or_null(verdict->tool), "reason",
				json_text_or_null(verdict->reason)));
	}
	return list;
}

/* The neighbours on the line, for those who read from page to page. */
static void add_neighbours(json_t *json, const LandingBook *book, const BookLanding *landing)
{
	const BookLanding *first = landing_book_at(book, 0);
	guint position = (guint)(landing - first);
	gboolean last = position + 1 == landing_book_count(book);
	json_object_set_new(json, "previous", view_ordinal(position > 0 ? landing[-1].ordinal : 0));
	json_object_set_new(json, "next", view_ordinal(last ? 0 : landing[1].ordinal));
}

static json_t *show_landing(ApiCall *call, GError **error)
{
	g_autoptr(LandingBook) book = take_book(call, error);
	const BookLanding *landing =
		book != NULL ? landing_book_resolve(book, api_parameter(call, "landing"), error)
			     : NULL;
	if (landing == NULL)
		return NULL;
	g_autoptr(json_t) commits = commits_of(call, landing->id, error);
	g_autoptr(json_t) verdicts = commits != NULL ? verdicts_of(call, landing->id, error) : NULL;
	if (verdicts == NULL)
		return NULL;
	g_autoptr(StoreRows) rows =
		store_query(call->store, error, sql_detail, STORE_PARAMS(STORE_INT(landing->id)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return NULL;
	g_autoptr(View) view = view_new(book);
	json_t *json = json_pack("{s:s, s:o, s:o, s:o, s:O, s:O, s:o, s:o}", "product",
		api_parameter(call, "product"), "landing", view_landing(view, landing), "message",
		json_text_or_null(more ? store_rows_text(rows, 0) : ""), "branch",
		json_text_or_null(more ? store_rows_text(rows, 1) : ""), "commits", commits,
		"verdicts", verdicts, "why_not", view_blockers(view, landing->ordinal), "needs",
		view_needs(view, landing->ordinal));
	add_neighbours(json, book, landing);
	return json;
}

static json_t *newest_deployable(const View *view)
{
	g_autoptr(GArray) all = deployable_index_all(view->index);
	json_t *list = json_array();
	guint first = all->len > DEPLOYABLE_MAXIMUM ? all->len - DEPLOYABLE_MAXIMUM : 0;
	for (guint i = first; i < all->len; i++)
		json_array_append_new(list, json_integer(g_array_index(all, gint64, i)));
	return list;
}

static json_t *show_deployable(ApiCall *call, GError **error)
{
	g_autoptr(LandingBook) book = take_book(call, error);
	if (book == NULL)
		return NULL;
	g_autoptr(View) view = view_new(book);
	gint64 tip = view->tip;
	if (api_query(call, "tip") != NULL) {
		const BookLanding *landing =
			landing_book_resolve(book, api_query(call, "tip"), error);
		if (landing == NULL)
			return NULL;
		tip = landing->ordinal;
	}
	gint64 newest = tip != 0 ? deployable_index_newest_until(view->index, tip) : 0;
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "product",
		api_parameter(call, "product"), "tip", view_ordinal(tip), "deployable",
		view_ordinal(newest), "deployable_revision", view_revision(view, newest),
		"deployable_all", newest_deployable(view), "blockers", view_blockers(view, tip),
		"needs", view_needs(view, tip));
}

static json_t *show_owing(ApiCall *call, GError **error)
{
	g_autoptr(LandingBook) book = take_book(call, error);
	if (book == NULL)
		return NULL;
	g_autoptr(View) view = view_new(book);
	return view_owing(view);
}

static json_t *import_landings(ApiCall *call, GError **error)
{
	const char *reason;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error))
		return NULL;
	g_autoptr(LandingBook) book = take_book(call, error);
	ImportOutcome outcome;
	if (book == NULL ||
		!landing_import(call->store, book, json_object_get(call->body, "landings"),
			api_now_us(call), call->actor->name, &outcome, error))
		return NULL;
	gint64 landings = landing_book_count(book) + outcome.new_landings;
	g_autoptr(json_t) result = json_pack("{s:s, s:I, s:I, s:I}", "product",
		api_parameter(call, "product"), "new_landings", (json_int_t)outcome.new_landings,
		"unchanged", (json_int_t)outcome.unchanged, "landings", (json_int_t)landings);
	g_autofree char *subject = g_strdup_printf("product/%s", api_parameter(call, "product"));
	if ((outcome.new_landings > 0 || outcome.verdicts > 0) &&
		!api_record(call, "landing.import", subject, reason, NULL, result, error))
		return NULL;
	return g_steal_pointer(&result);
}

/* What is deployable afterwards is read from the committed state. */
static json_t *import_then_look(ApiCall *call, GError **error)
{
	g_autoptr(json_t) result = transitions_write(call, import_landings, "import", error);
	if (result == NULL)
		return NULL;
	g_autoptr(LandingBook) book = take_book(call, error);
	if (book == NULL)
		return NULL;
	json_object_set_new(result, "deployable",
		view_ordinal(deployable_index_newest(landing_book_index(book))));
	return g_steal_pointer(&result);
}

const ApiRoute api_landing_routes[] = {
	{"GET", "/products/{product}/landings", ROLE_VIEWER, API_READ, list_landings},
	{"POST", "/products/{product}/landings", ROLE_OPERATOR, API_JOB, import_then_look},
	{"GET", "/products/{product}/landings/{landing}", ROLE_VIEWER, API_READ, show_landing},
	{"GET", "/products/{product}/deployable", ROLE_VIEWER, API_READ, show_deployable},
	{"GET", "/products/{product}/owing", ROLE_VIEWER, API_READ, show_owing},
	{0},
};
