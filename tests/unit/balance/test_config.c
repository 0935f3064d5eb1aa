/* SPDX-License-Identifier: ISC
 *
 * The configuration: an old pybal.conf, and tables of what is good and bad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "balance/config.h"
#include "base/error.h"

static const char pybal_conf[] =
	"# PyBal, as it ran\n"
	"[DEFAULT]\n"
	"domain = example.org\n"
	"protocol = tcp\n"
	"\n"
	"[global]\n"
	"bgp = yes\n"
	"bgp-local-asn = 64600\n"
	"bgp-peer-address = 192.0.2.254\n"
	"dry-run = false\n"
	"instrumentation_ips = [ '127.0.0.1', '::1' ]\n"
	"\n"
	"[textlb]\n"
	"ip = 192.0.2.80\n"
	"port = 80\n"
	"scheduler = wrr\n"
	"config = file:///etc/pybal/%(site)s/text\n"
	"site = esams\n"
	"depool-threshold = .28\n"
	"monitors = [ 'ProxyFetch', 'IdleConnection',\n"
	"    'RunCommand' ]\n"
	"proxyfetch.url = [ 'http://en.%(domain)s/wiki/Main_Page%%20x',\n"
	"    'https://en.%(domain)s/' ]\n"
	"proxyfetch.http_status = 302\n"
	"proxyfetch.check_all = yes\n"
	"proxyfetch.max_failures = 1\n"
	"idleconnection.timeout-clean-reconnect = 3\n"
	"idleconnection.max-delay = 300\n"
	"runcommand.command = '/bin/sh'\n"
	"runcommand.arguments = [ '/etc/pybal/check-apache', server.host, 'x', server.ip ]\n"
	"runcommand.interval = 60\n"
	"\n"
	"[dns6]\n"
	"Protocol = udp\n"
	"ip = 2001:DB8:0::53\n"
	"port = 53\n"
	"scheduler = sh\n"
	"config = http://config.%(domain)s/dns.json\n"
	"monitors = [ 'DNSQuery' ]\n"
	"dnsquery.hostnames = [ 'en.wikipedia.org', 'www.google.com' ]\n"
	"dnsquery.fail-on-nxdomain = no\n"
	"rise = 2\n"
	"fall = 3\n"
	"slow-start = 2.5\n"
	"drain-timeout = 5min\n"
	"persistence = 360\n"
	"forward = masquerade\n";

static Config *read_config(const char *text)
{
	g_autoptr(GError) error = NULL;
	Config *config = config_parse("f", text, strlen(text), &error);
	g_assert_no_error(error);
	return config;
}

static void assert_list(char **list, const char *expected)
{
	g_autofree char *joined = g_strjoinv("|", list);
	assert_string_equal(joined, expected);
}

static void assert_statuses(const ConfigStatuses *statuses, const char *expected)
{
	g_autoptr(GString) shown = g_string_new(NULL);
	for (guint status = 0; status <= CONFIG_MAXIMUM_STATUS + 1; status++)
		if (config_has_status(statuses, status))
			g_string_append_printf(shown, "%s%u", shown->len > 0 ? " " : "", status);
	assert_string_equal(shown->str, expected);
}

static void test_an_old_pybal_conf_is_read(void **state)
{
	g_autoptr(Config) config = read_config(pybal_conf);
	for (guint i = 0; i < config->errors->len; i++)
		fail_msg("%s", (char *)config->errors->pdata[i]);
	assert_int_equal(config->warnings->len, 2);
	assert_string_equal(config->warnings->pdata[0],
		"f:8:17: [global] bgp-local-asn: has no use here: BIRD or FRR speaks BGP");
	assert_true(config->global.bgp);
	assert_false(config->global.dry_run);
	assert_list(config->global.instrumentation_ips, "127.0.0.1|::1");
	assert_int_equal(config->global.instrumentation_port, 9090);

	assert_int_equal(config->services->len, 2);
	const ConfigService *text = config->services->pdata[0], *dns = config->services->pdata[1];
	assert_string_equal(text->name, "textlb");
	assert_int_equal(text->protocol, CONFIG_TCP);
	assert_string_equal(text->config, "file:///etc/pybal/esams/text");
	assert_list(text->monitors, "ProxyFetch|IdleConnection|RunCommand");
	assert_list(text->proxyfetch.urls,
		"http://en.example.org/wiki/Main_Page%20x|https://en.example.org/");
	assert_statuses(&text->proxyfetch.statuses, "301 302 303");
	assert_true(text->proxyfetch.check_all);
	assert_int_equal(text->proxyfetch.max_failures, 1);
	assert_string_equal(text->runcommand.command, "/bin/sh");
	assert_list(text->runcommand.arguments,
		"/etc/pybal/check-apache|" CONFIG_SERVER_HOST "|x|" CONFIG_SERVER_IP);
	assert_int_equal(text->runcommand.interval_ms, 60000);
	PoolPolicy policy = config_pool_policy(text);
	assert_int_equal(threshold_needed(policy.threshold, 25), 7);

	assert_int_equal(dns->protocol, CONFIG_UDP);
	assert_string_equal(dns->ip, "2001:db8::53");
	assert_list(dns->dnsquery.hostnames, "en.wikipedia.org|www.google.com");
	assert_int_equal(dns->slow_start_ms, 2500);
	assert_int_equal(dns->drain_timeout_ms, 300000);
	assert_int_equal(dns->persistence_ms, 360000);
	assert_int_equal(dns->forward, CONFIG_MASQUERADE);
	policy = config_pool_policy(dns);
	assert_int_equal(policy.rise, 2);
	assert_int_equal(policy.fall, 3);
	assert_false(policy.pessimistic);
}

#define SERVICE                                                                                    \
	"[s]\nprotocol = tcp\nip = 192.0.2.1\nport = 80\nscheduler = rr\nconfig = file:///l\n"

static void test_defaults_are_pybals(void **state)
{
	g_autoptr(Config) config = read_config(SERVICE);
	const ConfigService *service = config->services->pdata[0];
	g_autofree char *threshold = threshold_text(service->depool_threshold);
	assert_string_equal(threshold, "0.5");
	assert_int_equal(service->rise, 1);
	assert_int_equal(service->fall, 1);
	assert_int_equal(service->slow_start_ms, 0);
	assert_int_equal(service->forward, CONFIG_DR);
	assert_true(service->list_guard);
	assert_false(service->allow_empty);
	assert_statuses(&service->proxyfetch.statuses, "200 201 202");
	assert_int_equal(service->proxyfetch.timeout_ms, 5000);
	assert_int_equal(service->proxyfetch.interval_ms, 10000);
	assert_true(service->proxyfetch.verify);
	assert_int_equal(service->idleconnection.max_delay_ms, 300000);
	assert_int_equal(service->idleconnection.timeout_clean_reconnect_ms, 3000);
	assert_int_equal(config->global.max_checks, 1000);
	assert_list(config->global.instrumentation_ips, "127.0.0.1");
	assert_null(config->global.droverd_token_file);
	assert_null(config->global.droverd_ca_file);
	assert_false(config->global.droverd_plain);
	assert_int_equal(config->warnings->len, 1); /* no monitors */
}

static void test_global_says_how_droverd_is_spoken_to(void **state)
{
	g_autoptr(Config) config = read_config("[global]\ndroverd-token-file = /etc/drover/token\n"
					       "droverd_ca_file = '/etc/drover/ca.pem'\n"
					       "droverd-plain = yes\n");
	assert_int_equal(config->errors->len, 0);
	assert_string_equal(config->global.droverd_token_file, "/etc/drover/token");
	assert_string_equal(config->global.droverd_ca_file, "/etc/drover/ca.pem");
	assert_true(config->global.droverd_plain);
}

static void test_a_bad_value_names_file_line_key_and_what_is_allowed(void **state)
{
	static const char *const pairs[][2] = {
		{"rise = 0", "f:7:8: [s] rise: must be a whole number from 1 to 1000, not 0"},
		{"rise = x", "f:7:8: [s] rise: must be a whole number"},
		{"rise =", "f:7:7: [s] rise: must be a whole number from 1 to 1000, not empty"},
		{"depool-threshold = 1.5",
			"f:7:20: [s] depool-threshold: must be a number from 0 to 1"},
		{"depool_threshold = '.5",
			"f:7:20: [s] depool_threshold: column 1: the text is not"},
		{"depool-threshold = .5\n  \x01x",
			"f:7:20: [s] depool-threshold: must be a number from 0 to 1 "
			"with at most 18 decimals, such as .5, not .5  x"},
		{"forward = nat",
			"f:7:11: [s] forward: must be one of dr, tunnel, masquerade, not nat"},
		{"start = []", "f:7:9: [s] start: must be one of optimistic, pessimistic, not []"},
		{"allow-empty = maybe", "f:7:15: [s] allow-empty: must be yes or no, not maybe"},
		{"slow-start = -1",
			"f:7:14: [s] slow-start: must be no, or seconds from 0 to 86400"},
		{"slow-start = 1.2.3", "f:7:14: [s] slow-start: must be no, or seconds"},
		{"slow-start = 90000", "f:7:14: [s] slow-start: must be no, or seconds"},
		{"proxyfetch.timeout = no",
			"f:7:22: [s] proxyfetch.timeout: must be seconds from 0.1"},
		{"monitors = [ 'Ping' ]", "f:7:12: [s] monitors: must be a list, each once, of "
					  "ProxyFetch, IdleConnection, DNSQuery, UDP, RunCommand, "
					  "TCP, SMTP, gRPC, not Ping"},
		{"monitors = TCP, TCP", "f:7:12: [s] monitors: must be a list, each once"},
		{"monitors = [ 'TCP'",
			"f:7:12: [s] monitors: column 1: the [ is not closed by a ]"},
		{"monitors = [ TCP ]", "f:7:12: [s] monitors: column 3: 'TCP' is a name"},
		{"monitors = ProxyFetch", "f:7:12: [s] monitors: ProxyFetch needs proxyfetch.url"},
		{"monitors = DNSQuery", "f:7:12: [s] monitors: DNSQuery needs dnsquery.hostnames"},
		{"monitors = RunCommand\nruncommand.command = true",
			"f:7:12: [s] monitors: RunCommand needs runcommand.command"},
		{"proxyfetch.url = ftp://x/", "f:7:18: [s] proxyfetch.url: must be http:// or"},
		{"proxyfetch.url = [ 'http://' ]",
			"f:7:18: [s] proxyfetch.url: must be http:// or"},
		{"proxyfetch.http-status = 99", "f:7:26: [s] proxyfetch.http-status: must be HTTP"},
		{"proxyfetch.http-status = 300-200", "f:7:26: [s] proxyfetch.http-status: must be"},
		{"proxyfetch.http-status = 1000",
			"f:7:26: [s] proxyfetch.http-status: must be HTTP"},
		{"runcommand.arguments = [ server.port ]",
			"f:7:24: [s] runcommand.arguments: column 3: 'server.port' is a name"},
		{"runcommand.arguments = [ '\\x01host' ]",
			"f:7:24: [s] runcommand.arguments: must be"},
		{"runcommand.arguments = [ [ 'a' ] ]", "f:7:24: [s] runcommand.arguments: must be"},
		{"udp.payload = ['a']\nudp.expect = 'a' 7",
			"f:8:14: [s] udp.expect: column 5: '7' after the value"},
		{"proxyfetch.check_all = yes\nproxyfetch.check-all = no",
			"f:8:24: [s] proxyfetch.check-all: is there as proxyfetch.check_all, too"},
		{"x = %(y)s\nrise = %(y)s", "f:8:8: [s] rise: %(y)s names no key"},
		{"[t]\nprotocol = tcp\nip = 192.0.2.1\nport = 80\nscheduler = rr\nconfig = "
		 "file:///l",
			"f:9:6: [t] ip: tcp 192.0.2.1 port 80 is that of [s] already"},
		{"[t]\nprotocol = tcp", "f: [t] ip is missing: its address"},
		{"[global]\nown = none", "f:8:7: [global] own: must be one of ours, all, not none"},
		{"[global]\ninstrumentation-ips = 127.0.0.300",
			"f:8:23: [global] instrumentation-ips: must be an IPv4 or IPv6 address"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *text = g_strconcat(SERVICE, pairs[i][0], "\n", NULL);
		g_autoptr(Config) config = read_config(text);
		const char *first =
			config->errors->len > 0 ? config->errors->pdata[0] : "no error at all";
		if (!g_str_has_prefix(first, pairs[i][1]))
			fail_msg("%s: %s", pairs[i][0], first);
	}
}

static void test_where_a_list_may_be(void **state)
{
	static const char *const good[] = {"file:///etc/l", "http://h/l", "https://h:8/l.json",
		"drover://h:8461/pools/web", "'file:///quoted'"};
	static const char *const bad[] = {"etcd://h/l", "k8s://h/l", "/etc/l", "file://etc",
		"file:///", "http://", "http:///l", "drover://h", "drover://h/pools/",
		"drover:///pools/a", "drover://h/pools/a/b", "http://h/a b", "ftp://h/l", ""};
	const char *rest =
		"[s]\nprotocol = tcp\nip = 192.0.2.1\nport = 80\nscheduler = rr\nconfig = ";
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *text = g_strconcat(rest, good[i], "\n", NULL);
		g_autoptr(Config) config = read_config(text);
		assert_int_equal(config->errors->len, 0);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *text = g_strconcat(rest, bad[i], "\n", NULL);
		g_autoptr(Config) config = read_config(text);
		assert_int_equal(config->errors->len, 1);
		const char *way_out = i < 2 ? "drover://HOST/pools/NAME" : "file:///PATH";
		assert_non_null(strstr(config->errors->pdata[0], way_out));
	}
}

static void test_unknown_keys_warn_unless_something_refers_to_them(void **state)
{
	g_autoptr(Config) config = read_config(
		"[DEFAULT]\nsite = a\nstray = b\nrise = 2\n[global]\ndepool-threshold = .5\nfoo = "
		"1\n"
		"bar = 2\n" SERVICE "fal = 2\nbase = /x\nmax-checks = 3\nmonitors = TCP\n"
		"udp.payload = %(site)s%(base)s\n");
	static const char *const expected[] = {
		"f:3:9: [DEFAULT] stray: unknown key, ignored",
		"f:6:20: [global] depool-threshold: ignored here: it belongs into a service",
		"f:7:7: [global] foo: unknown key, ignored",
		"f:8:7: [global] bar: unknown key, ignored",
		"f:15:7: [s] fal: unknown key, ignored",
		"f:17:14: [s] max-checks: ignored here: it belongs into [global]",
	};
	assert_int_equal(config->errors->len, 0);
	assert_int_equal(config->warnings->len, G_N_ELEMENTS(expected));
	for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
		assert_string_equal(config->warnings->pdata[i], expected[i]);
	const ConfigService *service = config->services->pdata[0];
	assert_string_equal(service->udp.payload, "a/x");
	assert_int_equal(service->rise, 2);
}

static void test_a_services_own_spelling_goes_before_a_default(void **state)
{
	g_autoptr(Config) config =
		read_config("[DEFAULT]\nslow_start = 7\n" SERVICE "slow-start = 3\n");
	assert_int_equal(config->errors->len, 0);
	assert_int_equal(((ConfigService *)config->services->pdata[0])->slow_start_ms, 3000);
}

static void test_all_errors_are_said_at_once_up_to_a_limit(void **state)
{
	g_autoptr(Config) config = read_config("[s]\nprotocol = x\nport = y\nrise = z\n");
	assert_int_equal(config->errors->len, 6);
	g_autoptr(GString) many = g_string_new(NULL);
	for (guint i = 0; i < CONFIG_MAXIMUM_PROBLEMS; i++)
		g_string_append_printf(many, "[s%u]\nport = x\n", i);
	g_autoptr(Config) worse = read_config(many->str);
	assert_int_equal(worse->errors->len, CONFIG_MAXIMUM_PROBLEMS);
	g_autoptr(Config) empty = read_config("");
	assert_string_equal(
		empty->warnings->pdata[0], "f: no service: there is nothing to balance");
	g_autoptr(GError) error = NULL;
	assert_null(config_parse("f", "[s", 2, &error));
	assert_true(g_str_has_prefix(error->message, "f:1:1: "));
}

static void test_lists_are_bounded(void **state)
{
	g_autoptr(GString) text = g_string_new(SERVICE "dnsquery.hostnames = [");
	for (guint i = 0; i <= CONFIG_MAXIMUM_PARTS; i++)
		g_string_append(text, "'a',");
	g_string_append(text, "]\n");
	g_autoptr(Config) config = read_config(text->str);
	assert_int_equal(config->errors->len, 1);
}

/* The manual, the checker and the reader all stand on it. */
static void test_the_table_of_keys_is_whole(void **state)
{
	for (const ConfigKey *key = config_keys(); key->name != NULL; key++) {
		g_autofree char *spelling = config_spelling(key->name);
		g_autofree char *allowed = config_allowed(key);
		assert_string_equal(spelling, key->name);
		assert_ptr_equal(config_find_key(key->scope, key->name), key);
		assert_true(strlen(key->summary) > 0);
		assert_true(strlen(allowed) > 0);
		assert_true((key->type == CONFIG_TYPE_WORD) == (key->words != NULL));
	}
	assert_ptr_equal(config_find_key(CONFIG_SCOPE_SERVICE, "PROXYFETCH.check_all"),
		config_find_key(CONFIG_SCOPE_SERVICE, "proxyfetch.check-all"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_old_pybal_conf_is_read),
		cmocka_unit_test(test_defaults_are_pybals),
		cmocka_unit_test(test_global_says_how_droverd_is_spoken_to),
		cmocka_unit_test(test_a_bad_value_names_file_line_key_and_what_is_allowed),
		cmocka_unit_test(test_where_a_list_may_be),
		cmocka_unit_test(test_unknown_keys_warn_unless_something_refers_to_them),
		cmocka_unit_test(test_a_services_own_spelling_goes_before_a_default),
		cmocka_unit_test(test_all_errors_are_said_at_once_up_to_a_limit),
		cmocka_unit_test(test_lists_are_bounded),
		cmocka_unit_test(test_the_table_of_keys_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
