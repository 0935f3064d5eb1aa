/* SPDX-License-Identifier: ISC
 *
 * Whether a repository may be trusted: git's own rule (git-config(1), safe.directory), because a
 * repository's settings are its owner's words. Its folders belong to the user that runs us, or our
 * own settings, not the repository's, list it. Libgit2 1.5 has this check, but answers wrongly when
 * no list exists and leaks 20 kB per line of settings at each look; so it is switched off and done
 * here: before opening, which reads the settings and what they include, and again after it, for
 * settings can name another worktree. Hence: open repositories by git_open().
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "landing/git_parts.h"

/* As git: root, by way of sudo, also is who called sudo. */
static gboolean is_ours(const char *path)
{
	struct stat status;
	if (lstat(path, &status) < 0)
		return FALSE;
	if (status.st_uid == geteuid())
		return TRUE;
	const char *sudo = geteuid() == 0 ? g_getenv("SUDO_UID") : NULL;
	guint64 caller = 0;
	return sudo && g_ascii_string_to_unsigned(sudo, 10, 0, G_MAXUINT32, &caller, NULL) &&
	       status.st_uid == caller;
}

char *git_top_folder(const char *folder, const char *workdir)
{
	g_autofree char *real = realpath(workdir ? workdir : folder, NULL);
	return g_strdup(real ? real : folder);
}

/* Does this value of safe.directory mean `folder`: itself, everything ("*"), or all below
 * ("/srv/git/" and "*")? */
static gboolean lists(const char *value, const char *folder)
{
	g_autofree char *path = g_str_has_prefix(value, "~/")
					? g_build_filename(g_get_home_dir(), value + 2, NULL)
					: g_strdup(value);
	gsize size = strlen(path);
	if (g_str_equal(path, "*"))
		return TRUE;
	if (g_str_has_suffix(path, "/*"))
		return strncmp(path, folder, size - 1) == 0;
	while (size > 1 && path[size - 1] == '/')
		path[--size] = 0;
	return g_str_equal(path, folder);
}

static gboolean is_listed(const char *folder)
{
	git_config *config = NULL;
	git_config_iterator *entries = NULL;
	git_config_entry *entry = NULL;
	gboolean listed = FALSE;
	if (git_config_open_default(&config) < 0) /* the system's and the user's, no repository's */
		return FALSE;
	if (git_config_iterator_new(&entries, config) == 0) {
		while (git_config_next(&entry, entries) == 0) {
			if (!g_str_equal(entry->name, "safe.directory"))
				continue;
			/* an empty value empties the list */
			listed = entry->value && *entry->value &&
				 (listed || lists(entry->value, folder));
		}
		git_config_iterator_free(entries);
	}
	git_config_free(config);
	return listed;
}

gboolean git_owner_is_trusted(const char *folder, const char *common, const char *workdir)
{
	if (is_ours(folder) && is_ours(common) && (!workdir || is_ours(workdir)))
		return TRUE;
	g_autofree char *top = git_top_folder(folder, workdir);
	return is_listed(top);
}
