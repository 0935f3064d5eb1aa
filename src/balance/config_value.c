/* SPDX-License-Identifier: ISC
 *
 * One value of the configuration, by its type. A value may be bare, or a Python literal as PyBal's
 * are: what begins with a quote or a bracket is one.
 */
#include "balance/config_parts.h"

#include <arpa/inet.h>
#include <string.h>

#include "balance/literal.h"
#include "balance/shown.h"
#include "base/error.h"
#include "base/format.h"

static gboolean refuse(const ConfigKey *key, const char *text, GError **error)
{
	g_autofree char *allowed = config_allowed(key);
	g_autofree char *shown = shown_text(text, -1);
	drover_error_set(
		error, DROVER_ERROR_INPUT, "must be %s, not %s", allowed, *shown ? shown : "empty");
	return FALSE;
}

static void *field_of(const ConfigKey *key, void *base)
{
	return (char *)base + key->offset;
}

static gboolean is_literal(const char *text)
{
	return *text != '\0' && strchr("'\"[({", *text) != NULL;
}

/* Values that are one text: quotes around it are taken off. */
static char *one_text(const ConfigKey *key, const char *text, GError **error)
{
	if (!is_literal(text) || (*text != '\'' && *text != '"'))
		return g_strdup(text);
	g_autoptr(Literal) literal = literal_parse(text, strlen(text), NULL, error);
	if (literal == NULL)
		return NULL;
	if (literal->kind == LITERAL_TEXT)
		return g_steal_pointer(&literal->text);
	refuse(key, text, error);
	return NULL;
}

/* A part of a list as text; NULL when it cannot be one. Names stand for the server's. */
static char *part_text(const Literal *part)
{
	switch (part->kind) {
	case LITERAL_TEXT:
	case LITERAL_REAL:
		return g_strdup(part->text);
	case LITERAL_INTEGER:
		return g_strdup_printf("%" G_GINT64_FORMAT, part->integer);
	case LITERAL_NAME:
		return g_strdup(g_str_has_suffix(part->text, ".host") ? CONFIG_SERVER_HOST
								      : CONFIG_SERVER_IP);
	default:
		return NULL;
	}
}

static gboolean add_part(GPtrArray *parts, const Literal *part)
{
	/* Only a name may become the mark of one. */
	if (parts->len >= CONFIG_MAXIMUM_PARTS ||
		(part->kind == LITERAL_TEXT && *part->text == CONFIG_SERVER_IP[0]))
		return FALSE;
	char *text = part_text(part);
	if (text != NULL)
		g_ptr_array_add(parts, text);
	return text != NULL;
}

static gboolean add_literal(
	const ConfigKey *key, GPtrArray *parts, const char *text, GError **error)
{
	static const char *const server[] = {"server.host", "server.ip", NULL};
	const char *const *names = key->type == CONFIG_TYPE_ARGUMENTS ? server : NULL;
	g_autoptr(Literal) literal = literal_parse(text, strlen(text), names, error);
	if (literal == NULL)
		return FALSE;
	gboolean ok = TRUE;
	if (literal->kind == LITERAL_LIST || literal->kind == LITERAL_TUPLE)
		for (guint i = 0; i < literal->parts->len && ok; i++)
			ok = add_part(parts, literal->parts->pdata[i]);
	else
		ok = add_part(parts, literal);
	return ok || refuse(key, text, error);
}

/* The parts of a list: of a literal its parts; of a bare value, where `marks` says what stands
 * between parts, the words of it; else itself. */
static char **parts_of(const ConfigKey *key, const char *text, const char *marks, GError **error)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
	if (is_literal(text)) {
		if (!add_literal(key, parts, text, error))
			return NULL;
	} else if (marks != NULL) {
		g_auto(GStrv) words = g_strsplit_set(text, marks, -1);
		for (gsize i = 0; words[i] != NULL; i++)
			if (*words[i] != '\0')
				g_ptr_array_add(parts, g_strdup(words[i]));
	} else if (*text != '\0') {
		g_ptr_array_add(parts, g_strdup(text));
	}
	if (parts->len > CONFIG_MAXIMUM_PARTS) {
		refuse(key, text, error);
		return NULL;
	}
	g_ptr_array_add(parts, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&parts), FALSE);
}

/* Replaces a list; takes `parts`. */
static gboolean set_parts(const ConfigKey *key, void *base, char **parts)
{
	char ***field = field_of(key, base);
	g_strfreev(*field);
	*field = parts;
	return TRUE;
}

static gboolean set_text(const ConfigKey *key, void *base, char *text)
{
	char **field = field_of(key, base);
	g_free(*field);
	*field = text;
	return TRUE;
}

static gboolean read_word(const ConfigKey *key, const char *text, void *base, GError **error)
{
	g_autofree char *word = one_text(key, text, error);
	if (word == NULL)
		return FALSE;
	for (gint64 i = 0; key->words[i] != NULL; i++) {
		if (g_ascii_strcasecmp(key->words[i], word) == 0) {
			*(gint64 *)field_of(key, base) = i;
			return TRUE;
		}
	}
	return refuse(key, text, error);
}

/* As PyBal reads them. */
static gboolean read_boolean(const ConfigKey *key, const char *text, void *base, GError **error)
{
	static const char *const words[] = {
		"no", "yes", "false", "true", "off", "on", "0", "1", "n", "y", "f", "t"};
	g_autofree char *word = one_text(key, text, error);
	if (word == NULL)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		if (g_ascii_strcasecmp(words[i], word) == 0) {
			*(gboolean *)field_of(key, base) = i % 2;
			return TRUE;
		}
	}
	return refuse(key, text, error);
}

static gboolean read_integer(const ConfigKey *key, const char *text, void *base, GError **error)
{
	g_autofree char *digits = one_text(key, text, error);
	if (digits == NULL)
		return FALSE;
	if (parse_integer(digits, key->name, key->minimum, key->maximum, field_of(key, base), NULL))
		return TRUE;
	return refuse(key, text, error);
}

/* "1.5", "5", "5min" in milliseconds; FALSE when it is none. */
static gboolean milliseconds_of(const char *text, gint64 *time_ms)
{
	gint64 seconds = 0;
	if (*text != '\0' && strspn(text, "0123456789.") == strlen(text)) {
		char *end = NULL;
		double value = g_ascii_strtod(text, &end);
		if (*end != '\0' || value > 1e12)
			return FALSE;
		*time_ms = (gint64)(value * 1000 + .5);
		return TRUE;
	}
	if (!parse_duration(text, &seconds, NULL) || seconds < 0 || seconds > G_MAXINT64 / 1000)
		return FALSE;
	*time_ms = seconds * 1000;
	return TRUE;
}

static gboolean read_seconds(const ConfigKey *key, const char *text, void *base, GError **error)
{
	gint64 time_ms = 0;
	g_autofree char *value = one_text(key, text, error);
	if (value == NULL)
		return FALSE;
	gboolean none = key->minimum == 0 && g_ascii_strcasecmp(value, "no") == 0;
	if (!none && (!milliseconds_of(value, &time_ms) || time_ms < key->minimum ||
			     time_ms > key->maximum))
		return refuse(key, text, error);
	*(gint64 *)field_of(key, base) = time_ms;
	return TRUE;
}

static gboolean read_threshold(const ConfigKey *key, const char *text, void *base, GError **error)
{
	g_autofree char *value = one_text(key, text, error);
	return value != NULL && threshold_parse(value, field_of(key, base), error);
}

/* One spelling for one address, so that two services can be seen to be the same. */
static char *address_of(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char spelling[INET6_ADDRSTRLEN];
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, bytes) != 1)
		return NULL;
	return g_strdup(inet_ntop(family, bytes, spelling, sizeof spelling));
}

static gboolean read_address(const ConfigKey *key, const char *text, void *base, GError **error)
{
	g_autofree char *value = one_text(key, text, error);
	if (value == NULL)
		return FALSE;
	char *address = address_of(value);
	return address != NULL ? set_text(key, base, address) : refuse(key, text, error);
}

static gboolean read_addresses(const ConfigKey *key, const char *text, void *base, GError **error)
{
	g_auto(GStrv) parts = parts_of(key, text, ", \t\n", error);
	if (parts == NULL)
		return FALSE;
	for (gsize i = 0; parts[i] != NULL; i++) {
		char *address = address_of(parts[i]);
		if (address == NULL)
			return refuse(key, text, error);
		g_free(parts[i]);
		parts[i] = address;
	}
	if (parts[0] == NULL)
		return refuse(key, text, error);
	return set_parts(key, base, g_steal_pointer(&parts));
}

static gboolean has_blanks(const char *text)
{
	for (; *text != '\0'; text++)
		if (g_ascii_isspace(*text) || g_ascii_iscntrl(*text))
			return TRUE;
	return FALSE;
}

/* HOST/pools/NAME after drover://. */
static gboolean is_pool_url(const char *rest)
{
	const char *slash = strchr(rest, '/');
	if (slash == NULL || slash == rest || !g_str_has_prefix(slash, "/pools/"))
		return FALSE;
	const char *name = slash + strlen("/pools/");
	return *name != '\0' && strchr(name, '/') == NULL;
}

static gboolean read_list_url(const ConfigKey *key, const char *text, void *base, GError **error)
{
	g_autofree char *url = one_text(key, text, error);
	if (url == NULL)
		return FALSE;
	const char *rest = strstr(url, "://");
	rest = rest != NULL ? rest + strlen("://") : "";
	if (g_str_has_prefix(url, "etcd://") || g_str_has_prefix(url, "k8s://")) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%.*s lists are not read here: let droverd keep the pool "
			"(drover://HOST/pools/NAME), or let confd or a like tool write the list to "
			"a "
			"file (file:///PATH), which is read again when it changes",
			(int)(rest - url), url);
		return FALSE;
	}
	gboolean ok =
		g_str_has_prefix(url, "file:///") ? rest[1] != '\0'
		: g_str_has_prefix(url, "drover://")
			? is_pool_url(rest)
			: (g_str_has_prefix(url, "http://") || g_str_has_prefix(url, "https://")) &&
				  *rest != '\0' && *rest != '/';
	if (!ok || has_blanks(url))
		return refuse(key, text, error);
	return set_text(key, base, g_steal_pointer(&url));
}

static gboolean is_web_url(const char *url)
{
	const char *rest = g_str_has_prefix(url, "http://")    ? url + strlen("http://")
			   : g_str_has_prefix(url, "https://") ? url + strlen("https://")
							       : "";
	return *rest != '\0' && strchr("/?#:", *rest) == NULL && !has_blanks(url);
}

static gboolean read_urls(const ConfigKey *key, const char *text, void *base, GError **error)
{
	g_auto(GStrv) urls = parts_of(key, text, NULL, error);
	if (urls == NULL)
		return FALSE;
	for (gsize i = 0; urls[i] != NULL; i++)
		if (!is_web_url(urls[i]))
			return refuse(key, urls[i], error);
	if (urls[0] == NULL)
		return refuse(key, text, error);
	return set_parts(key, base, g_steal_pointer(&urls));
}

static const char *monitor_called(const char *name)
{
	const char *const *names = config_monitor_names();
	for (gsize i = 0; names[i] != NULL; i++)
		if (g_ascii_strcasecmp(names[i], name) == 0)
			return names[i];
	return NULL;
}

static gboolean read_monitors(const ConfigKey *key, const char *text, void *base, GError **error)
{
	g_auto(GStrv) names = parts_of(key, text, ", \t\n", error);
	if (names == NULL)
		return FALSE;
	for (gsize i = 0; names[i] != NULL; i++) {
		const char *name = monitor_called(names[i]);
		if (name == NULL)
			return refuse(key, names[i], error);
		g_free(names[i]);
		names[i] = g_strdup(name);
		for (gsize k = 0; k < i; k++)
			if (strcmp(names[k], name) == 0)
				return refuse(key, text, error);
	}
	return set_parts(key, base, g_steal_pointer(&names));
}

static gboolean read_texts(const ConfigKey *key, const char *text, void *base, GError **error)
{
	char **parts = parts_of(key, text, NULL, error);
	return parts != NULL && set_parts(key, base, parts);
}

/* "200" or "200-202". */
static gboolean add_statuses(ConfigStatuses *statuses, char *text)
{
	gint64 first = 0, last = 0;
	char *dash = strchr(text, '-');
	if (dash != NULL)
		*dash = '\0';
	if (!parse_integer(text, "status", 100, CONFIG_MAXIMUM_STATUS, &first, NULL))
		return FALSE;
	last = first;
	if (dash != NULL &&
		!parse_integer(dash + 1, "status", first, CONFIG_MAXIMUM_STATUS, &last, NULL))
		return FALSE;
	for (gint64 status = first; status <= last; status++)
		statuses->bits[status / 64] |= G_GUINT64_CONSTANT(1) << (status % 64);
	return TRUE;
}

/* As in PyBal, 301, 302 or 303 alone means any of them. */
static void widen_redirect(ConfigStatuses *statuses)
{
	for (guint status = 301; status <= 303; status++) {
		ConfigStatuses alone = {0}, any = {0};
		char one[] = "301", all[] = "301-303";
		one[2] = (char)('1' + (status - 301));
		add_statuses(&alone, one);
		add_statuses(&any, all);
		if (memcmp(statuses, &alone, sizeof alone) == 0) {
			*statuses = any;
			return;
		}
	}
}

static gboolean read_statuses(const ConfigKey *key, const char *text, void *base, GError **error)
{
	ConfigStatuses statuses = {0};
	g_auto(GStrv) parts = parts_of(key, text, ", \t\n", error);
	if (parts == NULL)
		return FALSE;
	for (gsize i = 0; parts[i] != NULL; i++)
		if (!add_statuses(&statuses, parts[i]))
			return refuse(key, text, error);
	if (parts[0] == NULL)
		return refuse(key, text, error);
	widen_redirect(&statuses);
	*(ConfigStatuses *)field_of(key, base) = statuses;
	return TRUE;
}

static gboolean read_text(const ConfigKey *key, const char *text, void *base, GError **error)
{
	char *value = one_text(key, text, error);
	return value != NULL && set_text(key, base, value);
}

gboolean config_value_read(const ConfigKey *key, const char *text, void *base, GError **error)
{
	static gboolean (*const readers[])(
		const ConfigKey *key, const char *text, void *base, GError **error) = {
		[CONFIG_TYPE_TEXT] = read_text,
		[CONFIG_TYPE_WORD] = read_word,
		[CONFIG_TYPE_BOOLEAN] = read_boolean,
		[CONFIG_TYPE_INTEGER] = read_integer,
		[CONFIG_TYPE_SECONDS] = read_seconds,
		[CONFIG_TYPE_THRESHOLD] = read_threshold,
		[CONFIG_TYPE_ADDRESS] = read_address,
		[CONFIG_TYPE_ADDRESSES] = read_addresses,
		[CONFIG_TYPE_LIST_URL] = read_list_url,
		[CONFIG_TYPE_URLS] = read_urls,
		[CONFIG_TYPE_MONITORS] = read_monitors,
		[CONFIG_TYPE_TEXTS] = read_texts,
		[CONFIG_TYPE_ARGUMENTS] = read_texts,
		[CONFIG_TYPE_STATUSES] = read_statuses,
	};
	g_assert(key->type != CONFIG_TYPE_WITHOUT_USE);
	return readers[key->type](key, text, base, error);
}

void config_value_clear(const ConfigKey *key, void *base)
{
	switch (key->type) {
	case CONFIG_TYPE_TEXT:
	case CONFIG_TYPE_ADDRESS:
	case CONFIG_TYPE_LIST_URL:
		g_clear_pointer((char **)field_of(key, base), g_free);
		break;
	case CONFIG_TYPE_ADDRESSES:
	case CONFIG_TYPE_URLS:
	case CONFIG_TYPE_MONITORS:
	case CONFIG_TYPE_TEXTS:
	case CONFIG_TYPE_ARGUMENTS:
		g_clear_pointer((char ***)field_of(key, base), g_strfreev);
		break;
	default:
		break;
	}
}
