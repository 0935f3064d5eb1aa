/* SPDX-License-Identifier: ISC
 *
 * See git_bed.h. Nothing of the user's own git settings is read.
 */
#include "git_bed.h"

#include <stdlib.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "base/file.h"

static const char prelude[] =
	"set -e; nl='\n'\n"
	"tick() { n=$(cat \"$HOME/clock\"); n=$((n+60)); echo $n >\"$HOME/clock\";\n"
	"  export GIT_AUTHOR_DATE=\"$n +0000\" GIT_COMMITTER_DATE=\"$n +0000\"; }\n"
	"c() { tick; git commit -q --allow-empty -m \"$1\"; git tag -f \"${1%%[ :$nl]*}\" "
	">/dev/null; "
	"}\n"
	"m() { tick; msg=$1; shift; git merge -q --no-ff -m \"$msg\" \"$@\" >/dev/null;\n"
	"  git tag -f \"${msg%%[ :$nl]*}\" >/dev/null; }\n";

void bed_isolate(void)
{
	g_setenv("GIT_CONFIG_GLOBAL", "/dev/null", TRUE);
	g_setenv("GIT_CONFIG_NOSYSTEM", "1", TRUE);
	g_setenv("GIT_TERMINAL_PROMPT", "0", TRUE);
	g_setenv("LC_ALL", "C.UTF-8", TRUE);
	const char *const unwanted[] = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE",
		"GIT_OBJECT_DIRECTORY", "XDG_CONFIG_HOME"};
	for (gsize i = 0; i < G_N_ELEMENTS(unwanted); i++)
		g_unsetenv(unwanted[i]);
}

char *bed_run(const GitBed *bed, const char *script)
{
	g_autofree char *whole = g_strconcat(prelude, script, NULL);
	const char *const command[] = {"sh", "-c", whole, NULL};
	g_auto(GStrv) environment = g_get_environ();
	environment = g_environ_setenv(environment, "HOME", bed->home, TRUE);
	environment = g_environ_setenv(environment, "GIT_AUTHOR_NAME", "Ann", FALSE);
	environment = g_environ_setenv(environment, "GIT_AUTHOR_EMAIL", "ann@example.org", FALSE);
	environment = g_environ_setenv(environment, "GIT_COMMITTER_NAME", "Carl", TRUE);
	environment =
		g_environ_setenv(environment, "GIT_COMMITTER_EMAIL", "carl@example.org", TRUE);
	char *output = NULL;
	g_autofree char *errors = NULL;
	int status = 0;
	g_autoptr(GError) error = NULL;
	gboolean started = g_spawn_sync(bed->repository, (char **)command, environment,
		G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &errors, &status, &error);
	if (!started || status != 0)
		fail_msg("script failed: %s\n%s%s", script, output ? output : "",
			errors ? errors : error->message);
	return output;
}

int bed_setup(void **state)
{
	GitBed *bed = g_new0(GitBed, 1);
	bed->home = g_dir_make_tmp("drover-git-XXXXXX", NULL);
	bed->repository = g_build_filename(bed->home, "repo", NULL);
	g_autofree char *clock = g_build_filename(bed->home, "clock", NULL);
	g_mkdir(bed->repository, 0700);
	g_setenv("HOME", bed->home, TRUE);
	g_file_set_contents(clock, "1700000000", -1, NULL);
	*state = bed;
	g_free(bed_run(bed, "git init -q -b main ."));
	return 0;
}

int bed_teardown(void **state)
{
	GitBed *bed = *state;
	gboolean removed = file_remove(bed->home, NULL);
	g_free(bed->home);
	g_free(bed->repository);
	g_free(bed);
	return removed ? 0 : -1;
}

char *bed_sha(const GitBed *bed, const char *name)
{
	g_autofree char *script = g_strdup_printf("git rev-parse --verify '%s^{commit}'", name);
	return g_strchomp(bed_run(bed, script));
}

static GitScan *scan(const GitBed *bed, const char *since)
{
	g_autoptr(GError) error = NULL;
	GitScan *result = git_scan(&(GitScanOptions){.repository = bed->repository,
					   .branch = "main",
					   .since = since,
					   .item_patterns = 0x7f},
		&error);
	if (!result)
		fail_msg("scan: %s", error->message);
	return result;
}

GitScan *bed_scan(const GitBed *bed)
{
	return scan(bed, NULL);
}

GitScan *bed_scan_since(const GitBed *bed, const char *since)
{
	g_autofree char *sha = bed_sha(bed, since);
	return scan(bed, sha);
}

void bed_refused(const char *folder, const char *branch, int code, ...)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GitScan) result = git_scan(
		&(GitScanOptions){.repository = folder, .branch = branch, .item_patterns = 0x7f},
		&error);
	assert_null(result);
	if (error->code != code)
		print_error("%s\n", error->message);
	assert_true(drover_error_is(error, (DroverErrorCode)code));
	va_list texts;
	va_start(texts, code);
	for (const char *text = va_arg(texts, const char *); text;
		text = va_arg(texts, const char *)) {
		if (!strstr(error->message, text))
			fail_msg("\"%s\" does not say \"%s\"", error->message, text);
	}
	va_end(texts);
}

/* SHA -> first word of the subject */
static GHashTable *commit_names(const GitBed *bed)
{
	g_autofree char *log = bed_run(bed, "git log --all --reflog --format='%H %s'");
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (char **line = lines; *line && **line; line++) {
		char *subject = *line + GIT_SHA_DIGITS + 1;
		subject[strcspn(subject, " :")] = 0;
		g_hash_table_insert(names, g_strndup(*line, GIT_SHA_DIGITS), g_strdup(subject));
	}
	return names;
}

static const char *name_of(GHashTable *names, const char *text)
{
	const char *name = g_hash_table_lookup(names, text);
	return name ? name : text;
}

static void describe_landing(GString *text, GHashTable *names, const GitLanding *landing)
{
	g_string_append(text, name_of(names, landing->sha));
	for (guint i = 1; i < landing->commits->len; i++) {
		const GitCommit *commit = landing->commits->pdata[i];
		g_string_append_printf(
			text, "%s%s", i == 1 ? "[" : " ", name_of(names, commit->sha));
	}
	g_string_append(text, landing->commits->len > 1 ? "]" : "");
	for (guint i = 0; i < landing->items->len; i++) {
		const char *item = landing->items->pdata[i];
		ItemState state = (ItemState)GPOINTER_TO_INT(
			g_hash_table_lookup(landing->message_states, item));
		g_string_append_printf(text, "%s%s%s", i ? " " : "{", item,
			state == ITEM_OK	   ? "+"
			: state == ITEM_UNTESTABLE ? "-"
						   : "");
	}
	const char *const qa[] = {"", "no-qa", "incr", "ok", "bad"};
	g_string_append_printf(text, "%s%s", landing->items->len ? "}" : "", qa[landing->qa]);
	for (guint i = 0; i < landing->rollbacks->len; i++)
		g_string_append_printf(text, "<%s", name_of(names, landing->rollbacks->pdata[i]));
	for (guint i = 0; i < landing->fixes->len; i++)
		g_string_append_printf(text, "~%s", name_of(names, landing->fixes->pdata[i]));
}

char *bed_describe(const GitBed *bed, const GitScan *scan)
{
	g_autoptr(GHashTable) names = commit_names(bed);
	GString *text = g_string_new(scan->rewritten ? "rewritten" : NULL);
	for (guint i = 0; i < scan->landings->len; i++) {
		g_string_append(text, i ? "; " : "");
		describe_landing(text, names, scan->landings->pdata[i]);
	}
	return g_string_free(text, FALSE);
}

void bed_expect(const GitBed *bed, const GitScan *scan, const char *described)
{
	g_autofree char *text = bed_describe(bed, scan);
	assert_string_equal(text, described);
}
