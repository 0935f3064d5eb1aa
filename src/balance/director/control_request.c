/* SPDX-License-Identifier: ISC
 *
 * What may be asked over the control socket: a table of commands and what each has to name.
 */
#include <string.h>

#include "balance/director/control.h"
#include "balance/json_input.h"

typedef struct Known {
	const char *name;
	ControlCommand command;
	gboolean service, server, force; /* what it takes */
} Known;

static const Known known[] = {
	{"status", CONTROL_STATUS, FALSE, FALSE, FALSE},
	{"accept", CONTROL_ACCEPT, TRUE, FALSE, FALSE},
	{"drain", CONTROL_DRAIN, TRUE, TRUE, TRUE},
	{"undrain", CONTROL_UNDRAIN, TRUE, TRUE, FALSE},
	{"reload", CONTROL_RELOAD, FALSE, FALSE, FALSE},
	{0},
};

static const Known *find_known(const char *name)
{
	for (const Known *each = known; each->name != NULL; each++)
		if (g_strcmp0(each->name, name) == 0)
			return each;
	return NULL;
}

/* A name that the command has to give. */
static gboolean take_name(const json_t *object, const char *field, char **name, GError **error)
{
	const json_t *value = json_object_get(object, field);
	*name = g_strdup(json_string_value(value));
	if (*name != NULL && **name != '\0')
		return TRUE;
	g_autofree char *shown = balance_json_describe(value);
	drover_error_set(
		error, DROVER_ERROR_INPUT, "request: %s must be a name, not %s", field, shown);
	return FALSE;
}

static gboolean take_force(const json_t *object, gboolean *forced, GError **error)
{
	const json_t *value = json_object_get(object, "force");
	*forced = json_is_true(value);
	if (value == NULL || json_is_boolean(value))
		return TRUE;
	g_autofree char *shown = balance_json_describe(value);
	drover_error_set(
		error, DROVER_ERROR_INPUT, "request: force must be true or false, not %s", shown);
	return FALSE;
}

gboolean control_request_parse(
	const char *line, gsize size_bytes, ControlRequest *request, GError **error)
{
	*request = (ControlRequest){0};
	g_autoptr(BalanceJson) object = balance_json_read("request", line, size_bytes, error);
	if (object == NULL)
		return FALSE;
	const Known *found = find_known(json_string_value(json_object_get(object, "command")));
	if (found == NULL) {
		g_autofree char *shown = balance_json_describe(json_object_get(object, "command"));
		drover_error_set(error, DROVER_ERROR_INPUT,
			"request: command must be status, accept, drain, undrain or reload, not %s",
			shown);
		return FALSE;
	}
	request->command = found->command;
	return (!found->service || take_name(object, "service", &request->service, error)) &&
	       (!found->server || take_name(object, "server", &request->server, error)) &&
	       (!found->force || take_force(object, &request->forced, error));
}

void control_request_clear(ControlRequest *request)
{
	g_free(request->service);
	g_free(request->server);
	g_free(request->who);
	*request = (ControlRequest){0};
}
