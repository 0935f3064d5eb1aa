/* SPDX-License-Identifier: ISC
 *
 * A balancer enrols: with a droverd in another process, because enrolling blocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "balance/director/enrol.h"
#include "balance/director/fetch.h"
#include "base/file.h"
#include "web.h"

#define GOOD "{\"host\": {\"name\": \"lvs1\", \"kind\": \"balancer\"}, \"secret\": \"drt_new\"}"

typedef struct Bed {
	char *folder, *token_file, *server;
	pid_t droverd;
} Bed;

/* Knows three codes. */
static void answer(WebVisitor *visitor, const char *request, gpointer of)
{
	const char *body = web_body(request);
	gboolean asked = g_str_has_prefix(request, "POST /api/v1/enrol HTTP/1.1\r\n") &&
			 strstr(body, "\"version\":\"1.2\"") != NULL &&
			 strstr(body, "\"now\":\"2") != NULL;
	if (asked && strstr(body, "\"code\":\"good\"") != NULL)
		web_answer(visitor, 200, NULL, GOOD);
	else if (strstr(body, "\"code\":\"node\"") != NULL)
		web_answer(visitor, 200, NULL,
			"{\"host\": {\"name\": \"web1\", \"kind\": \"node\"}, \"secret\": \"s\"}");
	else if (strstr(body, "\"code\":\"empty\"") != NULL)
		web_answer(visitor, 200, NULL, "{}");
	else
		web_answer(visitor, 401, NULL,
			"{\"error\": {\"kind\": \"unauthenticated\", \"message\": \"no such "
			"code\"}}");
}

/* The process and its port. */
static pid_t start_droverd(guint *port)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t parent = getpid(), child = fork();
	assert_true(child >= 0);
	if (child > 0) {
		guint16 number = 0;
		assert_int_equal(read(ends[0], &number, sizeof number), sizeof number);
		close(ends[0]);
		close(ends[1]);
		*port = number;
		return child;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	struct event_base *base = event_base_new();
	Web *web = web_new(base, 0, answer, NULL);
	guint16 number = web_port(web);
	if (write(ends[1], &number, sizeof number) == sizeof number)
		event_base_dispatch(base);
	_exit(1);
}

static int set_up(void **state)
{
	Bed *bed = g_new0(Bed, 1);
	guint port = 0;
	bed->folder = g_dir_make_tmp("drover-XXXXXX", NULL);
	bed->token_file = g_build_filename(bed->folder, "token", NULL);
	bed->droverd = start_droverd(&port);
	bed->server = g_strdup_printf("http://127.0.0.1:%u", port);
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	Bed *bed = *state;
	if (bed->droverd > 0) {
		kill(bed->droverd, SIGKILL);
		waitpid(bed->droverd, NULL, 0);
	}
	web_forget_names();
	file_remove(bed->folder, NULL);
	g_free(bed->folder);
	g_free(bed->token_file);
	g_free(bed->server);
	g_free(bed);
	return 0;
}

static char *enrol(Bed *bed, const char *server, const char *code, GError **error)
{
	const EnrolCall call = {
		.server = server, .token_file = bed->token_file, .code = code, .version = "1.2"};
	return enrol_host(&call, error);
}

static void assert_no_token(Bed *bed)
{
	assert_false(g_file_test(bed->token_file, G_FILE_TEST_EXISTS));
}

static void test_code_becomes_a_token_for_its_owner_alone(void **state)
{
	Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	g_autofree char *with_slash = g_strconcat(bed->server, "/", NULL);
	g_autofree char *name = enrol(bed, with_slash, " good\n", &error);
	assert_non_null(name);
	assert_string_equal(name, "lvs1");
	g_autofree char *token = file_read(bed->token_file, 100, NULL, NULL);
	assert_string_equal(token, "drt_new\n");
	struct stat status;
	assert_int_equal(stat(bed->token_file, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void test_failure_says_why_and_keeps_the_old_token(void **state)
{
	Bed *bed = *state;
	static const struct {
		const char *code, *words;
		DroverErrorCode kind;
	} rows[] = {
		{"spent", "answers 401: no such code", DROVER_ERROR_DENIED},
		{"node", "the code was for another kind of host", DROVER_ERROR_INPUT},
		{"empty", "holds no token", DROVER_ERROR_INPUT},
		{"", "this is no code", DROVER_ERROR_INPUT},
		{"two words", "this is no code", DROVER_ERROR_INPUT},
	};
	assert_true(file_write(bed->token_file, "old", 3, 0600, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(enrol(bed, bed->server, rows[i].code, &error));
		assert_true(drover_error_is(error, rows[i].kind));
		assert_non_null(strstr(error->message, rows[i].words));
		g_autofree char *token = file_read(bed->token_file, 100, NULL, NULL);
		assert_string_equal(token, "old");
	}
}

static void test_code_is_not_spent_when_the_token_could_not_be_kept(void **state)
{
	Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	g_free(bed->token_file);
	bed->token_file = g_strdup("/nowhere/at/all/token");
	kill(bed->droverd, SIGKILL);
	waitpid(bed->droverd, NULL, 0);
	bed->droverd = 0;
	assert_null(enrol(bed, bed->server, "good", &error));
	assert_string_equal(error->message, "the token file /nowhere/at/all/token cannot be "
					    "written: No such file or directory");
}

static void test_nobody_there_is_unavailable(void **state)
{
	Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	kill(bed->droverd, SIGKILL);
	waitpid(bed->droverd, NULL, 0);
	bed->droverd = 0;
	assert_null(enrol(bed, bed->server, "good", &error));
	assert_true(drover_error_is(error, DROVER_ERROR_UNAVAILABLE));
	assert_no_token(bed);
}

static void test_long_code_is_none(void **state)
{
	Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	g_autofree char *code = g_strnfill(ENROL_MAXIMUM_CODE_BYTES + 1, 'c');
	assert_null(enrol(bed, bed->server, code, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
}

static void test_code_goes_over_tls_or_stays_on_this_machine(void **state)
{
	Bed *bed = *state;
	static const char *const servers[] = {"http://control.example", "ftp://127.0.0.1",
		"control.example", "http://127.0.0.1.example", "http://10.0.0.1:8461"};
	for (guint i = 0; i < G_N_ELEMENTS(servers); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(enrol(bed, servers[i], "good", &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
		assert_true(
			g_str_has_prefix(error->message, "the server must be https://HOST[:PORT]"));
	}
	static const char *const local[] = {
		"http://localhost:1", "http://127.9.9.9", "http://[::1]:8461/"};
	for (guint i = 0; i < G_N_ELEMENTS(local); i++)
		assert_true(fetch_is_local(local[i]));
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		BED(test_code_becomes_a_token_for_its_owner_alone),
		BED(test_failure_says_why_and_keeps_the_old_token),
		BED(test_code_is_not_spent_when_the_token_could_not_be_kept),
		BED(test_nobody_there_is_unavailable),
		BED(test_long_code_is_none),
		BED(test_code_goes_over_tls_or_stays_on_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
