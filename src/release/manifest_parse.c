/* SPDX-License-Identifier: ISC
 *
 * Reading a manifest: a line at a time, so that what is held in memory is a line and the result,
 * whatever the text. Each line is strict JSON; whether the text is the one spelling shows at the
 * end, when what was read is written again.
 */
#include <jansson.h>
#include <string.h>

#include "release/manifest.h"

typedef json_t Json;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_decref)

/* Lines one after the other. The first error stays: readers go on, and the end asks. */
typedef struct Reader {
	const char *name;
	const char *at, *end;
	guint line; /* of the one that was taken last, from 1 */
	GError *error;
} Reader;

static void fail(Reader *reader, DroverErrorCode code, const char *what, const char *wrong)
{
	if (reader->error == NULL)
		drover_error_set(&reader->error, code, "%s:%u: %s %s", reader->name, reader->line,
			what, wrong);
}

/* What a check of another file said, with the place before it. */
static void fail_with(Reader *reader, GError *error)
{
	if (reader->error != NULL) {
		g_error_free(error);
		return;
	}
	reader->error = error;
	g_prefix_error(&reader->error, "%s:%u: ", reader->name, reader->line);
}

/* lines ---------------------------------------------------------------------------------------- */

static const char *take_line(Reader *reader, gsize *size)
{
	reader->line++;
	const char *line = reader->at;
	const char *newline = memchr(line, '\n', (gsize)(reader->end - line));
	if (newline == NULL)
		fail(reader, DROVER_ERROR_INPUT, "the manifest", "ends in the middle");
	else if (newline - line > MANIFEST_MAXIMUM_LINE_BYTES)
		fail(reader, DROVER_ERROR_TOO_LARGE, "the line", "is too long");
	*size = reader->error != NULL ? 0 : (gsize)(newline - line);
	reader->at = newline == NULL ? reader->end : newline + 1;
	return line;
}

static gboolean line_is(const char *line, gsize size, const char *wanted)
{
	return size == strlen(wanted) && memcmp(line, wanted, size) == 0;
}

static void expect_line(Reader *reader, const char *wanted)
{
	gsize size;
	const char *line = take_line(reader, &size);
	if (reader->error == NULL && !line_is(line, size, wanted)) {
		g_autofree char *wrong = g_strdup_printf("%s is expected", wanted);
		fail(reader, DROVER_ERROR_INPUT, "here", wrong);
	}
}

/* Never NULL: null when it failed. */
static json_t *read_json(Reader *reader, const char *text, gsize size)
{
	json_error_t wrong;
	if (size > 0 && text[size - 1] == ',')
		size--;
	json_t *value = json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &wrong);
	if (value == NULL)
		fail(reader, DROVER_ERROR_INPUT, "this is no JSON:", wrong.text);
	return value != NULL ? value : json_null();
}

/* The value of the next line, which must begin with `key`. */
static json_t *take_field(Reader *reader, const char *key)
{
	gsize size;
	const char *line = take_line(reader, &size);
	g_autofree char *begin = g_strdup_printf("\"%s\":", key);
	gsize length = strlen(begin);
	if (size < length || memcmp(line, begin, length) != 0) {
		fail(reader, DROVER_ERROR_INPUT, begin, "is expected here");
		return json_null();
	}
	return read_json(reader, line + length, size - length);
}

static void begin_list(Reader *reader, const char *key)
{
	g_autofree char *line = g_strdup_printf("\"%s\":[", key);
	expect_line(reader, line);
}

/* The next one of a list, or NULL at its end and after an error. */
static json_t *take_item(Reader *reader)
{
	gsize size;
	const char *line = take_line(reader, &size);
	if (reader->error != NULL || line_is(line, size, "]") || line_is(line, size, "],"))
		return NULL;
	return read_json(reader, line, size);
}

/* values --------------------------------------------------------------------------------------- */

/* Borrowed; "" when it failed. */
static const char *text_of(Reader *reader, const json_t *value, const char *what)
{
	if (!json_is_string(value)) {
		fail(reader, DROVER_ERROR_INPUT, what, "must be a text");
		return "";
	}
	return json_string_value(value);
}

static gint64 number_of(Reader *reader, const json_t *value, const char *what, gint64 maximum)
{
	gint64 number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 || number > maximum) {
		fail(reader, DROVER_ERROR_INPUT, what, "must be a whole number within its limits");
		return 0;
	}
	return number;
}

static void hex_of(Reader *reader, const json_t *value, const char *what, char sha256[SHA256_HEX])
{
	const char *text = text_of(reader, value, what);
	if (sha256_is_hex(text))
		g_strlcpy(sha256, text, SHA256_HEX);
	else
		fail(reader, DROVER_ERROR_INPUT, what, "must be 64 small hexadecimal digits");
}

static const char *text_in(Reader *reader, const json_t *object, const char *key)
{
	return text_of(reader, json_object_get(object, key), key);
}

static gint64 number_in(Reader *reader, const json_t *object, const char *key, gint64 maximum)
{
	return number_of(reader, json_object_get(object, key), key, maximum);
}

static void hex_in(Reader *reader, const json_t *object, const char *key, char sha256[SHA256_HEX])
{
	hex_of(reader, json_object_get(object, key), key, sha256);
}

/* A window beyond all limits is told as one by whoever checks it. */
static int window_in(Reader *reader, const json_t *object)
{
	return (int)number_in(reader, object, "window_log", 1000);
}

/* fields --------------------------------------------------------------------------------------- */

static char *take_text(Reader *reader, const char *key)
{
	g_autoptr(Json) value = take_field(reader, key);
	return g_strdup(text_of(reader, value, key));
}

static char *take_text_or_null(Reader *reader, const char *key)
{
	g_autoptr(Json) value = take_field(reader, key);
	return json_is_null(value) ? NULL : g_strdup(text_of(reader, value, key));
}

static gint64 take_number(Reader *reader, const char *key)
{
	g_autoptr(Json) value = take_field(reader, key);
	return number_of(reader, value, key, MANIFEST_MAXIMUM_NUMBER);
}

static void take_format(Reader *reader)
{
	g_autoptr(Json) value = take_field(reader, "format");
	if (!json_is_integer(value) || json_integer_value(value) != MANIFEST_FORMAT)
		fail(reader, DROVER_ERROR_INPUT, "the manifest's format",
			"is none that this Drover knows: it may come from a newer one");
}

static void take_landing(Reader *reader, Manifest *manifest)
{
	g_autoptr(Json) value = take_field(reader, "landing");
	if (!json_is_null(value))
		manifest->landing = number_of(reader, value, "landing", MANIFEST_MAXIMUM_NUMBER);
}

static void take_test(Reader *reader, Manifest *manifest)
{
	g_autoptr(Json) value = take_field(reader, "test");
	if (json_is_null(value))
		return;
	manifest->test_run = g_strdup(text_in(reader, value, "run"));
	hex_in(reader, value, "log_sha256", manifest->test_log_sha256);
}

static void take_contract(Reader *reader, Manifest *manifest)
{
	g_autoptr(Json) value = take_field(reader, "contract_sha256");
	if (!json_is_null(value))
		hex_of(reader, value, "contract_sha256", manifest->contract_sha256);
}

static void take_payload(Reader *reader, ArchivePayload *payload)
{
	g_autoptr(Json) value = take_field(reader, "payload");
	payload->size_bytes = number_in(reader, value, "size", ARCHIVE_MAXIMUM_TAR_BYTES);
	payload->tar_bytes = number_in(reader, value, "tar_size", ARCHIVE_MAXIMUM_TAR_BYTES);
	payload->window_log = window_in(reader, value);
	hex_in(reader, value, "sha256", payload->sha256);
	hex_in(reader, value, "tar_sha256", payload->tar_sha256);
}

static void take_fields(Reader *reader, Manifest *manifest)
{
	take_format(reader);
	manifest->product = take_text(reader, "product");
	manifest->version = take_text(reader, "version");
	manifest->sequence = take_number(reader, "sequence");
	manifest->revision = take_text(reader, "revision");
	take_landing(reader, manifest);
	manifest->tag = take_text_or_null(reader, "tag");
	take_test(reader, manifest);
	take_contract(reader, manifest);
	manifest->min_rollback_sequence = take_number(reader, "min_rollback_sequence");
	manifest->mtime_s = take_number(reader, "mtime");
	take_payload(reader, &manifest->payload);
	/* Compared when all is written again. */
	g_free(take_text(reader, "tree_sha256"));
}

/* lists ---------------------------------------------------------------------------------------- */

static void take_dependencies(Reader *reader, Manifest *manifest)
{
	begin_list(reader, "dependencies");
	for (json_t *item; (item = take_item(reader)) != NULL;) {
		g_autoptr(Json) dependency = item;
		char sha256[SHA256_HEX] = "";
		hex_in(reader, dependency, "sha256", sha256);
		manifest_add_dependency(manifest, text_in(reader, dependency, "name"),
			text_in(reader, dependency, "version"), text_in(reader, dependency, "file"),
			sha256);
		if (manifest->dependencies->len > MANIFEST_MAXIMUM_DEPENDENCIES)
			fail(reader, DROVER_ERROR_TOO_LARGE, "the dependencies", "are too many");
	}
}

static void take_deltas(Reader *reader, Manifest *manifest)
{
	begin_list(reader, "deltas");
	for (json_t *item; (item = take_item(reader)) != NULL;) {
		g_autoptr(Json) delta = item;
		char sha256[SHA256_HEX] = "", from_tree_sha256[SHA256_HEX] = "";
		hex_in(reader, delta, "sha256", sha256);
		hex_in(reader, delta, "from_tree_sha256", from_tree_sha256);
		manifest_add_delta(manifest, text_in(reader, delta, "from"), from_tree_sha256,
			number_in(reader, delta, "size", ARCHIVE_MAXIMUM_TAR_BYTES), sha256,
			window_in(reader, delta));
		if (manifest->deltas->len > MANIFEST_MAXIMUM_DELTAS)
			fail(reader, DROVER_ERROR_TOO_LARGE, "the deltas", "are too many");
	}
}

static gboolean add_entry(Reader *reader, Tree *tree, const json_t *entry, GError **error)
{
	char sha256[SHA256_HEX] = "";
	const char *path = text_in(reader, entry, "path");
	if (json_object_get(entry, "target") != NULL) {
		const char *target = text_in(reader, entry, "target");
		return reader->error != NULL || tree_add_link(tree, path, target, error);
	}
	const char *mode = text_in(reader, entry, "mode");
	gboolean is_executable = strcmp(mode, "0755") == 0;
	if (!is_executable && strcmp(mode, "0644") != 0)
		fail(reader, DROVER_ERROR_INPUT, "mode", "must be \"0644\" or \"0755\"");
	gint64 size_bytes = number_in(reader, entry, "size", TREE_MAXIMUM_SIZE_BYTES);
	hex_in(reader, entry, "sha256", sha256);
	return reader->error != NULL ||
	       tree_add_file(tree, path, is_executable, size_bytes, sha256, error);
}

static void take_files(Reader *reader, Manifest *manifest)
{
	begin_list(reader, "files");
	for (json_t *item; (item = take_item(reader)) != NULL;) {
		g_autoptr(Json) entry = item;
		GError *error = NULL;
		if (!add_entry(reader, manifest->tree, entry, &error))
			fail_with(reader, error);
	}
}

/* the whole ------------------------------------------------------------------------------------ */

/* The text again: the same bytes, or the first line that is spelled in another way is named. */
static void check_spelling(Reader *reader, Manifest *manifest, const char *text, gsize size_bytes)
{
	GError *error = NULL;
	g_autofree char *spelled = manifest_text(manifest, &error);
	if (spelled == NULL) {
		g_prefix_error(&error, "%s: ", reader->name);
		reader->error = error;
		return;
	}
	gsize length = strlen(spelled), same = 0;
	reader->line = 1;
	while (same < MIN(length, size_bytes) && text[same] == spelled[same])
		reader->line += text[same++] == '\n';
	if (same < length || same < size_bytes)
		fail(reader, DROVER_ERROR_INPUT, "this is",
			"not how Drover writes a manifest: keys, order, numbers, digests or "
			"blanks differ");
}

Manifest *manifest_parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	g_assert(text != NULL);
	if (size_bytes > MANIFEST_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s: the manifest has %zu bytes, at most %d are allowed", name, size_bytes,
			MANIFEST_MAXIMUM_BYTES);
		return NULL;
	}
	g_autoptr(Manifest) manifest = manifest_new();
	Reader reader = {.name = name, .at = text, .end = text + size_bytes};
	expect_line(&reader, "{");
	take_fields(&reader, manifest);
	take_dependencies(&reader, manifest);
	take_deltas(&reader, manifest);
	take_files(&reader, manifest);
	expect_line(&reader, "}");
	if (reader.error == NULL)
		check_spelling(&reader, manifest, text, size_bytes);
	if (reader.error != NULL) {
		g_propagate_error(error, reader.error);
		return NULL;
	}
	return g_steal_pointer(&manifest);
}
