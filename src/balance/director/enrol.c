/* SPDX-License-Identifier: ISC
 *
 * How a balancer becomes one of droverd's hosts.
 */
#include "balance/director/enrol.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "balance/director/drover_answer.h"
#include "balance/director/fetch.h"
#include "balance/director/host_token.h"
#include "balance/json_input.h"
#include "base/clock.h"
#include "base/format.h"

#define ANSWER_MAXIMUM_BYTES (64 * 1024)

typedef struct event_base EventBase;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EventBase, event_base_free)

/* What the answer made of it. */
typedef struct Enrolment {
	const EnrolCall *call;
	struct event_base *base;
	char *name;
	GError *error;
} Enrolment;

static gboolean refuse(GError **error, const char *words)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s", words);
	return FALSE;
}

/* A code that others can read on its way is nobody's own. */
static gboolean check_server(const EnrolCall *call, GError **error)
{
	if (g_str_has_prefix(call->server, "https://"))
		return TRUE;
	if (!g_str_has_prefix(call->server, "http://"))
		return refuse(error, "the server must be https://HOST[:PORT]");
	if (call->plain || fetch_is_local(call->server))
		return TRUE;
	return refuse(error, "the server must be https://HOST[:PORT]: without TLS the token could "
			     "be read on its way");
}

static char *read_code(const EnrolCall *call, GError **error)
{
	g_autofree char *code = g_strstrip(g_strdup(call->code));
	gboolean sound = *code != '\0' && strlen(code) <= ENROL_MAXIMUM_CODE_BYTES;
	for (const char *c = code; *c != '\0'; c++)
		sound = sound && g_ascii_isgraph(*c);
	if (sound)
		return g_steal_pointer(&code);
	refuse(error, "this is no code: it is one word, and `drover host invite NAME --kind "
		      "balancer` prints it");
	return NULL;
}

static char *write_request(const EnrolCall *call, const char *code)
{
	g_autofree char *now = format_time(clock_now_us(CLOCK_SYSTEM));
	g_autoptr(BalanceJson) request =
		json_pack("{s:s, s:s, s:s}", "code", code, "version", call->version, "now", now);
	g_assert(request != NULL);
	return json_dumps(request, JSON_COMPACT);
}

static DroverErrorCode code_of(int status)
{
	if (status == 401 || status == 403)
		return DROVER_ERROR_DENIED;
	if (status == 429)
		return DROVER_ERROR_RATE;
	return status >= 500 ? DROVER_ERROR_UNAVAILABLE : DROVER_ERROR_INPUT;
}

static void take_token(Enrolment *enrolment, const FetchAnswer *answer)
{
	g_autoptr(BalanceJson) root = balance_json_read(
		"droverd's answer", answer->body, answer->body_bytes, &enrolment->error);
	if (root == NULL)
		return;
	const char *secret = json_string_value(json_object_get(root, "secret"));
	const json_t *host = json_object_get(root, "host");
	const char *name = json_string_value(json_object_get(host, "name"));
	const char *kind = json_string_value(json_object_get(host, "kind"));
	if (secret == NULL || name == NULL || !server_list_is_host(name)) {
		refuse(&enrolment->error, "droverd's answer holds no token");
		return;
	}
	if (g_strcmp0(kind, "balancer") != 0) {
		refuse(&enrolment->error, "the code was for another kind of host; ask for one with "
					  "`drover host invite NAME --kind balancer`");
		return;
	}
	if (host_token_write(enrolment->call->token_file, secret, &enrolment->error))
		enrolment->name = g_strdup(name);
}

static void on_answer(const FetchAnswer *answer, gpointer of)
{
	Enrolment *enrolment = of;
	event_base_loopbreak(enrolment->base);
	if (answer->problem != NULL) {
		drover_error_set(
			&enrolment->error, DROVER_ERROR_UNAVAILABLE, "%s", answer->problem);
		return;
	}
	if (answer->status == 200) {
		take_token(enrolment, answer);
		return;
	}
	g_autofree char *words = drover_answer_words(answer->body, answer->body_bytes);
	drover_error_set(&enrolment->error, code_of(answer->status), "droverd at %s answers %d%s%s",
		enrolment->call->server, answer->status, *words != '\0' ? ": " : "", words);
}

static void exchange(Enrolment *enrolment, Resolver *resolver, const char *url, const char *request)
{
	g_autofree char *agent = g_strdup_printf("drover-lvs/%s", enrolment->call->version);
	const FetchCall call = {.url = url,
		.json = request,
		.ca_file = enrolment->call->ca_file,
		.agent = agent,
		.timeout_ms = ENROL_TIMEOUT_MS,
		.maximum_bytes = ANSWER_MAXIMUM_BYTES};
	g_autoptr(Fetch) fetch = fetch_new(enrolment->base, resolver);
	fetch_start(fetch, &call, on_answer, enrolment);
	event_base_dispatch(enrolment->base);
}

char *enrol_host(const EnrolCall *call, GError **error)
{
	g_autofree char *code = read_code(call, error);
	if (code == NULL || !check_server(call, error) ||
		!host_token_can_write(call->token_file, error))
		return NULL;
	g_autoptr(EventBase) base = event_base_new();
	g_autoptr(Resolver) resolver = resolver_new(base, error);
	if (resolver == NULL)
		return NULL;
	g_autofree char *url = g_strconcat(
		call->server, g_str_has_suffix(call->server, "/") ? "" : "/", "api/v1/enrol", NULL);
	char *request = write_request(call, code);
	Enrolment enrolment = {.call = call, .base = base};
	exchange(&enrolment, resolver, url, request);
	free(request);
	if (enrolment.error != NULL)
		g_propagate_error(error, enrolment.error);
	return enrolment.name;
}
