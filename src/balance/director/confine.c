/* SPDX-License-Identifier: ISC
 *
 * An allow-list by libseccomp. A name that this architecture does not have is left out.
 */
#include "balance/director/confine.h"

#include <linux/netlink.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* With any arguments. */
static const char *const allowed[] = {
	/* memory, time, chance */
	"brk", "clock_getres", "clock_gettime", "clock_nanosleep", "getrandom", "gettimeofday",
	"madvise", "mremap", "munmap", "nanosleep", "time",
	/* itself */
	"exit", "exit_group", "getegid", "geteuid", "getgid", "getgroups", "getpgrp", "getpid",
	"getppid", "getresgid", "getresuid", "getrusage", "gettid", "getuid", "sched_getaffinity",
	"sched_yield", "sysinfo", "times", "umask", "uname",
	/* signals and threads */
	"futex", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
	"rt_sigreturn", "rt_sigtimedwait", "set_robust_list", "sigaltstack",
	/* the helper's end */
	"wait4", "waitid",
	/* waiting */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait",
	"eventfd2", "pipe", "pipe2", "poll", "ppoll", "pselect6", "select", "timerfd_create",
	"timerfd_gettime", "timerfd_settime",
	/* files: configuration, lists, what is saved */
	"access", "chmod", "close", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fchmod",
	"fchmodat", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate",
	"getcwd", "getdents64", "inotify_add_watch", "inotify_init1", "inotify_rm_watch", "lseek",
	"lstat", "mkdir", "mkdirat", "newfstatat", "open", "openat", "pread64", "pwrite64", "read",
	"readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir", "stat",
	"statfs", "statx", "unlink", "unlinkat", "write", "writev",
	/* sockets */
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt",
	"listen", "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt",
	"shutdown", NULL};

static struct scmp_arg_cmp is(unsigned int argument, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value};
}

/* None of the bits of `mask`. */
static struct scmp_arg_cmp lacks(unsigned int argument, scmp_datum_t mask)
{
	return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask};
}

static gboolean allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp test)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, test) == 0;
}

static gboolean allow_if_both(
	scmp_filter_ctx filter, int call, struct scmp_arg_cmp one, struct scmp_arg_cmp other)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 2, one, other) == 0;
}

/* No new code: neither mapped, nor written and then run. */
static gboolean allow_memory(scmp_filter_ctx filter)
{
	return allow_if(filter, SCMP_SYS(mmap), lacks(2, PROT_EXEC)) &&
	       allow_if(filter, SCMP_SYS(mprotect), lacks(2, PROT_EXEC));
}

static gboolean allow_sockets(scmp_filter_ctx filter)
{
	static const int netlinks[] = {NETLINK_ROUTE, NETLINK_GENERIC};
	gboolean ok = allow_if(filter, SCMP_SYS(socket), is(0, AF_UNIX)) &&
		      allow_if(filter, SCMP_SYS(socket), is(0, AF_INET)) &&
		      allow_if(filter, SCMP_SYS(socket), is(0, AF_INET6)) &&
		      allow_if(filter, SCMP_SYS(socketpair), is(0, AF_UNIX));
	for (gsize i = 0; i < G_N_ELEMENTS(netlinks); i++)
		ok = ok && allow_if_both(filter, SCMP_SYS(socket), is(0, AF_NETLINK),
				   is(2, (scmp_datum_t)netlinks[i]));
	return ok;
}

static gboolean allow_requests(scmp_filter_ctx filter)
{
	static const scmp_datum_t requests[] = {
		FIONREAD, FIONBIO, TCGETS, SIOCGIFINDEX, SIOCGIFNAME};
	gboolean ok = TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(requests); i++)
		ok = ok && allow_if(filter, SCMP_SYS(ioctl), is(1, requests[i]));
	return ok;
}

/* abort() signals itself; limits are read, its own alone. */
static gboolean allow_itself(scmp_filter_ctx filter)
{
	return allow_if(filter, SCMP_SYS(tgkill), is(0, (scmp_datum_t)getpid())) &&
	       allow_if_both(filter, SCMP_SYS(prlimit64), is(0, 0), is(2, 0));
}

static gboolean allow(scmp_filter_ctx filter)
{
	for (const char *const *name = allowed; *name != NULL; name++) {
		int number = seccomp_syscall_resolve_name(*name);
		if (number >= 0 && seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) != 0)
			return FALSE;
	}
	return allow_memory(filter) && allow_sockets(filter) && allow_requests(filter) &&
	       allow_itself(filter);
}

gboolean confine_process(GError **error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	gboolean ok =
		filter != NULL &&
		seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 && allow(filter) &&
		seccomp_load(filter) == 0;
	if (filter != NULL)
		seccomp_release(filter);
	if (!ok)
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"cannot confine drover-lvs: does this kernel have seccomp "
			"(CONFIG_SECCOMP_FILTER)? --allow-unconfined goes on without");
	return ok;
}
