/* SPDX-License-Identifier: ISC
 *
 * Mail: the message byte for byte, and the outcome for everything a server may do
 * (tests/smtp-sink).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"
#include "wire/mail.h"

static Mail plain_mail(void)
{
	return (Mail){
		.from = "Drover <drover@example.org>",
		.to = "ada@example.org",
		.subject = "Change 7 goes live",
		.body = "Hello\n",
		.message_id = "7.1@drover.example.org",
		.date_us = G_GINT64_CONSTANT(1795232839000000),
	};
}

/* -- the message
 * ------------------------------------------------------------------------------------ */

static void test_message_is_composed(void **state)
{
	Mail mail = plain_mail();
	mail.in_reply_to = "7.0@drover.example.org";
	mail.body = "Caf\xc3\xa9 = coffee\n.\n..two\nFrom here\nblank at the end \n\nlast";
	g_autofree char *text = mail_compose(&mail);
	assert_string_equal(text, "From: \"Drover\"\r\n"
				  " <drover@example.org>\r\n"
				  "To: ada@example.org\r\n"
				  "Subject: Change 7 goes live\r\n"
				  "Date: Sat, 21 Nov 2026 03:47:19 +0000\r\n"
				  "Message-ID: <7.1@drover.example.org>\r\n"
				  "In-Reply-To: <7.0@drover.example.org>\r\n"
				  "References: <7.0@drover.example.org>\r\n"
				  "Auto-Submitted: auto-generated\r\n"
				  "MIME-Version: 1.0\r\n"
				  "Content-Type: text/plain; charset=utf-8\r\n"
				  "Content-Transfer-Encoding: quoted-printable\r\n"
				  "\r\n"
				  "Caf=C3=A9 =3D coffee\r\n"
				  "=2E\r\n"
				  "=2E.two\r\n"
				  "=46rom here\r\n"
				  "blank at the end=20\r\n"
				  "\r\n"
				  "last\r\n");
}

/* The line of a field, with its folded lines. Caller frees. */
static char *field_of(const Mail *mail, const char *name)
{
	g_autofree char *text = mail_compose(mail);
	g_autofree char *start = g_strdup_printf("\r\n%s: ", name);
	const char *field = strstr(text, start);
	assert_non_null(field);
	field += strlen(start);
	const char *end = strstr(field, "\r\n");
	while (end[2] == ' ')
		end = strstr(end + 2, "\r\n");
	return g_strndup(field, (gsize)(end - field));
}

static void test_subject_is_encoded_where_needed(void **state)
{
	Mail mail = plain_mail();
	mail.subject = "Gr\xc3\xbc\xc3\x9f"
		       "e";
	g_autofree char *greeting = field_of(&mail, "Subject");
	assert_string_equal(greeting, "=?UTF-8?B?R3LDvMOfZQ==?=");
	mail.subject = "=?UTF-8?B?x?=";
	g_autofree char *pretender = field_of(&mail, "Subject");
	assert_string_equal(pretender, "=?UTF-8?B?PT9VVEYtOD9CP3g/PQ==?=");
	/* 24 times two bytes: 19 characters are 38 bytes, and the next would be bytes 39 and 40. */
	mail.subject =
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9";
	g_autofree char *folded = field_of(&mail, "Subject");
	assert_string_equal(folded,
		"=?UTF-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6k=?=\r\n"
		" =?UTF-8?B?w6nDqcOpw6nDqQ==?=");
}

static void test_display_names_are_quoted_or_encoded(void **state)
{
	Mail mail = plain_mail();
	mail.to = "O\"Hara, Ada <ada@example.org>";
	g_autofree char *quoted = field_of(&mail, "To");
	assert_string_equal(quoted, "\"O\\\"Hara, Ada\"\r\n <ada@example.org>");
	mail.to = "J\xc3\xb6rg <j@example.org>";
	g_autofree char *encoded = field_of(&mail, "To");
	assert_string_equal(encoded, "=?UTF-8?B?SsO2cmc=?=\r\n <j@example.org>");
}

static void test_headers_cannot_be_injected(void **state)
{
	Mail mail = plain_mail();
	mail.subject = "x\r\nBcc: eve@example.org\r\n\r\nbody";
	mail.to = "Ada\r\nCc: eve@example.org\r\n <ada@example.org>";
	mail.from = "a@example.org\r\nCc: eve@example.org";
	mail.message_id = "1@x>\r\nCc: eve@example.org";
	mail.in_reply_to = "2@x\nCc: eve@example.org";
	g_autofree char *text = mail_compose(&mail);
	assert_null(strstr(text, "\nCc:"));
	assert_null(strstr(text, "\nBcc:"));
	/* The first empty line is ours. */
	assert_ptr_equal(strstr(text, "\r\n\r\n"), strstr(text, "quoted-printable\r\n") + 16);
	for (const char *c = text; *c; c++)
		assert_true(*c != '\n' || (c > text && c[-1] == '\r'));
}

static void test_no_line_is_longer_than_78(void **state)
{
	Mail mail = plain_mail();
	g_autofree char *word = g_strnfill(500, 'w');
	g_autofree char *words =
		g_strdup_printf("%s one two three four five six seven eight nine ten "
				"eleven twelve thirteen fourteen fifteen sixteen",
			"zero");
	g_autofree char *body = g_strdup_printf("%s\n%s.%s\n", word, word, word);
	const char *const subjects[] = {word, words, "\xf0\x9f\x90\x91 sheep"};
	mail.body = body;
	for (gsize s = 0; s < G_N_ELEMENTS(subjects); s++) {
		mail.subject = subjects[s];
		g_autofree char *text = mail_compose(&mail);
		g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
		for (gsize i = 0; lines[i]; i++) {
			assert_true(strlen(lines[i]) <= 78);
			assert_true(lines[i][0] != '.');
		}
	}
}

static void test_addresses_are_checked(void **state)
{
	static const char *const good[] = {"a@b", "first.last+tag@example.org", "x@[192.0.2.1]"};
	static const char *const bad[] = {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\n", "a@b>",
		"<a@b", "a@b,c@d", "\xc3\xa9@b", "\"a\"@b"};
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
		assert_true(mail_address_is_valid(good[i]));
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(mail_address_is_valid(bad[i]));
	g_autofree char *name = g_strnfill(MAIL_MAXIMUM_ADDRESS_BYTES - 2, 'a');
	g_autofree char *longest = g_strconcat(name, "@b", NULL);
	g_autofree char *longer = g_strconcat(name, "@bc", NULL);
	assert_true(mail_address_is_valid(longest));
	assert_false(mail_address_is_valid(longer));
}

/* -- the outcome
 * ------------------------------------------------------------------------------------ */

typedef struct Sink {
	GPid pid;
	int input;
	char *folder;
	char *url;
	guint16 port;
} Sink;

/* Arguments as in a shell, NULL for none. */
static void sink_start(Sink *sink, const char *arguments)
{
	g_autoptr(GError) error = NULL;
	*sink = (Sink){.folder = g_dir_make_tmp("drover-mail-XXXXXX", &error)};
	assert_non_null(sink->folder);
	g_autofree char *command = g_strdup_printf(
		"%s %s %s", g_getenv("SMTP_SINK"), sink->folder, arguments ? arguments : "");
	g_auto(GStrv) words = NULL;
	assert_true(g_shell_parse_argv(command, NULL, &words, &error));
	int output = -1;
	gboolean started = g_spawn_async_with_pipes(NULL, words, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
		NULL, NULL, &sink->pid, &sink->input, &output, NULL, &error);
	assert_null(error);
	assert_true(started);
	char line[16] = "";
	gsize length = 0;
	while (length < sizeof(line) - 1 && read(output, line + length, 1) == 1 &&
		line[length] != '\n')
		length++;
	close(output);
	sink->port = (guint16)g_ascii_strtoull(line, NULL, 10);
	assert_true(sink->port > 0);
	sink->url = g_strdup_printf("smtp://127.0.0.1:%u", sink->port);
}

static void sink_stop(Sink *sink)
{
	close(sink->input);
	waitpid(sink->pid, NULL, 0);
	g_spawn_close_pid(sink->pid);
	g_autoptr(GDir) folder = g_dir_open(sink->folder, 0, NULL);
	const char *name;
	while ((name = g_dir_read_name(folder))) {
		g_autofree char *path = g_build_filename(sink->folder, name, NULL);
		g_unlink(path);
	}
	g_rmdir(sink->folder);
	g_free(sink->folder);
	g_free(sink->url);
}

/* A file of the sink's first mail; NULL when it has none. Caller frees. */
static char *sink_mail(const Sink *sink, const char *suffix)
{
	g_autofree char *path = g_strdup_printf("%s/0001.%s", sink->folder, suffix);
	char *text = NULL;
	g_file_get_contents(path, &text, NULL, NULL);
	return text;
}

static MailServer server_at(const Sink *sink)
{
	return (MailServer){.url = sink->url, .timeout_ms = 10000};
}

/* Sends the plain mail to a sink that does what it is told, and checks the outcome and the words.
 */
static void assert_outcome(const char *arguments, MailOutcome outcome, const char *words)
{
	Sink sink;
	sink_start(&sink, arguments);
	MailServer server = server_at(&sink);
	Mail mail = plain_mail();
	g_autofree char *problem = NULL;
	MailOutcome found = mail_send(&server, &mail, &problem);
	if (found != outcome || !problem || !strstr(problem, words))
		fail_msg("%s: outcome %d instead of %d: %s", arguments, found, outcome, problem);
	sink_stop(&sink);
}

static void test_mail_arrives_as_composed(void **state)
{
	Sink sink;
	sink_start(&sink, NULL);
	MailServer server = server_at(&sink);
	Mail mail = plain_mail();
	mail.body = ".\n.hidden\n\nGr\xc3\xbc\xc3\x9f"
		    "e\n";
	g_autofree char *problem = NULL;
	assert_int_equal(mail_send(&server, &mail, &problem), MAIL_SENT);
	assert_null(problem);
	g_autofree char *composed = mail_compose(&mail);
	g_autofree char *arrived = sink_mail(&sink, "eml");
	assert_string_equal(arrived, composed);
	g_autofree char *about = sink_mail(&sink, "json");
	assert_string_equal(about,
		"{\"from\": \"drover@example.org\", \"to\": [\"ada@example.org\"], "
		"\"tls\": false, \"user\": null}");
	sink_stop(&sink);
}

static void test_final_refusal_is_not_tried_again(void **state)
{
	assert_outcome("--refuse-sender 550", MAIL_REJECTED, "550 the sink knows no such sender");
	assert_outcome(
		"--refuse-recipient 550", MAIL_REJECTED, "550 the sink knows no such recipient");
	assert_outcome("--refuse-data 554", MAIL_REJECTED, "554 the sink takes no data");
	assert_outcome(
		"--refuse-message 554", MAIL_REJECTED, "554 the sink does not like this mail");
}

static void test_refusal_for_now_is_tried_later(void **state)
{
	assert_outcome("--greet 421", MAIL_LATER, "421 the sink is closed");
	assert_outcome("--refuse-sender 451", MAIL_LATER, "451 ");
	assert_outcome("--refuse-recipient 450", MAIL_LATER, "450 ");
	assert_outcome("--refuse-recipient 421", MAIL_LATER, "421 ");
	assert_outcome("--refuse-data 451", MAIL_LATER, "451 ");
	assert_outcome("--refuse-message 452", MAIL_LATER, "452 ");
	assert_outcome("--refuse-message 421", MAIL_LATER, "421 ");
	assert_outcome("--drop-before", MAIL_LATER, "smtp://127.0.0.1");
}

static void test_wrong_configuration_is_tried_later(void **state)
{
	assert_outcome("--greet 554", MAIL_LATER, "554 the sink is closed");
	/* Who demands a login or TLS refuses us, not the mail. */
	assert_outcome("--password secret", MAIL_LATER, "530 ");
}

static void test_unknown_when_broken_after_data(void **state)
{
	Sink sink;
	sink_start(&sink, "--drop");
	MailServer server = server_at(&sink);
	Mail mail = plain_mail();
	g_autofree char *problem = NULL;
	assert_int_equal(mail_send(&server, &mail, &problem), MAIL_UNKNOWN);
	assert_non_null(problem);
	g_autofree char *arrived = sink_mail(&sink, "eml"); /* it did arrive */
	assert_non_null(arrived);
	sink_stop(&sink);
}

static void test_silence_ends_at_the_timeout(void **state)
{
	static const struct {
		const char *arguments;
		MailOutcome outcome;
	} cases[] = {{"--slow 60", MAIL_LATER}, {"--slow-message 60", MAIL_UNKNOWN}};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Sink sink;
		sink_start(&sink, cases[i].arguments);
		MailServer server = server_at(&sink);
		server.timeout_ms = 700;
		Mail mail = plain_mail();
		g_autofree char *problem = NULL;
		assert_int_equal(mail_send(&server, &mail, &problem), cases[i].outcome);
		if (!strstr(problem, "time"))
			fail_msg("%s", problem);
		sink_stop(&sink);
	}
}

static void test_server_away_is_tried_later(void **state)
{
	Sink sink;
	sink_start(&sink, NULL);
	g_autofree char *url = g_strdup(sink.url);
	sink_stop(&sink);
	MailServer server = {.url = url, .timeout_ms = 5000};
	Mail mail = plain_mail();
	g_autofree char *refused = NULL;
	assert_int_equal(mail_send(&server, &mail, &refused), MAIL_LATER);
	assert_non_null(strstr(refused, "onnect"));
	server.url = "smtp://no-such-host.invalid";
	g_autofree char *unknown = NULL;
	assert_int_equal(mail_send(&server, &mail, &unknown), MAIL_LATER);
	assert_non_null(unknown);
	server.url = "http://127.0.0.1/";
	g_autofree char *other = NULL;
	assert_int_equal(mail_send(&server, &mail, &other), MAIL_LATER);
	assert_string_equal(other,
		"\"http://127.0.0.1/\" is no mail server: it must begin with smtp:// or smtps://");
}

static void test_wrong_addresses_are_not_sent(void **state)
{
	MailServer server = {.url = "smtp://127.0.0.1:1"};
	Mail mail = plain_mail();
	mail.to = "ada@example.org>\r\nRCPT TO:<eve@example.org";
	g_autofree char *recipient = NULL;
	assert_int_equal(mail_send(&server, &mail, &recipient), MAIL_REJECTED);
	assert_string_equal(recipient, "the recipient's address is not of the form name@domain");
	mail = plain_mail();
	mail.from = "drover";
	g_autofree char *sender = NULL;
	assert_int_equal(mail_send(&server, &mail, &sender), MAIL_LATER);
	assert_string_equal(sender, "the sender's address is not of the form name@domain");
}

static void test_login_is_used(void **state)
{
	Sink sink;
	sink_start(&sink, "--password secret");
	MailServer server = server_at(&sink);
	server.user = "drover";
	server.password = "secret";
	Mail mail = plain_mail();
	g_autofree char *problem = NULL;
	assert_int_equal(mail_send(&server, &mail, &problem), MAIL_SENT);
	g_autofree char *about = sink_mail(&sink, "json");
	assert_non_null(strstr(about, "\"user\": \"drover\""));

	server.password = "wrong";
	g_autofree char *denied = NULL;
	assert_int_equal(mail_send(&server, &mail, &denied), MAIL_LATER);
	assert_non_null(strstr(denied, "535 "));
	sink_stop(&sink);
}

/* -- TLS
 * -------------------------------------------------------------------------------------------- */

typedef struct Pair {
	char *folder;
	char *certificate;
	char *key;
} Pair;

static gboolean pair_make(Pair *pair)
{
	*pair = (Pair){.folder = g_dir_make_tmp("drover-mail-tls-XXXXXX", NULL)};
	pair->certificate = g_build_filename(pair->folder, "cert.pem", NULL);
	pair->key = g_build_filename(pair->folder, "key.pem", NULL);
	return peer_make_certificate(pair->certificate, pair->key);
}

static void pair_clear(Pair *pair)
{
	g_unlink(pair->certificate);
	g_unlink(pair->key);
	g_rmdir(pair->folder);
	g_free(pair->folder);
	g_free(pair->certificate);
	g_free(pair->key);
}

static void test_starttls_is_used_and_demanded(void **state)
{
	Pair pair;
	if (!pair_make(&pair)) {
		pair_clear(&pair);
		print_message("openssl is not installed\n");
		skip();
	}
	g_autofree char *arguments = g_strdup_printf(
		"--certificate %s --key %s --require-tls", pair.certificate, pair.key);
	Sink sink;
	sink_start(&sink, arguments);
	MailServer server = server_at(&sink);
	Mail mail = plain_mail();
	g_autofree char *problem = NULL;
	assert_int_equal(mail_send(&server, &mail, &problem), MAIL_SENT); /* offered: taken */
	g_autofree char *about = sink_mail(&sink, "json");
	assert_non_null(strstr(about, "\"tls\": true"));

	server.require_tls = TRUE; /* now the certificate must be one that we know */
	g_autofree char *unknown = NULL;
	assert_int_equal(mail_send(&server, &mail, &unknown), MAIL_LATER);
	assert_non_null(strstr(unknown, "certificate"));
	server.ca_file = pair.certificate;
	g_autofree char *known = NULL;
	assert_int_equal(mail_send(&server, &mail, &known), MAIL_SENT);
	sink_stop(&sink);

	sink_start(&sink, NULL); /* a server without TLS gets nothing */
	server = server_at(&sink);
	server.require_tls = TRUE;
	g_autofree char *plain = NULL;
	assert_int_equal(mail_send(&server, &mail, &plain), MAIL_LATER);
	g_autofree char *arrived = sink_mail(&sink, "eml");
	assert_null(arrived);
	sink_stop(&sink);
	pair_clear(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_is_composed),
		cmocka_unit_test(test_subject_is_encoded_where_needed),
		cmocka_unit_test(test_display_names_are_quoted_or_encoded),
		cmocka_unit_test(test_headers_cannot_be_injected),
		cmocka_unit_test(test_no_line_is_longer_than_78),
		cmocka_unit_test(test_addresses_are_checked),
		cmocka_unit_test(test_mail_arrives_as_composed),
		cmocka_unit_test(test_final_refusal_is_not_tried_again),
		cmocka_unit_test(test_refusal_for_now_is_tried_later),
		cmocka_unit_test(test_wrong_configuration_is_tried_later),
		cmocka_unit_test(test_unknown_when_broken_after_data),
		cmocka_unit_test(test_silence_ends_at_the_timeout),
		cmocka_unit_test(test_server_away_is_tried_later),
		cmocka_unit_test(test_wrong_addresses_are_not_sent),
		cmocka_unit_test(test_login_is_used),
		cmocka_unit_test(test_starttls_is_used_and_demanded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
