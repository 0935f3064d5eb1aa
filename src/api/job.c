/* SPDX-License-Identifier: ISC
 *
 * What takes long and goes one at a time: scan, rebase, and the run that does all there is to do.
 */
#include <string.h>

#include "api/job.h"
#include "api/maintenance.h"
#include "api/routes.h"
#include "api/transitions.h"
#include "api/view.h"
#include "base/log.h"
#include "landing/scan.h"
#include "store/job.h"

static LandingBook *take_book(ApiCall *call, const char *product, GError **error)
{
	return landing_books_take(call->site->books, call->store, product, error);
}

/* Logs where the scan starts from and remembers it. */
static StatesThen *look_before(ApiCall *call, const char *product, GError **error)
{
	g_autoptr(LandingBook) book = take_book(call, product, error);
	if (book == NULL)
		return NULL;
	transitions_log_source(book);
	return states_then(book);
}

static json_t *look_after(ApiCall *call, const char *product, const char *cause,
	const StatesThen *then, const ScanOutcome *outcome, GError **error)
{
	g_autoptr(LandingBook) book = take_book(call, product, error);
	if (book == NULL)
		return NULL;
	transitions_log(then, book, call->actor->name, cause);
	g_autoptr(View) view = view_new(book);
	const char *digest = landing_book_digest(book);
	json_t *notes = json_array();
	for (guint i = 0; i < outcome->notes->len; i++)
		json_array_append_new(notes, json_text_or_null(outcome->notes->pdata[i]));
	return json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:o, s:s, s:o}", "product", product, "tip",
		json_text_or_null(outcome->tip), "tip_ordinal", view_ordinal(view->tip),
		"new_landings", (json_int_t)outcome->new_landings, "new_commits",
		(json_int_t)outcome->new_commits, "landings", (json_int_t)landing_book_count(book),
		"deployable", view_ordinal(view->deployable), "digest", digest, "notes", notes);
}

static json_t *scan_one(ApiCall *call, const char *product, GError **error)
{
	g_autoptr(StatesThen) then = look_before(call, product, error);
	if (then == NULL)
		return NULL;
	ScanOptions options = {.clock = call->site->clock, .actor = call->actor->name};
	g_auto(ScanOutcome) outcome = {0};
	g_autoptr(GError) problem = NULL;
	if (landing_scan(call->store, product, &options, &outcome, &problem))
		return look_after(call, product, "scan", then, &outcome, error);
	if (drover_error_is(problem, DROVER_ERROR_FROZEN))
		log_event(LOG_LEVEL_ERROR, "landing.frozen", "product", product, "why",
			problem->message, NULL);
	g_propagate_error(error, g_steal_pointer(&problem));
	return NULL;
}

/* The switch is looked at again under the lock: an upgrade turns it on first and then looks for
 * holders, so one of the two sees the other. */
static StoreJob *take_job(ApiCall *call, const char *job, GError **error)
{
	g_autoptr(StoreJob) lock = store_job_take(call->store, job, call->site->clock, error);
	if (lock == NULL || !maintenance_refuse(call->site, call->store, error))
		return NULL;
	return g_steal_pointer(&lock);
}

static json_t *scan_product(ApiCall *call, GError **error)
{
	g_autoptr(StoreJob) lock = take_job(call, "scan", error);
	return lock != NULL ? scan_one(call, api_parameter(call, "product"), error) : NULL;
}

static json_t *rebase_product(ApiCall *call, GError **error)
{
	const char *product = api_parameter(call, "product"), *reason;
	gboolean confirm;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error) ||
		!json_field_boolean(call->body, "confirm", FALSE, &confirm, error))
		return NULL;
	if (!confirm || reason == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"a rebase retires landings that are no longer on the branch: it needs "
			"confirm and a reason");
		return NULL;
	}
	g_autoptr(StoreJob) lock = take_job(call, "scan", error);
	g_autoptr(StatesThen) then = lock != NULL ? look_before(call, product, error) : NULL;
	ScanOptions options = {.clock = call->site->clock, .actor = call->actor->name};
	g_auto(ScanOutcome) outcome = {0};
	if (then == NULL ||
		!landing_rebase(call->store, product, &options, reason, &outcome, error))
		return NULL;
	return look_after(call, product, "rebase", then, &outcome, error);
}

static void add_problem(json_t *problems, const char *product, GError *problem)
{
	log_event(
		LOG_LEVEL_ERROR, "run.problem", "product", product, "why", problem->message, NULL);
	g_autofree char *text = g_strdup_printf("%s: %s", product, problem->message);
	json_array_append_new(problems, json_text_or_null(text));
	g_error_free(problem);
}

/* One product's trouble does not stop the others; a database that is away stops all. */
static gboolean scan_all(ApiCall *call, json_t *scans, json_t *problems, GError **error)
{
	g_autoptr(GPtrArray) products = product_list(call->store, error);
	if (products == NULL)
		return FALSE;
	for (guint i = 0; i < products->len; i++) {
		const Product *product = products->pdata[i];
		GError *problem = NULL;
		if (product->repository == NULL)
			continue;
		json_t *scan = scan_one(call, product->name, &problem);
		if (scan != NULL) {
			json_array_append_new(scans, scan);
		} else if (drover_error_is(problem, DROVER_ERROR_UNAVAILABLE) ||
			   drover_error_is(problem, DROVER_ERROR_MAINTENANCE)) {
			g_propagate_error(error, problem);
			return FALSE;
		} else {
			add_problem(problems, product->name, problem);
		}
	}
	return TRUE;
}

static json_t *run_all(ApiCall *call, GError **error)
{
	g_autoptr(StoreJob) run = take_job(call, "run", error);
	g_autoptr(StoreJob) scan = run != NULL ? take_job(call, "scan", error) : NULL;
	if (scan == NULL)
		return NULL;
	g_autoptr(json_t) scans = json_array();
	g_autoptr(json_t) problems = json_array();
	if (!scan_all(call, scans, problems, error))
		return NULL;
	g_clear_pointer(&scan, store_job_release);
	/* With the landings as they are now, and before mail is sent, which may be about it. */
	g_autoptr(json_t) went_live = job_go_live(call, error);
	g_autoptr(json_t) remind = went_live != NULL ? job_remind(call, error) : NULL;
	if (remind == NULL)
		return NULL;
	return json_pack("{s:O, s:O, s:O, s:O}", "scans", scans, "problems", problems, "went_live",
		went_live, "remind", remind);
}

const ApiRoute api_job_routes[] = {
	{"POST", "/products/{product}/scan", ROLE_OPERATOR, API_JOB, scan_product},
	{"POST", "/products/{product}/rebase", ROLE_OPERATOR, API_JOB, rebase_product},
	{"POST", "/jobs/run", ROLE_OPERATOR, API_JOB, run_all},
	{0},
};
