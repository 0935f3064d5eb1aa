/* SPDX-License-Identifier: ISC
 *
 * DNSQuery against a name server that answers, lies, cuts short and is silent; and the examples of
 * kind monitor-dns in tests/cases/pool.json.
 */
#include "bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "nameserver.h"

#define QUICK "monitors = [ 'DNSQuery' ]\ndnsquery.interval = .1\ndnsquery.timeout = .5\n"
#define LAZY  "monitors = [ 'DNSQuery' ]\ndnsquery.interval = .1\ndnsquery.timeout = 20\n"
#define NAME  "dnsquery.hostnames = [ 'www.example.org' ]\n"

typedef enum Part {
	ANSWERS,      /* with `rcode` and `addresses` */
	SILENT,	      /* takes questions */
	SPOOFED,      /* from another port, and nothing from its own */
	LIES,	      /* other id, other question, no answer at all; then the truth if `truth` */
	BROKEN,	      /* a record that is cut off */
	TRUNCATED,    /* over UDP; over TCP it ANSWERS */
	CLOSES,	      /* TRUNCATED, and its TCP says nothing and hangs up */
	MUTE,	      /* TRUNCATED, and its TCP is silent */
	FLOODS,	      /* TRUNCATED, and its TCP sends foreign messages without end */
	FIRST_IS_LOST /* the first question is not answered */
} Part;

typedef struct Scene {
	Bed *bed;
	Nameserver *server;
	Config *config;
	BedWatch *watch;
	Part part;
	guint8 rcode;
	const char *address; /* NULL: none */
	gboolean truth;
	guint asked, asked_tcp;
	char names[3][64]; /* the last ones asked for */
	GHashTable *ids, *ports;
} Scene;

static void send_from_elsewhere(const NameserverQuestion *question, const GByteArray *reply)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sendto(fd, reply->data, reply->len, 0, (const struct sockaddr *)&question->from,
		sizeof question->from);
	close(fd);
}

static void send_from_here(const NameserverQuestion *question, const GByteArray *reply)
{
	sendto(question->fd, reply->data, reply->len, 0, (const struct sockaddr *)&question->from,
		sizeof question->from);
}

static void send_lies(const NameserverQuestion *question)
{
	/* id, QR bit, type, and a letter of the name */
	static const gsize places[] = {1, 2, 12 + 17 + 1, 14};
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GByteArray) reply = g_byte_array_new();
		nameserver_begin(reply, question, 2);
		reply->data[places[i]] ^= i == 1 ? 0x80 : 1;
		send_from_here(question, reply);
	}
}

static gboolean answer_truncated(
	Scene *scene, const NameserverQuestion *question, GByteArray *reply)
{
	if (!question->tcp) {
		nameserver_begin(reply, question, 0);
		reply->data[2] |= 2;
		return TRUE;
	}
	if (scene->part == CLOSES)
		shutdown(question->fd, SHUT_RDWR);
	if (scene->part == CLOSES || scene->part == MUTE)
		return FALSE;
	nameserver_begin(reply, question, scene->rcode);
	if (scene->part != FLOODS)
		return TRUE;
	reply->data[0] ^= 1; /* another id */
	guint8 size[2] = {(guint8)(reply->len >> 8), (guint8)reply->len};
	for (int i = 0; i < 10000; i++) {
		send(question->fd, size, 2, MSG_NOSIGNAL | MSG_DONTWAIT);
		send(question->fd, reply->data, reply->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	return FALSE;
}

static void remember(Scene *scene, const NameserverQuestion *question)
{
	g_hash_table_add(scene->ids, GINT_TO_POINTER(question->bytes[0] << 8 | question->bytes[1]));
	if (!question->tcp)
		g_hash_table_add(scene->ports, GINT_TO_POINTER((int)question->from.sin_port));
	scene->asked++;
	scene->asked_tcp += question->tcp ? 1 : 0;
	g_strlcpy(scene->names[scene->asked % 3], question->name, sizeof scene->names[0]);
}

static gboolean answer(const NameserverQuestion *question, GByteArray *reply, gpointer of)
{
	Scene *scene = of;
	remember(scene, question);
	switch (scene->part) {
	case SILENT:
		return FALSE;
	case FIRST_IS_LOST:
		if (scene->asked == 1)
			return FALSE;
		break;
	case LIES:
		send_lies(question);
		if (!scene->truth)
			return FALSE;
		break;
	case TRUNCATED:
	case CLOSES:
	case MUTE:
	case FLOODS:
		return answer_truncated(scene, question, reply);
	default:
		break;
	}
	nameserver_begin(reply, question, scene->rcode);
	if (scene->address != NULL)
		nameserver_add(reply, scene->address, 60);
	if (scene->part == BROKEN)
		reply->data[7]++; /* one more record than there is */
	if (scene->part == SPOOFED)
		send_from_elsewhere(question, reply);
	return scene->part != SPOOFED;
}

static int set_up(void **state)
{
	Scene *scene = g_new0(Scene, 1);
	scene->bed = bed_new(100);
	scene->address = "192.0.2.1";
	scene->ids = g_hash_table_new(NULL, NULL);
	scene->ports = g_hash_table_new(NULL, NULL);
	scene->server = nameserver_new(scene->bed->base, answer, scene);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	Scene *scene = *state;
	nameserver_free(scene->server);
	bed_free(scene->bed);
	if (scene->config != NULL)
		config_free(scene->config);
	g_hash_table_unref(scene->ids);
	g_hash_table_unref(scene->ports);
	g_free(scene);
	return 0;
}

static void watch(Scene *scene, const char *lines)
{
	Address address;
	assert_true(address_parse("127.0.0.1", &address));
	ConfigService *service = bed_service(&scene->config, lines);
	scene->watch = bed_watch(
		scene->bed, service, CONFIG_DNSQUERY, &address, nameserver_port(scene->server));
}

static void expect(Scene *scene, const char *lines, PoolResult result, const char *why)
{
	watch(scene, lines);
	bed_wait(scene->watch, 1);
	assert_string_equal(scene->watch->why, why);
	assert_int_equal(scene->watch->result, result);
}

static void test_an_answer_is_up(void **state)
{
	expect(*state, LAZY NAME, POOL_RESULT_UP, "NOERROR for www.example.org, 1 record");
}

static void test_an_empty_answer_is_up(void **state)
{
	Scene *scene = *state;
	scene->address = NULL;
	expect(scene, LAZY NAME "dnsquery.type = SOA\n", POOL_RESULT_UP,
		"NOERROR for www.example.org, 0 records");
}

static void test_nxdomain_is_up_unless_it_is_said_to_fail(void **state)
{
	Scene *scene = *state;
	scene->rcode = 3;
	scene->address = NULL;
	expect(scene, LAZY NAME, POOL_RESULT_UP, "NXDOMAIN for www.example.org");
	bed_leave(scene->watch);
	g_clear_pointer(&scene->config, config_free);
	expect(scene, LAZY NAME "dnsquery.fail-on-nxdomain = yes\n", POOL_RESULT_DOWN,
		"NXDOMAIN for www.example.org, wanted an answer");
}

static void test_servfail_is_down(void **state)
{
	Scene *scene = *state;
	scene->rcode = 2;
	expect(scene, LAZY NAME, POOL_RESULT_DOWN,
		"SERVFAIL for www.example.org, wanted an answer");
}

static void test_refused_is_down(void **state)
{
	Scene *scene = *state;
	scene->rcode = 5;
	expect(scene, LAZY NAME, POOL_RESULT_DOWN, "REFUSED for www.example.org, wanted an answer");
}

static void test_silence_is_down(void **state)
{
	Scene *scene = *state;
	scene->part = SILENT;
	expect(scene, QUICK NAME, POOL_RESULT_DOWN, "no answer about www.example.org in 500 ms");
	assert_int_equal(scene->asked, 3); /* it was sent thrice, the same each time */
	assert_int_equal(g_hash_table_size(scene->ids), 1);
	assert_int_equal(g_hash_table_size(scene->ports), 1);
}

static void test_a_lost_datagram_is_not_a_dead_server(void **state)
{
	Scene *scene = *state;
	scene->part = FIRST_IS_LOST;
	expect(scene, QUICK NAME, POOL_RESULT_UP, "NOERROR for www.example.org, 1 record");
	assert_int_equal(scene->asked, 2);
}

static void test_an_answer_from_elsewhere_never_counts(void **state)
{
	Scene *scene = *state;
	scene->part = SPOOFED;
	expect(scene, QUICK NAME, POOL_RESULT_DOWN, "no answer about www.example.org in 500 ms");
}

static void test_answers_to_something_else_never_count(void **state)
{
	Scene *scene = *state;
	scene->part = LIES;
	/* Four lies for each of three questions. */
	expect(scene, QUICK NAME, POOL_RESULT_DOWN,
		"no answer about www.example.org in 500 ms, but 12 to something that was not "
		"asked");
}

static void test_the_answer_after_the_lies_counts(void **state)
{
	Scene *scene = *state;
	scene->part = LIES;
	scene->truth = TRUE;
	expect(scene, LAZY NAME, POOL_RESULT_UP, "NOERROR for www.example.org, 1 record");
}

static void test_an_answer_that_cannot_be_read_is_down(void **state)
{
	Scene *scene = *state;
	scene->part = BROKEN;
	expect(scene, LAZY NAME, POOL_RESULT_DOWN,
		"the answer about www.example.org cannot be read");
}

static void test_a_closed_port_is_down_at_once(void **state)
{
	Scene *scene = *state;
	Address nobody;
	assert_true(address_parse("127.0.0.2", &nobody));
	ConfigService *service = bed_service(&scene->config, LAZY NAME);
	BedWatch *watch = bed_watch(
		scene->bed, service, CONFIG_DNSQUERY, &nobody, nameserver_port(scene->server));
	bed_wait(watch, 1);
	assert_int_equal(watch->result, POOL_RESULT_DOWN);
	assert_string_equal(
		watch->why, "no answer about www.example.org: nobody listens at the port");
}

static void test_a_truncated_answer_is_asked_for_over_tcp(void **state)
{
	Scene *scene = *state;
	scene->part = TRUNCATED;
	expect(scene, LAZY NAME, POOL_RESULT_UP, "NOERROR for www.example.org, 0 records");
	assert_int_equal(scene->asked_tcp, 1);
}

static void test_what_tcp_says_counts(void **state)
{
	Scene *scene = *state;
	scene->part = TRUNCATED;
	scene->rcode = 2;
	expect(scene, LAZY NAME, POOL_RESULT_DOWN,
		"SERVFAIL for www.example.org, wanted an answer");
}

static void test_a_server_that_hangs_up_over_tcp_is_down(void **state)
{
	Scene *scene = *state;
	scene->part = CLOSES;
	expect(scene, LAZY NAME, POOL_RESULT_DOWN,
		"no answer about www.example.org over TCP: closed by the server");
}

static void test_a_server_that_is_silent_over_tcp_is_down(void **state)
{
	Scene *scene = *state;
	scene->part = MUTE;
	expect(scene, QUICK NAME, POOL_RESULT_DOWN,
		"no answer about www.example.org in 500 ms over TCP");
}

static void test_a_flood_over_tcp_ends(void **state)
{
	Scene *scene = *state;
	scene->part = FLOODS;
	watch(scene, LAZY NAME);
	bed_wait(scene->watch, 1);
	assert_int_equal(scene->watch->result, POOL_RESULT_DOWN);
	assert_true(
		g_str_has_prefix(scene->watch->why, "no answer about www.example.org among 13"));
}

static void test_ids_and_ports_differ_from_check_to_check(void **state)
{
	Scene *scene = *state;
	watch(scene, LAZY NAME);
	bed_wait(scene->watch, 8);
	/* Of 8 random numbers of 16 bits two may be the same, but not half of them. */
	assert_in_range(g_hash_table_size(scene->ids), 4, 9);
	assert_in_range(g_hash_table_size(scene->ports), 4, 9);
}

static void test_one_of_several_names_is_asked_for(void **state)
{
	Scene *scene = *state;
	watch(scene, LAZY "dnsquery.hostnames = [ 'a.example', 'B.example' ]\n");
	gboolean a = FALSE, b = FALSE;
	for (guint i = 1; i <= 40 && !(a && b); i++) {
		bed_wait(scene->watch, i);
		a = a || strcmp(scene->names[scene->asked % 3], "a.example") == 0;
		b = b || strcmp(scene->names[scene->asked % 3], "b.example") == 0;
	}
	assert_true(a && b);
}

static void test_a_name_that_is_none_is_an_error(void **state)
{
	Scene *scene = *state;
	g_autoptr(GError) error = NULL;
	ConfigService *service = bed_service(
		&scene->config, LAZY "dnsquery.hostnames = [ 'fine.example', 'not..fine' ]\n");
	assert_false(checks_validate(service, CONFIG_DNSQUERY, &error));
	assert_string_equal(error->message, "dnsquery.hostnames: 'not..fine' does "
					    "not fit into DNS: parts of 1 to "
					    "63 ASCII letters, without blanks, 253 in all");
}

/* tests/cases/pool.json */

static void check_example(Scene *scene, const json_t *example, const char *verdict)
{
	json_t *expect = json_object_get(example, "expect");
	json_t *given = json_object_get(example, "given");
	gboolean fails = json_is_true(json_object_get(given, "fail_on_nxdomain"));
	size_t i;
	json_t *word;
	json_array_foreach (json_object_get(expect, verdict), i, word) {
		const char *text = json_string_value(word);
		scene->rcode = strcmp(text, "NXDOMAIN") == 0 ? 3 : 0;
		scene->address = strcmp(text, "NOERROR+A") == 0 ? "192.0.2.1" : NULL;
		assert_true(scene->rcode != 0 || g_str_has_prefix(text, "NOERROR"));
		watch(scene, fails ? LAZY NAME "dnsquery.fail-on-nxdomain = yes\n" : LAZY NAME);
		bed_wait(scene->watch, 1);
		assert_string_equal(
			scene->watch->result == POOL_RESULT_UP ? "up" : "down", verdict);
		bed_leave(scene->watch);
		g_clear_pointer(&scene->config, config_free);
	}
}

static void test_the_kept_examples_hold(void **state)
{
	json_error_t at;
	json_t *file = json_load_file(g_getenv("POOL_CASES"), JSON_REJECT_DUPLICATES, &at);
	assert_non_null(file);
	guint count = 0;
	size_t i;
	json_t *example;
	json_array_foreach (json_object_get(file, "cases"), i, example) {
		const char *kind = json_string_value(json_object_get(example, "kind"));
		if (strcmp(kind, "monitor-dns") != 0)
			continue;
		check_example(*state, example, "up");
		check_example(*state, example, "down");
		count++;
	}
	assert_true(count >= 1);
	json_decref(file);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_an_answer_is_up),
		TEST(test_an_empty_answer_is_up),
		TEST(test_nxdomain_is_up_unless_it_is_said_to_fail),
		TEST(test_servfail_is_down),
		TEST(test_refused_is_down),
		TEST(test_silence_is_down),
		TEST(test_a_lost_datagram_is_not_a_dead_server),
		TEST(test_an_answer_from_elsewhere_never_counts),
		TEST(test_answers_to_something_else_never_count),
		TEST(test_the_answer_after_the_lies_counts),
		TEST(test_an_answer_that_cannot_be_read_is_down),
		TEST(test_a_closed_port_is_down_at_once),
		TEST(test_a_truncated_answer_is_asked_for_over_tcp),
		TEST(test_what_tcp_says_counts),
		TEST(test_a_server_that_hangs_up_over_tcp_is_down),
		TEST(test_a_server_that_is_silent_over_tcp_is_down),
		TEST(test_a_flood_over_tcp_ends),
		TEST(test_ids_and_ports_differ_from_check_to_check),
		TEST(test_one_of_several_names_is_asked_for),
		TEST(test_a_name_that_is_none_is_an_error),
		TEST(test_the_kept_examples_hold),
	};
	return cmocka_run_group_tests_name("monitor dns", tests, NULL, NULL);
}
