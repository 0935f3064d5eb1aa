/* SPDX-License-Identifier: ISC
 *
 * drover node: the machines that run releases, what each follows, and orders. What a node looks
 * like on a terminal stands in node_show.c.
 */
#include <string.h>

#include "programs/drover/commands.h"
#include "programs/drover/node_show.h"
#include "programs/terminal/show.h"

static json_t *ask_node(Invocation *invocation, GError **error)
{
	return invocation_call(invocation, "GET", NULL, NULL, error, "nodes",
		invocation_argument(invocation, 0), NULL);
}

/* What was typed ------------------------------------------------------------------------------ */

/* Each --tag over `tags`: "rack=a", or "rack=" which takes it away. */
static gboolean lay_tags(Invocation *invocation, json_t *tags, GError **error)
{
	const GPtrArray *given = invocation_options(invocation, "tag");
	for (guint i = 0; given != NULL && i < given->len; i++) {
		const char *text = given->pdata[i], *equals = strchr(text, '=');
		if (equals == NULL || equals == text) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"--tag %s: must read NAME=VALUE, as rack=a", text);
			return FALSE;
		}
		g_autofree char *name = g_strndup(text, (gsize)(equals - text));
		if (equals[1] == '\0')
			json_object_del(tags, name);
		else
			json_object_set_new(tags, name, json_text_or_null(equals + 1));
	}
	return TRUE;
}

static json_t *find_product(const json_t *products, const char *name, gsize *position)
{
	for (gsize i = 0; i < json_array_size(products); i++) {
		json_t *product = json_array_get(products, i);
		*position = i;
		if (g_strcmp0(json_text(product, "product"), name) == 0)
			return product;
	}
	return NULL;
}

/* --product, --channel and --follow over `products`, and --without out of them. */
static gboolean lay_products(Invocation *invocation, json_t *products, GError **error)
{
	const char *name = invocation_option(invocation, "product");
	const char *channel = invocation_option(invocation, "channel");
	const char *without = invocation_option(invocation, "without");
	const char *follow = invocation_option(invocation, "follow");
	gsize position;
	json_t *known = name != NULL ? find_product(products, name, &position) : NULL;
	if (known != NULL && follow != NULL && channel == NULL)
		channel = json_text(known, "channel");
	if ((name == NULL) != (channel == NULL) || (name == NULL && follow != NULL)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"say both: --product PRODUCT --channel CHANNEL%s",
			follow != NULL ? "; --follow is said of a product" : "");
		return FALSE;
	}
	if (without != NULL && find_product(products, without, &position) == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"--without %s: the node does not run it", without);
		return FALSE;
	}
	if (without != NULL)
		json_array_remove(products, position);
	if (name == NULL)
		return TRUE;
	known = find_product(products, name, &position);
	if (known == NULL) {
		known = json_pack("{s:o}", "product", json_text_or_null(name));
		json_array_append_new(products, known);
	}
	json_object_set_new(known, "channel", json_text_or_null(channel));
	if (follow != NULL)
		json_object_set_new(known, "follows", json_text_or_null(follow));
	return TRUE;
}

static json_t *bare_products(const json_t *node)
{
	json_t *products = json_array();
	gsize i;
	json_t *product;
	json_array_foreach (json_object_get(node, "products"), i, product)
		json_array_append_new(
			products, json_pack("{s:s, s:s}", "product", json_text(product, "product"),
					  "channel", json_text(product, "channel")));
	return products;
}

/* Commands ------------------------------------------------------------------------------------ */

static void say_invitation(const Screen *screen, const json_t *invited)
{
	g_autofree char *expires = show_time(invited, "expires");
	screen_line(screen, "%s", json_text(invited, "code"));
	screen_note(screen,
		"the host enrols with this code, once, until %s UTC: drover-node enrol; it is not "
		"shown again",
		expires);
}

static json_t *invite(Invocation *invocation, GError **error)
{
	const char *name = invocation_argument(invocation, 0);
	if (invocation_has(invocation, "no-invite"))
		return json_null();
	json_t *invited = invocation_call(invocation, "POST", NULL,
		body_of("name", name, "kind", "node", NULL), error, "hosts", NULL);
	if (invited == NULL)
		g_prefix_error(error, "node %s was added, but its host was not invited: ", name);
	return invited;
}

static gboolean run_add(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) tags = json_object();
	g_autoptr(json_t) products = json_array();
	if (!lay_tags(invocation, tags, error) || !lay_products(invocation, products, error))
		return FALSE;
	json_t *body = body_of("name", invocation_argument(invocation, 0), "notes",
		invocation_option(invocation, "notes"), "reason",
		invocation_option(invocation, "reason"), NULL);
	json_object_set(body, "tags", tags);
	json_object_set(body, "products", products);
	g_autoptr(json_t) node =
		invocation_call(invocation, "POST", NULL, body, error, "nodes", NULL);
	g_autoptr(json_t) invited = node != NULL ? invite(invocation, error) : NULL;
	if (invited == NULL)
		return FALSE;
	if (screen->json) {
		g_autoptr(json_t) both =
			json_pack("{s:O, s:O}", "node", node, "invitation", invited);
		screen_json(screen, both);
		return TRUE;
	}
	screen_done(screen, "added node %s", json_text(node, "name"));
	if (!json_is_null(invited))
		say_invitation(screen, invited);
	return TRUE;
}

static gboolean run_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) answer = invocation_call(invocation, "GET",
		query_of("product", invocation_option(invocation, "product"), "channel",
			invocation_option(invocation, "channel"), NULL),
		NULL, error, "nodes", NULL);
	if (answer == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, answer);
	else
		node_show_list(screen, json_object_get(answer, "nodes"));
	return TRUE;
}

static gboolean run_show(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) node = ask_node(invocation, error);
	if (node == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, node);
	else
		node_show_one(screen, node);
	return TRUE;
}

static json_t *edit_of(Invocation *invocation, const json_t *node, GError **error)
{
	gint64 version;
	g_autoptr(json_t) tags = json_deep_copy(json_object_get(node, "tags"));
	g_autoptr(json_t) products = bare_products(node);
	if (!invocation_integer(invocation, "data-version", 0, 1, G_MAXINT64, &version, error) ||
		!lay_tags(invocation, tags, error) || !lay_products(invocation, products, error))
		return NULL;
	json_t *body = body_of("notes", invocation_option(invocation, "notes"), "reason",
		invocation_option(invocation, "reason"), NULL);
	json_object_set_new(body, "data_version",
		json_integer(version != 0 ? version : json_integer_of(node, "data_version")));
	json_object_set(body, "tags", tags);
	json_object_set(body, "products", products);
	return body;
}

static gboolean run_set(Invocation *invocation, GError **error)
{
	static const char *const settings[] = {
		"product", "channel", "follow", "without", "tag", "notes"};
	const Screen *screen = invocation_screen(invocation);
	gboolean is_something = FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
		is_something |= invocation_has(invocation, settings[i]);
	if (!is_something) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"nothing to set: say --product and --channel, --without, --tag or --notes");
		return FALSE;
	}
	g_autoptr(json_t) node = ask_node(invocation, error);
	json_t *body = node != NULL ? edit_of(invocation, node, error) : NULL;
	if (body == NULL)
		return FALSE;
	g_autoptr(json_t) after = invocation_call(
		invocation, "PUT", NULL, body, error, "nodes", json_text(node, "name"), NULL);
	if (after == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, after);
	screen_done(screen, "set node %s", json_text(after, "name"));
	return TRUE;
}

/* Of those that the node runs: the one that was named, or the only one. Borrowed. */
static const char *choose_product(Invocation *invocation, const json_t *node, GError **error)
{
	const char *named = invocation_option(invocation, "product");
	const json_t *products = json_object_get(node, "products");
	if (named != NULL)
		return named;
	if (json_array_size(products) == 1)
		return json_text(json_array_get(products, 0), "product");
	drover_error_set(error, DROVER_ERROR_INPUT,
		"node %s runs %s: say which is meant, --product PRODUCT", json_text(node, "name"),
		json_array_size(products) == 0 ? "nothing" : "several products");
	return NULL;
}

/* `version` NULL: it follows its channel again. */
static gboolean send_order(Invocation *invocation, const char *version, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	gsize position;
	g_autoptr(json_t) node = ask_node(invocation, error);
	const char *product = node != NULL ? choose_product(invocation, node, error) : NULL;
	if (product == NULL)
		return FALSE;
	json_t *body = body_of("reason", invocation_option(invocation, "reason"), NULL);
	json_object_set_new(body, "version", json_text_or_null(version));
	g_autoptr(json_t) after = invocation_call(invocation, "POST", NULL, body, error, "nodes",
		json_text(node, "name"), "products", product, "order", NULL);
	if (after == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, after);
		return TRUE;
	}
	const json_t *shown = find_product(json_object_get(after, "products"), product, &position);
	const char *should = json_text(json_object_get(shown, "should"), "version");
	if (version != NULL)
		screen_done(screen, "ordered: node %s is to run %s %s", json_text(node, "name"),
			product, version);
	else
		screen_done(screen, "node %s follows channel %s of %s, which gives it %s",
			json_text(node, "name"), json_text(shown, "channel"), product,
			should != NULL ? should : "nothing");
	screen_note(screen, "what becomes of it: drover node show %s", json_text(node, "name"));
	return TRUE;
}

static gboolean run_order(Invocation *invocation, GError **error)
{
	return send_order(invocation, invocation_argument(invocation, 1), error);
}

static gboolean run_follow(Invocation *invocation, GError **error)
{
	return send_order(invocation, NULL, error);
}

static gboolean run_remove(Invocation *invocation, GError **error)
{
	const char *name = invocation_argument(invocation, 0);
	const Screen *screen = invocation_screen(invocation);
	json_t *body = body_of("reason", invocation_option(invocation, "reason"), NULL);
	g_autoptr(json_t) removed =
		invocation_call(invocation, "DELETE", NULL, body, error, "nodes", name, NULL);
	if (removed == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, removed);
	screen_done(screen, "removed node %s; its host's token has ended", name);
	return TRUE;
}

/* clang-format off */
#define REASON {"reason", "TEXT", "Why, for the history and for whoever looks at the node"}
#define FOLLOW {"follow", "HOW", "By itself: alone, as long as it is in no pool (the default), or always"}
#define TAG {"tag", "NAME=VALUE", "What rules may ask for; may be given several times"}
#define NOTES {"notes", "TEXT", "What whoever works on it should know"}

static const Option add_options[] = {
	{"product", "PRODUCT", "A product that it runs"},
	{"channel", "CHANNEL", "The channel that says which release of it"},
	FOLLOW,
	TAG,
	NOTES,
	{"no-invite", NULL, "Make no code for its host: it is enrolled, or will be later"},
	REASON,
	{0},
};

static const Option list_options[] = {
	{"product", "PRODUCT", "Only those that run this product"},
	{"channel", "CHANNEL", "Only those that follow this channel"},
	{0},
};

static const Option set_options[] = {
	{"product", "PRODUCT", "A product that it runs, too, or by another channel"},
	{"channel", "CHANNEL", "The channel that says which release of it"},
	FOLLOW,
	{"without", "PRODUCT", "A product that it runs no longer"},
	{"tag", "NAME=VALUE", "What rules may ask for; NAME= takes it away; may be given several times"},
	NOTES,
	{"data-version", "N", "Refuse unless the node is still at this version"},
	REASON,
	{0},
};

static const Option order_options[] = {
	{"product", "PRODUCT", "Of which product; the only one that it runs by default"},
	REASON,
	{0},
};

static const Option reason_options[] = {
	REASON,
	{0},
};
/* clang-format on */

const Command node_commands[] = {
	{"node add", "NAME", 1, 1, "Adds a node, and prints the code with which its host enrols",
		run_add, add_options,
		"NAME is that of its host. A node that runs several products gets the others with\n"
		"node set.",
		"drover node add web1 --product web --channel release --tag rack=a", "3,4,5,7",
		"node set, host invite"},
	{"node list", "", 0, 0, "Shows every node: what it runs, what it is to run, how it is",
		run_list, list_options, NULL, "drover node list --product web", NULL, "node show"},
	{"node show", "NAME", 1, 1, "Shows one node: why it is to run that, and what became of it",
		run_show, NULL, NULL, "drover node show web1", "3,5", "node order"},
	{"node set", "NAME", 1, 1, "Changes a node's products, channels, tags or notes", run_set,
		set_options,
		"Only what is named is changed. A change that somebody made meanwhile is never\n"
		"overwritten: then it says conflict.",
		"drover node set web1 --product web --channel beta\n"
		"drover node set web1 --product web --follow always --reason 'nobody connects to "
		"it'\n"
		"drover node set web1 --tag rack=b --tag old=",
		"3,4,5,7", "node show"},
	{"node order", "NAME VERSION", 2, 2,
		"Orders a node to run exactly this version, whatever its channel says", run_order,
		order_options,
		"The version may be older than what runs, but not below its "
		"min_rollback_sequence.\n"
		"The order holds until node follow. It is kept with its reason.",
		"drover node order web1 1.4.1 --reason 'logins fail with 1.4.2'", "3,4,5,7",
		"node follow"},
	{"node follow", "NAME", 1, 1, "Lets a node follow its channel again", run_follow,
		order_options, NULL, "drover node follow web1 --reason 'fixed in 1.4.3'", "3,5,7",
		"node order"},
	{"node remove", "NAME", 1, 1, "Forgets a node, and ends its host's token", run_remove,
		reason_options, "What runs there goes on running.",
		"drover node remove web1 --reason sold", "3,5,7", "node add, host revoke"},
	{0},
};
