/* SPDX-License-Identifier: ISC
 *
 * drover release: the table, and what its commands share.
 */
#include "programs/drover/release.h"

#include <string.h>

#include "api/api.h"
#include "channel/rule/version.h"
#include "landing/git.h"
#include "programs/drover/commands.h"

json_t *release_plan(Invocation *invocation, const char *product, const char *revision,
	const char *version, GError **error)
{
	return invocation_call(invocation, "GET",
		query_of("revision", revision, "version", version, NULL), NULL, error, "products",
		product, "releases", "plan", NULL);
}

static gboolean check_refusals(const json_t *plan, const char *so, GError **error)
{
	const json_t *refusals = json_object_get(plan, "refusals");
	g_autoptr(GString) text = g_string_new(NULL);
	gsize index;
	json_t *refusal;
	json_array_foreach (refusals, index, refusal)
		g_string_append_printf(text, "%s%s", index > 0 ? "; " : "",
			json_is_string(refusal) ? json_string_value(refusal) : "?");
	if (text->len == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: %s", so, text->str);
	return FALSE;
}

static gboolean check_deployable(const json_t *plan, const char *reason, GError **error)
{
	if (reason != NULL && strlen(reason) > API_MAXIMUM_REASON_BYTES) {
		drover_error_set(error, DROVER_ERROR_INPUT, "the reason is longer than %d bytes",
			API_MAXIMUM_REASON_BYTES);
		return FALSE;
	}
	if (json_is_true(json_object_get(plan, "deployable")) ||
		(reason != NULL && *reason != '\0'))
		return TRUE;
	const char *why = json_text(plan, "why");
	drover_error_set(error, DROVER_ERROR_INPUT,
		"revision %s of %s is not what may be deployed%s%s: build the deployable landing, "
		"or say --reason WHY, which is kept with the release",
		json_text(plan, "revision"), json_text(plan, "product"), why != NULL ? ": " : "",
		why != NULL ? why : "");
	return FALSE;
}

gboolean release_check_plan(const json_t *plan, const char *reason, const char *so, GError **error)
{
	return check_refusals(plan, so, error) && check_deployable(plan, reason, error);
}

gboolean release_check_order(
	const char *product, const char *new_version, const char *older, GError **error)
{
	Version version, other;
	if (!version_parse(VERSION_SEMVER, new_version, &version, error))
		return FALSE;
	if (older == NULL || !version_parse(VERSION_SEMVER, older, &other, NULL) ||
		version_compare(&version, &other) > 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s %s would not be higher than %s, which is published: versions only rise. Build "
		"it under a higher one",
		product, new_version, older);
	return FALSE;
}

char *release_repository(Invocation *invocation, const json_t *plan, GError **error)
{
	g_autoptr(GError) wrong = NULL;
	const char *said = invocation_option(invocation, "repository");
	const char *path = said != NULL ? said : json_text(plan, "repository");
	if (path == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s has no git repository: say where it lies with --repository DIR",
			json_text(plan, "product"));
		return NULL;
	}
	if (git_check(path, &wrong))
		return g_strdup(path);
	drover_error_set(error, (DroverErrorCode)wrong->code, "%s%s", wrong->message,
		said != NULL ? ""
			     : "; where the repository is elsewhere, name a clone with "
			       "--repository DIR");
	return NULL;
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
		"VERSION was published, or else built by release build; or FOLDER is what that "
		"made: a word with a slash, or a folder of that name here.",
		"drover release check web 1.4.2\n"
		"drover release check web /var/lib/drover/builds/web/1.4.2",
		"3,5", "release build"},
	{"release publish", "PRODUCT VERSION|FOLDER", 2, 2,
		"Signs a release and puts it into the repository", release_run_publish,
		release_publish_options,
		"VERSION was built by release build; or FOLDER is what that made. Shorter ways "
		"from the last versions are made, the manifest is signed, all gets its name in "
		"the repository at one instant; then the index is signed, where its key is, and "
		"the server is told. What was published never changes: the same again finds it "
		"done, so after a failure at any point type it again.",
		"drover release publish web 1.4.2 --tag\n"
		"drover release publish web ./build-of-web --key ~/release.key",
		"3,4,5,6,7", "release build, release list"},
	{"release list", "[PRODUCT]", 0, 1, "Shows what was published, the newest first",
		release_run_list, release_list_options, NULL,
		"drover release list web\ndrover release list web --removed", "3,5",
		"release show"},
	{"release show", "PRODUCT VERSION", 2, 2,
		"Shows one release: where it comes from, who signed it, where it is live",
		release_run_show, NULL, NULL, "drover release show web 1.4.2", "3,5",
		"release diff, release verify"},
	{"release diff", "PRODUCT VERSION [FROM]", 2, 3,
		"Shows the files in which a release differs from another", release_run_diff, NULL,
		"From the release before it, unless FROM is another version.",
		"drover release diff web 1.4.2\ndrover release diff web 1.4.2 1.3.0", "3,5",
		"release show"},
	{"release verify", "PRODUCT VERSION", 2, 2,
		"Checks a release in a repository, from its signature to each file",
		release_run_verify, release_verify_options,
		"The index, the manifest's signature, payload and deltas, each file unpacked, each "
		"delta tried whose base is there. Believes only the root keys, and asks no server: "
		"for a copy on a stick, too.",
		"drover release verify web 1.4.2\n"
		"drover release verify web 1.4.2 --releases /media/stick --key root.pub",
		"3,5,8", "release list"},
	{"release gc", "PRODUCT", 1, 1,
		"Removes releases that nothing names any more from the repository", release_run_gc,
		release_gc_options,
		"What a rule, a change that waits, a pin or a node names stays, and so do the "
		"newest. The index is signed without the rest first.",
		"drover release gc web --dry-run\ndrover release gc web --keep 10", "3,5,6,7",
		"release list"},
	{"release sign", "PRODUCT VERSION…", 2, COMMAND_ANY_NUMBER,
		"Signs published releases again, with another key", release_run_sign,
		release_sign_options,
		"For when the key that signed them was stolen, or ends. Only what is the same as "
		"when it was published is signed.",
		"drover release sign web 1.4.1 1.4.2 --key new.key", "3,4,5,6,7",
		"release delegate, key rotate"},
	{"release delegate", "PRODUCT DELEGATION", 2, 2,
		"Puts a delegation into the repository, where hosts read it", release_run_delegate,
		release_delegate_options,
		"DELEGATION is the file that key trust, key revoke or key rotate wrote, with its "
		"signature beside it.",
		"drover release delegate web delegation", "3,4,5,6,7", "key trust, key rotate"},
	{0},
};
