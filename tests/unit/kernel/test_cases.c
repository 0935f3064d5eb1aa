/* SPDX-License-Identifier: ISC
 *
 * The examples of tests/cases/pool.json of kind ipvs, each a test of its own name: orders go to a
 * keeper that runs dry, and its lines are compared. There are no connections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <jansson.h>
#include <string.h>

#include "balance/kernel/keeper.h"

typedef struct Play {
	struct event_base *base;
	Keeper *keeper;
	KeeperKey service;
	json_t *servers; /* of the example */
	GPtrArray *lines;
} Play;

static void keep_line(const char *line, gpointer of)
{
	g_ptr_array_add(((Play *)of)->lines, g_strdup(line));
}

/* What is due now: one turn of the keeper. */
static void turn(Play *play)
{
	event_base_loop(play->base, EVLOOP_ONCE);
}

static const char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	assert_non_null(text);
	return text;
}

static void begin(Play *play, json_t *given)
{
	json_t *service = json_object_get(given, "service");
	play->servers = json_object_get(given, "servers");
	play->lines = g_ptr_array_new_with_free_func(g_free);
	play->base = event_base_new();
	const KeeperOptions options = {
		.base = play->base, .dry_run = TRUE, .print = keep_line, .of = play};
	g_autoptr(GError) error = NULL;
	play->keeper = keeper_new(&options, &error);
	g_assert_no_error(error);
	play->service = (KeeperKey){.protocol = strcmp(text_of(service, "protocol"), "udp") == 0
							? CONFIG_UDP
							: CONFIG_TCP,
		.port = (guint16)json_integer_value(json_object_get(service, "port"))};
	assert_true(address_parse(text_of(service, "ip"), &play->service.address));
	const KeeperService wanted = {.key = play->service,
		.scheduler = text_of(service, "scheduler"),
		.drain_timeout_ms = 300000};
	keeper_service(play->keeper, &wanted);
	keeper_start(play->keeper);
	turn(play);
	g_ptr_array_set_size(play->lines, 0); /* after the service was made */
}

static Address address_of(Play *play, const char *name, guint *weight)
{
	json_t *server = json_object_get(play->servers, name);
	json_t *given = json_object_get(server, "weight");
	Address address;
	assert_true(address_parse(text_of(server, "ip"), &address));
	*weight = given == NULL ? 10 : (guint)json_integer_value(given);
	return address;
}

static gboolean lists(json_t *names, const char *name)
{
	for (gsize i = 0; i < json_array_size(names); i++)
		if (g_strcmp0(json_string_value(json_array_get(names, i)), name) == 0)
			return TRUE;
	return FALSE;
}

/* Every server of the list is served, every other one drained. */
static void assign(Play *play, json_t *names)
{
	const char *name;
	json_t *server;
	json_object_foreach (play->servers, name, server) {
		guint weight = 0;
		const Address address = address_of(play, name, &weight);
		if (lists(names, name))
			keeper_serve(play->keeper, &play->service, &address, weight);
		else
			keeper_drain(play->keeper, &play->service, &address, FALSE);
	}
}

static void do_event(Play *play, json_t *event)
{
	const char *op = text_of(event, "op");
	if (strcmp(op, "assign") == 0) {
		assign(play, json_object_get(event, "servers"));
		return;
	}
	guint weight = 0;
	const Address address = address_of(play, text_of(event, "server"), &weight);
	if (strcmp(op, "remove") == 0)
		keeper_drain(play->keeper, &play->service, &address, FALSE);
	else if (strcmp(op, "add") == 0)
		keeper_serve(play->keeper, &play->service, &address, weight);
	else
		fail_msg("what is %s?", op);
}

static int compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* `lines` from *at on are those of `group`, in any order. */
static void assert_group(const GPtrArray *lines, guint *at, json_t *group)
{
	g_autoptr(GPtrArray) expected = g_ptr_array_new();
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	for (gsize i = 0; i < json_array_size(group); i++) {
		g_ptr_array_add(expected, (gpointer)json_string_value(json_array_get(group, i)));
		assert_true(*at < lines->len);
		g_ptr_array_add(found, lines->pdata[(*at)++]);
	}
	g_ptr_array_sort(expected, compare_text);
	g_ptr_array_sort(found, compare_text);
	for (guint i = 0; i < expected->len; i++)
		assert_string_equal(found->pdata[i], expected->pdata[i]);
}

static void test_ipvs(void **state)
{
	json_t *example = *state, *expect = json_object_get(example, "expect");
	json_t *events = json_object_get(example, "events");
	json_t *groups = json_object_get(expect, "last_batch_groups");
	json_t *lines = json_object_get(expect, "lines_after_create");
	assert_true(groups != NULL || lines != NULL);
	Play play = {0};
	begin(&play, json_object_get(example, "given"));
	guint last = 0, at = 0;
	for (gsize i = 0; i < json_array_size(events); i++) {
		last = play.lines->len;
		do_event(&play, json_array_get(events, i));
		turn(&play);
	}
	for (gsize i = 0; i < json_array_size(lines); i++)
		assert_string_equal(
			play.lines->pdata[at++], json_string_value(json_array_get(lines, i)));
	if (lines == NULL)
		at = last;
	for (gsize i = 0; i < json_array_size(groups); i++)
		assert_group(play.lines, &at, json_array_get(groups, i));
	assert_int_equal(at, play.lines->len);
	keeper_free(play.keeper);
	event_base_free(play.base);
	g_ptr_array_unref(play.lines);
}

int main(int argc, char **argv)
{
	g_assert(argc == 2);
	json_error_t at;
	json_t *file = json_load_file(argv[1], JSON_REJECT_DUPLICATES, &at);
	if (file == NULL)
		g_error("%s:%d: %s", argv[1], at.line, at.text);
	json_t *examples = json_object_get(file, "cases");
	gsize count = 0;
	struct CMUnitTest *tests = g_new0(struct CMUnitTest, json_array_size(examples));
	for (gsize i = 0; i < json_array_size(examples); i++) {
		json_t *example = json_array_get(examples, i);
		if (strcmp(text_of(example, "kind"), "ipvs") != 0)
			continue;
		tests[count].name = text_of(example, "id");
		tests[count].test_func = test_ipvs;
		tests[count++].initial_state = example;
	}
	g_assert(count >= 2);
	int failed = _cmocka_run_group_tests("kernel cases", tests, count, NULL, NULL);
	g_free(tests);
	json_decref(file);
	return failed;
}
