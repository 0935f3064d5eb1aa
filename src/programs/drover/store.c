/* SPDX-License-Identifier: ISC
 *
 * drover store: the database itself. Backup, restore and migrate need it at hand; check has a route
 * of the API too.
 */
#include "store/store.h"

#include "programs/drover/commands.h"
#include "programs/terminal/show.h"
#include "store/backup.h"

static gboolean run_backup(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *path = invocation_argument(invocation, 0);
	g_autofree char *head = NULL;
	Store *store = invocation_store(invocation, error);
	if (store == NULL || !store_backup(store, path, &head, error))
		return FALSE;
	screen_done(screen, "backed up %s to %s, head of the history %s", store_name(store), path,
		head);
	if (screen->json) {
		g_autoptr(json_t) done =
			json_pack("{s:s, s:s}", "file", path, "history_head", head);
		screen_json(screen, done);
	}
	return TRUE;
}

/* The store without the check that its schema is ours: for those who bring the schema. */
static Store *open_bare(Invocation *invocation, GError **error)
{
	gboolean made;
	if (!invocation_may_open_store(invocation, error))
		return NULL;
	Settings *settings = invocation_settings(invocation, error);
	if (!port_prepare_store(settings, &made, error))
		return NULL;
	g_autofree char *url = settings_store_url(settings);
	return store_open(url, error);
}

static gboolean run_migrate(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(Store) store = open_bare(invocation, error);
	if (store == NULL || !store_migrate(store, error))
		return FALSE;
	screen_done(screen, "%s has the schema of drover " DROVER_VERSION, store_name(store));
	if (screen->json) {
		g_autoptr(json_t) done = json_pack("{s:s}", "store", store_name(store));
		screen_json(screen, done);
	}
	return TRUE;
}

/* A database in which nothing is yet gets the schema, as a new SQLite file does when it is opened.
 */
static gboolean make_schema(Invocation *invocation, GError **error)
{
	Settings *settings = invocation_settings(invocation, error);
	g_autofree char *url = settings != NULL ? settings_store_url(settings) : NULL;
	if (url != NULL && g_str_has_prefix(url, "sqlite:"))
		return TRUE;
	g_autoptr(Store) store = url != NULL ? open_bare(invocation, error) : NULL;
	return store != NULL && store_migrate_new(store, error);
}

static gboolean run_restore(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *path = invocation_argument(invocation, 0);
	Store *store = make_schema(invocation, error) ? invocation_store(invocation, error) : NULL;
	if (store == NULL || !commands_refuse_in_maintenance(invocation, error) ||
		!store_restore(store, path, error))
		return FALSE;
	screen_done(screen, "restored %s from %s", store_name(store), path);
	if (screen->json) {
		g_autoptr(json_t) done =
			json_pack("{s:s, s:s}", "file", path, "store", store_name(store));
		screen_json(screen, done);
	}
	return TRUE;
}

static gboolean run_check(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) check =
		invocation_call(invocation, "GET", NULL, NULL, error, "store", "check", NULL);
	if (check == NULL)
		return FALSE;
	const json_t *problems = json_object_get(check, "problems");
	if (screen->json)
		screen_json(screen, check);
	if (show_is_true(check, "good")) {
		if (!screen->json)
			screen_line(screen,
				"The store is sound: schema %" G_GINT64_FORMAT ", history %s",
				json_integer_of(check, "schema_version"),
				json_text(check, "history_head"));
		return TRUE;
	}
	g_autoptr(GString) text = g_string_new(NULL);
	gsize index;
	json_t *problem;
	json_array_foreach (problems, index, problem)
		g_string_append_printf(text, "\n%s", json_string_value(problem));
	drover_error_set(error, DROVER_ERROR_INTERNAL, "the store is not sound:%s", text->str);
	return FALSE;
}

const Command store_commands[] = {
	{"store backup", "FILE", 1, 1, "Writes a backup, whole or not at all", run_backup, NULL,
		"Taken online from one consistent view. FILE is an SQLite database with the same "
		"schema\n"
		"that can be used as it is: --store sqlite:FILE. Needs the store itself.",
		"drover store backup /backup/drover-$(date +%F).db", "10",
		"store restore, history verify"},
	{"store restore", "FILE", 1, 1, "Fills an empty store from a backup", run_restore, NULL,
		"Also the way from SQLite to PostgreSQL, whose tables it makes. A store that "
		"holds\n"
		"anything is refused.",
		"drover store restore /backup/drover.db --store postgresql:///drover", "3,4,7,10",
		"store backup, store check"},
	{"store check", "", 0, 0, "Says whether the store is sound", run_check, NULL,
		"The database's own check, references, the history's chain, the schema's version. "
		"Exit\n"
		"status 1 when something is wrong.",
		"drover store check", "4", "history verify"},
	{"store migrate", "", 0, 0, "Brings the schema up to this program's", run_migrate, NULL,
		"Each step in one transaction; a second time changes nothing. Allowed in "
		"maintenance:\n"
		"this is what upgrades do. Needs the store itself.",
		"drover store migrate", "4,10", "upgrade, store check"},
	{0},
};
