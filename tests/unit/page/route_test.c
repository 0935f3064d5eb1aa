/* SPDX-License-Identifier: ISC
 *
 * Requests and replies, with a house made of fixtures: who gets in, which form does what, and what
 * no form does.
 */
#include "gallery.h"

#include "page/guard.h"
#include "page/reply.h"
#include "page/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define SESSION "session-of-ada"
#define TOKEN	"csrf-of-ada"

/* What the API was asked to change, and what it shall say. */
typedef struct FakeHouse {
	PageHouse house;
	GString *asked_at;  /* the `at` of questions, one after the other */
	GString *changes;   /* "POST /products/web/scan {...}\n" */
	const char *secret; /* fixture that answers a change; NULL: an empty object */
	int refusal;	    /* a DroverErrorCode for changes; 0: none */
	gboolean broken;    /* every question fails */
} FakeHouse;

static const struct {
	const char *path, *fixture;
} answers[] = {
	{"/status", "status"},
	{"/products/web", "product-web"},
	{"/products/payments", "product-payments"},
	{"/products/docs", "product-docs"},
	{"/products/web/landings", "landings"},
	{"/products/web/landings/45", "landing-bad"},
	{"/products/web/where", "where"},
	{"/history", "history"},
	{"/history/verify", "history-good"},
	{"/history/411", "history-entry"},
	{"/people", "people"},
	{"/people/grace", "person"},
	{"/tokens", "tokens"},
	{"/hosts", "hosts"},
	{"/pools", "pools"},
	{"/pools/web", "pool"},
	{"/notices", "notices"},
	{"/channels", "channels"},
	{"/channels/web/beta", "channel"},
	{"/channels/web/beta/explain", "explain"},
	{"/channels/web/beta/diff", "difference"},
	{"/changes", "changes"},
	{"/changes/14", "change"},
	{"/changes/14/diff", "change-diff"},
	{"/tables/rules/row", "rule-row"},
	{"/products/web/releases", "releases"},
	{"/products/web/releases/1.5.0", "release"},
	{"/products/web/releases/1.5.0/files", "release-files"},
	{"/products/web/releases/1.5.0/diff", "release-diff"},
	{"/nodes", "nodes"},
	{"/nodes/web4", "node"},
};

static json_t *change(
	FakeHouse *fake, const char *method, const char *path, json_t *body, GError **error)
{
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	g_string_append_printf(
		fake->changes, "%s %s%s%s\n", method, path, text ? " " : "", text ? text : "");
	free(text);
	if (!fake->refusal)
		return fake->secret ? gallery_fixture(fake->secret) : json_object();
	drover_error_set(error, (DroverErrorCode)fake->refusal, "refused <b>because</b>");
	return NULL;
}

static json_t *ask(gpointer of, const Actor *actor, const char *method, const char *path,
	GHashTable *query, json_t *body, GError **error)
{
	FakeHouse *fake = of;
	if (fake->broken) {
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "the store is away");
		return NULL;
	}
	if (!g_str_equal(method, "GET"))
		return change(fake, method, path, body, error);
	const char *at = query ? g_hash_table_lookup(query, "at") : NULL;
	g_string_append(fake->asked_at, at ? at : "");
	for (gsize index = 0; index < G_N_ELEMENTS(answers); index++)
		if (g_str_equal(path, answers[index].path))
			return gallery_fixture(answers[index].fixture);
	drover_error_set(error, DROVER_ERROR_NOT_FOUND, "no %s", path);
	return NULL;
}

static Actor *session(gpointer of, const char *cookie, char **csrf, GError **error)
{
	if (!g_str_equal(cookie, SESSION)) {
		drover_error_set(error, DROVER_ERROR_UNAUTHENTICATED, "log in");
		return NULL;
	}
	Actor *actor = actor_new(ACTOR_PERSON, "ada", "page", 1);
	actor_grant(actor, "*", "admin");
	*csrf = g_strdup(TOKEN);
	return actor;
}

static gboolean log_in(gpointer of, const char *name, const char *password, const char *peer,
	char **cookie, GError **error)
{
	if (g_str_equal(name, "ada") && g_str_equal(password, "correct horse")) {
		*cookie = g_strdup(SESSION);
		return TRUE;
	}
	drover_error_set(error, DROVER_ERROR_UNAUTHENTICATED, "name or password is wrong");
	return FALSE;
}

static gboolean log_in_by_link(
	gpointer of, const char *code, const char *peer, char **cookie, GError **error)
{
	FakeHouse *fake = of;
	g_string_append_printf(fake->changes, "link %s used\n", code);
	*cookie = g_strdup(SESSION);
	return TRUE;
}

static gboolean log_out(gpointer of, const char *cookie, GError **error)
{
	FakeHouse *fake = of;
	g_string_append_printf(fake->changes, "logout %s\n", cookie);
	return TRUE;
}

static FakeHouse *fake_new(void)
{
	FakeHouse *fake = g_new0(FakeHouse, 1);
	fake->house = (PageHouse){
		NULL, GALLERY_NOW_US, ask, session, log_in, log_in_by_link, log_out, fake};
	fake->changes = g_string_new(NULL);
	fake->asked_at = g_string_new(NULL);
	return fake;
}

static void fake_free(FakeHouse *fake)
{
	g_string_free(fake->changes, TRUE);
	g_string_free(fake->asked_at, TRUE);
	g_free(fake);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeHouse, fake_free)

static PageReply *get(FakeHouse *fake, const char *path, gboolean logged_in)
{
	PageRequest request = {.method = "GET",
		.path = path,
		.host = "d.example",
		.session = logged_in ? SESSION : NULL};
	return page_route(&fake->house, &request);
}

/* From this site's own page, in ada's session. */
static PageRequest form(const char *path, const char *body)
{
	return (PageRequest){.method = "POST",
		.path = path,
		.host = "d.example",
		.body = body,
		.body_size_bytes = strlen(body),
		.content_type = "application/x-www-form-urlencoded",
		.origin = "http://d.example",
		.session = SESSION};
}

static PageReply *post(FakeHouse *fake, const char *path, const char *body)
{
	PageRequest request = form(path, body);
	return page_route(&fake->house, &request);
}

static const char *text_of(const PageReply *reply)
{
	gsize size_bytes = 0;
	return reply->body ? g_bytes_get_data(reply->body, &size_bytes) : "";
}

static gboolean says(const PageReply *reply, const char *words)
{
	gsize size_bytes = 0;
	const char *text = reply->body ? g_bytes_get_data(reply->body, &size_bytes) : "";
	return g_strstr_len(text, (gssize)size_bytes, words) != NULL;
}

static void test_every_page_answers_with_its_policy(void **state)
{
	static const char *const paths[] = {"/", "/products/web", "/products/web/landings",
		"/products/web/landings/45", "/products/web/where", "/history", "/history/411",
		"/people", "/people/grace", "/tokens", "/hosts", "/pools", "/pools/web", "/notices",
		"/channels", "/channels/web/beta", "/channels/web/beta/explain",
		"/channels/web/beta/diff", "/channels/web/beta/shut-off", "/changes",
		"/changes/new", "/changes/14", "/changes/14/break-glass", "/products/web/releases",
		"/products/web/releases/1.5.0", "/products/web/releases/1.5.0/files",
		"/products/web/releases/1.5.0/diff", "/nodes", "/nodes/web4", "/maintenance", NULL};
	g_autoptr(FakeHouse) fake = fake_new();
	for (int index = 0; paths[index]; index++) {
		g_autoptr(PageReply) reply = get(fake, paths[index], TRUE);
		assert_int_equal(reply->status, 200);
		assert_string_equal(page_reply_header(reply, "Content-Security-Policy"),
			"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
			"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri "
			"'none'");
		assert_string_equal(page_reply_header(reply, "X-Content-Type-Options"), "nosniff");
		assert_string_equal(page_reply_header(reply, "Referrer-Policy"), "same-origin");
		assert_string_equal(
			page_reply_header(reply, "Cross-Origin-Opener-Policy"), "same-origin");
		assert_string_equal(page_reply_header(reply, "Cache-Control"), "no-store");
	}
	assert_string_equal(fake->changes->str, "");
}

static void test_nobody_is_sent_to_the_login_and_back(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	g_autoptr(GHashTable) query = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_insert(query, (gpointer) "q", (gpointer) "a b");
	PageRequest request = {.method = "GET", .path = "/products/web/where", .query = query};
	g_autoptr(PageReply) reply = page_route(&fake->house, &request);
	assert_int_equal(reply->status, 303);
	assert_string_equal(page_reply_header(reply, "Location"),
		"/login?next=%2Fproducts%2Fweb%2Fwhere%3Fq%3Da%2520b");
	g_autoptr(PageReply) front = get(fake, "/", FALSE);
	assert_string_equal(page_reply_header(front, "Location"), "/login");
}

static void test_login_sets_a_cookie_that_scripts_cannot_read(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	PageRequest request = form("/login", "name=ada&password=correct+horse&next=%2Ftokens");
	request.session = NULL;
	request.secure = TRUE;
	request.origin = "https://d.example";
	g_autoptr(PageReply) reply = page_route(&fake->house, &request);
	assert_int_equal(reply->status, 303);
	assert_string_equal(page_reply_header(reply, "Location"), "/tokens");
	assert_string_equal(page_reply_header(reply, "Set-Cookie"),
		"drover-session=" SESSION
		"; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure");
}

static void test_login_never_leads_elsewhere(void **state)
{
	static const char *const nexts[] = {"https%3A%2F%2Fevil.example", "%2F%2Fevil.example",
		"%2F%5Cevil.example", "%5C%5Cevil.example", "javascript%3Aalert(1)",
		"%2F%09%2Fevil.example", "evil.example", NULL};
	g_autoptr(FakeHouse) fake = fake_new();
	for (int index = 0; nexts[index]; index++) {
		g_autofree char *body =
			g_strconcat("name=ada&password=correct+horse&next=", nexts[index], NULL);
		g_autoptr(PageReply) reply = post(fake, "/login", body);
		assert_int_equal(reply->status, 303);
		assert_string_equal(page_reply_header(reply, "Location"), "/");
	}
}

static void test_a_wrong_password_keeps_the_name_and_not_the_password(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	PageRequest request = form("/login", "form=login&name=ada&password=guess&next=%2Fhosts");
	request.session = NULL;
	g_autoptr(PageReply) reply = page_route(&fake->house, &request);
	assert_int_equal(reply->status, 401);
	assert_true(says(reply, "name=\"name\" value=\"ada\""));
	assert_true(says(reply, "name=\"next\" value=\"/hosts\""));
	assert_true(says(reply, "name or password is wrong"));
	assert_false(says(reply, "guess"));
	assert_null(page_reply_header(reply, "Set-Cookie"));
}

static void test_a_login_link_is_used_up_by_the_button_only(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	g_autoptr(PageReply) shown = get(fake, "/login/drl_x", FALSE);
	assert_int_equal(shown->status, 200);
	assert_true(says(shown, "action=\"/login/drl_x\""));
	assert_string_equal(fake->changes->str, "");
	PageRequest request = form("/login/drl_x", "");
	request.session = NULL;
	g_autoptr(PageReply) used = page_route(&fake->house, &request);
	assert_int_equal(used->status, 303);
	assert_string_equal(fake->changes->str, "link drl_x used\n");
}

static void test_a_verdict_goes_to_the_api_and_back_to_its_page(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	g_autoptr(PageReply) reply = post(fake, "/products/web/landings/45/verdicts",
		"csrf=" TOKEN "&form=verdict-item-1&item=945&reason=fixed+now&state=ok");
	assert_int_equal(reply->status, 303);
	assert_string_equal(page_reply_header(reply, "Location"), "/products/web/landings/45");
	assert_string_equal(page_reply_header(reply, "Set-Cookie"),
		"drover-flash=verdict; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
	assert_string_equal(fake->changes->str,
		"POST /products/web/landings/45/verdicts "
		"{\"item\":\"945\",\"reason\":\"fixed now\",\"state\":\"ok\"}\n");
}

static void test_every_form_becomes_its_call(void **state)
{
	static const struct {
		const char *path, *fields, *change, *location;
	} table[] = {
		{"/products", "name=new&title=&repository=%2Fsrv%2Fg&branch=main",
			"POST /products "
			"{\"branch\":\"main\",\"name\":\"new\",\"repository\":\"/srv/g\"}\n",
			"/products/new"},
		{"/products/web",
			"data_version=3&title=&repository=&mail_list=&baseline=&overdue_days=4&"
			"remind=no",
			"PATCH /products/web "
			"{\"baseline\":null,\"data_version\":3,\"mail_list\":null,"
			"\"overdue_days\":4,\"remind\":false,\"repository\":null}\n",
			"/products/web"},
		{"/products/web/scan", "", "POST /products/web/scan\n", "/products/web"},
		{"/products/web/rebase", "confirm=yes&reason=r",
			"POST /products/web/rebase {\"confirm\":true,\"reason\":\"r\"}\n",
			"/products/web"},
		{"/maintenance", "on=yes&reason=disk",
			"PUT /maintenance {\"on\":true,\"reason\":\"disk\"}\n", "/maintenance"},
		{"/maintenance", "on=no&reason=", "PUT /maintenance {\"on\":false}\n",
			"/maintenance"},
		{"/notices/remind", "", "POST /jobs/remind\n", "/notices"},
		{"/people", "name=eve&email=e%40x.example&password=",
			"POST /people {\"email\":\"e@x.example\",\"name\":\"eve\"}\n",
			"/people/eve"},
		{"/people/grace", "data_version=5&email=g%40x.example",
			"PATCH /people/grace {\"data_version\":5,\"email\":\"g@x.example\"}\n",
			"/people/grace"},
		{"/people/grace", "data_version=5&disabled=yes",
			"PATCH /people/grace {\"data_version\":5,\"disabled\":true}\n",
			"/people/grace"},
		{"/people/grace/roles", "product=*&role=tester",
			"PUT /people/grace/roles {\"product\":\"*\",\"role\":\"tester\"}\n",
			"/people/grace"},
		{"/people/grace/roles/revoke", "product=web&role=tester",
			"DELETE /people/grace/roles {\"product\":\"web\",\"role\":\"tester\"}\n",
			"/people/grace"},
		{"/tokens/3/revoke", "", "DELETE /tokens/3\n", "/tokens"},
		{"/hosts/web1/revoke", "", "DELETE /hosts/web1\n", "/hosts"},
		{"/pools", "name=web&title=The+shop",
			"POST /pools {\"name\":\"web\",\"title\":\"The shop\"}\n", "/pools/web"},
		{"/pools/web", "data_version=7&title=T&notes=",
			"PATCH /pools/web {\"data_version\":7,\"notes\":null,\"title\":\"T\"}\n",
			"/pools/web"},
		{"/pools/web/servers", "data_version=7&host=web9&weight=&enabled=no",
			"PUT /pools/web/servers/web9 {\"data_version\":7,\"enabled\":false}\n",
			"/pools/web"},
		{"/pools/web/servers/remove", "data_version=7&host=web9&reason=sold",
			"DELETE /pools/web/servers/web9 "
			"{\"data_version\":7,\"reason\":\"sold\"}\n",
			"/pools/web"},
		{"/pools/web/orders", "host=web1&order_id=0&order=drain&reason=disk",
			"PUT /pools/web/servers/web1/order "
			"{\"order\":\"drain\",\"order_id\":0,\"reason\":\"disk\"}\n",
			"/pools/web"},
		{"/pools/web/orders", "host=web1&order_id=0&order=drain&force=yes&reason=fire",
			"PUT /pools/web/servers/web1/order {\"force\":true,\"order\":\"drain\","
			"\"order_id\":0,\"reason\":\"fire\"}\n",
			"/pools/web"},
		{"/pools/web/forget", "balancer=lb3", "DELETE /pools/web/balancers/lb3 {}\n",
			"/pools/web"},
		{"/pools/web/remove", "data_version=7", "DELETE /pools/web {\"data_version\":7}\n",
			"/pools"},
		{"/channels/web/beta/shut-off", "reason=it+burns",
			"POST /edits {\"ops\":[{\"op\":\"insert\",\"row\":{\"channel\":\"beta\","
			"\"product\":\"web\",\"reason\":\"it burns\"},\"table\":\"shutoffs\"}],"
			"\"reason\":\"it burns\"}\n",
			"/channels/web/beta"},
		{"/channels/web/beta/switch-on", "reason=",
			"POST /edits {\"ops\":[{\"op\":\"delete\",\"row\":{\"channel\":\"beta\","
			"\"product\":\"web\"},\"table\":\"shutoffs\"}]}\n",
			"/channels/web/beta"},
		{"/changes",
			"kind=json&title=T&when=2026-11-24T09%3A00%3A00Z&ops=%5B%7B%22op%22%3A1%7D%"
			"5D",
			"POST /changes {\"ops\":[{\"op\":1}],\"title\":\"T\","
			"\"when\":\"2026-11-24T09:00:00Z\"}\n",
			"/changes/"},
		{"/changes/14/sign", "role=relman&digest=d1",
			"POST /changes/14/sign {\"digest\":\"d1\",\"role\":\"relman\"}\n",
			"/changes/14"},
		{"/changes/14/revoke", "role=relman",
			"POST /changes/14/revoke {\"role\":\"relman\"}\n", "/changes/14"},
		{"/changes/14/tested", "role=qa&digest=d2",
			"POST /changes/14/tested {\"digest\":\"d2\",\"role\":\"qa\"}\n",
			"/changes/14"},
		{"/changes/14/withdraw", "data_version=3&reason=no",
			"POST /changes/14/withdraw {\"data_version\":3,\"reason\":\"no\"}\n",
			"/changes/14"},
		{"/changes/14/move", "data_version=3&when=2026-11-24T09%3A00",
			"PUT /changes/14 {\"data_version\":3,\"when\":\"2026-11-24T09:00:00Z\"}\n",
			"/changes/14"},
		{"/changes/14/edit", "data_version=3&title=T&ops=%5B%5D&reason=",
			"PUT /changes/14 {\"data_version\":3,\"ops\":[],\"title\":\"T\"}\n",
			"/changes/14"},
		{"/changes/14/override", "data_version=3&gate=freeze&reason=hot",
			"POST /changes/14/override {\"gate\":\"freeze\",\"reason\":\"hot\"}\n",
			"/changes/14"},
		{"/changes/14/go", "reason=late", "POST /changes/14/go {\"reason\":\"late\"}\n",
			"/changes/14"},
		{"/changes/14/review", "reason=rightly",
			"POST /changes/14/review {\"reason\":\"rightly\"}\n", "/changes/14"},
		{"/changes/14/break-glass", "reason=fire",
			"POST /changes/14/break-glass {\"reason\":\"fire\"}\n", "/changes/14"},
		{"/nodes/web4",
			"data_version=3&products=web+beta%0D%0A%0D%0Aapi+prod&tags=rack%3Da&notes=",
			"PUT /nodes/web4 {\"data_version\":3,\"notes\":null,\"products\":["
			"{\"channel\":\"beta\",\"follows\":\"alone\",\"product\":\"web\"},"
			"{\"channel\":\"prod\",\"follows\":\"alone\",\"product\":\"api\"}],"
			"\"tags\":{\"rack\":\"a\"}}\n",
			"/nodes/web4"},
		{"/nodes/web4/products/web/order", "version=1.4.2&reason=sums",
			"POST /nodes/web4/products/web/order "
			"{\"reason\":\"sums\",\"version\":\"1.4.2\"}\n",
			"/nodes/web4"},
		{"/nodes/web4/products/web/order", "version=",
			"POST /nodes/web4/products/web/order {\"version\":null}\n", "/nodes/web4"},
		{"/nodes/web4/remove", "reason=sold", "DELETE /nodes/web4 {\"reason\":\"sold\"}\n",
			"/nodes"},
		{"/logout", "", "logout " SESSION "\n", "/login"},
	};
	for (gsize row = 0; row < G_N_ELEMENTS(table); row++) {
		g_autoptr(FakeHouse) fake = fake_new();
		g_autofree char *body = g_strconcat("csrf=" TOKEN "&", table[row].fields, NULL);
		g_autoptr(PageReply) reply = post(fake, table[row].path, body);
		assert_string_equal(fake->changes->str, table[row].change);
		assert_int_equal(reply->status, 303);
		assert_string_equal(page_reply_header(reply, "Location"), table[row].location);
	}
}

/* What a form says, and the ops that the check is asked about. */
static void test_a_change_is_written_with_fields(void **state)
{
	static const struct {
		const char *fields, *ops;
	} table[] = {
		{"kind=rule&rule_id=7&data_version=5&rate=100&base_rate=25&mapping=A&base_mapping="
		 "A",
			"{\"data_version\":5,\"op\":\"update\",\"row\":{\"rate\":100},"
			"\"rule_id\":7,\"table\":\"rules\"}"},
		{"kind=rule&rule_id=7&mapping=&base_mapping=A&priority=9&base_priority=8",
			"{\"op\":\"update\",\"row\":{\"mapping\":null,\"priority\":9},"
			"\"rule_id\":7,\"table\":\"rules\"}"},
		{"kind=insert&product=web&channel=be*&version=&rate=50&priority=10&mapping=B",
			"{\"op\":\"insert\",\"row\":{\"channel\":\"be*\",\"mapping\":\"B\","
			"\"priority\":10,\"product\":\"web\",\"rate\":50},\"table\":\"rules\"}"},
		{"kind=delete&rule_id=7", "{\"op\":\"delete\",\"rule_id\":7,\"table\":\"rules\"}"},
		{"kind=switch-on&product=web&channel=beta",
			"{\"op\":\"delete\",\"row\":{\"channel\":\"beta\",\"product\":\"web\"},"
			"\"table\":\"shutoffs\"}"},
	};
	for (gsize row = 0; row < G_N_ELEMENTS(table); row++) {
		g_autoptr(FakeHouse) fake = fake_new();
		fake->secret = "change-checked";
		g_autofree char *body =
			g_strconcat("csrf=" TOKEN "&form=change&title=T&when=2026-11-24T09%3A00&",
				table[row].fields, NULL);
		g_autofree char *change = g_strdup_printf("POST /changes/check {\"ops\":[%s],"
							  "\"title\":\"T\",\"when\":\"2026-"
							  "11-24T09:00:00Z\"}\n",
			table[row].ops);
		g_autoptr(PageReply) reply = post(fake, "/changes/check", body);
		assert_string_equal(fake->changes->str, change);
		assert_int_equal(reply->status, 200);
		assert_true(says(reply, "Schedule exactly this"));
		assert_true(says(reply, "name=\"title\" value=\"T\""));
	}
}

static void test_a_change_that_is_none_is_not_asked_about(void **state)
{
	static const struct {
		const char *fields, *words;
	} table[] = {
		{"kind=rule&rule_id=7&rate=25&base_rate=25&when=2026-11-24T09%3A00",
			"Nothing differs from what the rule says now"},
		{"kind=rule&rule_id=7&rate=101&base_rate=25&when=2026-11-24T09%3A00", "rate"},
		{"kind=json&ops=%7B%7D&when=2026-11-24T09%3A00", "ops: must be a list"},
		{"kind=json&ops=%5B&when=2026-11-24T09%3A00", "ops"},
		{"kind=json&ops=%5B%5D&when=soon", "when: "},
	};
	for (gsize row = 0; row < G_N_ELEMENTS(table); row++) {
		g_autoptr(FakeHouse) fake = fake_new();
		g_autofree char *body = g_strconcat(
			"csrf=" TOKEN "&form=change&title=Mine&", table[row].fields, NULL);
		g_autoptr(PageReply) reply = post(fake, "/changes/check", body);
		assert_int_equal(reply->status, 400);
		assert_string_equal(fake->changes->str, "");
		assert_true(says(reply, table[row].words));
		assert_true(says(reply, "role=\"alert\""));
		assert_true(says(reply, "value=\"Mine\""));
	}
}

/* What was checked is scheduled as it is; refused, it comes back to be written further. */
static void test_a_checked_change_that_is_refused_comes_back_as_json(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	fake->refusal = DROVER_ERROR_CONFLICT;
	g_autoptr(PageReply) reply = post(fake, "/changes",
		"csrf=" TOKEN "&form=schedule&kind=json&title=Mine&when=2026-11-24T09%3A00%3A00Z&"
		"ops=%5B%7B%22op%22%3A%22delete%22%7D%5D");
	assert_int_equal(reply->status, 409);
	assert_true(says(reply, "refused &lt;b&gt;because&lt;/b&gt;"));
	assert_true(says(reply, "[{&quot;op&quot;:&quot;delete&quot;}]</textarea>"));
	assert_true(says(reply, "value=\"2026-11-24T09:00\""));
}

static void test_one_signs_the_digest_that_is_on_the_page(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	g_autoptr(PageReply) page = get(fake, "/changes/14", TRUE);
	g_autoptr(json_t) detail = gallery_fixture("change");
	g_autofree char *content = g_strdup_printf("name=\"role\" value=\"relman\"><input "
						   "type=\"hidden\" name=\"digest\" value=\"%s\"",
		json_text(detail, "digest"));
	g_autofree char *timed = g_strdup_printf(
		"name=\"role\" value=\"qa\"><input type=\"hidden\" name=\"digest\" value=\"%s\"",
		json_text(detail, "time_digest"));
	assert_true(says(page, content));
	assert_true(says(page, timed));
}

static void test_the_slider_leads_to_its_instant(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	g_autoptr(GHashTable) query = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_insert(query, (gpointer) "moment", (gpointer) "1");
	PageRequest request = {
		.method = "GET", .path = "/channels/web/beta", .session = SESSION, .query = query};
	g_autoptr(PageReply) past = page_route(&fake->house, &request);
	assert_int_equal(past->status, 200);
	assert_string_equal(fake->asked_at->str, "2026-11-19T10:00:00Z");
	g_hash_table_insert(query, (gpointer) "moment", (gpointer) "3");
	g_string_truncate(fake->asked_at, 0);
	g_autoptr(PageReply) now = page_route(&fake->house, &request);
	assert_int_equal(now->status, 200);
	assert_string_equal(fake->asked_at->str, "");
}

static void test_secrets_are_shown_once_in_the_answer(void **state)
{
	static const struct {
		const char *path, *fields, *fixture, *words;
	} table[] = {
		{"/tokens", "name=CI&expires_days=30", "new-token", "drt_Zk3mN1sQ0w8rXyP5"},
		{"/hosts", "name=web3&kind=node", "enrolment", "dre_8fJ2kLm9"},
		{"/people/grace/login-link", "", "login-link", "/login/drl_q7HkS0n2cZbT"},
		{"/nodes/web4/invite", "", "enrolment", "dre_8fJ2kLm9"},
		{"/nodes", "name=web9&products=web+beta", "enrolment", "dre_8fJ2kLm9"},
	};
	for (gsize row = 0; row < G_N_ELEMENTS(table); row++) {
		g_autoptr(FakeHouse) fake = fake_new();
		fake->secret = table[row].fixture;
		g_autofree char *body = g_strconcat("csrf=" TOKEN "&", table[row].fields, NULL);
		g_autoptr(PageReply) reply = post(fake, table[row].path, body);
		assert_int_equal(reply->status, 200);
		assert_true(says(reply, table[row].words));
		assert_string_equal(page_reply_header(reply, "Cache-Control"), "no-store");
	}
}

/* Adding a node is two calls: the node, then the code with which it enrols. */
static void test_a_node_is_added_and_invited(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	fake->secret = "enrolment"; /* its name stands for the node's, too */
	g_autoptr(PageReply) reply = post(fake, "/nodes",
		"csrf=" TOKEN "&form=node-add&name=web9&products=web%3Abeta&tags=&notes=");
	assert_int_equal(reply->status, 200);
	assert_string_equal(fake->changes->str,
		"POST /nodes {\"name\":\"web9\",\"products\":[{\"channel\":\"beta\","
		"\"follows\":\"alone\",\"product\":\"web\"}],\"tags\":{}}\n"
		"POST /hosts {\"kind\":\"node\",\"name\":\"web3\"}\n");
	assert_true(says(reply, "data-address=\"/nodes/web3\""));
}

static void test_a_node_that_is_none_is_not_asked_about(void **state)
{
	static const struct {
		const char *fields, *words;
	} table[] = {
		{"name=web9&products=web", "&quot;web&quot; is not a product and a channel"},
		{"name=web9&products=web+beta+x", "is not a product and a channel"},
		{"name=web9&tags=rack", "&quot;rack&quot; is not a name and a value"},
	};
	for (gsize row = 0; row < G_N_ELEMENTS(table); row++) {
		g_autoptr(FakeHouse) fake = fake_new();
		g_autofree char *body =
			g_strconcat("csrf=" TOKEN "&form=node-add&", table[row].fields, NULL);
		g_autoptr(PageReply) reply = post(fake, "/nodes", body);
		assert_int_equal(reply->status, 400);
		assert_string_equal(fake->changes->str, "");
		assert_true(says(reply, table[row].words));
		assert_true(says(reply, "value=\"web9\""));
	}
}

static void test_forms_without_token_or_from_elsewhere_change_nothing(void **state)
{
	static const struct {
		const char *token, *origin, *fetch_site;
	} table[] = {
		{"", "http://d.example", NULL},
		{"csrf=", "http://d.example", "same-origin"},
		{"csrf=wrong", "http://d.example", NULL},
		{"csrf=" TOKEN "x", NULL, NULL},
		{"csrf=" TOKEN, "http://evil.example", NULL},
		{"csrf=" TOKEN, "null", NULL},
		{"csrf=" TOKEN, NULL, "cross-site"},
		{"csrf=" TOKEN, NULL, "same-site"},
	};
	static const char *const paths[] = {"/products", "/products/web", "/products/web/scan",
		"/products/web/rebase", "/products/web/landings/45/verdicts", "/maintenance",
		"/notices/remind", "/people", "/people/grace", "/people/grace/roles",
		"/people/grace/roles/revoke", "/people/grace/login-link", "/tokens",
		"/tokens/3/revoke", "/hosts", "/hosts/web1/revoke", "/pools", "/pools/web",
		"/pools/web/servers", "/pools/web/orders", "/pools/web/remove", "/nodes",
		"/nodes/web4", "/nodes/web4/invite", "/nodes/web4/remove",
		"/nodes/web4/products/web/order", "/logout", NULL};
	g_autoptr(FakeHouse) fake = fake_new();
	for (gsize row = 0; row < G_N_ELEMENTS(table); row++)
		for (int index = 0; paths[index]; index++) {
			g_autofree char *body = g_strconcat(table[row].token, "&state=ok", NULL);
			PageRequest request = form(paths[index], body);
			request.origin = table[row].origin;
			request.fetch_site = table[row].fetch_site;
			g_autoptr(PageReply) reply = page_route(&fake->house, &request);
			assert_int_equal(reply->status, 403);
		}
	assert_string_equal(fake->changes->str, "");
}

static void test_an_old_token_gives_the_form_back_filled_in(void **state)
{
	static const char body[] =
		"csrf=old&form=verdict-item-1&item=945&reason=long+thought&state=ok";
	g_autoptr(FakeHouse) fake = fake_new();
	g_autoptr(PageReply) reply = post(fake, "/products/web/landings/45/verdicts", body);
	assert_int_equal(reply->status, 403);
	assert_true(says(reply, "value=\"long thought\""));
	assert_true(says(reply, "name=\"csrf\" value=\"" TOKEN "\""));
	PageRequest silent = form("/products/web/landings/45/verdicts", body);
	silent.origin = NULL;
	g_autoptr(PageReply) plain = page_route(&fake->house, &silent);
	assert_int_equal(plain->status, 403);
	assert_false(says(plain, "long thought"));
}

static void test_a_refusal_keeps_what_was_typed(void **state)
{
	static const struct {
		int code, status;
	} table[] = {
		{DROVER_ERROR_MAINTENANCE, 503},
		{DROVER_ERROR_DENIED, 403},
		{DROVER_ERROR_CONFLICT, 409},
		{DROVER_ERROR_INPUT, 400},
	};
	for (gsize row = 0; row < G_N_ELEMENTS(table); row++) {
		g_autoptr(FakeHouse) fake = fake_new();
		fake->refusal = table[row].code;
		g_autoptr(PageReply) reply = post(fake, "/products/web/landings/45/verdicts",
			"csrf=" TOKEN "&form=verdict-item-1&item=945&reason=kept%22&state=ok");
		assert_int_equal(reply->status, table[row].status);
		assert_true(says(reply, "value=\"kept&quot;\""));
		assert_true(says(reply, "refused &lt;b&gt;because&lt;/b&gt;"));
		assert_true(says(reply, "data-address=\"/products/web/landings/45\""));
		assert_null(page_reply_header(reply, "Set-Cookie"));
	}
}

static void test_a_number_that_is_none_is_refused_before_the_api(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	g_autoptr(PageReply) reply =
		post(fake, "/tokens", "csrf=" TOKEN "&form=token-add&name=CI&expires_days=soon");
	assert_int_equal(reply->status, 400);
	assert_true(says(reply, "value=\"CI\""));
	assert_string_equal(fake->changes->str, "");
}

static void test_a_form_without_a_session_changes_nothing(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	PageRequest request = form("/maintenance", "csrf=" TOKEN "&on=yes&reason=x");
	request.session = "stale";
	g_autoptr(PageReply) reply = page_route(&fake->house, &request);
	assert_int_equal(reply->status, 401);
	assert_string_equal(fake->changes->str, "");
}

static void test_a_flash_is_shown_once_and_only_from_the_table(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	PageRequest request = {
		.method = "GET", .path = "/tokens", .session = SESSION, .flash = "token-revoke"};
	g_autoptr(PageReply) reply = page_route(&fake->house, &request);
	assert_true(says(reply, "The token was revoked."));
	assert_string_equal(page_reply_header(reply, "Set-Cookie"),
		"drover-flash=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
	request.flash = "Call 555 to keep your account";
	g_autoptr(PageReply) foreign = page_route(&fake->house, &request);
	assert_false(says(foreign, "Call 555"));
}

static void test_problems_have_their_status(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	g_autoptr(PageReply) page = get(fake, "/nowhere", TRUE);
	assert_int_equal(page->status, 404);
	g_autoptr(PageReply) product = get(fake, "/products/none", TRUE);
	assert_int_equal(product->status, 404);
	assert_true(says(product, "no /products/none"));
	g_autoptr(PageReply) form_address = get(fake, "/products/web/scan", TRUE);
	assert_int_equal(form_address->status, 303);
	assert_string_equal(page_reply_header(form_address, "Location"), "/products/web");
	PageRequest request = {.method = "PUT", .path = "/", .session = SESSION};
	g_autoptr(PageReply) method = page_route(&fake->house, &request);
	assert_int_equal(method->status, 405);
	assert_string_equal(page_reply_header(method, "Allow"), "GET, HEAD, POST");
	fake->broken = TRUE;
	g_autoptr(PageReply) away = get(fake, "/", TRUE);
	assert_int_equal(away->status, 503);
	assert_true(says(away, "the store is away"));
}

static void test_assets_are_kept_for_ever_under_their_digest(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	g_autoptr(PageReply) page = get(fake, "/login", FALSE);
	const char *at = strstr(text_of(page), "/assets/");
	g_autofree char *path = g_strndup(at, strcspn(at, "\""));
	g_autoptr(PageReply) first = get(fake, path, FALSE);
	assert_int_equal(first->status, 200);
	assert_string_equal(
		page_reply_header(first, "Cache-Control"), "public, max-age=31536000, immutable");
	PageRequest again = {
		.method = "GET", .path = path, .if_none_match = page_reply_header(first, "ETag")};
	g_autoptr(PageReply) second = page_route(&fake->house, &again);
	assert_int_equal(second->status, 304);
	g_autoptr(PageReply) old = get(fake, "/assets/000000000000/drover.css", FALSE);
	assert_int_equal(old->status, 200);
	assert_string_equal(page_reply_header(old, "Cache-Control"), "no-cache");
	g_autoptr(PageReply) none = get(fake, "/assets/x/none.css", TRUE);
	assert_int_equal(none->status, 404);
}

static void test_a_redirect_to_a_strange_name_stays_here(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	g_autoptr(PageReply) reply =
		post(fake, "/products", "csrf=" TOKEN "&name=..%2F%2Fevil%3Fx%23%0D%0AX%3A+y");
	assert_string_equal(page_reply_header(reply, "Location"),
		"/products/..%2F%2Fevil%3Fx%23%0D%0AX%3A%20y");
}

static void test_the_report_is_asked_through_the_house(void **state)
{
	g_autoptr(FakeHouse) fake = fake_new();
	fake->broken = TRUE;
	g_autoptr(GError) error = NULL;
	assert_null(report_ask(&fake->house, NULL, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_UNAVAILABLE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_page_answers_with_its_policy),
		cmocka_unit_test(test_nobody_is_sent_to_the_login_and_back),
		cmocka_unit_test(test_login_sets_a_cookie_that_scripts_cannot_read),
		cmocka_unit_test(test_login_never_leads_elsewhere),
		cmocka_unit_test(test_a_wrong_password_keeps_the_name_and_not_the_password),
		cmocka_unit_test(test_a_login_link_is_used_up_by_the_button_only),
		cmocka_unit_test(test_a_verdict_goes_to_the_api_and_back_to_its_page),
		cmocka_unit_test(test_every_form_becomes_its_call),
		cmocka_unit_test(test_a_change_is_written_with_fields),
		cmocka_unit_test(test_a_change_that_is_none_is_not_asked_about),
		cmocka_unit_test(test_a_checked_change_that_is_refused_comes_back_as_json),
		cmocka_unit_test(test_one_signs_the_digest_that_is_on_the_page),
		cmocka_unit_test(test_the_slider_leads_to_its_instant),
		cmocka_unit_test(test_secrets_are_shown_once_in_the_answer),
		cmocka_unit_test(test_a_node_is_added_and_invited),
		cmocka_unit_test(test_a_node_that_is_none_is_not_asked_about),
		cmocka_unit_test(test_forms_without_token_or_from_elsewhere_change_nothing),
		cmocka_unit_test(test_an_old_token_gives_the_form_back_filled_in),
		cmocka_unit_test(test_a_refusal_keeps_what_was_typed),
		cmocka_unit_test(test_a_number_that_is_none_is_refused_before_the_api),
		cmocka_unit_test(test_a_form_without_a_session_changes_nothing),
		cmocka_unit_test(test_a_flash_is_shown_once_and_only_from_the_table),
		cmocka_unit_test(test_problems_have_their_status),
		cmocka_unit_test(test_assets_are_kept_for_ever_under_their_digest),
		cmocka_unit_test(test_a_redirect_to_a_strange_name_stays_here),
		cmocka_unit_test(test_the_report_is_asked_through_the_house),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
