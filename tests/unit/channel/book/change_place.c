/* SPDX-License-Identifier: ISC
 *
 * See change_place.h.
 */
#include "change_place.h"

#include <string.h>

/* People --------------------------------------------------------------------------------------- */

void person(Store *store, const char *name, const char *roles)
{
	g_auto(GStrv) each = g_strsplit(roles, ",", -1);
	g_autofree char *insert = g_strdup_printf(
		"INSERT INTO person (name, email, is_disabled, created_us, data_version) VALUES "
		"('%s', '%s@example.org', 0, 1, 1)",
		name, name);
	must_write(store, insert);
	for (guint i = 0; each[i] != NULL && *each[i] != '\0'; i++) {
		const char *slash = strchr(each[i], '/');
		g_autofree char *product = slash != NULL
						   ? g_strndup(each[i], (gsize)(slash - each[i]))
						   : g_strdup("*");
		g_autofree char *grant = g_strdup_printf(
			"INSERT INTO person_role (person_id, product, role) SELECT id, '%s', '%s' "
			"FROM person WHERE name = '%s'",
			product, slash != NULL ? slash + 1 : each[i], name);
		must_write(store, grant);
	}
}

typedef struct RowToWrite {
	StateTable table;
	json_t *row;
} RowToWrite;

static gboolean write_row(Store *store, gpointer of, GError **error)
{
	RowToWrite *write = of;
	ChannelDeed deed = {5 * US_PER_SECOND, "ada", NULL, 0};
	g_autoptr(ChannelBook) book = channel_book_read(store, error);
	g_autoptr(json_t) change = json_pack("{s:[{s:s, s:s, s:O}]}", "ops", "op", "insert",
		"table", state_table_name(write->table), "row", write->row);
	g_autoptr(State) after = book != NULL ? state_apply(book->live, change, error) : NULL;
	return after != NULL && channel_rows_write(store, book->live, after, &deed, NULL, error);
}

void row(Store *store, StateTable table, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) value = quoted(text);
	RowToWrite write = {table, value};
	store_write(store, write_row, &write, &error);
	assert_good(error);
}

Desk furnished_desk(Place *place)
{
	Desk desk = {.store = place->store, .name = "ada", .second = 100};
	furnish(desk.store);
	row(desk.store, STATE_CHANNELS, "{'product': 'web', 'channel': 'release'}");
	assert_look(&desk, "", "");
	return desk;
}

Desk as(const Desk *desk, const char *name)
{
	Desk other = *desk;
	other.name = name;
	return other;
}

/* Deeds ---------------------------------------------------------------------------------------- */

/* As the API does it: an operator on a product or on all. */
static gboolean may(const char *product, const char *role, gpointer of)
{
	const Desk *desk = of;
	g_autoptr(ChannelBook) book = channel_book_read(desk->store, NULL);
	char *const products[] = {(char *)product, NULL};
	return standing_has_role(book->live, desk->name, role, products);
}

typedef struct Deed {
	Desk *desk;
	Verb verb;
	gboolean is_submission;
	gint64 change;
	const char *text;
	gint64 number;
	ChangeDetail *detail;
	const char *title, *reason; /* of a submission; NULL: any */
} Deed;

static ChangeDetail *do_edit(const ChangeCall *call, const Deed *deed, GError **error)
{
	g_autoptr(ChangeDetail) now = change_load_detail(call, deed->change, error);
	g_autoptr(json_t) ops = deed->verb == EDIT ? quoted(deed->text) : NULL;
	ChangeDraft draft = {
		deed->verb == MOVE ? deed->number * US_PER_SECOND : 0, NULL, NULL, ops};
	return change_edit(call, deed->change, now->change->data_version, &draft, error);
}

static ChangeDetail *do_sign(const ChangeCall *call, const Deed *deed, GError **error)
{
	g_autoptr(ChangeDetail) now = change_load_detail(call, deed->change, error);
	const Standing *standing = now->standing;
	const char *digest = standing->digest;
	for (guint i = 0; i < standing->roles->len; i++) {
		const StandingRole *role = &g_array_index(standing->roles, StandingRole, i);
		if (role->signs_time && strcmp(role->required.role, deed->text) == 0)
			digest = standing->time_digest;
	}
	if (deed->verb == TEST)
		return change_test(call, deed->change, deed->text,
			standing->tested_digest != NULL ? standing->tested_digest : "none", error);
	return change_sign(call, deed->change, deed->text, digest != NULL ? digest : "none", error);
}

static ChangeDetail *do_withdraw(const ChangeCall *call, const Deed *deed, GError **error)
{
	g_autoptr(ChangeDetail) now = change_load_detail(call, deed->change, error);
	return change_withdraw(call, deed->change, now->change->data_version, error);
}

static ChangeDetail *do_submit(const ChangeCall *call, const Deed *deed, GError **error)
{
	g_autoptr(json_t) ops = quoted(deed->text);
	ChangeDraft draft = {deed->number * US_PER_SECOND,
		deed->title != NULL ? deed->title : "a change",
		deed->reason != NULL ? deed->reason : "because", ops};
	return change_submit(call, &draft, error);
}

static ChangeDetail *act(const ChangeCall *call, const Deed *deed, GError **error)
{
	if (deed->is_submission)
		return do_submit(call, deed, error);
	switch (deed->verb) {
	case EDIT:
	case MOVE:
		return do_edit(call, deed, error);
	case WITHDRAW:
		return do_withdraw(call, deed, error);
	case SIGN:
	case TEST:
		return do_sign(call, deed, error);
	case REVOKE:
		return change_revoke(call, deed->change, deed->text, error);
	case OVERRIDE:
		return change_override(call, deed->change, deed->text, error);
	case GO:
		return change_go(call, deed->change, error);
	case BREAK_GLASS:
		return change_break_glass(call, deed->change, error);
	default:
		return change_review(call, deed->change, error);
	}
}

static gboolean write_deed(Store *store, gpointer of, GError **error)
{
	Deed *deed = of;
	ChangeActor actor = {deed->desk->name, may, deed->desk};
	ChangeCall call = {store, &actor, deed->desk->second * US_PER_SECOND, "need",
		deed->desk->gates, deed->desk->gates_of};
	g_clear_pointer(&deed->detail, change_detail_free);
	deed->detail = act(&call, deed, error);
	return deed->detail != NULL;
}

static gint64 must_do(Deed *deed)
{
	g_autoptr(GError) error = NULL;
	store_write(deed->desk->store, write_deed, deed, &error);
	assert_good(error);
	g_autoptr(ChangeDetail) detail = deed->detail;
	g_autoptr(json_t) json = change_detail_json(detail);
	assert_non_null(json);
	return detail->change->id;
}

static void must_not(Deed *deed, DroverErrorCode code, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_false(store_write(deed->desk->store, write_deed, deed, &error));
	assert_error(&error, code, part);
}

gint64 submit(Desk *desk, gint64 when, const char *ops)
{
	Deed deed = {.desk = desk, .is_submission = TRUE, .text = ops, .number = when};
	return must_do(&deed);
}

void submit_as(Desk *desk, const char *title, const char *reason, gboolean is_good)
{
	Deed deed = {.desk = desk, .is_submission = TRUE, .text = RATE(50), .number = 200};
	g_autoptr(GError) error = NULL;
	deed.title = title;
	deed.reason = reason;
	assert_int_equal(store_write(desk->store, write_deed, &deed, &error), is_good);
	change_detail_free(deed.detail);
}

void submit_refused(
	Desk *desk, gint64 when, const char *ops, DroverErrorCode code, const char *part)
{
	Deed deed = {.desk = desk, .is_submission = TRUE, .text = ops, .number = when};
	must_not(&deed, code, part);
}

void deed(Desk *desk, Verb verb, gint64 change, const char *text, gint64 number)
{
	Deed deed = {.desk = desk, .verb = verb, .change = change, .text = text, .number = number};
	must_do(&deed);
}

void deed_refused(Desk *desk, Verb verb, gint64 change, const char *text, gint64 number,
	DroverErrorCode code, const char *part)
{
	Deed deed = {.desk = desk, .verb = verb, .change = change, .text = text, .number = number};
	must_not(&deed, code, part);
}

ChangeDetail *load(Desk *desk, gint64 change)
{
	g_autoptr(GError) error = NULL;
	ChangeActor actor = {desk->name, may, desk};
	ChangeCall call = {desk->store, &actor, desk->second * US_PER_SECOND, NULL, desk->gates,
		desk->gates_of};
	ChangeDetail *detail = change_load_detail(&call, change, &error);
	assert_good(error);
	return detail;
}

void assert_standing(Desk *desk, gint64 change, StandingKind kind, const char *part)
{
	g_autoptr(ChangeDetail) detail = load(desk, change);
	if (detail->standing->kind != kind || strstr(detail->standing->text, part) == NULL)
		fail_msg("wanted %s '%s', got %s '%s'", standing_kind_name(kind), part,
			standing_kind_name(detail->standing->kind), detail->standing->text);
}

/* The clock ------------------------------------------------------------------------------------ */

static void add_word(GString *text, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_word(GString *text, const char *format, ...)
{
	va_list arguments;
	if (text->len > 0)
		g_string_append(text, " ");
	va_start(arguments, format);
	g_string_append_vprintf(text, format, arguments);
	va_end(arguments);
}

void assert_look(Desk *desk, const char *live, const char *waiting)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) went = g_string_new(NULL), waits = g_string_new(NULL);
	g_auto(Enacted) enacted = {0};
	EnactHouse house = {.gates = desk->gates, .gates_of = desk->gates_of};
	channel_enact(desk->store, desk->second * US_PER_SECOND, &house, &enacted, &error);
	assert_good(error);
	for (guint i = 0; i < enacted.live->len; i++)
		add_word(went, "%" G_GINT64_FORMAT, g_array_index(enacted.live, gint64, i));
	for (guint i = 0; i < enacted.waiting->len; i++) {
		const EnactWaiting *one = enacted.waiting->pdata[i];
		add_word(waits, "%s%" G_GINT64_FORMAT " %s", one->is_news ? "*" : "", one->change,
			standing_kind_name(one->kind));
	}
	assert_string_equal(went->str, live);
	assert_string_equal(waits->str, waiting);
}

void assert_rate(Store *store, const char *rule, gint64 rate)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(ChannelBook) book = channel_book_read(store, &error);
	assert_good(error);
	const json_t *found = json_object_get(state_rows(book->live, STATE_RULES), rule);
	assert_non_null(found);
	assert_int_equal(json_integer_of(found, "rate"), rate);
}
