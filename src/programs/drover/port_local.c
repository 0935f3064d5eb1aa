/* SPDX-License-Identifier: ISC
 *
 * The API in this process, on the store: whoever may open the database may do everything, in the
 * name "user@host (store)".
 */
#include "programs/drover/port.h"

#include <string.h>

#include "base/file.h"
#include "landing/book.h"
#include "page/page.h"
#include "page/page.h"

typedef struct LocalPort {
	Port port;
	ApiSite site;
	Actor *actor;
} LocalPort;

json_t *port_call(Port *port, const char *method, const char *path, GHashTable *query, json_t *body,
	GError **error)
{
	return port->call(port, method, path, query, body, error);
}

void port_close(Port *port)
{
	if (port != NULL)
		port->close(port);
}

static json_t *call_local(Port *port, const char *method, const char *path, GHashTable *query,
	json_t *body, GError **error)
{
	LocalPort *local = (LocalPort *)port;
	return api_call(&local->site, port->store, local->actor, method, path, query, body, error);
}

static void close_local(Port *port)
{
	LocalPort *local = (LocalPort *)port;
	store_close(port->store);
	actor_free(local->actor);
	landing_books_free(local->site.books);
	g_free(local);
}

gboolean port_prepare_store(Settings *settings, gboolean *made, GError **error)
{
	const char *const scheme = "sqlite:";
	g_autofree char *url = settings_store_url(settings);
	*made = FALSE;
	if (!g_str_has_prefix(url, scheme))
		return TRUE;
	const char *path = url + strlen(scheme);
	g_autofree char *folder = g_path_get_dirname(path);
	*made = *path != '\0' && !g_file_test(path, G_FILE_TEST_EXISTS);
	return !*made || file_make_folder(folder, 0700, error);
}

static Actor *local_actor(void)
{
	g_autofree char *name =
		g_strdup_printf("%s@%s (store)", g_get_user_name(), g_get_host_name());
	return actor_new(ACTOR_LOCAL, name, "drover", 0);
}

Port *port_open_local(Settings *settings, Clock clock, gboolean *made, GError **error)
{
	ApiSite site;
	if (!settings_site(settings, clock, &site, error) ||
		!port_prepare_store(settings, made, error))
		return NULL;
	g_autofree char *url = settings_store_url(settings);
	g_autoptr(Store) store = store_open(url, error);
	if (store == NULL || (*made && !store_migrate(store, error)) ||
		!store_check_schema(store, error))
		return NULL;
	LocalPort *local = g_new0(LocalPort, 1);
	local->port = (Port){call_local, close_local, g_steal_pointer(&store)};
	local->site = site;
	local->site.books = landing_books_new();
	local->site.make_report = page_report;
	local->site.make_report = page_report;
	local->actor = local_actor();
	return &local->port;
}
