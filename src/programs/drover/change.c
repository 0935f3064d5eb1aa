/* SPDX-License-Identifier: ISC
 *
 * drover change: sets of edits that go live at one instant, once those who must agree have. What
 * one looks like on a terminal stands in change_show.c, how one is read from a file in
 * change_file.c.
 */
#include "programs/drover/change.h"

#include <string.h>

#include "api/api.h"
#include "base/format.h"
#include "programs/drover/commands.h"
#include "programs/drover/row.h"
#include "programs/drover/when.h"
#include "programs/terminal/show.h"

/* Asking -------------------------------------------------------------------------------------- */

/* The first argument, a change's number; NULL with `error` for what is none. */
static const char *number_of(Invocation *invocation, GError **error)
{
	const char *text = invocation_argument(invocation, 0);
	gint64 number;
	return parse_integer(text, "the number of a change", 1, G_MAXINT64, &number, error) ? text
											    : NULL;
}

static json_t *ask(Invocation *invocation, GError **error)
{
	const char *number = number_of(invocation, error);
	return number == NULL ? NULL
			      : invocation_call(invocation, "GET", NULL, NULL, error, "changes",
					number, NULL);
}

/* Takes `answer`; FALSE when it is NULL. */
static gboolean show(Invocation *invocation, json_t *answer,
	void (*shown)(const Screen *screen, const json_t *answer))
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) given = answer;
	if (given == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, given);
	else
		shown(screen, given);
	return TRUE;
}

/* POST /changes/ID/ACT. Takes `body`. */
static gboolean act(
	Invocation *invocation, const char *verb, json_t *body, const char *done, GError **error)
{
	return change_answer(invocation,
		invocation_call(invocation, "POST", NULL, body, error, "changes",
			invocation_argument(invocation, 0), verb, NULL),
		done);
}

static gboolean has_reason(Invocation *invocation, GError **error)
{
	const char *reason = invocation_option(invocation, "reason");
	if (reason != NULL && *reason != '\0')
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"it is kept in the history and others will ask: say --reason WHY");
	return FALSE;
}

/* Writing ------------------------------------------------------------------------------------- */

/* --title, --reason and --when win over the file's. */
static gboolean lay_options_over(Invocation *invocation, json_t *change, GError **error)
{
	static const char *const texts[] = {"title", "reason"};
	g_autofree char *when = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		if (invocation_has(invocation, texts[i]))
			json_object_set_new(change, texts[i],
				json_text_or_null(invocation_option(invocation, texts[i])));
	if (!row_time_option(invocation, "when", &when, error))
		return FALSE;
	if (when != NULL)
		json_object_set_new(change, "when", json_string(when));
	return TRUE;
}

/* "when" of a file is read as it is typed elsewhere. */
static gboolean settle_when(Invocation *invocation, json_t *change, GError **error)
{
	const char *typed = json_text(change, "when");
	g_autofree char *when =
		typed == NULL ? NULL
			      : when_text(typed, clock_now_us(invocation_clock(invocation)), error);
	if (typed == NULL)
		return TRUE;
	if (when == NULL) {
		g_prefix_error(error, "when: ");
		return FALSE;
	}
	json_object_set_new(change, "when", json_string(when));
	return TRUE;
}

static json_t *read_change(Invocation *invocation, const char *path, GError **error)
{
	gsize size_bytes = 0;
	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
	g_autofree char *text =
		commands_read_input(path, API_MAXIMUM_IMPORT_BYTES, &size_bytes, error);
	g_autoptr(json_t) change =
		text == NULL ? NULL : change_file_read(name, text, size_bytes, error);
	if (change == NULL || !lay_options_over(invocation, change, error))
		return NULL;
	if (settle_when(invocation, change, error))
		return g_steal_pointer(&change);
	g_prefix_error(error, "%s: ", name);
	return NULL;
}

static gboolean check(Invocation *invocation, json_t *change, GError **error)
{
	return show(invocation,
		invocation_call(invocation, "POST", NULL, change, error, "changes", "check", NULL),
		change_show);
}

static gboolean run_submit(Invocation *invocation, GError **error)
{
	json_t *change = read_change(invocation, invocation_argument(invocation, 0), error);
	if (change == NULL)
		return FALSE;
	if (json_text(change, "when") == NULL) {
		json_decref(change);
		drover_error_set(error, DROVER_ERROR_INPUT,
			"when: is missing: say in the file, or with --when, when it goes live");
		return FALSE;
	}
	if (invocation_has(invocation, "check"))
		return check(invocation, change, error);
	return change_answer(invocation,
		invocation_call(invocation, "POST", NULL, change, error, "changes", NULL),
		"submitted");
}

/* Sends `edit`, made from the version that is there now or that was named. Takes `edit`. */
static gboolean put(Invocation *invocation, json_t *edit, const char *done, GError **error)
{
	g_autoptr(json_t) body = edit;
	gint64 version;
	if (!invocation_integer(invocation, "data-version", 0, 1, G_MAXINT64, &version, error))
		return FALSE;
	if (version == 0) {
		g_autoptr(json_t) now = ask(invocation, error);
		if (now == NULL)
			return FALSE;
		version = json_integer_of(now, "data_version");
	}
	json_object_set_new(body, "data_version", json_integer(version));
	return change_answer(invocation,
		invocation_call(invocation, "PUT", NULL, json_incref(body), error, "changes",
			invocation_argument(invocation, 0), NULL),
		done);
}

static gboolean run_edit(Invocation *invocation, GError **error)
{
	if (number_of(invocation, error) == NULL)
		return FALSE;
	json_t *change = read_change(invocation, invocation_argument(invocation, 1), error);
	return change != NULL && put(invocation, change, "edited", error);
}

static gboolean run_move(Invocation *invocation, GError **error)
{
	gint64 now_us = clock_now_us(invocation_clock(invocation));
	if (number_of(invocation, error) == NULL)
		return FALSE;
	g_autofree char *when = when_text(invocation_argument(invocation, 1), now_us, error);
	return when != NULL && put(invocation,
				       body_of("when", when, "reason",
					       invocation_option(invocation, "reason"), NULL),
				       "moved", error);
}

static gboolean run_withdraw(Invocation *invocation, GError **error)
{
	g_autoptr(json_t) now = has_reason(invocation, error) ? ask(invocation, error) : NULL;
	if (now == NULL)
		return FALSE;
	json_t *body = body_of("reason", invocation_option(invocation, "reason"), NULL);
	json_object_set_new(
		body, "data_version", json_integer(json_integer_of(now, "data_version")));
	return act(invocation, "withdraw", body, "withdrew", error);
}

/* Agreeing ------------------------------------------------------------------------------------ */

/* --role, or the only one in which the asker may; NULL with `error`. */
static const char *role_of(
	Invocation *invocation, const json_t *detail, const char *act, GError **error)
{
	const json_t *roles = json_object_get(json_object_get(detail, "may"), act);
	const char *named = invocation_option(invocation, "role");
	if (named != NULL)
		return named;
	if (json_array_size(roles) == 1)
		return json_string_value(json_array_get(roles, 0));
	g_autofree char *text = row_value_text(roles);
	if (json_array_size(roles) > 0)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"say in which role: --role ROLE (yours here: %s)", text);
	else
		drover_error_set(error, DROVER_ERROR_DENIED,
			"nothing is left here that you can sign: you did already, or have none of "
			"the roles that it needs (drover change show), or opened the store itself, "
			"where you are nobody: sign with --server and your token");
	return NULL;
}

/* What a person in the role signs: the content, with its time if the role asks for that. */
static const char *digest_to_sign(const json_t *detail, const char *role)
{
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(detail, "required"), i, one)
		if (g_strcmp0(json_text(one, "role"), role) == 0 && show_is_true(one, "signs_time"))
			return json_text(detail, "time_digest");
	return json_text(detail, "digest");
}

static const char *tested_digest(const json_t *detail, const char *role)
{
	return json_text(json_object_get(detail, "tested"), "digest");
}

/* Signs what is there now, or what --digest says was read. */
static gboolean agree(Invocation *invocation, const char *verb, const char *may, const char *done,
	const char *(*digest_of)(const json_t *detail, const char *role), GError **error)
{
	g_autoptr(json_t) detail = ask(invocation, error);
	const char *role = detail != NULL ? role_of(invocation, detail, may, error) : NULL;
	if (role == NULL)
		return FALSE;
	const char *read = invocation_option(invocation, "digest");
	return act(invocation, verb,
		body_of("role", role, "digest", read != NULL ? read : digest_of(detail, role),
			NULL),
		done, error);
}

static gboolean run_sign(Invocation *invocation, GError **error)
{
	return agree(invocation, "sign", "sign", "signed", digest_to_sign, error);
}

static gboolean run_tested(Invocation *invocation, GError **error)
{
	return agree(invocation, "tested", "tested", "tested", tested_digest, error);
}

static gboolean run_revoke(Invocation *invocation, GError **error)
{
	const char *role = invocation_option(invocation, "role");
	if (number_of(invocation, error) == NULL)
		return FALSE;
	if (role == NULL) {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "say which sign-off of yours: --role ROLE");
		return FALSE;
	}
	return act(invocation, "revoke", body_of("role", role, NULL), "took back the sign-off of",
		error);
}

static gboolean act_with_reason(Invocation *invocation, const char *verb, const char *gate,
	const char *done, GError **error)
{
	return number_of(invocation, error) != NULL && has_reason(invocation, error) &&
	       act(invocation, verb,
		       body_of("gate", gate, "reason", invocation_option(invocation, "reason"),
			       NULL),
		       done, error);
}

static gboolean run_override(Invocation *invocation, GError **error)
{
	return act_with_reason(invocation, "override", invocation_argument(invocation, 1),
		"overrode a gate of", error);
}

static gboolean run_break_glass(Invocation *invocation, GError **error)
{
	return act_with_reason(invocation, "break-glass", NULL, "broke the glass for", error);
}

static gboolean run_go(Invocation *invocation, GError **error)
{
	return act_with_reason(invocation, "go", NULL, "let go", error);
}

static gboolean run_review(Invocation *invocation, GError **error)
{
	return act_with_reason(invocation, "review", NULL, "reviewed", error);
}

/* The clock's own look, for those who have no droverd: drover run looks, too. */
static gboolean run_enact(Invocation *invocation, GError **error)
{
	return show(invocation,
		invocation_call(invocation, "POST", NULL, NULL, error, "jobs", "go-live", NULL),
		change_show_enacted);
}

/* Looking ------------------------------------------------------------------------------------- */

static void show_changes(const Screen *screen, const json_t *answer)
{
	change_show_list(screen, json_object_get(answer, "changes"));
}

static gboolean run_list(Invocation *invocation, GError **error)
{
	return show(invocation,
		invocation_call(invocation, "GET",
			query_of("product", invocation_option(invocation, "product"), "channel",
				invocation_option(invocation, "channel"), "state",
				invocation_option(invocation, "only"), "before",
				invocation_option(invocation, "before"), "limit",
				invocation_option(invocation, "limit"), NULL),
			NULL, error, "changes", NULL),
		show_changes);
}

static gboolean run_show(Invocation *invocation, GError **error)
{
	return show(invocation, ask(invocation, error), change_show);
}

static gboolean run_diff(Invocation *invocation, GError **error)
{
	const char *number = number_of(invocation, error);
	return number != NULL && show(invocation,
					 invocation_call(invocation, "GET", NULL, NULL, error,
						 "changes", number, "diff", NULL),
					 change_show_diff);
}

/* The table ----------------------------------------------------------------------------------- */

#define OVER_FILE                                                                                  \
	{"title", "TEXT", "What it is called, in place of the file's"},                            \
		{"when", "TIME", "When it goes live, in place of the file's"},                     \
	{                                                                                          \
		"reason", "TEXT", "Why, in place of the file's"                                    \
	}

static const Option submit_options[] = {
	OVER_FILE,
	{"check", NULL, "Submit nothing: say what it would do, and what it would wait for"},
	{0},
};

static const Option edit_options[] = {
	OVER_FILE,
	{"data-version", "N", "Refuse unless the change is still at this version"},
	{0},
};

static const Option move_options[] = {
	{"reason", "TEXT", "Why, for the history"},
	{"data-version", "N", "Refuse unless the change is still at this version"},
	{0},
};

static const Option list_options[] = {
	{"product", "PRODUCT", "Only what alters channels of this product"},
	{"channel", "CHANNEL", "Only what alters this channel"},
	{"only", "STATE", "Only those that are scheduled, going-live, live or withdrawn"},
	{"limit", "N", "So many at most, 1 to 1000"},
	{"before", "CHANGE", "Only those below this number: the next page"},
	{0},
};

static const Option sign_options[] = {
	{"role", "ROLE", "In which role; the only one in which you may by default"},
	{"digest", "DIGEST", "What you read: refused when the change says something else by now"},
	{0},
};

static const Option revoke_options[] = {
	{"role", "ROLE", "In which role you had signed"},
	{0},
};

static const Option reason_options[] = {
	{"reason", "TEXT", "Why; it is kept in the history"},
	{0},
};

#define TIMES "TIME is as 2026-11-21T09:00:00Z, 'tomorrow 09:00' (UTC), 'in 2h', +30min or now."

const Command change_commands[] = {
	{"change submit", "FILE", 1, 1, "Submits a change: edits that go live at one instant",
		run_submit, submit_options,
		"FILE is JSON with title, when, reason and ops, as docs/changes.md describes it; - "
		"is\nstandard input. " TIMES,
		"drover change submit web-1.5.json --check\n"
		"drover change submit web-1.5.json --when 'tomorrow 09:00'",
		"3,4,5,7", "change show, change sign"},
	{"change list", "", 0, 0,
		"Shows the changes that wait, in their order, then those that are over", run_list,
		list_options, NULL,
		"drover change list\ndrover change list --product web --only live", "5",
		"change show"},
	{"change show", "CHANGE", 1, 1,
		"Shows what a change does, who must sign, who has, and what it waits for", run_show,
		NULL, NULL, "drover change show 7", "3,5", "change diff"},
	{"change diff", "CHANGE", 1, 1, "Lists whose answers a change alters", run_diff, NULL,
		"One query for each class that the rules tell apart, with its release before and "
		"after.",
		"drover change diff 7", "3,5", "channel diff"},
	{"change edit", "CHANGE FILE", 2, 2, "Puts what a file says in a change's place", run_edit,
		edit_options,
		"Only what the file names is changed. Sign-offs and tests of what is changed fall.",
		"drover change edit 7 web-1.5.json", "3,4,5,7", "change submit"},
	{"change move", "CHANGE TIME", 2, 2, "Has a change go live at another time", run_move,
		move_options, TIMES "\nSign-offs stay, but for roles that sign the time, too.",
		"drover change move 7 2026-12-01T09:00:00Z\ndrover change move 7 +2h", "3,4,5,7",
		"change show"},
	{"change withdraw", "CHANGE", 1, 1, "Takes a change out of the queue", run_withdraw,
		reason_options, NULL, "drover change withdraw 7 --reason 'the build is bad'",
		"3,4,5,7", "change list"},
	{"change sign", "CHANGE", 1, 1, "Agrees to exactly what a change says", run_sign,
		sign_options,
		"With --digest nothing can have been altered between reading and signing.",
		"drover change sign 7 --role relman", "3,4,5,7", "change show, change revoke"},
	{"change revoke", "CHANGE", 1, 1, "Takes your sign-off back, until it is live", run_revoke,
		revoke_options, NULL, "drover change revoke 7 --role relman", "3,4,5,7",
		"change sign"},
	{"change tested", "CHANGE", 1, 1,
		"Says that the test channels work as they are with this change", run_tested,
		sign_options,
		"What is signed are the digests of all channels that it alters; the change does "
		"not go\nlive when they are others by then.",
		"drover change tested 7 --role qa", "3,4,5,7", "change sign"},
	{"change override", "CHANGE GATE", 2, 2, "Lets a change pass a gate that stops it",
		run_override, reason_options,
		"drover change show names the gates and whose word it "
		"takes.",
		"drover change override 7 freeze --reason 'the fix cannot wait'", "3,4,5,7",
		"change show"},
	{"change break-glass", "CHANGE", 1, 1, "Goes live now, on one word, in need",
		run_break_glass, reason_options,
		"Everyone concerned is told, and it is reviewed after.",
		"drover change break-glass 7 --reason 'customers cannot log in'", "3,4,5,7",
		"change review, change go"},
	{"change review", "CHANGE", 1, 1, "Says that a broken glass was looked into", run_review,
		reason_options, "By an operator who did not break it. Until then it is marked.",
		"drover change review 7 --reason 'the log-in bug was real'", "3,4,5,7",
		"change break-glass"},
	{"change enact", "", 0, 0, "Lets what is due go live now, as the clock does", run_enact,
		NULL, "What is due and does not go live is shown with what it waits for.",
		"drover change enact", "5,6,7", "change list, run"},
	{"change go", "CHANGE", 1, 1, "Lets a change go that is overdue, and therefore asks",
		run_go, reason_options, NULL,
		"drover change go 7 --reason 'droverd was down over night'", "3,4,5,7",
		"change show"},
	{0},
};
