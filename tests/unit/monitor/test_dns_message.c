/* SPDX-License-Identifier: ISC
 *
 * DNS messages, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "balance/monitor/dns_message.h"

#define HEAD 12

/* The answer to `a.bc A` with id 0x1234: its header, and the question. */
#define ANSWER(flags_1, flags_2, records)                                                          \
	0x12, 0x34, flags_1, flags_2, 0, 1, 0, records, 0, 0, 0, 0, 1, 'a', 2, 'b', 'c', 0, 0, 1,  \
		0, 1

static DnsQuestion question_of(const char *name)
{
	DnsQuestion question;
	assert_true(dns_question(name, 1, 0x1234, &question));
	return question;
}

static DnsFit fit(const guint8 *bytes, gsize size_bytes, DnsAnswer *answer)
{
	DnsQuestion question = question_of("a.bc");
	/* An exact copy, so that a byte read too far is noticed. */
	g_autofree guint8 *exact = g_memdup2(bytes, size_bytes);
	return dns_answer_read(&question, exact, size_bytes, answer);
}

static void test_a_question_is_a_header_and_a_name(void **state)
{
	const guint8 wanted[] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'w', 'w', 'w', 2, 'b',
		'c', 0, 0, 28, 0, 1};
	DnsQuestion question;
	assert_true(dns_question("www.bc", dns_type("AAAA"), 0x1234, &question));
	assert_int_equal(question.size_bytes, sizeof wanted);
	assert_memory_equal(question.bytes, wanted, sizeof wanted);
	assert_true(dns_question("www.bc.", dns_type("AAAA"), 0x1234, &question));
	assert_int_equal(question.size_bytes, sizeof wanted);
	dns_question_set_id(&question, 0xabcd);
	assert_int_equal(question.bytes[0], 0xab);
	assert_int_equal(question.bytes[1], 0xcd);
	assert_true(dns_question(".", 2, 1, &question));
	assert_int_equal(question.size_bytes, HEAD + 1 + 4);
}

static void test_types_have_their_numbers(void **state)
{
	assert_int_equal(dns_type("A"), 1);
	assert_int_equal(dns_type("NS"), 2);
	assert_int_equal(dns_type("CNAME"), 5);
	assert_int_equal(dns_type("SOA"), 6);
	assert_int_equal(dns_type("PTR"), 12);
	assert_int_equal(dns_type("MX"), 15);
	assert_int_equal(dns_type("TXT"), 16);
	assert_int_equal(dns_type("AAAA"), 28);
	assert_int_equal(dns_type("SRV"), 33);
	assert_int_equal(dns_type("ANY"), 0);
}

static void test_a_name_that_does_not_fit_is_refused(void **state)
{
	DnsQuestion question;
	static const char *const bad[] = {
		"", "..", "a..b", ".a", "a b", "b\303\274cher.de", "a\tb"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(dns_question(bad[i], 1, 1, &question));
	g_autofree char *label = g_strnfill(DNS_MAXIMUM_LABEL_BYTES, 'x');
	g_autofree char *longer = g_strconcat(label, "x", NULL);
	assert_true(dns_question(label, 1, 1, &question));
	assert_false(dns_question(longer, 1, 1, &question));
	/* 3 x 64 + 62 + 1 = 255 bytes on the wire. */
	g_autofree char *whole = g_strdup_printf("%s.%s.%s.%.61s", label, label, label, label);
	g_autofree char *over = g_strdup_printf("%s.%s.%s.%.62s", label, label, label, label);
	assert_true(dns_question(whole, 1, 1, &question));
	assert_int_equal(question.size_bytes, DNS_MAXIMUM_QUESTION_BYTES);
	assert_false(dns_question(over, 1, 1, &question));
}

static void test_an_answer_to_the_question_counts(void **state)
{
	DnsAnswer answer;
	const guint8 two[] = {ANSWER(0x81, 0x80, 2), 0xc0, HEAD, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192,
		0, 2, 1, 0xc0, HEAD, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 2};
	const guint8 missing[] = {ANSWER(0x81, 0x83, 0)};
	const guint8 cut[] = {ANSWER(0x83, 0x80, 7)};
	assert_int_equal(fit(two, sizeof two, &answer), DNS_ANSWER);
	assert_int_equal(answer.rcode, 0);
	assert_int_equal(answer.records, 2);
	assert_false(answer.truncated);
	assert_int_equal(fit(missing, sizeof missing, &answer), DNS_ANSWER);
	assert_int_equal(answer.rcode, 3);
	assert_int_equal(fit(cut, sizeof cut, &answer), DNS_ANSWER);
	assert_true(answer.truncated);
}

static void test_large_letters_are_the_same_question(void **state)
{
	DnsAnswer answer;
	guint8 bytes[] = {ANSWER(0x81, 0x80, 0)};
	bytes[13] = 'A';
	bytes[15] = 'B';
	assert_int_equal(fit(bytes, sizeof bytes, &answer), DNS_ANSWER);
	bytes[13] = 'b';
	assert_int_equal(fit(bytes, sizeof bytes, &answer), DNS_FOREIGN);
}

/* Each byte of header and question that matters, changed alone. */
static void test_what_differs_in_anything_is_foreign(void **state)
{
	static const struct {
		gsize at;
		guint8 byte;
	} changes[] = {{0, 0x13}, {1, 0x35}, {2, 0x01}, {2, 0x89}, {4, 1}, {5, 0}, {5, 2}, {12, 2},
		{13, 'x'}, {17, 1}, {19, 28}, {18, 1}, {21, 3}};
	DnsAnswer answer;
	for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
		guint8 bytes[] = {ANSWER(0x81, 0x80, 0)};
		bytes[changes[i].at] = changes[i].byte;
		assert_int_equal(fit(bytes, sizeof bytes, &answer), DNS_FOREIGN);
	}
	const guint8 whole[] = {ANSWER(0x81, 0x80, 0)};
	for (gsize size = 0; size < sizeof whole; size++)
		assert_int_equal(fit(whole, size, &answer), DNS_FOREIGN);
}

static void test_a_record_that_is_cut_off_is_broken(void **state)
{
	DnsAnswer answer;
	const guint8 bytes[] = {
		ANSWER(0x81, 0x80, 1), 0xc0, HEAD, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1};
	for (gsize size = HEAD + 10; size < sizeof bytes; size++)
		assert_int_equal(fit(bytes, size, &answer), DNS_BROKEN);
	assert_int_equal(fit(bytes, sizeof bytes, &answer), DNS_ANSWER);
}

static void test_names_go_backwards_only(void **state)
{
	DnsAnswer answer;
	/* The record's name stands at 22: to itself, forwards, into the header, and around. */
	guint8 bytes[] = {ANSWER(0x81, 0x80, 1), 0xc0, 22, 0, 1, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0};
	static const guint8 bad[] = {22, 24, 0, 11, 200};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		bytes[23] = bad[i];
		assert_int_equal(fit(bytes, sizeof bytes, &answer), DNS_BROKEN);
	}
	/* x, then back to the question's name, is sound. */
	const guint8 sound[] = {
		ANSWER(0x81, 0x80, 1), 1, 'x', 0xc0, HEAD, 0, 1, 0, 1, 0, 0, 0, 9, 0, 0};
	assert_int_equal(fit(sound, sizeof sound, &answer), DNS_ANSWER);
	/* x, then back to x, would never end. */
	const guint8 around[] = {
		ANSWER(0x81, 0x80, 1), 1, 'x', 0xc0, 22, 0, 1, 0, 1, 0, 0, 0, 9, 0, 0};
	assert_int_equal(fit(around, sizeof around, &answer), DNS_BROKEN);
}

static void test_a_name_over_the_limit_is_broken(void **state)
{
	DnsAnswer answer;
	const guint8 head[] = {ANSWER(0x81, 0x80, 1)};
	const guint8 tail[] = {0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 0};
	for (guint labels = 126; labels <= 128; labels++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		g_byte_array_append(bytes, head, sizeof head);
		for (guint i = 0; i < labels; i++)
			g_byte_array_append(bytes, (const guint8 *)"\1x", 2);
		g_byte_array_append(bytes, tail, sizeof tail);
		/* 2 bytes a label and 1 at the end: 127 of them are 255. */
		assert_int_equal(fit(bytes->data, bytes->len, &answer),
			labels <= 127 ? DNS_ANSWER : DNS_BROKEN);
	}
}

static void test_rcodes_have_names(void **state)
{
	char text[16];
	dns_rcode_text(2, text);
	assert_string_equal(text, "SERVFAIL");
	dns_rcode_text(5, text);
	assert_string_equal(text, "REFUSED");
	dns_rcode_text(9, text);
	assert_string_equal(text, "RCODE 9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_question_is_a_header_and_a_name),
		cmocka_unit_test(test_types_have_their_numbers),
		cmocka_unit_test(test_a_name_that_does_not_fit_is_refused),
		cmocka_unit_test(test_an_answer_to_the_question_counts),
		cmocka_unit_test(test_large_letters_are_the_same_question),
		cmocka_unit_test(test_what_differs_in_anything_is_foreign),
		cmocka_unit_test(test_a_record_that_is_cut_off_is_broken),
		cmocka_unit_test(test_names_go_backwards_only),
		cmocka_unit_test(test_a_name_over_the_limit_is_broken),
		cmocka_unit_test(test_rcodes_have_names),
	};
	return cmocka_run_group_tests_name("monitor dns_message", tests, NULL, NULL);
}
