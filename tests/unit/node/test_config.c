/* SPDX-License-Identifier: ISC
 *
 * A node's configuration: what the shortest means, what all keys mean, and how each mistake is
 * said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/file.h"
#include "node/config.h"

#define SHORT "[web]\nsources = /mnt/releases\n"

static NodeConfig *read_config(const char *text)
{
	g_autoptr(GError) error = NULL;
	NodeConfig *config = node_config_parse("node.conf", text, strlen(text), &error);
	if (config == NULL)
		fail_msg("%s", error->message);
	return config;
}

static void assert_refused(const char *text, DroverErrorCode code, const char *message)
{
	g_autoptr(GError) error = NULL;
	assert_null(node_config_parse("node.conf", text, strlen(text), &error));
	assert_string_equal(error->message, message);
	assert_true(drover_error_is(error, code));
}

static void test_the_shortest_configuration_has_defaults(void **state)
{
	g_autoptr(NodeConfig) config = read_config(SHORT);
	assert_string_equal(config->name, g_get_host_name());
	assert_null(config->server);
	assert_string_equal(config->state, "/var/lib/drover-node");
	assert_string_equal(config->token_file, "/var/lib/drover-node/token");
	assert_int_equal(config->products->len, 1);
	const NodeProduct *web = node_config_product(config, "web", NULL);
	assert_string_equal(web->prefix, "/srv/web");
	assert_string_equal(web->sources[0], "/mnt/releases");
	assert_null(web->sources[1]);
	assert_string_equal(web->keys, "/etc/drover/keys/web");
	assert_int_equal(web->keep, 3);
	assert_null(web->run);
	assert_null(web->listen);
	assert_int_equal(web->readiness, NODE_READINESS_NOTIFY);
	assert_int_equal(web->hook_timeout_s, 60);
	assert_int_equal(web->ready_timeout_s, 60);
	assert_int_equal(web->drain_timeout_s, 30);
	assert_null(web->health);
	assert_int_equal(web->health_timeout_s, 60);
	assert_string_equal(web->retry_header, "Retry-After");
	assert_string_equal(web->backoff_header, "X-Weave-Backoff");
	assert_string_equal(web->maintenance_header, "X-Weave-Maintenance");
	assert_string_equal(web->health_path, "/health");
}

static void test_every_key_is_read(void **state)
{
	g_autoptr(NodeConfig) config =
		read_config("[node]\n"
			    "name = web7\n"
			    "server = https://drover.example.org:8461\n"
			    "ca-file = /etc/drover/ca.pem\n"
			    "token-file = /etc/drover/token\n"
			    "state = /var/lib/d\n"
			    "[web]\n"
			    "prefix = /srv/www\n"
			    "sources = https://a.example.org/releases\n"
			    "    http://b.example.org:8460/releases /mnt/usb\n"
			    "ca-file = /etc/drover/mirrors.pem\n"
			    "keys = /etc/drover/keys\n"
			    "keep = 0\n"
			    "before-switch = ./migrate --up\n"
			    "after-switch = rm -rf tmp/*\n"
			    "hook-timeout = 5min\n"
			    "run = ./bin/web --workers 4\n"
			    "listen = 0.0.0.0:80 [::]:80 /run/web.sock\n"
			    "readiness = forward\n"
			    "forward-to = 127.0.0.1:0\n"
			    "user = www\n"
			    "group = www-data\n"
			    "ready-timeout = 10s\n"
			    "drain-timeout = 1h\n"
			    "health = http://127.0.0.1/alive\n"
			    "health-timeout = 90\n"
			    "retry-header = Retry\n"
			    "backoff-header = Backoff\n"
			    "maintenance-header = Maintenance\n"
			    "health-path = /alive\n"
			    "page = /etc/drover/away.html\n"
			    "[mail]\n"
			    "sources = /mnt/usb\n"
			    "restart = kill -HUP $(cat /run/mail.pid)\n");
	assert_string_equal(config->name, "web7");
	assert_string_equal(config->server, "https://drover.example.org:8461");
	assert_string_equal(config->ca_file, "/etc/drover/ca.pem");
	assert_string_equal(config->token_file, "/etc/drover/token");
	assert_string_equal(config->state, "/var/lib/d");
	const NodeProduct *web = node_config_product(config, "web", NULL);
	assert_string_equal(web->prefix, "/srv/www");
	assert_int_equal(g_strv_length(web->sources), 3);
	assert_string_equal(web->sources[2], "/mnt/usb");
	assert_string_equal(web->ca_file, "/etc/drover/mirrors.pem");
	assert_string_equal(web->keys, "/etc/drover/keys");
	assert_int_equal(web->keep, 0);
	assert_string_equal(web->before_switch, "./migrate --up");
	assert_string_equal(web->after_switch, "rm -rf tmp/*");
	assert_int_equal(web->hook_timeout_s, 300);
	assert_string_equal(web->run, "./bin/web --workers 4");
	assert_int_equal(g_strv_length(web->listen), 3);
	assert_string_equal(web->listen[1], "[::]:80");
	assert_int_equal(web->readiness, NODE_READINESS_FORWARD);
	assert_string_equal(web->forward_to, "127.0.0.1:0");
	assert_string_equal(web->user, "www");
	assert_string_equal(web->group, "www-data");
	assert_int_equal(web->ready_timeout_s, 10);
	assert_int_equal(web->drain_timeout_s, 3600);
	assert_string_equal(web->health, "http://127.0.0.1/alive");
	assert_int_equal(web->health_timeout_s, 90);
	assert_string_equal(web->retry_header, "Retry");
	assert_string_equal(web->backoff_header, "Backoff");
	assert_string_equal(web->maintenance_header, "Maintenance");
	assert_string_equal(web->health_path, "/alive");
	assert_string_equal(web->page, "/etc/drover/away.html");
	const NodeProduct *mail = node_config_product(config, "mail", NULL);
	assert_string_equal(mail->restart, "kill -HUP $(cat /run/mail.pid)");
}

static void test_an_unknown_product_names_those_there_are(void **state)
{
	g_autoptr(NodeConfig) config = read_config(SHORT "[mail]\nsources = /mnt\n");
	g_autoptr(GError) error = NULL;
	assert_null(node_config_product(config, "wiki", &error));
	assert_string_equal(error->message, "no product wiki in node.conf, which has web, mail");
	assert_true(drover_error_is(error, DROVER_ERROR_NOT_FOUND));
}

/* A line under "[web]\nsources = /mnt/releases\n", and what is said of it. */
static const struct {
	const char *line, *message;
} mistakes[] = {
	{"prefx = /srv", "node.conf:3:1: [web] prefx: unknown key"},
	{"server = https://d", "node.conf:3:1: [web] server: unknown key"},
	{"prefix = srv/web",
		"node.conf:3:10: [web] prefix: \"srv/web\" should be an absolute path without "
		"\"..\", and not / itself"},
	{"prefix = //",
		"node.conf:3:10: [web] prefix: \"//\" should be an absolute path without \"..\", "
		"and not / itself"},
	{"prefix = /srv/../etc",
		"node.conf:3:10: [web] prefix: \"/srv/../etc\" should be an absolute path without "
		"\"..\", and not / itself"},
	{"keep = 101", "node.conf:3:8: [web] keep: \"101\" should be a whole number from 0 to 100"},
	{"hook-timeout = 0",
		"node.conf:3:16: [web] hook-timeout: \"0\" should be from 1 second to a day"},
	{"health-timeout = 86401",
		"node.conf:3:18: [web] health-timeout: \"86401\" should be from 1 second to a day"},
	{"health = https://127.0.0.1/",
		"node.conf:3:10: [web] health: \"https://127.0.0.1/\" should be a command or "
		"http://HOST:PORT/PATH"},
	{"retry-header = Retry After",
		"node.conf:3:16: [web] retry-header: \"Retry After\" should be the name of a field "
		"of HTTP"},
	{"health-path = health",
		"node.conf:3:15: [web] health-path: \"health\" should be a path of a URL, which "
		"begins with /"},
	{"run = a\nlisten = localhost:80",
		"node.conf:4:10: [web] listen: \"localhost:80\" should be ADDRESS:PORT, "
		"[IPv6]:PORT (addresses in numbers) or the /path of a UNIX socket"},
	{"run = a\nlisten = 127.0.0.1:65536",
		"node.conf:4:10: [web] listen: \"127.0.0.1:65536\" should be ADDRESS:PORT, "
		"[IPv6]:PORT (addresses in numbers) or the /path of a UNIX socket"},
	{"run = a\nreadiness = soon",
		"node.conf:4:13: [web] readiness: \"soon\" should be notify, verify or forward"},
	{"run = a\nreadiness = forward",
		"node.conf:4:13: [web] readiness: forward needs forward-to, where the service "
		"listens"},
	{"run = a\nforward-to = 127.0.0.1:80",
		"node.conf:4:14: [web] forward-to: means something only with readiness = forward"},
	{"run = a\nreadiness = forward\nforward-to = example.org:80",
		"node.conf:5:14: [web] forward-to: \"example.org:80\" should be ADDRESS:PORT or "
		"[IPv6]:PORT, the address in numbers"},
	{"listen = 127.0.0.1:80", "node.conf:3:10: [web] listen: means something only with run"},
	{"unit = web.service\nrun = ./web",
		"node.conf:4:7: [web] run: there is unit already: a service is made to run in one "
		"way"},
	{"[node]\nserver = http://drover.example.org",
		"node.conf:4:10: [node] server: \"http://drover.example.org\" should be "
		"https://HOST:PORT (http:// only to 127.0.0.1, [::1] or localhost: the token would "
		"be read on its way)"},
	{"[node]\nserver = http://localhost.example.org",
		"node.conf:4:10: [node] server: \"http://localhost.example.org\" should be "
		"https://HOST:PORT (http:// only to 127.0.0.1, [::1] or localhost: the token would "
		"be read on its way)"},
	{"[mail]\nprefix = /srv/mail",
		"node.conf: [mail] sources: missing: where are its releases? "
		"http(s)://… or a folder"},
	{"[mail]\nsources = ftp://example.org/",
		"node.conf:4:11: [mail] sources: \"ftp://example.org/\" should be http://…, "
		"https://… or an absolute folder"},
	{"[mail]\nsources = /mnt\nprefix = /srv/web/mail",
		"node.conf:5:10: [mail] prefix: /srv/web/mail and /srv/web of web lie in one "
		"another: each product needs a folder of its own"},
};

static void test_a_mistake_names_file_line_section_and_key(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		g_autofree char *text = g_strdup_printf(SHORT "%s\n", mistakes[i].line);
		assert_refused(text, DROVER_ERROR_INPUT, mistakes[i].message);
	}
}

static void test_a_product_is_named_as_its_folders_can_be(void **state)
{
	g_autoptr(GError) error = NULL;
	const char text[] = "[../etc]\nsources = /mnt\n";
	assert_null(node_config_parse("node.conf", text, strlen(text), &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_true(g_str_has_prefix(error->message, "node.conf: "));
}

static void assert_too_many(const char *head, const char *word, int allowed, const char *said)
{
	g_autoptr(GString) text = g_string_new(head);
	for (int i = 0; i < allowed; i++)
		g_string_append(text, word);
	g_autoptr(NodeConfig) full = read_config(text->str);
	assert_non_null(full);
	g_string_append(text, word);
	assert_refused(text->str, DROVER_ERROR_INPUT, said);
}

static void test_lists_are_bounded(void **state)
{
	assert_too_many("[web]\nsources =", " /mnt", NODE_MAXIMUM_SOURCES,
		"node.conf:2:11: [web] sources: more than 10 are named");
	assert_too_many(SHORT "run = a\nlisten =", " [::1]:80", NODE_MAXIMUM_LISTENS,
		"node.conf:4:10: [web] listen: more than 16 are named");
}

static void test_products_and_the_files_size_are_bounded(void **state)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 0; i < NODE_MAXIMUM_PRODUCTS; i++)
		g_string_append_printf(text, "[p%d]\nsources = /mnt\n", i);
	g_autoptr(NodeConfig) full = read_config(text->str);
	assert_int_equal(full->products->len, NODE_MAXIMUM_PRODUCTS);
	g_string_append(text, "[more]\nsources = /mnt\n");
	assert_refused(text->str, DROVER_ERROR_TOO_LARGE, "node.conf: more than 50 products");

	g_string_assign(text, SHORT);
	while (text->len <= NODE_MAXIMUM_FILE_BYTES)
		g_string_append(text, "# again and again and again\n");
	assert_refused(text->str, DROVER_ERROR_TOO_LARGE,
		"node.conf is larger than the 1048576 bytes allowed");
}

static void test_a_file_that_is_not_there_is_said(void **state)
{
	g_autoptr(GError) error = NULL;
	assert_null(node_config_load("/nowhere/node.conf", &error));
	assert_true(drover_error_is(error, DROVER_ERROR_NOT_FOUND));
}

/* Rows are "| `prefix` | `/srv/PRODUCT` | …": the key, and what holds when nothing is said. */
static void test_the_manual_has_every_key_with_its_default(void **state)
{
	g_autofree char *path =
		g_build_filename(g_getenv("DROVER_SOURCE"), "docs", "node.md", NULL);
	g_autofree char *manual = file_read(path, NODE_MAXIMUM_FILE_BYTES, NULL, NULL);
	assert_non_null(manual);
	const char *products = strstr(manual, "\n### A product\n");
	assert_non_null(products);
	guint count = 0;
	for (const NodeKey *key = node_config_keys(); key->name != NULL; key++, count++) {
		g_autofree char *row = g_strdup_printf("\n| `%s` | %s%s%s", key->name,
			key->fallback != NULL ? "`" : "",
			key->fallback != NULL ? key->fallback : "",
			key->fallback != NULL ? "` | " : "");
		const char *found = strstr(key->is_of_product ? products : manual, row);
		if (found == NULL || (!key->is_of_product && found > products))
			fail_msg("no row %s", row);
	}
	assert_int_equal(count, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_shortest_configuration_has_defaults),
		cmocka_unit_test(test_every_key_is_read),
		cmocka_unit_test(test_an_unknown_product_names_those_there_are),
		cmocka_unit_test(test_a_mistake_names_file_line_section_and_key),
		cmocka_unit_test(test_a_product_is_named_as_its_folders_can_be),
		cmocka_unit_test(test_lists_are_bounded),
		cmocka_unit_test(test_products_and_the_files_size_are_bounded),
		cmocka_unit_test(test_a_file_that_is_not_there_is_said),
		cmocka_unit_test(test_the_manual_has_every_key_with_its_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
