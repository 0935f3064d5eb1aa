/* SPDX-License-Identifier: ISC
 *
 * Opening a git repository, and saying in words that help why one cannot be read. What libgit2
 * refuses is looked at once more for its reason; what it would read wrongly without a word (a
 * shallow clone's history ends too early, a partial clone lacks objects) is refused here.
 */
#include <string.h>
#include <unistd.h>

#include "landing/git_parts.h"

static const char *last_words(void)
{
	const git_error *last = git_error_last();
	return last && last->message ? last->message : "unknown error";
}

/* Once for the program, and for good: libgit2's options are the process's, not the repository's. */
static void start_libgit2(void)
{
	static gsize started;
	if (!g_once_init_enter(&started))
		return;
	git_libgit2_init();
	/* git does not hash what it reads either; zlib's checksum still finds damage */
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	/* a scan reads each commit once: keeping them costs time and memory for nothing */
	git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_COMMIT, (size_t)0);
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0); /* git_owner.c does it */
	/* extensions that change nothing for a reader of commits */
	const char *const extensions[] = {"worktreeconfig", "preciousobjects"};
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, G_N_ELEMENTS(extensions));
	g_once_init_leave(&started, 1);
}

static gboolean check_owner(const char *path, const char *folder, const char *common,
	const char *workdir, GError **error)
{
	if (git_owner_is_trusted(folder, common, workdir))
		return TRUE;
	g_autofree char *top = git_top_folder(folder, workdir);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"repository %s belongs to another user, and git trusts no settings of others: let "
		"the user "
		"that runs drover (uid %u) run: git config --global --add safe.directory '%s'",
		path, (guint)geteuid(), top);
	return FALSE;
}

static void refuse_extension(const char *path, const char *words, GError **error)
{
	if (strstr(words, "objectformat")) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"repository %s names its objects by SHA-256, which the git library here "
			"cannot read: "
			"use a SHA-1 repository, or give landings with `drover landing import`",
			path);
	} else if (strstr(words, "partialclone")) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"repository %s is a partial clone, objects are missing from it: clone it "
			"anew "
			"without --filter (git clone --mirror URL)",
			path);
	} else if (strstr(words, "refstorage")) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"repository %s keeps its branches in a format that the git library here "
			"cannot "
			"read: run git -C '%s' refs migrate --ref-format=files",
			path, path);
	} else {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"cannot read repository %s: %s; clone it anew with git clone --mirror",
			path, words);
	}
}

static void refuse_open(const char *path, int code, GError **error)
{
	const char *words = last_words();
	if (strstr(words, "extension"))
		refuse_extension(path, words, error);
	else if (!g_file_test(path, G_FILE_TEST_EXISTS))
		drover_error_set(error, DROVER_ERROR_NOT_FOUND, "no folder %s", path);
	else if (code == GIT_ENOTFOUND)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"%s is no git repository: name its top folder, or clone one there with "
			"git clone --mirror URL %s",
			path, path);
	else
		drover_error_set(error, DROVER_ERROR_INPUT,
			"cannot read repository %s: %s; check that the user that runs drover may "
			"read it, "
			"and run git -C '%s' fsck",
			path, words, path);
}

/* Is any remote one that promises to deliver missing objects later? Looks at all entries by hand:
 * each mismatch of libgit2 1.5's own pattern leaks 20 kB. */
static gboolean has_promisor(git_repository *repository)
{
	git_config *config = NULL;
	git_config_iterator *entries = NULL;
	git_config_entry *entry = NULL;
	gboolean found = FALSE;
	if (git_repository_config_snapshot(&config, repository) < 0)
		return FALSE;
	if (git_config_iterator_new(&entries, config) == 0) {
		while (!found && git_config_next(&entry, entries) == 0) {
			int value = 0;
			found = g_str_has_prefix(entry->name, "remote.") &&
				g_str_has_suffix(entry->name, ".promisor") &&
				git_config_parse_bool(&value, entry->value) == 0 && value;
		}
		git_config_iterator_free(entries);
	}
	git_config_free(config);
	return found;
}

static gboolean check_complete(GitRepository *repository, GError **error)
{
	if (git_repository_is_shallow(repository->repository)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"repository %s is a shallow clone, its history ends early: run "
			"git -C '%s' fetch --unshallow",
			repository->path, repository->path);
		return FALSE;
	}
	if (has_promisor(repository->repository)) {
		refuse_extension(repository->path, "partialclone", error);
		return FALSE;
	}
	return TRUE;
}

/* What can be known before anything of it is read. */
static gboolean check_place(const char *path, GError **error)
{
	g_auto(GitPlace) place;
	git_place_find(path, &place);
	if (place.folder == NULL)
		return TRUE; /* opening it says why */
	return git_files_are_files(&place, error) &&
	       check_owner(path, place.folder, place.common, place.workdir, error);
}

static gboolean check_owner_again(const GitRepository *opened, GError **error)
{
	git_repository *repository = opened->repository;
	return check_owner(opened->path, git_repository_path(repository),
		git_repository_commondir(repository), git_repository_workdir(repository), error);
}

GitRepository *git_open(const char *path, GError **error)
{
	start_libgit2();
	g_autoptr(GitRepository) repository = g_new0(GitRepository, 1);
	repository->path = g_strdup(path);
	if (!check_place(path, error))
		return NULL;
	int code = git_repository_open_ext(
		&repository->repository, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (code < 0) {
		refuse_open(path, code, error);
		return NULL;
	}
	if (!check_owner_again(repository, error) || !check_complete(repository, error))
		return NULL;
	code = git_repository_odb(&repository->odb, repository->repository);
	if (code < 0) {
		refuse_open(path, code, error);
		return NULL;
	}
	return g_steal_pointer(&repository);
}

void git_close(GitRepository *repository)
{
	if (!repository)
		return;
	git_odb_free(repository->odb);
	git_repository_free(repository->repository);
	g_free(repository->path);
	g_free(repository);
}

/* A file of the repository that all its worktrees share. Caller frees. */
static char *shared_path(GitRepository *repository, const char *name)
{
	return g_build_filename(git_repository_commondir(repository->repository), name, NULL);
}

void git_set_read_error(GitRepository *repository, const git_oid *oid, GError **error)
{
	char sha[GIT_SHA_DIGITS + 1];
	g_autofree char *alternates = shared_path(repository, "objects/info/alternates");
	gboolean borrows = g_file_test(alternates, G_FILE_TEST_EXISTS);
	git_oid_tostr(sha, sizeof sha, oid);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"cannot read commit %s of repository %s: %s. The repository is damaged or "
		"incomplete: run "
		"git -C '%s' fsck%s%s, then fetch again or restore it",
		sha, repository->path, last_words(), repository->path,
		borrows ? ", check that the folders exist that it borrows objects from by " : "",
		borrows ? alternates : "");
}

/* "main, next and 3 more"; NULL when there is no branch. Caller frees. */
static char *branch_names(GitRepository *repository)
{
	git_branch_iterator *branches = NULL;
	git_reference *reference = NULL;
	git_branch_t type;
	guint count = 0;
	g_autoptr(GString) names = g_string_new(NULL);
	if (git_branch_iterator_new(&branches, repository->repository, GIT_BRANCH_ALL) < 0)
		return NULL;
	while (git_branch_next(&reference, &type, branches) == 0) {
		const char *name = git_reference_shorthand(reference);
		g_autofree char *printable =
			commit_text_line((CommitSpan){name, strlen(name)}, "", strlen(name));
		if (count++ < GIT_MAXIMUM_BRANCHES_NAMED)
			g_string_append_printf(names, "%s%s", count > 1 ? ", " : "", printable);
		git_reference_free(reference);
	}
	git_branch_iterator_free(branches);
	if (count > GIT_MAXIMUM_BRANCHES_NAMED)
		g_string_append_printf(names, " and %u more", count - GIT_MAXIMUM_BRANCHES_NAMED);
	return count ? g_strdup(names->str) : NULL;
}

static gboolean look_up(GitRepository *repository, const char *name, git_oid *tip)
{
	git_reference *reference = NULL;
	git_object *commit = NULL;
	if (git_reference_lookup(&reference, repository->repository, name) < 0)
		return FALSE;
	int code = git_reference_name_to_id(tip, repository->repository, name);
	if (code == 0 && git_reference_peel(&commit, reference, GIT_OBJECT_COMMIT) == 0)
		*tip = *git_object_id(commit);
	git_object_free(commit);
	git_reference_free(reference);
	return code == 0; /* what is no commit or not there is found out when it is read */
}

gboolean git_find_branch(GitRepository *repository, const char *branch, git_oid *tip,
	gboolean *exists, GError **error)
{
	const char *const folders[] = {"refs/heads/", "refs/remotes/"};
	*exists = TRUE;
	if (g_str_has_prefix(branch, "refs/") && look_up(repository, branch, tip))
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *name = g_strconcat(folders[i], branch, NULL);
		if (look_up(repository, name, tip))
			return TRUE;
	}
	g_autofree char *names = branch_names(repository);
	*exists = FALSE;
	if (!names)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"no branch %s in repository %s; there are: %s", branch, repository->path, names);
	return FALSE;
}

gboolean git_resolve(GitRepository *repository, const char *text, git_oid *oid, const char **why)
{
	git_object *named = NULL, *commit = NULL;
	gsize digits = strlen(text);
	*why = "names no commit of this repository";
	if (digits > GIT_SHA_DIGITS || git_oid_fromstrn(oid, text, digits) < 0)
		return FALSE;
	int code = git_object_lookup_prefix(
		&named, repository->repository, oid, digits, GIT_OBJECT_ANY);
	if (code == GIT_EAMBIGUOUS)
		*why = "begins the names of several objects: write more digits";
	gboolean found = code == 0 && git_object_peel(&commit, named, GIT_OBJECT_COMMIT) == 0;
	if (found)
		*oid = *git_object_id(commit);
	git_object_free(commit);
	git_object_free(named);
	return found;
}

GPtrArray *git_oddities(GitRepository *repository)
{
	GPtrArray *notes = g_ptr_array_new_with_free_func(g_free);
	git_reference_iterator *replaced = NULL;
	const char *name = NULL;
	if (git_reference_iterator_glob_new(&replaced, repository->repository, "refs/replace/*") ==
		0) {
		if (git_reference_next_name(&name, replaced) == 0)
			g_ptr_array_add(notes, g_strdup("the repository has replace refs "
							"(refs/replace): they are not followed"));
		git_reference_iterator_free(replaced);
	}
	g_autofree char *grafts = shared_path(repository, "info/grafts");
	if (g_file_test(grafts, G_FILE_TEST_EXISTS))
		g_ptr_array_add(notes,
			g_strdup("the repository has grafts (info/grafts): they are not followed"));
	return notes;
}

/* Where HEAD points, though there may be no commit yet. */
static char *head_branch(GitRepository *repository)
{
	git_reference *head = NULL;
	char *branch = NULL;
	if (git_reference_lookup(&head, repository->repository, "HEAD") < 0)
		return NULL;
	const char *target = git_reference_symbolic_target(head);
	if (target && g_str_has_prefix(target, "refs/heads/"))
		branch = g_strdup(target + strlen("refs/heads/"));
	git_reference_free(head);
	return branch;
}

char *git_default_branch(const char *path, GError **error)
{
	g_autoptr(GitRepository) repository = git_open(path, error);
	if (!repository)
		return NULL;
	char *branch = head_branch(repository);
	if (branch)
		return branch;
	g_autofree char *names = branch_names(repository);
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"HEAD of repository %s names no branch: say which one with --branch; there are: %s",
		path, names ? names : "none");
	return NULL;
}

gboolean git_check(const char *path, GError **error)
{
	g_autoptr(GitRepository) repository = git_open(path, error);
	return repository != NULL;
}
