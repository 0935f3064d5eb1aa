/* SPDX-License-Identifier: ISC
 *
 * The table of keys, and values looked up in it. A value is kept as text and was checked when it
 * was read, so that the getters cannot fail.
 */
#include "programs/settings.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/format.h"
#include "base/ini.h"

enum { MAXIMUM_INTEGER = 1000000 };

/* clang-format off */
static const SettingKey keys[] = {
	{"store", "url", SETTING_TEXT, NULL,
		"The database: sqlite:PATH or postgresql://… ; drover.db in the state folder by default"},
	{"state", "folder", SETTING_PATH, "/var/lib/drover",
		"What is kept beside the database; maintenance.txt is looked for here"},
	{"server", "url", SETTING_TEXT, NULL,
		"Makes drover work through this server's API instead of on the store"},
	{"server", "token-file", SETTING_PATH, NULL,
		"A file whose first line is the token for that server"},
	{"server", "ca-file", SETTING_PATH, NULL,
		"Certificates that the server's is checked against; the system's by default"},
	{"public", "listen", SETTING_TEXT, "127.0.0.1:8460",
		"Where droverd answers update queries and serves releases"},
	{"public", "url", SETTING_TEXT, NULL,
		"Address at which clients reach it, for files that are served from /releases"},
	{"public", "signing-key", SETTING_PATH, NULL,
		"A file whose first line is the key that answers are signed with when asked: 32 bytes, base64"},
	{"public", "pools", SETTING_BOOLEAN, "yes",
		"Publish the lists of pools there, as PyBal reads them, to whoever asks"},
	{"public", "releases", SETTING_PATH, NULL,
		"A folder whose files are served below /releases/ there, to whoever asks; that of [release] by default"},
	{"admin", "listen", SETTING_TEXT, "127.0.0.1:8461",
		"Where droverd answers with API and pages"},
	{"admin", "certificate", SETTING_PATH, NULL,
		"TLS certificate chain of the admin address, PEM"},
	{"admin", "key", SETTING_PATH, NULL,
		"Private key of that certificate, PEM"},
	{"admin", "behind-proxy", SETTING_BOOLEAN, "no",
		"A proxy in front does TLS: allows the admin address without a certificate"},
	{"admin", "workers", SETTING_INTEGER, "4",
		"Threads that answer admin requests, each with a connection to the store"},
	{"mail", "url", SETTING_TEXT, NULL,
		"The mail server: smtp://HOST:PORT or smtps://HOST; without it notices stay queued"},
	{"mail", "user", SETTING_TEXT, NULL,
		"Name to log in with at the mail server"},
	{"mail", "password-file", SETTING_PATH, NULL,
		"A file whose first line is the password for it"},
	{"mail", "from", SETTING_TEXT, NULL,
		"Sender of every notice"},
	{"mail", "ca-file", SETTING_PATH, NULL,
		"Certificates that the mail server's is checked against; the system's by default"},
	{"mail", "require-tls", SETTING_BOOLEAN, "yes",
		"Send nothing over a connection that is not encrypted"},
	{"job", "lock-warn", SETTING_DURATION, "15min",
		"A job that is at work for longer is warned about, loudly"},
	{"clock", "scan-every", SETTING_DURATION, "30s",
		"How often droverd scans every product's repository; 0 for never"},
	{"clock", "remind-every", SETTING_DURATION, "5min",
		"How often droverd looks for reminders that are due and mails to send; 0 for never"},
	{"clock", "remind-from", SETTING_DURATION, "7h",
		"How long after midnight (UTC) droverd begins to send reminders"},
	{"report", "folder", SETTING_PATH, NULL,
		"Where drover run puts the static report; without it, run writes none"},
	{"page", "base-url", SETTING_TEXT, NULL,
		"Address of the admin pages, for links in mails and login links"},
	{"retention", "days", SETTING_INTEGER, "400",
		"Age in days at which verdict and notice logs are summarised; history never is"},
	{"release", "repository", SETTING_PATH, NULL,
		"The folder that releases are published to; droverd keeps its indexes signed"},
	{"release", "key", SETTING_PATH, NULL,
		"The secret key that manifests are signed with, where releases are published"},
	{"release", "index-key", SETTING_PATH, NULL,
		"The secret key that indexes are signed with, without a password, where droverd runs"},
	{"release", "keys", SETTING_PATH, NULL,
		"A folder of root public keys: *.pub for every product, PRODUCT/*.pub for one"},
	{"release", "index-life", SETTING_DURATION, "7d",
		"How long an index is good for after it was signed; it is signed again at half of that"},
	{"release", "deltas", SETTING_COUNT, "3",
		"From how many of the last versions a release has a shorter way; 0 for none"},
	{"release", "vendor", SETTING_TEXT, NULL,
		"A folder, or an http or https address, where pinned dependencies are fetched from"},
	{"release", "builds", SETTING_PATH, NULL,
		"Where drover release build puts what it built; builds in the state folder by default"},
	{NULL, NULL, SETTING_TEXT, NULL, NULL},
};
/* clang-format on */

struct Settings {
	GHashTable *values; /* "section.key" -> text */
	char *mail_password;
};

const SettingKey *settings_keys(void)
{
	return keys;
}

const char *setting_type_name(SettingType type)
{
	static const char *const names[] = {
		"text", "path", "whole number", "whole number", "duration", "yes or no"};
	return names[type];
}

static char *name_of(const SettingKey *key)
{
	return g_strconcat(key->section, ".", key->key, NULL);
}

static const SettingKey *find_key(const char *name)
{
	for (const SettingKey *key = keys; key->section != NULL; key++) {
		g_autofree char *candidate = name_of(key);
		if (strcmp(candidate, name) == 0)
			return key;
	}
	return NULL;
}

Settings *settings_new(void)
{
	Settings *settings = g_new0(Settings, 1);
	settings->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (const SettingKey *key = keys; key->section != NULL; key++)
		if (key->fallback != NULL)
			g_hash_table_insert(
				settings->values, name_of(key), g_strdup(key->fallback));
	return settings;
}

void settings_free(Settings *settings)
{
	if (settings == NULL)
		return;
	g_hash_table_unref(settings->values);
	g_free(settings->mail_password);
	g_free(settings);
}

static gboolean parse_boolean(const char *text, gboolean *value)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};
	for (gsize i = 0; i < G_N_ELEMENTS(yes); i++) {
		if (g_ascii_strcasecmp(text, yes[i]) != 0 && g_ascii_strcasecmp(text, no[i]) != 0)
			continue;
		*value = g_ascii_strcasecmp(text, yes[i]) == 0;
		return TRUE;
	}
	return FALSE;
}

static gboolean check(const Ini *ini, const SettingKey *key, GError **error)
{
	gint64 number;
	gboolean truth;
	switch (key->type) {
	case SETTING_INTEGER:
		return ini_get_integer(
			ini, key->section, key->key, 0, 1, MAXIMUM_INTEGER, &number, error);
	case SETTING_COUNT:
		return ini_get_integer(
			ini, key->section, key->key, 0, 0, MAXIMUM_INTEGER, &number, error);
	case SETTING_DURATION:
		return ini_get_duration(ini, key->section, key->key, 0, &number, error);
	case SETTING_BOOLEAN:
		return ini_get_boolean(ini, key->section, key->key, FALSE, &truth, error);
	default:
		return TRUE;
	}
}

static gboolean load_key(Settings *settings, const Ini *ini, const SettingKey *key, GError **error)
{
	g_autofree char *text = NULL;
	if (!check(ini, key, error) || !ini_get(ini, key->section, key->key, &text, error))
		return FALSE;
	if (text != NULL && *text != '\0')
		g_hash_table_replace(settings->values, name_of(key), g_steal_pointer(&text));
	return TRUE;
}

static void warn_of_unknown_keys(const Ini *ini, GPtrArray *warnings)
{
	g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
	for (const SettingKey *key = keys; key->section != NULL; key++)
		g_ptr_array_add(known, name_of(key));
	g_ptr_array_add(known, NULL);
	g_autoptr(GPtrArray) unknown = ini_unknown_keys(ini, (const char *const *)known->pdata);
	for (guint i = 0; i < unknown->len; i++)
		g_ptr_array_add(warnings, g_strdup(unknown->pdata[i]));
}

gboolean settings_load(Settings *settings, const char *path, GPtrArray *warnings, GError **error)
{
	g_autoptr(Ini) ini = ini_load(path, error);
	if (ini == NULL)
		return FALSE;
	for (const SettingKey *key = keys; key->section != NULL; key++)
		if (!load_key(settings, ini, key, error))
			return FALSE;
	if (warnings != NULL)
		warn_of_unknown_keys(ini, warnings);
	return TRUE;
}

void settings_set(Settings *settings, const char *name, const char *text)
{
	g_assert(find_key(name) != NULL);
	g_hash_table_replace(settings->values, g_strdup(name), g_strdup(text));
}

const char *settings_text(const Settings *settings, const char *name)
{
	g_assert(find_key(name) != NULL);
	return g_hash_table_lookup(settings->values, name);
}

gint64 settings_integer(const Settings *settings, const char *name)
{
	gint64 value = 0;
	const char *text = settings_text(settings, name);
	g_assert(text != NULL);
	gboolean readable = find_key(name)->type == SETTING_DURATION
				    ? parse_duration(text, &value, NULL)
				    : parse_integer(text, name, 0, G_MAXINT64, &value, NULL);
	g_assert(readable);
	return value;
}

gboolean settings_boolean(const Settings *settings, const char *name)
{
	gboolean value = FALSE;
	gboolean readable = parse_boolean(settings_text(settings, name), &value);
	g_assert(readable);
	return value;
}

char *settings_store_url(const Settings *settings)
{
	const char *url = settings_text(settings, "store.url");
	if (url != NULL)
		return g_strdup(url);
	return g_strdup_printf("sqlite:%s/drover.db", settings_text(settings, "state.folder"));
}

char *settings_builds_folder(const Settings *settings)
{
	const char *folder = settings_text(settings, "release.builds");
	if (folder != NULL)
		return g_strdup(folder);
	return g_build_filename(settings_text(settings, "state.folder"), "builds", NULL);
}

char *settings_read_secret(const char *path, GError **error)
{
	struct stat status;
	if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 07) != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s holds a secret and everybody may read it: chmod o= %s", path, path);
		return NULL;
	}
	g_autofree char *text = file_read(path, SETTINGS_SECRET_MAXIMUM_BYTES, NULL, error);
	if (text == NULL)
		return NULL;
	text[strcspn(text, "\r\n")] = '\0';
	if (*g_strstrip(text) != '\0')
		return g_steal_pointer(&text);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s should hold a secret on its first line, and that line is empty", path);
	return NULL;
}

gboolean settings_site(Settings *settings, Clock clock, ApiSite *site, GError **error)
{
	const char *password_file = settings_text(settings, "mail.password-file");
	if (password_file != NULL && settings->mail_password == NULL) {
		settings->mail_password = settings_read_secret(password_file, error);
		if (settings->mail_password == NULL)
			return FALSE;
	}
	*site = (ApiSite){
		.clock = clock,
		.state_folder = settings_text(settings, "state.folder"),
		.lock_warn_s = settings_integer(settings, "job.lock-warn"),
		.base_url = settings_text(settings, "page.base-url"),
		.mail_url = settings_text(settings, "mail.url"),
		.mail_user = settings_text(settings, "mail.user"),
		.mail_password = settings->mail_password,
		.mail_from = settings_text(settings, "mail.from"),
		.mail_ca_file = settings_text(settings, "mail.ca-file"),
		.mail_require_tls = settings_boolean(settings, "mail.require-tls"),
		.release_repository = settings_text(settings, "release.repository"),
		.release_keys = settings_text(settings, "release.keys"),
		.retention_days = settings_integer(settings, "retention.days"),
	};
	return TRUE;
}
