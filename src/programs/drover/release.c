/* SPDX-License-Identifier: ISC
 *
 * drover release: the table, and what its commands share.
 */
#include "programs/drover/release.h"

#include "landing/git.h"

json_t *release_plan(Invocation *invocation, const char *product, const char *revision,
	const char *version, GError **error)
{
	return invocation_call(invocation, "GET",
		query_of("revision", revision, "version", version, NULL), NULL, error, "products",
		product, "releases", "plan", NULL);
}

char *release_repository(Invocation *invocation, const json_t *plan, GError **error)
{
	const char *path = invocation_option(invocation, "repository");
	if (path == NULL)
		path = json_text(plan, "repository");
	if (path == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s has no git repository: say where it lies with --repository DIR",
			json_text(plan, "product"));
		return NULL;
	}
	return git_check(path, error) ? g_strdup(path) : NULL;
}

const Command release_commands[] = {
	{"release build", "[PRODUCT]", 0, 1, "Builds a release, tests it and packs it",
		release_run_build, release_build_options,
		"Takes the deployable landing; another revision only with a reason, which is kept. "
		"What is built is what is committed: exported into an empty folder, with the "
		"dependencies that its lock file pins, by the commands in its drover.ini, without "
		"network. The tests run on a copy of exactly the tree that is packed; when they "
		"fail, nothing is there to be published.",
		"drover release build web --version 1.4.2 --verify\n"
		"drover release build web --revision 9c4f2af --reason 'hotfix for 1042'",
		"3,4,5,6,7", "release check, landing deployable"},
	{"release check", "PRODUCT VERSION|FOLDER", 2, 2,
		"Shows what is in a release but not in git, and the other way round",
		release_run_check, release_check_options,
		"FOLDER is what release build made; a word without a slash that is no such folder "
		"is a version that was published.",
		"drover release check web 1.4.2\n"
		"drover release check web /var/lib/drover/builds/web/1.4.2",
		"3,5", "release build"},
	{0},
};
