/* SPDX-License-Identifier: ISC
 *
 * Answers as bytes, for our own loop. Everything that is written was checked when it was put into
 * the answer.
 */
#include <time.h>

#include "wire/http_inside.h"

void http_date_text(gint64 when_s, char text[HTTP_DATE_SIZE])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t when = (time_t)when_s;
	struct tm at = {0};
	gmtime_r(&when, &at);
	g_snprintf(text, HTTP_DATE_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
		days + at.tm_wday * 3, at.tm_mday, months + at.tm_mon * 3, at.tm_year + 1900,
		at.tm_hour, at.tm_min, at.tm_sec);
}

static void append_number(GString *out, guint64 number)
{
	char digits[20];
	gsize at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	g_string_append_len(out, digits + at, (gssize)(sizeof(digits) - at));
}

goffset http_write_length(const HttpAnswer *answer)
{
	const HttpFile *file = http_answer_file(answer);
	return file->fd >= 0 ? file->length : (goffset)g_bytes_get_size(http_answer_body(answer));
}

void http_write_head(GString *out, const HttpAnswer *answer, const HttpWriting *how)
{
	int status = http_answer_status(answer);
	const GString *fields = http_answer_fields(answer);
	g_string_append(out, "HTTP/1.1 ");
	append_number(out, (guint64)status);
	g_string_append_c(out, ' ');
	g_string_append(out, MHD_get_reason_phrase_for((unsigned)status));
	g_string_append(out, "\r\nDate: ");
	g_string_append(out, how->date);
	g_string_append(out, "\r\n");
	if (how->is_last)
		g_string_append(out, "Connection: close\r\n");
	else if (how->is_old)
		g_string_append(out, "Connection: keep-alive\r\n");
	g_string_append_len(out, fields->str, (gssize)fields->len);
	if (status != 204 && status != 304) {
		g_string_append(out, "Content-Length: ");
		append_number(out, (guint64)http_write_length(answer));
		g_string_append(out, "\r\n");
	}
	g_string_append(out, "\r\n");
}
