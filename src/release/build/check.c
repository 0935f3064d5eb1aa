/* SPDX-License-Identifier: ISC
 *
 * A repository is not a release: what is in the one but not in the other, so that someone looks.
 * Git's files are hashed as they are committed and become a tree; what no release may hold
 * (submodules, links that lead outside) is listed as only in git.
 */
#include <string.h>

#include "release/build/build.h"
#include "release/build/revision.h"

typedef struct Reading {
	Tree *tree;
	GPtrArray *not_for_releases; /* char *, paths */
} Reading;

static void sha256_of(const char *bytes, gsize size_bytes, char sha256[SHA256_HEX])
{
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, bytes, size_bytes);
	sha256_finish(&state, sha256);
}

static gboolean take_file(const RevisionEntry *entry, Reading *reading, GError **error)
{
	char sha256[SHA256_HEX];
	sha256_of(entry->bytes, entry->size_bytes, sha256);
	return tree_add_file(reading->tree, entry->path, entry->kind == REVISION_EXECUTABLE,
		(gint64)entry->size_bytes, sha256, error);
}

static gboolean take_entry(const RevisionEntry *entry, gpointer of, GError **error)
{
	Reading *reading = of;
	if (entry->kind == REVISION_FILE || entry->kind == REVISION_EXECUTABLE)
		return take_file(entry, reading, error);
	g_autofree char *target = g_strndup(entry->bytes, entry->size_bytes);
	if (entry->kind == REVISION_LINK && strlen(target) == entry->size_bytes &&
		tree_check_target(entry->path, target, NULL))
		return tree_add_link(reading->tree, entry->path, target, error);
	g_ptr_array_add(reading->not_for_releases, g_strdup(entry->path));
	return TRUE;
}

static int compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static BuildCheck *compare(Reading *reading, const Tree *release)
{
	BuildCheck *check = g_new0(BuildCheck, 1);
	check->only_release = g_ptr_array_new_with_free_func(g_free);
	check->only_git = g_ptr_array_ref(reading->not_for_releases);
	check->changed = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) changes = tree_difference(reading->tree, release);
	for (guint i = 0; i < changes->len; i++) {
		const TreeChange *change = &g_array_index(changes, TreeChange, i);
		if (change->after == NULL)
			g_ptr_array_add(check->only_git, g_strdup(change->before->path));
		else
			g_ptr_array_add(
				change->before == NULL ? check->only_release : check->changed,
				g_strdup(change->after->path));
	}
	g_ptr_array_sort(check->only_git, compare_paths);
	return check;
}

void build_check_free(BuildCheck *check)
{
	if (check == NULL)
		return;
	g_ptr_array_unref(check->only_release);
	g_ptr_array_unref(check->only_git);
	g_ptr_array_unref(check->changed);
	g_free(check);
}

BuildCheck *build_check(
	const char *repository, const char *revision, const Tree *tree, GError **error)
{
	g_autoptr(Revision) opened = revision_open(repository, revision, error);
	if (opened == NULL)
		return NULL;
	g_autoptr(Tree) committed = tree_new();
	g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func(g_free);
	Reading reading = {committed, others};
	if (!revision_each(opened, take_entry, &reading, error) || !tree_finish(committed, error))
		return NULL;
	return compare(&reading, tree);
}
