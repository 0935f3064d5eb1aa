/* SPDX-License-Identifier: ISC
 *
 * /report: the static report's files. Their HTML is the pages' business, which stand above; so the
 * one who put the program together gives the function that makes them.
 */
#include "api/routes.h"

static json_t *show_report(ApiCall *call, GError **error)
{
	g_assert(call->site->make_report != NULL);
	return call->site->make_report(call->site, call->store, call->actor, error);
}

const ApiRoute api_report_routes[] = {
	{"GET", "/report", ROLE_VIEWER, API_READ | API_ANYWHERE, show_report},
	{0},
};
