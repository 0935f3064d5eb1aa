/* SPDX-License-Identifier: ISC
 *
 * The configuration: sections and keys of an INI file, by the table of config_keys.c. Goes on after
 * an error, so that one look shows all of them. Rules: docs/balance.md, "Configuration".
 */
#include "balance/config.h"

#include <string.h>

#include "balance/config_parts.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ini.h"

typedef struct Reader {
	Config *config;
	const Ini *ini;
	const char *name;
	GHashTable *referenced; /* keys that some %(key)s names, in lower case */
} Reader;

typedef struct SectionReader {
	Reader *reader;
	const char *section;
	ConfigScope scope;
	void *base;
	GHashTable *spelled; /* our spelling -> the file's */
} SectionReader;

/* Takes `what`. A problem is one line, whatever the names and values in it hold. */
static void add_problem(GPtrArray *problems, char *what)
{
	for (char *c = what; *c != '\0'; c++)
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	if (problems->len < CONFIG_MAXIMUM_PROBLEMS)
		g_ptr_array_add(problems, what);
	else
		g_free(what);
}

static void add_error(const Reader *reader, const char *section, const char *key, const char *what)
{
	g_autofree char *where = ini_where(reader->ini, section, key);
	add_problem(reader->config->errors,
		g_strdup_printf("%s: [%s] %s: %s", where, section, key, what));
}

static void add_warning(
	const Reader *reader, const char *section, const char *key, const char *what)
{
	g_autofree char *where = ini_where(reader->ini, section, key);
	add_problem(reader->config->warnings,
		g_strdup_printf("%s: [%s] %s: %s", where, section, key, what));
}

/* A key that only others refer to is a variable, not a slip. */
static GHashTable *find_references(const char *text, gsize size_bytes)
{
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const char *end = text + size_bytes;
	for (const char *at = text; (at = memchr(at, '%', (gsize)(end - at))) != NULL;) {
		at++;
		if (at == end || *at != '(')
			continue;
		const char *close = memchr(at, ')', (gsize)(end - at));
		if (close == NULL)
			break;
		g_hash_table_add(names, g_ascii_strdown(at + 1, close - at - 1));
		at = close;
	}
	return names;
}

/* One section's keys */

static gboolean is_inherited(const Reader *reader, const char *section, const char *key)
{
	g_autofree char *here = ini_where(reader->ini, section, key);
	g_autofree char *there = ini_where(reader->ini, "DEFAULT", key);
	return strcmp(here, there) == 0;
}

static void warn_unknown(
	const Reader *reader, ConfigScope scope, const char *section, const char *key)
{
	if (g_hash_table_contains(reader->referenced, key))
		return;
	ConfigScope other =
		scope == CONFIG_SCOPE_GLOBAL ? CONFIG_SCOPE_SERVICE : CONFIG_SCOPE_GLOBAL;
	if (config_find_key(other, key) == NULL)
		add_warning(reader, section, key, "unknown key, ignored");
	else if (other == CONFIG_SCOPE_GLOBAL)
		add_warning(reader, section, key, "ignored here: it belongs into [global]");
	else
		add_warning(reader, section, key, "ignored here: it belongs into a service");
}

/* A section's own spelling of a key goes before an inherited one; two of its own contradict. */
static void note_spelling(SectionReader *at, const char *key)
{
	const Reader *reader = at->reader;
	char *spelling = config_spelling(key);
	const char *before = g_hash_table_lookup(at->spelled, spelling);
	gboolean inherited = is_inherited(reader, at->section, key);
	if (before != NULL && !inherited && !is_inherited(reader, at->section, before)) {
		g_autofree char *what =
			g_strdup_printf("is there as %s, too; keep one of them", before);
		add_error(reader, at->section, key, what);
	}
	if (before == NULL || !inherited)
		g_hash_table_replace(at->spelled, spelling, g_strdup(key));
	else
		g_free(spelling);
	if (!inherited && config_find_key(at->scope, key) == NULL)
		warn_unknown(reader, at->scope, at->section, key);
}

static void read_key(SectionReader *at, const ConfigKey *key)
{
	const Reader *reader = at->reader;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	const char *spelled = g_hash_table_lookup(at->spelled, key->name);
	if (key->fallback != NULL && !config_value_read(key, key->fallback, at->base, &error))
		g_error("the table's own value of %s: %s", key->name, error->message);
	if (spelled == NULL) {
		if (key->required)
			add_problem(reader->config->errors,
				g_strdup_printf("%s: [%s] %s is missing: %s", reader->name,
					at->section, key->name, key->summary));
		return;
	}
	if (!ini_get(reader->ini, at->section, spelled, &text, &error))
		add_problem(reader->config->errors, g_strdup(error->message));
	else if (!config_value_read(key, text, at->base, &error))
		add_error(reader, at->section, spelled, error->message);
}

static void read_section(Reader *reader, const char *section, ConfigScope scope, void *base)
{
	g_autoptr(GHashTable) spelled =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autofree const char **names = ini_keys(reader->ini, section);
	SectionReader at = {reader, section, scope, base, spelled};
	for (gsize i = 0; names[i] != NULL; i++)
		note_spelling(&at, names[i]);
	for (const ConfigKey *key = config_keys(); key->name != NULL; key++) {
		if (key->scope != scope)
			continue;
		const char *given = g_hash_table_lookup(spelled, key->name);
		if (key->type != CONFIG_TYPE_WITHOUT_USE)
			read_key(&at, key);
		else if (given != NULL && !is_inherited(reader, section, given))
			add_warning(
				reader, section, given, "has no use here: BIRD or FRR speaks BGP");
	}
}

static void check_defaults(const Reader *reader)
{
	g_autofree const char **names = ini_keys(reader->ini, "DEFAULT");
	for (gsize i = 0; names[i] != NULL; i++)
		if (config_find_key(CONFIG_SCOPE_GLOBAL, names[i]) == NULL &&
			config_find_key(CONFIG_SCOPE_SERVICE, names[i]) == NULL &&
			!g_hash_table_contains(reader->referenced, names[i]))
			add_warning(reader, "DEFAULT", names[i], "unknown key, ignored");
}

/* What keys say together */

static void need(const Reader *reader, const ConfigService *service, ConfigMonitor monitor,
	const char *key, gboolean there)
{
	const char *name = config_monitor_names()[monitor];
	if (there || service->monitors == NULL ||
		!g_strv_contains((const char *const *)service->monitors, name))
		return;
	g_autofree char *missing = g_strdup_printf("%s needs %s", name, key);
	add_error(reader, service->name, "monitors", missing);
}

static void check_service(const Reader *reader, ConfigService *service, gboolean sound)
{
	if (service->monitors == NULL)
		service->monitors = g_new0(char *, 1);
	need(reader, service, CONFIG_PROXYFETCH, "proxyfetch.url",
		service->proxyfetch.urls != NULL);
	need(reader, service, CONFIG_DNSQUERY, "dnsquery.hostnames",
		service->dnsquery.hostnames != NULL && service->dnsquery.hostnames[0] != NULL);
	need(reader, service, CONFIG_RUNCOMMAND, "runcommand.command",
		service->runcommand.command != NULL && *service->runcommand.command == '/');
	if (sound && service->monitors[0] == NULL)
		add_problem(reader->config->warnings,
			g_strdup_printf(
				"%s: [%s] has no monitors: every enabled server is taken to be up",
				reader->name, service->name));
}

/* Two services cannot share an address: the kernel knows them by it. */
static void check_addresses(const Reader *reader)
{
	g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < reader->config->services->len; i++) {
		const ConfigService *service = reader->config->services->pdata[i];
		if (service->ip == NULL || service->port == 0)
			continue;
		char *address = g_strdup_printf("%s %s port %d",
			service->protocol == CONFIG_UDP ? "udp" : "tcp", service->ip,
			(int)service->port);
		const char *other = g_hash_table_lookup(taken, address);
		if (other != NULL) {
			g_autofree char *what =
				g_strdup_printf("%s is that of [%s] already", address, other);
			add_error(reader, service->name, "ip", what);
			g_free(address);
			continue;
		}
		g_hash_table_insert(taken, address, service->name);
	}
}

static void clear_by_table(ConfigScope scope, void *base)
{
	for (const ConfigKey *key = config_keys(); key->name != NULL; key++)
		if (key->scope == scope)
			config_value_clear(key, base);
}

static void service_free(ConfigService *service)
{
	clear_by_table(CONFIG_SCOPE_SERVICE, service);
	g_free(service->name);
	g_free(service);
}

static void read_services(Reader *reader)
{
	const char *const *sections = ini_sections(reader->ini);
	for (; *sections != NULL; sections++) {
		if (strcmp(*sections, "global") == 0)
			continue;
		ConfigService *service = g_new0(ConfigService, 1);
		service->name = g_strdup(*sections);
		g_ptr_array_add(reader->config->services, service);
		guint errors = reader->config->errors->len;
		read_section(reader, *sections, CONFIG_SCOPE_SERVICE, service);
		check_service(reader, service, reader->config->errors->len == errors);
	}
	check_addresses(reader);
	if (reader->config->services->len == 0)
		add_problem(reader->config->warnings,
			g_strdup_printf(
				"%s: no service: there is nothing to balance", reader->name));
}

Config *config_parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	g_autoptr(Ini) ini = ini_parse(name, text, size_bytes, error);
	if (ini == NULL)
		return NULL;
	Config *config = g_new0(Config, 1);
	config->services = g_ptr_array_new_with_free_func((GDestroyNotify)service_free);
	config->errors = g_ptr_array_new_with_free_func(g_free);
	config->warnings = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) referenced = find_references(text, size_bytes);
	Reader reader = {config, ini, name, referenced};
	check_defaults(&reader);
	read_section(&reader, "global", CONFIG_SCOPE_GLOBAL, &config->global);
	read_services(&reader);
	config->ini = g_steal_pointer(&ini);
	return config;
}

/* As the file spells it; a key that is not there stands nowhere in the file. */
static void add_later(const Config *config, GPtrArray *problems, const ConfigService *service,
	const char *key, const char *what)
{
	const char *section = service != NULL ? service->name : "global";
	g_autofree const char **names = ini_keys(config->ini, section);
	const char *spelled = key;
	for (gsize i = 0; names[i] != NULL; i++) {
		g_autofree char *spelling = config_spelling(names[i]);
		if (strcmp(spelling, key) == 0)
			spelled = names[i];
	}
	g_autofree char *where = ini_where(config->ini, section, spelled);
	add_problem(problems, g_strdup_printf("%s: [%s] %s: %s", where, section, spelled, what));
}

void config_add_error(
	Config *config, const ConfigService *service, const char *key, const char *what)
{
	add_later(config, config->errors, service, key, what);
}

void config_add_warning(
	Config *config, const ConfigService *service, const char *key, const char *what)
{
	add_later(config, config->warnings, service, key, what);
}

Config *config_load(const char *path, GError **error)
{
	gsize size_bytes = 0;
	g_autofree char *text = file_read(path, INI_MAXIMUM_BYTES, &size_bytes, error);
	return text != NULL ? config_parse(path, text, size_bytes, error) : NULL;
}

void config_free(Config *config)
{
	if (config == NULL)
		return;
	clear_by_table(CONFIG_SCOPE_GLOBAL, &config->global);
	g_ptr_array_unref(config->services);
	g_ptr_array_unref(config->errors);
	g_ptr_array_unref(config->warnings);
	ini_free(config->ini);
	g_free(config);
}

gboolean config_has_status(const ConfigStatuses *statuses, guint status)
{
	return status <= CONFIG_MAXIMUM_STATUS &&
	       (statuses->bits[status / 64] >> (status % 64)) & 1;
}

PoolPolicy config_pool_policy(const ConfigService *service)
{
	return (PoolPolicy){
		.threshold = service->depool_threshold,
		.rise = (guint)service->rise,
		.fall = (guint)service->fall,
		.pessimistic = service->start == CONFIG_PESSIMISTIC,
		.slow_start_ms = service->slow_start_ms,
		.monitors = (const char *const *)service->monitors,
	};
}
