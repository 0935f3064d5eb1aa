/* SPDX-License-Identifier: ISC
 *
 * Control messages, field by field.
 */
#include "node/hold/message.h"

#include <string.h>

#include "base/format.h"

static gboolean refuse(GError **error, const char *what)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "this is no message to a holder: %s", what);
	return FALSE;
}

/* It becomes the name of a folder. */
static gboolean is_version(const char *text)
{
	gsize length = text != NULL ? strlen(text) : 0;
	return length > 0 && length <= HOLD_MAXIMUM_VERSION_BYTES && text[0] != '.' &&
	       strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS ".-+_~") == length;
}

static gboolean read_maintenance(json_t *object, HoldMessage *message, GError **error)
{
	json_t *on = json_object_get(object, "on"), *until = json_object_get(object, "until");
	const char *reason = json_string_value(json_object_get(object, "reason"));
	if (!json_is_boolean(on))
		return refuse(error, "maintenance is \"on\": true or false");
	message->what = json_is_true(on) ? HOLD_MAINTENANCE_ON : HOLD_MAINTENANCE_OFF;
	if (message->what == HOLD_MAINTENANCE_OFF)
		return TRUE;
	if (reason == NULL || *reason == '\0')
		return refuse(error, "maintenance needs a \"reason\"");
	message->reason = g_strdup(reason);
	if (until == NULL || json_is_null(until))
		return TRUE;
	if (!json_is_string(until))
		return refuse(error, "\"until\" is an instant, as 2026-11-21T04:00:00Z");
	return parse_time(json_string_value(until), &message->until_us, error);
}

static gboolean read_object(json_t *object, HoldMessage *message, GError **error)
{
	static const struct {
		const char *name;
		HoldDo what;
	} known[] = {{"status", HOLD_STATUS}, {"stop-service", HOLD_STOP_SERVICE},
		{"renew", HOLD_RENEW}};
	const char *what = json_string_value(json_object_get(object, "do"));
	const char *version = json_string_value(json_object_get(object, "version"));
	for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
		if (g_strcmp0(what, known[i].name) == 0) {
			message->what = known[i].what;
			return TRUE;
		}
	if (g_strcmp0(what, "maintenance") == 0)
		return read_maintenance(object, message, error);
	if (g_strcmp0(what, "handover") != 0)
		return refuse(error, "\"do\" is status, handover, stop-service, maintenance or "
				     "renew");
	message->what = HOLD_HANDOVER;
	if (!is_version(version))
		return refuse(error, "a handover needs a \"version\"");
	message->version = g_strdup(version);
	return TRUE;
}

gboolean hold_message_parse(
	const char *line, gsize size_bytes, HoldMessage *message, GError **error)
{
	json_error_t failure;
	*message = (HoldMessage){0};
	json_t *object = json_loadb(line, size_bytes, JSON_REJECT_DUPLICATES, &failure);
	gboolean ok = json_is_object(object) ? read_object(object, message, error)
					     : refuse(error, "it is no JSON object");
	json_decref(object);
	if (!ok)
		hold_message_clear(message);
	return ok;
}

void hold_message_clear(HoldMessage *message)
{
	g_free(message->version);
	g_free(message->reason);
	*message = (HoldMessage){0};
}
