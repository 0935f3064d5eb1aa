/* SPDX-License-Identifier: ISC
 *
 * Replies of a mail server. A line is three digits, a blank or a hyphen (the last line may have
 * neither), and text; all lines of a reply have the same digits.
 */
#include "balance/monitor/smtp_reply.h"

#include <string.h>

#define CODE_BYTES 3

/* Of the line that is whole: in reply->line, NUL-terminated. */
static SmtpState take_line(SmtpReply *reply)
{
	const char *line = reply->line;
	guint code = 0;
	for (gsize i = 0; i < CODE_BYTES; i++) {
		if (!g_ascii_isdigit(line[i]))
			return SMTP_BROKEN;
		code = code * 10 + (guint)g_ascii_digit_value(line[i]);
	}
	char mark = line[CODE_BYTES];
	gboolean known = mark == '\0' || mark == ' ' || mark == '-';
	if (code < 200 || code > 599 || !known || (reply->code != 0 && reply->code != code))
		return SMTP_BROKEN;
	reply->code = code;
	return mark == '-' ? SMTP_MORE : SMTP_WHOLE;
}

SmtpState smtp_reply_read(SmtpReply *reply, const char *bytes, gsize size_bytes, gsize *used_bytes)
{
	for (gsize i = 0; i < size_bytes; i++) {
		*used_bytes = i + 1;
		if (++reply->read_bytes > SMTP_MAXIMUM_REPLY_BYTES)
			return SMTP_ENDLESS;
		if (bytes[i] != '\n') {
			if (reply->line_bytes < SMTP_KEPT_BYTES)
				reply->line[reply->line_bytes] = bytes[i];
			reply->line_bytes++;
			continue;
		}
		gsize length = MIN(reply->line_bytes, SMTP_KEPT_BYTES);
		if (length > 0 && reply->line[length - 1] == '\r')
			length--;
		reply->line[length] = '\0';
		reply->line_bytes = 0;
		SmtpState state = take_line(reply);
		if (state != SMTP_MORE)
			return state;
	}
	*used_bytes = size_bytes;
	return SMTP_MORE;
}
