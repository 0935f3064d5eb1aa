/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a form, and as the headers that say where it comes from: refused in words, or fields
 * that are text; what is encoded again reads the same.
 */
#include <string.h>

#include "page/guard.h"
#include "page/visit.h"

#define URLENCODED "application/x-www-form-urlencoded"

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

static GHashTable *read_form(const char *bytes, gsize size_bytes)
{
	g_autoptr(GError) error = NULL;
	GHashTable *fields = guard_form(URLENCODED, bytes, size_bytes, &error);
	g_assert((fields == NULL) == (error != NULL));
	g_assert(error == NULL || g_utf8_validate(error->message, -1, NULL));
	return fields;
}

static char *write_form(GHashTable *fields)
{
	GString *form = g_string_new(NULL);
	GHashTableIter each;
	gpointer name, value;
	g_hash_table_iter_init(&each, fields);
	while (g_hash_table_iter_next(&each, &name, &value)) {
		g_assert(g_utf8_validate(name, -1, NULL) && g_utf8_validate(value, -1, NULL));
		g_string_append_uri_escaped(form, name, NULL, FALSE);
		g_string_append_c(form, '=');
		g_string_append_uri_escaped(form, value, NULL, FALSE);
		g_string_append_c(form, '&');
	}
	return g_string_free(form, FALSE);
}

static void check_same(GHashTable *fields)
{
	g_autofree char *form = write_form(fields);
	if (strlen(form) > GUARD_MAXIMUM_FORM_BYTES)
		return; /* escapes are longer than what they stand for */
	g_autoptr(GHashTable) again = read_form(form, strlen(form));
	g_assert(again != NULL && g_hash_table_size(again) == g_hash_table_size(fields));
	GHashTableIter each;
	gpointer name, value;
	g_hash_table_iter_init(&each, fields);
	while (g_hash_table_iter_next(&each, &name, &value))
		g_assert_cmpstr(g_hash_table_lookup(again, name), ==, value);
}

static void check_body(GHashTable *fields)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) body = form_body("a name:i on:b", fields, &error);
	g_assert((body == NULL) == (error != NULL));
	g_assert(error == NULL || g_utf8_validate(error->message, -1, NULL));
}

static void check_headers(const char *text)
{
	/* Another site's name never counts as ours. */
	GuardOrigin origin = guard_origin(text, NULL, "drover.example", TRUE, NULL);
	g_assert(
		origin == GUARD_FOREIGN || g_ascii_strcasecmp(text, "https://drover.example") == 0);
	guard_origin("https://drover.example", text, text, FALSE, "https://drover.example");
	if (guard_next_is_local(text))
		g_assert(text[0] == '/' && text[1] != '/' && !strpbrk(text, " \\\r\n\t"));
	flash_sentence(text);
}

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	g_autofree char *text = g_strndup((const char *)bytes, size_bytes);
	check_headers(text);
	g_autoptr(GHashTable) typed = guard_form(text, "a=b", 3, NULL);
	g_assert(typed == NULL || g_hash_table_size(typed) == 1);
	g_autoptr(GHashTable) fields = read_form((const char *)bytes, size_bytes);
	if (fields == NULL)
		return 0;
	g_assert_cmpuint(g_hash_table_size(fields), <=, GUARD_MAXIMUM_FIELDS);
	check_same(fields);
	check_body(fields);
	return 0;
}
