/* SPDX-License-Identifier: ISC
 *
 * The resources' tables of routes, each ended by a NULL method. api.c lists them all.
 */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "api/api.h"

extern const ApiRoute api_status_routes[];
extern const ApiRoute api_product_routes[];
extern const ApiRoute api_landing_routes[];
extern const ApiRoute api_where_routes[];
extern const ApiRoute api_verdict_routes[];
extern const ApiRoute api_job_routes[];
extern const ApiRoute api_maintenance_routes[];
extern const ApiRoute api_history_routes[];
extern const ApiRoute api_store_routes[];
extern const ApiRoute api_notice_routes[];
extern const ApiRoute api_report_routes[];
extern const ApiRoute api_person_routes[];
extern const ApiRoute api_password_routes[];
extern const ApiRoute api_token_routes[];
extern const ApiRoute api_host_routes[];
extern const ApiRoute api_pool_routes[];
extern const ApiRoute api_channel_routes[];
extern const ApiRoute api_channel_question_routes[];
extern const ApiRoute api_table_routes[];
extern const ApiRoute api_edit_routes[];
extern const ApiRoute api_change_routes[];
extern const ApiRoute api_go_live_routes[];
extern const ApiRoute api_release_routes[];
extern const ApiRoute api_publish_routes[];
extern const ApiRoute api_node_routes[];

#endif
