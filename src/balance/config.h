/* SPDX-License-Identifier: ISC
 *
 * The configuration of drover-lvs: PyBal's, with keys of our own. Reading says everything that is
 * wrong at once, with file, line, key and what is allowed. What keys there are stands in one table,
 * config_keys(), that feeds the reader, `check-config` and the manual. Pure but for config_load().
 * Rules: docs/balance.md, "Configuration".
 */
#ifndef BALANCE_CONFIG_H
#define BALANCE_CONFIG_H

#include <glib.h>
#include "balance/pool.h"

#define CONFIG_MAXIMUM_PROBLEMS 100 /* told one by one, of errors and of warnings */
#define CONFIG_MAXIMUM_PARTS	256 /* in the list of one value */
#define CONFIG_MAXIMUM_STATUS	999

/* In the order of the words in the table. */
typedef enum ConfigProtocol { CONFIG_TCP, CONFIG_UDP } ConfigProtocol;
typedef enum ConfigForward { CONFIG_DR, CONFIG_TUNNEL, CONFIG_MASQUERADE } ConfigForward;
typedef enum ConfigStart { CONFIG_OPTIMISTIC, CONFIG_PESSIMISTIC } ConfigStart;
typedef enum ConfigMonitor {
	CONFIG_PROXYFETCH,
	CONFIG_IDLECONNECTION,
	CONFIG_DNSQUERY,
	CONFIG_UDP_CHECK,
	CONFIG_RUNCOMMAND,
	CONFIG_TCP_CHECK,
	CONFIG_SMTP,
	CONFIG_GRPC,
	CONFIG_MONITORS, /* how many there are */
} ConfigMonitor;

/* HTTP statuses, a bit each. */
typedef struct ConfigStatuses {
	guint64 bits[CONFIG_MAXIMUM_STATUS / 64 + 1];
} ConfigStatuses;

/* [global]. Words are their number in the table's list of words; times are milliseconds. */
typedef struct ConfigGlobal {
	gboolean bgp, dry_run, instrumentation;
	char **instrumentation_ips;
	gint64 instrumentation_port, max_checks, own;
	char *droverd_token_file, *droverd_ca_file, *list_ca_file; /* NULL: none */
	gboolean droverd_plain;
} ConfigGlobal;

typedef struct ConfigService {
	char *name; /* of its section */
	gint64 protocol, port, scheduler, forward, start;
	char *ip, *config;
	Threshold depool_threshold;
	char **monitors; /* as ConfigMonitor calls them, each once: "ProxyFetch" */
	gint64 rise, fall, announce_min;
	gint64 slow_start_ms, drain_timeout_ms, persistence_ms; /* 0: off */
	gboolean allow_empty, list_guard, bgp;
	struct {
		char **urls, *body_regex;
		ConfigStatuses statuses;
		gboolean check_all, verify;
		gint64 max_failures, timeout_ms, interval_ms;
	} proxyfetch;
	struct {
		gint64 max_delay_ms, timeout_clean_reconnect_ms;
	} idleconnection;
	struct {
		char **hostnames;
		gint64 type, timeout_ms, interval_ms;
		gboolean fail_on_nxdomain;
	} dnsquery;
	struct {
		char *payload, *expect;
		gint64 timeout_ms, interval_ms;
	} udp;
	struct {
		char *command, **arguments; /* "\1host" and "\1ip" stand for server.host, .ip */
		gint64 timeout_ms, interval_ms;
		gboolean log_output;
	} runcommand;
	struct {
		gint64 timeout_ms, interval_ms;
	} tcp, smtp;
	struct {
		char *service;
		gint64 timeout_ms, interval_ms;
		gboolean tls;
	} grpc;
} ConfigService;

#define CONFIG_SERVER_HOST "\1host" /* among the arguments of RunCommand */
#define CONFIG_SERVER_IP   "\1ip"

typedef struct Config {
	ConfigGlobal global;
	GPtrArray *services; /* ConfigService *, in the order of the file */
	GPtrArray *errors;   /* char *: with any of them the configuration must not be used */
	GPtrArray *warnings; /* char * */
	struct Ini *ini;     /* as the file has it, for the places of errors */
} Config;

/* Fails with DROVER_ERROR_INPUT when the file is no INI at all; everything else stands in errors
 * and warnings. `name` is the file's name in them. */
Config *config_parse(const char *name, const char *text, gsize size_bytes, GError **error);
Config *config_load(const char *path, GError **error);
void config_free(Config *config);
/* One more error, or warning, about a service's key, or one of [global] (`service` NULL). */
void config_add_error(
	Config *config, const ConfigService *service, const char *key, const char *what);
void config_add_warning(
	Config *config, const ConfigService *service, const char *key, const char *what);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

gboolean config_has_status(const ConfigStatuses *statuses, guint status);
/* The service's policy for its pool; its monitors are borrowed from `service`. */
PoolPolicy config_pool_policy(const ConfigService *service);

/* The table. */
typedef enum ConfigType {
	CONFIG_TYPE_TEXT,
	CONFIG_TYPE_WORD,    /* one of `words`; gint64: its number */
	CONFIG_TYPE_BOOLEAN, /* gboolean */
	CONFIG_TYPE_INTEGER, /* from `minimum` to `maximum`; gint64 */
	CONFIG_TYPE_SECONDS, /* the same, in milliseconds; "no" is 0 where that is the minimum */
	CONFIG_TYPE_THRESHOLD,
	CONFIG_TYPE_ADDRESS,	/* char *, IPv4 or IPv6, in its usual spelling */
	CONFIG_TYPE_ADDRESSES,	/* char ** */
	CONFIG_TYPE_LIST_URL,	/* char *: where the server list is */
	CONFIG_TYPE_URLS,	/* char **, of http and https */
	CONFIG_TYPE_MONITORS,	/* char ** */
	CONFIG_TYPE_TEXTS,	/* char ** */
	CONFIG_TYPE_ARGUMENTS,	/* char **, may hold server.host and server.ip */
	CONFIG_TYPE_STATUSES,	/* ConfigStatuses */
	CONFIG_TYPE_WITHOUT_USE /* read by PyBal, without use here: warned about, kept nowhere */
} ConfigType;

typedef enum ConfigScope { CONFIG_SCOPE_GLOBAL, CONFIG_SCOPE_SERVICE } ConfigScope;

typedef struct ConfigKey {
	ConfigScope scope;
	const char *name; /* with hyphens: "proxyfetch.check-all" */
	ConfigType type;
	gsize offset; /* in ConfigGlobal or ConfigService */
	gint64 minimum, maximum;
	const char *const *words;
	const char *fallback; /* as it would be written; NULL: none, nothing or 0 */
	gboolean required;
	const char *summary;
} ConfigKey;

/* Ends with a NULL name. */
const ConfigKey *config_keys(void);
/* `name` in any spelling: hyphens or underscores, any case. NULL when there is none. */
const ConfigKey *config_find_key(ConfigScope scope, const char *name);
/* In hyphens and lower case. Caller frees. */
char *config_spelling(const char *name);
/* "from 1 to 65535": what a value may be. Caller frees. */
char *config_allowed(const ConfigKey *key);
/* "ProxyFetch" and so on, NULL-terminated, in the order of ConfigMonitor. */
const char *const *config_monitor_names(void);

#endif
