/* SPDX-License-Identifier: ISC
 *
 * Any bytes as the answer to a DNS question. The first two become the question's id, so that the
 * fuzzer need not guess it; what is taken for an answer holds the question.
 */
#include <stdint.h>
#include <string.h>

#include "balance/monitor/dns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	DnsQuestion question;
	DnsAnswer answer;
	guint16 id = 0;
	if (size >= 2)
		id = (guint16)(bytes[0] << 8 | bytes[1]);
	g_assert(dns_question("a.bc", 1, id, &question));
	DnsFit fit = dns_answer_read(&question, bytes, size, &answer);
	g_assert(fit == DNS_FOREIGN || size >= question.size_bytes);
	g_assert(fit != DNS_ANSWER || answer.records * 11 <= size);
	/* The bytes as a name of the configuration. */
	g_autofree char *name = g_strndup((const char *)bytes, size);
	if (dns_question(name, 28, id, &question))
		g_assert(question.size_bytes <= DNS_MAXIMUM_QUESTION_BYTES);
	return 0;
}
