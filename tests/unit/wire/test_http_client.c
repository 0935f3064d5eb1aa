/* SPDX-License-Identifier: ISC
 *
 * The HTTP client against our own server, and against servers that are not there or say nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/http_client.h"
#include "wire/http_server.h"

static HttpAnswer *serve(const HttpRequest *request, gpointer of)
{
	const char *path = http_request_path(request);
	if (strcmp(path, "/ten") == 0)
		return http_answer_new(200, "text/plain", "0123456789", -1);
	if (strcmp(path, "/elsewhere") == 0) {
		HttpAnswer *answer = http_answer_new(302, NULL, NULL, 0);
		http_answer_header(answer, "Location", "/ten");
		return answer;
	}
	if (strcmp(path, "/missing") == 0)
		return http_answer_new(404, "application/json", "{}", -1);
	gsize body_bytes = 0;
	const char *body = g_bytes_get_data(http_request_body(request), &body_bytes);
	g_autofree char *text = g_strdup_printf("%s %s %s %.*s", http_request_method(request),
		http_request_header(request, "authorization"),
		http_request_header(request, "content-type"), (int)body_bytes, body ? body : "");
	return http_answer_new(201, "text/plain", text, -1);
}

static int set_up(void **state)
{
	HttpServerOptions options = {.address = "127.0.0.1", .handler = serve};
	*state = http_server_start(&options, NULL);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	http_server_stop(*state, 0);
	return 0;
}

static char *url_of(void **state, const char *path)
{
	return g_strdup_printf("http://127.0.0.1:%u%s", http_server_port(*state), path);
}

static void test_any_status_is_success(void **state)
{
	g_autofree char *url = url_of(state, "/missing");
	HttpCall call = {.method = "GET", .url = url};
	g_auto(HttpResult) result = {0};
	assert_true(http_client_call(&call, &result, NULL));
	assert_int_equal(result.status, 404);
	assert_string_equal(result.content_type, "application/json");
	assert_string_equal(result.body, "{}");
	assert_int_equal(result.body_bytes, 2);
}

static void test_token_type_and_body_are_sent(void **state)
{
	g_autofree char *url = url_of(state, "/echo");
	HttpCall call = {.method = "PUT",
		.url = url,
		.token = "drt_1",
		.content_type = "application/json",
		.body = "[1]",
		.body_bytes = 3};
	g_auto(HttpResult) result = {0};
	assert_true(http_client_call(&call, &result, NULL));
	assert_int_equal(result.status, 201);
	assert_string_equal(result.body, "PUT Bearer drt_1 application/json [1]");
}

static void test_redirects_are_not_followed(void **state)
{
	g_autofree char *url = url_of(state, "/elsewhere");
	HttpCall call = {.method = "GET", .url = url};
	g_auto(HttpResult) result = {0};
	assert_true(http_client_call(&call, &result, NULL));
	assert_int_equal(result.status, 302);
	assert_null(result.content_type);
}

static void test_answer_is_limited(void **state)
{
	g_autofree char *url = url_of(state, "/ten");
	HttpCall call = {.method = "GET", .url = url, .maximum_bytes = 10};
	g_auto(HttpResult) fits = {0};
	assert_true(http_client_call(&call, &fits, NULL));
	assert_string_equal(fits.body, "0123456789");
	call.maximum_bytes = 9;
	g_auto(HttpResult) larger = {0};
	g_autoptr(GError) error = NULL;
	assert_false(http_client_call(&call, &larger, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
	assert_non_null(strstr(error->message, "the answer is larger than 9 bytes"));
	assert_null(larger.body);
}

/* A socket of 127.0.0.1 that is bound, and listens when told to, but never accepts. */
static int silent_socket(gboolean listens, char **url)
{
	struct sockaddr_in where = {.sin_family = AF_INET};
	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t length = sizeof(where);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&where, &length), 0);
	if (listens)
		assert_int_equal(listen(fd, 5), 0);
	*url = g_strdup_printf("http://127.0.0.1:%u/", ntohs(where.sin_port));
	return fd;
}

static void assert_fails(const HttpCall *call, DroverErrorCode code, const char *words)
{
	g_autoptr(GError) error = NULL;
	g_auto(HttpResult) result = {0};
	assert_false(http_client_call(call, &result, &error));
	if (!drover_error_is(error, code) || !strstr(error->message, words))
		fail_msg("code %d: %s", error->code, error->message);
}

static void test_refused_connection_is_unavailable(void **state)
{
	g_autofree char *url = NULL;
	int fd = silent_socket(FALSE, &url);
	HttpCall call = {.method = "GET", .url = url};
	assert_fails(&call, DROVER_ERROR_UNAVAILABLE, "Failed to connect");
	close(fd);
}

static void test_silence_ends_at_the_timeout(void **state)
{
	g_autofree char *url = NULL;
	int fd = silent_socket(TRUE, &url);
	HttpCall call = {.method = "GET", .url = url, .timeout_ms = 300};
	assert_fails(&call, DROVER_ERROR_UNAVAILABLE, "timed out");
	close(fd);
}

static void test_unknown_name_is_unavailable(void **state)
{
	HttpCall call = {
		.method = "GET", .url = "http://no-such-host.invalid/", .timeout_ms = 5000};
	assert_fails(&call, DROVER_ERROR_UNAVAILABLE, "no-such-host.invalid");
}

static void test_bad_addresses_are_input_errors(void **state)
{
	static const char *const bad[] = {"", "/path", "ftp://x/", "file:///etc/passwd",
		"http://a b/", "http://x/\r\nEvil: 1", "http://[::1", "http://x:99999/"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		HttpCall call = {.method = "GET", .url = bad[i]};
		assert_fails(&call, DROVER_ERROR_INPUT, "");
	}
}

static void test_token_cannot_inject_a_header(void **state)
{
	g_autofree char *url = url_of(state, "/echo");
	HttpCall call = {.method = "GET", .url = url, .token = "a\r\nEvil: 1"};
	assert_fails(&call, DROVER_ERROR_INPUT, "control character");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_status_is_success),
		cmocka_unit_test(test_token_type_and_body_are_sent),
		cmocka_unit_test(test_redirects_are_not_followed),
		cmocka_unit_test(test_answer_is_limited),
		cmocka_unit_test(test_refused_connection_is_unavailable),
		cmocka_unit_test(test_silence_ends_at_the_timeout),
		cmocka_unit_test(test_unknown_name_is_unavailable),
		cmocka_unit_test(test_bad_addresses_are_input_errors),
		cmocka_unit_test(test_token_cannot_inject_a_header),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
