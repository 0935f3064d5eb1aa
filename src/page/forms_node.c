/* SPDX-License-Identifier: ISC
 *
 * The forms about nodes, as forms.c has the others.
 */
#include "page/visit.h"

#define NODE "/nodes/{node}"

static const char *field(const Visit *visit, const char *name)
{
	const char *value = g_hash_table_lookup(visit->fields, name);
	return value ? value : "";
}

/* "web beta" or "web beta always", a line each. */
static json_t *products_of(const char *text, GError **error)
{
	g_autoptr(json_t) products = json_array();
	g_auto(GStrv) lines = g_strsplit_set(text, "\r\n", -1);
	for (guint i = 0; lines[i]; i++) {
		g_auto(GStrv) words = g_strsplit_set(g_strstrip(lines[i]), " \t:", -1);
		if (!*lines[i])
			continue;
		guint count = g_strv_length(words);
		gboolean always = count == 3 && g_str_equal(words[2], "always");
		if (count != 2 && !always) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"products: \"%s\" is not a product and a channel, as in: web beta",
				lines[i]);
			return NULL;
		}
		json_array_append_new(products,
			json_pack("{s:o, s:o, s:s}", "product", json_text_or_null(words[0]),
				"channel", json_text_or_null(words[1]), "follows",
				always ? "always" : "alone"));
	}
	return g_steal_pointer(&products);
}

/* "rack=a tier=front" */
static json_t *tags_of(const char *text, GError **error)
{
	g_autoptr(json_t) tags = json_object();
	g_auto(GStrv) words = g_strsplit_set(text, " ,\t", -1);
	for (guint i = 0; words[i]; i++) {
		g_auto(GStrv) pair = g_strsplit(words[i], "=", 2);
		if (!*words[i])
			continue;
		if (g_strv_length(pair) != 2) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"tags: \"%s\" is not a name and a value, as in: rack=a", words[i]);
			return NULL;
		}
		json_object_set_new(tags, pair[0], json_text_or_null(pair[1]));
	}
	return g_steal_pointer(&tags);
}

static gboolean set(json_t *body, const char *key, json_t *value)
{
	return value && json_object_set_new(body, key, value) == 0;
}

/* Both forms say all there is to say of a node; an empty field is none. */
static json_t *node_body(const Visit *visit, const char *fields, GError **error)
{
	g_autoptr(json_t) body = form_body(fields, visit->fields, error);
	if (!body || !set(body, "products", products_of(field(visit, "products"), error)) ||
		!set(body, "tags", tags_of(field(visit, "tags"), error)))
		return NULL;
	return g_steal_pointer(&body);
}

static json_t *added_body(const Visit *visit, GError **error)
{
	return node_body(visit, "name notes", error);
}

static json_t *changed_body(const Visit *visit, GError **error)
{
	return node_body(visit, "data_version:i notes:n", error);
}

static json_t *invited_body(const Visit *visit, GError **error)
{
	return json_pack("{s:o, s:s}", "name",
		json_text_or_null(g_hash_table_lookup(visit->parameters, "node")), "kind", "node");
}

static const FormRoute forms[] = {
	{.path = "/nodes",
		.page = "/nodes",
		.show = show_node_added,
		.api_method = "POST",
		.api_path = "/nodes",
		.make = added_body},
	{.path = NODE,
		.page = NODE,
		.show = show_node,
		.api_method = "PUT",
		.api_path = NODE,
		.make = changed_body,
		.flash = "node",
		.then = NODE},
	{.path = NODE "/invite",
		.page = NODE,
		.show = show_node,
		.api_method = "POST",
		.api_path = "/hosts",
		.make = invited_body},
	{.path = NODE "/remove",
		.page = NODE,
		.show = show_node,
		.api_method = "DELETE",
		.api_path = NODE,
		.fields = "reason",
		.flash = "node-remove",
		.then = "/nodes"},
	{.path = NODE "/products/{product}/order",
		.page = NODE,
		.show = show_node,
		.api_method = "POST",
		.api_path = NODE "/products/{product}/order",
		.fields = "version:n reason",
		.flash = "node-order",
		.then = NODE},
};

const FormRoute *form_find_node(Visit *visit, const char *path)
{
	for (gsize index = 0; index < G_N_ELEMENTS(forms); index++)
		if (visit_matches(forms[index].path, path, visit->parameters))
			return &forms[index];
	return NULL;
}
