/* SPDX-License-Identifier: ISC
 *
 * A release's tag: there and on the right commit, or made. A tag that is elsewhere is never moved.
 */
#include <string.h>

#include "release/build/build.h"
#include "release/build/revision.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_repository, git_repository_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_reference, git_reference_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_object, git_object_free)

static gboolean refuse_git(const char *tried, const char *name, GError **error)
{
	const git_error *last = git_error_last();
	drover_error_set(error, DROVER_ERROR_INPUT, "cannot %s the tag %s: %s", tried, name,
		last != NULL && last->message != NULL ? last->message : "unknown error");
	return FALSE;
}

static gboolean check_there(
	git_reference *reference, const char *name, const char *revision, GError **error)
{
	char sha[REVISION_DIGITS + 1];
	g_autoptr(git_object) commit = NULL;
	if (git_reference_peel(&commit, reference, GIT_OBJECT_COMMIT) < 0)
		return refuse_git("read", name, error);
	git_oid_tostr(sha, sizeof sha, git_object_id(commit));
	if (strcmp(sha, revision) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"the tag %s is on commit %s, not on %s, which was built: a tag is never moved; "
		"release another version",
		name, sha, revision);
	return FALSE;
}

static gboolean make_tag(git_repository *repository, const char *name, const char *full,
	const char *revision, GError **error)
{
	git_oid oid;
	g_autoptr(git_object) commit = NULL;
	g_autoptr(git_reference) made = NULL;
	if (strlen(revision) != REVISION_DIGITS || git_oid_fromstr(&oid, revision) < 0 ||
		git_object_lookup(&commit, repository, &oid, GIT_OBJECT_COMMIT) < 0 ||
		git_reference_create(&made, repository, full, &oid, 0, "drover release") < 0)
		return refuse_git("make", name, error);
	return TRUE;
}

gboolean build_tag(const char *repository, const char *name, const char *revision, gboolean make,
	GError **error)
{
	int valid = 0;
	g_autofree char *full = g_strconcat("refs/tags/", name, NULL);
	g_autoptr(git_reference) there = NULL;
	g_autoptr(git_repository) opened = revision_open_repository(repository, error);
	if (opened == NULL)
		return FALSE;
	if (git_reference_name_is_valid(&valid, full) < 0 || !valid) {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "\"%.200s\" is no name for a tag", name);
		return FALSE;
	}
	int code = git_reference_lookup(&there, opened, full);
	if (code == 0)
		return check_there(there, name, revision, error);
	if (code != GIT_ENOTFOUND)
		return refuse_git("read", name, error);
	if (make)
		return make_tag(opened, name, full, revision, error);
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"there is no tag %s in %s: make it, or let it be made with --tag", name,
		repository);
	return FALSE;
}
