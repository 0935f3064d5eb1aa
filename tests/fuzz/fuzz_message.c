/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a commit message: never a fault, and what comes out keeps its promises.
 */
#include <stdint.h>
#include <string.h>

#include "landing/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_references(const GPtrArray *references)
{
	g_assert_cmpuint(references->len, <=, MESSAGE_MAXIMUM_REFERENCES);
	for (guint i = 0; i < references->len; i++) {
		const MessageReference *reference = references->pdata[i];
		gsize length = strlen(reference->text);
		g_assert(strspn(reference->text, "0123456789abcdef") == length);
		g_assert(reference->ordinal ? length <= MESSAGE_MAXIMUM_DIGITS
					    : length >= MESSAGE_MINIMUM_SHA && length <= 64);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(MessageFacts) facts = message_read((const char *)bytes, size, 0x7f);
	g_assert(facts->qa != LANDING_QA_OK && facts->qa != LANDING_QA_BAD);
	g_assert_cmpuint(facts->items->len, <=, MESSAGE_MAXIMUM_ITEMS);
	for (guint i = 0; i < facts->items->len; i++) {
		const char *item = facts->items->pdata[i];
		g_assert(*item && g_str_is_ascii(item));
		g_assert(!strpbrk(item, " \t\n<>&\"'"));
	}
	check_references(facts->rollbacks);
	check_references(facts->fixes);
	g_assert_cmpuint(facts->problems->len, <=, MESSAGE_MAXIMUM_PROBLEMS);
	for (guint i = 0; i < facts->problems->len; i++)
		g_assert(g_utf8_validate(facts->problems->pdata[i], -1, NULL));
	return 0;
}
