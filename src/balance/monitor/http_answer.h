/* SPDX-License-Identifier: ISC
 *
 * An HTTP/1 answer, read as it comes in, in pieces of any size. Pure. Understood is just what a
 * check needs: the status, where the body ends, and whether the server says that it is in
 * maintenance. Everything comes from outside and is bounded.
 */
#ifndef BALANCE_MONITOR_HTTP_ANSWER_H
#define BALANCE_MONITOR_HTTP_ANSWER_H

#include <glib.h>

#define HTTP_ANSWER_MAXIMUM_HEAD_BYTES	 (8 * 1024)  /* status line and headers, interim ones too */
#define HTTP_ANSWER_MAXIMUM_BODY_BYTES	 (64 * 1024) /* that are read; there may be more */
#define HTTP_ANSWER_MAXIMUM_LINE_BYTES	 240 /* of a line that are looked at; the rest is skipped */
#define HTTP_ANSWER_MAXIMUM_REASON_BYTES 40  /* kept of "Service Unavailable" */
#define HTTP_ANSWER_MAINTENANCE		 "X-Drover-Maintenance"

typedef enum HttpAnswerState {
	HTTP_ANSWER_READING,
	HTTP_ANSWER_COMPLETE, /* or HTTP_ANSWER_MAXIMUM_BODY_BYTES of it are there */
	HTTP_ANSWER_BROKEN,   /* `problem` says why */
} HttpAnswerState;

typedef struct HttpAnswer {
	HttpAnswerState state;
	const char *problem; /* static: "the answer is no HTTP" */
	gboolean has_head;   /* status and headers are known */
	guint status;
	char reason[HTTP_ANSWER_MAXIMUM_REASON_BYTES + 1]; /* as sent, maybe cut */
	gboolean maintenance; /* HTTP_ANSWER_MAINTENANCE was among the headers */
	gboolean is_cut;      /* there was more body */
	GByteArray *body;     /* without chunk marks; NULL: not kept, or none */

	/* The parser's own. */
	guint8 at;
	gboolean keeps_body, has_length, is_chunked;
	guint64 left; /* of the body or chunk, when it says */
	guint head_bytes, body_bytes, line_bytes;
	char line[HTTP_ANSWER_MAXIMUM_LINE_BYTES];
} HttpAnswer;

void http_answer_init(HttpAnswer *answer, gboolean keeps_body);
void http_answer_clear(HttpAnswer *answer);
/* More of it. What comes after it is complete or broken is ignored. */
HttpAnswerState http_answer_feed(HttpAnswer *answer, const char *bytes, gsize size_bytes);
/* The server has closed the connection. Complete or broken afterwards. */
HttpAnswerState http_answer_close(HttpAnswer *answer);

#endif
