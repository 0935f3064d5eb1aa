/* SPDX-License-Identifier: ISC
 *
 * The schema, from whatever version a store has to this program's (docs/store.md).
 *
 * A migration is a file migrations/NNNN-name.sql, numbered from 1 without a hole, run in one
 * transaction together with its row in schema_version. It is written once; a database's own words
 * stand in for SERIAL_ID, GIVEN_ID, CLUSTERED and TEXT (which PostgreSQL is to compare byte by
 * byte, as SQLite does), and parts between a line `-- only sqlite` or `-- only postgresql` and a
 * line `-- every database` are for that one.
 */
#include "base/embedded.h"
#include "store/engine.h"

#include <stdlib.h>
#include <string.h>

extern const EmbeddedFile store_migrations[];

static const char SQL_CREATE[] = "CREATE TABLE IF NOT EXISTS schema_version ("
				 "version BIGINT PRIMARY KEY, name TEXT NOT NULL)";
static const char SQL_VERSION[] = "SELECT max(version) FROM schema_version";
static const char SQL_APPLIED[] = "INSERT INTO schema_version (version, name) VALUES (?, ?)";

static gint64 newest_version(void)
{
	gint64 count = 0;
	for (const EmbeddedFile *file = store_migrations; file->name; file++) {
		count++;
		g_assert(strtol(file->name, NULL, 10) == count);
	}
	return count;
}

/* 0 when nothing was ever applied. */
static gboolean read_version(Store *store, gint64 *version, GError **error)
{
	gint64 tables;
	*version = 0;
	if (!store_query_integer(store, error, 0, &tables, store_engine(store)->sql_has_table,
		    STORE_PARAMS(STORE_TEXT("schema_version"))))
		return FALSE;
	return !tables ||
	       store_query_integer(store, error, 0, version, SQL_VERSION, STORE_NO_PARAMS);
}

static gboolean refuse_newer(Store *store, gint64 version, GError **error)
{
	if (version <= newest_version())
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s: its schema is version %" G_GINT64_FORMAT
		", this program (drover " DROVER_VERSION ") knows versions up to %" G_GINT64_FORMAT
		"; use the newer drover, or restore a backup from before its upgrade",
		store_name(store), version, newest_version());
	return FALSE;
}

static char *replace_word(const char *text, const char *word, const char *by)
{
	g_autofree char *pattern = g_strdup_printf("\\b%s\\b", word);
	g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);
	return g_regex_replace_literal(regex, text, -1, 0, by, 0, NULL);
}

char *store_migration_for(const StoreEngine *engine, const char *sql)
{
	g_auto(GStrv) lines = g_strsplit(sql, "\n", -1);
	g_autoptr(GString) own = g_string_new(NULL);
	gboolean is_ours = TRUE;
	for (char **line = lines; *line; line++) {
		if (g_str_has_prefix(*line, "-- only "))
			is_ours = strcmp(*line + strlen("-- only "), engine->label) == 0;
		else if (strcmp(*line, "-- every database") == 0)
			is_ours = TRUE;
		else if (is_ours)
			g_string_append_printf(own, "%s\n", *line);
	}
	/* TEXT first: what stands in for a word may contain it. */
	const char *words[][2] = {{"TEXT", engine->text}, {"SERIAL_ID", engine->serial_id},
		{"GIVEN_ID", engine->given_id}, {"CLUSTERED", engine->clustered}};
	char *text = g_strdup(own->str);
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		char *replaced = replace_word(text, words[i][0], words[i][1]);
		g_free(text);
		text = replaced;
	}
	return text;
}

/* The next migration, if there is one still: another program may have been faster. */
static gboolean apply_next(Store *store, gpointer of, GError **error)
{
	gint64 *version = of;
	if (!store_script(store, SQL_CREATE, error) || !read_version(store, version, error) ||
		!refuse_newer(store, *version, error))
		return FALSE;
	if (*version == newest_version())
		return TRUE;
	const EmbeddedFile *file = &store_migrations[*version];
	g_autofree char *sql = store_migration_for(store_engine(store), (const char *)file->bytes);
	if (!store_script(store, sql, error)) {
		g_prefix_error(error, "migration %s: ", file->name);
		return FALSE;
	}
	++*version;
	return store_execute(store, error, SQL_APPLIED,
		STORE_PARAMS(STORE_INT(*version), STORE_TEXT(file->name)));
}

gboolean store_migrate(Store *store, GError **error)
{
	gint64 version;
	if (!read_version(store, &version, error) || !refuse_newer(store, version, error))
		return FALSE;
	while (version < newest_version())
		if (!store_write(store, apply_next, &version, error))
			return FALSE;
	return TRUE;
}

gboolean store_migrate_new(Store *store, GError **error)
{
	gint64 version;
	return read_version(store, &version, error) && (version > 0 || store_migrate(store, error));
}

gboolean store_check_schema(Store *store, GError **error)
{
	gint64 version;
	if (!read_version(store, &version, error) || !refuse_newer(store, version, error))
		return FALSE;
	if (version == newest_version())
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s: its schema is version %" G_GINT64_FORMAT
		", this program needs %" G_GINT64_FORMAT
		"; take a backup, then run: drover store migrate",
		store_name(store), version, newest_version());
	return FALSE;
}
