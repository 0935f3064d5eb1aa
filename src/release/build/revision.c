/* SPDX-License-Identifier: ISC
 *
 * A commit's files, read object by object. Trees are met before what is in them, so a path is
 * judged before anything below it is read, and what a tree of git must not hold but a hostile
 * one may (names such as "..", absurd depths, more than any release) ends here.
 */
#include "release/build/revision.h"

#include <string.h>

#include "release/archive.h"

static void start_libgit2(void)
{
	static gsize started;
	if (!g_once_init_enter(&started))
		return;
	git_libgit2_init();
	/* The owner was asked for before; libgit2's own way is wrong where no list is set. */
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	const char *const extensions[] = {"worktreeconfig", "preciousobjects"};
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, G_N_ELEMENTS(extensions));
	g_once_init_leave(&started, 1);
}

/* What is released is what the commit's SHA says: each object is hashed when it is read. Each time
 * anew, because who only looks at commits switches it off for the whole process. */
static void hash_what_is_read(void)
{
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
}

static const char *last_words(void)
{
	const git_error *last = git_error_last();
	return last != NULL && last->message != NULL ? last->message : "unknown error";
}

git_repository *revision_open_repository(const char *path, GError **error)
{
	git_repository *repository = NULL;
	start_libgit2();
	int code = git_repository_open_ext(&repository, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (code >= 0)
		return repository;
	drover_error_set(error, code == GIT_ENOTFOUND ? DROVER_ERROR_NOT_FOUND : DROVER_ERROR_INPUT,
		"cannot read the repository %s: %s", path, last_words());
	return NULL;
}

static gboolean read_commit(Revision *revision, const char *path, GError **error)
{
	git_oid oid;
	git_commit *commit = NULL;
	if (strlen(revision->sha) != REVISION_DIGITS || git_oid_fromstr(&oid, revision->sha) < 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the revision %s: must be the 40 digits of a commit", revision->sha);
		return FALSE;
	}
	int code = git_commit_lookup(&commit, revision->repository, &oid);
	if (code < 0) {
		drover_error_set(error,
			code == GIT_ENOTFOUND ? DROVER_ERROR_NOT_FOUND : DROVER_ERROR_INPUT,
			"cannot read commit %s in the repository %s: %s; fetch it there, or name "
			"another repository",
			revision->sha, path, last_words());
		return FALSE;
	}
	revision->time_s = git_commit_time(commit);
	code = git_commit_tree(&revision->tree, commit);
	git_commit_free(commit);
	if (code < 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"cannot read the files of commit %s: %s; run git -C '%s' fsck",
			revision->sha, last_words(), path);
		return FALSE;
	}
	if (revision->time_s >= 0 && revision->time_s <= ARCHIVE_MAXIMUM_MTIME_S)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"commit %s has a time before 1970 or after 2242, which no archive can hold",
		revision->sha);
	return FALSE;
}

Revision *revision_open(const char *repository, const char *sha, GError **error)
{
	g_autoptr(Revision) revision = g_new0(Revision, 1);
	g_strlcpy(revision->sha, sha, sizeof revision->sha);
	revision->repository = revision_open_repository(repository, error);
	hash_what_is_read();
	if (revision->repository == NULL || !read_commit(revision, repository, error))
		return NULL;
	if (git_repository_odb(&revision->odb, revision->repository) == 0)
		return g_steal_pointer(&revision);
	drover_error_set(error, DROVER_ERROR_INPUT, "cannot read the objects of %s: %s", repository,
		last_words());
	return NULL;
}

void revision_free(Revision *revision)
{
	if (revision == NULL)
		return;
	git_tree_free(revision->tree);
	git_odb_free(revision->odb);
	git_repository_free(revision->repository);
	g_free(revision);
}

/* the walk ------------------------------------------------------------------------------------- */

typedef struct Walk {
	const Revision *revision;
	RevisionVisitor visitor;
	gpointer of;
	guint entries;
	gint64 size_bytes;
	GString *path;
} Walk;

static gboolean walk_tree(Walk *walk, const git_tree *tree, GError **error);

static gboolean refuse_object(const Walk *walk, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INPUT,
		"cannot read %s of commit %s: %s; run git fsck in the repository", walk->path->str,
		walk->revision->sha, last_words());
	return FALSE;
}

static gboolean count_entry(Walk *walk, gint64 size_bytes, GError **error)
{
	if (walk->entries++ == TREE_MAXIMUM_ENTRIES ||
		size_bytes > TREE_MAXIMUM_SIZE_BYTES - walk->size_bytes) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s: with it the revision has more than %d files or more bytes than a "
			"release may have",
			walk->path->str, TREE_MAXIMUM_ENTRIES);
		return FALSE;
	}
	walk->size_bytes += size_bytes;
	return TRUE;
}

static gboolean visit_blob(Walk *walk, const git_oid *oid, RevisionKind kind, GError **error)
{
	gsize size = 0;
	git_object_t type;
	git_odb_object *blob = NULL;
	/* The size first: an object is held in memory whole. */
	if (git_odb_read_header(&size, &type, walk->revision->odb, oid) < 0)
		return refuse_object(walk, error);
	if (!count_entry(walk, (gint64)size, error))
		return FALSE;
	if (type != GIT_OBJECT_BLOB || git_odb_read(&blob, walk->revision->odb, oid) < 0)
		return refuse_object(walk, error);
	RevisionEntry entry = {
		walk->path->str, kind, git_odb_object_data(blob), git_odb_object_size(blob)};
	gboolean ok = walk->visitor(&entry, walk->of, error);
	git_odb_object_free(blob);
	return ok;
}

static gboolean visit_submodule(Walk *walk, GError **error)
{
	RevisionEntry entry = {walk->path->str, REVISION_SUBMODULE, "", 0};
	return count_entry(walk, 0, error) && walk->visitor(&entry, walk->of, error);
}

static gboolean visit_folder(Walk *walk, const git_oid *oid, GError **error)
{
	git_tree *below = NULL;
	if (git_tree_lookup(&below, walk->revision->repository, oid) < 0)
		return refuse_object(walk, error);
	gboolean ok = walk_tree(walk, below, error);
	git_tree_free(below);
	return ok;
}

static gboolean visit(Walk *walk, const git_tree_entry *entry, GError **error)
{
	const git_oid *oid = git_tree_entry_id(entry);
	if (!tree_check_path(walk->path->str, error))
		return FALSE;
	switch (git_tree_entry_filemode_raw(entry)) {
	case GIT_FILEMODE_TREE:
		return visit_folder(walk, oid, error);
	case GIT_FILEMODE_COMMIT:
		return visit_submodule(walk, error);
	case GIT_FILEMODE_LINK:
		return visit_blob(walk, oid, REVISION_LINK, error);
	default:
		return visit_blob(walk, oid,
			git_tree_entry_filemode(entry) == GIT_FILEMODE_BLOB_EXECUTABLE
				? REVISION_EXECUTABLE
				: REVISION_FILE,
			error);
	}
}

static gboolean walk_tree(Walk *walk, const git_tree *tree, GError **error)
{
	gsize length = walk->path->len;
	for (gsize i = 0; i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
		if (length > 0)
			g_string_append_c(walk->path, '/');
		g_string_append(walk->path, git_tree_entry_name(entry));
		if (!visit(walk, entry, error))
			return FALSE;
		g_string_truncate(walk->path, length);
	}
	return TRUE;
}

gboolean revision_each(
	const Revision *revision, RevisionVisitor visitor, gpointer of, GError **error)
{
	g_autoptr(GString) path = g_string_new(NULL);
	Walk walk = {.revision = revision, .visitor = visitor, .of = of, .path = path};
	return walk_tree(&walk, revision->tree, error);
}
