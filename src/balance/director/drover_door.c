/* SPDX-License-Identifier: ISC
 *
 * The way to one pool of one droverd.
 */
#include "balance/director/drover_door.h"

#include <string.h>

#include "balance/director/drover_answer.h"
#include "balance/director/pause.h"

#define SCHEME "drover://"
#define POOLS  "/pools/"

static gboolean has_port(const char *authority)
{
	const char *bracket = strrchr(authority, ']');
	return strchr(bracket != NULL ? bracket : authority, ':') != NULL;
}

DroverDoor *drover_door_new(const SourcePlace *place, const char *url, GError **error)
{
	const char *authority = g_str_has_prefix(url, SCHEME) ? url + strlen(SCHEME) : "/";
	const char *path = strchr(authority, '/');
	if (path == NULL || path == authority || !g_str_has_prefix(path, POOLS) ||
		path[strlen(POOLS)] == '\0') {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: must be " SCHEME "HOST[:PORT]" POOLS "NAME", url);
		return NULL;
	}
	g_autofree char *host = g_strndup(authority, (gsize)(path - authority));
	g_autofree char *plain_server = g_strconcat("http://", host, NULL);
	gboolean plain =
		place->droverd_plain || (fetch_is_local(plain_server) && place->ca_file == NULL);
	DroverDoor *door = g_new0(DroverDoor, 1);
	door->server = g_strconcat(plain ? "http://" : "https://", host,
		has_port(host) ? "" : ":" DROVER_DOOR_PORT, NULL);
	door->pool = g_strdup(path + strlen(POOLS));
	door->agent = g_strdup_printf("drover-lvs/%s", place->version);
	door->token_file = g_strdup(place->token_file);
	door->ca_file = g_strdup(place->ca_file);
	door->pace = place->pace != NULL ? *place->pace : source_pace_usual;
	return door;
}

void drover_door_free(DroverDoor *door)
{
	if (door == NULL)
		return;
	g_free(door->server);
	g_free(door->pool);
	g_free(door->agent);
	g_free(door->token_file);
	g_free(door->ca_file);
	g_free(door);
}

char *drover_door_url(const DroverDoor *door, const char *what)
{
	g_autofree char *name = g_uri_escape_string(door->pool, NULL, FALSE);
	return g_strdup_printf("%s/api/v1/pools/%s/%s", door->server, name, what);
}

gboolean drover_door_is_open(
	const DroverDoor *door, const FetchAnswer *answer, char **problem, gboolean *refused)
{
	*problem = NULL;
	*refused = FALSE;
	if (answer->problem != NULL) {
		*problem = g_strdup_printf("droverd is away: %s", answer->problem);
		return FALSE;
	}
	if (answer->status == 200)
		return TRUE;
	g_autofree char *words = drover_answer_words(answer->body, answer->body_bytes);
	const char *colon = *words != '\0' ? ": " : "";
	*refused = answer->status == 401 || answer->status == 403;
	if (*refused)
		*problem = g_strdup_printf(
			"droverd at %s refuses this host's token (%d%s%s): the last orders stay; "
			"invite the host and run drover-lvs enrol",
			door->server, answer->status, colon, words);
	else
		*problem = g_strdup_printf("droverd at %s answers %d for pool %s%s%s", door->server,
			answer->status, door->pool, colon, words);
	return FALSE;
}

gint64 drover_door_pause(const DroverDoor *door, guint failures, gboolean refused)
{
	if (refused)
		return pause_around(door->pace.refused_ms);
	return pause_after_failures(failures, door->pace.retry_first_ms, door->pace.retry_last_ms);
}
