/* SPDX-License-Identifier: ISC
 *
 * Routes. An address is announced while any of its services that want a route can serve, because a
 * route is of an address, not of a port, and withdrawing it for one service would take the others
 * away. Until each of them has begun, an announced address stays announced. Rule: docs/balance.md,
 * "Routes".
 */
#include "balance/director/parts.h"

#include <string.h>

#include "base/log.h"

static const Address all_routes = {0};

typedef enum Wish { WISH_WITHDRAWN, WISH_AS_IT_IS, WISH_ANNOUNCED } Wish;

static Wish wish_of(const Service *service)
{
	if (!service_has_bgp(service))
		return WISH_WITHDRAWN;
	if (!service->said)
		return WISH_AS_IT_IS;
	return pool_able(service->pool) >= service->config->announce_min ? WISH_ANNOUNCED
									 : WISH_WITHDRAWN;
}

static Wish wish_for(const Director *director, const Address *address)
{
	Wish wish = WISH_WITHDRAWN;
	for (guint i = 0; i < director->services->len; i++) {
		const Service *service = director->services->pdata[i];
		if (address_equal(&service->key.address, address))
			wish = MAX(wish, wish_of(service));
	}
	return wish;
}

static void log_route(const char *event, const Address *address)
{
	char text[ADDRESS_TEXT_BYTES];
	address_text(address, text);
	log_event(LOG_LEVEL_INFO, event, "address", text, NULL);
}

/* One of the failures is told, until none is left. */
static void alert_routes(Director *director)
{
	const char *told = NULL;
	GHashTableIter each;
	gpointer text;
	g_hash_table_iter_init(&each, director->routes_failed);
	while (g_hash_table_iter_next(&each, NULL, &text))
		if (told == NULL || strcmp(text, told) < 0)
			told = text;
	if (alerts_set(director->alerts, NULL, ALERT_ROUTE, told))
		director_changed(director);
}

/* FALSE with an alert: it is tried again. */
static gboolean note_result(
	Director *director, const Address *address, gboolean ok, const GError *error)
{
	if (ok)
		g_hash_table_remove(director->routes_failed, address);
	else
		g_hash_table_replace(director->routes_failed, g_memdup2(address, sizeof *address),
			g_strdup(error->message));
	alert_routes(director);
	return ok;
}

void director_announce(Director *director, const Address *address)
{
	Wish wish = wish_for(director, address);
	gboolean announced = routes_is_announced(director->routes, address);
	if (wish == WISH_AS_IT_IS || announced == (wish == WISH_ANNOUNCED)) {
		note_result(director, address, TRUE, NULL);
		return;
	}
	g_autoptr(GError) error = NULL;
	gboolean ok = wish == WISH_ANNOUNCED ? routes_announce(director->routes, address, &error)
					     : routes_withdraw(director->routes, address, &error);
	director_changed(director);
	if (note_result(director, address, ok, error))
		log_route(wish == WISH_ANNOUNCED ? "route.announced" : "route.withdrawn", address);
}

static gboolean withdraw_left_over(Director *director)
{
	g_autoptr(GArray) keep = g_array_new(FALSE, FALSE, sizeof(Address));
	for (guint i = 0; i < director->services->len; i++) {
		const Service *service = director->services->pdata[i];
		if (service_has_bgp(service))
			g_array_append_val(keep, service->key.address);
	}
	g_autoptr(GError) error = NULL;
	gboolean ok = routes_withdraw_others(director->routes, keep, &error);
	return note_result(director, &all_routes, ok, error);
}

void director_announce_all(Director *director)
{
	g_hash_table_remove_all(director->routes_failed);
	director->routes_left_over = !withdraw_left_over(director);
	for (guint i = 0; i < director->services->len; i++) {
		const Service *service = director->services->pdata[i];
		director_announce(director, &service->key.address);
	}
}

void director_repair_routes(Director *director)
{
	g_autoptr(GError) error = NULL;
	gboolean clean = routes_reconcile(director->routes, &error);
	note_result(director, &all_routes, error == NULL, error);
	if (!clean && error == NULL)
		log_event(LOG_LEVEL_WARNING, "route.repaired", NULL);
	if (director->routes_left_over)
		director->routes_left_over = !withdraw_left_over(director);
	for (guint i = 0; i < director->services->len; i++) {
		const Service *service = director->services->pdata[i];
		director_announce(director, &service->key.address);
	}
}
