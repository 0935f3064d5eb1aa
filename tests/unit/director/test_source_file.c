/* SPDX-License-Identifier: ISC
 *
 * A list in a file, written in all the ways in which people write files. What was told stands in
 * one text: "[a b]" for a list of a and b, "!" for a problem.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "balance/director/source.h"
#include "base/clock.h"
#include "base/file.h"

enum { PATIENCE_MS = 15000 };

typedef struct Folder {
	char *path, *list;
	struct event_base *base;
	Source *source;
	GString *told;
	char *problem;
} Folder;

static void on_news(const SourceNews *news, gpointer of)
{
	Folder *folder = of;
	if (news->list == NULL) {
		g_string_append_c(folder->told, '!');
		g_free(folder->problem);
		folder->problem = g_strdup(news->problem);
		return;
	}
	g_string_append_c(folder->told, '[');
	for (guint i = 0; i < news->list->entries->len; i++)
		g_string_append_printf(folder->told, "%s%s", i > 0 ? " " : "",
			g_array_index(news->list->entries, PoolEntry, i).name);
	if (news->list->bad > 0)
		g_string_append(folder->told, " bad");
	g_string_append_c(folder->told, ']');
}

static int setup(void **state)
{
	Folder *folder = g_new0(Folder, 1);
	folder->path = g_dir_make_tmp("drover-source-XXXXXX", NULL);
	folder->list = g_build_filename(folder->path, "web.json", NULL);
	folder->base = event_base_new();
	folder->told = g_string_new(NULL);
	*state = folder;
	return 0;
}

static int teardown(void **state)
{
	Folder *folder = *state;
	source_free(folder->source);
	event_base_free(folder->base);
	file_remove(folder->path, NULL);
	g_string_free(folder->told, TRUE);
	g_free(folder->problem);
	g_free(folder->list);
	g_free(folder->path);
	g_free(folder);
	return 0;
}

static void open_source(Folder *folder)
{
	g_autofree char *url = g_strconcat("file://", folder->list, NULL);
	const SourcePlace place = {.base = folder->base};
	folder->source = source_new(&place, url, on_news, folder, NULL);
	assert_non_null(folder->source);
	assert_string_equal(folder->told->str, "");
}

static void wake(evutil_socket_t unused, short what, void *of)
{
}

static void turn_for(Folder *folder, gint64 time_ms)
{
	const struct timeval most = {time_ms / 1000, time_ms % 1000 * 1000};
	struct event *timer = evtimer_new(folder->base, wake, NULL);
	evtimer_add(timer, &most);
	event_base_loop(folder->base, EVLOOP_ONCE);
	event_free(timer);
}

static void until_told(Folder *folder, const char *expected)
{
	gint64 end_ms = clock_monotonic_ms() + PATIENCE_MS;
	while (strcmp(folder->told->str, expected) != 0) {
		if (clock_monotonic_ms() > end_ms)
			fail_msg("waited in vain for %s: %s", expected, folder->told->str);
		turn_for(folder, 20);
	}
	g_string_truncate(folder->told, 0);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void replace(const Folder *folder, const char *text)
{
	assert_true(g_file_set_contents(folder->list, text, -1, NULL));
}

static void test_list_is_told_at_once_and_when_it_is_replaced(void **state)
{
	Folder *folder = *state;
	replace(folder, "{\"a\": {}}");
	open_source(folder);
	until_told(folder, "[a]");
	replace(folder, "{\"a\": {}, \"b\": {}}");
	until_told(folder, "[a b]");
	replace(folder, "{\"b\": {}}");
	until_told(folder, "[b]");
}

static void test_same_bytes_are_told_once_but_for_a_refresh(void **state)
{
	Folder *folder = *state;
	replace(folder, "{\"a\": {}}");
	open_source(folder);
	until_told(folder, "[a]");
	replace(folder, "{\"a\": {}}");
	turn_for(folder, 20);
	replace(folder, "{\"b\": {}}");
	until_told(folder, "[b]");
	source_refresh(folder->source);
	assert_string_equal(folder->told->str, "");
	until_told(folder, "[b]");
}

/* Each write is an event; the list is looked at when its writer has closed it. */
static void test_list_written_in_pieces_is_told_whole(void **state)
{
	Folder *folder = *state;
	replace(folder, "{\"a\": {}}");
	open_source(folder);
	until_told(folder, "[a]");
	FILE *file = fopen(folder->list, "w");
	for (int i = 0; i < 5; i++) {
		fprintf(file, "%s\"s%d\": {}", i == 0 ? "{" : ", ", i);
		fflush(file);
		turn_for(folder, SOURCE_FILE_SETTLE_MS + 20);
		assert_string_equal(folder->told->str, "");
	}
	fputs("}", file);
	fclose(file);
	until_told(folder, "[s0 s1 s2 s3 s4]");
}

static void test_writer_that_never_closes_is_not_waited_for_for_ever(void **state)
{
	Folder *folder = *state;
	replace(folder, "{\"a\": {}}");
	open_source(folder);
	until_told(folder, "[a]");
	FILE *file = fopen(folder->list, "w");
	fputs("{\"b\": {}}", file);
	fflush(file);
	until_told(folder, "[b]");
	fclose(file);
}

static void test_removed_and_written_again_soon_is_no_problem(void **state)
{
	Folder *folder = *state;
	replace(folder, "{\"a\": {}}");
	open_source(folder);
	until_told(folder, "[a]");
	g_unlink(folder->list);
	turn_for(folder, SOURCE_FILE_SETTLE_MS + 50);
	write_text(folder->list, "{\"b\": {}}");
	until_told(folder, "[b]");
}

static void test_file_that_is_gone_is_a_problem_until_it_is_back(void **state)
{
	Folder *folder = *state;
	replace(folder, "{\"a\": {}}");
	open_source(folder);
	until_told(folder, "[a]");
	g_unlink(folder->list);
	until_told(folder, "!");
	assert_non_null(strstr(folder->problem, "web.json: No such file"));
	/* The same list is news again. */
	replace(folder, "{\"a\": {}}");
	until_told(folder, "[a]");
}

static void test_folder_that_comes_later_is_found(void **state)
{
	Folder *folder = *state;
	g_autofree char *inner = g_build_filename(folder->path, "later", NULL);
	g_free(folder->list);
	folder->list = g_build_filename(inner, "web.json", NULL);
	open_source(folder);
	until_told(folder, "!");
	g_mkdir(inner, 0700);
	write_text(folder->list, "{\"a\": {}}");
	until_told(folder, "[a]");
	file_remove(inner, NULL);
	until_told(folder, "!");
}

/* web.json -> ..data/web.json, ..data -> v1; then ..data -> v2, by a rename. */
static void test_links_as_config_maps_have_them_are_followed(void **state)
{
	Folder *folder = *state;
	for (int i = 1; i <= 2; i++) {
		g_autofree char *version = g_strdup_printf("%s/v%d", folder->path, i);
		g_autofree char *list = g_build_filename(version, "web.json", NULL);
		g_autofree char *text = g_strdup_printf("{\"server%d\": {}}", i);
		g_mkdir(version, 0700);
		write_text(list, text);
	}
	g_autofree char *link = g_build_filename(folder->path, "..data", NULL);
	g_autofree char *next = g_build_filename(folder->path, "..next", NULL);
	assert_int_equal(symlink("v1", link), 0);
	assert_int_equal(symlink("..data/web.json", folder->list), 0);
	open_source(folder);
	until_told(folder, "[server1]");
	assert_int_equal(symlink("v2", next), 0);
	assert_int_equal(rename(next, link), 0);
	until_told(folder, "[server2]");
}

static void test_link_to_a_file_elsewhere_is_watched_there(void **state)
{
	Folder *folder = *state;
	g_autofree char *elsewhere = g_build_filename(folder->path, "elsewhere", NULL);
	g_autofree char *target = g_build_filename(elsewhere, "list", NULL);
	g_mkdir(elsewhere, 0700);
	write_text(target, "{\"a\": {}}");
	assert_int_equal(symlink(target, folder->list), 0);
	open_source(folder);
	until_told(folder, "[a]");
	write_text(target, "{\"b\": {}}");
	until_told(folder, "[b]");
}

static void test_what_is_no_file_is_a_problem(void **state)
{
	Folder *folder = *state;
	assert_int_equal(mkfifo(folder->list, 0600), 0);
	open_source(folder);
	until_told(folder, "!");
	g_unlink(folder->list);
	g_mkdir(folder->list, 0700);
	until_told(folder, "!");
	assert_non_null(strstr(folder->problem, "Is a directory"));
	g_rmdir(folder->list);
	replace(folder, "{\"a\": {}}");
	until_told(folder, "[a]");
}

static void test_file_over_the_limit_is_a_problem(void **state)
{
	Folder *folder = *state;
	int file = open(folder->list, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(file, SERVER_LIST_MAXIMUM_BYTES + 1), 0);
	close(file);
	open_source(folder);
	until_told(folder, "!");
	assert_non_null(strstr(folder->problem, "larger than"));
}

static void test_bad_lines_are_told_with_the_good_ones(void **state)
{
	Folder *folder = *state;
	replace(folder, "{\"a\": {}, \"b\": 7}");
	open_source(folder);
	until_told(folder, "[a bad]");
}

/* As many files as are open now. */
static void allow_no_more_files(struct rlimit *before)
{
	assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
	int next = dup(STDERR_FILENO);
	assert_true(next >= 0);
	close(next);
	const struct rlimit now = {(rlim_t)next, before->rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
}

static void test_list_that_could_not_be_read_for_want_of_a_descriptor_is_read_later(void **state)
{
	Folder *folder = *state;
	struct rlimit before;
	replace(folder, "{\"a\": {}}");
	open_source(folder);
	allow_no_more_files(&before);
	until_told(folder, "!");
	setrlimit(RLIMIT_NOFILE, &before);
	assert_non_null(strstr(folder->problem, "Too many open files"));
	until_told(folder, "[a]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_list_is_told_at_once_and_when_it_is_replaced),
		TEST(test_same_bytes_are_told_once_but_for_a_refresh),
		TEST(test_list_written_in_pieces_is_told_whole),
		TEST(test_writer_that_never_closes_is_not_waited_for_for_ever),
		TEST(test_removed_and_written_again_soon_is_no_problem),
		TEST(test_file_that_is_gone_is_a_problem_until_it_is_back),
		TEST(test_folder_that_comes_later_is_found),
		TEST(test_links_as_config_maps_have_them_are_followed),
		TEST(test_link_to_a_file_elsewhere_is_watched_there),
		TEST(test_what_is_no_file_is_a_problem),
		TEST(test_file_over_the_limit_is_a_problem),
		TEST(test_bad_lines_are_told_with_the_good_ones),
		TEST(test_list_that_could_not_be_read_for_want_of_a_descriptor_is_read_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
