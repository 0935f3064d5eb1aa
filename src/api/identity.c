/* SPDX-License-Identifier: ISC
 *
 * From what a request carries to who asks: a token's secret, or a session's cookie. Both are looked
 * up by their digest; the person's roles are read anew each time, so a role that was taken is gone
 * with the next request. Whatever is wrong with a secret, the words are the same (docs/people.md).
 */
#include "api/identity.h"

#include <string.h>

#include "api/maintenance.h"
#include "base/log.h"
#include "base/secret.h"

/* Each takes digest and now, and gives the id and name of who it is, then what the lookup wants
 * beside. */
static const char SQL_TOKEN[] =
	"SELECT p.id, p.name, t.id, t.used_us FROM token t JOIN person p ON p.id = t.person_id"
	" WHERE t.digest = ? AND t.expires_us > ? AND t.revoked_us IS NULL AND p.is_disabled = 0";
static const char SQL_SESSION[] =
	"SELECT p.id, p.name FROM session s JOIN person p ON p.id = s.person_id"
	" WHERE s.digest = ? AND s.expires_us > ? AND p.is_disabled = 0";
static const char SQL_HOST[] =
	"SELECT id, name, kind FROM host WHERE digest = ? AND revoked_us IS NULL";
static const char SQL_GRANTS[] = "SELECT product, role FROM person_role WHERE person_id = ?";
static const char SQL_USED[] = "UPDATE token SET used_us = ? WHERE id = ?";

typedef struct Lookup {
	const ApiSite *site;
	gint64 now_us;
	char *digest;
	Actor *actor; /* NULL: nobody */
	gint64 token_id;
	gint64 used_us;
} Lookup;

static void lookup_clear(Lookup *lookup)
{
	g_free(lookup->digest);
	actor_free(lookup->actor);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Lookup, lookup_clear)

static Lookup lookup_for(const ApiSite *site, const char *secret)
{
	return (Lookup){
		.site = site, .now_us = clock_now_us(site->clock), .digest = secret_digest(secret)};
}

static gboolean load_grants(Store *store, Actor *actor, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, SQL_GRANTS, STORE_PARAMS(STORE_INT(actor->id)));
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return TRUE;
		actor_grant(actor, store_rows_text(rows, 0), store_rows_text(rows, 1));
	}
	return FALSE;
}

static gboolean find_person(
	Store *store, Lookup *lookup, const char *sql, const char *tool, GError **error)
{
	g_clear_pointer(&lookup->actor, actor_free);
	g_autoptr(StoreRows) rows = store_query(store, error, sql,
		STORE_PARAMS(STORE_TEXT(lookup->digest), STORE_INT(lookup->now_us)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (!more)
		return TRUE;
	lookup->actor = actor_new(
		ACTOR_PERSON, store_rows_text(rows, 1), tool, store_rows_integer(rows, 0));
	if (sql == SQL_TOKEN) {
		lookup->token_id = store_rows_integer(rows, 2);
		lookup->used_us = store_rows_integer(rows, 3);
	}
	return load_grants(store, lookup->actor, error);
}

static gboolean find_by_token(Store *store, gpointer of, GError **error)
{
	return find_person(store, of, SQL_TOKEN, "api", error);
}

static gboolean find_by_session(Store *store, gpointer of, GError **error)
{
	return find_person(store, of, SQL_SESSION, "page", error);
}

static gboolean find_host(Store *store, gpointer of, GError **error)
{
	Lookup *lookup = of;
	g_clear_pointer(&lookup->actor, actor_free);
	g_autoptr(StoreRows) rows =
		store_query(store, error, SQL_HOST, STORE_PARAMS(STORE_TEXT(lookup->digest)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (!more)
		return TRUE;
	g_autofree char *name =
		g_strdup_printf("%s %s", store_rows_text(rows, 2), store_rows_text(rows, 1));
	lookup->actor = actor_new(ACTOR_HOST, name, "api", store_rows_integer(rows, 0));
	return TRUE;
}

static gboolean store_used(Store *store, gpointer of, GError **error)
{
	const Lookup *lookup = of;
	return maintenance_refuse(lookup->site, store, error) &&
	       store_execute(store, error, SQL_USED,
		       STORE_PARAMS(STORE_INT(lookup->now_us), STORE_INT(lookup->token_id)));
}

/* Says when the token was last used, at most once a minute, so that reading stays reading. It is a
 * courtesy: when it cannot be written, the request goes on. */
static void note_use(Store *store, Lookup *lookup)
{
	g_autoptr(GError) problem = NULL;
	if (lookup->now_us - lookup->used_us < TOKEN_USED_EVERY_S * US_PER_SECOND ||
		store_write_soon(store, store_used, lookup, &problem) ||
		drover_error_is(problem, DROVER_ERROR_MAINTENANCE) ||
		drover_error_is(problem, DROVER_ERROR_UNAVAILABLE))
		return;
	log_event(LOG_LEVEL_WARNING, "token.used", "person", lookup->actor->name, "problem",
		problem->message, NULL);
}

Actor *identity_from_token(const ApiSite *site, Store *store, const char *secret, GError **error)
{
	g_auto(Lookup) lookup = lookup_for(site, secret);
	gboolean is_person = g_str_has_prefix(secret, TOKEN_PREFIX);
	gboolean is_host = g_str_has_prefix(secret, HOST_TOKEN_PREFIX);
	if ((is_person && !store_read(store, find_by_token, &lookup, error)) ||
		(is_host && !store_read(store, find_host, &lookup, error)))
		return NULL;
	if (lookup.actor == NULL) {
		drover_error_set(error, DROVER_ERROR_UNAUTHENTICATED,
			"this token opens nothing: it is unknown, expired or revoked, or whoever "
			"has it "
			"is disabled; make a new one: drover token add NAME, or ask an admin");
		return NULL;
	}
	if (is_person)
		note_use(store, &lookup);
	return g_steal_pointer(&lookup.actor);
}

/* What forms must carry follows from the cookie, which the store does not have: nobody who reads
 * the store can make it. */
static char *csrf_for(const char *cookie)
{
	g_autofree char *text = g_strconcat("csrf:", cookie, NULL);
	return secret_digest(text);
}

Actor *identity_from_session(
	const ApiSite *site, Store *store, const char *cookie, char **csrf, GError **error)
{
	g_auto(Lookup) lookup = lookup_for(site, cookie);
	if (!store_read(store, find_by_session, &lookup, error))
		return NULL;
	if (lookup.actor == NULL) {
		drover_error_set(
			error, DROVER_ERROR_UNAUTHENTICATED, "this session is over: log in again");
		return NULL;
	}
	*csrf = csrf_for(cookie);
	return g_steal_pointer(&lookup.actor);
}

Actor *identity_again(const ApiSite *site, Store *store, const char *secret, GError **error)
{
	g_auto(Lookup) lookup = lookup_for(site, secret);
	gboolean is_session = g_str_has_prefix(secret, SESSION_PREFIX);
	if (!store_read(store, is_session ? find_by_session : find_by_token, &lookup, error))
		return NULL;
	return g_steal_pointer(&lookup.actor);
}
