/* SPDX-License-Identifier: ISC
 *
 * Looks at the health of a service that starts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/hold/probe.h"
#include "node/hold/spawn.h"

static void test_the_status_is_in_the_first_line(void **state)
{
	static const struct {
		const char *text;
		int status;
	} known[] = {{"HTTP/1.1 200 OK\r\n", 200}, {"HTTP/1.0 503\r\n", 503}, {"HTTP/1.1 200", 0},
		{"HTTP/1.1 2000 ", 0}, {"HTTP/2 200 OK\r\n", 0}, {"HTTP/1.1  20 O", 0}, {"", 0},
		{"<html>HTTP/1.1 200 OK", 0}};
	for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
		assert_int_equal(
			probe_status(known[i].text, strlen(known[i].text)), known[i].status);
}

static void test_the_path_of_a_url(void **state)
{
	static const char *const known[][2] = {{"http://127.0.0.1:80/health?a=b", "/health?a=b"},
		{"http://web", "/"}, {"http://web?a", "/?a"}, {"http://web/", "/"}};
	for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
		g_autofree char *path = probe_path(known[i][0]);
		assert_string_equal(path, known[i][1]);
	}
}

/* One look at a service that answers this, NULL: only takes the connection. */
static char *look(NodeProduct *product, const char *answer, gboolean wants_answer)
{
	char *environment[] = {NULL};
	Probe probe = {.product = product, .environment = environment};
	int pidfd = -1;
	GArray *fds = listen_open_private(1, &probe.at, NULL);
	pid_t process = probe_start(&probe, wants_answer, &pidfd, NULL);
	assert_true(process > 0);
	int client = -1, door = g_array_index(fds, int, 0);
	for (int i = 0; i < 500 && client < 0 && product->health_path != NULL; i++) {
		client = accept4(door, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			g_usleep(10000);
	}
	if (answer != NULL)
		assert_int_equal(
			send(client, answer, strlen(answer), MSG_NOSIGNAL), strlen(answer));
	if (client >= 0) {
		char heard[1024];
		shutdown(client, SHUT_WR);
		while (answer != NULL && read(client, heard, sizeof heard) > 0) {
		}
		close(client);
	}
	/* To collect is to kill: it ends first. */
	waitid((idtype_t)P_PIDFD, (id_t)pidfd, &(siginfo_t){0}, WEXITED | WNOWAIT);
	char *how = spawn_collect(process, pidfd);
	close(pidfd);
	listen_close_all(fds);
	return how;
}

static void must_end(NodeProduct *product, const char *answer, gboolean wants_answer, int status)
{
	g_autofree char *how = look(product, answer, wants_answer);
	g_autofree char *wanted = g_strdup_printf("ended with status %d", status);
	assert_string_equal(how, wanted);
}

static void test_health_is_200_at_the_address_it_is_tried_at(void **state)
{
	NodeProduct product = {
		.health = (char *)"http://127.0.0.1:1/health", .health_path = (char *)"/health"};
	must_end(&product, "HTTP/1.1 200 OK\r\n\r\n", TRUE, 0);
	must_end(&product, "HTTP/1.1 204 No\r\n\r\n", TRUE, 1);
	must_end(&product, "HTTP/1.1 503 No\r\n\r\n", TRUE, 1);
	must_end(&product, "", TRUE, 1);
	must_end(&product, "nonsense", TRUE, 1);
}

static void test_without_health_any_answer_that_is_no_failure_will_do(void **state)
{
	NodeProduct product = {.health_path = (char *)"/health"};
	must_end(&product, "HTTP/1.1 404 Not here\r\n\r\n", TRUE, 0);
	must_end(&product, "HTTP/1.1 500 Broken\r\n\r\n", TRUE, 1);
	must_end(&product, "", FALSE, 0);
}

static void test_an_endless_answer_is_read_to_the_limit(void **state)
{
	NodeProduct product = {.health_path = (char *)"/health"};
	g_autofree char *answer = g_strnfill(PROBE_MAXIMUM_ANSWER_BYTES, 'x');
	must_end(&product, answer, TRUE, 1);
}

static void test_a_command_says_it_by_its_status(void **state)
{
	NodeProduct product = {.health = (char *)"test -n \"$DROVER_ADDRESS\""};
	must_end(&product, NULL, TRUE, 0);
	product.health = (char *)"exit 7";
	must_end(&product, NULL, TRUE, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_status_is_in_the_first_line),
		cmocka_unit_test(test_the_path_of_a_url),
		cmocka_unit_test(test_health_is_200_at_the_address_it_is_tried_at),
		cmocka_unit_test(test_without_health_any_answer_that_is_no_failure_will_do),
		cmocka_unit_test(test_an_endless_answer_is_read_to_the_limit),
		cmocka_unit_test(test_a_command_says_it_by_its_status),
	};
	return cmocka_run_group_tests_name("hold probe", tests, NULL, NULL);
}
