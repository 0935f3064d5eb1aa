/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a mail server's replies: bounded, with a code, and the same however they are cut.
 */
#include <stdint.h>
#include <string.h>

#include "balance/monitor/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *text = (const char *)bytes;
	SmtpReply whole = {0}, cut = {0};
	gsize used = 0, used_of_cut = 0;
	SmtpState state = smtp_reply_read(&whole, text, size, &used);
	g_assert(used <= size && used <= SMTP_MAXIMUM_REPLY_BYTES + 1);
	if (state == SMTP_WHOLE)
		g_assert(whole.code >= 200 && whole.code <= 599 &&
			 strlen(whole.line) <= SMTP_KEPT_BYTES);
	SmtpState state_of_cut = SMTP_MORE;
	gsize all = 0;
	for (; all < size && state_of_cut == SMTP_MORE; all += used_of_cut)
		state_of_cut = smtp_reply_read(&cut, text + all, 1, &used_of_cut);
	g_assert(state_of_cut == state && all == used && cut.code == whole.code);
	return 0;
}
