/* SPDX-License-Identifier: ISC
 *
 * Configuration files in the dialect of Python's ConfigParser: `[section]`, `key = value` or `key:
 * value`, whole-line comments with # or ;, values that go on in lines indented deeper than their
 * key, a [DEFAULT] section whose keys every section has, and %(name)s interpolation with %% for a
 * percent sign. Section names are case-sensitive, keys are not. Every error names file, line and
 * column (in bytes, from 1). Where ConfigParser silently drops something (text after a section's
 * ]), this refuses.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

#include <glib.h>

#define INI_MAXIMUM_BYTES      (4 * 1024 * 1024)
#define INI_MAXIMUM_DEPTH      10    /* of %(a)s inside %(b)s, as ConfigParser's */
#define INI_MAXIMUM_REFERENCES 10000 /* that one value may expand, nested ones included */

typedef struct Ini Ini;

/* `name` is the file's name in errors. Fails with DROVER_ERROR_INPUT. */
Ini *ini_parse(const char *name, const char *text, gsize size_bytes, GError **error);
Ini *ini_load(const char *path, GError **error);
void ini_free(Ini *ini);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ini, ini_free)

/* Sections in the order of the file, without DEFAULT. NULL-terminated, owned by `ini`. */
const char *const *ini_sections(const Ini *ini);
gboolean ini_has_section(const Ini *ini, const char *section);
/* Keys of a section, those of DEFAULT included, each once. NULL-terminated; free with g_free. */
const char **ini_keys(const Ini *ini, const char *section);

/* The value, interpolated; *value is NULL when the key is absent. Caller frees *value.
 * Fails with DROVER_ERROR_INPUT when interpolation does. */
gboolean ini_get(
	const Ini *ini, const char *section, const char *key, char **value, GError **error);
/* yes/no, true/false, on/off, 1/0; `fallback` when absent. */
gboolean ini_get_boolean(const Ini *ini, const char *section, const char *key, gboolean fallback,
	gboolean *value, GError **error);
gboolean ini_get_integer(const Ini *ini, const char *section, const char *key, gint64 fallback,
	gint64 minimum, gint64 maximum, gint64 *value, GError **error);
/* Seconds, in the forms of parse_duration(). */
gboolean ini_get_duration(const Ini *ini, const char *section, const char *key, gint64 fallback,
	gint64 *seconds, GError **error);

/* Where a key's value begins, for errors about what it says: "drover.conf:12:8". Caller frees. */
char *ini_where(const Ini *ini, const char *section, const char *key);
/* "drover.conf:14:1: [server] lisen: unknown key" for every key that is not in `known`
 * (NULL-terminated, "section.key"; "*.key" for any section). GPtrArray of char *. */
GPtrArray *ini_unknown_keys(const Ini *ini, const char *const *known);

#endif
