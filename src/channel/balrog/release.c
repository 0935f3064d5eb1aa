/* SPDX-License-Identifier: ISC
 *
 * Balrog's release blobs, schema versions 1 to 9. A blob says where its files are by templates,
 * which differ by channel and by schema; here each file gets its one address. A release is taken
 * whole or not at all: a client that is offered half of it would be worse off than without.
 */
#include "channel/balrog/balrog.h"

#include <string.h>

#include "channel/balrog/report.h"
#include "channel/row/row_parts.h"

typedef struct Blob {
	BalrogReport *report;
	const json_t *value;
	const char *digest; /* sha256, sha512 */
} Blob;

/* One file of a blob: where it stands. Texts are borrowed. */
typedef struct Spot {
	const char *platform, *locale;
	const json_t *of_platform, *file;
	const char *kind, *kinds; /* "complete", "completes" */
	const char *from;	  /* "*": any */
} Spot;

static const char *either(const json_t *object, const char *key, const char *older)
{
	const char *text = row_text(object, key);
	return text != NULL ? text : row_text(object, older);
}

/* Addresses ------------------------------------------------------------------------------------ */

/* Older: a text, or {"complete": text, "partial": text}; newer: {"completes": {"*": text},
 * "partials": {"Firefox-60": text}}. */
static const char *by_kind(const json_t *texts, const Spot *spot)
{
	const json_t *kinds = json_object_get(texts, spot->kinds);
	const char *own = row_text(kinds, spot->from);
	if (json_is_string(texts))
		return json_string_value(texts);
	return kinds == NULL ? row_text(texts, spot->kind)
	       : own != NULL ? own
			     : row_text(kinds, "*");
}

/* For all channels, or for the only one. */
static const char *template_of(const Blob *blob, const Spot *spot)
{
	json_t *urls = json_object_get(blob->value, "fileUrls");
	const json_t *general = json_object_get(urls, "*");
	const char *own = row_text(spot->file, "fileUrl");
	if (own != NULL)
		return own;
	if (general == NULL && json_object_size(urls) == 1)
		general = json_object_iter_value(json_object_iter(urls));
	return by_kind(general, spot);
}

static gboolean put(GString *url, const char *name, const char *value)
{
	if (strstr(url->str, name) == NULL)
		return TRUE;
	if (value == NULL || strstr(value, name) != NULL)
		return FALSE;
	g_string_replace(url, name, value, 0);
	return TRUE;
}

/* NULL when the template asks for what the blob does not say. Caller frees. */
static char *address(const Blob *blob, const Spot *spot, const char *template)
{
	g_autoptr(GString) url = g_string_new(template);
	const json_t *products = json_object_get(blob->value, "bouncerProducts");
	const json_t *names = json_object_get(blob->value, "ftpFilenames");
	if (!put(url, "%PRODUCT%", by_kind(products, spot)) ||
		!put(url, "%FILENAME%", by_kind(names, spot)) ||
		!put(url, "%OS_BOUNCER%", row_text(spot->of_platform, "OS_BOUNCER")) ||
		!put(url, "%OS_FTP%", row_text(spot->of_platform, "OS_FTP")) ||
		!put(url, "%LOCALE%", spot->locale) || url->len > BALROG_MAXIMUM_URL_BYTES)
		return NULL;
	return g_string_free(g_steal_pointer(&url), FALSE);
}

/* Files ---------------------------------------------------------------------------------------- */

static gboolean read_size(const json_t *file, gint64 *size)
{
	const json_t *value = json_object_get(file, "filesize");
	const char *text = json_string_value(value);
	*size = json_integer_value(value);
	if (text != NULL)
		return g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, size, NULL);
	return json_is_integer(value) && *size > 0;
}

static gboolean is_digest(const Blob *blob, const char *text)
{
	gsize wanted = strcmp(blob->digest, "sha256") == 0 ? 64 : 128;
	return text != NULL && strlen(text) == wanted &&
	       strspn(text, "0123456789abcdefABCDEF") == wanted;
}

static void refuse_file(const Blob *blob, const Spot *spot, const char *field, const char *why)
{
	g_autofree char *where = g_strdup_printf(
		"platforms.%s.locales.%s.%s", spot->platform, spot->locale, spot->kinds);
	balrog_refuse(blob->report, where, "from %s: %s: %s", spot->from, field, why);
}

static void add_file(const Blob *blob, const Spot *spot, json_t *files)
{
	gint64 size;
	const char *hash = row_text(spot->file, "hashValue");
	const char *template = template_of(blob, spot);
	g_autofree char *url = template == NULL ? NULL : address(blob, spot, template);
	if (!read_size(spot->file, &size))
		refuse_file(blob, spot, "filesize", "must be a whole number from 1");
	else if (!is_digest(blob, hash))
		refuse_file(blob, spot, "hashValue", "is no digest of the blob's hashFunction");
	else if (template == NULL)
		refuse_file(blob, spot, "fileUrls", "has no address of it for all channels (*)");
	else if (url == NULL)
		refuse_file(blob, spot, "fileUrls", "asks for what the blob does not say");
	if (blob->report->is_bad)
		return;
	g_autofree char *small = g_ascii_strdown(hash, -1);
	json_array_append_new(files, json_pack("{s:s, s:s, s:I, s:s}", "from", spot->from, "url",
					     url, "size", (json_int_t)size, blob->digest, small));
}

/* The list of newer schemas, or the one of older ones. */
static json_t *read_files(const Blob *blob, Spot spot, const json_t *locale)
{
	const json_t *list = json_object_get(locale, spot.kinds);
	const json_t *single = json_object_get(locale, spot.kind);
	gsize count = list != NULL ? json_array_size(list) : single != NULL;
	json_t *files = json_array();
	if (list != NULL && !json_is_array(list))
		refuse_file(blob, &spot, spot.kinds, "must be a list");
	for (gsize i = 0; i < count && !blob->report->is_bad; i++) {
		spot.file = list != NULL ? json_array_get(list, i) : single;
		const char *from = row_text(spot.file, "from");
		spot.from = from != NULL && *from != '\0' ? from : "*";
		add_file(blob, &spot, files);
	}
	return files;
}

static json_t *read_locale(const Blob *blob, Spot spot, const json_t *locale)
{
	static const char *const kinds[][2] = {{"complete", "completes"}, {"partial", "partials"}};
	json_t *row = json_object();
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		spot.kind = kinds[i][0];
		spot.kinds = kinds[i][1];
		json_t *files = read_files(blob, spot, locale);
		if (json_array_size(files) > 0)
			json_object_set(row, spot.kinds, files);
		json_decref(files);
	}
	return row;
}

/* Platforms ------------------------------------------------------------------------------------ */

/* Nightly blobs say version and build by locale; they are the release's, or it is refused. */
static void agree(const Blob *blob, const char *field, const char **one, const char *other)
{
	if (*one == NULL)
		*one = other;
	else if (other != NULL && strcmp(*one, other) != 0)
		balrog_refuse(
			blob->report, field, "is %s and %s; a release here has one", *one, other);
}

static json_t *read_platform(
	const Blob *blob, const char *name, const json_t *platform, const char **version)
{
	const char *alias = row_text(platform, "alias"), *build_id = row_text(platform, "buildID");
	const char *locale_name;
	json_t *locale, *locales = json_object();
	Spot spot = {.platform = name, .of_platform = platform, .from = "*"};
	if (alias != NULL) {
		json_decref(locales);
		return json_pack("{s:s}", "alias", alias);
	}
	json_object_foreach (json_object_get(platform, "locales"), locale_name, locale) {
		spot.locale = locale_name;
		agree(blob, "buildID", &build_id, row_text(locale, "buildID"));
		agree(blob, "appVersion", version, either(locale, "appVersion", "appv"));
		json_object_set_new(locales, locale_name, read_locale(blob, spot, locale));
	}
	json_t *row = json_pack("{s:o}", "locales", locales);
	if (build_id != NULL)
		json_object_set_new(row, "build_id", json_string(build_id));
	return row;
}

static json_t *read_platforms(const Blob *blob, const char **version)
{
	const char *name;
	json_t *platform, *platforms = json_object();
	const json_t *given = json_object_get(blob->value, "platforms");
	if (json_object_size(given) == 0)
		balrog_refuse(blob->report, "platforms", "has none");
	json_object_foreach ((json_t *)given, name, platform)
		json_object_set_new(platforms, name, read_platform(blob, name, platform, version));
	return platforms;
}

/* The whole blob ------------------------------------------------------------------------------- */

static gboolean check_schema(Blob *blob)
{
	const json_t *schema = json_object_get(blob->value, "schema_version");
	const char *digest = row_text(blob->value, "hashFunction");
	blob->digest = digest;
	if (!json_is_integer(schema) || json_integer_value(schema) < 1 ||
		json_integer_value(schema) > BALROG_LAST_SCHEMA)
		balrog_refuse(blob->report, "schema_version",
			"must be 1 to 9: releases of applications; there is nothing here for "
			"others");
	else if (g_strcmp0(digest, "sha256") != 0 && g_strcmp0(digest, "sha512") != 0)
		balrog_refuse(blob->report, "hashFunction",
			"must be sha256 or sha512: nothing weaker is handed out");
	return !blob->report->is_bad;
}

/* What is handed out as it stands; older schemas have it by another name. */
static const struct {
	const char *theirs, *older, *ours;
} fields[] = {
	{"displayVersion", NULL, "display_version"},
	{"platformVersion", "extv", "platform_version"},
	{"detailsUrl", NULL, "details_url"},
	{"openURL", NULL, "open_url"},
	{"notificationURL", NULL, "notification_url"},
	{"alertURL", NULL, "alert_url"},
	{"actions", NULL, "actions"},
	{"showPrompt", NULL, "show_prompt"},
	{"showNeverForVersion", NULL, "show_never_for_version"},
	{"promptWaitTime", NULL, "prompt_wait_time"},
	{"backgroundInterval", NULL, "background_interval"},
};

static gboolean is_known(const char *key)
{
	static const char *const others[] = {"name", "schema_version", "hashFunction", "platforms",
		"fileUrls", "bouncerProducts", "ftpFilenames", "appVersion", "appv", "product",
		NULL};
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
		if (strcmp(fields[i].theirs, key) == 0 || g_strcmp0(fields[i].older, key) == 0)
			return TRUE;
	return g_strv_contains(others, key);
}

static void note_others(const Blob *blob)
{
	json_t *value;
	const char *key;
	json_object_foreach ((json_t *)blob->value, key, value)
		if (!is_known(key) && !balrog_says_nothing(value))
			balrog_note(
				blob->report, key, "left out: releases here have no such field");
	json_t *urls = json_object_get(blob->value, "fileUrls");
	if (json_object_get(urls, "*") != NULL && json_object_size(urls) > 1)
		balrog_note(blob->report, "fileUrls",
			"only the address for all channels (*) is taken; other hosts are a test "
			"channel's rewrite");
}

static json_t *read_blob(Blob *blob, const char *name, const char *product)
{
	const char *version = either(blob->value, "appVersion", "appv");
	json_t *row = json_pack("{s:s, s:s, s:o}", "name", name, "product", product, "platforms",
		read_platforms(blob, &version));
	if (version != NULL)
		json_object_set_new(row, "version", json_string(version));
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		json_t *value = json_object_get(blob->value, fields[i].theirs);
		if (balrog_says_nothing(value) && fields[i].older != NULL)
			value = json_object_get(blob->value, fields[i].older);
		if (!balrog_says_nothing(value))
			json_object_set(row, fields[i].ours, value);
	}
	note_others(blob);
	return row;
}

static void check_row(BalrogReport *report, const State *state, json_t *row)
{
	g_autoptr(GError) error = NULL;
	if (!row_check(STATE_RELEASES, row, state, ROW_GOES_LIVE, &error))
		balrog_refuse(report, "blob", "%s", balrog_without_subject(error->message));
}

static gboolean is_stub(const json_t *row)
{
	const json_t *platforms = json_object_get(row, "platforms");
	return json_is_object(platforms) && json_object_size(platforms) == 0;
}

static void take_row(BalrogReport *report, const State *state, json_t *row)
{
	const char *name = row_text(row, "name");
	if (state_row(state, STATE_RELEASES, name) == NULL)
		balrog_insert(report, STATE_RELEASES, json_incref(row));
	else
		json_array_append_new(
			report->ops, json_pack("{s:s, s:s, s:s, s:O}", "op", "update", "table",
					     "releases", "name", name, "row", row));
	report->taken++;
}

static gboolean is_new(BalrogReport *report, const State *state, GHashTable *seen, const char *name)
{
	const json_t *there = state_row(state, STATE_RELEASES, name);
	if (there != NULL && !is_stub(there))
		balrog_refuse(report, "name", "a release of this name is there already");
	else if (!g_hash_table_add(seen, (gpointer)name))
		balrog_refuse(report, "name", "a release of this name was read before it");
	return !report->is_bad;
}

static void read_release(BalrogReport *report, const State *state, const BalrogWish *wish,
	GHashTable *seen, const json_t *given)
{
	const json_t *wrapped = json_object_get(given, "blob");
	Blob blob = {report, wrapped != NULL ? wrapped : given, NULL};
	const char *name = row_text(blob.value, "name"), *product = row_text(given, "product");
	balrog_report_begin(report, name != NULL ? json_string(name) : json_null());
	if (wish->product != NULL && product != NULL && strcmp(product, wish->product) != 0) {
		report->left_out++;
		return;
	}
	if (name == NULL || *name == '\0')
		balrog_refuse(report, "name", "number %u has no name of a release", report->read);
	else if (product == NULL && wish->product == NULL)
		balrog_refuse(report, "product", "a blob does not say it; say --product");
	else if (json_object_get(blob.value, "schema_version") == NULL)
		balrog_refuse(report, "blob", "is not in it; /api/v1/releases/%s has it", name);
	else if (check_schema(&blob) && is_new(report, state, seen, name)) {
		g_autoptr(BalrogJson) row =
			read_blob(&blob, name, product != NULL ? product : wish->product);
		if (!report->is_bad)
			check_row(report, state, row);
		if (!report->is_bad)
			take_row(report, state, row);
	}
}

json_t *balrog_releases(
	const json_t *file, const State *state, const BalrogWish *wish, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	gboolean is_one = json_object_get(file, "schema_version") != NULL ||
			  json_object_get(file, "blob") != NULL;
	g_autoptr(BalrogJson) single = is_one ? json_pack("[O]", file) : NULL;
	const json_t *list =
		balrog_list(is_one ? single : file, "releases", BALROG_MAXIMUM_RELEASES, error);
	if (list == NULL)
		return NULL;
	g_auto(BalrogReport) report;
	balrog_report_init(&report, "release");
	for (gsize i = 0; i < json_array_size(list); i++)
		read_release(&report, state, wish, seen, json_array_get(list, i));
	return balrog_report_end(&report);
}
