/* SPDX-License-Identifier: ISC
 *
 * Listening sockets: their addresses, opening, being lent, and taken from a process that has them.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "node/hold/listen.h"
#include "node/hold/spawn.h"

static void test_addresses_are_read_and_shown_alike(void **state)
{
	static const char *const good[] = {
		"127.0.0.1:80", "0.0.0.0:0", "[::1]:8443", "/run/web.sock"};
	static const char *const wrong[] = {"", ":80", "web:80", "127.0.0.1", "127.0.0.1:65536",
		"::1:80", "[::1]", "[127.0.0.1]:80", "127.0.0.1:x", "run/web.sock"};
	ListenAddress address;
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		assert_true(listen_address_parse(good[i], &address, NULL));
		g_autofree char *text = listen_address_text(&address);
		assert_string_equal(text, good[i]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(listen_address_parse(wrong[i], &address, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	}
}

static void test_a_path_that_is_too_long_is_refused(void **state)
{
	ListenAddress address;
	char path[sizeof((struct sockaddr_un *)0)->sun_path + 1];
	memset(path, '/', sizeof path);
	path[sizeof path - 1] = '\0';
	assert_false(listen_address_parse(path, &address, NULL));
	path[sizeof path - 2] = '\0';
	assert_true(listen_address_parse(path, &address, NULL));
}

static void test_what_is_open_is_known_and_what_is_used_refused(void **state)
{
	ListenAddress any, taken, found;
	g_autoptr(GError) error = NULL;
	assert_true(listen_address_parse("127.0.0.1:0", &any, NULL));
	int fd = listen_open(&any, NULL);
	assert_true(fd >= 0 && listen_address_of(fd, &taken));
	assert_int_equal(listen_open(&taken, &error), -1);
	assert_true(drover_error_is(error, DROVER_ERROR_CONFLICT));
	int other = socket(AF_INET, SOCK_STREAM, 0);
	assert_false(listen_address_of(other, &found));
	close(other);
	close(fd);
}

static void test_a_dead_unix_socket_is_replaced_and_a_living_one_is_not(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("drover-listen-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "s", NULL);
	ListenAddress address;
	assert_true(listen_address_parse(path, &address, NULL));
	int fd = listen_open(&address, NULL);
	assert_true(fd >= 0);
	assert_int_equal(listen_open(&address, NULL), -1);
	close(fd);
	fd = listen_open(&address, NULL);
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	/* What is no socket is nobody's to remove. */
	assert_true(file_write(path, "precious", 8, 0600, NULL));
	assert_int_equal(listen_open(&address, NULL), -1);
	assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
	file_remove(folder, NULL);
}

static int wait_for_ever(gpointer of)
{
	pause();
	return 0;
}

/* A holder that was killed leaves its service with the sockets: the next one takes them from it. */
static void test_sockets_are_taken_out_of_an_orphan(void **state)
{
	ListenAddress address, found;
	GArray *private = listen_open_private(1, &address, NULL);
	g_autofree char *text = listen_address_text(&address);
	char *listens[] = {text, NULL};
	char *environment[] = {NULL};
	NodeProduct product = {.listen = listens};
	int pidfd = -1;
	Spawn how = {.body = wait_for_ever, .environment = environment, .fds = private};
	pid_t process = spawn_start(&how, &pidfd, NULL);
	assert_true(process > 0);
	listen_close_all(private);
	g_usleep(200000); /* until it has put them where they belong */
	assert_null(listen_take_all(&product, NULL, NULL));
	g_autoptr(GArray) orphans = g_array_new(FALSE, FALSE, sizeof(int));
	g_array_append_val(orphans, pidfd);
	GArray *taken = listen_take_all(&product, orphans, NULL);
	assert_non_null(taken);
	assert_true(listen_address_of(g_array_index(taken, int, 0), &found));
	g_autofree char *again = listen_address_text(&found);
	assert_string_equal(again, text);
	kill(process, SIGKILL);
	g_free(spawn_collect(process, pidfd));
	close(pidfd);
	/* It is the same socket: it listens although that process is gone. */
	int client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
		connect(client, (struct sockaddr *)&address.socket, address.size_bytes), 0);
	close(client);
	listen_close_all(taken);
}

static void test_only_what_was_lent_to_this_process_is_taken(void **state)
{
	g_autoptr(GError) error = NULL;
	g_setenv("LISTEN_FDS", "1", TRUE);
	g_setenv("LISTEN_PID", "1", TRUE);
	assert_null(listen_lent(&error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	g_unsetenv("LISTEN_PID");
	g_setenv("LISTEN_FDS", "-1", TRUE);
	assert_null(listen_lent(NULL));
	g_unsetenv("LISTEN_FDS");
	assert_null(listen_lent(NULL));
}

/* Listens with as long a queue as the limit says, or as long as the host allows. */
static void test_private_sockets_are_many(void **state)
{
	ListenAddress address;
	GArray *fds = listen_open_private(NODE_MAXIMUM_LISTENS, &address, NULL);
	assert_int_equal(fds->len, NODE_MAXIMUM_LISTENS);
	for (guint i = 0; i < fds->len; i++)
		assert_true(listen_address_of(g_array_index(fds, int, i), &address));
	listen_close_all(fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_read_and_shown_alike),
		cmocka_unit_test(test_a_path_that_is_too_long_is_refused),
		cmocka_unit_test(test_what_is_open_is_known_and_what_is_used_refused),
		cmocka_unit_test(test_a_dead_unix_socket_is_replaced_and_a_living_one_is_not),
		cmocka_unit_test(test_sockets_are_taken_out_of_an_orphan),
		cmocka_unit_test(test_only_what_was_lent_to_this_process_is_taken),
		cmocka_unit_test(test_private_sockets_are_many),
	};
	return cmocka_run_group_tests_name("hold listen", tests, NULL, NULL);
}
