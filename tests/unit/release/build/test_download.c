/* SPDX-License-Identifier: ISC
 *
 * Servers that keep a build waiting. The two times are what libcurl is told, so here it is told a
 * second instead of each, and what it was to be told is looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "release/build/dependencies.h"
#include "release/build/download.h"

enum { CALLERS = 3 };

/* A program's own, as the linker's --wrap wants it. */
static long connect_s, stall_s;

CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);

CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	va_list values;
	va_start(values, option);
	CURLcode code;
	if (option == CURLOPT_CONNECTTIMEOUT || option == CURLOPT_LOW_SPEED_TIME) {
		*(option == CURLOPT_LOW_SPEED_TIME ? &stall_s : &connect_s) = va_arg(values, long);
		code = __real_curl_easy_setopt(easy, option, 1L);
	} else if (option < CURLOPTTYPE_OBJECTPOINT) {
		code = __real_curl_easy_setopt(easy, option, va_arg(values, long));
	} else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB) {
		code = __real_curl_easy_setopt(easy, option, va_arg(values, curl_off_t));
	} else {
		code = __real_curl_easy_setopt(easy, option, va_arg(values, void *));
	}
	va_end(values);
	return code;
}

/* Whoever comes is greeted by the kernel, and by nobody else. */
static int listen_only(int backlog, struct sockaddr_in *address)
{
	socklen_t size = sizeof *address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
	return fd;
}

static void assert_left(const struct sockaddr_in *address, const char *why)
{
	char sha256[SHA256_HEX];
	g_autoptr(GError) error = NULL;
	g_autofree char *url =
		g_strdup_printf("http://127.0.0.1:%u/six.tgz", ntohs(address->sin_port));
	int to_fd = open("/dev/null", O_WRONLY);
	assert_false(download(url, DEPENDENCY_MAXIMUM_BYTES, to_fd, sha256, &error));
	close(to_fd);
	assert_true(drover_error_is(error, DROVER_ERROR_UNAVAILABLE));
	if (strstr(error->message, why) == NULL)
		fail_msg("'%s' lacks '%s'", error->message, why);
}

static void test_a_server_that_sends_nothing_is_left_after_60_seconds(void **state)
{
	struct sockaddr_in address;
	int fd = listen_only(10, &address);
	assert_left(&address, "Operation too slow");
	assert_int_equal(stall_s, 60);
	close(fd);
}

static void test_a_server_that_cannot_be_reached_is_left_after_20_seconds(void **state)
{
	struct sockaddr_in address;
	int callers[CALLERS], fd = listen_only(0, &address);
	/* The queue is full: the kernel answers nobody any more. */
	for (int i = 0; i < CALLERS; i++) {
		callers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(callers[i], (struct sockaddr *)&address, sizeof address);
	}
	assert_left(&address, "onnect");
	assert_int_equal(connect_s, 20);
	for (int i = 0; i < CALLERS; i++)
		close(callers[i]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_server_that_sends_nothing_is_left_after_60_seconds),
		cmocka_unit_test(test_a_server_that_cannot_be_reached_is_left_after_20_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
