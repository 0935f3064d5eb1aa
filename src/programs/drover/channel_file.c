/* SPDX-License-Identifier: ISC
 *
 * drover channel with --snapshot: the same questions, asked of rules in a file, without a store.
 */
#include "programs/drover/channel_file.h"

#include <sodium.h>

#include <string.h>

#include "channel/change/answer_file.h"
#include "channel/difference.h"
#include "channel/explain.h"
#include "channel/lint.h"
#include "channel/query_json.h"
#include "programs/drover/channel_show.h"
#include "programs/drover/commands.h"

static guint draw_of_hundred(void)
{
	return randombytes_uniform(100);
}

static json_t *read_file(Invocation *invocation, const char *option, GError **error)
{
	const char *path = invocation_option(invocation, option);
	gsize size_bytes = 0;
	if (path == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"say --snapshot FILE: the rules, as docs/channel.md describes them");
		return NULL;
	}
	g_autofree char *text =
		commands_read_input(path, ANSWER_FILE_MAXIMUM_BYTES, &size_bytes, error);
	return text == NULL ? NULL : json_read(path, text, size_bytes, error);
}

gboolean channel_file_answer(Invocation *invocation, GError **error)
{
	g_autoptr(json_t) file = read_file(invocation, "snapshot", error);
	if (file == NULL)
		return FALSE;
	g_autoptr(json_t) answer = answer_file(file, draw_of_hundred, error);
	if (answer == NULL) {
		g_prefix_error(error, "%s: ", invocation_option(invocation, "snapshot"));
		return FALSE;
	}
	screen_json(invocation_screen(invocation), answer);
	return TRUE;
}

/* Looking at rules ----------------------------------------------------------------------------- */

/* What is wrong with its rows is said on stderr, unless the caller asks for it. */
static Snapshot *compile(Invocation *invocation, const json_t *file, const char *option, gint64 cut,
	gboolean note_errors, GError **error)
{
	g_autoptr(json_t) errors = json_array();
	Snapshot *snapshot = answer_file_snapshot(file, cut, errors, error);
	if (snapshot == NULL)
		g_prefix_error(error, "%s: ", invocation_option(invocation, option));
	for (gsize i = 0; note_errors && i < json_array_size(errors); i++)
		screen_note(invocation_screen(invocation), "%s",
			json_string_value(json_array_get(errors, i)));
	return snapshot;
}

static gboolean read_cut(Invocation *invocation, gint64 fallback, gint64 *cut, GError **error)
{
	return invocation_integer(
		invocation, "cut", fallback, ANSWER_FILE_CUT_ALL, G_MAXINT64, cut, error);
}

/* mig64 and jaws are flags; all else is what it is called. */
static gboolean add_word(json_t *asked, const char *word, GError **error)
{
	const char *equals = strchr(word, '=');
	if (equals == NULL || equals == word) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%s': say what the client says as KEY=VALUE: product=web", word);
		return FALSE;
	}
	g_autofree char *key = g_strndup(word, (gsize)(equals - word));
	if (strcmp(key, "mig64") != 0 && strcmp(key, "jaws") != 0) {
		json_object_set_new(asked, key, json_string(equals + 1));
		return TRUE;
	}
	if (json_object_get(asked, "flags") == NULL)
		json_object_set_new(asked, "flags", json_object());
	json_object_set_new(json_object_get(asked, "flags"), key,
		json_boolean(strcmp(equals + 1, "true") == 0));
	return TRUE;
}

gboolean channel_file_explain(Invocation *invocation, GError **error)
{
	gint64 cut;
	g_autoptr(json_t) asked = json_object();
	g_autoptr(json_t) file = read_file(invocation, "snapshot", error);
	if (file == NULL || !read_cut(invocation, 0, &cut, error))
		return FALSE;
	for (guint i = 0; i < invocation_arguments(invocation); i++)
		if (!add_word(asked, invocation_argument(invocation, i), error))
			return FALSE;
	g_autoptr(Snapshot) snapshot = compile(invocation, file, "snapshot", cut, TRUE, error);
	Query query = {.draw = 0};
	if (snapshot == NULL || !query_from_json(snapshot, asked, &query, error))
		return FALSE;
	g_autoptr(json_t) explained = explain(snapshot, &query);
	if (invocation_screen(invocation)->json)
		screen_json(invocation_screen(invocation), explained);
	else
		channel_show_explanation(invocation_screen(invocation), explained);
	return TRUE;
}

gboolean channel_file_lint(Invocation *invocation, GError **error)
{
	gint64 cut;
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) file = read_file(invocation, "snapshot", error);
	if (file == NULL || !read_cut(invocation, 0, &cut, error))
		return FALSE;
	g_autoptr(Snapshot) snapshot = compile(invocation, file, "snapshot", cut, FALSE, error);
	if (snapshot == NULL)
		return FALSE;
	g_autoptr(json_t) found = lint(snapshot, json_object_get(file, "test_channels"));
	g_autoptr(json_t) answer = json_pack("{s:O}", "found", found);
	if (screen->json) {
		screen_json(screen, answer);
		return TRUE;
	}
	channel_show_findings(screen, found);
	return TRUE;
}

gboolean channel_file_diff(Invocation *invocation, GError **error)
{
	gint64 cut;
	const Screen *screen = invocation_screen(invocation);
	gboolean has_other = invocation_option(invocation, "with") != NULL;
	const char *option = has_other ? "with" : "snapshot";
	g_autoptr(json_t) file = read_file(invocation, "snapshot", error);
	g_autoptr(json_t) other = file == NULL ? NULL
				  : has_other  ? read_file(invocation, option, error)
					       : json_incref(file);
	if (other == NULL ||
		!read_cut(invocation, has_other ? 0 : ANSWER_FILE_CUT_ALL, &cut, error))
		return FALSE;
	g_autoptr(Snapshot) before = compile(invocation, file, "snapshot", 0, TRUE, error);
	g_autoptr(Snapshot) after =
		before == NULL ? NULL : compile(invocation, other, option, cut, TRUE, error);
	g_autoptr(json_t) found = after == NULL ? NULL : difference(before, after, error);
	if (found == NULL)
		return FALSE;
	g_autoptr(json_t) answer = json_pack("{s:O}", "differences", found);
	if (screen->json)
		screen_json(screen, answer);
	else
		channel_show_classes(screen, found);
	return TRUE;
}
