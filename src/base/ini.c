/* SPDX-License-Identifier: ISC
 *
 * Configuration files in the dialect of Python's ConfigParser, read line by line.
 *
 * A line that is indented deeper than the key above it goes on with that key's value; a blank line
 * inside a value is kept when the value goes on after it. Comments are whole lines. What a key may
 * say is the caller's business: here is only the form, and where each value stands.
 */
#include "base/ini.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/format.h"

typedef struct Value {
	char *key;  /* lower case */
	char *text; /* as written, lines joined by "\n" */
	guint line, column;
} Value;

typedef struct Section {
	char *name;
	GPtrArray *values;  /* Value *, in the order of the file */
	GHashTable *by_key; /* the same, borrowed */
} Section;

struct Ini {
	char *name;
	Section *defaults;
	GPtrArray *sections;	  /* Section * without DEFAULT */
	GHashTable *by_name;	  /* the same, borrowed */
	GPtrArray *section_names; /* char *, NULL-terminated, borrowed */
};

typedef struct Reader {
	Ini *ini;
	Section *section;
	GString *pending; /* the value under way, NULL for none */
	guint blank_lines;
	guint line;
	gsize indent;	  /* of the line being read */
	gsize key_indent; /* of the key whose value is under way */
} Reader;

static void value_free(Value *value)
{
	g_free(value->key);
	g_free(value->text);
	g_free(value);
}

static Section *section_new(const char *name)
{
	Section *section = g_new(Section, 1);
	section->name = g_strdup(name);
	section->values = g_ptr_array_new_with_free_func((GDestroyNotify)value_free);
	section->by_key = g_hash_table_new(g_str_hash, g_str_equal);
	return section;
}

static void section_free(Section *section)
{
	g_free(section->name);
	g_hash_table_unref(section->by_key);
	g_ptr_array_unref(section->values);
	g_free(section);
}

void ini_free(Ini *ini)
{
	if (ini == NULL)
		return;
	g_free(ini->name);
	section_free(ini->defaults);
	g_hash_table_unref(ini->by_name);
	g_ptr_array_unref(ini->sections);
	g_ptr_array_unref(ini->section_names);
	g_free(ini);
}

static Section *find_section(const Ini *ini, const char *name)
{
	if (strcmp(name, "DEFAULT") == 0)
		return ini->defaults;
	return g_hash_table_lookup(ini->by_name, name);
}

static Value *find_value(const Section *section, const char *key)
{
	return section != NULL ? g_hash_table_lookup(section->by_key, key) : NULL;
}

static Value *look_up(const Ini *ini, const char *section, const char *key)
{
	g_autofree char *lower = g_ascii_strdown(key, -1);
	Value *value = find_value(find_section(ini, section), lower);
	return value != NULL ? value : find_value(ini->defaults, lower);
}

static gboolean fail(const Reader *reader, gsize offset, GError **error, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/* `offset` counts from the first byte of the line after its indentation. */
static gboolean fail(const Reader *reader, gsize offset, GError **error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	drover_error_set(error, DROVER_ERROR_INPUT, "%s:%u:%" G_GSIZE_FORMAT ": %s",
		reader->ini->name, reader->line, reader->indent + offset + 1, what);
	return FALSE;
}

/* The value under way is whole. */
static void finish_value(Reader *reader)
{
	if (reader->pending == NULL)
		return;
	Value *value = reader->section->values->pdata[reader->section->values->len - 1];
	g_free(value->text);
	value->text = g_strchomp(g_string_free(g_steal_pointer(&reader->pending), FALSE));
	reader->blank_lines = 0;
}

static gboolean read_section(Reader *reader, const char *line, GError **error)
{
	const char *end = strchr(line, ']');
	if (end == NULL || end == line + 1)
		return fail(reader, 0, error, "a section is written [name]");
	for (const char *rest = end + 1; *rest != '\0'; rest++)
		if (!g_ascii_isspace(*rest))
			return fail(reader, (gsize)(rest - line), error,
				"nothing may follow a section's ]");
	g_autofree char *name = g_strndup(line + 1, (gsize)(end - line - 1));
	if (strcmp(name, "DEFAULT") == 0) {
		reader->section = reader->ini->defaults;
		return TRUE;
	}
	if (find_section(reader->ini, name) != NULL)
		return fail(reader, 0, error, "section [%s] is there twice", name);
	reader->section = section_new(name);
	g_ptr_array_add(reader->ini->sections, reader->section);
	g_hash_table_insert(reader->ini->by_name, reader->section->name, reader->section);
	return TRUE;
}

static gboolean read_key(Reader *reader, const char *line, GError **error)
{
	gsize length = strcspn(line, "=:");
	if (line[length] == '\0')
		return fail(reader, length, error,
			"expected 'key = value', '[section]' or a # comment");
	g_autofree char *key = g_strstrip(g_strndup(line, length));
	if (*key == '\0')
		return fail(reader, 0, error, "the key before '%c' is missing", line[length]);
	if (reader->section == NULL)
		return fail(reader, 0, error, "%s stands before the first [section]", key);
	char *lower = g_ascii_strdown(key, -1);
	if (find_value(reader->section, lower) != NULL) {
		g_free(lower);
		return fail(reader, 0, error, "[%s] %s is there twice", reader->section->name, key);
	}
	const char *text = line + length + 1;
	while (g_ascii_isspace(*text))
		text++;
	Value *value = g_new(Value, 1);
	*value = (Value){lower, g_strdup(""), reader->line,
		(guint)(reader->indent + (gsize)(text - line)) + 1};
	g_ptr_array_add(reader->section->values, value);
	g_hash_table_insert(reader->section->by_key, lower, value);
	reader->pending = g_string_new(text);
	reader->key_indent = reader->indent;
	return TRUE;
}

static void continue_value(Reader *reader, const char *text)
{
	for (; reader->blank_lines > 0; reader->blank_lines--)
		g_string_append_c(reader->pending, '\n');
	g_string_append_c(reader->pending, '\n');
	g_string_append(reader->pending, text);
}

static gboolean read_line(Reader *reader, char *line, GError **error)
{
	g_strchomp(line);
	const char *text = line;
	while (g_ascii_isspace(*text))
		text++;
	if (*text == '#' || *text == ';')
		return TRUE;
	if (*text == '\0') {
		if (reader->pending != NULL)
			reader->blank_lines++;
		return TRUE;
	}
	reader->indent = (gsize)(text - line);
	if (reader->pending != NULL && reader->indent > reader->key_indent) {
		continue_value(reader, text);
		return TRUE;
	}
	finish_value(reader);
	return *text == '[' ? read_section(reader, text, error) : read_key(reader, text, error);
}

/* A carriage return is allowed at the end only: elsewhere it would be a line's end to Python, and a
 * blank to us. */
static gboolean check_line(Reader *reader, const char *line, gsize length, GError **error)
{
	const char *bad = memchr(line, '\0', length);
	if (bad != NULL)
		return fail(reader, (gsize)(bad - line), error, "the line holds a NUL byte");
	if (!g_utf8_validate(line, (gssize)length, &bad))
		return fail(reader, (gsize)(bad - line), error, "not valid UTF-8");
	bad = memchr(line, '\r', length);
	if (bad != NULL && bad + 1 < line + length)
		return fail(reader, (gsize)(bad - line), error,
			"a carriage return inside the line: end lines with LF or CR LF");
	return TRUE;
}

static gboolean read_text(Reader *reader, const char *text, gsize size_bytes, GError **error)
{
	const char *end = text + size_bytes;
	if (size_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < end) {
		const char *newline = memchr(text, '\n', (gsize)(end - text));
		const char *stop = newline != NULL ? newline : end;
		reader->line++;
		reader->indent = 0;
		if (!check_line(reader, text, (gsize)(stop - text), error))
			return FALSE;
		g_autofree char *line = g_strndup(text, (gsize)(stop - text));
		if (!read_line(reader, line, error))
			return FALSE;
		text = stop + 1;
	}
	finish_value(reader);
	return TRUE;
}

Ini *ini_parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (size_bytes > INI_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s is larger than the %d bytes allowed for a configuration", name,
			INI_MAXIMUM_BYTES);
		return NULL;
	}
	g_autoptr(Ini) ini = g_new0(Ini, 1);
	ini->name = g_strdup(name);
	ini->defaults = section_new("DEFAULT");
	ini->sections = g_ptr_array_new_with_free_func((GDestroyNotify)section_free);
	ini->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	ini->section_names = g_ptr_array_new();
	Reader reader = {.ini = ini};
	gboolean ok = read_text(&reader, text, size_bytes, error);
	if (reader.pending != NULL)
		g_string_free(reader.pending, TRUE);
	if (!ok)
		return NULL;
	for (guint i = 0; i < ini->sections->len; i++)
		g_ptr_array_add(ini->section_names, ((Section *)ini->sections->pdata[i])->name);
	g_ptr_array_add(ini->section_names, NULL);
	return g_steal_pointer(&ini);
}

Ini *ini_load(const char *path, GError **error)
{
	gsize size_bytes = 0;
	g_autofree char *text = file_read(path, INI_MAXIMUM_BYTES, &size_bytes, error);
	return text != NULL ? ini_parse(path, text, size_bytes, error) : NULL;
}

const char *const *ini_sections(const Ini *ini)
{
	return (const char *const *)ini->section_names->pdata;
}

gboolean ini_has_section(const Ini *ini, const char *section)
{
	return find_section(ini, section) != NULL;
}

const char **ini_keys(const Ini *ini, const char *section)
{
	GPtrArray *keys = g_ptr_array_new();
	const Section *own = find_section(ini, section);
	for (guint i = 0; own != NULL && i < own->values->len; i++)
		g_ptr_array_add(keys, ((Value *)own->values->pdata[i])->key);
	for (guint i = 0; own != ini->defaults && i < ini->defaults->values->len; i++) {
		Value *value = ini->defaults->values->pdata[i];
		if (own == NULL || find_value(own, value->key) == NULL)
			g_ptr_array_add(keys, value->key);
	}
	g_ptr_array_add(keys, NULL);
	return (const char **)g_ptr_array_free(keys, FALSE);
}

char *ini_where(const Ini *ini, const char *section, const char *key)
{
	const Value *value = look_up(ini, section, key);
	if (value == NULL)
		return g_strdup_printf("%s: [%s] %s", ini->name, section, key);
	return g_strdup_printf("%s:%u:%u", ini->name, value->line, value->column);
}

static gboolean bad_value(
	const Ini *ini, const char *section, const char *key, GError **error, const char *what)
{
	g_autofree char *where = ini_where(ini, section, key);
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: [%s] %s: %s", where, section, key, what);
	return FALSE;
}

/* One value being interpolated. What it makes is bounded in depth, references and bytes: a short
 * file could otherwise ask for ten levels of a thousand references each. */
typedef struct Interpolation {
	const Ini *ini;
	const char *section, *key;
	GString *out;
	int references;
} Interpolation;

static gboolean interpolate(Interpolation *under_way, const char *text, int depth, GError **error);

/* Expands the `%…` at `*at` and moves it to its last character. */
static gboolean expand(Interpolation *under_way, const char **at, int depth, GError **error)
{
	const Ini *ini = under_way->ini;
	const char *c = *at, *section = under_way->section, *key = under_way->key;
	if (c[1] == '%') {
		g_string_append_c(under_way->out, '%');
		*at = c + 1;
		return TRUE;
	}
	const char *end = c[1] == '(' ? strstr(c, ")s") : NULL;
	if (end == NULL)
		return bad_value(ini, section, key, error,
			"a percent sign is written %%, a reference %(name)s");
	g_autofree char *name = g_strndup(c + 2, (gsize)(end - c - 2));
	const Value *value = look_up(ini, section, name);
	if (value == NULL) {
		g_autofree char *what = g_strdup_printf("%%(%s)s names no key", name);
		return bad_value(ini, section, key, error, what);
	}
	if ((depth >= INI_MAXIMUM_DEPTH && strchr(value->text, '%') != NULL) ||
		++under_way->references > INI_MAXIMUM_REFERENCES)
		return bad_value(ini, section, key, error,
			"%(…)s refers to itself, or too deeply, or too often");
	*at = end + 1;
	return interpolate(under_way, value->text, depth + 1, error);
}

static gboolean interpolate(Interpolation *under_way, const char *text, int depth, GError **error)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (under_way->out->len > INI_MAXIMUM_BYTES)
			return bad_value(under_way->ini, under_way->section, under_way->key, error,
				"grows too large by its %(…)s");
		if (*c != '%')
			g_string_append_c(under_way->out, *c);
		else if (!expand(under_way, &c, depth, error))
			return FALSE;
	}
	return TRUE;
}

gboolean ini_get(const Ini *ini, const char *section, const char *key, char **value, GError **error)
{
	*value = NULL;
	const Value *found = look_up(ini, section, key);
	if (found == NULL)
		return TRUE;
	g_autoptr(GString) out = g_string_new(NULL);
	Interpolation under_way = {ini, section, key, out, 0};
	if (!interpolate(&under_way, found->text, 1, error))
		return FALSE;
	*value = g_string_free(g_steal_pointer(&out), FALSE);
	return TRUE;
}

gboolean ini_get_boolean(const Ini *ini, const char *section, const char *key, gboolean fallback,
	gboolean *value, GError **error)
{
	static const char *const words[] = {
		"no", "yes", "false", "true", "off", "on", "0", "1", NULL};
	g_autofree char *text = NULL;
	if (!ini_get(ini, section, key, &text, error))
		return FALSE;
	*value = fallback;
	if (text == NULL)
		return TRUE;
	for (int i = 0; words[i] != NULL; i++) {
		if (g_ascii_strcasecmp(text, words[i]) == 0) {
			*value = i % 2;
			return TRUE;
		}
	}
	return bad_value(ini, section, key, error, "must be yes or no");
}

gboolean ini_get_integer(const Ini *ini, const char *section, const char *key, gint64 fallback,
	gint64 minimum, gint64 maximum, gint64 *value, GError **error)
{
	g_autofree char *text = NULL;
	if (!ini_get(ini, section, key, &text, error))
		return FALSE;
	*value = fallback;
	if (text == NULL)
		return TRUE;
	g_autofree char *where = ini_where(ini, section, key);
	g_autofree char *what = g_strdup_printf("%s: [%s] %s", where, section, key);
	return parse_integer(text, what, minimum, maximum, value, error);
}

gboolean ini_get_duration(const Ini *ini, const char *section, const char *key, gint64 fallback,
	gint64 *seconds, GError **error)
{
	g_autofree char *text = NULL;
	if (!ini_get(ini, section, key, &text, error))
		return FALSE;
	*seconds = fallback;
	if (text == NULL || parse_duration(text, seconds, error))
		return TRUE;
	g_autofree char *where = ini_where(ini, section, key);
	g_prefix_error(error, "%s: [%s] %s: ", where, section, key);
	return FALSE;
}

static gboolean is_known(const char *const *known, const char *section, const char *key)
{
	g_autofree char *exact = g_strdup_printf("%s.%s", section, key);
	g_autofree char *any = g_strdup_printf("*.%s", key);
	return g_strv_contains(known, exact) || g_strv_contains(known, any);
}

GPtrArray *ini_unknown_keys(const Ini *ini, const char *const *known)
{
	GPtrArray *unknown = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < ini->sections->len; i++) {
		const Section *section = ini->sections->pdata[i];
		for (guint k = 0; k < section->values->len; k++) {
			const Value *value = section->values->pdata[k];
			if (!is_known(known, section->name, value->key))
				g_ptr_array_add(unknown,
					g_strdup_printf("%s:%u:1: [%s] %s: unknown key", ini->name,
						value->line, section->name, value->key));
		}
	}
	return unknown;
}
