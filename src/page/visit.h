/* SPDX-License-Identifier: ISC
 *
 * One request under way: who asks, what the path names, and what a form said.
 */
#ifndef PAGE_VISIT_H
#define PAGE_VISIT_H

#include "page/route.h"

typedef struct Visit {
	const PageHouse *house;
	const PageRequest *request;
	Actor *actor; /* NULL: nobody is logged in */
	char *csrf;
	json_t *status; /* NULL: the actor may not see it, or it failed (status_error) */
	GError *status_error;
	GHashTable *parameters; /* of the path */
	GHashTable *fields;	/* of the form; NULL for a GET */
	char *address;		/* of the page a form stands on; NULL for a GET */
	const json_t *answered; /* what the API said to the form, while it is known; or NULL */
	PageForm form;
	PageFrame frame;
} Visit;

/* Asks what a page needs and renders it. `answer` is what a form was just answered with, or NULL.
 * NULL with error set when the API refuses. */
typedef char *(*PageShow)(Visit *visit, const json_t *answer, GError **error);

/* Fills {name} in `pattern` from the path's parameters, then from the form, then from `answered`;
 * `encoded` as an address for a browser, else as the API takes it. Caller frees. */
char *visit_path(const Visit *visit, const char *pattern, gboolean encoded);
/* TRUE when `path` is of `pattern`; its parameters are then in `parameters`, emptied before. */
gboolean visit_matches(const char *pattern, const char *path, GHashTable *parameters);
/* Asks the API; {name} in `path` stands for the path's parameter. `query` may be NULL. */
json_t *visit_ask(Visit *visit, const char *method, const char *path, GHashTable *query,
	json_t *body, GError **error);
/* The page for a GET of `path`; NULL when there is none. Fills the visit's parameters. */
PageShow show_find(Visit *visit, const char *path);

/* The shows that forms come back to. */
char *show_overview(Visit *visit, const json_t *answer, GError **error);
char *show_product(Visit *visit, const json_t *answer, GError **error);
char *show_landing(Visit *visit, const json_t *answer, GError **error);
char *show_people(Visit *visit, const json_t *answer, GError **error);
char *show_person(Visit *visit, const json_t *answer, GError **error);
char *show_tokens(Visit *visit, const json_t *answer, GError **error);
char *show_hosts(Visit *visit, const json_t *answer, GError **error);
char *show_pools(Visit *visit, const json_t *answer, GError **error);
char *show_pool(Visit *visit, const json_t *answer, GError **error);
char *show_nodes(Visit *visit, const json_t *answer, GError **error);
char *show_node(Visit *visit, const json_t *answer, GError **error);
/* After it was added: its page, with the code with which it enrols. */
char *show_node_added(Visit *visit, const json_t *answer, GError **error);
char *show_releases(Visit *visit, const json_t *answer, GError **error);
char *show_release(Visit *visit, const json_t *answer, GError **error);
char *show_release_files(Visit *visit, const json_t *answer, GError **error);
char *show_release_diff(Visit *visit, const json_t *answer, GError **error);
char *show_notices(Visit *visit, const json_t *answer, GError **error);
char *show_maintenance(Visit *visit, const json_t *answer, GError **error);
char *show_channels(Visit *visit, const json_t *answer, GError **error);
char *show_channel(Visit *visit, const json_t *answer, GError **error);
char *show_channel_explain(Visit *visit, const json_t *answer, GError **error);
char *show_channel_diff(Visit *visit, const json_t *answer, GError **error);
char *show_channel_switch(Visit *visit, const json_t *answer, GError **error);
char *show_changes(Visit *visit, const json_t *answer, GError **error);
char *show_change(Visit *visit, const json_t *answer, GError **error);
char *show_change_break_glass(Visit *visit, const json_t *answer, GError **error);
char *show_change_new(Visit *visit, const json_t *answer, GError **error);

/* The named values of the request's query that are not empty: char * to char *. Caller frees. */
GHashTable *visit_query(const Visit *visit, const char *const *names);

/* One form: which address takes it, which page it stands on, which API route it becomes. */
typedef struct FormRoute {
	const char *path;
	const char *page; /* where the form stands: a GET of `path` leads there */
	PageShow show;	  /* that page */
	const char *api_method, *api_path;
	const char *fields; /* "name email password": text, left out when empty; ":n" text, null
			       when empty; ":m" integer, null when empty; ":i" integer, ":b" yes or
			       no, ":w" an instant, ":j" JSON; NULL: no body */
	const char *flash;  /* code; NULL: the answer is shown at once, because it holds a secret */
	const char *then;   /* where to go next; {name} from the path, then from the form, then from
			       the API's answer */
	/* Makes the body in place of `fields`, or NULL. Fails with DROVER_ERROR_INPUT. */
	json_t *(*make)(const Visit *visit, GError **error);
} FormRoute;

/* NULL when `path` takes no form. Fills the visit's parameters. */
const FormRoute *form_find(Visit *visit, const char *path);
/* The same of the forms about channels and changes. */
const FormRoute *form_find_channel(Visit *visit, const char *path);
/* The same of the forms about nodes. */
const FormRoute *form_find_node(Visit *visit, const char *path);
/* What the API is sent, from the form's fields. Fails with DROVER_ERROR_INPUT. A new reference. */
json_t *form_body(const char *fields, GHashTable *given, GError **error);
/* Sends the form: its reply, or NULL with error set. */
PageReply *form_send(Visit *visit, const FormRoute *route, GError **error);

#endif
