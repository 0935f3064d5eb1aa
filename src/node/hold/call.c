/* SPDX-License-Identifier: ISC
 *
 * The caller's end of the control socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "node/hold/hold.h"
#include "node/hold/listen.h"
#include "node/hold/spawn.h"

#define BEGIN_MS       10000 /* for a holder that was started to answer */
#define BEGIN_EVERY_MS 50
#define SLACK_S	       15

static int connect_holder(const NodeProduct *product, GError **error)
{
	ListenAddress address;
	g_autofree char *path = g_build_filename(product->prefix, ".drover", "hold.sock", NULL);
	if (!listen_address_parse(path, &address, error))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
		connect(fd, (const struct sockaddr *)&address.socket, address.size_bytes) == 0)
		return fd;
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
		"no holder of '%s' answers at %s (%s): start it with drover-node hold %s",
		product->name, path, g_strerror(errno), product->name);
	if (fd >= 0)
		close(fd);
	return -1;
}

static gboolean send_line(int fd, const json_t *call)
{
	g_autofree char *text = json_dumps(call, JSON_COMPACT);
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	return send(fd, line, strlen(line), MSG_NOSIGNAL) == (gssize)strlen(line);
}

/* Its line, whole; FALSE: it went away or took too long. */
static gboolean read_line(int fd, gint64 until_ms, GString *line)
{
	char scratch[4096];
	while (line->len == 0 || line->str[line->len - 1] != '\n') {
		struct pollfd door = {.fd = fd, .events = POLLIN};
		gint64 left_ms = until_ms - clock_monotonic_ms();
		if (left_ms <= 0 || line->len > HOLD_MAXIMUM_MESSAGE_BYTES)
			return FALSE;
		if (poll(&door, 1, (int)MIN(left_ms, G_MAXINT)) <= 0)
			continue;
		gssize got = recv(fd, scratch, sizeof scratch, 0);
		if (got <= 0)
			return FALSE;
		g_string_append_len(line, scratch, got);
	}
	return TRUE;
}

static json_t *understand(const NodeProduct *product, const GString *line, GError **error)
{
	json_t *answer = json_loadb(line->str, line->len, JSON_REJECT_DUPLICATES, NULL);
	json_t *refusal = json_object_get(answer, "error");
	if (json_is_object(answer) && refusal == NULL)
		return answer;
	const char *kind = json_string_value(json_object_get(refusal, "code"));
	const char *message = json_string_value(json_object_get(refusal, "message"));
	if (kind != NULL && message != NULL)
		drover_error_set(error, drover_error_code_from_kind(kind), "%s", message);
	else
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"the holder of '%s' answered with what is none", product->name);
	json_decref(answer);
	return NULL;
}

json_t *hold_call(const NodeProduct *product, const json_t *call, gint64 timeout_s, GError **error)
{
	int fd = connect_holder(product, error);
	if (fd < 0)
		return NULL;
	g_autoptr(GString) line = g_string_new(NULL);
	gboolean ok =
		send_line(fd, call) && read_line(fd, clock_monotonic_ms() + timeout_s * 1000, line);
	close(fd);
	if (ok)
		return understand(product, line, error);
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
		"the holder of '%s' did not answer in %" G_GINT64_FORMAT
		" s, or has ended; what it was told may go on",
		product->name, timeout_s);
	return NULL;
}

gboolean hold_answers(const NodeProduct *product)
{
	int fd = connect_holder(product, NULL);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A copy of this process of which the holder is a child; it ends at once, so that nobody has to
 * wait for the holder. */
static int begin_holder(gpointer of)
{
	char *const *argv = of;
	pid_t process = fork();
	if (process == 0) {
		setsid();
		execv(argv[0], argv);
		_exit(127);
	}
	return process > 0 ? 0 : 1;
}

static int open_log(const NodeProduct *product, GError **error)
{
	g_autofree char *folder = g_build_filename(product->prefix, "shared", "log", NULL);
	g_autofree char *path = g_build_filename(folder, "hold.log", NULL);
	if (!file_make_folder(folder, 0755, error))
		return -1;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write %s: %s", path,
			g_strerror(errno));
	return fd;
}

gboolean hold_ensure(
	const NodeProduct *product, const char *config_path, const char *program, GError **error)
{
	int pidfd = -1;
	if (hold_answers(product))
		return TRUE;
	char *argv[] = {(char *)program, (char *)"hold", product->name, (char *)"--config",
		(char *)config_path, NULL};
	char **environment = g_get_environ();
	environment = g_environ_unsetenv(environment, "NOTIFY_SOCKET");
	environment = g_environ_unsetenv(environment, "LISTEN_FDS");
	int log = open_log(product, error);
	Spawn how = {.body = begin_holder, .of = argv, .environment = environment, .output = log};
	pid_t process = log >= 0 ? spawn_start(&how, &pidfd, error) : -1;
	g_strfreev(environment);
	if (log >= 0)
		close(log);
	if (process < 0)
		return FALSE;
	waitpid(process, NULL, 0);
	close(pidfd);
	for (gint64 waited_ms = 0; waited_ms < BEGIN_MS; waited_ms += BEGIN_EVERY_MS) {
		if (hold_answers(product))
			return TRUE;
		g_usleep(BEGIN_EVERY_MS * 1000);
	}
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
		"the holder of '%s' was started but does not answer: %s/shared/log/hold.log says "
		"why",
		product->name, product->prefix);
	return FALSE;
}

gint64 hold_limit_s(const NodeProduct *product)
{
	return 2 * (product->ready_timeout_s + product->drain_timeout_s) + SLACK_S;
}

gboolean hold_restart(const NodeProduct *product, const char *version, gpointer of, GError **error)
{
	const HoldProgram *own = of;
	if (own != NULL && !hold_ensure(product, own->config_path, own->program, error))
		return FALSE;
	json_t *call = json_pack("{s:s, s:s}", "do", "handover", "version", version);
	json_t *answer = hold_call(product, call, hold_limit_s(product), error);
	json_decref(call);
	json_decref(answer);
	return answer != NULL;
}
