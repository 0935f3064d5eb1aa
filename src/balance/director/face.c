/* SPDX-License-Identifier: ISC
 *
 * Paths and shapes as PyBal's: a server in text is three words, in JSON four values.
 */
#include "balance/director/face.h"

#include <string.h>

#include "balance/director/face_parts.h"

#define TEXT	"text/plain; charset=utf-8"
#define JSON	"application/json"
#define METRICS "text/plain; version=0.0.4; charset=utf-8"

const char *face_text(const json_t *object, const char *field)
{
	const char *text = json_string_value(json_object_get(object, field));
	return text != NULL ? text : "";
}

gboolean face_is(const json_t *object, const char *field)
{
	return json_is_true(json_object_get(object, field));
}

double face_number(const json_t *object, const char *field)
{
	const json_t *value = json_object_get(object, field);
	return json_is_true(value) ? 1 : json_number_value(value);
}

gboolean face_is_up(const json_t *server)
{
	return face_is(server, "up") && face_is(server, "ready");
}

static const json_t *find(const json_t *list, const char *field, const char *name)
{
	gsize index;
	json_t *each;
	json_array_foreach ((json_t *)list, index, each)
		if (strcmp(face_text(each, field), name) == 0)
			return each;
	return NULL;
}

static const char *up_word(const json_t *server)
{
	gsize index;
	json_t *monitor;
	if (face_is_up(server))
		return "up";
	json_array_foreach (json_object_get(server, "monitors"), index, monitor)
		if (face_is(monitor, "good"))
			return "partially up";
	return "down";
}

static char *server_text(const json_t *server)
{
	return g_strdup_printf("%s/%s/%s", face_is(server, "enabled") ? "enabled" : "disabled",
		up_word(server), face_is(server, "pooled") ? "pooled" : "not pooled");
}

static json_t *server_json(const json_t *server)
{
	return json_pack("{s:b,s:O,s:b,s:b}", "pooled", face_is(server, "pooled"), "weight",
		json_object_get(server, "weight"), "up", face_is_up(server), "enabled",
		face_is(server, "enabled"));
}

/* What is said as text and as JSON; one of them is made. */
typedef struct Saying {
	gboolean as_json;
	GString *text;
	json_t *json;
} Saying;

static void say_pools(const json_t *services, Saying *saying)
{
	gsize index;
	json_t *service;
	saying->json = json_array();
	json_array_foreach ((json_t *)services, index, service) {
		g_string_append_printf(saying->text, "%s\n", face_text(service, "name"));
		json_array_append(saying->json, json_object_get(service, "name"));
	}
}

static void say_pool(const json_t *service, Saying *saying)
{
	gsize index;
	json_t *server;
	saying->json = json_object();
	json_array_foreach (json_object_get(service, "servers"), index, server) {
		g_autofree char *text = server_text(server);
		g_string_append_printf(saying->text, "%s:\t%s\n", face_text(server, "host"), text);
		json_object_set_new(saying->json, face_text(server, "host"), server_json(server));
	}
}

static void say_server(const json_t *server, Saying *saying)
{
	g_autofree char *text = server_text(server);
	g_string_append_printf(saying->text, "%s\n", text);
	saying->json = server_json(server);
}

/* What follows /pools. FALSE when there is no such thing. */
static gboolean say_below_pools(const json_t *status, char **names, Saying *saying)
{
	const json_t *services = json_object_get(status, "services");
	guint depth = g_strv_length(names);
	if (depth == 0)
		return say_pools(services, saying), TRUE;
	const json_t *service = depth <= 2 ? find(services, "name", names[0]) : NULL;
	if (service == NULL)
		return FALSE;
	if (depth == 1)
		return say_pool(service, saying), TRUE;
	const json_t *server = find(json_object_get(service, "servers"), "host", names[1]);
	if (server == NULL)
		return FALSE;
	return say_server(server, saying), TRUE;
}

static void say_alerts(const json_t *status, Saying *saying)
{
	FaceAlerts alerts = face_alerts(status);
	g_autofree char *word = g_ascii_strup(alerts.status, -1);
	g_string_append_printf(saying->text, "%s - %s\n", word, alerts.message);
	saying->json = json_pack("{s:s,s:s}", "status", alerts.status, "msg", alerts.message);
	g_free(alerts.message);
}

/* The quality that an Accept field gives to `type`, by its own name; negative when it does not. */
static double quality_of(const char *accept, const char *type)
{
	g_auto(GStrv) ranges = g_strsplit(accept, ",", -1);
	double best = -1;
	for (guint i = 0; ranges[i] != NULL; i++) {
		g_auto(GStrv) parts = g_strsplit(ranges[i], ";", -1);
		double quality = 1;
		if (parts[0] == NULL || g_ascii_strcasecmp(g_strstrip(parts[0]), type) != 0)
			continue;
		for (guint at = 1; parts[at] != NULL; at++)
			if (g_ascii_strncasecmp(g_strstrip(parts[at]), "q=", 2) == 0)
				quality = g_ascii_strtod(parts[at] + 2, NULL);
		best = MAX(best, quality);
	}
	return best;
}

static gboolean wants_json(const char *accept)
{
	double json = accept != NULL ? quality_of(accept, JSON) : -1;
	return json > 0 && json >= quality_of(accept, "text/plain");
}

/* The path's segments, decoded; a slash at the end does not matter. NULL when it cannot be read. */
static char **segments_of(const char *target)
{
	g_autofree char *path = g_strndup(target + 1, strcspn(target + 1, "?#"));
	if (g_str_has_suffix(path, "/"))
		path[strlen(path) - 1] = '\0';
	g_auto(GStrv) raw = g_strsplit(path, "/", 5);
	g_autoptr(GPtrArray) decoded = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; raw[i] != NULL; i++) {
		char *segment = g_uri_unescape_string(raw[i], NULL);
		if (segment == NULL)
			return NULL;
		g_ptr_array_add(decoded, segment);
	}
	g_ptr_array_add(decoded, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&decoded), FALSE);
}

char *face_request_key(const FaceRequest *request)
{
	g_auto(GStrv) segments = segments_of(request->target);
	if (segments == NULL || g_strv_length(segments) > 3)
		return NULL;
	GString *key = g_string_new(request->method);
	for (guint i = 0; segments[i] != NULL; i++) {
		g_autofree char *segment = g_uri_escape_string(segments[i], NULL, FALSE);
		g_string_append_printf(key, "%c%s", i > 0 ? '/' : ' ', segment);
	}
	g_string_append(key, wants_json(request->accept) ? " json" : " text");
	return g_string_free(key, FALSE);
}

static void answer_health(const json_t *status, FaceAnswer *answer)
{
	const json_t *alert = find(json_object_get(status, "alerts"), "kind", "kernel");
	answer->status = alert != NULL ? 503 : 200;
	answer->type = TEXT;
	answer->body = alert != NULL ? g_strconcat(face_text(alert, "text"), "\n", NULL)
				     : g_strdup("ok\n");
}

static void answer_saying(
	const json_t *status, char **segments, const char *accept, FaceAnswer *answer)
{
	g_autoptr(GString) text = g_string_new(NULL);
	Saying saying = {.as_json = wants_json(accept), .text = text};
	gboolean found = TRUE;
	if (g_strcmp0(segments[0], "pools") == 0)
		found = say_below_pools(status, segments + 1, &saying);
	else if (g_strcmp0(segments[0], "alerts") == 0 && segments[1] == NULL)
		say_alerts(status, &saying);
	else
		found = FALSE;
	if (found && saying.as_json) {
		char *body = json_dumps(saying.json, JSON_COMPACT | JSON_ENCODE_ANY);
		*answer = (FaceAnswer){.status = 200, .type = JSON, .body = g_strdup(body)};
		free(body);
	} else if (found)
		*answer = (FaceAnswer){.status = 200, .type = TEXT, .body = g_strdup(text->str)};
	else
		face_refuse(404, answer);
	json_decref(saying.json);
}

void face_answer(const json_t *status, const FaceRequest *request, FaceAnswer *answer)
{
	*answer = (FaceAnswer){0};
	g_auto(GStrv) segments = segments_of(request->target);
	gboolean head = strcmp(request->method, "HEAD") == 0;
	gboolean one = segments != NULL && segments[0] != NULL && segments[1] == NULL;
	if (!head && strcmp(request->method, "GET") != 0)
		face_refuse(405, answer);
	else if (segments == NULL)
		face_refuse(400, answer);
	else if (one && strcmp(segments[0], "healthz") == 0)
		answer_health(status, answer);
	else if (one && strcmp(segments[0], "metrics") == 0)
		*answer = (FaceAnswer){
			.status = 200, .type = METRICS, .body = face_metrics_text(status)};
	else
		answer_saying(status, segments, request->accept, answer);
	answer->head_only = head;
}
