/* SPDX-License-Identifier: ISC
 *
 * Replies of a mail server, read from bytes as they come: one or several lines, "250-first",
 * "250 last". Pure. RFC 5321, 4.2.
 */
#ifndef BALANCE_MONITOR_SMTP_REPLY_H
#define BALANCE_MONITOR_SMTP_REPLY_H

#include <glib.h>

#define SMTP_MAXIMUM_REPLY_BYTES (16 * 1024) /* all lines of one reply */
#define SMTP_KEPT_BYTES		 80	     /* of a line, for words about it */

typedef enum SmtpState {
	SMTP_MORE, /* is wanted */
	SMTP_WHOLE,
	SMTP_BROKEN, /* that is no reply */
	SMTP_ENDLESS /* over SMTP_MAXIMUM_REPLY_BYTES */
} SmtpState;

/* Zero before the first byte of each reply. */
typedef struct SmtpReply {
	guint code; /* of the first line; 0: not known yet */
	gsize read_bytes;
	gsize line_bytes;		/* of the line under way, without its end */
	char line[SMTP_KEPT_BYTES + 1]; /* its beginning; at last that of the last line */
} SmtpReply;

/* Reads up to the end of the reply. *used_bytes: how far that was. */
SmtpState smtp_reply_read(SmtpReply *reply, const char *bytes, gsize size_bytes, gsize *used_bytes);

#endif
