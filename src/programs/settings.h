/* SPDX-License-Identifier: ISC
 *
 * The configuration, shared by `drover` and `droverd`: one table of keys that feeds the reader, the
 * checker, `drover config keys` and, held to it by a test, the manual page drover.conf(5). Where a
 * value comes from is the caller's business: options and environment are set over what the file
 * says.
 */
#ifndef PROGRAMS_SETTINGS_H
#define PROGRAMS_SETTINGS_H

#include "api/api.h"

#define SETTINGS_DEFAULT_FILE	      "/etc/drover/drover.conf"
#define SETTINGS_SECRET_MAXIMUM_BYTES 4096 /* of a file with a password or token */

typedef enum SettingType {
	SETTING_TEXT,
	SETTING_PATH,
	SETTING_INTEGER, /* 1 or more */
	SETTING_COUNT,	 /* 0 or more */
	SETTING_DURATION,
	SETTING_BOOLEAN,
} SettingType;

typedef struct SettingKey {
	const char *section, *key;
	SettingType type;
	const char *fallback; /* as it would stand in the file; NULL: not set */
	const char *summary;
} SettingKey;

/* Ends with a NULL section. */
const SettingKey *settings_keys(void);
/* "text", "path", "whole number", "duration", "yes or no" */
const char *setting_type_name(SettingType type);

typedef struct Settings Settings;

/* Every key at its default. */
Settings *settings_new(void);
void settings_free(Settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)

/* Reads `path` over what is set. Keys that are not in the table are no error: each adds a sentence
 * with file and line to `warnings` (char *, may be NULL). Fails with DROVER_ERROR_INPUT or
 * DROVER_ERROR_NOT_FOUND. */
gboolean settings_load(Settings *settings, const char *path, GPtrArray *warnings, GError **error);

/* `name` is "section.key" and stands in the table; `text` is believed to be fit for it. */
void settings_set(Settings *settings, const char *name, const char *text);
/* NULL when neither set nor defaulted. */
const char *settings_text(const Settings *settings, const char *name);
/* Also a count, and a duration in seconds. The key has a default. */
gint64 settings_integer(const Settings *settings, const char *name);
gboolean settings_boolean(const Settings *settings, const char *name);
/* [store] url, or the database in the state folder. Caller frees. */
char *settings_store_url(const Settings *settings);
/* [release] builds, or the folder of that name in the state folder. Caller frees. */
char *settings_builds_folder(const Settings *settings);

/* What api_call() is told. The texts belong to `settings`, `books` to the caller, who sets it.
 * Reads the mail password's file. */
gboolean settings_site(Settings *settings, Clock clock, ApiSite *site, GError **error);

/* The first line of a file that holds a secret; refused when others may read it. Caller frees. */
char *settings_read_secret(const char *path, GError **error);

#endif
