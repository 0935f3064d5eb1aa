/* SPDX-License-Identifier: ISC
 *
 * A mail server for one test: tests/smtp-sink, started and ended by the test.
 */
#ifndef TESTS_NOTICE_SINK_H
#define TESTS_NOTICE_SINK_H

#include <glib.h>

typedef struct Sink {
	char *folder; /* of the mails it took */
	char *url;    /* smtp://127.0.0.1:PORT */
	GPid pid;
	int input; /* it ends when this is closed */
} Sink;

/* `options` are smtp-sink's, blanks between them, "" for none. Fails the test when it does not
 * start. */
Sink *sink_start(const char *program, const char *options);
void sink_stop(Sink *sink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sink, sink_stop)

/* The mails it took until now, in order: char *, as they came. */
GPtrArray *sink_mails(const Sink *sink);
/* A header's value in a mail, unfolded; NULL when there is none. Caller frees. */
char *mail_header(const char *mail, const char *name);

#endif
