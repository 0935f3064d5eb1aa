/* SPDX-License-Identifier: ISC
 *
 * drover-node status: what runs, what should, and what stands between. Reads files, asks nobody but
 * the holder.
 */
#include <string.h>

#include "base/format.h"
#include "programs/drover-node/commands.h"
#include "programs/drover-node/kept.h"
#include "programs/drover-node/report.h"
#include "programs/terminal/show.h"

static void look(const Order *order, const NodeProduct *product, const FollowMemory *memory,
	FollowNext *next, ReportDoing *doing)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(Place) place = place_look(product, &problem);
	gboolean wanted = place != NULL && order != NULL && order->version != NULL;
	const Installed *found = wanted ? place_find(place, order->version) : NULL;
	const FollowPlace at = {.running = place != NULL ? place->current : NULL,
		.is_installed = found != NULL,
		.manifest_sha256 = found != NULL ? found->manifest_sha256 : NULL,
		.now_us = clock_now_us(CLOCK_SYSTEM)};
	follow_next(order, &at, memory, next);
	if (problem != NULL) {
		g_free(next->why);
		next->why = g_strdup(problem->message);
		next->is_failed = TRUE;
	}
	*doing = (ReportDoing){.state = next->is_failed ? REPORT_FAILED : REPORT_IDLE,
		.error = next->is_failed ? next->why : NULL};
	if (place == NULL || place->intent.kind == INTENT_NONE)
		return;
	doing->version = g_strdup(place->intent.version);
	doing->step = "";
	if (place->intent.kind == INTENT_INSTALL)
		doing->state = REPORT_INSTALLING;
	else if (place->intent.kind == INTENT_ACTIVATE)
		doing->state = REPORT_ACTIVATING;
}

static json_t *should_json(const Order *order)
{
	if (order == NULL)
		return json_null();
	return json_pack("{s:s?, s:s?, s:b, s:I, s:s?}", "version", order->version, "channel",
		order->channel, "is_ordered", order->is_ordered, "order_id",
		(json_int_t)order->order_id, "why", order->why);
}

/* NodeReport and what should run. */
static json_t *product_json(
	const NodeConfig *config, const Orders *orders, const NodeProduct *product)
{
	g_auto(FollowMemory) memory = {0};
	g_auto(FollowNext) next = {0};
	ReportDoing doing;
	const Order *order = orders_find(orders, product->name);
	kept_memory(config, product->name, &memory);
	look(order, product, &memory, &next, &doing);
	json_t *report =
		report_product(product, order, &doing, &memory, clock_now_us(CLOCK_SYSTEM));
	json_object_set_new(report, "should", should_json(order));
	json_object_set_new(report, "next", json_string(next.why));
	g_free(doing.version);
	return report;
}

static json_t *droverd_json(const NodeConfig *config)
{
	g_auto(KeptContact) contact = {0};
	kept_contact(config, &contact);
	if (config->server == NULL)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:s?}", "server", config->server, "heard",
		contact.since_us == 0 ? json_null() : json_boolean(contact.problem == NULL),
		"since", json_time_or_null(contact.since_us), "problem", contact.problem);
}

static void show_contact(const Screen *screen, const json_t *droverd)
{
	if (json_is_null(droverd))
		return;
	if (json_is_null(json_object_get(droverd, "heard"))) {
		screen_line(screen,
			"droverd at %s was not heard yet: drover-node enrol makes this machine "
			"one of its nodes, drover-node run follows it",
			json_text(droverd, "server"));
		return;
	}
	g_autofree char *since = show_time(droverd, "since");
	const char *problem = json_text(droverd, "problem");
	if (problem == NULL)
		screen_line(screen, "droverd at %s is heard since %s UTC",
			json_text(droverd, "server"), since);
	else
		screen_line(screen, "droverd is not heard since %s UTC, the last orders hold: %s",
			since, problem);
}

static Style style_of(const char *state)
{
	if (strcmp(state, "failed") == 0)
		return STYLE_BAD;
	return strcmp(state, "idle") == 0 ? STYLE_GOOD : STYLE_WAITING;
}

static void show_table(const Screen *screen, const json_t *products)
{
	gsize index;
	json_t *product;
	g_autoptr(Table) table = table_new();
	table_column(table, "PRODUCT", TABLE_LEFT);
	table_column(table, "RUNS", TABLE_LEFT);
	table_column(table, "SHOULD", TABLE_LEFT);
	table_column(table, "STATE", TABLE_LEFT);
	table_column(table, "NEXT", TABLE_ELASTIC);
	json_array_foreach (products, index, product) {
		const char *state = json_text(product, "state");
		table_cell(table, STYLE_STRONG, json_text(product, "product"));
		table_cell(table, STYLE_PLAIN, show_text(product, "running"));
		table_cell(table, STYLE_PLAIN,
			show_text(json_object_get(product, "should"), "version"));
		table_cell(table, style_of(state), state);
		table_cell(table, STYLE_PLAIN, json_text(product, "next"));
	}
	table_show_or_say(table, screen, "the configuration has no product");
}

static void show_installed(const Screen *screen, const json_t *product)
{
	gsize index;
	json_t *each;
	g_autoptr(GString) versions = g_string_new(NULL);
	json_array_foreach (json_object_get(product, "installed"), index, each)
		g_string_append_printf(
			versions, "%s%s", index > 0 ? ", " : "", json_text(each, "version"));
	screen_line(screen, "installed  %s", versions->len > 0 ? versions->str : "-");
}

static void show_product(const Screen *screen, const json_t *product)
{
	const json_t *should = json_object_get(product, "should");
	const json_t *service = json_object_get(product, "service");
	const char *state = json_text(product, "state"), *error = json_text(product, "error");
	screen_line(screen, "runs       %s", show_text(product, "running"));
	screen_line(screen, "before     %s", show_text(product, "previous"));
	show_installed(screen, product);
	screen_line(screen, "should     %s", show_text(should, "version"));
	screen_line(screen, "because    %s", show_text(should, "why"));
	screen_part(screen, STYLE_PLAIN, "state      ");
	screen_part(screen, style_of(state), "%s", state);
	screen_line(screen, "%s", "");
	screen_line(screen, "next       %s", json_text(product, "next"));
	if (error != NULL && strcmp(error, json_text(product, "next")) != 0)
		screen_line(screen, "error      %s", error);
	if (json_is_object(service)) {
		g_autofree char *pid = show_number(service, "pid");
		g_autofree char *since = show_time(service, "since");
		screen_line(screen, "service    pid %s since %s", pid, since);
	}
}

static void show_maintenance(const Screen *screen, const json_t *products)
{
	gsize index;
	json_t *product;
	json_array_foreach (products, index, product) {
		const json_t *state = json_object_get(product, "maintenance");
		if (!json_is_object(state))
			continue;
		maintenance_warn(screen, json_text(product, "product"), state);
		g_autofree char *until = show_time(state, "until");
		screen_line(screen, "%s: in maintenance until %s UTC: %s%s",
			json_text(product, "product"), until, show_text(state, "reason"),
			show_is_true(state, "overdue") ? " (OVERDUE)" : "");
	}
}

gboolean status_run(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *named = invocation_argument(invocation, 0);
	const NodeConfig *config = commands_config(invocation, error);
	const NodeProduct *only =
		config != NULL && named != NULL ? commands_product(invocation, named, error) : NULL;
	if (config == NULL || (named != NULL && only == NULL))
		return FALSE;
	g_autoptr(Orders) orders = kept_orders(config);
	json_t *products = json_array();
	for (guint i = 0; i < config->products->len; i++)
		if (only == NULL || only == config->products->pdata[i])
			json_array_append_new(
				products, product_json(config, orders, config->products->pdata[i]));
	g_autoptr(json_t) answer = json_pack("{s:s?, s:o, s:o}", "name", config->name, "droverd",
		droverd_json(config), "products", products);
	if (screen->json) {
		screen_json(screen, answer);
		return TRUE;
	}
	if (only != NULL)
		show_product(screen, json_array_get(products, 0));
	else
		show_table(screen, products);
	show_maintenance(screen, products);
	show_contact(screen, json_object_get(answer, "droverd"));
	return TRUE;
}
