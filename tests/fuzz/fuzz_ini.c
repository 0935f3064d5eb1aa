/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a configuration file: never a fault; an error has its place, and what is read can be
 * looked up again.
 */
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_error(const GError *error)
{
	g_assert(error->domain == DROVER_ERROR);
	g_assert(g_str_has_prefix(error->message, "f.conf:"));
	g_assert(g_ascii_isdigit(error->message[strlen("f.conf:")]));
	g_assert(g_utf8_validate(error->message, -1, NULL));
}

static void check_value(const Ini *ini, const char *section, const char *key)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *value = NULL;
	if (!ini_get(ini, section, key, &value, &error)) {
		check_error(error);
		return;
	}
	g_assert_nonnull(value);
	g_assert(g_utf8_validate(value, -1, NULL));
	/* One value more than the limit may be under way when it is noticed. */
	g_assert_cmpuint(strlen(value), <=, 2 * INI_MAXIMUM_BYTES);
}

static void check_section(const Ini *ini, const char *section)
{
	g_assert(ini_has_section(ini, section));
	g_autofree const char **keys = ini_keys(ini, section);
	for (gsize i = 0; keys[i] != NULL; i++) {
		g_assert(keys[i][0] != '\0');
		check_value(ini, section, keys[i]);
		g_autofree char *where = ini_where(ini, section, keys[i]);
		g_assert(g_ascii_isdigit(where[strlen("f.conf:")]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *const known[] = {"a.x", "*.y", NULL};
	g_autoptr(GError) error = NULL;
	g_autoptr(Ini) ini = ini_parse("f.conf", (const char *)bytes, size, &error);
	if (ini == NULL) {
		check_error(error);
		return 0;
	}
	for (const char *const *section = ini_sections(ini); *section != NULL; section++)
		check_section(ini, *section);
	g_autoptr(GPtrArray) unknown = ini_unknown_keys(ini, known);
	g_assert(unknown != NULL);
	return 0;
}
