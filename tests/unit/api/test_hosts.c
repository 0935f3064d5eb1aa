/* SPDX-License-Identifier: ISC
 *
 * Hosts: invited, enrolled once, reporting, revoked.
 */
#include "house.h"

#include <string.h>

#include "base/secret.h"

/* The code; caller frees. */
static char *invite(House *house, const char *name)
{
	g_autofree char *body = g_strdup_printf("{'name':'%s','kind':'node'}", name);
	g_autoptr(json_t) invited = ask(house, house->local, "POST", "/hosts", body);
	return g_strdup(json_text(invited, "code"));
}

/* The secret; caller frees. */
static char *enrol(House *house, const char *code)
{
	g_autofree char *body = g_strdup_printf("{'code':'%s'}", code);
	g_autoptr(json_t) answer = ask(house, house->nobody, "POST", "/enrol", body);
	return g_strdup(json_text(answer, "secret"));
}

static char *enrol_refused(House *house, const char *code)
{
	g_autofree char *body = g_strdup_printf("{'code':'%s'}", code);
	return refused(house, house->nobody, "POST", "/enrol", body, DROVER_ERROR_UNAUTHENTICATED);
}

static void test_invited_host_enrols_and_is_let_in(void **state)
{
	House *house = *state;
	g_autoptr(json_t) invited =
		ask(house, house->local, "POST", "/hosts", "{'name':'web1','kind':'node'}");
	assert_string_equal(json_text(invited, "name"), "web1");
	assert_string_equal(json_text(invited, "kind"), "node");
	assert_string_equal(json_text(invited, "expires"), "2026-11-22T12:00:00Z");
	g_autofree char *body =
		g_strdup_printf("{'code':'%s','version':'0.1','now':'2026-11-21T12:00:01Z'}",
			json_text(invited, "code"));
	g_autoptr(json_t) enrolled = ask(house, house->nobody, "POST", "/enrol", body);
	g_autofree char *host = json_write(json_object_get(enrolled, "host"));
	assert_string_equal(host,
		"{\"name\":\"web1\",\"kind\":\"node\",\"enrolled\":\"2026-11-21T12:00:00Z\","
		"\"revoked\":null,\"seen\":\"2026-11-21T12:00:00Z\",\"version\":\"0.1\","
		"\"clock_off_ms\":1000,\"clock_warning\":null}");
	g_autoptr(Actor) actor = must_be_let_in(house, json_text(enrolled, "secret"));
	assert_int_equal(actor->kind, ACTOR_HOST);
	assert_string_equal(actor->name, "node web1");
}

static void test_code_enrols_once(void **state)
{
	House *house = *state;
	g_autofree char *code = invite(house, "web1");
	g_autofree char *secret = enrol(house, code);
	g_free(enrol_refused(house, code));
	actor_free(must_be_let_in(house, secret));
}

static void test_every_bad_code_is_refused_in_the_same_words(void **state)
{
	House *house = *state;
	g_autofree char *used = invite(house, "web1");
	g_free(enrol(house, used));
	g_autofree char *replaced = invite(house, "web2");
	g_free(invite(house, "web2"));
	g_autofree char *withdrawn = invite(house, "web1");
	tell(house, house->local, "DELETE", "/hosts/web1", NULL);
	g_autofree char *wanted = enrol_refused(house, "dre_forged");
	const char *bad[] = {"", used, replaced, withdrawn};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *message = enrol_refused(house, bad[i]);
		assert_string_equal(message, wanted);
	}
	assert_refused(house, house->nobody, "POST", "/enrol", "{}", DROVER_ERROR_INPUT, "code: ");
	assert_refused(house, house->nobody, "POST", "/enrol", NULL, DROVER_ERROR_INPUT, "body");
}

static void test_code_is_good_for_24_hours(void **state)
{
	House *house = *state;
	g_autofree char *late = invite(house, "web1");
	house_wait(house, ENROLMENT_HOURS * 3600);
	g_free(enrol_refused(house, late));
	g_autofree char *in_time = invite(house, "web1");
	house_wait(house, ENROLMENT_HOURS * 3600 - 1);
	g_free(enrol(house, in_time));
}

static void test_known_host_keeps_its_token_until_it_enrols_again(void **state)
{
	House *house = *state;
	g_autofree char *first = invite(house, "web1");
	g_autofree char *old = enrol(house, first);
	g_autofree char *second = invite(house, "web1");
	g_autoptr(Actor) before = must_be_let_in(house, old);
	g_autofree char *new = enrol(house, second);
	g_free(must_be_refused(house, old));
	g_autoptr(Actor) after = must_be_let_in(house, new);
	assert_int_equal(before->id, after->id);
}

static void test_revoked_host_is_refused_and_may_be_invited_again(void **state)
{
	House *house = *state;
	g_autofree char *secret = house_host(house, "web1", "node");
	g_autoptr(Actor) web1 = must_be_let_in(house, secret);
	g_autoptr(json_t) gone = ask(house, house->local, "DELETE", "/hosts/web1", NULL);
	assert_string_equal(json_text(gone, "revoked"), "2026-11-21T12:00:00Z");
	g_free(must_be_refused(house, secret));
	assert_refused(house, web1, "POST", "/hosts/self/report", "{'now':'2026-11-21T12:00:00Z'}",
		DROVER_ERROR_UNAUTHENTICATED, "node web1 was revoked");
	g_autofree char *again = house_host(house, "web1", "balancer");
	g_autoptr(Actor) back = must_be_let_in(house, again);
	assert_string_equal(back->name, "balancer web1");
	g_free(must_be_refused(house, secret));
}

static void test_revoking_a_host_twice_changes_nothing(void **state)
{
	House *house = *state;
	g_free(house_host(house, "web1", "node"));
	tell(house, house->local, "DELETE", "/hosts/web1", NULL);
	g_autofree char *before = house_history(house);
	house_wait(house, 60);
	tell(house, house->local, "DELETE", "/hosts/web1", NULL);
	g_autofree char *after = house_history(house);
	assert_string_equal(before, after);
	assert_refused(house, house->local, "DELETE", "/hosts/web2", NULL, DROVER_ERROR_NOT_FOUND,
		"there is no host 'web2'");
}

static void test_host_in_service_is_not_invited_as_another_kind(void **state)
{
	House *house = *state;
	g_free(house_host(house, "web1", "node"));
	assert_refused(house, house->local, "POST", "/hosts", "{'name':'web1','kind':'balancer'}",
		DROVER_ERROR_CONFLICT, "web1 is enrolled as a node");
}

static void test_invitations_that_will_not_do_are_refused(void **state)
{
	House *house = *state;
	g_autofree char *too_long = g_strnfill(HOST_NAME_MAXIMUM_BYTES + 1, 'h');
	const char *names[] = {"", "Web", "-web", ".web", "we b", "a/b", too_long};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *body = g_strdup_printf("{'name':'%s','kind':'node'}", names[i]);
		assert_refused(
			house, house->local, "POST", "/hosts", body, DROVER_ERROR_INPUT, "name: ");
	}
	assert_refused(house, house->local, "POST", "/hosts", "{'name':'web','kind':'person'}",
		DROVER_ERROR_INPUT, "kind: must be balancer or node, not 'person'");
	g_autofree char *longest = g_strnfill(HOST_NAME_MAXIMUM_BYTES, 'h');
	g_free(invite(house, longest));
	g_free(invite(house, "10.example.org"));
}

static void report(
	House *house, const Actor *host, const char *now, gint64 off_ms, const char *warning)
{
	g_autofree char *body = g_strdup_printf("{'now':'%s','version':'0.2'}", now);
	g_autoptr(json_t) answer = ask(house, host, "POST", "/hosts/self/report", body);
	assert_string_equal(json_text(answer, "now"), "2026-11-21T12:00:00Z");
	assert_int_equal(json_integer_of(answer, "clock_off_ms"), off_ms);
	g_autoptr(json_t) hosts = ask(house, house->local, "GET", "/hosts", NULL);
	const char *told = json_text(answer, "clock_warning");
	const char *shown = json_text(json_array_get(hosts, 0), "clock_warning");
	if (warning == NULL) {
		assert_null(told);
		assert_null(shown);
		return;
	}
	assert_true(g_str_has_prefix(told, warning));
	assert_string_equal(told, shown);
	assert_string_equal(json_text(json_array_get(hosts, 0), "version"), "0.2");
}

static void test_host_whose_clock_is_off_is_told_and_shown(void **state)
{
	House *house = *state;
	g_autofree char *secret = house_host(house, "web1", "node");
	g_autoptr(Actor) web1 = must_be_let_in(house, secret);
	report(house, web1, "2026-11-21T12:00:00Z", 0, NULL);
	report(house, web1, "2026-11-21T12:00:02Z", 2000, NULL);
	report(house, web1, "2026-11-21T12:00:02.001Z", 2001, "its clock is 2.0 s ahead of");
	report(house, web1, "2026-11-21T11:59:58Z", -2000, NULL);
	report(house, web1, "2026-11-21T11:59:57.5Z", -2500, "its clock is 2.5 s behind");
	report(house, web1, "2026-11-21T12:12:30Z", 750000, "its clock is 12 min ahead of");
	report(house, web1, "1970-01-01T00:00:00Z", -1795262400000,
		"its clock is 20778 d 12 h behind");
	report(house, web1, "2026-11-21T13:00:00+01:00", 0, NULL);
}

static void test_reports_that_cannot_be_read_are_refused(void **state)
{
	House *house = *state;
	g_autofree char *secret = house_host(house, "web1", "node");
	g_autoptr(Actor) web1 = must_be_let_in(house, secret);
	assert_refused(house, web1, "POST", "/hosts/self/report", "{'now':'soon'}",
		DROVER_ERROR_INPUT, "now: ");
	assert_refused(
		house, web1, "POST", "/hosts/self/report", "{}", DROVER_ERROR_INPUT, "now: ");
	g_autofree char *longest = g_strnfill(HOST_VERSION_MAXIMUM_BYTES, '9');
	g_autofree char *good =
		g_strdup_printf("{'now':'2026-11-21T12:00:00Z','version':'%s'}", longest);
	g_autofree char *bad =
		g_strdup_printf("{'now':'2026-11-21T12:00:00Z','version':'%s9'}", longest);
	tell(house, web1, "POST", "/hosts/self/report", good);
	assert_refused(
		house, web1, "POST", "/hosts/self/report", bad, DROVER_ERROR_INPUT, "version: ");
}

static void test_pages_are_told_only_of_reports_that_say_something_new(void **state)
{
	House *house = *state;
	g_autofree char *secret = house_host(house, "web1", "node");
	g_autoptr(Actor) web1 = must_be_let_in(house, secret);
	static const char changes[] = "SELECT value FROM counter WHERE name = 'changes'";
	tell(house, web1, "POST", "/hosts/self/report", "{'now':'2026-11-21T12:00:00Z'}");
	gint64 before = house_integer(house, changes);
	tell(house, web1, "POST", "/hosts/self/report", "{'now':'2026-11-21T12:00:01Z'}");
	assert_int_equal(house_integer(house, changes), before);
	tell(house, web1, "POST", "/hosts/self/report", "{'now':'2026-11-21T12:00:09Z'}");
	assert_int_equal(house_integer(house, changes), before + 1);
}

static void test_hosts_stand_in_history_without_secrets(void **state)
{
	House *house = *state;
	g_autofree char *code = invite(house, "web1");
	g_autofree char *secret = enrol(house, code);
	g_autoptr(json_t) hosts = ask(house, house->local, "GET", "/hosts", NULL);
	g_autoptr(json_t) gone = ask(house, house->local, "DELETE", "/hosts/web1", NULL);
	g_autofree char *history = house_history(house);
	g_autofree char *list = json_write(hosts);
	g_autofree char *revoked = json_write(gone);
	g_autofree char *code_digest = secret_digest(code);
	g_autofree char *secret_hash = secret_digest(secret);
	assert_non_null(strstr(history, "root@test (store) host.invite host/web1 - - {"));
	assert_non_null(strstr(history, "node web1 host.enrol host/web1 - - {"));
	assert_non_null(strstr(history, "\"invited_by\":\"root@test (store)\"}"));
	assert_non_null(strstr(history, "root@test (store) host.revoke host/web1 - {"));
	const char *texts[] = {history, list, revoked};
	const char *secrets[] = {code, secret, code_digest, secret_hash};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		for (gsize j = 0; j < G_N_ELEMENTS(secrets); j++)
			assert_null(strstr(texts[i], secrets[j]));
}

static void test_maintenance_stops_enrolling_and_keeps_the_code(void **state)
{
	House *house = *state;
	g_autofree char *code = invite(house, "web1");
	g_autofree char *body = g_strdup_printf("{'code':'%s'}", code);
	house_execute(house, "UPDATE maintenance SET is_on = 1, reason = 'test', since_us = 1");
	assert_refused(house, house->nobody, "POST", "/enrol", body, DROVER_ERROR_MAINTENANCE,
		"maintenance");
	house_execute(house, "UPDATE maintenance SET is_on = 0");
	g_free(enrol(house, code));
}

typedef struct Racer {
	House *house;
	const char *code;
	char *secret;
} Racer;

static gpointer race(gpointer of)
{
	Racer *racer = of;
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = store_open(racer->house->url, &error);
	g_autoptr(json_t) body = json_pack("{s:s}", "code", racer->code);
	g_autoptr(json_t) answer = api_call(&racer->house->site, store, racer->house->nobody,
		"POST", "/enrol", NULL, body, &error);
	racer->secret = g_strdup(json_text(answer, "secret"));
	return NULL;
}

static void test_of_two_who_enrol_with_one_code_exactly_one_does(void **state)
{
	House *house = *state;
	for (int i = 0; i < 5; i++) {
		g_autofree char *code = invite(house, "web1");
		Racer racers[] = {{house, code, NULL}, {house, code, NULL}};
		GThread *one = g_thread_new("one", race, &racers[0]);
		GThread *other = g_thread_new("other", race, &racers[1]);
		g_thread_join(one);
		g_thread_join(other);
		assert_true((racers[0].secret == NULL) != (racers[1].secret == NULL));
		g_autofree char *secret =
			racers[0].secret != NULL ? racers[0].secret : racers[1].secret;
		actor_free(must_be_let_in(house, secret));
	}
}

int host_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_invited_host_enrols_and_is_let_in),
		ON_BOTH(test_code_enrols_once),
		ON_BOTH(test_every_bad_code_is_refused_in_the_same_words),
		ON_BOTH(test_code_is_good_for_24_hours),
		ON_BOTH(test_known_host_keeps_its_token_until_it_enrols_again),
		ON_BOTH(test_revoked_host_is_refused_and_may_be_invited_again),
		ON_BOTH(test_revoking_a_host_twice_changes_nothing),
		ON_BOTH(test_host_in_service_is_not_invited_as_another_kind),
		ON_BOTH(test_invitations_that_will_not_do_are_refused),
		ON_BOTH(test_host_whose_clock_is_off_is_told_and_shown),
		ON_BOTH(test_reports_that_cannot_be_read_are_refused),
		ON_BOTH(test_pages_are_told_only_of_reports_that_say_something_new),
		ON_BOTH(test_hosts_stand_in_history_without_secrets),
		ON_BOTH(test_maintenance_stops_enrolling_and_keeps_the_code),
		ON_BOTH(test_of_two_who_enrol_with_one_code_exactly_one_does),
	};
	return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
