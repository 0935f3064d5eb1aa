/* SPDX-License-Identifier: ISC
 *
 * A mail server for one test.
 */
#include "sink.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

enum { MAXIMUM_MAIL_BYTES = 1000000 };

static int read_port(int output)
{
	char line[16] = {0};
	for (gsize i = 0; i + 1 < sizeof line && read(output, &line[i], 1) == 1; i++)
		if (line[i] == '\n')
			break;
	return (int)g_ascii_strtoll(line, NULL, 10);
}

Sink *sink_start(const char *program, const char *options)
{
	Sink *sink = g_new0(Sink, 1);
	sink->folder = g_dir_make_tmp("drover-sink-XXXXXX", NULL);
	g_autofree char *line = g_strdup_printf("%s %s %s", program, sink->folder, options);
	g_auto(GStrv) command = NULL;
	g_autoptr(GError) error = NULL;
	int output = -1;
	if (!g_shell_parse_argv(line, NULL, &command, &error) ||
		!g_spawn_async_with_pipes(NULL, command, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
			NULL, &sink->pid, &sink->input, &output, NULL, &error))
		fail_msg("%s", error->message);
	int port = read_port(output);
	close(output);
	if (port == 0)
		fail_msg("%s did not start", program);
	sink->url = g_strdup_printf("smtp://127.0.0.1:%d", port);
	return sink;
}

void sink_stop(Sink *sink)
{
	if (sink == NULL)
		return;
	close(sink->input);
	kill(sink->pid, SIGTERM);
	waitpid(sink->pid, NULL, 0);
	file_remove(sink->folder, NULL);
	g_free(sink->folder);
	g_free(sink->url);
	g_free(sink);
}

GPtrArray *sink_mails(const Sink *sink)
{
	GPtrArray *mails = g_ptr_array_new_with_free_func(g_free);
	for (guint number = 1;; number++) {
		g_autofree char *about = g_strdup_printf("%s/%04u.json", sink->folder, number);
		g_autofree char *path = g_strdup_printf("%s/%04u.eml", sink->folder, number);
		if (!g_file_test(about, G_FILE_TEST_EXISTS))
			return mails;
		g_ptr_array_add(mails, file_read(path, MAXIMUM_MAIL_BYTES, NULL, NULL));
	}
}

char *mail_header(const char *mail, const char *name)
{
	const char *end = strstr(mail, "\r\n\r\n");
	g_autofree char *head = g_strndup(mail, end != NULL ? (gsize)(end - mail) : strlen(mail));
	g_auto(GStrv) lines = g_strsplit(head, "\r\n", -1);
	g_autofree char *prefix = g_strconcat(name, ": ", NULL);
	for (guint i = 0; lines[i] != NULL; i++) {
		if (!g_str_has_prefix(lines[i], prefix))
			continue;
		g_autoptr(GString) value = g_string_new(lines[i] + strlen(prefix));
		while (lines[i + 1] != NULL && lines[i + 1][0] == ' ')
			g_string_append(value, lines[++i]);
		return g_string_free(g_steal_pointer(&value), FALSE);
	}
	return NULL;
}
