/* SPDX-License-Identifier: ISC
 *
 * The table of keys: what there is, what it may say, what it is when nothing is said, and why.
 */
#include "balance/config.h"

#include <stddef.h>
#include <string.h>

/* The longest time that a key may give: a year of seconds, in milliseconds. */
#define YEAR			 G_GINT64_CONSTANT(31536000000)
#define DAY			 G_GINT64_CONSTANT(86400000)
#define TENTH			 100 /* ms: no check is more frequent */
#define GLOBAL(name)		 CONFIG_SCOPE_GLOBAL, name
#define SERVICE(name)		 CONFIG_SCOPE_SERVICE, name
#define IN_GLOBAL(field)	 offsetof(ConfigGlobal, field)
#define IN_SERVICE(field)	 offsetof(ConfigService, field)
#define WITHOUT_USE		 CONFIG_TYPE_WITHOUT_USE, 0, 0, 0, NULL, NULL, FALSE
#define YES_NO(offset, fallback) CONFIG_TYPE_BOOLEAN, offset, 0, 1, NULL, fallback, FALSE
#define WORD(offset, words, fallback, required)                                                    \
	CONFIG_TYPE_WORD, offset, 0, 0, words, fallback, required
#define NUMBER(offset, minimum, maximum, fallback, required)                                       \
	CONFIG_TYPE_INTEGER, offset, minimum, maximum, NULL, fallback, required
#define SECONDS(offset, minimum, maximum, fallback)                                                \
	CONFIG_TYPE_SECONDS, offset, minimum, maximum, NULL, fallback, FALSE
#define VALUE(type, offset, fallback, required)                                                    \
	CONFIG_TYPE_##type, offset, 0, 0, NULL, fallback, required

static const char *const protocols[] = {"tcp", "udp", NULL};
static const char *const schedulers[] = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh",
	"sed", "nq", "mh", "fo", "ovf", NULL};
static const char *const forwards[] = {"dr", "tunnel", "masquerade", NULL};
static const char *const starts[] = {"optimistic", "pessimistic", NULL};
static const char *const owns[] = {"ours", "all", NULL};
static const char *const query_types[] = {
	"A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", NULL};
static const char *const monitors[] = {"ProxyFetch", "IdleConnection", "DNSQuery", "UDP",
	"RunCommand", "TCP", "SMTP", "gRPC", NULL};

/* clang-format off */
static const ConfigKey keys[] = {
	{GLOBAL("bgp"), YES_NO(IN_GLOBAL(bgp), "no"), "announce a route for each service that can serve"},
	{GLOBAL("dry-run"), YES_NO(IN_GLOBAL(dry_run), "no"), "say what would be done to the kernel, and do nothing"},
	{GLOBAL("droverd-ca-file"), VALUE(TEXT, IN_GLOBAL(droverd_ca_file), NULL, FALSE), "certificates that vouch for droverd's; nothing: what --ca-file says, or the system's"},
	{GLOBAL("droverd-plain"), YES_NO(IN_GLOBAL(droverd_plain), "no"), "speak to droverd on other machines without TLS, too"},
	{GLOBAL("droverd-token-file"), VALUE(TEXT, IN_GLOBAL(droverd_token_file), NULL, FALSE), "what drover-lvs enrol wrote: who we are to droverd; nothing: what --token-file says, /var/lib/drover-lvs/token"},
	{GLOBAL("instrumentation"), YES_NO(IN_GLOBAL(instrumentation), "yes"), "answer questions over HTTP"},
	{GLOBAL("instrumentation-ips"), VALUE(ADDRESSES, IN_GLOBAL(instrumentation_ips), "127.0.0.1", FALSE), "addresses on which questions are answered"},
	{GLOBAL("instrumentation-port"), NUMBER(IN_GLOBAL(instrumentation_port), 0, 65535, "9090", FALSE), "their port; 0: any"},
	{GLOBAL("list-ca-file"), VALUE(TEXT, IN_GLOBAL(list_ca_file), NULL, FALSE), "certificates that vouch for those of https lists; nothing: the system's"},
	{GLOBAL("max-checks"), NUMBER(IN_GLOBAL(max_checks), 1, 1000000, "1000", FALSE), "checks under way at one time"},
	{GLOBAL("own"), WORD(IN_GLOBAL(own), owns, "ours", FALSE), "which services of the kernel's table are looked after"},
	{GLOBAL("bgp-as-path"), WITHOUT_USE, "BIRD or FRR speaks BGP"},
	{GLOBAL("bgp-asn"), WITHOUT_USE, "BIRD or FRR speaks BGP"},
	{GLOBAL("bgp-local-asn"), WITHOUT_USE, "BIRD or FRR speaks BGP"},
	{GLOBAL("bgp-local-ips"), WITHOUT_USE, "BIRD or FRR speaks BGP"},
	{GLOBAL("bgp-med"), WITHOUT_USE, "BIRD or FRR speaks BGP"},
	{GLOBAL("bgp-nexthop-ipv4"), WITHOUT_USE, "BIRD or FRR speaks BGP"},
	{GLOBAL("bgp-nexthop-ipv6"), WITHOUT_USE, "BIRD or FRR speaks BGP"},
	{GLOBAL("bgp-peer-address"), WITHOUT_USE, "BIRD or FRR speaks BGP"},

	{SERVICE("protocol"), WORD(IN_SERVICE(protocol), protocols, NULL, TRUE), "of the virtual service"},
	{SERVICE("ip"), VALUE(ADDRESS, IN_SERVICE(ip), NULL, TRUE), "its address"},
	{SERVICE("port"), NUMBER(IN_SERVICE(port), 1, 65535, NULL, TRUE), "its port"},
	{SERVICE("scheduler"), WORD(IN_SERVICE(scheduler), schedulers, NULL, TRUE), "how the kernel chooses a server"},
	{SERVICE("config"), VALUE(LIST_URL, IN_SERVICE(config), NULL, TRUE), "where the server list is"},
	{SERVICE("monitors"), VALUE(MONITORS, IN_SERVICE(monitors), NULL, FALSE), "how servers are checked"},
	{SERVICE("depool-threshold"), VALUE(THRESHOLD, IN_SERVICE(depool_threshold), ".5", FALSE), "share of the servers that stays whatever the checks say"},
	{SERVICE("forward"), WORD(IN_SERVICE(forward), forwards, "dr", FALSE), "how packets reach the server"},
	{SERVICE("persistence"), SECONDS(IN_SERVICE(persistence_ms), 0, YEAR, "no"), "how long a client stays with its server"},
	{SERVICE("drain-timeout"), SECONDS(IN_SERVICE(drain_timeout_ms), 0, DAY, "300"), "how long a leaving server may finish its connections"},
	{SERVICE("rise"), NUMBER(IN_SERVICE(rise), 1, POOL_MAXIMUM_IN_A_ROW, "1", FALSE), "good results in a row that bring a server up"},
	{SERVICE("fall"), NUMBER(IN_SERVICE(fall), 1, POOL_MAXIMUM_IN_A_ROW, "1", FALSE), "bad results in a row that take it down"},
	{SERVICE("slow-start"), SECONDS(IN_SERVICE(slow_start_ms), 0, DAY, "no"), "how long the weight grows after a recovery"},
	{SERVICE("start"), WORD(IN_SERVICE(start), starts, "optimistic", FALSE), "whether a server is up before its first check"},
	{SERVICE("allow-empty"), YES_NO(IN_SERVICE(allow_empty), "no"), "an empty server list is meant"},
	{SERVICE("list-guard"), YES_NO(IN_SERVICE(list_guard), "yes"), "set lists aside that would take too many servers away"},
	{SERVICE("announce-min"), NUMBER(IN_SERVICE(announce_min), 0, POOL_MAXIMUM_SERVERS, "1", FALSE), "servers able to serve that the route needs"},
	{SERVICE("bgp"), YES_NO(IN_SERVICE(bgp), "yes"), "announce this service's route when [global] bgp is on"},
	{SERVICE("bgp-as-path"), WITHOUT_USE, "BIRD or FRR speaks BGP"},
	{SERVICE("bgp-med"), WITHOUT_USE, "BIRD or FRR speaks BGP"},

	{SERVICE("proxyfetch.url"), VALUE(URLS, IN_SERVICE(proxyfetch.urls), NULL, FALSE), "what is fetched: one of them at random, or all"},
	{SERVICE("proxyfetch.http-status"), VALUE(STATUSES, IN_SERVICE(proxyfetch.statuses), "200-202", FALSE), "statuses that are good"},
	{SERVICE("proxyfetch.check-all"), YES_NO(IN_SERVICE(proxyfetch.check_all), "no"), "fetch all URLs each time"},
	{SERVICE("proxyfetch.max-failures"), NUMBER(IN_SERVICE(proxyfetch.max_failures), 0, CONFIG_MAXIMUM_PARTS, "0", FALSE), "with check-all: URLs that may fail"},
	{SERVICE("proxyfetch.body-regex"), VALUE(TEXT, IN_SERVICE(proxyfetch.body_regex), NULL, FALSE), "what the body must match"},
	{SERVICE("proxyfetch.verify"), YES_NO(IN_SERVICE(proxyfetch.verify), "yes"), "check the server's certificate"},
	{SERVICE("proxyfetch.timeout"), SECONDS(IN_SERVICE(proxyfetch.timeout_ms), TENTH, DAY, "5"), "for the whole exchange"},
	{SERVICE("proxyfetch.interval"), SECONDS(IN_SERVICE(proxyfetch.interval_ms), TENTH, DAY, "10"), "between checks"},
	{SERVICE("idleconnection.max-delay"), SECONDS(IN_SERVICE(idleconnection.max_delay_ms), TENTH, DAY, "300"), "longest wait before it connects again"},
	{SERVICE("idleconnection.timeout-clean-reconnect"), SECONDS(IN_SERVICE(idleconnection.timeout_clean_reconnect_ms), 0, DAY, "3"), "a server that closes sooner is down"},
	{SERVICE("dnsquery.hostnames"), VALUE(TEXTS, IN_SERVICE(dnsquery.hostnames), NULL, FALSE), "names that are asked for, one at random"},
	{SERVICE("dnsquery.type"), WORD(IN_SERVICE(dnsquery.type), query_types, "A", FALSE), "what is asked for"},
	{SERVICE("dnsquery.fail-on-nxdomain"), YES_NO(IN_SERVICE(dnsquery.fail_on_nxdomain), "no"), "a name that does not exist is a failure"},
	{SERVICE("dnsquery.timeout"), SECONDS(IN_SERVICE(dnsquery.timeout_ms), TENTH, DAY, "5"), "for the whole exchange"},
	{SERVICE("dnsquery.interval"), SECONDS(IN_SERVICE(dnsquery.interval_ms), TENTH, DAY, "10"), "between checks"},
	{SERVICE("udp.payload"), VALUE(TEXT, IN_SERVICE(udp.payload), NULL, FALSE), "what is sent"},
	{SERVICE("udp.expect"), VALUE(TEXT, IN_SERVICE(udp.expect), NULL, FALSE), "what the reply must begin with"},
	{SERVICE("udp.timeout"), SECONDS(IN_SERVICE(udp.timeout_ms), TENTH, DAY, "5"), "for the reply, or for ICMP to say no"},
	{SERVICE("udp.interval"), SECONDS(IN_SERVICE(udp.interval_ms), TENTH, DAY, "10"), "between checks"},
	{SERVICE("runcommand.command"), VALUE(TEXT, IN_SERVICE(runcommand.command), NULL, FALSE), "the program, by its whole path"},
	{SERVICE("runcommand.arguments"), VALUE(ARGUMENTS, IN_SERVICE(runcommand.arguments), NULL, FALSE), "its arguments; server.host and server.ip stand for the server's"},
	{SERVICE("runcommand.timeout"), SECONDS(IN_SERVICE(runcommand.timeout_ms), TENTH, DAY, "20"), "then it is killed, with all it started"},
	{SERVICE("runcommand.interval"), SECONDS(IN_SERVICE(runcommand.interval_ms), TENTH, DAY, "60"), "between runs"},
	{SERVICE("runcommand.log-output"), YES_NO(IN_SERVICE(runcommand.log_output), "yes"), "what it prints goes to the log"},
	{SERVICE("tcp.timeout"), SECONDS(IN_SERVICE(tcp.timeout_ms), TENTH, DAY, "5"), "for the connection"},
	{SERVICE("tcp.interval"), SECONDS(IN_SERVICE(tcp.interval_ms), TENTH, DAY, "10"), "between checks"},
	{SERVICE("smtp.timeout"), SECONDS(IN_SERVICE(smtp.timeout_ms), TENTH, DAY, "5"), "for the banner"},
	{SERVICE("smtp.interval"), SECONDS(IN_SERVICE(smtp.interval_ms), TENTH, DAY, "10"), "between checks"},
	{SERVICE("grpc.service"), VALUE(TEXT, IN_SERVICE(grpc.service), "", FALSE), "the service whose health is asked for; nothing: the server's"},
	{SERVICE("grpc.tls"), YES_NO(IN_SERVICE(grpc.tls), "no"), "speak TLS"},
	{SERVICE("grpc.timeout"), SECONDS(IN_SERVICE(grpc.timeout_ms), TENTH, DAY, "5"), "for the whole exchange"},
	{SERVICE("grpc.interval"), SECONDS(IN_SERVICE(grpc.interval_ms), TENTH, DAY, "10"), "between checks"},
	{0},
};
/* clang-format on */

const ConfigKey *config_keys(void)
{
	return keys;
}

const char *const *config_monitor_names(void)
{
	G_STATIC_ASSERT(G_N_ELEMENTS(monitors) == CONFIG_MONITORS + 1);
	return monitors;
}

char *config_spelling(const char *name)
{
	return g_strdelimit(g_ascii_strdown(name, -1), "_", '-');
}

const ConfigKey *config_find_key(ConfigScope scope, const char *name)
{
	g_autofree char *spelling = config_spelling(name);
	for (const ConfigKey *key = keys; key->name != NULL; key++)
		if (key->scope == scope && strcmp(key->name, spelling) == 0)
			return key;
	return NULL;
}

/* 300000 ms as "300". */
static char *seconds_text(gint64 time_ms)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];
	g_ascii_formatd(text, sizeof text, "%.15g", (double)time_ms / 1000);
	return g_strdup(text);
}

char *config_allowed(const ConfigKey *key)
{
	switch (key->type) {
	case CONFIG_TYPE_WORD: {
		g_autofree char *words = g_strjoinv(", ", (char **)key->words);
		return g_strdup_printf("one of %s", words);
	}
	case CONFIG_TYPE_BOOLEAN:
		return g_strdup("yes or no");
	case CONFIG_TYPE_INTEGER:
		return g_strdup_printf("a whole number from %" G_GINT64_FORMAT
				       " to %" G_GINT64_FORMAT,
			key->minimum, key->maximum);
	case CONFIG_TYPE_SECONDS: {
		g_autofree char *minimum = seconds_text(key->minimum);
		g_autofree char *maximum = seconds_text(key->maximum);
		return g_strdup_printf("%sseconds from %s to %s (also 1.5, 5min, 2h)",
			key->minimum == 0 ? "no, or " : "", minimum, maximum);
	}
	case CONFIG_TYPE_THRESHOLD:
		return g_strdup(THRESHOLD_ALLOWED);
	case CONFIG_TYPE_ADDRESS:
	case CONFIG_TYPE_ADDRESSES:
		return g_strdup("an IPv4 or IPv6 address");
	case CONFIG_TYPE_LIST_URL:
		return g_strdup("file:///PATH, http://…, https://… or drover://HOST/pools/NAME");
	case CONFIG_TYPE_URLS:
		return g_strdup("http:// or https:// URLs: [ 'http://…', … ]");
	case CONFIG_TYPE_MONITORS: {
		g_autofree char *words = g_strjoinv(", ", (char **)monitors);
		return g_strdup_printf("a list, each once, of %s", words);
	}
	case CONFIG_TYPE_STATUSES:
		return g_strdup("HTTP statuses from 100 to 999 and ranges: 200-202, 204");
	case CONFIG_TYPE_ARGUMENTS:
		return g_strdup("a list of texts, server.host and server.ip");
	case CONFIG_TYPE_TEXTS:
		return g_strdup("a list of texts: [ 'a', 'b' ]");
	case CONFIG_TYPE_TEXT:
	case CONFIG_TYPE_WITHOUT_USE:
		return g_strdup("a text");
	}
	g_assert_not_reached();
}
