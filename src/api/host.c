/* SPDX-License-Identifier: ISC
 *
 * Hosts: balancers and nodes. An admin invites one by name, it trades the one-time code for a token
 * of its own, and from then on it reports. Times on schedules are droverd's, so a host whose clock
 * is off is told so in the answer to its report, and shown (docs/hosts.md).
 *
 *     invited --enrol--> enrolled --revoke--> revoked
 *                           ^                    |
 *                           +--- invite, enrol --+
 *
 * Inviting a host that is enrolled changes nothing for it until it enrols again: then its old token
 * ends.
 */
#include <string.h>

#include "api/host.h"
#include "api/identity.h"
#include "api/maintenance.h"
#include "api/routes.h"
#include "base/format.h"
#include "base/secret.h"

#define SQL_HOST                                                                                   \
	"SELECT name, kind, enrolled_us, revoked_us, seen_us, version, clock_off_ms FROM host "

static const char SQL_LIST[] = SQL_HOST "ORDER BY name";
static const char SQL_LOAD[] = SQL_HOST "WHERE name = ?";
static const char SQL_LOAD_BY_ID[] = SQL_HOST "WHERE id = ? AND revoked_us IS NULL";
static const char SQL_PRUNE[] = "DELETE FROM enrolment WHERE expires_us <= ?";
static const char SQL_UNINVITE[] = "DELETE FROM enrolment WHERE name = ?";
static const char SQL_INVITE[] =
	"INSERT INTO enrolment (digest, kind, name, actor, expires_us) VALUES (?, ?, ?, ?, ?)";
static const char SQL_INVITED[] =
	"SELECT name, kind, actor FROM enrolment WHERE digest = ? AND expires_us > ?";
static const char SQL_ADD[] =
	"INSERT INTO host (name, kind, digest, enrolled_us, data_version) VALUES (?, ?, ?, ?, 1)"
	" RETURNING id";
static const char SQL_RENEW[] =
	"UPDATE host SET kind = ?, digest = ?, enrolled_us = ?, revoked_us = NULL,"
	" data_version = data_version + 1 WHERE name = ? RETURNING id";
static const char SQL_SEEN[] =
	"UPDATE host SET seen_us = ?, version = ?, clock_off_ms = ? WHERE id = ?";
static const char SQL_SEEN_CLOCK[] = "UPDATE host SET seen_us = ?, clock_off_ms = ? WHERE id = ?";
static const char SQL_SEEN_VERSION[] = "UPDATE host SET version = ? WHERE id = ?";
static const char SQL_REVOKE[] = "UPDATE host SET revoked_us = ?, data_version = data_version + 1"
				 " WHERE name = ? AND revoked_us IS NULL";

/* Shapes --------------------------------------------------------------------------------------- */

/* "2.5 s", "12 min". Caller frees. */
static char *clock_distance(gint64 off_ms)
{
	gint64 tenths = ABS(off_ms) / 100;
	if (tenths >= 600)
		return format_duration(tenths / 10);
	return g_strdup_printf("%d.%d s", (int)(tenths / 10), (int)(tenths % 10));
}

/* JSON null when the clock is near enough. */
json_t *host_clock_warning(gint64 off_ms)
{
	if (off_ms >= -CLOCK_WARNING_MS && off_ms <= CLOCK_WARNING_MS)
		return json_null();
	g_autofree char *distance = clock_distance(off_ms);
	g_autofree char *text = g_strdup_printf("its clock is %s %s droverd's, by which everything "
						"here goes: see to its time service",
		distance, off_ms > 0 ? "ahead of" : "behind");
	return json_string(text);
}

static json_t *host_json(const StoreRows *rows)
{
	gboolean reported = !store_rows_is_null(rows, 6);
	gint64 off_ms = store_rows_integer(rows, 6);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
		store_rows_text(rows, 0), "kind", store_rows_text(rows, 1), "enrolled",
		json_time_or_null(store_rows_integer(rows, 2)), "revoked",
		json_time_or_null(store_rows_integer(rows, 3)), "seen",
		json_time_or_null(store_rows_integer(rows, 4)), "version",
		json_text_or_null(store_rows_text(rows, 5)), "clock_off_ms",
		reported ? json_integer(off_ms) : json_null(), "clock_warning",
		reported ? host_clock_warning(off_ms) : json_null());
}

/* *host is NULL when there is none. */
static gboolean find_host(
	Store *store, const char *sql, StoreValue which, json_t **host, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, sql, &which, 1);
	gboolean more;
	*host = NULL;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (more)
		*host = host_json(rows);
	return TRUE;
}

static gboolean record(ApiCall *call, const char *action, const char *name, const json_t *before,
	const json_t *after, GError **error)
{
	const char *reason;
	g_autofree char *subject = g_strdup_printf("host/%s", name);
	return api_reason(call, &reason, error) &&
	       api_record(call, action, subject, reason, before, after, error);
}

/* Inviting ------------------------------------------------------------------------------------- */

gboolean host_check_name(const char *name, GError **error)
{
	if (g_ascii_isalnum(*name) && !g_ascii_isupper(*name) &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(name))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"name: '%s' will not do; it must begin with a-z or 0-9 and go on with those, '.', "
		"'_' or '-'",
		name);
	return FALSE;
}

static gboolean check_invitation(const char *name, const char *kind, GError **error)
{
	if (!host_check_name(name, error))
		return FALSE;
	if (strcmp(kind, "balancer") == 0 || strcmp(kind, "node") == 0)
		return TRUE;
	drover_error_set(
		error, DROVER_ERROR_INPUT, "kind: must be balancer or node, not '%s'", kind);
	return FALSE;
}

/* A host in service does not change its kind by a slip of the pen: it is revoked first. */
gboolean host_check_kind(Store *store, const char *name, const char *kind, GError **error)
{
	g_autoptr(json_t) host = NULL;
	if (!find_host(store, SQL_LOAD, STORE_TEXT(name), &host, error))
		return FALSE;
	if (host == NULL || !json_is_null(json_object_get(host, "revoked")) ||
		strcmp(json_text(host, "kind"), kind) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s is enrolled as a %s and cannot be invited as a %s; first: drover host revoke "
		"%s",
		name, json_text(host, "kind"), kind, name);
	return FALSE;
}

typedef struct Visited {
	HostVisit visit;
	gpointer of;
} Visited;

static void visit_version(const StoreRows *rows, gpointer of)
{
	const Visited *visited = of;
	visited->visit(store_rows_text(rows, 0), store_rows_integer(rows, 1), visited->of);
}

gboolean host_each_version(
	Store *store, const char *sql, HostVisit visit, gpointer of, GError **error)
{
	Visited visited = {visit, of};
	return store_each(store, error, visit_version, &visited, sql, STORE_NO_PARAMS);
}

/* An invitation takes the place of an earlier one to the same host. */
static json_t *invite_host(ApiCall *call, GError **error)
{
	const char *name, *kind;
	if (!api_require_body(call, error) ||
		!json_field_text(call->body, "name", TRUE, HOST_NAME_MAXIMUM_BYTES, &name, error) ||
		!json_field_text(call->body, "kind", TRUE, HOST_NAME_MAXIMUM_BYTES, &kind, error) ||
		!check_invitation(name, kind, error) ||
		!host_check_kind(call->store, name, kind, error))
		return NULL;
	g_autofree char *code = secret_new(ENROLMENT_PREFIX);
	g_autofree char *digest = secret_digest(code);
	gint64 now_us = api_now_us(call);
	gint64 expires_us = now_us + ENROLMENT_HOURS * 3600 * US_PER_SECOND;
	if (!store_execute(call->store, error, SQL_PRUNE, STORE_PARAMS(STORE_INT(now_us))) ||
		!store_execute(call->store, error, SQL_UNINVITE, STORE_PARAMS(STORE_TEXT(name))) ||
		!store_execute(call->store, error, SQL_INVITE,
			STORE_PARAMS(STORE_TEXT(digest), STORE_TEXT(kind), STORE_TEXT(name),
				STORE_TEXT(call->actor->name), STORE_INT(expires_us))))
		return NULL;
	g_autoptr(json_t) invitation = json_pack("{s:s, s:s, s:o}", "name", name, "kind", kind,
		"expires", json_time_or_null(expires_us));
	if (!record(call, "host.invite", name, NULL, invitation, error))
		return NULL;
	json_object_set_new(invitation, "code", json_string(code));
	return g_steal_pointer(&invitation);
}

/* Reports -------------------------------------------------------------------------------------- */

/* What a host says about itself. */
typedef struct HostWord {
	const char *version; /* NULL: not said */
	gboolean has_clock;
	gint64 clock_off_ms;
} HostWord;

static gboolean read_word(const ApiCall *call, gboolean needs_clock, HostWord *word, GError **error)
{
	const char *now;
	gint64 host_us;
	if (!api_require_body(call, error) ||
		!json_field_text(call->body, "version", FALSE, HOST_VERSION_MAXIMUM_BYTES,
			&word->version, error) ||
		!json_field_text(call->body, "now", needs_clock, 64, &now, error))
		return FALSE;
	word->has_clock = now != NULL;
	if (now == NULL)
		return TRUE;
	if (!parse_time(now, &host_us, error)) {
		g_prefix_error(error, "now: ");
		return FALSE;
	}
	word->clock_off_ms = (host_us - api_now_us(call)) / 1000;
	return TRUE;
}

static gboolean store_word(ApiCall *call, gint64 host_id, const HostWord *word, GError **error)
{
	return store_execute(call->store, error, SQL_SEEN,
		STORE_PARAMS(STORE_INT(api_now_us(call)), STORE_TEXT(word->version),
			word->has_clock ? STORE_INT(word->clock_off_ms) : STORE_NULL,
			STORE_INT(host_id)));
}

/* Pages look again only when a report says something new, not at each of them. */
static gboolean tell_pages(Store *store, const json_t *before, const json_t *after, GError **error)
{
	static const char *const shown[] = {"version", "clock_warning"};
	gboolean is_new = FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(shown); i++)
		is_new |= !json_equal(
			json_object_get(before, shown[i]), json_object_get(after, shown[i]));
	return !is_new || store_counter_advance(store, STORE_CHANGES, error);
}

/* Found by id, since the actor's name is for history. */
gboolean host_load_caller(ApiCall *call, json_t **host, GError **error)
{
	if (!find_host(call->store, SQL_LOAD_BY_ID, STORE_INT(call->actor->id), host, error))
		return FALSE;
	if (*host == NULL)
		drover_error_set(error, DROVER_ERROR_UNAUTHENTICATED,
			"%s was revoked meanwhile; an admin can invite it again",
			call->actor->name);
	return *host != NULL;
}

gboolean host_note_report(
	ApiCall *call, const char *now, gint64 *off_ms, json_t **warning, GError **error)
{
	g_autoptr(json_t) before = NULL;
	g_autoptr(json_t) after = NULL;
	gint64 host_us;
	if (!parse_time(now, &host_us, error)) {
		g_prefix_error(error, "now: ");
		return FALSE;
	}
	*off_ms = (host_us - api_now_us(call)) / 1000;
	if (!host_load_caller(call, &before, error) ||
		!store_execute(call->store, error, SQL_SEEN_CLOCK,
			STORE_PARAMS(STORE_INT(api_now_us(call)), STORE_INT(*off_ms),
				STORE_INT(call->actor->id))) ||
		!host_load_caller(call, &after, error) ||
		!tell_pages(call->store, before, after, error))
		return FALSE;
	*warning = host_clock_warning(*off_ms);
	return TRUE;
}

gboolean host_note_version(ApiCall *call, const char *version, GError **error)
{
	return store_execute(call->store, error, SQL_SEEN_VERSION,
		STORE_PARAMS(STORE_TEXT(version), STORE_INT(call->actor->id)));
}

static json_t *report_host(ApiCall *call, GError **error)
{
	HostWord word = {0};
	g_autoptr(json_t) before = NULL;
	g_autoptr(json_t) after = NULL;
	if (!read_word(call, TRUE, &word, error) || !host_load_caller(call, &before, error) ||
		!store_word(call, call->actor->id, &word, error) ||
		!host_load_caller(call, &after, error) ||
		!tell_pages(call->store, before, after, error))
		return NULL;
	return json_pack("{s:o, s:I, s:O}", "now", json_time_or_null(api_now_us(call)),
		"clock_off_ms", (json_int_t)word.clock_off_ms, "clock_warning",
		json_object_get(after, "clock_warning"));
}

/* Enrolling ------------------------------------------------------------------------------------ */

typedef struct Enrolment {
	ApiCall *call;
	char *code_digest;
	HostWord word;
	char *name; /* NULL: the code opens nothing */
	char *kind;
	char *inviter;
	json_t *answer;
} Enrolment;

static void enrolment_forget(Enrolment *enrolment)
{
	g_clear_pointer(&enrolment->name, g_free);
	g_clear_pointer(&enrolment->kind, g_free);
	g_clear_pointer(&enrolment->inviter, g_free);
	g_clear_pointer(&enrolment->answer, json_decref);
}

static void enrolment_clear(Enrolment *enrolment)
{
	enrolment_forget(enrolment);
	g_free(enrolment->code_digest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Enrolment, enrolment_clear)

static gboolean find_invitation(Store *store, gpointer of, GError **error)
{
	Enrolment *enrolment = of;
	enrolment_forget(enrolment);
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_INVITED,
		STORE_PARAMS(STORE_TEXT(enrolment->code_digest),
			STORE_INT(api_now_us(enrolment->call))));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (more) {
		enrolment->name = g_strdup(store_rows_text(rows, 0));
		enrolment->kind = g_strdup(store_rows_text(rows, 1));
		enrolment->inviter = g_strdup(store_rows_text(rows, 2));
		return TRUE;
	}
	drover_error_set(error, DROVER_ERROR_UNAUTHENTICATED,
		"this code enrols nobody: it is unknown, used or older than %d hours; an admin can "
		"give "
		"a new one: drover host invite NAME --kind KIND",
		ENROLMENT_HOURS);
	return FALSE;
}

/* Known hosts keep their row, and with it their id. */
static gboolean store_host(Store *store, const Enrolment *enrolment, const char *digest,
	gboolean is_known, gint64 *id, GError **error)
{
	gint64 now_us = api_now_us(enrolment->call);
	if (is_known)
		return store_query_integer(store, error, 0, id, SQL_RENEW,
			STORE_PARAMS(STORE_TEXT(enrolment->kind), STORE_TEXT(digest),
				STORE_INT(now_us), STORE_TEXT(enrolment->name)));
	return store_query_integer(store, error, 0, id, SQL_ADD,
		STORE_PARAMS(STORE_TEXT(enrolment->name), STORE_TEXT(enrolment->kind),
			STORE_TEXT(digest), STORE_INT(now_us)));
}

/* History names the host as the actor, and who invited it. */
static gboolean record_enrolment(
	const Enrolment *enrolment, gint64 id, json_t *before, json_t *after, GError **error)
{
	g_autofree char *name = g_strdup_printf("%s %s", enrolment->kind, enrolment->name);
	g_autoptr(Actor) host = actor_new(ACTOR_HOST, name, "api", id);
	g_autoptr(json_t) entry = json_copy(after);
	json_object_set_new(entry, "invited_by", json_string(enrolment->inviter));
	ApiCall as_host = *enrolment->call;
	as_host.actor = host;
	return record(&as_host, "host.enrol", enrolment->name, before, entry, error);
}

/* Asks again for what may have changed since it was read: the maintenance switch, and whether the
 * code still is good. */
static gboolean enrol(Store *store, gpointer of, GError **error)
{
	Enrolment *enrolment = of;
	ApiCall *call = enrolment->call;
	g_autoptr(json_t) before = NULL;
	g_autoptr(json_t) after = NULL;
	g_autofree char *secret = secret_new(HOST_TOKEN_PREFIX);
	g_autofree char *digest = secret_digest(secret);
	gint64 id;
	if (!maintenance_refuse(call->site, store, error) ||
		!find_invitation(store, enrolment, error) ||
		!find_host(store, SQL_LOAD, STORE_TEXT(enrolment->name), &before, error) ||
		!store_execute(
			store, error, SQL_UNINVITE, STORE_PARAMS(STORE_TEXT(enrolment->name))) ||
		!store_host(store, enrolment, digest, before != NULL, &id, error) ||
		!store_word(call, id, &enrolment->word, error) ||
		!find_host(store, SQL_LOAD, STORE_TEXT(enrolment->name), &after, error) ||
		!record_enrolment(enrolment, id, before, after, error))
		return FALSE;
	enrolment->answer = json_pack("{s:O, s:s}", "host", after, "secret", secret);
	return TRUE;
}

/* Anybody may try, so a wrong code is told from a right one by reading: it does not make those wait
 * who write. */
static json_t *enrol_host(ApiCall *call, GError **error)
{
	const char *code;
	g_auto(Enrolment) enrolment = {.call = call};
	if (!read_word(call, FALSE, &enrolment.word, error) ||
		!json_field_text(call->body, "code", TRUE, 256, &code, error))
		return NULL;
	enrolment.code_digest = secret_digest(code);
	if (!store_read(call->store, find_invitation, &enrolment, error) ||
		!store_write(call->store, enrol, &enrolment, error))
		return NULL;
	return g_steal_pointer(&enrolment.answer);
}

/* Routes --------------------------------------------------------------------------------------- */

static json_t *list_hosts(ApiCall *call, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(call->store, error, SQL_LIST, STORE_NO_PARAMS);
	g_autoptr(json_t) answer = json_array();
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return g_steal_pointer(&answer);
		json_array_append_new(answer, host_json(rows));
	}
	return NULL;
}

/* Once revoked, again changes nothing. */
json_t *host_revoke(ApiCall *call, const char *name, GError **error)
{
	g_autoptr(json_t) before = NULL;
	g_autoptr(json_t) after = NULL;
	if (!find_host(call->store, SQL_LOAD, STORE_TEXT(name), &before, error) ||
		!store_execute(call->store, error, SQL_UNINVITE, STORE_PARAMS(STORE_TEXT(name))))
		return NULL;
	gint64 withdrawn = store_changed(call->store);
	if (!store_execute(call->store, error, SQL_REVOKE,
		    STORE_PARAMS(STORE_INT(api_now_us(call)), STORE_TEXT(name))))
		return NULL;
	gboolean changed = withdrawn > 0 || store_changed(call->store) > 0;
	if (!find_host(call->store, SQL_LOAD, STORE_TEXT(name), &after, error) ||
		(changed && !record(call, "host.revoke", name, before, after, error)))
		return NULL;
	return after != NULL ? g_steal_pointer(&after) : json_null();
}

static json_t *revoke_host(ApiCall *call, GError **error)
{
	const char *name = api_parameter(call, "name");
	g_autoptr(json_t) before = NULL;
	if (!find_host(call->store, SQL_LOAD, STORE_TEXT(name), &before, error))
		return NULL;
	if (before != NULL)
		return host_revoke(call, name, error);
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"there is no host '%s'; see: drover host list", name);
	return NULL;
}

const ApiRoute api_host_routes[] = {
	{"GET", "/hosts", ROLE_OPERATOR, API_READ, list_hosts},
	{"POST", "/hosts", ROLE_ADMIN, API_WRITE, invite_host},
	{"DELETE", "/hosts/{name}", ROLE_ADMIN, API_WRITE, revoke_host},
	{"POST", "/enrol", ROLE_NONE, API_PUBLIC | API_OWN_TRANSACTION, enrol_host},
	{"POST", "/hosts/self/report", ROLE_NONE, API_HOST | API_WRITE, report_host},
	{0},
};
