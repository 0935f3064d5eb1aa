/* SPDX-License-Identifier: ISC
 *
 * Messages of netlink, read from bytes. What we write is read back by what reads the kernel's, and
 * the bed (tests/lvs) holds both to the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "balance/kernel/ipvs_message.h"
#include "balance/kernel/netlink.h"
#include "balance/kernel/route_message.h"
#include "base/error.h"

/* An answer of Linux 6.1 to IPVS_CMD_GET_DEST, as it came: 10.0.0.11:80 of tcp 192.0.2.1:80, DR,
 * weight 10; without the figures at its end. */
static const guint8 recorded[] __attribute__((aligned(4))) = {
	0x08, 0x01, 0x00, 0x00, /* generic netlink: command, version */
	0x4c, 0x00, 0x02, 0x80, /* the server, 76 bytes */
	0x14, 0x00, 0x01, 0x00, 10, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* address */
	0x06, 0x00, 0x02, 0x00, 0x00, 0x50, 0x00, 0x00,				  /* port 80 */
	0x06, 0x00, 0x0b, 0x00, 0x02, 0x00, 0x00, 0x00,				  /* AF_INET */
	0x08, 0x00, 0x03, 0x00, 0x03, 0x00, 0x00, 0x00, /* direct routing */
	0x08, 0x00, 0x04, 0x00, 0x0a, 0x00, 0x00, 0x00, /* weight 10 */
	0x08, 0x00, 0x07, 0x00, 0x02, 0x00, 0x00, 0x00, /* 2 active connections */
	0x08, 0x00, 0x08, 0x00, 0x01, 0x00, 0x00, 0x00, /* 1 inactive */
	0x04, 0x00, 0x1e, 0x00,				/* something of the future */
};

static const TableKey service = {.protocol = IPPROTO_TCP, .port = 80, .address.family = AF_INET};

static void test_a_recorded_server_is_read(void **state)
{
	TableServer server;
	assert_true(ipvs_parse_server(recorded, sizeof recorded, &service, &server));
	char text[ADDRESS_TEXT_BYTES];
	address_text(&server.address, text);
	assert_string_equal(text, "10.0.0.11");
	assert_int_equal(server.port, 80);
	assert_int_equal(server.forward, TABLE_DR);
	assert_int_equal(server.weight, 10);
	assert_int_equal(server.active, 2);
	assert_int_equal(server.inactive, 1);
}

static void test_a_message_that_is_cut_off_is_none(void **state)
{
	TableServer server;
	for (gsize size = 0; size < sizeof recorded - 4; size++)
		assert_false(ipvs_parse_server(recorded, size, &service, &server));
}

static struct nlmsghdr *new_request(guint8 *bytes, guint16 type)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
	request->nlmsg_type = type;
	return request;
}

static void assert_round(TableOperation operation)
{
	guint8 bytes[NETLINK_MAXIMUM_REQUEST] __attribute__((aligned(4)));
	struct nlmsghdr *request = new_request(bytes, 30);
	mnl_nlmsg_put_extra_header(request, sizeof(struct genlmsghdr));
	ipvs_put_operation(request, &operation);
	const void *payload = mnl_nlmsg_get_payload(request);
	const gsize size = mnl_nlmsg_get_payload_len(request);
	TableKey key;
	TableSettings settings;
	assert_true(ipvs_parse_service(payload, size, &key, &settings));
	assert_true(table_key_equal(&key, &operation.key));
	assert_memory_equal(&settings, &operation.settings, sizeof settings);
}

static void test_what_is_written_is_read_back(void **state)
{
	TableOperation operation = {.verb = TABLE_ADD_SERVICE, .key = service};
	address_parse("192.0.2.1", &operation.key.address);
	operation.settings = table_settings("wrr", 0, AF_INET);
	assert_round(operation);
	operation.settings = table_settings("sh", 7000, AF_INET);
	operation.settings.prefix = 24;
	assert_round(operation);
	address_parse("2001:db8::1", &operation.key.address);
	operation.key.protocol = IPPROTO_UDP;
	operation.settings = table_settings("mh", 7000, AF_INET6);
	assert_round(operation);
	operation.key = (TableKey){.mark = 5, .address.family = AF_INET6};
	assert_round(operation);
}

static void test_only_our_host_routes_are_read(void **state)
{
	guint8 bytes[256] __attribute__((aligned(4)));
	Address address, found;
	address_parse("2001:db8::1", &address);
	struct nlmsghdr *request = new_request(bytes, RTM_NEWROUTE);
	route_put(request, &address);
	assert_true(route_parse(request, &found));
	assert_true(address_equal(&address, &found));
	struct rtmsg *head = mnl_nlmsg_get_payload(request);
	head->rtm_dst_len = 64;
	assert_false(route_parse(request, &found));
	head->rtm_dst_len = 128;
	head->rtm_protocol = RTPROT_BOOT;
	assert_false(route_parse(request, &found));
}

typedef struct Answer {
	struct nlmsghdr head;
	int code;
	guint8 rest[12];
} Answer;

static void assert_reads(NetlinkExchange *exchange, const void *bytes, gsize size)
{
	g_autoptr(GError) error = NULL;
	assert_true(netlink_read(exchange, bytes, size, &error));
	g_assert_no_error(error);
}

static void test_answers_find_their_requests(void **state)
{
	int errors[2] = {NETLINK_OPEN, NETLINK_OPEN};
	NetlinkExchange exchange = {.first = 7, .count = 2, .errors = errors};
	Answer answer = {.head = {.nlmsg_len = 20, .nlmsg_type = NLMSG_ERROR}, .code = -EEXIST};
	const guint32 numbers[] = {6, 9, 8, 8}; /* late, not ours, ours, said twice */
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		answer.head.nlmsg_seq = numbers[i];
		assert_reads(&exchange, &answer, 20);
	}
	assert_int_equal(exchange.answered, 1);
	assert_int_equal(errors[0], NETLINK_OPEN);
	assert_int_equal(errors[1], EEXIST);
}

static void test_a_disturbed_dump_is_noticed(void **state)
{
	int errors[1] = {NETLINK_OPEN};
	NetlinkExchange exchange = {.first = 1, .count = 1, .errors = errors};
	Answer answer = {.head = {.nlmsg_len = 20,
				 .nlmsg_type = NLMSG_DONE,
				 .nlmsg_flags = NLM_F_MULTI | NLM_F_DUMP_INTR,
				 .nlmsg_seq = 1}};
	assert_reads(&exchange, &answer, 20);
	assert_true(exchange.disturbed);
	assert_int_equal(errors[0], 0);
}

static void test_broken_parcels_are_refused(void **state)
{
	int errors[1] = {NETLINK_OPEN};
	NetlinkExchange exchange = {.first = 1, .count = 1, .errors = errors};
	Answer answer = {.head = {.nlmsg_len = 400, .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 1}};
	GError *error = NULL;
	assert_false(netlink_read(&exchange, &answer, 20, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_UNAVAILABLE));
	g_clear_error(&error);
	answer.head.nlmsg_len = G_MAXUINT32 - 2; /* would wrap around to nothing */
	assert_false(netlink_read(&exchange, &answer, 20, &error));
	g_clear_error(&error);
	answer.head.nlmsg_len = sizeof answer.head; /* no error number */
	assert_false(netlink_read(&exchange, &answer, sizeof answer.head, &error));
	g_clear_error(&error);
	assert_int_equal(exchange.answered, 0);
}

static void test_the_kernels_words_are_kept_and_cut(void **state)
{
	guint8 bytes[512] __attribute__((aligned(4)));
	char words[300];
	memset(words, 'x', sizeof words - 1);
	words[sizeof words - 1] = '\0';
	struct nlmsghdr *answer = new_request(bytes, NLMSG_ERROR);
	answer->nlmsg_seq = 1;
	answer->nlmsg_flags = NLM_F_ACK_TLVS | NLM_F_CAPPED;
	struct nlmsgerr *said = mnl_nlmsg_put_extra_header(answer, sizeof *said);
	said->error = -EINVAL;
	mnl_attr_put_strz(answer, NLMSGERR_ATTR_MSG, words);
	int errors[1] = {NETLINK_OPEN};
	NetlinkExchange exchange = {.first = 1, .count = 1, .errors = errors};
	assert_reads(&exchange, bytes, answer->nlmsg_len);
	assert_int_equal(errors[0], EINVAL);
	assert_int_equal(strlen(exchange.words), NETLINK_MAXIMUM_WORD_BYTES);
	g_free(exchange.words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_recorded_server_is_read),
		cmocka_unit_test(test_a_message_that_is_cut_off_is_none),
		cmocka_unit_test(test_what_is_written_is_read_back),
		cmocka_unit_test(test_only_our_host_routes_are_read),
		cmocka_unit_test(test_answers_find_their_requests),
		cmocka_unit_test(test_a_disturbed_dump_is_noticed),
		cmocka_unit_test(test_broken_parcels_are_refused),
		cmocka_unit_test(test_the_kernels_words_are_kept_and_cut),
	};
	return cmocka_run_group_tests_name("kernel message", tests, NULL, NULL);
}
