/* SPDX-License-Identifier: ISC
 *
 * The API of a server. An error's JSON becomes the same GError that the call would have given on
 * the store itself, so the exit status is the same too.
 */
#include <string.h>

#include "programs/drover/port.h"
#include "wire/http_client.h"

/* A scan of a large repository takes its time; a question does not. */
enum { QUESTION_TIMEOUT_MS = 60 * 1000, ACT_TIMEOUT_MS = 15 * 60 * 1000 };

typedef struct RemotePort {
	Port port;
	char *url; /* without a slash at its end */
	char *token;
	char *ca_file;
} RemotePort;

static const char *text_or_null(const char *text)
{
	return text != NULL && *text != '\0' ? text : NULL;
}

static void append_query(GString *url, GHashTable *query)
{
	GHashTableIter each;
	gpointer key, value;
	char separator = '?';
	if (query == NULL)
		return;
	g_hash_table_iter_init(&each, query);
	while (g_hash_table_iter_next(&each, &key, &value)) {
		g_autofree char *name = g_uri_escape_string(key, NULL, FALSE);
		g_autofree char *text = g_uri_escape_string(value, NULL, FALSE);
		g_string_append_printf(url, "%c%s=%s", separator, name, text);
		separator = '&';
	}
}

static char *url_of(const RemotePort *remote, const char *path, GHashTable *query)
{
	GString *url = g_string_new(remote->url);
	g_autofree char *escaped = g_uri_escape_string(path, "/", FALSE);
	g_string_append_printf(url, "%s%s", API_PREFIX, escaped);
	append_query(url, query);
	return g_string_free(url, FALSE);
}

/* For answers that are not ours: a proxy's page, say. */
static DroverErrorCode code_of_status(int status)
{
	switch (status) {
	case 401:
		return DROVER_ERROR_UNAUTHENTICATED;
	case 403:
		return DROVER_ERROR_DENIED;
	case 404:
		return DROVER_ERROR_NOT_FOUND;
	case 413:
		return DROVER_ERROR_TOO_LARGE;
	case 429:
		return DROVER_ERROR_RATE;
	default:
		return status >= 500 ? DROVER_ERROR_UNAVAILABLE : DROVER_ERROR_INTERNAL;
	}
}

static void set_error_of(const RemotePort *remote, int status, const json_t *answer, GError **error)
{
	const json_t *problem = json_object_get(answer, "error");
	const char *kind = json_text(problem, "kind"), *message = json_text(problem, "message");
	if (kind != NULL && message != NULL)
		drover_error_set(error, drover_error_code_from_kind(kind), "%s", message);
	else
		drover_error_set(error, code_of_status(status),
			"%s answered with status %d, and not as a droverd does: is this its admin "
			"address?",
			remote->url, status);
}

static json_t *call_remote(Port *port, const char *method, const char *path, GHashTable *query,
	json_t *body, GError **error)
{
	RemotePort *remote = (RemotePort *)port;
	g_autofree char *url = url_of(remote, path, query);
	g_autofree char *text = body != NULL ? json_write(body) : NULL;
	HttpCall call = {
		.method = method,
		.url = url,
		.token = remote->token,
		.content_type = text != NULL ? "application/json" : NULL,
		.body = text,
		.body_bytes = text != NULL ? strlen(text) : 0,
		.ca_file = remote->ca_file,
		.timeout_ms = strcmp(method, "GET") == 0 ? QUESTION_TIMEOUT_MS : ACT_TIMEOUT_MS,
		.maximum_bytes = API_MAXIMUM_IMPORT_BYTES,
	};
	g_auto(HttpResult) result = {0};
	if (!http_client_call(&call, &result, error))
		return NULL;
	g_autoptr(json_t) answer = json_read(url, result.body, result.body_bytes, NULL);
	if (result.status >= 200 && result.status < 300 && answer != NULL)
		return g_steal_pointer(&answer);
	set_error_of(remote, result.status, answer, error);
	return NULL;
}

static void close_remote(Port *port)
{
	RemotePort *remote = (RemotePort *)port;
	g_free(remote->url);
	g_free(remote->token);
	g_free(remote->ca_file);
	g_free(remote);
}

Port *port_open_remote(const char *url, const char *token, const char *ca_file, GError **error)
{
	if (!g_str_has_prefix(url, "https://") && !g_str_has_prefix(url, "http://")) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%s' is no server: give --server https://HOST or http://HOST:PORT", url);
		return NULL;
	}
	RemotePort *remote = g_new0(RemotePort, 1);
	remote->port = (Port){call_remote, close_remote, NULL};
	remote->url = g_strdup(url);
	remote->token = g_strdup(text_or_null(token));
	remote->ca_file = g_strdup(text_or_null(ca_file));
	for (gsize length = strlen(url); length > 0 && remote->url[length - 1] == '/'; length--)
		remote->url[length - 1] = '\0';
	return &remote->port;
}
