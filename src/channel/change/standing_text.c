/* SPDX-License-Identifier: ISC
 *
 * Sentences of standing.
 */
#include "channel/change/standing_text.h"

#include <string.h>

#include "base/format.h"

enum { NAMES_TOLD = 5 };

static const char *text_of(const json_t *row, const char *column)
{
	return json_string_value(json_object_get(row, column));
}

/* Who ------------------------------------------------------------------------------------------ */

static gboolean has_signed(const Standing *standing, const StandingWords *words, const char *person)
{
	for (guint i = 0; i < words->sign_off_count; i++)
		if (standing->signed_off[i] == SIGN_OFF_COUNTS &&
			strcmp(words->sign_offs[i].person, person) == 0)
			return TRUE;
	return FALSE;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Persons with the role who have not signed; the author only where that counts. */
static GPtrArray *persons_of(
	const Standing *standing, const StandingRole *role, const StandingWords *words)
{
	GPtrArray *persons = g_ptr_array_new();
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(standing->before, STATE_GRANTS), key, row) {
		const char *person = text_of(row, "person");
		gboolean is_author = strcmp(person, words->author) == 0;
		if (g_strcmp0(text_of(row, "role"), role->required.role) != 0 ||
			(is_author && !role->author_may_sign) ||
			has_signed(standing, words, person) ||
			!standing_has_role(standing->before, person, role->required.role,
				role->required.products))
			continue;
		g_ptr_array_add(persons, (gpointer)person);
	}
	g_ptr_array_sort(persons, by_name);
	for (guint i = persons->len; i-- > 1;)
		if (strcmp(persons->pdata[i], persons->pdata[i - 1]) == 0)
			g_ptr_array_remove_index(persons, i);
	return persons;
}

/* "ann, bob or cy": who could still sign in the role, or how to have someone. Caller frees. */
static char *who_may(const Standing *standing, const StandingRole *role, const StandingWords *words)
{
	g_autoptr(GPtrArray) persons = persons_of(standing, role, words);
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < MIN(persons->len, NAMES_TOLD); i++)
		g_string_append_printf(text, "%s%s",
			i == 0			? ""
			: i + 1 == persons->len ? " or "
						: ", ",
			(const char *)persons->pdata[i]);
	if (persons->len > NAMES_TOLD)
		g_string_append_printf(text, " or %u others", persons->len - NAMES_TOLD);
	if (persons->len == 0) {
		g_autofree char *products = g_strjoinv(", ", role->required.products);
		g_string_append_printf(text,
			"nobody has the role %s on %s: an admin gives it with drover user grant",
			role->required.role, products);
	}
	return g_string_free(text, FALSE);
}

/* What --------------------------------------------------------------------------------------- */

static void add_sentence(GString *text, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_sentence(GString *text, const char *format, ...)
{
	va_list arguments;
	if (text->len > 0)
		g_string_append_c(text, ' ');
	va_start(arguments, format);
	g_string_append_vprintf(text, format, arguments);
	va_end(arguments);
	g_string_append_c(text, '.');
}

static void add_roles(
	GString *text, const Standing *standing, const StandingWords *words, gboolean tests)
{
	for (guint i = 0; i < standing->roles->len; i++) {
		const StandingRole *role = &g_array_index(standing->roles, StandingRole, i);
		guint missing = tests ? role->missing_tests : role->missing;
		if (missing == 0)
			continue;
		g_autofree char *who = tests ? NULL : who_may(standing, role, words);
		if (tests)
			add_sentence(text, "%u %s of %s must sign what the test channels answer",
				missing, missing == 1 ? "person" : "persons", role->required.role);
		else
			add_sentence(text, "%u sign-off%s as %s %s missing (%s)", missing,
				missing == 1 ? "" : "s", role->required.role,
				missing == 1 ? "is" : "are", who);
	}
}

static void add_gates(GString *text, const Standing *standing)
{
	for (guint i = 0; i < standing->gates->len; i++) {
		const Gate *gate = standing->gates->pdata[i];
		if (gate->passes || standing->overridden[i])
			continue;
		if (gate->role == NULL)
			add_sentence(text, "%s: %s", gate->name, gate->text);
		else
			add_sentence(text, "%s: %s; the role %s may override it", gate->name,
				gate->text, gate->role);
	}
}

static void add_difference(GString *text, const Standing *standing, const StandingWords *words)
{
	json_t *one;
	gsize i;
	for (guint k = words->test_count; k-- > 0;)
		if (words->tests[k].void_why != NULL) {
			add_sentence(text, "The test of %s is void: %s", words->tests[k].person,
				words->tests[k].void_why);
			break;
		}
	json_array_foreach (standing->differs, i, one) {
		const char *channel = text_of(one, "channel");
		if (channel == NULL)
			add_sentence(text, "Names that nobody declared are answered otherwise");
		else
			add_sentence(text, "%s of %s is answered otherwise", channel,
				text_of(one, "product"));
	}
}

static void add_conflicts(GString *text, const StandingWords *words)
{
	json_t *one;
	gsize i;
	json_array_foreach (words->conflicts, i, one) {
		const char *column = text_of(one, "column");
		json_int_t with = json_integer_value(json_object_get(one, "with"));
		g_autofree char *whom =
			with != 0 ? g_strdup_printf("change %" JSON_INTEGER_FORMAT, with)
				  : g_strdup("live");
		add_sentence(text, "%s %s: %s was edited here and in %s", text_of(one, "table"),
			text_of(one, "key"), column != NULL ? column : "the row", whom);
	}
	add_sentence(text, "Its author edits or withdraws it");
}

static void add_time(GString *text, gint64 when_us, const char *before, const char *after)
{
	g_autofree char *when = format_time_short(when_us);
	add_sentence(text, "%s%s UTC%s", before, when, after);
}

char *standing_text(const Standing *standing, const json_t *change, const StandingWords *words,
	const char *problem)
{
	GString *text = g_string_new(NULL);
	switch (standing->kind) {
	case STANDING_CONFLICT:
		if (problem != NULL)
			add_sentence(text, "It does not fit: %s", problem);
		add_conflicts(text, words);
		break;
	case STANDING_OVERDUE:
		add_time(text, change_when(change), "It was to go live at ",
			" and nobody watched the clock then; an operator says go, moves or "
			"withdraws it");
		add_roles(text, standing, words, FALSE);
		break;
	case STANDING_UNSIGNED:
		add_roles(text, standing, words, FALSE);
		break;
	case STANDING_UNTESTED:
		add_roles(text, standing, words, TRUE);
		break;
	case STANDING_NEEDS_RETEST:
		add_difference(text, standing, words);
		add_roles(text, standing, words, TRUE);
		break;
	case STANDING_GATE:
		add_gates(text, standing);
		break;
	case STANDING_BEHIND:
		add_sentence(text, "It waits behind change %" G_GINT64_FORMAT, standing->blocking);
		break;
	default:
		add_time(text, change_when(change), "It goes live at ", "");
	}
	return g_string_free(text, FALSE);
}
