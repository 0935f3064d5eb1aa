/* SPDX-License-Identifier: ISC
 *
 * drover user: people, their roles and how they log in. A password is typed where nobody sees it or
 * comes from standard input, never from the command line.
 */
#include <string.h>

#include "api/identity.h"
#include "programs/drover/commands.h"
#include "programs/drover/prompt.h"
#include "programs/terminal/show.h"

static char *roles_text(const json_t *person)
{
	GString *text = g_string_new(NULL);
	gsize index;
	json_t *role;
	json_array_foreach (json_object_get(person, "roles"), index, role) {
		const char *product = json_text(role, "product");
		g_string_append_printf(text, "%s%s on %s", index > 0 ? ", " : "",
			json_text(role, "role"), strcmp(product, "*") == 0 ? "all" : product);
	}
	return g_string_free(text, FALSE);
}

static void show_people(const Screen *screen, const json_t *people)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "NAME", TABLE_LEFT);
	table_column(table, "E-MAIL", TABLE_LEFT);
	table_column(table, "LOGS IN", TABLE_LEFT);
	table_column(table, "SINCE", TABLE_LEFT);
	table_column(table, "ROLES", TABLE_ELASTIC);
	gsize index;
	json_t *person;
	json_array_foreach (people, index, person) {
		g_autofree char *created = show_time(person, "created");
		g_autofree char *roles = roles_text(person);
		gboolean disabled = show_is_true(person, "disabled");
		table_cell(table, STYLE_STRONG, json_text(person, "name"));
		table_cell(table, STYLE_PLAIN, json_text(person, "email"));
		table_cell(table, disabled ? STYLE_BAD : STYLE_PLAIN,
			disabled			       ? "disabled"
			: show_is_true(person, "has_password") ? "password"
							       : "link, token");
		table_cell(table, STYLE_PLAIN, created);
		table_cell(table, STYLE_PLAIN, roles);
	}
	table_show(table, screen, 0);
}

/* Takes `person`; FALSE when it is NULL. */
static gboolean answer_person(Invocation *invocation, json_t *person, const char *done)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) given = person;
	if (given == NULL)
		return FALSE;
	g_autofree char *roles = roles_text(given);
	if (screen->json)
		screen_json(screen, given);
	screen_done(screen, "%s %s <%s>: %s", done, json_text(given, "name"),
		json_text(given, "email"), *roles != '\0' ? roles : "no roles");
	return TRUE;
}

static json_t *get_person(Invocation *invocation, GError **error)
{
	return invocation_call(invocation, "GET", NULL, NULL, error, "people",
		invocation_argument(invocation, 0), NULL);
}

static gboolean run_add(Invocation *invocation, GError **error)
{
	json_t *body = body_of("name", invocation_argument(invocation, 0), "email",
		invocation_argument(invocation, 1), NULL);
	return answer_person(invocation,
		invocation_call(invocation, "POST", NULL, body, error, "people", NULL), "added");
}

static gboolean run_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) people =
		invocation_call(invocation, "GET", NULL, NULL, error, "people", NULL);
	if (people == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, people);
	else
		show_people(screen, people);
	return TRUE;
}

static gboolean run_show(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) person = get_person(invocation, error);
	if (person == NULL)
		return FALSE;
	g_autoptr(json_t) people = json_pack("[O]", person);
	if (screen->json)
		screen_json(screen, person);
	else
		show_people(screen, people);
	return TRUE;
}

/* Adds the version that the change is made from, and sends it. Takes `body`. */
static json_t *change_person(Invocation *invocation, json_t *body, GError **error)
{
	g_autoptr(json_t) person = get_person(invocation, error);
	if (person == NULL) {
		json_decref(body);
		return NULL;
	}
	json_object_set_new(
		body, "data_version", json_integer(json_integer_of(person, "data_version")));
	return invocation_call(invocation, "PATCH", NULL, body, error, "people",
		invocation_argument(invocation, 0), NULL);
}

static gboolean run_set(Invocation *invocation, GError **error)
{
	gboolean disable = invocation_has(invocation, "disable");
	gboolean enable = invocation_has(invocation, "enable");
	const char *email = invocation_option(invocation, "email");
	if (disable == enable && (disable || email == NULL)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"say what to set: --email ADDRESS, --disable or --enable");
		return FALSE;
	}
	json_t *body = body_of("email", email, NULL);
	if (disable || enable)
		json_object_set_new(body, "disabled", json_boolean(disable));
	return answer_person(invocation, change_person(invocation, body, error), "set");
}

static gboolean change_role(
	Invocation *invocation, const char *method, const char *done, GError **error)
{
	const char *product = invocation_argument(invocation, 2);
	json_t *body = body_of("role", invocation_argument(invocation, 1), "product",
		strcmp(product, "all") == 0 ? "*" : product, "reason",
		invocation_option(invocation, "reason"), NULL);
	return answer_person(invocation,
		invocation_call(invocation, method, NULL, body, error, "people",
			invocation_argument(invocation, 0), "roles", NULL),
		done);
}

static gboolean run_grant(Invocation *invocation, GError **error)
{
	return change_role(invocation, "PUT", "granted:", error);
}

static gboolean run_revoke(Invocation *invocation, GError **error)
{
	return change_role(invocation, "DELETE", "revoked:", error);
}

static gboolean run_login_link(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) link = invocation_call(invocation, "POST", NULL, NULL, error, "people",
		invocation_argument(invocation, 0), "login-link", NULL);
	if (link == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, link);
		return TRUE;
	}
	const char *base = invocation_server(invocation);
	if (base == NULL)
		base = settings_text(invocation_settings(invocation, NULL), "page.base-url");
	g_autofree char *start = g_strdup(base != NULL ? base : "");
	if (g_str_has_suffix(start, "/"))
		start[strlen(start) - 1] = '\0';
	g_autofree char *expires = show_time(link, "expires");
	screen_line(screen, "%s%s", start, json_text(link, "path"));
	screen_note(screen, "works once, until %s UTC%s", expires,
		base == NULL ? "; put it behind the address of the admin pages ([page] base-url)"
			     : "");
	return TRUE;
}

static gboolean run_password(Invocation *invocation, GError **error)
{
	json_t *body = json_object();
	if (invocation_has(invocation, "remove")) {
		json_object_set_new(body, "password", json_null());
	} else {
		char *password = prompt_password(TRUE, error);
		if (password == NULL) {
			json_decref(body);
			return FALSE;
		}
		json_object_set_new(body, "password", json_text_or_null(password));
		prompt_password_free(password);
	}
	return answer_person(
		invocation, change_person(invocation, body, error), "password changed:");
}

static const Option set_options[] = {
	{"email", "ADDRESS", "The new e-mail address"},
	{"disable", NULL, "Let nobody log in as this person; tokens stop working too"},
	{"enable", NULL, "Take that back"},
	{0},
};

static const Option role_options[] = {
	{"reason", "TEXT", "Why, for the history"},
	{0},
};

static const Option password_options[] = {
	{"remove", NULL, "No password any more: links and tokens only"},
	{0},
};

#define ROLES                                                                                      \
	"ROLE is viewer, tester, operator or admin, each with the rights of those before it, or "  \
	"the\n"                                                                                    \
	"name of a role for sign-offs. PRODUCT is a product's name, or all."

const Command user_commands[] = {
	{"user add", "NAME EMAIL", 2, 2, "Adds a person", run_add, NULL,
		"The person can do nothing before a role is granted.",
		"drover user add ada ada@example.org", "4,5,7", "user grant, user login-link"},
	{"user list", "", 0, 0, "Shows everybody", run_list, NULL, NULL, "drover user list", "5",
		"user show"},
	{"user show", "NAME", 1, 1, "Shows one person", run_show, NULL, NULL,
		"drover user show ada", "3,5", "user list"},
	{"user set", "NAME", 1, 1, "Changes an e-mail address, disables or enables", run_set,
		set_options, NULL, "drover user set ada --disable", "3,4,5,7", "user show"},
	{"user grant", "NAME ROLE PRODUCT|all", 3, 3, "Gives a role", run_grant, role_options,
		ROLES, "drover user grant ada tester web\ndrover user grant grace admin all",
		"3,5,7", "user revoke"},
	{"user revoke", "NAME ROLE PRODUCT|all", 3, 3, "Takes a role", run_revoke, role_options,
		ROLES, "drover user revoke ada tester web --reason 'left the team'", "3,5,7",
		"user grant"},
	{"user login-link", "NAME", 1, 1, "Makes a link that logs this person in once",
		run_login_link, NULL,
		"The way in for a person without a password. The link stands alone on stdout.",
		"drover user login-link ada", "3,5,7", "user password"},
	{"user password", "NAME", 1, 1, "Sets or removes a password", run_password,
		password_options,
		"Asks on the terminal, twice and unseen; else reads the first line of standard "
		"input.",
		"drover user password ada\ndrover user password ada --remove", "3,5,7",
		"user login-link"},
	{0},
};
