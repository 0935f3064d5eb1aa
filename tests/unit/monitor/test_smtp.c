/* SPDX-License-Identifier: ISC
 *
 * SMTP against mail servers that greet, refuse, stammer and never stop; and the reader of replies
 * alone.
 */
#include "bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "balance/monitor/smtp_reply.h"
#include "partner.h"

#define QUICK "monitors = [ 'SMTP' ]\nsmtp.interval = .1\nsmtp.timeout = .3\n"
#define LAZY  "monitors = [ 'SMTP' ]\nsmtp.interval = .1\nsmtp.timeout = 20\n"

typedef struct Scene {
	Bed *bed;
	Partner *partner;
	Config *config;
	BedWatch *watch;
	const char *banner, *hello, *goodbye; /* NULL: it hangs up; "": it is silent */
	char *heard;
	const char *drips; /* what is left to say, a byte at a time */
	PartnerLine *dripping;
	struct event *drip;
} Scene;

static void say_or_hang_up(PartnerLine *line, const char *text)
{
	if (text != NULL)
		partner_say(line, text);
	else
		partner_hang_up(line);
}

static void hear(PartnerLine *line, gpointer of)
{
	Scene *scene = of;
	g_free(scene->heard);
	scene->heard = g_strdup(line->heard->str);
	if (line->step == 0) {
		line->step = 1;
		if (scene->drips != NULL) {
			scene->dripping = line;
			event_active(scene->drip, EV_TIMEOUT, 0);
		} else {
			say_or_hang_up(line, scene->banner);
		}
	} else if (line->step == 1 && strstr(line->heard->str, "\r\n") != NULL) {
		line->step = 2;
		say_or_hang_up(line, scene->hello);
	} else if (line->step == 2 && strstr(line->heard->str, "QUIT\r\n") != NULL) {
		say_or_hang_up(line, scene->goodbye);
	}
}

static void on_drip(evutil_socket_t fd, short what, void *of)
{
	Scene *scene = of;
	struct timeval soon = {0, 2000};
	if (*scene->drips == '\0')
		return;
	partner_say_bytes(scene->dripping, scene->drips++, 1);
	event_add(scene->drip, &soon);
}

static int set_up(void **state)
{
	Scene *scene = g_new0(Scene, 1);
	scene->bed = bed_new(100);
	scene->banner = "220 mail.example.org ESMTP\r\n";
	scene->hello = "250-mail.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
	scene->goodbye = "221 Bye\r\n";
	scene->partner = partner_new(scene->bed->base, hear, scene);
	scene->drip = evtimer_new(scene->bed->base, on_drip, scene);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	Scene *scene = *state;
	event_free(scene->drip);
	partner_free(scene->partner);
	bed_free(scene->bed);
	if (scene->config != NULL)
		config_free(scene->config);
	g_free(scene->heard);
	g_free(scene);
	return 0;
}

static void run(Scene *scene, const char *lines)
{
	Address address = partner_address(scene->partner);
	scene->watch = bed_watch(scene->bed, bed_service(&scene->config, lines), CONFIG_SMTP,
		&address, partner_port(scene->partner));
	bed_wait(scene->watch, 1);
	bed_leave(scene->watch);
}

static void expect_down(Scene *scene, const char *lines, const char *why)
{
	run(scene, lines);
	assert_string_equal(scene->watch->why, why);
	assert_int_equal(scene->watch->result, POOL_RESULT_DOWN);
}

static void expect_up(Scene *scene, const char *lines)
{
	run(scene, lines);
	assert_true(g_str_has_prefix(scene->watch->why, "greeted in "));
	assert_int_equal(scene->watch->result, POOL_RESULT_UP);
}

static void test_a_server_that_greets_is_up_and_is_left_politely(void **state)
{
	Scene *scene = *state;
	expect_up(scene, LAZY);
	assert_string_equal(scene->heard, "EHLO [127.0.0.1]\r\nQUIT\r\n");
}

static void test_a_banner_of_several_lines_is_one(void **state)
{
	Scene *scene = *state;
	scene->banner = "220-mail.example.org\r\n220-No spam\r\n220 please\r\n";
	expect_up(scene, LAZY);
}

static void test_a_byte_at_a_time_is_as_good(void **state)
{
	Scene *scene = *state;
	scene->drips = "220-mail.example.org\r\n220 ESMTP\r\n";
	expect_up(scene, LAZY);
}

static void test_a_server_that_is_full_is_down(void **state)
{
	Scene *scene = *state;
	scene->banner = "421 4.3.2 too many connections\r\n";
	expect_down(scene, LAZY, "banner: 421 4.3.2 too many connections");
	scene->banner = "554 go away\033[31m\r\n";
	g_clear_pointer(&scene->config, config_free);
	expect_down(scene, LAZY, "banner: 554 go away [31m");
}

static void test_a_server_that_refuses_our_hello_is_down(void **state)
{
	Scene *scene = *state;
	scene->hello = "502 5.5.2 what?\r\n";
	expect_down(scene, LAZY, "answer to EHLO: 502 5.5.2 what?");
}

static void test_silence_is_down(void **state)
{
	Scene *scene = *state;
	scene->banner = "";
	expect_down(scene, QUICK, "timed out after 300 ms without a banner");
	scene->banner = "220 here\r\n";
	scene->hello = "250-here\r\n";
	g_clear_pointer(&scene->config, config_free);
	expect_down(scene, QUICK, "timed out after 300 ms without an answer to EHLO");
}

static void test_a_server_that_hangs_up_is_down(void **state)
{
	Scene *scene = *state;
	scene->banner = NULL;
	expect_down(scene, LAZY, "closed by the server without a banner");
	scene->banner = "220 here\r\n";
	scene->hello = NULL;
	g_clear_pointer(&scene->config, config_free);
	expect_down(scene, LAZY, "closed by the server without an answer to EHLO");
}

static void test_what_it_says_to_quit_does_not_matter(void **state)
{
	static const char *const goodbyes[] = {NULL, "500 what?\r\n", "nonsense\r\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(goodbyes); i++) {
		Scene *scene = *state;
		scene->goodbye = goodbyes[i];
		expect_up(scene, LAZY);
		g_clear_pointer(&scene->config, config_free);
	}
	Scene *scene = *state;
	scene->goodbye = "";
	expect_up(scene, QUICK);
}

static void test_what_speaks_no_smtp_is_down(void **state)
{
	Scene *scene = *state;
	scene->banner = "HTTP/1.0 400 Bad Request\r\n";
	expect_down(scene, LAZY, "speaks no SMTP: 'HTTP/1.0 400 Bad Request'");
}

static void test_a_banner_without_end_is_down(void **state)
{
	Scene *scene = *state;
	g_autoptr(GString) banner = g_string_new(NULL);
	while (banner->len <= SMTP_MAXIMUM_REPLY_BYTES)
		g_string_append(banner, "220-and another line\r\n");
	scene->banner = banner->str;
	expect_down(scene, LAZY, "a banner without end");
	g_autofree char *line = g_strnfill(SMTP_MAXIMUM_REPLY_BYTES + 1, '2');
	scene->banner = line;
	g_clear_pointer(&scene->config, config_free);
	expect_down(scene, LAZY, "a banner without end");
}

static void test_a_closed_port_is_down(void **state)
{
	Scene *scene = *state;
	Address nobody;
	assert_true(address_parse("127.0.0.2", &nobody));
	BedWatch *watch = bed_watch(scene->bed, bed_service(&scene->config, LAZY), CONFIG_SMTP,
		&nobody, partner_port(scene->partner));
	bed_wait(watch, 1);
	assert_string_equal(watch->why, "connection refused");
}

/* The reader alone */

static SmtpState read_text(SmtpReply *reply, const char *text, gsize *used)
{
	*reply = (SmtpReply){0};
	return smtp_reply_read(reply, text, strlen(text), used);
}

static void test_a_reply_ends_with_its_last_line(void **state)
{
	SmtpReply reply;
	gsize used;
	assert_int_equal(read_text(&reply, "250-a\r\n250 b\r\n220 next", &used), SMTP_WHOLE);
	assert_int_equal(used, 14);
	assert_int_equal(reply.code, 250);
	assert_string_equal(reply.line, "250 b");
	assert_int_equal(read_text(&reply, "220\n", &used), SMTP_WHOLE);
	assert_int_equal(reply.code, 220);
	assert_int_equal(read_text(&reply, "250-a\r\n250", &used), SMTP_MORE);
}

static void test_what_is_no_reply_is_noticed(void **state)
{
	static const char *const bad[] = {"\r\n", "22\r\n", "2x0 a\r\n", "220x\r\n", "199 a\r\n",
		"600 a\r\n", "250-a\r\n251 b\r\n"};
	SmtpReply reply;
	gsize used;
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_int_equal(read_text(&reply, bad[i], &used), SMTP_BROKEN);
}

static void test_the_reply_does_not_depend_on_how_it_comes(void **state)
{
	static const char text[] = "250-first\r\n250 second\r\n";
	SmtpReply reply = {0};
	gsize used;
	for (gsize i = 0; i + 2 < sizeof text; i++)
		assert_int_equal(smtp_reply_read(&reply, text + i, 1, &used), SMTP_MORE);
	assert_int_equal(smtp_reply_read(&reply, "\n", 1, &used), SMTP_WHOLE);
	assert_string_equal(reply.line, "250 second");
}

static void test_of_a_long_line_the_beginning_is_kept(void **state)
{
	g_autofree char *tail = g_strnfill(200, 'x');
	g_autofree char *text = g_strconcat("220 ", tail, "\r\n", NULL);
	SmtpReply reply;
	gsize used;
	assert_int_equal(read_text(&reply, text, &used), SMTP_WHOLE);
	assert_int_equal(strlen(reply.line), SMTP_KEPT_BYTES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_server_that_greets_is_up_and_is_left_politely),
		TEST(test_a_banner_of_several_lines_is_one),
		TEST(test_a_byte_at_a_time_is_as_good),
		TEST(test_a_server_that_is_full_is_down),
		TEST(test_a_server_that_refuses_our_hello_is_down),
		TEST(test_silence_is_down),
		TEST(test_a_server_that_hangs_up_is_down),
		TEST(test_what_it_says_to_quit_does_not_matter),
		TEST(test_what_speaks_no_smtp_is_down),
		TEST(test_a_banner_without_end_is_down),
		TEST(test_a_closed_port_is_down),
		cmocka_unit_test(test_a_reply_ends_with_its_last_line),
		cmocka_unit_test(test_what_is_no_reply_is_noticed),
		cmocka_unit_test(test_the_reply_does_not_depend_on_how_it_comes),
		cmocka_unit_test(test_of_a_long_line_the_beginning_is_kept),
	};
	return cmocka_run_group_tests_name("monitor smtp", tests, NULL, NULL);
}
