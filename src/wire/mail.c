/* SPDX-License-Identifier: ISC
 *
 * Sending one mail by SMTP, and saying for certain what became of it.
 *
 * The outcome decides whether a person gets a mail twice, once, or never, so it is read from three
 * facts: whether the server asked for the mail's text (it answered DATA with 354, and libcurl then
 * calls give()), the last code the server sent, and what libcurl stumbled over.
 *
 *     text asked for   last code    outcome
 *     no               5xx to MAIL, RCPT or DATA       rejected
 *     no               5xx elsewhere, or about login   later: the configuration is wrong, not the
 * mail no               4xx, none, or broken off        later yes              5xx rejected yes 4xx
 * later: RFC 5321, 4.2.5: nothing was taken yes              354: broken off before a reply unknown
 */
#include <curl/curl.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/mail.h"
#include "wire/mail_inside.h"

#define TIMEOUT_DEFAULT_MS  30000
#define FAREWELL_MS	    1500L /* libcurl looks once a second whether we have had enough */
#define REPLY_MAXIMUM_BYTES 300

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)
typedef struct curl_slist CurlList;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CurlList, curl_slist_free_all)

/* A mail on its way out. */
typedef struct Sending {
	const char *text;
	gsize length;
	gsize given;
	int fd;				   /* -1 before there is one */
	gint64 until_us;		   /* when all patience ends */
	gboolean asked;			   /* the server wants the text */
	char refusal[REPLY_MAXIMUM_BYTES]; /* its last line that was one */
} Sending;

static size_t give(char *buffer, size_t unit, size_t count, void *of)
{
	Sending *sending = of;
	gsize size_bytes = MIN(unit * count, sending->length - sending->given);
	sending->asked = TRUE;
	memcpy(buffer, sending->text + sending->given, size_bytes);
	sending->given += size_bytes;
	return size_bytes;
}

/* A line from the server. Refusals are kept; what comes last is the answer to QUIT. */
static size_t hear(char *line, size_t unit, size_t count, void *of)
{
	Sending *sending = of;
	gsize size_bytes = unit * count;
	if (size_bytes > 0 && (line[0] == '4' || line[0] == '5')) {
		gsize length = MIN(size_bytes, sizeof(sending->refusal) - 1);
		memcpy(sending->refusal, line, length);
		sending->refusal[length] = '\0';
		g_strchomp(sending->refusal);
	}
	return size_bytes;
}

/* At its own timeout libcurl still says QUIT, and would wait a minute for the answer: so the
 * connection is shut down just before. */
static int watch_time(void *of, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const Sending *sending = of;
	gboolean late = g_get_monotonic_time() > sending->until_us;
	if (late && sending->fd >= 0)
		shutdown(sending->fd, SHUT_RDWR);
	return late;
}

static int keep_socket(void *of, curl_socket_t fd, curlsocktype purpose)
{
	Sending *sending = of;
	sending->fd = fd;
	return CURL_SOCKOPT_OK;
}

static gboolean is_implicit_tls(const MailServer *server)
{
	return g_ascii_strncasecmp(server->url, "smtps://", 8) == 0;
}

static void set_up_server(CURL *curl, const MailServer *server)
{
	curl_easy_setopt(curl, CURLOPT_URL, server->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* A name server that is silent must not hold us beyond our own timeout. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
		(long)(server->timeout_ms ? server->timeout_ms : TIMEOUT_DEFAULT_MS) + FAREWELL_MS);
	curl_easy_setopt(curl, CURLOPT_USE_SSL,
		(long)(server->require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	gboolean check = server->require_tls || server->password || server->ca_file ||
			 is_implicit_tls(server);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, check ? 1L : 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, check ? 2L : 0L);
	if (server->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, server->ca_file);
	if (server->user)
		curl_easy_setopt(curl, CURLOPT_USERNAME, server->user);
	if (server->password)
		curl_easy_setopt(curl, CURLOPT_PASSWORD, server->password);
}

static CURLcode transfer(CURL *curl, const char *from, const char *to, Sending *sending)
{
	g_autofree char *recipient = g_strdup_printf("<%s>", to);
	g_autofree char *sender = g_strdup_printf("<%s>", from);
	g_autoptr(CurlList) recipients = curl_slist_append(NULL, recipient);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)sending->length);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(curl, CURLOPT_READDATA, sending);
	curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, keep_socket);
	curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, sending);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_time);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, sending);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, hear);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, sending);
	return curl_easy_perform(curl);
}

/* Codes that speak of us and not of the mail: log in first, log in otherwise, use TLS. */
static gboolean is_about_login(long reply)
{
	return reply == 530 || reply == 534 || reply == 535 || reply == 538;
}

static MailOutcome judge(CURLcode code, gboolean asked, long reply)
{
	gboolean is_final_no = reply >= 500 && reply <= 599 && !is_about_login(reply);
	if (code == CURLE_OK)
		return MAIL_SENT;
	if (asked && is_final_no)
		return MAIL_REJECTED;
	if (asked && reply < 400)
		return MAIL_UNKNOWN;
	/* What libcurl says when MAIL, RCPT or DATA is refused, and nothing before them. */
	if (!asked && is_final_no && code == CURLE_SEND_ERROR)
		return MAIL_REJECTED;
	return MAIL_LATER;
}

/* What the server said is the best explanation; it is text from outside. */
static char *explain(
	const MailServer *server, CURLcode code, const char *words, const Sending *sending)
{
	const char *reason = *words ? words : curl_easy_strerror(code);
	if (g_get_monotonic_time() > sending->until_us)
		reason = "no answer in the time allowed";
	g_autofree char *reply = g_utf8_make_valid(sending->refusal, -1);
	for (char *c = reply; *c; c++)
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	if (*reply)
		return g_strdup_printf("%s answered: %s (%s)", server->url, reply, reason);
	return g_strdup_printf("%s: %s", server->url, reason);
}

/* What cannot work is said before anything is sent. NULL when there is nothing. */
static char *obstacle(
	const MailServer *server, const char *from, const char *to, MailOutcome *outcome)
{
	*outcome = MAIL_LATER;
	if (!is_implicit_tls(server) && g_ascii_strncasecmp(server->url, "smtp://", 7) != 0)
		return g_strdup_printf(
			"\"%s\" is no mail server: it must begin with smtp:// or smtps://",
			server->url);
	if (!mail_address_is_valid(from))
		return g_strdup("the sender's address is not of the form name@domain");
	if (!mail_address_is_valid(to)) {
		*outcome = MAIL_REJECTED;
		return g_strdup("the recipient's address is not of the form name@domain");
	}
	return NULL;
}

MailOutcome mail_send(const MailServer *server, const Mail *mail, char **problem)
{
	MailOutcome outcome;
	g_autofree char *from = mail_bare_address(mail->from);
	g_autofree char *to = mail_bare_address(mail->to);
	*problem = obstacle(server, from, to, &outcome);
	if (*problem)
		return outcome;

	g_autofree char *text = mail_compose(mail);
	guint timeout_ms = server->timeout_ms ? server->timeout_ms : TIMEOUT_DEFAULT_MS;
	Sending sending = {.text = text,
		.length = strlen(text),
		.fd = -1,
		.until_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000};
	char words[CURL_ERROR_SIZE] = "";
	g_autoptr(CURL) curl = curl_easy_init();
	g_assert(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	set_up_server(curl, server);
	CURLcode code = transfer(curl, from, to, &sending);
	long reply = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
	outcome = judge(code, sending.asked, reply);
	if (outcome != MAIL_SENT)
		*problem = explain(server, code, words, &sending);
	return outcome;
}
