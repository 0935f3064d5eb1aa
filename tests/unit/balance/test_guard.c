/* SPDX-License-Identifier: ISC
 *
 * May a list be obeyed? One pool, many lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "balance/guard.h"

/* Four servers of which d is down and out; the floor is 2. */
static Pool *four_servers(void)
{
	static const char *const monitors[] = {"A", NULL};
	PoolPolicy policy = {
		.threshold = THRESHOLD_HALF, .rise = 1, .fall = 1, .monitors = monitors};
	Pool *pool = pool_new(&policy);
	const PoolEntry entries[] = {{.name = "a", .ready = TRUE}, {.name = "b", .ready = TRUE},
		{.name = "c", .ready = TRUE}, {.name = "d", .ready = TRUE}};
	pool_update(pool, entries, 4, 0);
	pool_result(pool, "d", 0, POOL_RESULT_DOWN, 0);
	return pool;
}

static GuardDecision decide(const char *text, GuardPolicy policy, char **why)
{
	g_autoptr(Pool) pool = four_servers();
	g_autoptr(ServerList) list = server_list_parse("l", SERVER_LIST_JSON, text, strlen(text));
	return guard_decide(pool, list, &policy, why);
}

static void test_decisions(void **state)
{
	const GuardPolicy usual = {.list_guard = TRUE, .have_last = TRUE};
	const GuardPolicy off = {.have_last = TRUE};
	const GuardPolicy forced = {.list_guard = TRUE, .have_last = TRUE, .forced = TRUE};
	const GuardPolicy empty = {.have_last = TRUE, .allow_empty = TRUE};
	const GuardPolicy first = {.list_guard = TRUE};
	const GuardPolicy first_empty = {.allow_empty = TRUE};
	const struct {
		const char *list;
		GuardPolicy policy;
		GuardDecision decision;
		const char *why; /* a part of it */
	} table[] = {
		{"{\"a\":{},\"b\":{},\"c\":{},\"d\":{}}", usual, GUARD_OBEY, NULL},
		{"{\"a\":{},\"b\":{}}", usual, GUARD_OBEY, NULL}, /* 2 of 4 stay */
		{"{\"a\":{},\"d\":{}}", usual, GUARD_SET_ASIDE,
			"would take away b, c and leave 1 of 3 healthy servers, where 2 of 4"},
		{"{\"a\":{},\"b\":{\"enabled\":false},\"c\":{\"enabled\":false}}", usual,
			GUARD_SET_ASIDE, "take away b, c"},
		{"{\"x\":{},\"y\":{},\"z\":{}}", usual, GUARD_SET_ASIDE, "a, b, c and leave 0"},
		{"{\"a\":{},\"d\":{}}", off, GUARD_OBEY, NULL},
		{"{\"a\":{},\"d\":{}}", forced, GUARD_OBEY, NULL},
		{"{}", usual, GUARD_KEEP_LAST, "allow-empty"},
		{"{}", empty, GUARD_OBEY, NULL},
		{"{}", forced, GUARD_OBEY, NULL},
		{"{\"a\":{},\"b\":{},\"c\":{},\"d\":7}", usual, GUARD_KEEP_LAST, "1 bad lines"},
		{"{\"a\":{},\"b\":{},\"c\":{},\"d\":7}", forced, GUARD_KEEP_LAST, "1 bad lines"},
		{"{\"a\":{},\"b\":{},\"c\":{},\"d\":7}", first, GUARD_OBEY_GOOD_LINES,
			"there is no older list"},
		{"{}", first, GUARD_KEEP_LAST, "the kernel's table stays as it is"},
		{"{\"d\":7}", first, GUARD_KEEP_LAST, "the kernel's table stays as it is: 1 bad"},
		{"{}", first_empty, GUARD_OBEY, NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autofree char *why = NULL;
		GuardDecision decision = decide(table[i].list, table[i].policy, &why);
		if (decision != table[i].decision || (why == NULL) != (table[i].why == NULL) ||
			(why != NULL && strstr(why, table[i].why) == NULL))
			fail_msg("row %zu: %d, %s", i, (int)decision, why ? why : "-");
	}
}

/* The floor was broken before, and the list takes nobody away: it is not the list's doing. */
static void test_a_list_that_takes_nobody_away_is_obeyed(void **state)
{
	g_autoptr(Pool) pool = four_servers();
	pool_result(pool, "c", 0, POOL_RESULT_DOWN, 0);
	pool_result(pool, "b", 0, POOL_RESULT_DOWN, 0);
	g_autofree char *why = NULL;
	const char *text = "{\"a\":{}}";
	g_autoptr(ServerList) list = server_list_parse("l", SERVER_LIST_JSON, text, strlen(text));
	GuardPolicy policy = {.list_guard = TRUE, .have_last = TRUE};
	assert_int_equal(guard_decide(pool, list, &policy, &why), GUARD_OBEY);
	assert_null(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_a_list_that_takes_nobody_away_is_obeyed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
