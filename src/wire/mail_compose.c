/* SPDX-License-Identifier: ISC
 *
 * A mail as it goes over the wire: RFC 5322 with MIME (RFC 2045, 2047) and RFC 3834's
 * Auto-Submitted.
 *
 * Every value passes clean() before it gets near a header: without control characters there is no
 * second line to smuggle a field into. The body is quoted-printable, so no line is longer than 76
 * characters, no relay has a reason to change it, and a line that begins with a dot or "From "
 * arrives as it left.
 */
#include <string.h>

#include "base/format.h"
#include "wire/mail.h"
#include "wire/mail_inside.h"

#define LINE_MAXIMUM	   76
#define ENCODED_WORD_BYTES 39 /* 52 characters of base64, 64 as a word: a name fits before it */
#define PLAIN_WORD_MAXIMUM 60 /* a longer word is encoded, so that it can be folded */

/* Valid UTF-8 without control characters and without blanks at its ends. Caller frees. */
static char *clean(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_autoptr(GString) kept = g_string_new(NULL);
	for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
		gunichar character = g_utf8_get_char(c);
		gboolean is_break = character == 0x2028 || character == 0x2029;
		if (!g_unichar_iscntrl(character) && !is_break)
			g_string_append_unichar(kept, character);
	}
	return g_strstrip(g_string_free(g_steal_pointer(&kept), FALSE));
}

/* Keeps what may stand between < and >: printable ASCII but for blanks and brackets. Caller frees.
 */
static char *clean_id(const char *text)
{
	GString *kept = g_string_new(NULL);
	for (; *text; text++)
		if (g_ascii_isgraph(*text) && *text != '<' && *text != '>')
			g_string_append_c(kept, *text);
	return g_string_free(kept, FALSE);
}

char *mail_bare_address(const char *mailbox)
{
	const char *open = strrchr(mailbox, '<');
	const char *close = open ? strchr(open, '>') : NULL;
	if (!open || !close)
		return g_strstrip(g_strdup(mailbox));
	return g_strndup(open + 1, (gsize)(close - open - 1));
}

static gboolean needs_encoding(const char *text)
{
	gsize word_bytes = 0;
	for (const char *c = text; *c; c++) {
		word_bytes = *c == ' ' ? 0 : word_bytes + 1;
		if (!g_ascii_isprint(*c) || word_bytes > PLAIN_WORD_MAXIMUM)
			return TRUE;
	}
	return strstr(text, "=?") != NULL;
}

/* Appends encoded words, one a line, none splitting a character. */
static void append_encoded(GString *mail, const char *text)
{
	while (*text) {
		const char *end = text;
		while (*end && g_utf8_next_char(end) - text <= ENCODED_WORD_BYTES)
			end = g_utf8_next_char(end);
		g_autofree char *word = g_base64_encode((const guchar *)text, (gsize)(end - text));
		g_string_append_printf(mail, "=?UTF-8?B?%s?=%s", word, *end ? "\r\n " : "");
		text = end;
	}
}

/* Appends words, beginning a new line before the blanks in front of one that would not fit. */
static void append_folded(GString *mail, const char *text, gsize column)
{
	while (*text) {
		gsize blanks = strspn(text, " ");
		gsize length = blanks + strcspn(text + blanks, " ");
		if (blanks > 0 && column + length > LINE_MAXIMUM) {
			g_string_append(mail, "\r\n");
			column = 0;
		}
		g_string_append_len(mail, text, (gssize)length);
		column += length;
		text += length;
	}
}

static void append_text_field(GString *mail, const char *name, const char *value)
{
	g_autofree char *text = clean(value);
	g_string_append_printf(mail, "%s: ", name);
	if (needs_encoding(text))
		append_encoded(mail, text);
	else
		append_folded(mail, text, strlen(name) + 2);
	g_string_append(mail, "\r\n");
}

/* A display name as a quoted string, or encoded. */
static void append_phrase(GString *mail, const char *name)
{
	if (needs_encoding(name)) {
		append_encoded(mail, name);
		return;
	}
	g_string_append_c(mail, '"');
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			g_string_append_c(mail, '\\');
		g_string_append_c(mail, *name);
	}
	g_string_append_c(mail, '"');
}

/* The display name of "Drover <drover@example.org>", or "". Caller frees. */
static char *display_name(const char *mailbox)
{
	const char *open = strrchr(mailbox, '<');
	if (!open)
		return g_strdup("");
	g_autofree char *raw = g_strndup(mailbox, (gsize)(open - mailbox));
	char *name = clean(raw);
	gsize length = strlen(name);
	if (length >= 2 && name[0] == '"' && name[length - 1] == '"') {
		name[length - 1] = '\0';
		memmove(name, name + 1, length - 1);
	}
	return name;
}

static void append_mailbox_field(GString *mail, const char *field, const char *mailbox)
{
	g_autofree char *name = display_name(mailbox);
	g_autofree char *bare = mail_bare_address(mailbox);
	g_autofree char *address = clean_id(bare);
	g_string_append_printf(mail, "%s: ", field);
	if (*name) {
		append_phrase(mail, name);
		g_string_append_printf(mail, "\r\n <%s>\r\n", address);
	} else {
		g_string_append_printf(mail, "%s\r\n", address);
	}
}

static void append_id_field(GString *mail, const char *field, const char *id)
{
	g_autofree char *text = clean_id(id);
	g_string_append_printf(mail, "%s: <%s>\r\n", field, text);
}

/* One line in quoted-printable (RFC 2045, 6.7), with soft line breaks. */
static void append_quoted_line(GString *mail, const char *line, gsize size_bytes)
{
	gsize column = 0;
	gboolean begins_mbox = size_bytes >= 5 && strncmp(line, "From ", 5) == 0;
	for (gsize i = 0; i < size_bytes; i++) {
		guchar c = (guchar)line[i];
		gboolean is_last = i + 1 == size_bytes;
		gboolean is_blank = c == ' ' || c == '\t';
		gboolean literal = (g_ascii_isgraph(c) && c != '=') || (is_blank && !is_last);
		gsize width = 1;
		/* A dot at the start of a line of the wire ends the mail, or is taken away. */
		if ((column == 0 && c == '.') || (i == 0 && begins_mbox) || !literal)
			width = 3;
		/* Room for the "=" of a soft break, unless the line ends here. */
		if (column + width > (is_last ? LINE_MAXIMUM : LINE_MAXIMUM - 1)) {
			g_string_append(mail, "=\r\n");
			column = 0;
			if (c == '.')
				width = 3;
		}
		if (width == 1)
			g_string_append_c(mail, (char)c);
		else
			g_string_append_printf(mail, "=%02X", c);
		column += width;
	}
	g_string_append(mail, "\r\n");
}

static void append_body(GString *mail, const char *body)
{
	g_autofree char *text = g_utf8_make_valid(body, -1);
	const char *line = text;
	while (*line) {
		gsize length = strcspn(line, "\n");
		gboolean has_return = length > 0 && line[length - 1] == '\r';
		append_quoted_line(mail, line, has_return ? length - 1 : length);
		line += length;
		if (*line == '\n')
			line++;
	}
}

char *mail_compose(const Mail *mail)
{
	GString *text = g_string_new(NULL);
	g_autofree char *date = format_time_mail(mail->date_us);
	append_mailbox_field(text, "From", mail->from);
	append_mailbox_field(text, "To", mail->to);
	append_text_field(text, "Subject", mail->subject);
	g_string_append_printf(text, "Date: %s\r\n", date);
	append_id_field(text, "Message-ID", mail->message_id);
	if (mail->in_reply_to) {
		append_id_field(text, "In-Reply-To", mail->in_reply_to);
		append_id_field(text, "References", mail->in_reply_to);
	}
	g_string_append(text, "Auto-Submitted: auto-generated\r\n"
			      "MIME-Version: 1.0\r\n"
			      "Content-Type: text/plain; charset=utf-8\r\n"
			      "Content-Transfer-Encoding: quoted-printable\r\n"
			      "\r\n");
	append_body(text, mail->body);
	return g_string_free(text, FALSE);
}

gboolean mail_address_is_valid(const char *address)
{
	const char *at = strchr(address, '@');
	if (!at || at == address || at[1] == '\0' || strchr(at + 1, '@') ||
		strlen(address) > MAIL_MAXIMUM_ADDRESS_BYTES)
		return FALSE;
	for (const char *c = address; *c; c++)
		if (!g_ascii_isgraph(*c) || strchr("<>(),;:\"\\", *c))
			return FALSE;
	return TRUE;
}
