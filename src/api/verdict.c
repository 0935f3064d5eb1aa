/* SPDX-License-Identifier: ISC
 *
 * POST …/verdicts: a person's or tool's word on an item of a landing, or on the landing itself.
 */
#include <string.h>

#include "api/maintenance.h"
#include "api/routes.h"
#include "api/view.h"
#include "base/log.h"
#include "landing/verdict.h"

#define VERDICT_MAXIMUM_TOOL_BYTES 100

/* One verdict on its way in. */
typedef struct Ruling {
	ApiCall *call;
	const char *item; /* "" is the landing itself */
	const char *reason, *tool;
	ItemState state;
	gint64 ordinal;
	ItemState was;
	gboolean changed;
	LandingState landing_was, landing_is;
	gint64 deployable_was, deployable_is;
} Ruling;

static gboolean read_ruling(ApiCall *call, Ruling *ruling, GError **error)
{
	const char *state;
	*ruling = (Ruling){.call = call, .item = ""};
	if (!api_require_body(call, error) || !api_reason(call, &ruling->reason, error) ||
		!json_field_text(call->body, "state", TRUE, 32, &state, error) ||
		!json_field_text(call->body, "item", FALSE, 200, &ruling->item, error) ||
		!json_field_text(call->body, "tool", FALSE, VERDICT_MAXIMUM_TOOL_BYTES,
			&ruling->tool, error))
		return FALSE;
	if (ruling->item == NULL)
		ruling->item = "";
	if (ruling->tool == NULL)
		ruling->tool = call->actor->tool;
	if (!item_state_parse(state, &ruling->state)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"state: must be ok, bad, untestable or needs-testing, not '%.40s'", state);
		return FALSE;
	}
	if (*ruling->item == '\0' && ruling->state == ITEM_UNTESTABLE) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"untestable is a verdict on an item: name it, or say ok for the landing "
			"itself");
		return FALSE;
	}
	return TRUE;
}

static ItemState own_verdict(const BookLanding *landing)
{
	return landing->qa == LANDING_QA_OK    ? ITEM_OK
	       : landing->qa == LANDING_QA_BAD ? ITEM_BAD
					       : ITEM_UNRULED;
}

static gboolean set_in_index(DeployableIndex *index, const BookLanding *landing,
	const BookItem *item, ItemState state, GError **error)
{
	if (item == NULL)
		return deployable_index_rule_landing(
			index, landing->ordinal, book_landing_qa_after(landing, state), error);
	return deployable_index_rule_item(index, landing->ordinal, item->key, state, error);
}

/* What the verdict would do. The book holds only what is committed, so the index is set back at
 * once. */
static gboolean foresee(Ruling *ruling, LandingBook *book, const BookLanding *landing,
	const BookItem *item, GError **error)
{
	DeployableIndex *index = landing_book_index(book);
	ruling->landing_was = deployable_index_state(index, landing->ordinal);
	ruling->deployable_was = deployable_index_newest(index);
	if (!set_in_index(index, landing, item, ruling->state, error))
		return FALSE;
	ruling->landing_is = deployable_index_state(index, landing->ordinal);
	ruling->deployable_is = deployable_index_newest(index);
	return set_in_index(index, landing, item, ruling->was, error);
}

static gboolean no_such_item(const BookLanding *landing, const char *item, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; i < landing->item_count && i < 20; i++)
		g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", landing->items[i].id);
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"landing %" G_GINT64_FORMAT " has no item '%.80s'; %s%s", landing->ordinal, item,
		names->len > 0 ? "it has: " : "it has none: rule on the landing itself",
		names->str);
	return FALSE;
}

static gboolean record(Ruling *ruling, GError **error)
{
	g_autofree char *subject = g_strdup_printf("landing/%s/%" G_GINT64_FORMAT,
		api_parameter(ruling->call, "product"), ruling->ordinal);
	json_t *item = json_text_or_null(*ruling->item != '\0' ? ruling->item : NULL);
	g_autoptr(json_t) before = json_pack("{s:O, s:o}", "item", item, "state",
		json_text_or_null(item_state_name(ruling->was)));
	g_autoptr(json_t) after = json_pack("{s:o, s:s, s:s}", "item", item, "state",
		item_state_name(ruling->state), "tool", ruling->tool);
	return api_record(
		ruling->call, "verdict.add", subject, ruling->reason, before, after, error);
}

static gboolean store_ruling(Store *store, gpointer of, GError **error)
{
	Ruling *ruling = of;
	ApiCall *call = ruling->call;
	if (!maintenance_refuse(call->site, store, error))
		return FALSE;
	g_autoptr(LandingBook) book =
		landing_books_take(call->site->books, store, api_parameter(call, "product"), error);
	const BookLanding *landing =
		book != NULL ? landing_book_resolve(book, api_parameter(call, "landing"), error)
			     : NULL;
	if (landing == NULL)
		return FALSE;
	const BookItem *item = NULL;
	if (*ruling->item != '\0') {
		item = book_landing_item(landing, ruling->item);
		if (item == NULL)
			return no_such_item(landing, ruling->item, error);
	}
	ruling->ordinal = landing->ordinal;
	ruling->was = item != NULL ? item->verdict : own_verdict(landing);
	if (!foresee(ruling, book, landing, item, error))
		return FALSE;
	ItemState said =
		item == NULL && ruling->state == ITEM_NEEDS_TESTING && ruling->was == ITEM_UNRULED
			? ITEM_NEEDS_TESTING
			: ruling->was;
	ruling->changed = said != ruling->state;
	if (!ruling->changed)
		return TRUE;
	Verdict verdict = {0, (char *)ruling->item, ruling->state, api_now_us(call),
		call->actor->name, (char *)ruling->tool, (char *)ruling->reason};
	return verdict_add(store, landing_book_product(book), landing->id, &verdict, error) &&
	       record(ruling, error);
}

static void log_ruling(const Ruling *ruling)
{
	const char *product = api_parameter(ruling->call, "product");
	const char *item = *ruling->item != '\0' ? ruling->item : NULL;
	g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, ruling->ordinal);
	log_event(LOG_LEVEL_INFO, "landing.verdict", "product", product, "landing", number, "item",
		item, "state", item_state_name(ruling->state), "by", ruling->call->actor->name,
		"tool", ruling->tool, "why", ruling->reason, NULL);
	if (ruling->landing_was != ruling->landing_is)
		log_event(LOG_LEVEL_INFO, "landing.transition", "product", product, "landing",
			number, "from", landing_state_name(ruling->landing_was), "to",
			landing_state_name(ruling->landing_is), "item", item, "by",
			ruling->call->actor->name, "why",
			ruling->reason != NULL ? ruling->reason : "verdict", NULL);
}

static json_t *add_verdict(ApiCall *call, GError **error)
{
	Ruling ruling;
	if (!read_ruling(call, &ruling, error) ||
		!store_write(call->store, store_ruling, &ruling, error))
		return NULL;
	if (ruling.changed)
		log_ruling(&ruling);
	return json_pack("{s:s, s:I, s:o, s:s, s:o, s:b, s:s, s:s, s:o, s:o}", "product",
		api_parameter(call, "product"), "ordinal", (json_int_t)ruling.ordinal, "item",
		json_text_or_null(*ruling.item != '\0' ? ruling.item : NULL), "state",
		item_state_name(ruling.state), "was",
		json_text_or_null(item_state_name(ruling.was)), "changed", ruling.changed,
		"landing_was", landing_state_name(ruling.landing_was), "landing_is",
		landing_state_name(ruling.landing_is), "deployable_was",
		view_ordinal(ruling.deployable_was), "deployable_is",
		view_ordinal(ruling.deployable_is));
}

const ApiRoute api_verdict_routes[] = {
	{"POST", "/products/{product}/landings/{landing}/verdicts", ROLE_TESTER, API_JOB,
		add_verdict},
	{0},
};
