/* SPDX-License-Identifier: ISC
 *
 * Prints configuration files as JSON, one line each, for ini_against_configparser.py:
 * {"error":…} or {"sections":{NAME:{KEY:VALUE or null when it cannot be interpolated}}}.
 */
#include <jansson.h>
#include <stdio.h>

#include "base/ini.h"

static json_t *dump_section(const Ini *ini, const char *section)
{
	json_t *values = json_object();
	g_autofree const char **keys = ini_keys(ini, section);
	for (gsize i = 0; keys[i] != NULL; i++) {
		g_autofree char *value = NULL;
		gboolean good = ini_get(ini, section, keys[i], &value, NULL);
		json_object_set_new(values, keys[i], good ? json_string(value) : json_null());
	}
	return values;
}

static json_t *dump(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Ini) ini = ini_load(path, &error);
	if (ini == NULL)
		return json_pack("{s:s}", "error", error->message);
	json_t *sections = json_object();
	for (const char *const *name = ini_sections(ini); *name != NULL; name++)
		json_object_set_new(sections, *name, dump_section(ini, *name));
	return json_pack("{s:o}", "sections", sections);
}

int main(int count, char **paths)
{
	for (int i = 1; i < count; i++) {
		json_t *value = dump(paths[i]);
		json_dumpf(value, stdout, JSON_COMPACT);
		puts("");
		json_decref(value);
	}
	return 0;
}
