/* SPDX-License-Identifier: ISC
 *
 * The conversation with droverd.
 */
#include "programs/drover-node/droverd.h"

#include <string.h>

#include "balance/director/host_token.h"
#include "base/clock.h"
#include "base/format.h"
#include "wire/http_client.h"

enum { ASK_TIMEOUT_MS = (DROVERD_WAIT_S + 15) * 1000, SAY_TIMEOUT_MS = 20 * 1000 };

static char *url_of(const DroverdDoor *door, const char *path)
{
	g_autofree char *server = g_strdup(door->server);
	for (gsize length = strlen(server); length > 0 && server[length - 1] == '/'; length--)
		server[length - 1] = '\0';
	return g_strconcat(server, "/api/v1", path, NULL);
}

static DroverErrorCode code_of(int status)
{
	switch (status) {
	case 401:
		return DROVER_ERROR_UNAUTHENTICATED;
	case 403:
		return DROVER_ERROR_DENIED;
	case 404:
		return DROVER_ERROR_NOT_FOUND;
	case 429:
		return DROVER_ERROR_RATE;
	default:
		return status >= 500 ? DROVER_ERROR_UNAVAILABLE : DROVER_ERROR_INPUT;
	}
}

/* What an answer that is no 200 says, in one line. */
static void set_error_of(const DroverdDoor *door, const HttpResult *result, GError **error)
{
	g_autoptr(json_t) answer = json_read("answer", result->body, result->body_bytes, NULL);
	const char *words = json_text(json_object_get(answer, "error"), "message");
	gboolean is_token = result->status == 401 || result->status == 403;
	drover_error_set(error, code_of(result->status), "droverd at %s answers %d%s%.500s%s",
		door->server, result->status, words != NULL ? ": " : "", words != NULL ? words : "",
		is_token ? "; invite this host again (drover host invite NAME --kind node) and run "
			   "drover-node enrol"
			 : "");
}

/* Takes the answer out of `call`'s result. */
static gboolean exchange(
	const DroverdDoor *door, const HttpCall *call, HttpResult *result, GError **error)
{
	if (!http_client_call(call, result, error))
		return FALSE;
	if (result->status == 200)
		return TRUE;
	set_error_of(door, result, error);
	return FALSE;
}

Orders *droverd_ask(const DroverdDoor *door, gint64 after, GError **error)
{
	g_autofree char *token = host_token_read(door->token_file, error);
	if (token == NULL)
		return NULL;
	g_autofree char *path =
		after < 0 ? g_strdup("/node/orders")
			  : g_strdup_printf("/node/orders?after=%" G_GINT64_FORMAT "&wait=%d",
				    after, DROVERD_WAIT_S);
	g_autofree char *url = url_of(door, path);
	const HttpCall call = {.method = "GET",
		.url = url,
		.token = token,
		.ca_file = door->ca_file,
		.timeout_ms = ASK_TIMEOUT_MS,
		.maximum_bytes = DROVERD_MAXIMUM_ANSWER_BYTES};
	g_auto(HttpResult) result = {0};
	if (!exchange(door, &call, &result, error))
		return NULL;
	return orders_parse("droverd's orders", result.body, result.body_bytes, error);
}

/* A new reference. */
static json_t *say(const DroverdDoor *door, const char *path, const char *token, const json_t *body,
	GError **error)
{
	g_autofree char *url = url_of(door, path);
	g_autofree char *text = json_write(body);
	const HttpCall call = {.method = "POST",
		.url = url,
		.token = token,
		.content_type = "application/json",
		.body = text,
		.body_bytes = strlen(text),
		.ca_file = door->ca_file,
		.timeout_ms = SAY_TIMEOUT_MS,
		.maximum_bytes = DROVERD_MAXIMUM_ANSWER_BYTES};
	g_auto(HttpResult) result = {0};
	if (!exchange(door, &call, &result, error))
		return NULL;
	return json_read("droverd's answer", result.body, result.body_bytes, error);
}

gboolean droverd_report(
	const DroverdDoor *door, const json_t *report, char **warning, GError **error)
{
	*warning = NULL;
	g_autofree char *token = host_token_read(door->token_file, error);
	if (token == NULL)
		return FALSE;
	g_autoptr(json_t) answer = say(door, "/node/report", token, report, error);
	if (answer != NULL)
		*warning = g_strdup(json_text(answer, "clock_warning"));
	return answer != NULL;
}

/* -- enrolling ------------------------------------------------------------------------------------
 */

static char *check_code(const char *code, GError **error)
{
	g_autofree char *word = g_strstrip(g_strdup(code));
	gboolean sound = *word != '\0' && strlen(word) <= DROVERD_MAXIMUM_CODE_BYTES;
	for (const char *c = word; *c != '\0'; c++)
		sound = sound && g_ascii_isgraph(*c);
	if (sound)
		return g_steal_pointer(&word);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"this is no code: it is one word, and `drover host invite NAME --kind node` prints "
		"it");
	return NULL;
}

static char *take_token(const DroverdDoor *door, const json_t *answer, GError **error)
{
	const char *secret = json_text(answer, "secret");
	const json_t *host = json_object_get(answer, "host");
	const char *name = json_text(host, "name");
	if (secret == NULL || name == NULL)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the answer of %s holds no token: is this droverd's admin address?",
			door->server);
	else if (g_strcmp0(json_text(host, "kind"), "node") != 0)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the code was for another kind of host; ask for one with `drover host "
			"invite NAME --kind node`");
	else if (host_token_write(door->token_file, secret, error))
		return g_strdup(name);
	return NULL;
}

char *droverd_enrol(const DroverdDoor *door, const char *code, GError **error)
{
	g_autofree char *word = check_code(code, error);
	if (word == NULL || !host_token_can_write(door->token_file, error))
		return NULL;
	g_autofree char *now = format_time(clock_now_us(CLOCK_SYSTEM));
	g_autoptr(json_t) body =
		json_pack("{s:s, s:s, s:s}", "code", word, "version", DROVER_VERSION, "now", now);
	g_autoptr(json_t) answer = say(door, "/enrol", NULL, body, error);
	return answer != NULL ? take_token(door, answer, error) : NULL;
}
