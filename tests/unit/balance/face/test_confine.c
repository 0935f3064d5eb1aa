/* SPDX-License-Identifier: ISC
 *
 * Each test is a child that confines itself and then does one thing; how it ends is the answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "balance/director/confine.h"

enum { WENT_WELL = 42 };

/* How a confined child ends that does `act`: the signal that killed it, or 0 when it went well. */
static int end_of(void (*act)(void))
{
	const struct rlimit none = {0, 0};
	pid_t child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &none);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (!confine_process(NULL))
			_exit(1);
		act();
		_exit(WENT_WELL);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	assert_int_equal(WEXITSTATUS(status), WENT_WELL);
	return 0;
}

static void start_a_program(void)
{
	char *argv[] = {(char *)"/bin/true", NULL};
	execv(argv[0], argv);
}

static void fork_it(void)
{
	if (fork() == 0)
		_exit(0);
}

static void trace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void map_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void make_memory_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void open_raw_packets(void)
{
	socket(AF_PACKET, SOCK_RAW, 0);
}

static void open_audit(void)
{
	socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
}

static void signal_its_parent(void)
{
	kill(getppid(), 0);
}

static void become_root(void)
{
	if (setuid(0) != 0)
		_exit(1);
}

static void raise_a_limit(void)
{
	const struct rlimit limit = {100, 100};
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void leave_the_root(void)
{
	if (chroot("/") != 0)
		_exit(1);
}

static void test_what_a_balancer_never_does_ends_it(void **state)
{
	void (*const acts[])(void) = {start_a_program, fork_it, trace, map_code, make_memory_code,
		open_raw_packets, open_audit, signal_its_parent, become_root, raise_a_limit,
		leave_the_root};
	for (gsize i = 0; i < G_N_ELEMENTS(acts); i++)
		if (end_of(acts[i]) != SIGSYS)
			fail_msg("act %zu was not stopped", i);
}

static void abort_it(void)
{
	abort();
}

/* GLib aborts when there is no memory left: that has to look like what it is. */
static void test_an_abort_is_an_abort(void **state)
{
	assert_int_equal(end_of(abort_it), SIGABRT);
}

static void work(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct rlimit limit;
	int tcp = socket(AF_INET, SOCK_STREAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0);
	int routes = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	int generic = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connect(tcp, (struct sockaddr *)&at, sizeof at);
	free(malloc(8 * 1024 * 1024));
	g_autofree char *text = NULL;
	if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL))
		_exit(1);
	getrlimit(RLIMIT_NOFILE, &limit);
	if (tcp < 0 || (six < 0 && errno != EAFNOSUPPORT) || routes < 0 || generic < 0)
		_exit(1);
}

static void test_what_a_balancer_does_goes_on(void **state)
{
	assert_int_equal(end_of(work), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_balancer_never_does_ends_it),
		cmocka_unit_test(test_an_abort_is_an_abort),
		cmocka_unit_test(test_what_a_balancer_does_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
