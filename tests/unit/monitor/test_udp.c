/* SPDX-License-Identifier: ISC
 *
 * UDP against a port that answers, is silent, or is not there.
 */
#include "bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define QUICK "monitors = [ 'UDP' ]\nudp.interval = .1\nudp.timeout = .2\n"
#define LAZY  "monitors = [ 'UDP' ]\nudp.interval = .1\nudp.timeout = 20\n"

typedef struct Scene {
	Bed *bed;
	Config *config;
	int fd;
	struct event *event;
	Address address;
	guint16 port;
	const char *reply; /* NULL: silence */
	char heard[64];
	guint asked;
} Scene;

static void on_datagram(evutil_socket_t fd, short what, void *of)
{
	Scene *scene = of;
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	ssize_t got = recvfrom(
		fd, scene->heard, sizeof scene->heard - 1, 0, (struct sockaddr *)&from, &size);
	scene->heard[MAX(got, 0)] = '\0';
	scene->asked++;
	if (scene->reply != NULL)
		sendto(fd, scene->reply, strlen(scene->reply), 0, (struct sockaddr *)&from, size);
}

static int set_up(void **state)
{
	Scene *scene = g_new0(Scene, 1);
	struct sockaddr_storage place;
	scene->bed = bed_new(100);
	assert_true(address_parse("127.0.0.1", &scene->address));
	socklen_t size = address_to_socket(&scene->address, 0, &place);
	scene->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(scene->fd, (struct sockaddr *)&place, size), 0);
	size = sizeof place;
	assert_int_equal(getsockname(scene->fd, (struct sockaddr *)&place, &size), 0);
	assert_true(address_from_socket(&place, &scene->address, &scene->port));
	scene->event =
		event_new(scene->bed->base, scene->fd, EV_READ | EV_PERSIST, on_datagram, scene);
	event_add(scene->event, NULL);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	Scene *scene = *state;
	event_free(scene->event);
	close(scene->fd);
	bed_free(scene->bed);
	if (scene->config != NULL)
		config_free(scene->config);
	g_free(scene);
	return 0;
}

static BedWatch *run(Scene *scene, const char *lines)
{
	BedWatch *watch = bed_watch(scene->bed, bed_service(&scene->config, lines),
		CONFIG_UDP_CHECK, &scene->address, scene->port);
	bed_wait(watch, 1);
	return watch;
}

static void test_silence_is_up_when_nothing_is_expected(void **state)
{
	Scene *scene = *state;
	BedWatch *watch = run(scene, QUICK "udp.payload = 'ping'\n");
	assert_int_equal(watch->result, POOL_RESULT_UP);
	assert_string_equal(watch->why, "not refused in 200 ms");
	assert_string_equal(scene->heard, "ping");
}

static void test_silence_is_down_when_something_is_expected(void **state)
{
	BedWatch *watch = run(*state, QUICK "udp.expect = 'pong'\n");
	assert_int_equal(watch->result, POOL_RESULT_DOWN);
	assert_string_equal(watch->why, "no answer in 200 ms");
}

static void test_without_a_payload_an_empty_datagram_is_sent(void **state)
{
	Scene *scene = *state;
	scene->reply = "anything";
	BedWatch *watch = run(scene, LAZY);
	assert_int_equal(watch->result, POOL_RESULT_UP);
	assert_true(g_str_has_prefix(watch->why, "answered in "));
	assert_int_equal(scene->asked, 1);
	assert_string_equal(scene->heard, "");
}

static void test_a_reply_that_begins_as_expected_is_up(void **state)
{
	Scene *scene = *state;
	scene->reply = "pong 17";
	assert_int_equal(run(scene, LAZY "udp.expect = 'pong'\n")->result, POOL_RESULT_UP);
}

static void test_another_reply_is_down(void **state)
{
	static const char *const replies[] = {"pon", "ping\001", ""};
	static const char *const words[] = {"answered 'pon', wanted 'pong'",
		"answered 'ping ', wanted 'pong'", "answered '', wanted 'pong'"};
	Scene *scene = *state;
	for (gsize i = 0; i < G_N_ELEMENTS(replies); i++) {
		scene->reply = replies[i];
		BedWatch *watch = run(scene, LAZY "udp.expect = 'pong'\n");
		assert_int_equal(watch->result, POOL_RESULT_DOWN);
		assert_string_equal(watch->why, words[i]);
		bed_leave(watch);
		g_clear_pointer(&scene->config, config_free);
	}
}

static void test_a_port_where_nobody_listens_is_down_at_once(void **state)
{
	Scene *scene = *state;
	assert_true(address_parse("127.0.0.2", &scene->address));
	BedWatch *watch = run(scene, LAZY);
	assert_int_equal(watch->result, POOL_RESULT_DOWN);
	assert_string_equal(watch->why, "nobody listens at the port");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_silence_is_up_when_nothing_is_expected),
		TEST(test_silence_is_down_when_something_is_expected),
		TEST(test_without_a_payload_an_empty_datagram_is_sent),
		TEST(test_a_reply_that_begins_as_expected_is_up),
		TEST(test_another_reply_is_down),
		TEST(test_a_port_where_nobody_listens_is_down_at_once),
	};
	return cmocka_run_group_tests_name("monitor udp", tests, NULL, NULL);
}
