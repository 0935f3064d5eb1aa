/* SPDX-License-Identifier: ISC
 *
 * /status: the whole house at a glance; /store/check.
 */
#include "api/maintenance.h"
#include "api/routes.h"
#include "api/view.h"
#include "api/warnings.h"
#include "store/backup.h"
#include "store/history.h"
#include "store/job.h"

static const char sql_mail[] = "SELECT COUNT(*) FROM outbox WHERE state = ?";
static const char sql_schema[] = "SELECT MAX(version) FROM schema_version";

static json_t *jobs(ApiCall *call, GError **error)
{
	g_autoptr(GPtrArray) holders = store_job_list(call->store, error);
	if (holders == NULL)
		return NULL;
	gint64 stale_us = api_now_us(call) - call->site->lock_warn_s * US_PER_SECOND;
	json_t *list = json_array();
	for (guint i = 0; i < holders->len; i++) {
		const JobHolder *holder = holders->pdata[i];
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:I, s:o, s:b}", "job",
				json_text_or_null(holder->job), "host",
				json_text_or_null(holder->host), "pid", (json_int_t)holder->pid,
				"since",
				json_time_or_null(holder->since_us != 0 ? holder->since_us
									: api_now_us(call)),
				"stale", holder->since_us != 0 && holder->since_us < stale_us));
	}
	return list;
}

static json_t *mail(ApiCall *call, GError **error)
{
	gint64 queued, sending, failed;
	if (!store_query_integer(
		    call->store, error, 0, &queued, sql_mail, STORE_PARAMS(STORE_TEXT("queued"))) ||
		!store_query_integer(call->store, error, 0, &sending, sql_mail,
			STORE_PARAMS(STORE_TEXT("sending"))) ||
		!store_query_integer(call->store, error, 0, &failed, sql_mail,
			STORE_PARAMS(STORE_TEXT("failed"))))
		return NULL;
	return json_pack("{s:I, s:I}", "queued", (json_int_t)(queued + sending), "failed",
		(json_int_t)failed);
}

static json_t *products(ApiCall *call, GError **error)
{
	const ApiRoute *route = api_find_route("GET", "/products");
	return route->handler(call, error);
}

static json_t *show_status(ApiCall *call, GError **error)
{
	gint64 changes, generation, sequence;
	g_autofree char *head = NULL;
	g_auto(Maintenance) maintenance = {0};
	if (!store_counter_get(call->store, STORE_CHANGES, &changes, error) ||
		!store_counter_get(call->store, STORE_GENERATION, &generation, error) ||
		!history_head(call->store, &head, &sequence, error) ||
		!maintenance_read(call->site, call->store, &maintenance, error))
		return NULL;
	g_autoptr(json_t) mail_json = mail(call, error);
	g_autoptr(json_t) jobs_json = mail_json != NULL ? jobs(call, error) : NULL;
	g_autoptr(json_t) products_json = jobs_json != NULL ? products(call, error) : NULL;
	if (products_json == NULL)
		return NULL;
	return json_pack("{s:s, s:o, s:s, s:I, s:I, s:s, s:o, s:O, s:O, s:O, s:o}", "version",
		DROVER_VERSION, "now", json_time_or_null(api_now_us(call)), "store",
		store_kind(call->store) == STORE_SQLITE ? "sqlite" : "postgresql", "changes",
		(json_int_t)changes, "generation", (json_int_t)generation, "history_head", head,
		"maintenance", maintenance_json(&maintenance), "jobs", jobs_json, "mail", mail_json,
		"products", products_json, "warnings", api_warnings_json(call->site->warnings));
}

static json_t *check_store(ApiCall *call, GError **error)
{
	g_autoptr(GPtrArray) problems = store_check(call->store, error);
	g_autofree char *head = NULL;
	gint64 sequence, schema;
	if (problems == NULL || !history_head(call->store, &head, &sequence, error) ||
		!store_query_integer(call->store, error, 0, &schema, sql_schema, STORE_NO_PARAMS))
		return NULL;
	json_t *list = json_array();
	for (guint i = 0; i < problems->len; i++)
		json_array_append_new(list, json_text_or_null(problems->pdata[i]));
	return json_pack("{s:b, s:o, s:I, s:s}", "good", problems->len == 0, "problems", list,
		"schema_version", (json_int_t)schema, "history_head", head);
}

const ApiRoute api_status_routes[] = {
	{"GET", "/status", ROLE_VIEWER, API_READ | API_ANYWHERE, show_status},
	{0},
};

const ApiRoute api_store_routes[] = {
	{"GET", "/store/check", ROLE_ADMIN, API_OWN_TRANSACTION, check_store},
	{0},
};
