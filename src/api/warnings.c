/* SPDX-License-Identifier: ISC
 *
 * A few texts, by what they are about.
 */
#include "api/warnings.h"

#include <string.h>

#include "wire/json.h"

struct ApiWarnings {
	GMutex lock;
	GTree *texts; /* char * -> char * */
};

static gint by_name(gconstpointer a, gconstpointer b, gpointer of)
{
	(void)of;
	return strcmp(a, b);
}

ApiWarnings *api_warnings_new(void)
{
	ApiWarnings *warnings = g_new0(ApiWarnings, 1);
	g_mutex_init(&warnings->lock);
	warnings->texts = g_tree_new_full(by_name, NULL, g_free, g_free);
	return warnings;
}

void api_warnings_free(ApiWarnings *warnings)
{
	if (warnings == NULL)
		return;
	g_tree_unref(warnings->texts);
	g_mutex_clear(&warnings->lock);
	g_free(warnings);
}

gboolean api_warnings_set(ApiWarnings *warnings, const char *about, const char *text)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&warnings->lock);
	if (g_strcmp0(g_tree_lookup(warnings->texts, about), text) == 0)
		return FALSE;
	if (text == NULL)
		g_tree_remove(warnings->texts, about);
	else
		g_tree_replace(warnings->texts, g_strdup(about), g_strdup(text));
	return TRUE;
}

static gboolean add(gpointer about, gpointer text, gpointer of)
{
	json_array_append_new(of, json_sprintf("%s: %s", (const char *)about, (const char *)text));
	return FALSE;
}

json_t *api_warnings_json(ApiWarnings *warnings)
{
	json_t *list = json_array();
	if (warnings == NULL)
		return list;
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&warnings->lock);
	g_tree_foreach(warnings->texts, add, list);
	return list;
}

guint api_warnings_count(ApiWarnings *warnings)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&warnings->lock);
	return (guint)g_tree_nnodes(warnings->texts);
}
