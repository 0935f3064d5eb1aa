/* SPDX-License-Identifier: ISC
 *
 * /products: adding, changing, showing.
 */
#include <string.h>

#include "api/maintenance.h"
#include "api/routes.h"
#include "api/transitions.h"
#include "api/view.h"
#include "landing/git.h"
#include "wire/mail.h"

static json_t *list_products(ApiCall *call, GError **error)
{
	g_autoptr(GPtrArray) products = product_list(call->store, error);
	if (products == NULL)
		return NULL;
	g_autoptr(json_t) list = json_array();
	for (guint i = 0; i < products->len; i++) {
		const Product *product = products->pdata[i];
		if (!actor_has(call->actor, ROLE_VIEWER, product->name))
			continue;
		g_autoptr(LandingBook) book =
			landing_books_take(call->site->books, call->store, product->name, error);
		if (book == NULL)
			return NULL;
		g_autoptr(View) view = view_new(book);
		json_array_append_new(list, view_summary(view));
	}
	return g_steal_pointer(&list);
}

static json_t *show_product(ApiCall *call, GError **error)
{
	g_autoptr(LandingBook) book = landing_books_take(
		call->site->books, call->store, api_parameter(call, "product"), error);
	if (book == NULL)
		return NULL;
	g_autoptr(View) view = view_new(book);
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "settings",
		view_settings(landing_book_product(book)), "summary", view_summary(view),
		"blockers", view_blockers(view, view->tip), "needs", view_needs(view, view->tip),
		"owing", view_owing(view));
}

/* A text setting: given, it replaces; null or "" empties what may be empty. */
static gboolean take_text(
	const json_t *body, const char *key, gboolean may_be_empty, char **setting, GError **error)
{
	const json_t *given = json_object_get(body, key);
	const char *text = NULL;
	if (given == NULL)
		return TRUE;
	if (!json_field_text(body, key, FALSE, PRODUCT_MAXIMUM_TEXT_BYTES, &text, error))
		return FALSE;
	if ((text == NULL || *text == '\0') && !may_be_empty) {
		drover_error_set(error, DROVER_ERROR_INPUT, "%s: must not be empty", key);
		return FALSE;
	}
	g_free(*setting);
	*setting = text != NULL && *text != '\0' ? g_strdup(text) : NULL;
	return TRUE;
}

/* Lays the body's settings over the product's. */
static gboolean take_settings(const json_t *body, Product *product, GError **error)
{
	return take_text(body, "title", FALSE, &product->title, error) &&
	       take_text(body, "repository", TRUE, &product->repository, error) &&
	       take_text(body, "branch", FALSE, &product->branch, error) &&
	       take_text(body, "item_patterns", FALSE, &product->item_patterns, error) &&
	       take_text(body, "item_url", TRUE, &product->item_url, error) &&
	       take_text(body, "mail_list", TRUE, &product->mail_list, error) &&
	       json_field_boolean(body, "authors_may_rule", product->authors_may_rule,
		       &product->authors_may_rule, error) &&
	       json_field_boolean(body, "remind", product->remind, &product->remind, error) &&
	       json_field_integer(body, "baseline",
		       json_is_null(json_object_get(body, "baseline")) ? 0 : product->baseline, 0,
		       G_MAXINT64, &product->baseline, error) &&
	       json_field_integer(body, "overdue_days", product->overdue_days, 1, 3650,
		       &product->overdue_days, error) &&
	       json_field_integer(body, "overdue_every_days", product->overdue_every_days, 1, 3650,
		       &product->overdue_every_days, error);
}

static gboolean check_mail_list(const Product *product, GError **error)
{
	if (product->mail_list == NULL || mail_address_is_valid(product->mail_list))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"mail_list: must be one mail address, which reads like team@example.org");
	return FALSE;
}

/* The folder is one of this host's, and whoever names it reads what lies there: that is more than
 * an operator of one product may do. */
static gboolean may_move(ApiCall *call, const char *before, const char *after, GError **error)
{
	return g_strcmp0(before, after) == 0 || actor_require(call->actor, ROLE_ADMIN, NULL, error);
}

/* Also tells at once what is wrong with the repository, not only at the first scan. */
static gboolean choose_branch(const json_t *body, Product *product, GError **error)
{
	if (product->repository == NULL || json_object_get(body, "branch") != NULL)
		return TRUE;
	g_autofree char *branch = git_default_branch(product->repository, error);
	if (branch == NULL)
		return FALSE;
	g_free(product->branch);
	product->branch = g_steal_pointer(&branch);
	return TRUE;
}

typedef struct Adding {
	ApiCall *call;
	Product *product;
	const char *reason;
	json_t *settings;
} Adding;

static gboolean store_product(Store *store, gpointer of, GError **error)
{
	Adding *adding = of;
	g_clear_pointer(&adding->settings, json_decref);
	if (!maintenance_refuse(adding->call->site, store, error) ||
		!product_insert(store, adding->product, error))
		return FALSE;
	adding->settings = view_settings(adding->product);
	g_autofree char *subject = g_strdup_printf("product/%s", adding->product->name);
	return api_record(adding->call, "product.add", subject, adding->reason, NULL,
		adding->settings, error);
}

/* A repository may lie on a slow disk: it is looked at before anybody is kept from writing. */
static json_t *add_product(ApiCall *call, GError **error)
{
	const char *name, *reason;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error) ||
		!json_field_text(
			call->body, "name", TRUE, PRODUCT_MAXIMUM_NAME_BYTES, &name, error))
		return NULL;
	g_autoptr(Product) product = product_new(name);
	if (!take_settings(call->body, product, error) || !product_validate(product, error) ||
		!check_mail_list(product, error) || !choose_branch(call->body, product, error))
		return NULL;
	Adding adding = {call, product, reason, NULL};
	if (!store_write(call->store, store_product, &adding, error))
		g_clear_pointer(&adding.settings, json_decref);
	return adding.settings;
}

static json_t *change_settings(ApiCall *call, GError **error)
{
	const char *name = api_parameter(call, "product"), *reason;
	gint64 version;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error) ||
		!json_field_integer(call->body, "data_version", -1, 1, G_MAXINT64, &version, error))
		return NULL;
	g_autoptr(Product) product = product_load(call->store, name, error);
	if (product == NULL)
		return NULL;
	if (version != product->data_version) {
		drover_error_set(error, version == -1 ? DROVER_ERROR_INPUT : DROVER_ERROR_CONFLICT,
			"product %s is at data_version %" G_GINT64_FORMAT
			"; name the version that you looked at, and look again when it has moved",
			name, product->data_version);
		return NULL;
	}
	g_autoptr(json_t) before = view_settings(product);
	if (!take_settings(call->body, product, error) || !check_mail_list(product, error) ||
		!may_move(call, json_text(before, "repository"), product->repository, error))
		return NULL;
	g_autoptr(json_t) after = view_settings(product);
	if (json_equal(before, after))
		return g_steal_pointer(&after);
	if (!product_update_settings(call->store, product, error))
		return NULL;
	json_object_set_new(after, "data_version", json_integer(product->data_version));
	g_autofree char *subject = g_strdup_printf("product/%s", name);
	if (!api_record(call, "product.update", subject, reason, before, after, error))
		return NULL;
	return g_steal_pointer(&after);
}

/* Another baseline is another state of every landing up to it. */
static json_t *update_product(ApiCall *call, GError **error)
{
	return transitions_write(call, change_settings, "settings", error);
}

const ApiRoute api_product_routes[] = {
	{"GET", "/products", ROLE_VIEWER, API_READ | API_ANYWHERE, list_products},
	{"POST", "/products", ROLE_ADMIN, API_JOB, add_product},
	{"GET", "/products/{product}", ROLE_VIEWER, API_READ, show_product},
	{"PATCH", "/products/{product}", ROLE_OPERATOR, API_JOB, update_product},
	{0},
};
