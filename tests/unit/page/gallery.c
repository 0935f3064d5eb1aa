/* SPDX-License-Identifier: ISC
 *
 * Every page from the fixtures, as an admin, a viewer and a stranger see them.
 */
#include "gallery.h"

typedef struct Gallery {
	GalleryTwist twist;
	GalleryVisit visit;
	gpointer of;
	PageFrame frame;
} Gallery;

json_t *gallery_fixture(const char *name)
{
	g_autofree char *file = g_strdup_printf("%s/%s.json", g_getenv("FIXTURES"), name);
	json_error_t problem;
	g_autoptr(json_t) fixture = json_load_file(file, 0, &problem);
	if (!fixture)
		g_error("%s: %s", file, problem.text);
	return json_incref(json_object_get(fixture, "answer"));
}

static json_t *twisted(GalleryTwist twist, const char *name)
{
	json_t *answer = gallery_fixture(name);
	return twist ? twist(answer) : answer;
}

static void show(Gallery *gallery, const char *name, char *html)
{
	gallery->visit(name, html, gallery->of);
	g_free(html);
}

static json_t *products_of(GalleryTwist twist, const char *const *names)
{
	json_t *products = json_array();
	for (; *names; names++)
		json_array_append_new(products, twisted(twist, *names));
	return products;
}

static void show_landings(Gallery *gallery)
{
	static const char *const names[] = {
		"product-web", "product-payments", "product-docs", NULL};
	static const char *const troubled_names[] = {
		"product-web", "product-search", "product-docs", NULL};
	PageFrame *frame = &gallery->frame;
	g_autoptr(json_t) products = products_of(gallery->twist, names);
	g_autoptr(json_t) pools = twisted(gallery->twist, "pools");
	g_autoptr(json_t) channels = twisted(gallery->twist, "channels");
	g_autoptr(json_t) nodes = twisted(gallery->twist, "nodes");
	g_autoptr(json_t) releases = twisted(gallery->twist, "releases");
	json_object_set(
		json_array_get(products, 0), "releases", json_object_get(releases, "releases"));
	show(gallery, "overview",
		page_overview(frame, products, pools, json_object_get(channels, "channels"),
			json_object_get(nodes, "nodes")));
	g_autoptr(json_t) empty = json_array();
	show(gallery, "overview-empty", page_overview(frame, empty, NULL, NULL, NULL));
	g_autoptr(json_t) web = twisted(gallery->twist, "product-web");
	frame->path = "/products/web";
	show(gallery, "product", page_product(frame, web));
	g_autoptr(json_t) docs = twisted(gallery->twist, "product-docs");
	show(gallery, "product-empty", page_product(frame, docs));
	g_autoptr(json_t) landings = twisted(gallery->twist, "landings");
	show(gallery, "landings", page_landings(frame, landings, NULL));
	g_autoptr(json_t) bad = twisted(gallery->twist, "landing-bad");
	show(gallery, "landing", page_landing(frame, bad));
	g_autoptr(json_t) good = twisted(gallery->twist, "landing-good");
	show(gallery, "landing-good", page_landing(frame, good));
	g_autoptr(json_t) where = twisted(gallery->twist, "where");
	show(gallery, "where", page_where(frame, json_text(where, "product"), where));
	const json_t *calm = frame->status;
	g_autoptr(json_t) troubled = twisted(gallery->twist, "status-troubled");
	g_autoptr(json_t) troubled_products = products_of(gallery->twist, troubled_names);
	frame->status = troubled;
	frame->path = "/";
	show(gallery, "overview-troubled",
		page_overview(frame, troubled_products, pools, NULL, NULL));
	frame->path = "/maintenance";
	show(gallery, "maintenance-on", page_maintenance(frame));
	frame->status = calm;
	show(gallery, "maintenance", page_maintenance(frame));
}

static void show_books(Gallery *gallery)
{
	PageFrame *frame = &gallery->frame;
	frame->path = "/history";
	g_autoptr(json_t) history = twisted(gallery->twist, "history");
	g_autoptr(json_t) good = twisted(gallery->twist, "history-good");
	g_autoptr(json_t) broken = twisted(gallery->twist, "history-broken");
	show(gallery, "history", page_history(frame, history, good, NULL));
	show(gallery, "history-broken", page_history(frame, history, broken, NULL));
	g_autoptr(json_t) entry = twisted(gallery->twist, "history-entry");
	show(gallery, "history-entry", page_history_entry(frame, entry));
	frame->path = "/notices";
	g_autoptr(json_t) notices = twisted(gallery->twist, "notices");
	show(gallery, "notices", page_notices(frame, notices, NULL));
	frame->path = "/hosts";
	g_autoptr(json_t) hosts = twisted(gallery->twist, "hosts");
	g_autoptr(json_t) enrolment = twisted(gallery->twist, "enrolment");
	show(gallery, "hosts", page_hosts(frame, hosts, enrolment));
}

static void show_pools(Gallery *gallery)
{
	PageFrame *frame = &gallery->frame;
	frame->path = "/pools";
	g_autoptr(json_t) pools = twisted(gallery->twist, "pools");
	show(gallery, "pools", page_pools(frame, pools));
	g_autoptr(json_t) none = json_array();
	show(gallery, "pools-empty", page_pools(frame, none));
	frame->path = "/pools/web";
	g_autoptr(json_t) pool = twisted(gallery->twist, "pool");
	show(gallery, "pool", page_pool(frame, pool));
}

static void show_releases(Gallery *gallery)
{
	PageFrame *frame = &gallery->frame;
	frame->path = "/products/web/releases";
	g_autoptr(json_t) list = twisted(gallery->twist, "releases");
	g_autoptr(json_t) release = twisted(gallery->twist, "release");
	g_autoptr(json_t) first = twisted(gallery->twist, "release-first");
	g_autoptr(json_t) diff = twisted(gallery->twist, "release-diff");
	g_autoptr(json_t) files = twisted(gallery->twist, "release-files");
	g_autoptr(json_t) nodes = twisted(gallery->twist, "nodes");
	const json_t *releases = json_object_get(list, "releases");
	const char *product = json_text(release, "product");
	const char *version = json_text(release, "version");
	show(gallery, "releases", page_releases(frame, product, releases, FALSE));
	show(gallery, "releases-empty", page_releases(frame, product, NULL, TRUE));
	show(gallery, "release",
		page_release(frame, release, diff, json_object_get(nodes, "nodes")));
	show(gallery, "release-first", page_release(frame, first, NULL, NULL));
	show(gallery, "release-files", page_release_files(frame, product, version, files, NULL));
	show(gallery, "release-diff",
		page_release_diff(frame, product, version, diff, releases, NULL));
	show(gallery, "release-diff-none",
		page_release_diff(frame, product, version, NULL, releases, version));
}

static void show_nodes(Gallery *gallery)
{
	PageFrame *frame = &gallery->frame;
	frame->path = "/nodes";
	g_autoptr(json_t) list = twisted(gallery->twist, "nodes");
	g_autoptr(json_t) node = twisted(gallery->twist, "node");
	g_autoptr(json_t) resting = twisted(gallery->twist, "node-maintenance");
	g_autoptr(json_t) releases = twisted(gallery->twist, "releases");
	g_autoptr(json_t) invited = twisted(gallery->twist, "enrolment");
	g_autoptr(json_t) offered =
		json_pack("{s:O}", "web", json_object_get(releases, "releases"));
	show(gallery, "nodes", page_nodes(frame, json_object_get(list, "nodes"), NULL));
	show(gallery, "nodes-empty", page_nodes(frame, NULL, NULL));
	frame->path = "/nodes/web4";
	show(gallery, "node", page_node(frame, node, offered, NULL, NULL));
	show(gallery, "node-added", page_node(frame, node, NULL, invited, NULL));
	show(gallery, "node-maintenance",
		page_node(frame, resting, NULL, NULL, json_text(resting, "name")));
}

static void show_channel(Gallery *gallery, const char *fixture)
{
	PageFrame *frame = &gallery->frame;
	g_autoptr(json_t) view = twisted(gallery->twist, fixture);
	frame->path = "/channels/web/beta";
	show(gallery, fixture, page_channel(frame, view));
	if (g_str_equal(fixture, "channel-past"))
		return;
	g_autofree char *name = g_strdup_printf("%s-switch", fixture);
	show(gallery, name, page_channel_switch(frame, view));
}

static void show_channels(Gallery *gallery)
{
	PageFrame *frame = &gallery->frame;
	frame->path = "/channels";
	g_autoptr(json_t) list = twisted(gallery->twist, "channels");
	show(gallery, "channels", page_channels(frame, json_object_get(list, "channels")));
	show(gallery, "channels-empty", page_channels(frame, NULL));
	show_channel(gallery, "channel");
	show_channel(gallery, "channel-past");
	show_channel(gallery, "channel-off");
	g_autoptr(json_t) view = twisted(gallery->twist, "channel");
	g_autoptr(json_t) explanation = twisted(gallery->twist, "explain");
	g_autoptr(json_t) difference = twisted(gallery->twist, "difference");
	show(gallery, "explain", page_channel_explain(frame, view, explanation, NULL, NULL));
	show(gallery, "explain-refused",
		page_channel_explain(frame, view, NULL, json_text(view, "title"), NULL));
	show(gallery, "diff", page_channel_diff(frame, view, difference, NULL, NULL));
}

static void show_change(Gallery *gallery, const char *fixture)
{
	PageFrame *frame = &gallery->frame;
	g_autoptr(json_t) detail = twisted(gallery->twist, fixture);
	g_autoptr(json_t) differences = twisted(gallery->twist, "change-diff");
	frame->path = "/changes/14";
	show(gallery, fixture,
		page_change(frame, detail, json_object_get(differences, "channels"), NULL));
	show(gallery, "change-break-glass", page_change_break_glass(frame, detail));
}

static void show_changes(Gallery *gallery)
{
	static const char *const kinds[] = {"insert", "switch-on", "json", NULL};
	PageFrame *frame = &gallery->frame;
	frame->path = "/changes";
	g_autoptr(json_t) list = twisted(gallery->twist, "changes");
	show(gallery, "changes", page_changes(frame, list, NULL));
	show_change(gallery, "change");
	show_change(gallery, "change-live");
	frame->path = "/changes/new";
	g_autoptr(json_t) found = twisted(gallery->twist, "rule-row");
	g_autoptr(json_t) checked = twisted(gallery->twist, "change-checked");
	const json_t *row = json_object_get(found, "row");
	show(gallery, "change-new-rule", page_change_new(frame, "rule", row, NULL, NULL));
	show(gallery, "change-new-checked", page_change_new(frame, "rule", row, checked, NULL));
	show(gallery, "change-new-delete", page_change_new(frame, "delete", row, NULL, NULL));
	show(gallery, "change-new-which", page_change_new(frame, "rule", NULL, NULL, NULL));
	for (int i = 0; kinds[i]; i++) {
		g_autofree char *name = g_strdup_printf("change-new-%s", kinds[i]);
		show(gallery, name, page_change_new(frame, kinds[i], NULL, NULL, NULL));
	}
}

static void show_people(Gallery *gallery)
{
	PageFrame *frame = &gallery->frame;
	frame->path = "/people";
	g_autoptr(json_t) people = twisted(gallery->twist, "people");
	show(gallery, "people", page_people(frame, people));
	g_autoptr(json_t) person = twisted(gallery->twist, "person");
	g_autoptr(json_t) link = twisted(gallery->twist, "login-link");
	show(gallery, "person", page_person(frame, person, link));
	frame->path = "/tokens";
	g_autoptr(json_t) tokens = twisted(gallery->twist, "tokens");
	g_autoptr(json_t) created = twisted(gallery->twist, "new-token");
	show(gallery, "tokens", page_tokens(frame, tokens, created));
}

/* What was typed and refused, with everything from outside that a form gives back. */
static void show_refused(Gallery *gallery, const char *typed)
{
	PageFrame *frame = &gallery->frame;
	g_autoptr(GHashTable) fields = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_insert(fields, (gpointer) "reason", (gpointer)typed);
	PageForm form = {"verdict-item-1", fields, "maintenance is on, by grace: try again later"};
	g_autoptr(json_t) bad = twisted(gallery->twist, "landing-bad");
	frame->form = &form;
	frame->path = "/products/web/landings/45";
	show(gallery, "landing-refused", page_landing(frame, bad));
	frame->form = NULL;
}

static void show_strangers(Gallery *gallery, const char *text)
{
	PageFrame nobody = {.path = text, .now_us = GALLERY_NOW_US};
	show(gallery, "login", page_login(&nobody, text));
	show(gallery, "login-link", page_login_link(&nobody, text));
	show(gallery, "problem", page_problem(&nobody, 404, text));
}

static void show_viewer(Gallery *gallery, const char *name)
{
	g_autoptr(Actor) viewer = actor_new(ACTOR_PERSON, name, "page", 2);
	actor_grant(viewer, "*", "viewer");
	PageFrame *frame = &gallery->frame;
	frame->actor = viewer;
	frame->flash = "The verdict is written down.";
	frame->path = "/products/web/landings/45";
	g_autoptr(json_t) bad = twisted(gallery->twist, "landing-bad");
	show(gallery, "landing-viewer", page_landing(frame, bad));
	g_autoptr(json_t) pool = twisted(gallery->twist, "pool");
	frame->path = "/pools/web";
	show(gallery, "pool-viewer", page_pool(frame, pool));
	g_autoptr(json_t) node = twisted(gallery->twist, "node");
	frame->path = "/nodes/web4";
	show(gallery, "node-viewer", page_node(frame, node, NULL, NULL, NULL));
}

void gallery_render(GalleryTwist twist, GalleryVisit visit, gpointer of)
{
	g_autoptr(json_t) status = twisted(twist, "status");
	g_autoptr(json_t) name = json_string("ada");
	if (twist)
		name = twist(g_steal_pointer(&name));
	g_autoptr(Actor) admin = actor_new(ACTOR_PERSON, json_string_value(name), "page", 1);
	actor_grant(admin, "*", "admin");
	Gallery gallery = {twist, visit, of,
		{.actor = admin,
			.csrf = "csrf-token",
			.path = "/",
			.status = status,
			.now_us = GALLERY_NOW_US}};
	show_landings(&gallery);
	show_books(&gallery);
	show_pools(&gallery);
	show_releases(&gallery);
	show_nodes(&gallery);
	show_channels(&gallery);
	show_changes(&gallery);
	show_people(&gallery);
	show_refused(&gallery, twist ? json_string_value(name) : "Cut off on page 2");
	show_viewer(&gallery, json_string_value(name));
	show_strangers(&gallery, twist ? json_string_value(name) : "No product \"shop\".");
}

static json_t *report_product(GalleryTwist twist, const char *product, gboolean with_landings)
{
	json_t *whole = json_object();
	json_object_set_new(whole, "product", twisted(twist, product));
	json_t *landings = with_landings ? twisted(twist, "landings")
					 : json_pack("{s:s, s:[], s:n}", "product", "docs",
						   "landings", "next");
	json_object_set_new(whole, "landings", landings);
	json_t *where = with_landings ? twisted(twist, "where-all")
				      : json_pack("{s:s, s:s, s:n, s:[]}", "product", "docs",
						"query", "", "deployable", "matches");
	json_object_set_new(whole, "where", where);
	return whole;
}

json_t *gallery_report(GalleryTwist twist)
{
	g_autoptr(json_t) status = twisted(twist, "status");
	g_autoptr(json_t) products = json_array();
	json_array_append_new(products, report_product(twist, "product-web", TRUE));
	json_array_append_new(products, report_product(twist, "product-docs", FALSE));
	return report_files(GALLERY_NOW_US, status, products);
}
