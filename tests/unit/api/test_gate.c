/* SPDX-License-Identifier: ISC
 *
 * The gate before every route of the whole table: who is refused, whatever the handler would say. A
 * new route is tested here from the day it is listed.
 */
#include "house.h"

#include <string.h>

typedef struct Gate {
	House *house;
	const Actor *actor;
	int tried;
} Gate;

static gboolean is_parameter(const char *segment)
{
	return *segment == '{';
}

/* The route's path with "1" for each parameter. Caller frees. */
static char *path_of(const ApiRoute *route)
{
	g_auto(GStrv) segments = g_strsplit(route->path, "/", -1);
	for (char **segment = segments; *segment != NULL; segment++) {
		if (!is_parameter(*segment))
			continue;
		g_free(*segment);
		*segment = g_strdup("1");
	}
	return g_strjoinv("/", segments);
}

static void must_refuse(Gate *gate, const ApiRoute *route, DroverErrorCode code)
{
	g_autofree char *path = path_of(route);
	g_free(refused(gate->house, gate->actor, route->method, path, "{}", code));
	gate->tried++;
}

static void refuses_host(const ApiRoute *route, gpointer of)
{
	if (!(route->flags & (API_HOST | API_PUBLIC)))
		must_refuse(of, route, DROVER_ERROR_DENIED);
}

static void test_host_token_opens_no_route_that_is_not_for_hosts(void **state)
{
	House *house = *state;
	g_autofree char *secret = house_host(house, "web1", "node");
	g_autoptr(Actor) web1 = must_be_let_in(house, secret);
	Gate gate = {house, web1, 0};
	api_each_route(refuses_host, &gate);
	assert_true(gate.tried > 10);
}

static void refuses_nobody(const ApiRoute *route, gpointer of)
{
	if (!(route->flags & API_PUBLIC))
		must_refuse(of, route, DROVER_ERROR_UNAUTHENTICATED);
}

static void test_nobody_opens_no_route_that_is_not_public(void **state)
{
	House *house = *state;
	Gate gate = {house, house->nobody, 0};
	api_each_route(refuses_nobody, &gate);
	assert_true(gate.tried > 10);
}

static void refuses_person_without_roles(const ApiRoute *route, gpointer of)
{
	if (!(route->flags & (API_PUBLIC | API_SELF)))
		must_refuse(of, route, DROVER_ERROR_DENIED);
}

static void test_person_without_roles_opens_only_what_is_their_own(void **state)
{
	House *house = *state;
	g_autoptr(Actor) eve = house_person(house, "eve", "signer");
	Gate gate = {house, eve, 0};
	api_each_route(refuses_person_without_roles, &gate);
	assert_true(gate.tried > 10);
}

static void refuses_viewer(const ApiRoute *route, gpointer of)
{
	if (route->role > ROLE_VIEWER || route->flags & API_HOST)
		must_refuse(of, route, DROVER_ERROR_DENIED);
}

static void refuses_tester(const ApiRoute *route, gpointer of)
{
	if (route->role > ROLE_TESTER || route->flags & API_HOST)
		must_refuse(of, route, DROVER_ERROR_DENIED);
}

static void refuses_operator(const ApiRoute *route, gpointer of)
{
	if (route->role > ROLE_OPERATOR || route->flags & API_HOST)
		must_refuse(of, route, DROVER_ERROR_DENIED);
}

static void test_no_rung_opens_a_route_of_a_higher_one(void **state)
{
	House *house = *state;
	g_autoptr(Actor) viewer = house_person(house, "vera", "viewer");
	g_autoptr(Actor) tester = house_person(house, "tim", "tester");
	g_autoptr(Actor) operator= house_person(house, "olga", "operator");
	Gate gate = {house, viewer, 0};
	api_each_route(refuses_viewer, &gate);
	gate.actor = tester;
	api_each_route(refuses_tester, &gate);
	gate.actor = operator;
	api_each_route(refuses_operator, &gate);
	assert_true(gate.tried > 20);
}

static void only_people_and_public_routes_lack_a_role(const ApiRoute *route, gpointer of)
{
	if (!(route->flags & (API_PUBLIC | API_SELF | API_HOST)))
		assert_int_not_equal(route->role, ROLE_NONE);
}

static void test_every_route_says_who_may_call_it(void **state)
{
	api_each_route(only_people_and_public_routes_lack_a_role, NULL);
}

/* As x-role in openapi.yaml says it. */
static const char *role_in_words(const ApiRoute *route)
{
	if (route->flags & API_PUBLIC)
		return "public";
	if (route->flags & API_HOST)
		return "host";
	if (route->flags & API_SELF)
		return "self";
	return role_name(route->role);
}

static void must_be_documented(const ApiRoute *route, gpointer of)
{
	g_autofree char *method = g_ascii_strdown(route->method, -1);
	const json_t *path = json_object_get(of, route->path);
	const char *role = json_text(json_object_get(path, method), "x-role");
	if (g_strcmp0(role, role_in_words(route)) != 0)
		fail_msg("%s %s: the document says %s, the table says %s", route->method,
			route->path, role, role_in_words(route));
}

static void test_document_says_of_every_route_who_may_call_it(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) document =
		json_read("document", api_document(), strlen(api_document()), &error);
	assert_good(error);
	api_each_route(must_be_documented, json_object_get(document, "paths"));
}

int gate_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_host_token_opens_no_route_that_is_not_for_hosts),
		ON_BOTH(test_nobody_opens_no_route_that_is_not_public),
		ON_BOTH(test_person_without_roles_opens_only_what_is_their_own),
		ON_BOTH(test_no_rung_opens_a_route_of_a_higher_one),
		cmocka_unit_test(test_every_route_says_who_may_call_it),
		cmocka_unit_test(test_document_says_of_every_route_who_may_call_it),
	};
	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
