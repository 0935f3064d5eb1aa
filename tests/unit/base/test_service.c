/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/service.h"

static void test_the_service_manager_hears_a_datagram(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("service-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "notify", NULL);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char heard[32] = {0};
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	g_setenv("NOTIFY_SOCKET", path, TRUE);
	service_notify("READY=1");
	assert_int_equal(recv(fd, heard, sizeof heard - 1, MSG_DONTWAIT), 7);
	assert_string_equal(heard, "READY=1");
	close(fd);
	g_unlink(path);
	g_rmdir(folder);
	service_notify("READY=1"); /* nobody there any more: nothing happens */
	g_unsetenv("NOTIFY_SOCKET");
	service_notify("READY=1");
}

static void test_the_watchdog_is_for_the_process_that_it_names(void **state)
{
	g_autofree char *own = g_strdup_printf("%d", (int)getpid());
	g_unsetenv("WATCHDOG_USEC");
	assert_int_equal(service_watchdog_ms(), 0);
	g_setenv("WATCHDOG_USEC", "30000000", TRUE);
	assert_int_equal(service_watchdog_ms(), 30000);
	g_setenv("WATCHDOG_PID", own, TRUE);
	assert_int_equal(service_watchdog_ms(), 30000);
	g_setenv("WATCHDOG_PID", "1", TRUE);
	assert_int_equal(service_watchdog_ms(), 0);
	g_setenv("WATCHDOG_PID", own, TRUE);
	g_setenv("WATCHDOG_USEC", "nonsense", TRUE);
	assert_int_equal(service_watchdog_ms(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_service_manager_hears_a_datagram),
		cmocka_unit_test(test_the_watchdog_is_for_the_process_that_it_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
