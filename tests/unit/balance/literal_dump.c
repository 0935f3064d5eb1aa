/* SPDX-License-Identifier: ISC
 *
 * Reads a JSON list of texts and prints what each is as a literal, for
 * literal_against_python.py: [kind, value], or null when it is none.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "balance/literal.h"

static json_t *dump(const Literal *literal)
{
	static const char *const kinds[] = {
		"none", "bool", "int", "real", "text", "name", "list", "tuple", "dict"};
	json_t *value = NULL;
	if (literal->parts != NULL) {
		value = json_array();
		for (guint i = 0; i < literal->parts->len; i++)
			json_array_append_new(value, dump(literal->parts->pdata[i]));
	} else if (literal->text != NULL) {
		value = json_string(literal->text);
	} else {
		value = json_integer(literal->integer);
	}
	return json_pack("[so]", kinds[literal->kind], value);
}

int main(void)
{
	json_error_t at;
	json_t *texts = json_loadf(stdin, 0, &at), *answers = json_array();
	g_assert_nonnull(texts);
	for (gsize i = 0; i < json_array_size(texts); i++) {
		const json_t *text = json_array_get(texts, i);
		g_autoptr(Literal) literal = literal_parse(
			json_string_value(text), json_string_length(text), NULL, NULL);
		json_array_append_new(answers, literal != NULL ? dump(literal) : json_null());
	}
	json_dumpf(answers, stdout, 0);
	json_decref(answers);
	json_decref(texts);
	return 0;
}
