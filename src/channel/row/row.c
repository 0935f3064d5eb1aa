/* SPDX-License-Identifier: ISC
 *
 * One row of any table: its columns by a table of them, then what it says of other rows.
 */
#include "channel/row/row.h"

#include <string.h>

#include "base/format.h"
#include "channel/row/cut.h"
#include "channel/row/file_host.h"
#include "channel/row/row_parts.h"
#include "channel/row/scope.h"
#include "channel/rule/rule.h"

/* Columns -------------------------------------------------------------------------------------- */

static gboolean is_channel_glob(const json_t *value, GError **error)
{
	const char *text = json_string_value(value);
	const char *star = text == NULL ? NULL : strchr(text, '*');
	if (star == NULL)
		return row_is_name(value, error);
	gsize before = (gsize)(star - text);
	return (star[1] == '\0' && (before == 0 || before >= RULE_GLOB_LEAST_BYTES)) ||
	       row_refuse(error,
		       "must be a channel, *, or %d characters and more with a star behind them",
		       RULE_GLOB_LEAST_BYTES);
}

/* "102." or "102.3.": the beginning of the versions that stay on the line. */
static gboolean is_line(const json_t *value, GError **error)
{
	const char *text = json_string_value(value);
	gboolean is_good = text != NULL && *text != '\0' && strlen(text) <= ROW_MAXIMUM_NAME_BYTES;
	for (; is_good && *text != '\0'; text++) {
		is_good = g_ascii_isdigit(*text);
		text += strspn(text, "0123456789");
		is_good = is_good && *text == '.';
	}
	return is_good ||
	       row_refuse(error, "must be the beginning of versions, numbers with a dot behind "
				 "each: 102. or 102.3.");
}

static gboolean is_signers(const json_t *value, GError **error)
{
	return row_is_number(value, 1, ROW_MAXIMUM_SIGNERS, error);
}

static gboolean is_scheme(const json_t *value, GError **error)
{
	VersionScheme scheme;
	const char *text = json_string_value(value);
	return version_scheme_parse(text != NULL ? text : "", &scheme, error);
}

static gboolean is_host(const json_t *value, GError **error)
{
	const char *host = json_string_value(value);
	return (host != NULL && file_host_is_valid(host)) ||
	       row_refuse(error,
		       "'%s' is no host: small letters, digits, dots and hyphens, and a port when "
		       "the URLs have one: cdn.example.org",
		       host != NULL ? host : "");
}

static gboolean are_hosts(const json_t *value, GError **error)
{
	if (!json_is_array(value) || json_array_size(value) > ROW_MAXIMUM_HOSTS)
		return row_refuse(error, "must be a list of at most %d hosts", ROW_MAXIMUM_HOSTS);
	for (gsize i = 0; i < json_array_size(value); i++)
		if (!is_host(json_array_get(value, i), error))
			return FALSE;
	return TRUE;
}

static gboolean is_lateness(const json_t *value, GError **error)
{
	return row_is_number(value, 0, ROW_MAXIMUM_LATE_S, error);
}

static gboolean is_cut(const json_t *value, GError **error)
{
	Cut cut;
	const char *text = json_string_value(value);
	return cut_parse(text != NULL ? text : "", &cut, error);
}

static gboolean is_on_conflict(const json_t *value, GError **error)
{
	const char *text = json_string_value(value);
	return g_strcmp0(text, "say") == 0 || g_strcmp0(text, "last") == 0 ||
	       row_refuse(error, "must be say or last");
}

static gboolean is_rewrite(const json_t *value, GError **error)
{
	const char *host;
	json_t *other;
	if (!json_is_object(value) || json_object_size(value) > ROW_MAXIMUM_REWRITES)
		return row_refuse(error,
			"must be an object of at most %d hosts, each with its other",
			ROW_MAXIMUM_REWRITES);
	json_object_foreach ((json_t *)value, host, other) {
		if (!file_host_is_valid(host))
			return row_refuse(error, "'%s' is no host", host);
		if (!is_host(other, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean is_ladder(const char *role)
{
	static const char *const ladder[] = {"viewer", "tester", "operator", "admin", NULL};
	return role != NULL && g_strv_contains(ladder, role);
}

/* Who may work with Drover is given by its admins, and nothing else gives it. */
static gboolean is_signing_role(const json_t *value, GError **error)
{
	if (!row_is_role(value, error))
		return FALSE;
	return !is_ladder(json_string_value(value)) ||
	       row_refuse(error, "%s is no role for signing; an admin gives it: drover user grant",
		       json_string_value(value));
}

#define ROW_END                                                                                    \
	{                                                                                          \
		NULL, FALSE, NULL                                                                  \
	}

static const RowColumn shutoff_columns[] = {{"product", TRUE, row_is_name},
	{"channel", TRUE, row_is_name}, {"reason", FALSE, row_is_text}, ROW_END};
static const RowColumn pin_columns[] = {{"product", TRUE, row_is_name},
	{"channel", TRUE, row_is_name}, {"version", TRUE, is_line}, {"mapping", TRUE, row_is_name},
	{"comment", FALSE, row_is_text}, ROW_END};
static const RowColumn requirement_columns[] = {{"product", TRUE, row_is_name_or_star},
	{"channel", TRUE, is_channel_glob}, {"role", TRUE, row_is_role}, {"n", TRUE, is_signers},
	ROW_END};
static const RowColumn product_columns[] = {{"product", TRUE, row_is_name},
	{"scheme", FALSE, is_scheme}, {"hosts", FALSE, are_hosts}, {"late_s", FALSE, is_lateness},
	ROW_END};
static const RowColumn channel_columns[] = {{"product", TRUE, row_is_name},
	{"channel", TRUE, row_is_name}, {"base", FALSE, row_is_name}, {"cut", FALSE, is_cut},
	{"on_conflict", FALSE, is_on_conflict}, {"title", FALSE, row_is_text},
	{"rewrite", FALSE, is_rewrite}, ROW_END};
static const RowColumn role_columns[] = {{"role", TRUE, is_signing_role},
	{"signs_time", FALSE, row_is_boolean}, {"author_may_sign", FALSE, row_is_boolean},
	{"tester", FALSE, row_is_boolean}, ROW_END};
static const RowColumn grant_columns[] = {{"product", TRUE, row_is_name_or_star},
	{"person", TRUE, row_is_person}, {"role", TRUE, is_signing_role}, ROW_END};
static const RowColumn freeze_columns[] = {{"name", TRUE, row_is_name},
	{"product", TRUE, row_is_name_or_star}, {"from", TRUE, row_is_time},
	{"until", TRUE, row_is_time}, {"reason", FALSE, row_is_text}, ROW_END};

/* What a row says of others -------------------------------------------------------------------- */

typedef struct RowQuestion {
	const json_t *row;
	const State *state;
	RowStage stage;
} RowQuestion;

static gboolean check_mapping(const RowQuestion *ask, const char *column, GError **error)
{
	const char *name = row_text(ask->row, column), *product = row_text(ask->row, "product");
	if (name == NULL)
		return TRUE;
	const json_t *release = state_row(ask->state, STATE_RELEASES, name);
	const char *its = row_text(release, "product");
	if (release == NULL)
		return row_conflict(error, "%s: there is no release %s", column, name);
	if (its != NULL && product != NULL && strcmp(its, product) != 0)
		return row_conflict(
			error, "%s: %s is a release of %s, not of %s", column, name, its, product);
	if (ask->stage == ROW_GOES_LIVE && json_is_false(json_object_get(release, "published")))
		return row_conflict(error, "%s: %s is not published yet", column, name);
	return TRUE;
}

/* `product` NULL: of any. */
static gboolean is_test_channel(const State *state, const char *product, const char *channel)
{
	const char *key;
	json_t *row;
	if (g_str_has_suffix(channel, SCOPE_TEST_SUFFIX))
		return TRUE;
	json_object_foreach ((json_t *)state_rows(state, STATE_CHANNELS), key, row)
		if (row_text(row, "base") != NULL &&
			g_strcmp0(row_text(row, "channel"), channel) == 0 &&
			(product == NULL || g_strcmp0(row_text(row, "product"), product) == 0))
			return TRUE;
	return FALSE;
}

static gboolean check_rule(const RowQuestion *ask, GError **error)
{
	const char *product = row_text(ask->row, "product");
	g_autoptr(Rule) rule =
		rule_new((json_t *)ask->row, row_scheme_of(ask->state, product), error);
	if (rule == NULL)
		return FALSE;
	if (rule->channel != NULL && rule->glob_bytes == 0 &&
		is_test_channel(ask->state, product, rule->channel))
		return row_refuse(error,
			"channel: %s is a test channel, answered by the rules of its base; name "
			"that",
			rule->channel);
	return check_mapping(ask, "mapping", error) &&
	       check_mapping(ask, "fallback_mapping", error);
}

static gboolean check_release(const RowQuestion *ask, GError **error)
{
	return row_release_check(ask->row, ask->state, error);
}

static gboolean check_pin(const RowQuestion *ask, GError **error)
{
	const char *line = row_text(ask->row, "version"), *name = row_text(ask->row, "mapping");
	const json_t *release = json_object_get(state_rows(ask->state, STATE_RELEASES), name);
	const char *version = row_text(release, "version");
	if (!check_mapping(ask, "mapping", error))
		return FALSE;
	if (version != NULL && !g_str_has_prefix(version, line))
		return row_conflict(error, "mapping: %s is version %s, not of the line %s", name,
			version, line);
	return TRUE;
}

static gboolean check_live_channel(const RowQuestion *ask, GError **error)
{
	static const char *const others[] = {"cut", "on_conflict", "rewrite"};
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		if (json_object_get(ask->row, others[i]) != NULL)
			return row_refuse(
				error, "%s: only a test channel, with a base, has one", others[i]);
	return !g_str_has_suffix(row_text(ask->row, "channel"), SCOPE_TEST_SUFFIX) ||
	       row_refuse(error, "base: is missing; what ends in -test is a test channel");
}

static gboolean check_channel(const RowQuestion *ask, GError **error)
{
	const char *base = row_text(ask->row, "base"), *name = row_text(ask->row, "channel");
	if (base == NULL)
		return check_live_channel(ask, error);
	if (strcmp(base, name) == 0)
		return row_refuse(error, "base: a channel cannot be its own base");
	return !is_test_channel(ask->state, row_text(ask->row, "product"), base) ||
	       row_conflict(error, "base: %s is a test channel itself", base);
}

static gboolean check_freeze(const RowQuestion *ask, GError **error)
{
	gint64 from_us, until_us;
	return parse_time(row_text(ask->row, "from"), &from_us, error) &&
	       parse_time(row_text(ask->row, "until"), &until_us, error) &&
	       (from_us < until_us || row_refuse(error, "until: must be after from"));
}

static const struct {
	const RowColumn *columns; /* NULL: check() looks at them */
	gboolean (*check)(const RowQuestion *ask, GError **error);
} tables[STATE_TABLES] = {
	[STATE_RULES] = {NULL, check_rule},
	[STATE_RELEASES] = {NULL, check_release},
	[STATE_SHUTOFFS] = {shutoff_columns, NULL},
	[STATE_PINS] = {pin_columns, check_pin},
	[STATE_REQUIREMENTS] = {requirement_columns, NULL},
	[STATE_PRODUCTS] = {product_columns, NULL},
	[STATE_CHANNELS] = {channel_columns, check_channel},
	[STATE_ROLES] = {role_columns, NULL},
	[STATE_GRANTS] = {grant_columns, NULL},
	[STATE_FREEZES] = {freeze_columns, check_freeze},
};

/* The door ------------------------------------------------------------------------------------- */

VersionScheme row_scheme_of(const State *state, const char *product)
{
	VersionScheme scheme = VERSION_MOZILLA;
	const json_t *row = product == NULL ? NULL : state_row(state, STATE_PRODUCTS, product);
	if (row_text(row, "scheme") != NULL)
		version_scheme_parse(row_text(row, "scheme"), &scheme, NULL);
	return scheme;
}

static gboolean check_size(const json_t *row, GError **error)
{
	return json_dumpb(row, NULL, 0, JSON_COMPACT) <= ROW_MAXIMUM_BYTES ||
	       row_refuse(error, "is larger than %d bytes", ROW_MAXIMUM_BYTES);
}

gboolean row_check(
	StateTable table, const json_t *row, const State *after, RowStage stage, GError **error)
{
	RowQuestion ask = {row, after, stage};
	const char *name = state_table_name(table);
	if ((tables[table].columns == NULL ||
		    row_columns_check(name, tables[table].columns, row, error)) &&
		(tables[table].check == NULL || tables[table].check(&ask, error)) &&
		check_size(row, error))
		return TRUE;
	g_autofree char *key = state_key(table, row, NULL);
	g_prefix_error(error, "%s %s: ", name, key != NULL ? key : "without a key");
	return FALSE;
}
