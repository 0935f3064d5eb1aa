/* SPDX-License-Identifier: ISC
 *
 * The reader of HTTP answers: whole, a byte at a time, cut off, and broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "balance/monitor/http_answer.h"

typedef struct Wanted {
	const char *text;
	gboolean closed; /* after it */
	HttpAnswerState state;
	guint status;
	const char *rest; /* the body, or the problem */
} Wanted;

static const Wanted wanted[] = {
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", FALSE, HTTP_ANSWER_COMPLETE, 200,
		"hello"},
	{"HTTP/1.0 200\n\nhello", TRUE, HTTP_ANSWER_COMPLETE, 200, "hello"},
	{"HTTP/1.1 200 OK\r\n\r\nhello", FALSE, HTTP_ANSWER_READING, 200, "hello"},
	{"HTTP/1.1 204 \r\n\r\n", FALSE, HTTP_ANSWER_COMPLETE, 204, ""},
	{"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", FALSE, HTTP_ANSWER_COMPLETE, 304,
		""},
	{"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", FALSE, HTTP_ANSWER_COMPLETE, 200, ""},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
	 "3\r\nabc\r\n0004;x=\"y\"\r\ndefg\r\n0\r\nTrailer: 1\r\n\r\n",
		FALSE, HTTP_ANSWER_COMPLETE, 200, "abcdefg"},
	{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
	 "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx",
		FALSE, HTTP_ANSWER_COMPLETE, 201, "x"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", TRUE, HTTP_ANSWER_BROKEN, 200,
		"the server closed the connection in the middle of its answer"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", TRUE,
		HTTP_ANSWER_BROKEN, 200,
		"the server closed the connection in the middle of its answer"},
	{"HTTP/1.1 200 OK\r\nConte", TRUE, HTTP_ANSWER_BROKEN, 200,
		"the server closed the connection in the middle of its answer"},
	{"", TRUE, HTTP_ANSWER_BROKEN, 0, "the server closed the connection without an answer"},
	{"220 mail.example.org ESMTP\r\n", FALSE, HTTP_ANSWER_BROKEN, 0, "the answer is no HTTP"},
	{"SSH-2.0-OpenSSH_9.2", FALSE, HTTP_ANSWER_BROKEN, 0, "the answer is no HTTP"},
	{"HTTP/2 200\r\n\r\n", FALSE, HTTP_ANSWER_BROKEN, 0, "the answer is no HTTP"},
	{"HTTP/1.1 2000 OK\r\n\r\n", FALSE, HTTP_ANSWER_BROKEN, 0, "the answer is no HTTP"},
	{"HTTP/1.1 20\r\n\r\n", FALSE, HTTP_ANSWER_BROKEN, 0, "the answer is no HTTP"},
	{"HTTP/1.1 101 Switching Protocols\r\n\r\n", FALSE, HTTP_ANSWER_BROKEN, 101,
		"the server switches to another protocol"},
	{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", FALSE, HTTP_ANSWER_BROKEN, 200,
		"the answer has no valid Content-Length"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", FALSE,
		HTTP_ANSWER_BROKEN, 200, "the answer has no valid Content-Length"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n", FALSE,
		HTTP_ANSWER_BROKEN, 200, "the answer has no valid Content-Length"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", FALSE, HTTP_ANSWER_BROKEN,
		200, "the answer's chunks are broken"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", FALSE,
		HTTP_ANSWER_BROKEN, 200, "the answer's chunks are broken"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", FALSE,
		HTTP_ANSWER_BROKEN, 200, "the answer's chunks are broken"},
};

static void expect(const Wanted *want, gsize piece)
{
	HttpAnswer answer;
	gsize size = strlen(want->text);
	http_answer_init(&answer, TRUE);
	for (gsize at = 0; at < size; at += piece)
		http_answer_feed(&answer, want->text + at, MIN(piece, size - at));
	if (want->closed)
		http_answer_close(&answer);
	assert_int_equal(answer.state, want->state);
	assert_int_equal(answer.status, want->status);
	if (want->state == HTTP_ANSWER_BROKEN) {
		assert_string_equal(answer.problem, want->rest);
	} else {
		gsize body_bytes = answer.body == NULL ? 0 : answer.body->len;
		assert_int_equal(body_bytes, strlen(want->rest));
		if (body_bytes > 0)
			assert_memory_equal(answer.body->data, want->rest, body_bytes);
	}
	http_answer_clear(&answer);
}

static void test_answers_mean_the_same_in_pieces_of_any_size(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		for (gsize piece = 1; piece < 100; piece = piece * 3 + (piece == 1))
			expect(&wanted[i], piece);
}

static void test_headers_end_at_8_kib(void **state)
{
	HttpAnswer answer;
	http_answer_init(&answer, FALSE);
	http_answer_feed(&answer, "HTTP/1.1 200 OK\r\n", 17);
	char line[101];
	memset(line, 'a', 98);
	memcpy(line + 98, "\r\n", 3);
	guint lines = 0;
	while (http_answer_feed(&answer, line, 100) == HTTP_ANSWER_READING)
		lines++;
	/* 17 + 81 x 100 = 8117 */
	assert_int_equal(lines, 81);
	assert_string_equal(answer.problem, "the answer's headers are longer than 8 KiB");
}

static void test_a_body_is_read_up_to_64_kib(void **state)
{
	HttpAnswer answer;
	char part[1000];
	memset(part, 'x', sizeof part);
	http_answer_init(&answer, TRUE);
	http_answer_feed(&answer, "HTTP/1.1 200 OK\r\n\r\n", 19);
	guint parts = 0;
	while (http_answer_feed(&answer, part, sizeof part) == HTTP_ANSWER_READING)
		parts++;
	assert_int_equal(answer.state, HTTP_ANSWER_COMPLETE);
	assert_int_equal(parts, 65);
	assert_int_equal(answer.body->len, HTTP_ANSWER_MAXIMUM_BODY_BYTES);
	assert_true(answer.is_cut);
	http_answer_clear(&answer);
}

static void test_many_small_chunks_are_no_long_header(void **state)
{
	HttpAnswer answer;
	http_answer_init(&answer, FALSE);
	const char *head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	http_answer_feed(&answer, head, strlen(head));
	for (guint i = 0; i < 20000; i++)
		assert_int_equal(http_answer_feed(&answer, "1\r\nx\r\n", 6), HTTP_ANSWER_READING);
	assert_int_equal(http_answer_feed(&answer, "0\r\n\r\n", 5), HTTP_ANSWER_COMPLETE);
	assert_int_equal(answer.body_bytes, 20000);
}

static void test_a_long_line_is_looked_at_in_part(void **state)
{
	HttpAnswer answer;
	g_autoptr(GString) text = g_string_new("HTTP/1.1 503 ");
	for (guint i = 0; i < 500; i++)
		g_string_append_c(text, 'y');
	g_string_append(text, "\r\nx-drover-maintenance: web3\r\n\r\n");
	http_answer_init(&answer, FALSE);
	http_answer_feed(&answer, text->str, text->len);
	assert_true(answer.has_head);
	assert_true(answer.maintenance);
	assert_int_equal(strlen(answer.reason), HTTP_ANSWER_MAXIMUM_REASON_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_mean_the_same_in_pieces_of_any_size),
		cmocka_unit_test(test_headers_end_at_8_kib),
		cmocka_unit_test(test_a_body_is_read_up_to_64_kib),
		cmocka_unit_test(test_many_small_chunks_are_no_long_header),
		cmocka_unit_test(test_a_long_line_is_looked_at_in_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
