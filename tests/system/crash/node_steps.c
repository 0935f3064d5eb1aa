/* SPDX-License-Identifier: ISC
 *
 * One deed on a node, for tests that kill it in the middle:
 *
 *     node-steps CONF PRODUCT install [VERSION] | activate VERSION | rollback [VERSION] |
 *                             gc KEEP [NAMED…] | verify [VERSION] | recover | tell
 *
 * The time is $DROVER_NOW (microseconds), otherwise the system's; $DROVER_ORDERED makes it an
 * order. `tell` only looks.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "node/install.h"

static gboolean tell(const Place *place)
{
	json_t *installed = json_array();
	for (guint i = 0; i < place->installed->len; i++) {
		const Installed *each = place->installed->pdata[i];
		json_array_append_new(installed, json_string(each->version));
	}
	json_t *told = json_pack("{s:s?, s:s?, s:o, s:I, s:I, s:i, s:I, s:i}", "current",
		place->current, "previous", place->previous, "installed", installed, "floor",
		(json_int_t)place->floor, "newest", (json_int_t)place->seen.newest, "intent",
		(int)place->intent.kind, "serial", (json_int_t)place->trust_serial, "revoked",
		(int)place->revoked->len);
	char *text = json_dumps(told, 0);
	puts(text);
	free(text);
	json_decref(told);
	return TRUE;
}

static gboolean gc(Place *place, const NodeDeed *deed, char **arguments, GError **error)
{
	g_autoptr(GPtrArray) named = g_ptr_array_new();
	g_autoptr(GPtrArray) removed = g_ptr_array_new_with_free_func(g_free);
	for (char **name = arguments + 1; *name != NULL; name++)
		g_ptr_array_add(named, *name);
	if (!node_gc(place, deed, atoi(arguments[0]), named, FALSE, removed, error))
		return FALSE;
	for (guint i = 0; i < removed->len; i++)
		puts(removed->pdata[i]);
	return TRUE;
}

static gboolean install(Place *place, const NodeDeed *deed, const char *wanted, GError **error)
{
	g_autofree char *version = NULL;
	if (!node_install(place, deed, wanted, &version, error))
		return FALSE;
	puts(version);
	return TRUE;
}

static gboolean run(Place *place, const NodeDeed *deed, char **arguments, GError **error)
{
	const char *verb = arguments[0];
	if (strcmp(verb, "tell") == 0)
		return tell(place);
	if (strcmp(verb, "install") == 0)
		return install(place, deed, arguments[1], error);
	if (strcmp(verb, "activate") == 0)
		return node_activate(place, deed, arguments[1], error);
	if (strcmp(verb, "rollback") == 0)
		return node_rollback(place, deed, arguments[1], error);
	if (strcmp(verb, "gc") == 0)
		return gc(place, deed, arguments + 1, error);
	if (strcmp(verb, "recover") == 0)
		return node_recover(place, deed, error);
	g_assert(strcmp(verb, "verify") == 0);
	return node_verify(place, arguments[1], clock_now_us(deed->clock), NULL, NULL, error);
}

int main(int count, char **arguments)
{
	g_autoptr(GError) error = NULL;
	const char *now = getenv("DROVER_NOW");
	const NodeDeed deed = {.clock = now != NULL ? clock_fixed(atoll(now)) : CLOCK_SYSTEM,
		.is_ordered = getenv("DROVER_ORDERED") != NULL};
	g_assert(count >= 4);
	/* A file that may not grow is an error like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	g_autoptr(NodeConfig) config = node_config_load(arguments[1], &error);
	const NodeProduct *product =
		config != NULL ? node_config_product(config, arguments[2], &error) : NULL;
	g_autoptr(Place) place = product == NULL ? NULL
				 : strcmp(arguments[3], "tell") == 0
					 ? place_look(product, &error)
					 : place_open(product, deed.clock, &error);
	if (place != NULL && place->recovered != NULL)
		fprintf(stderr, "recovered: %s\n", place->recovered);
	if (place != NULL && run(place, &deed, arguments + 3, &error))
		return 0;
	fprintf(stderr, "%s\n", error->message);
	return drover_error_exit_status(error);
}
