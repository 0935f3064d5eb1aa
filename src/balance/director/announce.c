/* SPDX-License-Identifier: ISC
 *
 * Routes. An address is announced while any of its services that want a route can serve, because a
 * route is of an address, not of a port, and withdrawing it for one service would take the others
 * away. Until each of them has begun, an announced address stays announced. Rule: docs/balance.md,
 * "Routes".
 */
#include "balance/director/parts.h"
#include "base/log.h"

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

/* FALSE with an alert: it is tried again. */
static gboolean tell_result(Director *director, gboolean ok, const GError *error)
{
	alerts_set(director->alerts, NULL, ALERT_ROUTE, ok ? NULL : error->message);
	director_changed(director);
	return ok;
}

void director_announce(Director *director, const Address *address)
{
	Wish wish = wish_for(director, address);
	gboolean announced = routes_is_announced(director->routes, address);
	if (wish == WISH_AS_IT_IS || announced == (wish == WISH_ANNOUNCED))
		return;
	g_autoptr(GError) error = NULL;
	gboolean ok = wish == WISH_ANNOUNCED ? routes_announce(director->routes, address, &error)
					     : routes_withdraw(director->routes, address, &error);
	if (tell_result(director, ok, error))
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
	return tell_result(director, ok, error);
}

void director_announce_all(Director *director)
{
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
	tell_result(director, error == NULL, error);
	if (!clean && error == NULL)
		log_event(LOG_LEVEL_WARNING, "route.repaired", NULL);
	if (director->routes_left_over)
		director->routes_left_over = !withdraw_left_over(director);
	for (guint i = 0; i < director->services->len; i++) {
		const Service *service = director->services->pdata[i];
		director_announce(director, &service->key.address);
	}
}
