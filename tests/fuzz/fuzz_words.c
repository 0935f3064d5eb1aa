/* SPDX-License-Identifier: ISC
 *
 * Any bytes as each of the small things that people and proxies write: a time, a duration, a
 * number, an address to listen on, a mail address, names of item patterns, X-Forwarded-For. Refused
 * in words, or read, and then what is written of it reads the same.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/error.h"
#include "base/format.h"
#include "landing/message.h"
#include "programs/droverd/listen.h"
#include "wire/http_inside.h"
#include "wire/mail.h"

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

/* TRUE when it was read; a refusal is an input error that can be shown. */
static gboolean was_read(gboolean read, GError **error)
{
	g_assert(read == (*error == NULL));
	if (*error != NULL) {
		g_assert((*error)->domain == DROVER_ERROR && (*error)->code == DROVER_ERROR_INPUT);
		g_assert(g_utf8_validate((*error)->message, -1, NULL));
		g_clear_error(error);
	}
	return read;
}

static void check_time(const char *text)
{
	GError *error = NULL;
	gint64 time_us, again_us;
	if (!was_read(parse_time(text, &time_us, &error), &error))
		return;
	g_autofree char *written = format_time(time_us);
	gboolean read = parse_time(written, &again_us, NULL);
	g_assert(read && again_us == time_us);
	g_autofree char *mail = format_time_mail(time_us);
	g_autofree char *brief = format_time_short(time_us);
	g_autofree char *date = format_date(time_us);
	g_assert(mail && brief && date);
}

static void check_numbers(const char *text)
{
	GError *error = NULL, *other = NULL;
	gint64 seconds, number;
	if (was_read(parse_duration(text, &seconds, &error), &error)) {
		g_assert_cmpint(seconds, >=, 0);
		g_autofree char *written = format_duration(seconds);
		g_assert(g_ascii_isdigit(*written));
	}
	if (was_read(parse_integer(text, "number", -5, G_MAXINT64, &number, &other), &other)) {
		g_assert_cmpint(number, >=, -5);
		g_autofree char *written = format_count(number);
		g_assert(*written == '-' || g_ascii_isdigit(*written));
	}
}

static void check_listen(const char *text)
{
	GError *error = NULL;
	g_auto(ListenAddress) address = {0}, again = {0};
	if (!was_read(listen_address_parse(text, "[admin] listen", &address, &error), &error))
		return;
	g_autofree char *written = listen_address_text(address.address, address.port);
	gboolean read = listen_address_parse(written, "again", &again, NULL);
	g_assert(read && again.port == address.port);
	g_assert_cmpstr(again.address, ==, address.address);
	listen_address_is_loopback(&address);
}

static void check_patterns(const char *text)
{
	GError *error = NULL;
	guint patterns;
	was_read(item_patterns_parse(text, &patterns, &error), &error);
}

static void check_mail_address(const char *text)
{
	if (!mail_address_is_valid(text))
		return;
	g_assert(g_str_is_ascii(text) && strlen(text) <= MAIL_MAXIMUM_ADDRESS_BYTES);
	g_assert(!strpbrk(text, " \r\n\t<>,") && strchr(text, '@') != NULL);
}

static void check_forwarded(const char *text, gsize size_bytes)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	unsigned char address[sizeof(struct in6_addr)];
	g_autoptr(HttpRequest) request = http_request_new("/");
	if (http_request_add_header(request, "X-Forwarded-For", 15, text, size_bytes) ||
		http_request_add_header(request, "X-Forwarded-Proto", 17, text, size_bytes))
		return;
	http_request_set_peer(request, (const struct sockaddr *)&from, FALSE, TRUE);
	const char *peer = http_request_peer(request);
	g_assert(inet_pton(AF_INET, peer, address) == 1 || inet_pton(AF_INET6, peer, address) == 1);
}

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	g_autofree char *text = g_strndup((const char *)bytes, size_bytes);
	check_time(text);
	check_numbers(text);
	check_listen(text);
	check_patterns(text);
	check_mail_address(text);
	check_forwarded((const char *)bytes, size_bytes);
	return 0;
}
