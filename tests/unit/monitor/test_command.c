/* SPDX-License-Identifier: ISC
 *
 * RunCommand with real commands, through engine and helper.
 */
#include "bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "loop.h"

#define COMMAND "monitors = [ 'RunCommand' ]\nruncommand.interval = .1\n"
#define SHELL	COMMAND "runcommand.command = /bin/sh\n"

typedef struct Scene {
	struct event_base *base;
	Runner *runner;
	Checks *checks;
	Config *config;
	Check *check;
	guint told;
	PoolResult result;
	char *why;
} Scene;

static void hear(PoolResult result, const char *why, gint64 took_us, gpointer of)
{
	Scene *scene = of;
	scene->told++;
	scene->result = result;
	g_free(scene->why);
	scene->why = g_strdup(why);
}

static void set_up_with(Scene *scene, Runner *runner)
{
	g_autoptr(GError) error = NULL;
	scene->runner = runner;
	scene->base = event_base_new();
	if (runner != NULL)
		runner_attach(runner, scene->base);
	scene->checks = checks_new(&(ChecksOptions){scene->base, 100, 42, runner}, &error);
	g_assert_no_error(error);
}

static int set_up(void **state)
{
	Scene *scene = g_new0(Scene, 1);
	set_up_with(scene, runner_start((uid_t)-1, (gid_t)-1, NULL));
	*state = scene;
	return 0;
}

static int set_up_without_runner(void **state)
{
	Scene *scene = g_new0(Scene, 1);
	set_up_with(scene, NULL);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	Scene *scene = *state;
	g_clear_pointer(&scene->check, checks_leave);
	checks_free(scene->checks);
	runner_free(scene->runner);
	event_base_free(scene->base);
	if (scene->config != NULL)
		config_free(scene->config);
	g_free(scene->why);
	g_free(scene);
	return 0;
}

static void watch(Scene *scene, const char *lines)
{
	g_autoptr(GError) error = NULL;
	CheckTarget target = {.host = "web1; echo $HOME", .port = 80};
	assert_true(address_parse("2001:db8::5", &target.address));
	scene->check = checks_watch(scene->checks, bed_service(&scene->config, lines),
		CONFIG_RUNCOMMAND, &target, hear, scene, &error);
	g_assert_no_error(error);
}

static void expect(Scene *scene, const char *lines, PoolResult result, const char *why)
{
	watch(scene, lines);
	loop_until(scene->base, &scene->told, 1);
	assert_string_equal(scene->why, why);
	assert_int_equal(scene->result, result);
}

static void test_exit_0_is_up(void **state)
{
	expect(*state, SHELL "runcommand.arguments = [ '-c', 'echo all; echo is well; echo' ]\n",
		POOL_RESULT_UP, "exit status 0: is well");
}

static void test_another_exit_status_is_down(void **state)
{
	expect(*state, SHELL "runcommand.arguments = [ '-c', 'echo full >&2; exit 2' ]\n",
		POOL_RESULT_DOWN, "exit status 2: full");
}

static void test_a_signal_is_down(void **state)
{
	expect(*state, SHELL "runcommand.arguments = [ '-c', 'kill -KILL $$' ]\n", POOL_RESULT_DOWN,
		"died by signal 9 (Killed)");
}

static void test_the_timeout_is_down(void **state)
{
	expect(*state,
		SHELL "runcommand.timeout = .3\nruncommand.arguments = [ '-c', "
		      "'trap \"\" TERM; echo begun; sleep 1000 & sleep 1000' ]\n",
		POOL_RESULT_DOWN, "killed after 300 ms: begun");
}

static void test_a_program_that_is_not_there_is_down(void **state)
{
	expect(*state, COMMAND "runcommand.command = /no/such\n", POOL_RESULT_DOWN,
		"not run: /no/such: No such file or directory");
}

static void test_the_server_is_given_as_plain_text(void **state)
{
	expect(*state,
		SHELL "runcommand.arguments = [ '-c', 'echo \"$1 $2 $3\"', 'sh', server.host, "
		      "server.ip, 'server.ip' ]\n",
		POOL_RESULT_UP, "exit status 0: web1; echo $HOME 2001:db8::5 server.ip");
}

static void test_it_runs_again_and_again(void **state)
{
	Scene *scene = *state;
	watch(scene, COMMAND "runcommand.command = /bin/true\n");
	loop_until(scene->base, &scene->told, 3);
	assert_string_equal(scene->why, "exit status 0");
}

static void test_output_goes_to_the_log_as_one_line(void **state)
{
	Scene *scene = *state;
	int ends[2];
	char line[512] = "";
	assert_int_equal(pipe(ends), 0);
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, ends[1]);
	watch(scene, SHELL "runcommand.arguments = [ '-c', 'echo a; echo b' ]\n");
	loop_until(scene->base, &scene->told, 1);
	g_clear_pointer(&scene->check, checks_leave);
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, STDERR_FILENO);
	close(ends[1]);
	assert_true(read(ends[0], line, sizeof line - 1) > 0);
	close(ends[0]);
	assert_non_null(strstr(line, "event=runcommand.output"));
	assert_non_null(strstr(line, "command=/bin/sh"));
	assert_non_null(strstr(line, "output=\"a\\nb\\n\""));
}

static void test_output_is_not_logged_when_it_is_not_wanted(void **state)
{
	Scene *scene = *state;
	int ends[2];
	char byte;
	assert_int_equal(pipe(ends), 0);
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, ends[1]);
	watch(scene,
		SHELL "runcommand.log-output = no\nruncommand.arguments = [ '-c', 'echo a' ]\n");
	loop_until(scene->base, &scene->told, 1);
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, STDERR_FILENO);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

static void test_a_lost_helper_says_nothing_about_servers(void **state)
{
	Scene *scene = *state;
	watch(scene, COMMAND "runcommand.command = /bin/true\n");
	loop_until(scene->base, &scene->told, 1);
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR, STDERR_FILENO); /* it warns */
	kill(runner_process(scene->runner), SIGKILL);
	ChecksFigures figures = {0};
	while (figures.unmade < 2) {
		loop_for_ms(scene->base, 5);
		checks_figures(scene->checks, &figures);
	}
	assert_int_equal(scene->result, POOL_RESULT_UP);
	assert_true(runner_is_lost(scene->runner));
}

static void test_a_check_that_is_left_is_killed(void **state)
{
	Scene *scene = *state;
	watch(scene, SHELL "runcommand.arguments = [ '-c', 'sleep 1000' ]\n");
	ChecksFigures figures = {0};
	while (figures.started < 1) {
		loop_for_ms(scene->base, 5);
		checks_figures(scene->checks, &figures);
	}
	g_clear_pointer(&scene->check, checks_leave);
	loop_for_ms(scene->base, 100);
	assert_int_equal(scene->told, 0);
}

static void test_without_a_runner_the_check_says_so(void **state)
{
	expect(*state, COMMAND "runcommand.command = /bin/true\n", POOL_RESULT_DOWN,
		"not run: this program runs no commands");
}

static void test_too_many_arguments_are_an_error(void **state)
{
	g_autoptr(GError) error = NULL;
	char *command = g_strdup("/bin/true");
	g_autofree char *word = g_strnfill(RUNNER_MAXIMUM_REQUEST_BYTES / 2, 'x');
	char *words[] = {word, NULL};
	ConfigService service = {.name = (char *)(guintptr) "web",
		.runcommand = {.command = command,
			.arguments = words,
			.timeout_ms = 1000,
			.interval_ms = 1000}};
	assert_false(checks_validate(&service, CONFIG_RUNCOMMAND, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	word[0] = '\0';
	assert_true(checks_validate(&service, CONFIG_RUNCOMMAND, NULL));
	g_free(command);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_exit_0_is_up),
		TEST(test_another_exit_status_is_down),
		TEST(test_a_signal_is_down),
		TEST(test_the_timeout_is_down),
		TEST(test_a_program_that_is_not_there_is_down),
		TEST(test_the_server_is_given_as_plain_text),
		TEST(test_it_runs_again_and_again),
		TEST(test_output_goes_to_the_log_as_one_line),
		TEST(test_output_is_not_logged_when_it_is_not_wanted),
		TEST(test_a_lost_helper_says_nothing_about_servers),
		TEST(test_a_check_that_is_left_is_killed),
		cmocka_unit_test_setup_teardown(
			test_without_a_runner_the_check_says_so, set_up_without_runner, tear_down),
		cmocka_unit_test(test_too_many_arguments_are_an_error),
	};
	return cmocka_run_group_tests_name("monitor command", tests, NULL, NULL);
}
