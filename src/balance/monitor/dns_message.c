/* SPDX-License-Identifier: ISC
 *
 * DNS messages: header (id, flags, four counts), question, records.
 */
#include "balance/monitor/dns_message.h"

#include <string.h>

#define HEADER_BYTES   12
#define FLAG_ANSWER    0x8000 /* QR */
#define MASK_OPCODE    0x7800
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSION 0x0100 /* desired */
#define MASK_RCODE     0x000f
#define CLASS_INTERNET 1
#define POINTER	       0xc0 /* the first two bits of a label's length: it goes on elsewhere */
#define RECORD_BYTES   10   /* type, class, time to live, length of what follows */

static guint16 read_16(const guint8 *bytes)
{
	return (guint16)(bytes[0] << 8 | bytes[1]);
}

static void write_16(guint8 *bytes, guint16 number)
{
	bytes[0] = (guint8)(number >> 8);
	bytes[1] = (guint8)number;
}

guint16 dns_type(const char *word)
{
	static const struct {
		const char *word;
		guint16 type;
	} types[] = {{"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"PTR", 12}, {"MX", 15},
		{"TXT", 16}, {"AAAA", 28}, {"SRV", 33}};
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		if (strcmp(types[i].word, word) == 0)
			return types[i].type;
	return 0;
}

/* Returns its size; 0 when it does not fit. */
static gsize write_name(const char *name, guint8 wire[static DNS_MAXIMUM_NAME_BYTES])
{
	gsize size = 0;
	if (strcmp(name, ".") == 0)
		name = "";
	else if (*name == '\0')
		return 0;
	while (*name != '\0') {
		gsize length = strcspn(name, ".");
		if (length == 0 || length > DNS_MAXIMUM_LABEL_BYTES ||
			size + 1 + length + 1 > DNS_MAXIMUM_NAME_BYTES)
			return 0;
		wire[size++] = (guint8)length;
		for (gsize i = 0; i < length; i++) {
			if (!g_ascii_isgraph(name[i]))
				return 0;
			wire[size++] = (guint8)name[i];
		}
		name += length + (name[length] == '.' ? 1 : 0);
	}
	wire[size++] = 0;
	return size;
}

gboolean dns_question(const char *name, guint16 type, guint16 id, DnsQuestion *question)
{
	memset(question, 0, sizeof *question);
	gsize name_bytes = write_name(name, question->bytes + HEADER_BYTES);
	if (name_bytes == 0)
		return FALSE;
	guint8 *after = question->bytes + HEADER_BYTES + name_bytes;
	write_16(question->bytes + 2, FLAG_RECURSION);
	write_16(question->bytes + 4, 1); /* questions */
	write_16(after, type);
	write_16(after + 2, CLASS_INTERNET);
	question->size_bytes = (guint16)(HEADER_BYTES + name_bytes + 4);
	dns_question_set_id(question, id);
	return TRUE;
}

void dns_question_set_id(DnsQuestion *question, guint16 id)
{
	write_16(question->bytes, id);
}

/* Servers may write the name in other letters. Lengths of labels are below 'A', so that the whole
 * name compares as if it were text. */
static gboolean is_same_question(const DnsQuestion *question, const guint8 *bytes)
{
	gsize name_end = question->size_bytes - 4U;
	for (gsize i = HEADER_BYTES; i < name_end; i++)
		if (g_ascii_tolower((char)question->bytes[i]) != g_ascii_tolower((char)bytes[i]))
			return FALSE;
	return memcmp(question->bytes + name_end, bytes + name_end, 4) == 0;
}

/* Where the name at `at` ends in the place where it stands; 0 when it is broken. Each pointer leads
 * to before the part of the name that it ends, so there is an end. */
static gsize skip_name(const guint8 *bytes, gsize size_bytes, gsize at)
{
	gsize end = 0, length = 0, part = at;
	while (at < size_bytes) {
		guint8 label = bytes[at];
		if ((label & POINTER) == POINTER) {
			if (at + 2 > size_bytes)
				return 0;
			gsize to = read_16(bytes + at) & 0x3fffU;
			if (to >= part || to < HEADER_BYTES)
				return 0;
			end = end == 0 ? at + 2 : end;
			at = part = to;
			continue;
		}
		length += 1U + label;
		if (label > DNS_MAXIMUM_LABEL_BYTES || length > DNS_MAXIMUM_NAME_BYTES)
			return 0;
		at += 1U + label;
		if (label == 0)
			return end == 0 ? at : end;
	}
	return 0;
}

/* The end of the record at `at`; 0 when it is broken. */
static gsize skip_record(const guint8 *bytes, gsize size_bytes, gsize at)
{
	at = skip_name(bytes, size_bytes, at);
	if (at == 0 || size_bytes - at < RECORD_BYTES)
		return 0;
	gsize length = read_16(bytes + at + 8);
	at += RECORD_BYTES;
	return length <= size_bytes - at ? at + length : 0;
}

DnsFit dns_answer_read(
	const DnsQuestion *question, const guint8 *bytes, gsize size_bytes, DnsAnswer *answer)
{
	*answer = (DnsAnswer){0};
	if (size_bytes < question->size_bytes || memcmp(bytes, question->bytes, 2) != 0)
		return DNS_FOREIGN;
	guint16 flags = read_16(bytes + 2);
	if ((flags & FLAG_ANSWER) == 0 || (flags & MASK_OPCODE) != 0 || read_16(bytes + 4) != 1 ||
		!is_same_question(question, bytes))
		return DNS_FOREIGN;
	answer->rcode = flags & MASK_RCODE;
	answer->truncated = (flags & FLAG_TRUNCATED) != 0;
	if (answer->truncated)
		return DNS_ANSWER;
	guint records = read_16(bytes + 6);
	gsize at = question->size_bytes;
	for (guint i = 0; i < records; i++) {
		at = skip_record(bytes, size_bytes, at);
		if (at == 0)
			return DNS_BROKEN;
	}
	answer->records = records;
	return DNS_ANSWER;
}

void dns_rcode_text(guint8 rcode, char text[static 16])
{
	static const char *const words[] = {
		"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
	if (rcode < G_N_ELEMENTS(words))
		g_strlcpy(text, words[rcode], 16);
	else
		g_snprintf(text, 16, "RCODE %u", rcode);
}
