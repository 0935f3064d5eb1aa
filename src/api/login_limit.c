/* SPDX-License-Identifier: ISC
 *
 * How often somebody may be wrong: counted by name and by address, in the store (docs/people.md).
 */
#include "api/login_limit.h"

#include <arpa/inet.h>
#include <string.h>

#include "api/identity.h"
#include "base/secret.h"

static const char SQL_PRUNE[] = "DELETE FROM login_failure WHERE at_us <= ?";
static const char SQL_COUNT_NAME[] = "SELECT COUNT(*) FROM login_failure WHERE name_digest = ?";
static const char SQL_COUNT_ADDRESS[] = "SELECT COUNT(*) FROM login_failure WHERE address = ?";
static const char SQL_ADD[] =
	"INSERT INTO login_failure (name_digest, address, at_us) VALUES (?, ?, ?) RETURNING id";
static const char SQL_CAP[] = "DELETE FROM login_failure WHERE id <= ?";
static const char SQL_REMOVE[] = "DELETE FROM login_failure WHERE id = ?";
static const char SQL_FORGIVE[] =
	"UPDATE login_failure SET name_digest = NULL WHERE name_digest = ?";

char *login_limit_address(const char *peer)
{
	struct in6_addr address;
	char text[INET6_ADDRSTRLEN];
	if (peer == NULL)
		return NULL;
	if (inet_pton(AF_INET6, peer, &address) != 1)
		return g_utf8_make_valid(peer, (gssize)strnlen(peer, LOGIN_ADDRESS_MAXIMUM_BYTES));
	if (IN6_IS_ADDR_V4MAPPED(&address)) {
		inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
		return g_strdup(text);
	}
	memset(&address.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &address, text, sizeof text);
	return g_strconcat(text, "/64", NULL);
}

/* TRUE for NULL. */
static gboolean is_below(
	Store *store, const char *sql, const char *counted, gint64 limit, GError **error)
{
	gint64 failures;
	if (counted == NULL)
		return TRUE;
	if (!store_query_integer(
		    store, error, 0, &failures, sql, STORE_PARAMS(STORE_TEXT(counted))))
		return FALSE;
	if (failures < limit)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_RATE,
		"too many failed logins with this name or from this address; wait %d minutes, or "
		"ask "
		"an admin for a login link",
		LOGIN_WINDOW_MINUTES);
	return FALSE;
}

gboolean login_limit_count(Store *store, gint64 now_us, const char *name, const char *peer,
	gint64 *attempt, GError **error)
{
	g_autofree char *digest = name != NULL ? secret_digest(name) : NULL;
	g_autofree char *address = login_limit_address(peer);
	gint64 window_us = LOGIN_WINDOW_MINUTES * 60 * US_PER_SECOND;
	return store_execute(
		       store, error, SQL_PRUNE, STORE_PARAMS(STORE_INT(now_us - window_us))) &&
	       is_below(store, SQL_COUNT_NAME, digest, LOGIN_FAILURES_PER_NAME, error) &&
	       is_below(store, SQL_COUNT_ADDRESS, address, LOGIN_FAILURES_PER_ADDRESS, error) &&
	       store_query_integer(store, error, 0, attempt, SQL_ADD,
		       STORE_PARAMS(STORE_TEXT(digest), STORE_TEXT(address), STORE_INT(now_us))) &&
	       store_execute(store, error, SQL_CAP,
		       STORE_PARAMS(STORE_INT(*attempt - LOGIN_FAILURES_KEPT)));
}

gboolean login_limit_forgive(Store *store, const char *name, gint64 attempt, GError **error)
{
	if (!store_execute(store, error, SQL_REMOVE, STORE_PARAMS(STORE_INT(attempt))))
		return FALSE;
	if (name == NULL)
		return TRUE;
	g_autofree char *digest = secret_digest(name);
	return store_execute(store, error, SQL_FORGIVE, STORE_PARAMS(STORE_TEXT(digest)));
}
