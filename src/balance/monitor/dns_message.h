/* SPDX-License-Identifier: ISC
 *
 * DNS messages, as much of them as a check needs: one question out, and whether what came in is the
 * answer to it. Whatever comes from the network is hostile: names go backwards only, so that no
 * message holds a reader up. Pure. RFC 1035; rules: docs/monitors.md, "DNSQuery".
 */
#ifndef BALANCE_MONITOR_DNS_MESSAGE_H
#define BALANCE_MONITOR_DNS_MESSAGE_H

#include <glib.h>

#define DNS_MAXIMUM_NAME_BYTES	   255 /* on the wire */
#define DNS_MAXIMUM_LABEL_BYTES	   63
#define DNS_MAXIMUM_QUESTION_BYTES (12 + DNS_MAXIMUM_NAME_BYTES + 4)
#define DNS_MAXIMUM_UDP_BYTES	   4096 /* of an answer; ours ask for 512, not all obey */

typedef struct DnsQuestion {
	guint16 size_bytes;
	guint8 bytes[DNS_MAXIMUM_QUESTION_BYTES];
} DnsQuestion;

/* "AAAA": 28. 0 for an unknown word. */
guint16 dns_type(const char *word);
/* FALSE when `name` does not fit into DNS. A dot at its end changes nothing; "." is the root. */
gboolean dns_question(const char *name, guint16 type, guint16 id, DnsQuestion *question);
void dns_question_set_id(DnsQuestion *question, guint16 id);

typedef enum DnsFit {
	DNS_ANSWER,
	DNS_FOREIGN, /* answers something else: id, question or kind of message differ */
	DNS_BROKEN   /* answers the question, but cannot be read */
} DnsFit;

typedef struct DnsAnswer {
	guint8 rcode; /* 0 NOERROR, 3 NXDOMAIN ... */
	gboolean truncated;
	guint records; /* in the answer section; 0 when it is truncated */
} DnsAnswer;

DnsFit dns_answer_read(
	const DnsQuestion *question, const guint8 *bytes, gsize size_bytes, DnsAnswer *answer);
/* "NXDOMAIN", "RCODE 17". */
void dns_rcode_text(guint8 rcode, char text[static 16]);

#endif
