/* SPDX-License-Identifier: ISC
 *
 * As much of HTTP/1 as a face needs: the head of a request without a body, one answer, then the
 * connection ends. Read by hand, because evhttp bounds neither connections nor the time that a
 * request takes.
 */
#include <string.h>

#include "balance/director/face.h"

/* A token of RFC 9110: methods and names of fields. */
static gboolean is_token(const char *text)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";
	for (const char *at = text; *at != '\0'; at++)
		if (!g_ascii_isalnum(*at) && strchr(marks, *at) == NULL)
			return FALSE;
	return *text != '\0';
}

static gboolean is_visible(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if (*at <= ' ' || *at >= 0x7f)
			return FALSE;
	return TRUE;
}

static guint read_first_line(const char *line, FaceRequest *request)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 4);
	if (g_strv_length(words) != 3 || !is_token(words[0]) || words[1][0] != '/' ||
		!is_visible(words[1]) || !g_str_has_prefix(words[2], "HTTP/"))
		return 400;
	if (strcmp(words[2], "HTTP/1.1") != 0 && strcmp(words[2], "HTTP/1.0") != 0)
		return 505;
	request->method = g_strdup(words[0]);
	request->target = g_strdup(words[1]);
	return 0;
}

static guint read_field(char *line, FaceRequest *request)
{
	char *colon = strchr(line, ':');
	if (colon == NULL)
		return 400;
	*colon = '\0';
	char *value = g_strstrip(colon + 1);
	if (!is_token(line))
		return 400;
	if (g_ascii_strcasecmp(line, "transfer-encoding") == 0 ||
		(g_ascii_strcasecmp(line, "content-length") == 0 && strcmp(value, "0") != 0))
		return 413;
	if (g_ascii_strcasecmp(line, "accept") == 0) {
		char *before = request->accept;
		request->accept =
			before != NULL ? g_strconcat(before, ",", value, NULL) : g_strdup(value);
		g_free(before);
	}
	return 0;
}

guint face_request_parse(const char *head, gsize size_bytes, FaceRequest *request)
{
	*request = (FaceRequest){0};
	if (memchr(head, '\0', size_bytes) != NULL)
		return 400;
	g_autofree char *text = g_strndup(head, size_bytes);
	g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
	guint refused = lines[0] != NULL ? read_first_line(lines[0], request) : 400;
	for (guint i = 1; refused == 0 && lines[i] != NULL && lines[i][0] != '\0'; i++)
		refused = read_field(lines[i], request);
	return refused;
}

void face_request_clear(FaceRequest *request)
{
	g_free(request->method);
	g_free(request->target);
	g_free(request->accept);
	*request = (FaceRequest){0};
}

static const char *reason_of(guint status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 413:
		return "Content Too Large";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		g_assert_not_reached();
	}
}

void face_refuse(guint status, FaceAnswer *answer)
{
	g_autofree char *reason = g_ascii_strdown(reason_of(status), -1);
	*answer = (FaceAnswer){.status = status,
		.type = "text/plain; charset=utf-8",
		.body = g_strconcat(reason, "\n", NULL)};
}

GBytes *face_answer_bytes(const FaceAnswer *answer)
{
	GString *text = g_string_new(NULL);
	g_string_append_printf(text,
		"HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s"
		"Connection: close\r\n\r\n",
		answer->status, reason_of(answer->status), answer->type, strlen(answer->body),
		answer->status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (!answer->head_only)
		g_string_append(text, answer->body);
	return g_string_free_to_bytes(text);
}

void face_answer_clear(FaceAnswer *answer)
{
	g_free(answer->body);
	*answer = (FaceAnswer){0};
}
