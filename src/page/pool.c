/* SPDX-License-Identifier: ISC
 *
 * One pool: what the list says of each server, what balancers see of it, what was asked and what
 * they answer. Orders are given where the server stands; what may go wrong with one is said before.
 */
#include "page/pool.h"

#define PROBLEMS_SHOWN 20

static const char *const columns[] = {
	"Server", "State", "Load", "Last day", "Asked", "Action", NULL};
static const char *const balancer_columns[] = {
	"Balancer", "Reported", "Version", "Can serve", "May spare one", "Alerts", "Action", NULL};

static gboolean may_steer(const PageFrame *frame)
{
	return frame_may(frame, ROLE_OPERATOR, NULL);
}

static const char *number(Html *html, gint64 value)
{
	return html_print(html, "%" G_GINT64_FORMAT, value);
}

/* Servers ------------------------------------------------------------------------------------- */

/* Each balancer's word, where they are not of one mind. */
static void write_sights(Html *html, const json_t *server)
{
	size_t index;
	json_t *sight;
	if (json_flag(server, "agree"))
		return;
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (json_object_get(server, "sights"), index, sight) {
		html_open(html, "li", NULL);
		html_outside(html, html_clip(html, json_text(sight, "balancer"), 60));
		html_text(html, ": ");
		pool_state(html, json_text(sight, "state"));
		if (json_flag(sight, "silent"))
			html_element(html, "span", " long ago", "class", "quiet", NULL);
		html_close(html, "li");
	}
	html_close(html, "ul");
}

/* The state, since when and why: what is read together stands together. */
static void write_state(Html *html, const PageFrame *frame, const json_t *server)
{
	part_cell(html, "State", "pool-state");
	pool_state(html, json_text(server, "state"));
	if (json_has(server, "since")) {
		html_text(html, " since ");
		part_time(html, frame, server, "since");
	}
	if (json_has(server, "why")) {
		html_void(html, "br", NULL);
		html_open(html, "span", "class", "quiet", NULL);
		html_outside(html, html_clip(html, json_text(server, "why"), 200));
		html_close(html, "span");
	}
	write_sights(html, server);
	html_close(html, "td");
}

/* Of all balancers that speak: what it weighs now where that differs, and what is open. */
static void write_load(Html *html, const json_t *server)
{
	gint64 weight = json_integer_of(server, "weight"), least = weight;
	gint64 active = 0, inactive = 0;
	gboolean heard = FALSE;
	size_t index;
	json_t *sight;
	json_array_foreach (json_object_get(server, "sights"), index, sight) {
		if (json_flag(sight, "silent"))
			continue;
		heard = TRUE;
		least = MIN(least, json_integer_of(sight, "current_weight"));
		active += json_integer_of(sight, "active");
		inactive += json_integer_of(sight, "inactive");
	}
	part_cell(html, "Load", "pool-load");
	html_format(html, "weight %" G_GINT64_FORMAT, weight);
	if (least != weight)
		html_format(html, ", now %" G_GINT64_FORMAT, least);
	if (heard) {
		html_void(html, "br", NULL);
		html_format(html, "%" G_GINT64_FORMAT " open", active);
		html_element(html, "span",
			html_print(html, ", %" G_GINT64_FORMAT " ended", inactive), "class",
			"quiet", NULL);
	}
	html_close(html, "td");
}

static void write_answer(Html *html, const json_t *server, const json_t *sight)
{
	gboolean answered =
		json_integer_of(sight, "order_id") == json_integer_of(server, "order_id");
	html_open(html, "li", NULL);
	html_outside(html, html_clip(html, json_text(sight, "balancer"), 60));
	html_text(html, ": ");
	html_text(html, answered && json_has(sight, "answer") ? json_text(sight, "answer")
							      : "no answer yet");
	if (answered && json_has(sight, "answer_why")) {
		html_text(html, ", ");
		html_outside(html, html_clip(html, json_text(sight, "answer_why"), 200));
	}
	html_close(html, "li");
}

static void write_asked(Html *html, const PageFrame *frame, const json_t *server)
{
	size_t index;
	json_t *sight;
	part_cell(html, "Asked", "pool-asked");
	if (!json_has(server, "asked_by")) {
		html_text(html, "–");
		html_close(html, "td");
		return;
	}
	html_element(html, "strong", json_text(server, "order"), NULL);
	if (json_flag(server, "forced"))
		html_element(html, "span", "forced", "class", "tag bad", NULL);
	html_text(html, " by ");
	html_outside(html, html_clip(html, json_text(server, "asked_by"), 60));
	html_text(html, ", ");
	part_time(html, frame, server, "asked");
	if (json_has(server, "reason")) {
		html_text(html, ": ");
		html_outside(html, html_clip(html, json_text(server, "reason"), 200));
	}
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (json_object_get(server, "sights"), index, sight)
		if (!json_flag(sight, "silent"))
			write_answer(html, server, sight);
	html_close(html, "ul");
	html_close(html, "td");
}

/* Orders -------------------------------------------------------------------------------------- */

/* The balancers that say that nothing more may be spared; NULL when none does. */
static const char *unable_to_spare(Html *html, const json_t *pool)
{
	const char *names = NULL;
	size_t index;
	json_t *balancer;
	json_array_foreach (json_object_get(pool, "balancers"), index, balancer) {
		if (json_flag(balancer, "silent") || json_flag(balancer, "can_depool"))
			continue;
		const char *name = html_clip(html, json_text(balancer, "name"), 60);
		names = names ? html_print(html, "%s, %s", names, name) : name;
	}
	return names;
}

static const char *link_to_orders(Html *html, const json_t *pool)
{
	return link_print(html, "/pools/%s/orders", json_text(pool, "name"));
}

static void open_order(Html *html, const PageFrame *frame, const char *form, const json_t *server,
	const char *action)
{
	form_open(html, frame, form, action);
	form_hidden(html, "host", json_text(server, "host"));
	form_hidden(html, "order_id", number(html, json_integer_of(server, "order_id")));
}

static void write_force(Html *html, const PageFrame *frame, const char *form, const json_t *pool,
	const json_t *server, const char *unable)
{
	if (!unable && !form_is_back(frame, form))
		return;
	html_open(html, "p", "class", "problem", NULL);
	html_outside(html, unable ? unable : "A balancer");
	html_text(html,
		" can spare no server now and will refuse. Forced, the pool may be left with "
		"too few servers, and your name stands under it.");
	html_close(html, "p");
	open_order(html, frame, form, server, link_to_orders(html, pool));
	form_hidden(html, "order", "drain");
	form_hidden(html, "force", "yes");
	form_input(html, frame, form, "reason", "Reason, required", "text", NULL, TRUE);
	form_button(html, "Drain it all the same", NULL, NULL, "danger");
	form_close(html);
}

static void write_drain(Html *html, const PageFrame *frame, const char *slug, const json_t *pool,
	const json_t *server)
{
	const char *form = html_print(html, "order-%s", slug);
	const char *force = html_print(html, "force-%s", slug);
	gboolean open = form_is_back(frame, form) || form_is_back(frame, force);
	html_open(html, "details", "id", html_print(html, "work-%s", slug), "open",
		open ? HTML_SET : NULL, NULL);
	html_element(html, "summary", "Drain", "aria-label",
		html_print(html, "Drain %s", json_text(server, "host")), NULL);
	open_order(html, frame, form, server, link_to_orders(html, pool));
	form_input(html, frame, form, "reason", "Reason", "text", NULL, FALSE);
	html_open(html, "div", "class", "buttons", NULL);
	form_button(html, "Drain", "order", "drain", "primary");
	form_button(html, "Reserve", "order", "reserve", NULL);
	html_close(html, "div");
	form_close(html);
	write_force(html, frame, force, pool, server, unable_to_spare(html, pool));
	html_close(html, "details");
}

static void write_actions(
	Html *html, const PageFrame *frame, const json_t *pool, const json_t *server)
{
	g_autofree char *slug = report_slug(json_text(server, "host"));
	const char *form = html_print(html, "serve-%s", slug);
	gboolean serves = g_strcmp0(json_text(server, "order"), "serve") == 0;
	part_cell(html, "", "pool-action");
	if (serves) {
		write_drain(html, frame, slug, pool, server);
	} else {
		open_order(html, frame, form, server, link_to_orders(html, pool));
		form_button(html, "Pool", "order", "serve", NULL);
		form_close(html);
	}
	html_close(html, "td");
}

static void write_server(
	Html *html, const PageFrame *frame, const json_t *pool, const json_t *server)
{
	html_open(html, "tr", "data-server", json_text(server, "host"), NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_outside(html, html_clip(html, json_text(server, "host"), 120));
	html_close(html, "th");
	write_state(html, frame, server);
	write_load(html, server);
	part_cell(html, "Last day", NULL);
	pool_timeline(html, frame, server);
	html_close(html, "td");
	write_asked(html, frame, server);
	if (may_steer(frame))
		write_actions(html, frame, pool, server);
	else
		part_cell_text(html, "", NULL, NULL);
	html_close(html, "tr");
	html_newline(html);
}

static void write_servers(Html *html, const PageFrame *frame, const json_t *pool)
{
	const json_t *servers = json_object_get(pool, "servers");
	size_t index;
	json_t *server;
	html_open(html, "div", "id", "pool-servers", "data-live", HTML_SET, NULL);
	if (json_array_size(servers) == 0) {
		part_empty(html, "No servers yet. Add one:",
			html_print(html, "drover pool set %s web1", json_text(pool, "name")));
	} else {
		part_table_open(html, "stack", "Servers", columns);
		json_array_foreach (servers, index, server)
			write_server(html, frame, pool, server);
		part_table_close(html);
	}
	html_close(html, "div");
}

/* Balancers ----------------------------------------------------------------------------------- */

static void write_alerts(Html *html, const json_t *balancer)
{
	const json_t *alerts = json_object_get(balancer, "alerts");
	size_t index;
	json_t *alert;
	part_cell(html, "Alerts", "wide");
	if (json_has(balancer, "clock_warning")) {
		html_outside(html, json_text(balancer, "clock_warning"));
		html_void(html, "br", NULL);
	}
	json_array_foreach (alerts, index, alert) {
		html_open(html, "span", "class", "problem", NULL);
		html_outside(html, html_clip(html, json_string_value(alert), 300));
		html_close(html, "span");
		html_void(html, "br", NULL);
	}
	html_close(html, "td");
}

static void write_balancer(
	Html *html, const PageFrame *frame, const json_t *pool, const json_t *balancer, gsize place)
{
	gboolean silent = json_flag(balancer, "silent");
	const char *form = html_print(html, "forget-%" G_GSIZE_FORMAT, place);
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_outside(html, html_clip(html, json_text(balancer, "name"), 80));
	if (silent)
		html_element(html, "span", "silent", "class", "tag bad", NULL);
	html_close(html, "th");
	part_cell_time(html, frame, "Reported", balancer, "reported");
	part_cell(html, "Version", NULL);
	html_text(html, number(html, json_integer_of(balancer, "version")));
	if (json_integer_of(balancer, "version") < json_integer_of(pool, "version"))
		html_element(html, "span", "behind", "class", "tag", NULL);
	html_close(html, "td");
	part_cell_text(html, "Can serve", NULL, json_flag(balancer, "can_serve") ? "yes" : "no");
	part_cell_text(
		html, "May spare one", NULL, json_flag(balancer, "can_depool") ? "yes" : "no");
	write_alerts(html, balancer);
	part_cell(html, "", NULL);
	if (silent && may_steer(frame)) {
		form_open(html, frame, form,
			link_print(html, "/pools/%s/forget", json_text(pool, "name")));
		form_hidden(html, "balancer", json_text(balancer, "name"));
		form_button(html, "Forget", NULL, NULL, "plain");
		form_close(html);
	}
	html_close(html, "td");
	html_close(html, "tr");
	html_newline(html);
}

static void write_balancers(Html *html, const PageFrame *frame, const json_t *pool)
{
	const json_t *balancers = json_object_get(pool, "balancers");
	size_t index;
	json_t *balancer;
	html_open(html, "div", "id", "pool-balancers", "data-live", HTML_SET, NULL);
	html_element(html, "h2", "Balancers", NULL);
	if (json_array_size(balancers) == 0) {
		part_empty(html,
			"No balancer has reported yet. Invite one, and point a service at this "
			"pool:",
			html_print(html,
				"drover host invite lb1 --kind balancer\n"
				"config = drover://HOST/pools/%s",
				json_text(pool, "name")));
	} else {
		part_table_open(html, "stack", "What balancers report", balancer_columns);
		json_array_foreach (balancers, index, balancer)
			write_balancer(html, frame, pool, balancer, index);
		part_table_close(html);
	}
	html_close(html, "div");
}

/* Changing ------------------------------------------------------------------------------------ */

static void open_edit(Html *html, const PageFrame *frame, const char *form, const json_t *pool,
	const char *title, const char *action)
{
	html_open(html, "details", "class", "card", "open",
		form_is_back(frame, form) ? HTML_SET : NULL, NULL);
	html_element(html, "summary", title, NULL);
	form_open(html, frame, form, action);
	form_hidden(html, "data_version", number(html, json_integer_of(pool, "data_version")));
}

static void close_edit(Html *html, const char *button, const char *class)
{
	form_button(html, button, NULL, NULL, class);
	form_close(html);
	html_close(html, "details");
	html_newline(html);
}

static void write_edits(Html *html, const PageFrame *frame, const json_t *pool)
{
	static const char *const switches[] = {"yes", "no", NULL};
	const char *name = json_text(pool, "name");
	if (!may_steer(frame)) {
		html_element(html, "p", "An operator can change pools and drain servers.", "class",
			"quiet", NULL);
		return;
	}
	open_edit(html, frame, "pool-server", pool, "Add or change a server",
		link_print(html, "/pools/%s/servers", name));
	form_input(html, frame, "pool-server", "host", "Host", "text", NULL, TRUE);
	form_input(html, frame, "pool-server", "weight", "Weight; empty: as it is, or 10", "number",
		NULL, FALSE);
	form_select(html, frame, "pool-server", "enabled", "Enabled", switches, "yes");
	form_input(html, frame, "pool-server", "reason", "Reason", "text", NULL, FALSE);
	close_edit(html, "Save", "primary");
	open_edit(html, frame, "pool-server-remove", pool, "Take a server off the list",
		link_print(html, "/pools/%s/servers/remove", name));
	form_input(html, frame, "pool-server-remove", "host", "Host", "text", NULL, TRUE);
	form_input(html, frame, "pool-server-remove", "reason", "Reason", "text", NULL, FALSE);
	close_edit(html, "Take it off", "danger");
	open_edit(
		html, frame, "pool", pool, "Title and notes", link_print(html, "/pools/%s", name));
	form_input(html, frame, "pool", "title", "Title", "text", json_text(pool, "title"), FALSE);
	form_input(html, frame, "pool", "notes", "Notes", "text", json_text(pool, "notes"), FALSE);
	close_edit(html, "Save", "primary");
	open_edit(html, frame, "pool-remove", pool, "Remove this pool",
		link_print(html, "/pools/%s/remove", name));
	form_input(html, frame, "pool-remove", "reason", "Reason", "text", NULL, FALSE);
	close_edit(html, "Remove the pool", "danger");
}

char *page_pool(const PageFrame *frame, const json_t *pool)
{
	const json_t *summary = json_object_get(pool, "summary");
	Html *html = frame_begin(frame, "Pool %s", json_text(pool, "name"));
	html_open(html, "h1", NULL);
	html_outside(html, html_clip(html, json_text(pool, "name"), 80));
	html_open(html, "span", "class", "quiet", NULL);
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(pool, "title"), 120));
	html_close(html, "span");
	html_close(html, "h1");
	html_open(html, "section", "class", "card", "id", "pool-head", "aria-label", "At a glance",
		"data-live", HTML_SET, NULL);
	pool_bar(html, summary);
	pool_problems(html, summary, PROBLEMS_SHOWN);
	if (json_has(pool, "notes")) {
		html_open(html, "p", NULL);
		html_outside(html, html_clip(html, json_text(pool, "notes"), 4096));
		html_close(html, "p");
	}
	if (json_flag(pool, "force"))
		html_element(html, "p",
			"This list was forced: balancers obey it whatever their list guard says.",
			"class", "quiet", NULL);
	html_close(html, "section");
	write_servers(html, frame, pool);
	write_balancers(html, frame, pool);
	write_edits(html, frame, pool);
	return frame_end(html, frame);
}
