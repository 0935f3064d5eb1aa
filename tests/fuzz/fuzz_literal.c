/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a Python literal: a value or an error that can be shown, never both; a value can be
 * described and its dicts asked.
 */
#include <stdint.h>

#include "balance/literal.h"
#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const Literal *literal)
{
	g_autofree char *words = literal_describe(literal);
	g_assert(g_utf8_validate(words, -1, NULL));
	g_assert(literal->text == NULL || g_utf8_validate(literal->text, -1, NULL));
	for (guint i = 0; literal->parts != NULL && i < literal->parts->len; i++)
		check(literal->parts->pdata[i]);
	if (literal->kind != LITERAL_DICT)
		return;
	g_assert(literal->parts->len % 2 == 0);
	literal_get(literal, "host");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const names[] = {"server.host", "server.ip", NULL};
	g_autoptr(GError) error = NULL;
	g_autoptr(Literal) literal = literal_parse((const char *)bytes, size, names, &error);
	g_assert((literal == NULL) == (error != NULL));
	if (error != NULL)
		g_assert(g_utf8_validate(error->message, -1, NULL));
	else
		check(literal);
	return 0;
}
