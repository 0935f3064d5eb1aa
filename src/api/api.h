/* SPDX-License-Identifier: ISC
 *
 * The API as one table of routes, and one way through it: JSON in, JSON out. droverd calls
 * api_call() for each HTTP request under /api/v1, the pages call it for what they show, and the
 * command calls it in its own process when it works on the store directly: the same code, the same
 * answers, the same refusals. What a route takes and gives stands in openapi.yaml.
 *
 * One file per resource; each offers its routes as a table, api.c lists the tables.
 */
#ifndef API_API_H
#define API_API_H

#include "api/actor.h"
#include "store/store.h"
#include "wire/json.h"

#define API_PREFIX		  "/api/v1"
#define API_MAXIMUM_BODY_BYTES	  (1024 * 1024)
#define API_MAXIMUM_EDIT_BYTES	  (16 * 1024 * 1024) /* of rows of channels, and of changes */
#define API_MAXIMUM_IMPORT_BYTES  (64 * 1024 * 1024)
#define API_MAXIMUM_RELEASE_BYTES (96 * 1024 * 1024) /* a manifest as JSON text, and more */

typedef struct LandingBooks LandingBooks;
typedef struct ChannelBooks ChannelBooks;
typedef struct ApiWarnings ApiWarnings;

/* What this installation was told: one for the process, unchanging. Texts are borrowed. */
typedef struct ApiSite ApiSite;
struct ApiSite {
	Clock clock;
	const char *state_folder; /* where maintenance.txt is looked for */
	gint64 lock_warn_s;
	const char *base_url; /* of the admin pages, for links in mails and login links; NULL:
				 unknown */
	const char *mail_url; /* smtp://…; NULL: mails stay queued */
	const char *mail_user, *mail_password, *mail_from, *mail_ca_file;
	gboolean mail_require_tls;
	const char *release_repository; /* the folder that releases are published to; NULL: none */
	const char *release_keys;	/* a folder of root public keys; NULL: none */
	gint64 retention_days;		/* verdict and notice logs are summarised after */
	LandingBooks *books;	/* the landings in memory, shared by all calls of the process */
	ChannelBooks *channels; /* what channels are answered from, the same; NULL: not kept */
	ApiWarnings *warnings;	/* of the process (api/warnings.h); NULL: none are kept */
	/* Makes the static report (page/page.h); the pages stand above the API. */
	json_t *(*make_report)(
		const ApiSite *site, Store *store, const Actor *actor, GError **error);
};

typedef struct ApiCall {
	const ApiSite *site;
	Store *store;
	const Actor *actor;
	GHashTable *parameters; /* of the path: "product" -> "web" */
	GHashTable *query;	/* NULL for none */
	json_t *body;		/* NULL for none */
} ApiCall;

/* A new reference, or NULL with error set. */
typedef json_t *(*ApiHandler)(ApiCall *call, GError **error);

typedef enum ApiFlags {
	API_READ = 0,	    /* runs in store_read() */
	API_WRITE = 1 << 0, /* runs in store_write(); stopped by maintenance */
	API_JOB = 1 << 1,   /* opens its own transactions; stopped by maintenance */
	API_EVEN_IN_MAINTENANCE = 1 << 2,
	API_ANYWHERE = 1 << 3,	      /* the role on any product will do; the handler filters */
	API_PUBLIC = 1 << 4,	      /* nobody may call it too */
	API_HOST = 1 << 5,	      /* for hosts, and only for them */
	API_SELF = 1 << 6,	      /* any person; the handler looks whose thing it is */
	API_OWN_TRANSACTION = 1 << 7, /* reads, but opens its own transactions */
} ApiFlags;

typedef struct ApiRoute {
	const char *method;
	const char *path; /* "/products/{product}/landings", below API_PREFIX */
	Role role;	  /* on {product} when the path has one, else on all */
	ApiFlags flags;
	ApiHandler handler;
} ApiRoute;

/* Finds the route, checks role and maintenance, opens the transaction, calls. `path` is below
 * API_PREFIX. `query` and `body` may be NULL. Fails as the handler does; no such route is
 * DROVER_ERROR_NOT_FOUND. */
json_t *api_call(const ApiSite *site, Store *store, const Actor *actor, const char *method,
	const char *path, GHashTable *query, json_t *body, GError **error);
/* NULL when there is none. */
const ApiRoute *api_find_route(const char *method, const char *path);
/* Every route, for tests: calls `visit` for each. */
void api_each_route(void (*visit)(const ApiRoute *route, gpointer of), gpointer of);
/* The OpenAPI document as JSON text. */
const char *api_document(void);

/* For handlers. */
gint64 api_now_us(const ApiCall *call);
const char *api_parameter(const ApiCall *call, const char *name);
/* NULL when absent. */
const char *api_query(const ApiCall *call, const char *name);
gboolean api_query_integer(const ApiCall *call, const char *name, gint64 fallback, gint64 minimum,
	gint64 maximum, gint64 *value, GError **error);
/* FALSE with DROVER_ERROR_INPUT unless there is a body and it is an object. */
gboolean api_require_body(const ApiCall *call, GError **error);
/* history_append() in the caller's name, `before` and `after` as JSON (borrowed, NULL allowed). */
gboolean api_record(ApiCall *call, const char *action, const char *subject, const char *reason,
	const json_t *before, const json_t *after, GError **error);
/* The body's "reason", NULL when absent; at most 4096 bytes. */
gboolean api_reason(const ApiCall *call, const char **reason, GError **error);

#define API_MAXIMUM_REASON_BYTES 4096

#endif
