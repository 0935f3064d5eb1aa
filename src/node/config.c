/* SPDX-License-Identifier: ISC
 *
 * What a node's configuration says, by one table of keys (docs/node.md, "The configuration"). A
 * value is checked where it is read, so that nothing else has to doubt it; what only several keys
 * together can get wrong is checked at the end of a product.
 */
#include "node/config.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/format.h"
#include "base/ini.h"
#include "release/manifest.h"

#define NODE_SECTION "node"

#define OF_NODE(name, type, field, fallback)                                                       \
	{                                                                                          \
		FALSE, name, NODE_KEY_##type, offsetof(NodeConfig, field), fallback                \
	}
#define OF_PRODUCT(name, type, field, fallback)                                                    \
	{                                                                                          \
		TRUE, name, NODE_KEY_##type, offsetof(NodeProduct, field), fallback                \
	}

static const NodeKey keys[] = {
	OF_NODE("name", TEXT, name, NULL),
	OF_NODE("server", SERVER, server, NULL),
	OF_NODE("ca-file", PATH, ca_file, NULL),
	OF_NODE("token-file", PATH, token_file, NULL),
	OF_NODE("state", PATH, state, "/var/lib/drover-node"),

	OF_PRODUCT("prefix", PATH, prefix, "/srv/PRODUCT"),
	OF_PRODUCT("sources", SOURCES, sources, NULL),
	OF_PRODUCT("ca-file", PATH, ca_file, NULL),
	OF_PRODUCT("keys", PATH, keys, "/etc/drover/keys/PRODUCT"),
	OF_PRODUCT("keep", NUMBER, keep, "3"),
	OF_PRODUCT("before-switch", TEXT, before_switch, NULL),
	OF_PRODUCT("after-switch", TEXT, after_switch, NULL),
	OF_PRODUCT("hook-timeout", DURATION, hook_timeout_s, "60s"),
	OF_PRODUCT("unit", TEXT, unit, NULL),
	OF_PRODUCT("restart", TEXT, restart, NULL),
	OF_PRODUCT("run", TEXT, run, NULL),
	OF_PRODUCT("listen", LISTENS, listen, NULL),
	OF_PRODUCT("readiness", READINESS, readiness, "notify"),
	OF_PRODUCT("forward-to", ADDRESS, forward_to, NULL),
	OF_PRODUCT("user", TEXT, user, NULL),
	OF_PRODUCT("group", TEXT, group, NULL),
	OF_PRODUCT("ready-timeout", DURATION, ready_timeout_s, "60s"),
	OF_PRODUCT("drain-timeout", DURATION, drain_timeout_s, "30s"),
	OF_PRODUCT("health", HEALTH, health, NULL),
	OF_PRODUCT("health-timeout", DURATION, health_timeout_s, "60s"),
	OF_PRODUCT("retry-header", HEADER, retry_header, "Retry-After"),
	OF_PRODUCT("backoff-header", HEADER, backoff_header, "X-Weave-Backoff"),
	OF_PRODUCT("maintenance-header", HEADER, maintenance_header, "X-Weave-Maintenance"),
	OF_PRODUCT("health-path", URL_PATH, health_path, "/health"),
	OF_PRODUCT("page", PATH, page, NULL),
	{0},
};

const NodeKey *node_config_keys(void)
{
	return keys;
}

/* values --------------------------------------------------------------------------------------- */

static gboolean refuse(GError **error, const char *text, const char *allowed)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "\"%.200s\" should be %s", text, allowed);
	return FALSE;
}

/* No control characters and no blanks: what is part of a line, a path or a request. */
static gboolean is_one_word(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (g_ascii_iscntrl(*c) || *c == ' ')
			return FALSE;
	return *text != '\0';
}

static gboolean check_path(const char *text, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(text, "/", -1);
	gboolean climbs = g_strv_contains((const char *const *)parts, "..");
	for (const char *c = text; *c != '\0'; c++)
		climbs = climbs || g_ascii_iscntrl(*c);
	if (*text == '/' && text[strspn(text, "/")] != '\0' && !climbs)
		return TRUE;
	return refuse(error, text, "an absolute path without \"..\", and not / itself");
}

static gboolean is_url(const char *text, const char *scheme)
{
	return g_str_has_prefix(text, scheme) && is_one_word(text) &&
	       strchr("/:?#", text[strlen(scheme)]) == NULL;
}

static gboolean check_server(const char *text, GError **error)
{
	static const char *const here[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};
	if (is_url(text, "https://"))
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(here); i++)
		if (g_str_has_prefix(text, here[i]) && is_one_word(text) &&
			strchr("/:", text[strlen(here[i])]) != NULL)
			return TRUE;
	return refuse(error, text,
		"https://HOST:PORT (http:// only to 127.0.0.1, [::1] or localhost: the token would "
		"be read on its way)");
}

static gboolean check_source(const char *text, GError **error)
{
	if (is_url(text, "http://") || is_url(text, "https://"))
		return TRUE;
	if (*text == '/')
		return check_path(text, error);
	return refuse(error, text, "http://…, https://… or an absolute folder");
}

static gboolean is_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	gint64 port;
	if (colon == NULL || !parse_integer(colon + 1, "port", 0, 65535, &port, NULL))
		return FALSE;
	g_autofree char *host = g_strndup(text, (gsize)(colon - text));
	gsize length = strlen(host);
	struct in6_addr six;
	struct in_addr four;
	if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		return inet_pton(AF_INET6, host + 1, &six) == 1;
	}
	return inet_pton(AF_INET, host, &four) == 1;
}

static gboolean check_address(const char *text, GError **error)
{
	return is_address(text) ||
	       refuse(error, text, "ADDRESS:PORT or [IPv6]:PORT, the address in numbers");
}

static gboolean check_listen(const char *text, GError **error)
{
	struct sockaddr_un local;
	if (*text != '/')
		return is_address(text) || refuse(error, text,
						   "ADDRESS:PORT, [IPv6]:PORT (addresses in "
						   "numbers) or the /path of a UNIX socket");
	if (strlen(text) >= sizeof local.sun_path)
		return refuse(error, text, "at most 107 bytes long");
	return check_path(text, error);
}

static gboolean check_health(const char *text, GError **error)
{
	if (!g_str_has_prefix(text, "https:") && !g_str_has_prefix(text, "http:"))
		return TRUE;
	return is_url(text, "http://") || refuse(error, text, "a command or http://HOST:PORT/PATH");
}

static gboolean check_header(const char *text, GError **error)
{
	for (const char *c = text; *c != '\0'; c++)
		if (!g_ascii_isalnum(*c) && strchr("!#$%&'*+-.^_`|~", *c) == NULL)
			return refuse(error, text, "the name of a field of HTTP");
	return TRUE;
}

static gboolean check_url_path(const char *text, GError **error)
{
	return (*text == '/' && is_one_word(text)) ||
	       refuse(error, text, "a path of a URL, which begins with /");
}

static gboolean read_readiness(const char *text, NodeReadiness *readiness, GError **error)
{
	static const char *const words[] = {"notify", "verify", "forward"};
	for (guint i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*readiness = (NodeReadiness)i;
			return TRUE;
		}
	return refuse(error, text, "notify, verify or forward");
}

static gboolean read_words(const char *text, guint maximum,
	gboolean (*check)(const char *word, GError **error), char ***words, GError **error)
{
	g_auto(GStrv) parts = g_strsplit_set(text, " \t\r\n", -1);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	guint count = 0;
	for (char **part = parts; *part != NULL; part++) {
		if (**part == '\0')
			continue;
		if (!check(*part, error))
			return FALSE;
		if (++count > maximum) {
			drover_error_set(
				error, DROVER_ERROR_TOO_LARGE, "more than %u are named", maximum);
			return FALSE;
		}
		g_strv_builder_add(builder, *part);
	}
	g_strfreev(*words);
	*words = g_strv_builder_end(builder);
	return TRUE;
}

static gboolean read_duration(const char *text, gint64 *seconds, GError **error)
{
	gint64 value;
	if (!parse_duration(text, &value, error))
		return FALSE;
	if (value < 1 || value > NODE_MAXIMUM_TIMEOUT_S)
		return refuse(error, text, "from 1 second to a day");
	*seconds = value;
	return TRUE;
}

static gboolean check_text(NodeKeyType type, const char *text, GError **error)
{
	switch (type) {
	case NODE_KEY_PATH:
		return check_path(text, error);
	case NODE_KEY_SERVER:
		return check_server(text, error);
	case NODE_KEY_ADDRESS:
		return check_address(text, error);
	case NODE_KEY_HEALTH:
		return check_health(text, error);
	case NODE_KEY_HEADER:
		return check_header(text, error);
	case NODE_KEY_URL_PATH:
		return check_url_path(text, error);
	default:
		return TRUE;
	}
}

/* Reads the value into its field of `base`. The error does not say where. */
static gboolean read_value(const NodeKey *key, const char *text, void *base, GError **error)
{
	void *field = (char *)base + key->offset;
	switch (key->type) {
	case NODE_KEY_NUMBER:
		return parse_integer(text, key->name, 0, NODE_MAXIMUM_KEEP, field, NULL) ||
		       refuse(error, text, "a whole number from 0 to 100");
	case NODE_KEY_DURATION:
		return read_duration(text, field, error);
	case NODE_KEY_READINESS:
		return read_readiness(text, field, error);
	case NODE_KEY_SOURCES:
		return read_words(text, NODE_MAXIMUM_SOURCES, check_source, field, error);
	case NODE_KEY_LISTENS:
		return read_words(text, NODE_MAXIMUM_LISTENS, check_listen, field, error);
	default:
		if (!check_text(key->type, text, error))
			return FALSE;
		g_free(*(char **)field);
		*(char **)field = g_strdup(text);
		return TRUE;
	}
}

static void clear_value(const NodeKey *key, void *base)
{
	void *field = (char *)base + key->offset;
	switch (key->type) {
	case NODE_KEY_NUMBER:
	case NODE_KEY_DURATION:
	case NODE_KEY_READINESS:
		return;
	case NODE_KEY_SOURCES:
	case NODE_KEY_LISTENS:
		g_clear_pointer((char ***)field, g_strfreev);
		return;
	default:
		g_clear_pointer((char **)field, g_free);
	}
}

/* sections ------------------------------------------------------------------------------------- */

static gboolean refuse_key(const Ini *ini, const char *section, const char *key, GError **error,
	const char *format, ...) G_GNUC_PRINTF(5, 6);

static gboolean refuse_key(const Ini *ini, const char *section, const char *key, GError **error,
	const char *format, ...)
{
	g_autofree char *where = ini_where(ini, section, key);
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	/* Of a key that is missing, ini_where() says which. */
	if (g_str_has_suffix(where, key))
		drover_error_set(error, DROVER_ERROR_INPUT, "%s: %s", where, what);
	else
		drover_error_set(
			error, DROVER_ERROR_INPUT, "%s: [%s] %s: %s", where, section, key, what);
	return FALSE;
}

/* `value` is what stands there; NULL: the table's. */
static gboolean read_key(
	const Ini *ini, const char *section, const NodeKey *key, void *base, GError **error)
{
	g_autofree char *text = NULL;
	if (!ini_get(ini, section, key->name, &text, error))
		return FALSE;
	if (text == NULL || *text == '\0') {
		if (key->fallback == NULL)
			return TRUE;
		g_autoptr(GString) fallback = g_string_new(key->fallback);
		g_string_replace(fallback, "PRODUCT", section, 0);
		return read_value(key, fallback->str, base, error);
	}
	g_autoptr(GError) fault = NULL;
	if (read_value(key, text, base, &fault))
		return TRUE;
	return refuse_key(ini, section, key->name, error, "%s", fault->message);
}

/* The places of those keys are said that belong to the section itself; a [DEFAULT] may have more.
 */
static gboolean check_known(const Ini *ini, GError **error)
{
	g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
	for (const char *const *section = ini_sections(ini); *section != NULL; section++)
		for (const NodeKey *key = keys; key->name != NULL; key++)
			if (key->is_of_product == (strcmp(*section, NODE_SECTION) != 0))
				g_ptr_array_add(known, g_strconcat(*section, ".", key->name, NULL));
	g_ptr_array_add(known, NULL);
	g_autoptr(GPtrArray) unknown = ini_unknown_keys(ini, (const char *const *)known->pdata);
	if (unknown->len == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "%s", (const char *)unknown->pdata[0]);
	return FALSE;
}

static gboolean read_section(
	const Ini *ini, const char *section, gboolean is_product, void *base, GError **error)
{
	for (const NodeKey *key = keys; key->name != NULL; key++)
		if (key->is_of_product == is_product && !read_key(ini, section, key, base, error))
			return FALSE;
	return TRUE;
}

/* products ------------------------------------------------------------------------------------- */

static void product_free(NodeProduct *product)
{
	for (const NodeKey *key = keys; key->name != NULL; key++)
		if (key->is_of_product)
			clear_value(key, product);
	g_free(product->name);
	g_free(product);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(NodeProduct, product_free)

static gboolean has_text(const Ini *ini, const char *section, const char *key)
{
	g_autofree char *text = NULL;
	return ini_get(ini, section, key, &text, NULL) && text != NULL && *text != '\0';
}

static gboolean check_one_way(const Ini *ini, const NodeProduct *product, GError **error)
{
	static const char *const ways[] = {"unit", "restart", "run"};
	const char *first = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
		if (!has_text(ini, product->name, ways[i]))
			continue;
		if (first != NULL)
			return refuse_key(ini, product->name, ways[i], error,
				"there is %s already: a service is made to run in one way", first);
		first = ways[i];
	}
	return TRUE;
}

/* What only a service under the holder has. */
static gboolean check_run(const Ini *ini, const NodeProduct *product, GError **error)
{
	static const char *const needs_run[] = {
		"listen", "readiness", "forward-to", "user", "group", "ready-timeout"};
	for (gsize i = 0; product->run == NULL && i < G_N_ELEMENTS(needs_run); i++)
		if (has_text(ini, product->name, needs_run[i]))
			return refuse_key(ini, product->name, needs_run[i], error,
				"means something only with run");
	gboolean forwards = product->readiness == NODE_READINESS_FORWARD;
	if (forwards && product->forward_to == NULL)
		return refuse_key(ini, product->name, "readiness", error,
			"forward needs forward-to, where the service listens");
	if (!forwards && product->forward_to != NULL)
		return refuse_key(ini, product->name, "forward-to", error,
			"means something only with readiness = forward");
	return TRUE;
}

static gboolean check_product(const Ini *ini, const NodeProduct *product, GError **error)
{
	if (product->sources == NULL || product->sources[0] == NULL)
		return refuse_key(ini, product->name, "sources", error,
			"missing: where are its releases? http(s)://… or a folder");
	return check_one_way(ini, product, error) && check_run(ini, product, error);
}

/* "/srv/web" and "/srv/web/"; and "/srv/web/x" is beneath it. */
static gboolean is_beneath(const char *path, const char *folder)
{
	g_autofree char *a = g_canonicalize_filename(path, "/");
	g_autofree char *b = g_canonicalize_filename(folder, "/");
	gsize length = strlen(b);
	return strncmp(a, b, length) == 0 && (a[length] == '\0' || a[length] == '/');
}

static gboolean check_prefixes(
	const Ini *ini, const NodeConfig *config, const NodeProduct *product, GError **error)
{
	for (guint i = 0; i < config->products->len; i++) {
		const NodeProduct *other = config->products->pdata[i];
		if (is_beneath(product->prefix, other->prefix) ||
			is_beneath(other->prefix, product->prefix))
			return refuse_key(ini, product->name, "prefix", error,
				"%s and %s of %s lie in one another: each product needs a folder "
				"of its own",
				product->prefix, other->prefix, other->name);
	}
	return TRUE;
}

static gboolean add_product(const Ini *ini, const char *name, NodeConfig *config, GError **error)
{
	g_autoptr(NodeProduct) product = g_new0(NodeProduct, 1);
	product->name = g_strdup(name);
	if (!manifest_check_name("section and product", name, error)) {
		g_prefix_error(error, "%s: ", config->path);
		return FALSE;
	}
	if (config->products->len == NODE_MAXIMUM_PRODUCTS) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE, "%s: more than %d products",
			config->path, NODE_MAXIMUM_PRODUCTS);
		return FALSE;
	}
	if (!read_section(ini, name, TRUE, product, error) || !check_product(ini, product, error) ||
		!check_prefixes(ini, config, product, error))
		return FALSE;
	g_ptr_array_add(config->products, g_steal_pointer(&product));
	return TRUE;
}

/* the whole ------------------------------------------------------------------------------------ */

static NodeConfig *config_new(const char *name)
{
	NodeConfig *config = g_new0(NodeConfig, 1);
	config->path = g_strdup(name);
	config->products = g_ptr_array_new_with_free_func((GDestroyNotify)product_free);
	return config;
}

void node_config_free(NodeConfig *config)
{
	if (config == NULL)
		return;
	for (const NodeKey *key = keys; key->name != NULL; key++)
		if (!key->is_of_product)
			clear_value(key, config);
	g_ptr_array_unref(config->products);
	g_free(config->path);
	g_free(config);
}

static void fill_in(NodeConfig *config)
{
	if (config->name == NULL)
		config->name = g_strdup(g_get_host_name());
	if (config->token_file == NULL)
		config->token_file = g_build_filename(config->state, "token", NULL);
}

NodeConfig *node_config_parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (size_bytes > NODE_MAXIMUM_FILE_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s is larger than the %d bytes allowed", name, NODE_MAXIMUM_FILE_BYTES);
		return NULL;
	}
	g_autoptr(Ini) ini = ini_parse(name, text, size_bytes, error);
	if (ini == NULL || !check_known(ini, error))
		return NULL;
	g_autoptr(NodeConfig) config = config_new(name);
	if (!read_section(ini, NODE_SECTION, FALSE, config, error))
		return NULL;
	for (const char *const *section = ini_sections(ini); *section != NULL; section++)
		if (strcmp(*section, NODE_SECTION) != 0 &&
			!add_product(ini, *section, config, error))
			return NULL;
	fill_in(config);
	return g_steal_pointer(&config);
}

/* Its commands run as whoever runs drover-node. */
static gboolean check_writable(const char *path, GError **error)
{
	struct stat status;
	if (stat(path, &status) != 0 || (status.st_mode & S_IWOTH) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_DENIED,
		"anybody can write to %s, and what it says is run by us. Look what it says, then: "
		"chmod o-w %s",
		path, path);
	return FALSE;
}

NodeConfig *node_config_load(const char *path, GError **error)
{
	gsize size_bytes;
	if (!check_writable(path, error))
		return NULL;
	g_autofree char *text = file_read(path, NODE_MAXIMUM_FILE_BYTES, &size_bytes, error);
	return text == NULL ? NULL : node_config_parse(path, text, size_bytes, error);
}

const NodeProduct *node_config_product(const NodeConfig *config, const char *name, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; i < config->products->len; i++) {
		const NodeProduct *product = config->products->pdata[i];
		if (strcmp(product->name, name) == 0)
			return product;
		g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", product->name);
	}
	drover_error_set(error, DROVER_ERROR_NOT_FOUND, "no product %s in %s, which has %s", name,
		config->path, names->len > 0 ? names->str : "none");
	return NULL;
}
