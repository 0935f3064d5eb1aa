/* SPDX-License-Identifier: ISC
 *
 * Any bytes as the parts of a mail, divided by NUL: from, to, subject, message id, body. Whatever
 * they hold, the mail has exactly our header fields, short lines of ASCII and no bare CR or LF.
 */
#include <string.h>

#include "wire/mail.h"
#include "wire/mail_inside.h"

#define MAXIMUM_LINE	998 /* RFC 5322, 2.1.1 */
#define MAXIMUM_ADDRESS 300 /* what we send to and as is checked before: a mailbox is short */

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

enum { FROM, TO, SUBJECT, ID, BODY, PARTS };

static const char *const fields[] = {
	"From: ", "To: ", "Subject: ", "Date: ", "Message-ID: ", "In-Reply-To: ", "References: ",
	"Auto-Submitted: ", "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: "};

/* Each part but the last ends at a NUL. Caller frees. */
static void divide(const guint8 *bytes, gsize size_bytes, char *parts[PARTS])
{
	const guint8 *end = bytes + size_bytes;
	for (int i = 0; i < PARTS; i++) {
		const guint8 *nul = bytes < end ? memchr(bytes, 0, (gsize)(end - bytes)) : NULL;
		gsize length = nul ? (gsize)(nul - bytes) : (gsize)(end - bytes);
		gsize kept = i == SUBJECT || i == BODY ? length : MIN(length, MAXIMUM_ADDRESS);
		parts[i] = g_strndup((const char *)bytes, kept);
		bytes = nul ? nul + 1 : end;
	}
}

static void check_characters(const char *mail)
{
	for (const char *c = mail; *c; c++) {
		g_assert(g_ascii_isprint(*c) || *c == '\t' || *c == '\r' || *c == '\n');
		g_assert(*c != '\r' || c[1] == '\n');
		g_assert(*c != '\n' || (c > mail && c[-1] == '\r'));
	}
}

static void check_lines(char **lines)
{
	guint field = 0, line = 0;
	for (; *lines[line]; line++) {
		g_assert_cmpuint(strlen(lines[line]), <=, MAXIMUM_LINE);
		if (lines[line][0] == ' ')
			continue;
		g_assert_cmpuint(field, <, G_N_ELEMENTS(fields));
		g_assert(g_str_has_prefix(lines[line], fields[field++]));
	}
	g_assert_cmpuint(field, ==, G_N_ELEMENTS(fields));
	for (; lines[line]; line++) {
		g_assert_cmpuint(strlen(lines[line]), <=, 76);
		g_assert(lines[line][0] != '.');
	}
}

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	char *parts[PARTS];
	divide(bytes, size_bytes, parts);
	Mail mail = {.from = parts[FROM],
		.to = parts[TO],
		.subject = parts[SUBJECT],
		.message_id = parts[ID],
		.in_reply_to = parts[ID],
		.body = parts[BODY]};
	g_autofree char *text = mail_compose(&mail);
	check_characters(text);
	g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
	check_lines(lines);
	g_autofree char *bare = mail_bare_address(parts[FROM]);
	g_assert_cmpuint(strlen(bare), <=, strlen(parts[FROM]));
	for (int i = 0; i < PARTS; i++)
		g_free(parts[i]);
	return 0;
}
