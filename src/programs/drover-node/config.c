/* SPDX-License-Identifier: ISC
 *
 * drover-node check-config, keys: what the configuration may say, and what is wrong with one.
 */
#include <string.h>

#include "programs/drover-node/commands.h"

gboolean config_run_check(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *path = invocation_argument(invocation, 0);
	if (path == NULL)
		path = commands_config_path(invocation);
	g_autoptr(NodeConfig) config = node_config_load(path, error);
	if (config == NULL)
		return FALSE;
	if (screen->json) {
		g_autoptr(json_t) products = json_array();
		for (guint i = 0; i < config->products->len; i++) {
			const NodeProduct *product = config->products->pdata[i];
			json_array_append_new(products, json_string(product->name));
		}
		g_autoptr(json_t) answer =
			json_pack("{s:s, s:O}", "path", path, "products", products);
		screen_json(screen, answer);
		return TRUE;
	}
	screen_done(screen, "%s is in order: %u %s", path, config->products->len,
		config->products->len == 1 ? "product" : "products");
	return TRUE;
}

static const char *type_name(NodeKeyType type)
{
	static const char *const names[] = {
		[NODE_KEY_TEXT] = "text",
		[NODE_KEY_PATH] = "absolute path",
		[NODE_KEY_SERVER] = "https://HOST:PORT",
		[NODE_KEY_SOURCES] = "URLs and folders",
		[NODE_KEY_LISTENS] = "addresses and paths",
		[NODE_KEY_ADDRESS] = "ADDRESS:PORT",
		[NODE_KEY_NUMBER] = "whole number",
		[NODE_KEY_DURATION] = "duration",
		[NODE_KEY_READINESS] = "notify, verify or forward",
		[NODE_KEY_HEALTH] = "command or http:// URL",
		[NODE_KEY_HEADER] = "name of a field of HTTP",
		[NODE_KEY_URL_PATH] = "path of a URL",
	};
	return names[type];
}

static const char *section_of(const NodeKey *key)
{
	return key->is_of_product ? "PRODUCT" : "node";
}

static void show_keys(const Screen *screen)
{
	const char *section = "";
	for (const NodeKey *key = node_config_keys(); key->name != NULL; key++) {
		if (strcmp(section, section_of(key)) != 0) {
			if (*section != '\0')
				screen_line(
					screen, "%s", "# Each product has a section of its own.");
			screen_line(screen, "[%s]", section_of(key));
			section = section_of(key);
		}
		screen_line(screen, "# %s", type_name(key->type));
		screen_line(
			screen, "# %s = %s", key->name, key->fallback != NULL ? key->fallback : "");
	}
}

gboolean config_run_keys(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	if (!screen->json) {
		show_keys(screen);
		return TRUE;
	}
	g_autoptr(json_t) list = json_array();
	for (const NodeKey *key = node_config_keys(); key->name != NULL; key++)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s?}", "section", section_of(key), "key",
				key->name, "type", type_name(key->type), "default", key->fallback));
	screen_json(screen, list);
	return TRUE;
}
