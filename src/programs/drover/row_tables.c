/* SPDX-License-Identifier: ISC
 *
 * The commands of the small tables: shut-offs, pins, requirements of sign-offs, roles for signing,
 * freezes, and how channels and products are declared. Each is a list of columns; row.c does the
 * rest.
 */
#include "programs/drover/row_tables.h"

#include "programs/drover/commands.h"
#include "programs/drover/row.h"

/* One table's three commands. */
#define ROW_KIND_RUNS(kind)                                                                        \
	static gboolean run_put_##kind(Invocation *invocation, GError **error)                     \
	{                                                                                          \
		return row_run_put(invocation, &kind, error);                                      \
	}                                                                                          \
	static gboolean run_delete_##kind(Invocation *invocation, GError **error)                  \
	{                                                                                          \
		return row_run_remove(invocation, &kind, error);                                   \
	}                                                                                          \
	static gboolean run_list_##kind(Invocation *invocation, GError **error)                    \
	{                                                                                          \
		return row_run_list(invocation, &kind, error);                                     \
	}

static const Option write_options[] = {ROW_WRITE_OPTIONS, {0}};

static const Option scope_options[] = {
	{"product", "PRODUCT", "Only those of this product"},
	{"channel", "CHANNEL", "Only those of this channel"},
	{"at", "TIME", "As they were at this time"},
	{0},
};

static const Option at_options[] = {
	{"at", "TIME", "As they were at this time"},
	{0},
};

/* Shut-offs ----------------------------------------------------------------------------------- */

/* The reason is kept in the row, too: whoever sees the channel off wants to know. */
static const RowColumn shutoff_columns[] = {
	{"product", ROW_TEXT, NULL, "PRODUCT"},
	{"channel", ROW_TEXT, NULL, "CHANNEL"},
	{"reason", ROW_TEXT, "reason", "REASON"},
	{0},
};
static const RowKind shutoff = {STATE_SHUTOFFS, "shut-off", shutoff_columns};
ROW_KIND_RUNS(shutoff)

const Command shutoff_commands[] = {
	{"shutoff list", "", 0, 0, "Shows the channels that are switched off", run_list_shutoff,
		scope_options, NULL, "drover shutoff list", "5", "shutoff add"},
	{"shutoff add", "PRODUCT CHANNEL", 2, 2, "Switches a channel off: nobody gets an update",
		run_put_shutoff, write_options,
		"At once, and without sign-offs. What clients have they keep.",
		"drover shutoff add web release --reason '1.4.0 eats bookmarks'", "4,5,7",
		"shutoff delete"},
	{"shutoff delete", "PRODUCT CHANNEL", 2, 2, "Switches a channel on again",
		run_delete_shutoff, write_options,
		"Where sign-offs are required it goes by a change only: --when TIME.",
		"drover shutoff delete web release\n"
		"drover shutoff delete web release --when now --reason '1.4.1 is out'",
		"3,4,5,7", "shutoff list"},
	{0},
};

/* Pins ------------------------------------------------------------------------------------------
 */

static const RowColumn pin_columns[] = {
	{"product", ROW_TEXT, NULL, "PRODUCT"},
	{"channel", ROW_TEXT, NULL, "CHANNEL"},
	{"version", ROW_TEXT, NULL, "VERSION"},
	{"mapping", ROW_TEXT, NULL, "MAPPING"},
	{0},
};
static const RowKind pin = {STATE_PINS, "pin", pin_columns};
ROW_KIND_RUNS(pin)

const Command pin_commands[] = {
	{"pin list", "", 0, 0, "Shows the lines on which clients may be held", run_list_pin,
		scope_options, NULL, "drover pin list --product web", "5", "pin add"},
	{"pin add", "PRODUCT CHANNEL VERSION RELEASE", 4, 4,
		"Holds clients that ask for a line on a release", run_put_pin, write_options,
		"VERSION is the line as clients say it, with its dot: 102. A pin that is there "
		"gets the\nrelease.",
		"drover pin add web release 1.3. web-1.3.9", "4,5,7", "pin list"},
	{"pin delete", "PRODUCT CHANNEL VERSION", 3, 3, "Ends a line", run_delete_pin,
		write_options, NULL, "drover pin delete web release 1.3.", "3,4,5,7", "pin list"},
	{0},
};

/* Who must agree ------------------------------------------------------------------------------ */

static const RowColumn requirement_columns[] = {
	{"product", ROW_ANY, NULL, "PRODUCT"},
	{"channel", ROW_ANY, NULL, "CHANNEL"},
	{"role", ROW_TEXT, NULL, "ROLE"},
	{"n", ROW_INTEGER, NULL, "PERSONS"},
	{0},
};
static const RowKind requirement = {STATE_REQUIREMENTS, "requirement", requirement_columns};
ROW_KIND_RUNS(requirement)

#define SCOPE                                                                                      \
	"PRODUCT and CHANNEL may be all; CHANNEL may end in a star: be*.\n"                        \
	"A requirement is itself changed with the agreement that it asks for."

const Command requirement_commands[] = {
	{"requirement list", "", 0, 0, "Shows who must sign what", run_list_requirement,
		scope_options, NULL, "drover requirement list --product web", "5",
		"requirement set"},
	{"requirement set", "PRODUCT CHANNEL ROLE N", 4, 4,
		"Asks for sign-offs: so many persons in a role", run_put_requirement, write_options,
		SCOPE,
		"drover requirement set web release relman 2\n"
		"drover requirement set all 'be*' qa 1",
		"4,5,7", "signing-role set, user grant"},
	{"requirement delete", "PRODUCT CHANNEL ROLE", 3, 3, "Asks for them no longer",
		run_delete_requirement, write_options, SCOPE,
		"drover requirement delete web release relman", "3,4,5,7", "requirement list"},
	{0},
};

static const RowColumn role_columns[] = {
	{"role", ROW_TEXT, NULL, "ROLE"},
	{"signs_time", ROW_BOOLEAN, "signs-time", "SIGNS TIME"},
	{"author_may_sign", ROW_BOOLEAN, "author-may-sign", "AUTHOR MAY SIGN"},
	{"tester", ROW_BOOLEAN, "tester", "TESTER"},
	{0},
};
static const RowKind role = {STATE_ROLES, "signing role", role_columns};
ROW_KIND_RUNS(role)

static const Option role_options[] = {
	{"signs-time", "YES|NO", "Whether a sign-off falls when the change is moved in time"},
	{"author-may-sign", "YES|NO", "Whether the author's own word counts"},
	{"tester", "YES|NO", "Whether this role signs what it tested, too"},
	ROW_WRITE_OPTIONS,
	{0},
};

const Command signing_role_commands[] = {
	{"signing-role list", "", 0, 0, "Shows what signing in a role means", run_list_role,
		at_options, NULL, "drover signing-role list", "5", "signing-role set"},
	{"signing-role set", "ROLE", 1, 1, "Says what signing in a role means", run_put_role,
		role_options,
		"Who has the role: drover user grant. One that is not described signs the content "
		"only.",
		"drover signing-role set qa --tester yes\n"
		"drover signing-role set ops --signs-time yes --author-may-sign no",
		"4,5,7", "requirement set, user grant"},
	{"signing-role delete", "ROLE", 1, 1, "Takes the description of a role away",
		run_delete_role, write_options, NULL, "drover signing-role delete ops", "3,4,5,7",
		"signing-role list"},
	{0},
};

/* Freezes ------------------------------------------------------------------------------------- */

static const RowColumn freeze_columns[] = {
	{"name", ROW_TEXT, NULL, "FREEZE"},
	{"product", ROW_ANY, "product", "PRODUCT"},
	{"from", ROW_TIME, "from", "FROM"},
	{"until", ROW_TIME, "until", "UNTIL"},
	{"reason", ROW_TEXT, "reason", "REASON"},
	{0},
};
static const RowKind freeze = {STATE_FREEZES, "freeze", freeze_columns};
ROW_KIND_RUNS(freeze)

static const Option freeze_options[] = {
	{"product", "PRODUCT", "Of this product, or all"},
	{"from", "TIME", "When it begins"},
	{"until", "TIME", "When it ends"},
	ROW_WRITE_OPTIONS,
	{0},
};

const Command freeze_commands[] = {
	{"freeze list", "", 0, 0, "Shows when nothing goes live", run_list_freeze, at_options, NULL,
		"drover freeze list", "5", "freeze add"},
	{"freeze add", "NAME", 1, 1, "Lets nothing go live for a time", run_put_freeze,
		freeze_options,
		"Changes that are due meanwhile wait at the gate. A freeze that is there gets what "
		"is\nsaid.",
		"drover freeze add holidays --product all --from 2026-12-23T00:00:00Z --until "
		"2027-01-02T00:00:00Z",
		"4,5,7", "change override"},
	{"freeze delete", "NAME", 1, 1, "Ends a freeze", run_delete_freeze, write_options, NULL,
		"drover freeze delete holidays", "3,4,5,7", "freeze list"},
	{0},
};

/* Channels and products ----------------------------------------------------------------------- */

static const RowColumn channel_columns[] = {
	{"channel", ROW_TEXT, NULL, NULL},
	{"product", ROW_TEXT, "product", NULL},
	{"base", ROW_TEXT, "base", NULL},
	{"cut", ROW_TEXT, "cut", NULL},
	{"on_conflict", ROW_TEXT, "on-conflict", NULL},
	{"title", ROW_TEXT, "channel-title", NULL},
	{"rewrite", ROW_PAIRS, "rewrite", NULL},
	{0},
};
static const RowKind channel = {STATE_CHANNELS, "channel", channel_columns};

static const RowColumn product_columns[] = {
	{"product", ROW_TEXT, NULL, NULL},
	{"scheme", ROW_TEXT, "scheme", NULL},
	{"hosts", ROW_LIST, "hosts", NULL},
	{"late_s", ROW_INTEGER, "late-s", NULL},
	{0},
};
static const RowKind product = {STATE_PRODUCTS, "settings of product", product_columns};

static gboolean has_product(Invocation *invocation, GError **error)
{
	if (invocation_has(invocation, "product"))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "say of which product: --product PRODUCT");
	return FALSE;
}

gboolean row_tables_declare(Invocation *invocation, GError **error)
{
	return has_product(invocation, error) && row_run_put(invocation, &channel, error);
}

gboolean row_tables_remove(Invocation *invocation, GError **error)
{
	return has_product(invocation, error) && row_run_remove(invocation, &channel, error);
}

gboolean row_tables_settings(Invocation *invocation, GError **error)
{
	return row_run_put(invocation, &product, error);
}
