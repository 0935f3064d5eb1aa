/* SPDX-License-Identifier: ISC
 *
 * Reading just as much of a URL as its host takes. What clients might read in two ways (a
 * backslash, a user before the host) is no URL here.
 */
#include "channel/row/file_host.h"

#include <string.h>

static gboolean is_port(const char *text)
{
	return g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, NULL, NULL) && *text != '0';
}

gboolean file_host_is_valid(const char *host)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	gsize size = strspn(host, letters);
	if (size == 0 || size > FILE_HOST_MAXIMUM_BYTES - strlen(":65535"))
		return FALSE;
	if (!g_ascii_isalnum(host[0]) || !g_ascii_isalnum(host[size - 1]))
		return FALSE;
	return host[size] == '\0' || (host[size] == ':' && is_port(host + size + 1));
}

static gboolean is_url_letter(char letter)
{
	switch (letter) {
	case '"':
	case '<':
	case '>':
	case '\\':
	case '^':
	case '`':
	case '{':
	case '|':
	case '}':
	case '#':
		return FALSE;
	default:
		return (guchar)letter > ' ' && (guchar)letter < 0x7f;
	}
}

static gboolean is_url_text(const char *text)
{
	while (is_url_letter(*text))
		text++;
	return *text == '\0';
}

char *file_host_of(const char *url)
{
	const char *host = g_str_has_prefix(url, "https://")  ? url + strlen("https://")
			   : g_str_has_prefix(url, "http://") ? url + strlen("http://")
							      : NULL;
	if (host == NULL || !is_url_text(url))
		return NULL;
	g_autofree char *authority = g_ascii_strdown(host, (gssize)strcspn(host, "/?"));
	return file_host_is_valid(authority) ? g_steal_pointer(&authority) : NULL;
}

gboolean file_host_is_allowed(const char *url, const json_t *hosts)
{
	g_autofree char *host = file_host_of(url);
	for (gsize i = 0; host != NULL && i < json_array_size(hosts); i++)
		if (g_strcmp0(json_string_value(json_array_get(hosts, i)), host) == 0)
			return TRUE;
	return FALSE;
}
