/* SPDX-License-Identifier: ISC
 *
 * Logging in and out. A password is checked between two transactions, because that takes long on
 * purpose: the first counts the attempt as a failure (login_limit.h), the second takes that back
 * and opens the session, if the person is still there with that password. Whatever is wrong, the
 * time and the words are the same (docs/people.md).
 */
#include <string.h>

#include "api/identity.h"
#include "api/login_limit.h"
#include "api/person.h"
#include "base/log.h"
#include "base/secret.h"

static const char SQL_PASSWORD[] = "SELECT id, password_hash FROM person WHERE name = ?";
static const char SQL_STILL[] =
	"SELECT id FROM person WHERE id = ? AND password_hash = ? AND is_disabled = 0";
static const char SQL_LINK[] = "SELECT p.id FROM login_link l JOIN person p ON p.id = l.person_id"
			       " WHERE l.digest = ? AND l.expires_us > ? AND p.is_disabled = 0";
static const char SQL_USE_LINK[] = "DELETE FROM login_link WHERE digest = ?";
static const char SQL_PRUNE[] = "DELETE FROM session WHERE expires_us <= ?";
static const char SQL_OPEN[] =
	"INSERT INTO session (digest, person_id, created_us, expires_us) VALUES (?, ?, ?, ?)";
static const char SQL_CLOSE[] = "DELETE FROM session WHERE digest = ?";

typedef struct Login {
	gint64 now_us;
	const char *name; /* NULL: by link */
	const char *code; /* NULL: by password */
	const char *peer;
	gint64 attempt;
	gint64 person_id;    /* 0: nobody */
	char *password_hash; /* NULL: has none, or nobody */
	char *cookie;	     /* NULL: not let in */
} Login;

static void login_clear(Login *login)
{
	g_free(login->password_hash);
	g_free(login->cookie);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Login, login_clear)

static gboolean open_session(Store *store, Login *login, GError **error)
{
	g_free(login->cookie);
	login->cookie = secret_new(SESSION_PREFIX);
	g_autofree char *digest = secret_digest(login->cookie);
	gint64 expires_us = login->now_us + SESSION_HOURS * 3600 * US_PER_SECOND;
	return login_limit_forgive(store, login->name, login->attempt, error) &&
	       store_execute(store, error, SQL_PRUNE, STORE_PARAMS(STORE_INT(login->now_us))) &&
	       store_execute(store, error, SQL_OPEN,
		       STORE_PARAMS(STORE_TEXT(digest), STORE_INT(login->person_id),
			       STORE_INT(login->now_us), STORE_INT(expires_us)));
}

/* Who comes in goes into the log, and who does not: without the name, which may be a mistyped
 * password. */
static void tell(const Login *login)
{
	g_autofree char *person = g_strdup_printf("%" G_GINT64_FORMAT, login->person_id);
	if (login->cookie != NULL)
		log_event(LOG_LEVEL_INFO, "login.in", "person", person, "by",
			login->name != NULL ? "password" : "link", "peer", login->peer, NULL);
	else
		log_event(LOG_LEVEL_WARNING, "login.refused", "by",
			login->name != NULL ? "password" : "link", "peer", login->peer, NULL);
}

/* By password ---------------------------------------------------------------------------------- */

static gboolean begin_login(Store *store, gpointer of, GError **error)
{
	Login *login = of;
	if (!login_limit_count(
		    store, login->now_us, login->name, login->peer, &login->attempt, error))
		return FALSE;
	login->person_id = 0;
	g_clear_pointer(&login->password_hash, g_free);
	if (!person_name_is_valid(login->name))
		return TRUE;
	g_autoptr(StoreRows) rows =
		store_query(store, error, SQL_PASSWORD, STORE_PARAMS(STORE_TEXT(login->name)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (!more)
		return TRUE;
	login->person_id = store_rows_integer(rows, 0);
	login->password_hash = g_strdup(store_rows_text(rows, 1));
	return TRUE;
}

/* Whether the person may log in is asked only now, since both that and the password may have
 * changed while the password was being checked. */
static gboolean finish_login(Store *store, gpointer of, GError **error)
{
	Login *login = of;
	gint64 still;
	g_clear_pointer(&login->cookie, g_free);
	if (!store_query_integer(store, error, 0, &still, SQL_STILL,
		    STORE_PARAMS(STORE_INT(login->person_id), STORE_TEXT(login->password_hash))))
		return FALSE;
	return still == 0 || open_session(store, login, error);
}

gboolean identity_log_in(const ApiSite *site, Store *store, const char *name, const char *password,
	const char *peer, char **cookie, GError **error)
{
	g_auto(Login) login = {.now_us = clock_now_us(site->clock), .name = name, .peer = peer};
	if (!store_write(store, begin_login, &login, error))
		return FALSE;
	gboolean is_right = password_matches(login.password_hash, password);
	if (is_right && !store_write(store, finish_login, &login, error))
		return FALSE;
	tell(&login);
	*cookie = g_steal_pointer(&login.cookie);
	if (*cookie != NULL)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_UNAUTHENTICATED,
		"name or password is wrong, or this person may not log in; an admin can help with "
		"a "
		"login link");
	return FALSE;
}

/* By link -------------------------------------------------------------------------------------- */

/* One transaction, which also stands when the link opens nothing: the failure is to count. */
static gboolean log_in_by_link(Store *store, gpointer of, GError **error)
{
	Login *login = of;
	g_autofree char *digest = secret_digest(login->code);
	g_clear_pointer(&login->cookie, g_free);
	if (!login_limit_count(store, login->now_us, NULL, login->peer, &login->attempt, error) ||
		!store_query_integer(store, error, 0, &login->person_id, SQL_LINK,
			STORE_PARAMS(STORE_TEXT(digest), STORE_INT(login->now_us))))
		return FALSE;
	if (login->person_id == 0)
		return TRUE;
	return store_execute(store, error, SQL_USE_LINK, STORE_PARAMS(STORE_TEXT(digest))) &&
	       open_session(store, login, error);
}

gboolean identity_log_in_by_link(const ApiSite *site, Store *store, const char *code,
	const char *peer, char **cookie, GError **error)
{
	g_auto(Login) login = {.now_us = clock_now_us(site->clock), .code = code, .peer = peer};
	if (!store_write(store, log_in_by_link, &login, error))
		return FALSE;
	tell(&login);
	*cookie = g_steal_pointer(&login.cookie);
	if (*cookie != NULL)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_UNAUTHENTICATED,
		"this login link opens nothing: it is unknown, used or older than %d minutes; ask "
		"an "
		"admin for a new one",
		LOGIN_LINK_MINUTES);
	return FALSE;
}

/* Out ------------------------------------------------------------------------------------------ */

static gboolean close_session(Store *store, gpointer of, GError **error)
{
	const char *digest = of;
	return store_execute(store, error, SQL_CLOSE, STORE_PARAMS(STORE_TEXT(digest)));
}

gboolean identity_log_out(Store *store, const char *cookie, GError **error)
{
	g_autofree char *digest = secret_digest(cookie);
	return store_write(store, close_session, digest, error);
}
