/* SPDX-License-Identifier: ISC
 *
 * The files of the state folder.
 */
#include "programs/drover-node/kept.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "wire/json.h"

enum { MODE = 0600, FOLDER_MODE = 0700 };

static char *path_of(const NodeConfig *config, const char *name, const char *suffix)
{
	g_autofree char *file = g_strconcat(name, suffix, NULL);
	return g_build_filename(config->state, file, NULL);
}

static char *read_kept(const char *path, gsize *size_bytes)
{
	return file_read(path, ORDERS_MAXIMUM_BYTES, size_bytes, NULL);
}

static gboolean write_kept(
	const NodeConfig *config, const char *path, const char *text, GError **error)
{
	return file_make_folder(config->state, FOLDER_MODE, error) &&
	       file_write(path, text, strlen(text), MODE, error);
}

static void tell_spoilt(const char *path, const GError *error)
{
	log_event(LOG_LEVEL_WARNING, "state.unreadable", "file", path, "why", error->message, NULL);
}

Orders *kept_orders(const NodeConfig *config)
{
	gsize size_bytes = 0;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = path_of(config, "orders", "");
	g_autofree char *text = read_kept(path, &size_bytes);
	Orders *orders = text != NULL ? orders_parse(path, text, size_bytes, &error) : NULL;
	if (error != NULL)
		tell_spoilt(path, error);
	return orders;
}

gboolean kept_save_orders(const NodeConfig *config, const Orders *orders, GError **error)
{
	g_autofree char *path = path_of(config, "orders", "");
	g_autofree char *text = orders_text(orders);
	return write_kept(config, path, text, error);
}

void kept_memory(const NodeConfig *config, const char *product, FollowMemory *memory)
{
	gsize size_bytes = 0;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = path_of(config, product, ".follow");
	g_autofree char *text = read_kept(path, &size_bytes);
	*memory = (FollowMemory){0};
	if (text != NULL && !follow_memory_parse(path, text, size_bytes, memory, &error))
		tell_spoilt(path, error);
}

gboolean kept_save_memory(
	const NodeConfig *config, const char *product, const FollowMemory *memory, GError **error)
{
	g_autofree char *path = path_of(config, product, ".follow");
	g_autofree char *text = follow_memory_text(memory);
	return write_kept(config, path, text, error);
}

void kept_contact(const NodeConfig *config, KeptContact *contact)
{
	gsize size_bytes = 0;
	g_autofree char *path = path_of(config, "contact", "");
	g_autofree char *text = read_kept(path, &size_bytes);
	g_autoptr(json_t) root = text != NULL ? json_read(path, text, size_bytes, NULL) : NULL;
	*contact = (KeptContact){.since_us = json_integer_of(root, "since_us"),
		.problem = g_strdup(json_text(root, "problem"))};
}

gboolean kept_save_contact(const NodeConfig *config, const KeptContact *contact, GError **error)
{
	g_autofree char *path = path_of(config, "contact", "");
	g_autoptr(json_t) root = json_pack("{s:I, s:s?}", "since_us", (json_int_t)contact->since_us,
		"problem", contact->problem);
	g_autofree char *text = json_write_pretty(root);
	return write_kept(config, path, text, error);
}

void kept_contact_clear(KeptContact *contact)
{
	g_clear_pointer(&contact->problem, g_free);
}
