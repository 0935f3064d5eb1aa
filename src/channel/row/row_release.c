/* SPDX-License-Identifier: ISC
 *
 * A release as it may be written:
 *
 *     {"name": "web-1.4.0", "product": "web", "version": "1.4.0", "build_id": "20260101",
 *      "platforms": {"x86_64": {"locales": {"en": {
 *        "completes": [{"from": "*", "url": "https://cdn.example.org/web-1.4.0", "size": 1234,
 *                       "sha256": "…"}],
 *        "partials": [{"from": "web-1.3.9", "file": "web/1.4.0/from-1.3.9", "size": 56,
 *                      "sha512": "…"}]}}}}}
 *
 * Deciding reads little of it (release_document.h); here all that clients will be told is checked.
 */
#include "channel/row/row_parts.h"

#include <string.h>

#include "channel/row/file_host.h"
#include "channel/rule/release_document.h"

/* One file ------------------------------------------------------------------------------------- */

static gboolean is_hexadecimal(const json_t *value, gsize digits, GError **error)
{
	const char *text = json_string_value(value);
	return (text != NULL && strlen(text) == digits &&
		       strspn(text, "0123456789abcdef") == digits) ||
	       row_refuse(error, "must be %" G_GSIZE_FORMAT " small hexadecimal digits", digits);
}

static gboolean is_sha256(const json_t *value, GError **error)
{
	return is_hexadecimal(value, 64, error);
}

static gboolean is_sha512(const json_t *value, GError **error)
{
	return is_hexadecimal(value, 128, error);
}

static gboolean is_size(const json_t *value, GError **error)
{
	return row_is_number(value, 1, G_MAXINT64, error);
}

/* Each part of a path is one step down, whoever reads it: no "..", no encoding of it. */
static gboolean is_path(const json_t *value, GError **error)
{
	const char *path = json_string_value(value);
	if (path == NULL || strlen(path) > ROW_MAXIMUM_TEXT_BYTES)
		return row_refuse(
			error, "must be a path of at most %d bytes", ROW_MAXIMUM_TEXT_BYTES);
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	gboolean is_good = *parts != NULL;
	for (char **part = parts; *part != NULL; part++)
		is_good &= **part != '\0' && **part != '.' &&
			   strspn(*part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789._-+~@=") == strlen(*part);
	return is_good || row_refuse(error,
				  "'%s' will not do: a path below the folder of files, its parts "
				  "of letters, digits and ._-+~@=, none beginning with a dot",
				  path);
}

static const RowColumn file_columns[] = {
	{"from", FALSE, row_is_name_or_star},
	{"url", FALSE, row_is_page},
	{"file", FALSE, is_path},
	{"size", TRUE, is_size},
	{"sha256", FALSE, is_sha256},
	{"sha512", FALSE, is_sha512},
	{NULL, FALSE, NULL},
};

typedef struct Release {
	const json_t *row;
	const json_t *hosts; /* of its product; NULL: none */
} Release;

static gboolean check_place(const Release *release, const json_t *file, GError **error)
{
	const char *url = row_text(file, "url"), *product = row_text(release->row, "product");
	if ((url == NULL) == (row_text(file, "file") == NULL))
		return row_refuse(error, "must have a url or a file, one of both");
	if (url == NULL || file_host_is_allowed(url, release->hosts))
		return TRUE;
	g_autofree char *host = file_host_of(url);
	return row_refuse(error,
		"url: files of %s may not come from %s; add it to the hosts of the product "
		"first",
		product != NULL ? product : "no product", host);
}

static gboolean check_file(
	const Release *release, const json_t *file, gboolean is_partial, GError **error)
{
	const char *from = row_text(file, "from");
	if (!row_columns_check("files", file_columns, file, error) ||
		!check_place(release, file, error))
		return FALSE;
	if (row_text(file, "sha256") == NULL && row_text(file, "sha512") == NULL)
		return row_refuse(error, "sha256: is missing, and so is sha512");
	if (is_partial && (from == NULL || strcmp(from, "*") == 0))
		return row_refuse(error, "from: must name the release that it leads from");
	return TRUE;
}

/* Platforms and locales ------------------------------------------------------------------------ */

static gboolean check_files(
	const Release *release, const json_t *locale, const char *kind, GError **error)
{
	const json_t *files = json_object_get(locale, kind);
	if (files == NULL || json_is_null(files))
		return TRUE;
	if (!json_is_array(files) || json_array_size(files) > ROW_MAXIMUM_FILES)
		return row_refuse(
			error, "%s: must be a list of at most %d files", kind, ROW_MAXIMUM_FILES);
	for (gsize i = 0; i < json_array_size(files); i++) {
		if (check_file(release, json_array_get(files, i), *kind == 'p', error))
			continue;
		g_prefix_error(error, "%s: %" G_GSIZE_FORMAT ": ", kind, i + 1);
		return FALSE;
	}
	return TRUE;
}

static const RowColumn locale_columns[] = {
	{"build_id", FALSE, row_is_name},
	{"version", FALSE, row_is_name},
	{"app_version", FALSE, row_is_name},
	{"display_version", FALSE, row_is_name},
	{"completes", FALSE, NULL},
	{"partials", FALSE, NULL},
	{NULL, FALSE, NULL},
};

static gboolean check_locale(
	const Release *release, const char *name, const json_t *locale, GError **error)
{
	if (row_columns_check("locales", locale_columns, locale, error) &&
		check_files(release, locale, "completes", error) &&
		check_files(release, locale, "partials", error))
		return TRUE;
	g_prefix_error(error, "locales: %s: ", name);
	return FALSE;
}

static const RowColumn platform_columns[] = {
	{"alias", FALSE, row_is_name},
	{"build_id", FALSE, row_is_name},
	{"locales", FALSE, NULL},
	{NULL, FALSE, NULL},
};

static gboolean check_platform(
	const Release *release, const char *name, const json_t *platform, GError **error)
{
	const json_t *locales = json_object_get(platform, "locales");
	const char *locale;
	json_t *value;
	gboolean is_good = row_columns_check("platforms", platform_columns, platform, error);
	if (is_good && json_object_get(platform, "alias") != NULL && json_object_size(platform) > 1)
		is_good = row_refuse(error, "an alias has nothing of its own");
	if (is_good && json_object_size(locales) > ROW_MAXIMUM_LOCALES)
		is_good = row_refuse(error, "locales: at most %d", ROW_MAXIMUM_LOCALES);
	if (is_good)
		json_object_foreach ((json_t *)locales, locale, value)
			is_good = is_good && check_locale(release, locale, value, error);
	if (!is_good)
		g_prefix_error(error, "platforms: %s: ", name);
	return is_good;
}

static gboolean check_platforms(const Release *release, GError **error)
{
	const json_t *platforms = json_object_get(release->row, "platforms");
	const char *name;
	json_t *platform;
	if (json_object_size(platforms) > ROW_MAXIMUM_PLATFORMS)
		return row_refuse(error, "platforms: at most %d", ROW_MAXIMUM_PLATFORMS);
	json_object_foreach ((json_t *)platforms, name, platform) {
		const char *alias = row_text(platform, "alias");
		if (alias != NULL && row_text(json_object_get(platforms, alias), "alias") != NULL)
			return row_refuse(
				error, "platforms: %s: %s is an alias itself", name, alias);
		if (!check_platform(release, name, platform, error))
			return FALSE;
	}
	return TRUE;
}

/* The row -------------------------------------------------------------------------------------- */

static gboolean is_landing(const json_t *value, GError **error)
{
	return row_is_number(value, 1, G_MAXINT64, error);
}

static gboolean is_contract(const json_t *value, GError **error)
{
	return json_is_object(value) || row_is_text(value, error);
}

static gboolean is_wait(const json_t *value, GError **error)
{
	return row_is_number(value, 0, G_MAXINT32, error);
}

static const RowColumn release_columns[] = {
	{"name", TRUE, row_is_name},
	{"product", FALSE, row_is_name},
	{"version", FALSE, NULL},
	{"build_id", FALSE, row_is_name},
	{"app_version", FALSE, row_is_name},
	{"display_version", FALSE, row_is_name},
	{"platform_version", FALSE, row_is_name},
	{"update_type", FALSE, row_is_name},
	{"title", FALSE, row_is_text},
	{"comment", FALSE, row_is_text},
	{"details_url", FALSE, row_is_page},
	{"open_url", FALSE, row_is_page},
	{"notification_url", FALSE, row_is_page},
	{"alert_url", FALSE, row_is_page},
	{"actions", FALSE, row_is_text},
	{"show_prompt", FALSE, row_is_boolean},
	{"show_never_for_version", FALSE, row_is_boolean},
	{"prompt_wait_time", FALSE, is_wait},
	{"background_interval", FALSE, is_wait},
	{"landing", FALSE, is_landing},
	{"contract", FALSE, is_contract},
	{"published", FALSE, row_is_boolean},
	{"platforms", FALSE, NULL},
	{NULL, FALSE, NULL},
};

gboolean row_release_check(const json_t *row, const State *state, GError **error)
{
	const char *product = row_text(row, "product");
	const json_t *delivery = product == NULL ? NULL : state_row(state, STATE_PRODUCTS, product);
	Release release = {row, json_object_get(delivery, "hosts")};
	if (!row_columns_check("releases", release_columns, row, error))
		return FALSE;
	g_autoptr(ReleaseDocument) document =
		release_document_new((json_t *)row, row_scheme_of(state, product), error);
	return document != NULL && check_platforms(&release, error);
}
