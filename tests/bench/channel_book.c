/* SPDX-License-Identifier: ISC
 *
 * What people and the clock wait for in a full house: 10,000 rules over 50 products, 1,000 releases
 * of 90 locales, and a queue that grows to 100 changes, in a store of its own.
 * CPU time of the process. docs/benchmarks.md has the figures.
 */
#include <glib/gstdio.h>
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "channel/answer/published.h"
#include "channel/book/change.h"
#include "channel/book/edit.h"
#include "channel/book/enact.h"
#include "wire/json.h"

enum { PRODUCTS = 50, RULES = 10000, RELEASES = 20, LOCALES = 90, CHANGES = 100, LOOKS = 20 };
enum { NOW_S = 1000000 };

static const char *const channels[] = {"release", "beta", "nightly", "esr", "aurora"};

static double begin_ms;

static double cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static void start(void)
{
	begin_ms = cpu_ms();
}

static void say(const char *what, double times)
{
	double ms = (cpu_ms() - begin_ms) / times;
	struct mallinfo2 memory = mallinfo2();
	printf("%-58s %9.2f ms, %4zu MiB in use\n", what, ms,
		(memory.uordblks + memory.hblkhd) >> 20);
}

static void must(const GError *error)
{
	if (error != NULL)
		g_error("%s", error->message);
}

/* Rows ----------------------------------------------------------------------------------------- */

static void add(State *state, StateTable table, json_t *row)
{
	g_assert(state_add(state, table, row, NULL));
	json_decref(row);
}

static json_t *rule_row(guint number)
{
	g_autofree char *product = g_strdup_printf("product-%u", number % PRODUCTS);
	guint place = number / PRODUCTS; /* among the product's */
	g_autofree char *mapping = g_strdup_printf("%s-%u", product, place % RELEASES);
	json_t *row = json_pack("{s:i, s:i, s:s, s:s, s:s, s:i, s:i}", "rule_id", (int)number + 1,
		"priority", (int)(place * 7919 % 1000), "product", product, "channel",
		place % 7 == 0 ? "release*" : channels[place % G_N_ELEMENTS(channels)], "mapping",
		mapping, "rate", place % 3 == 0 ? 25 : 100, "data_version", 1);
	if (place % 2 == 0)
		json_object_set_new(row, "version", json_string("<50.0"));
	if (place % 10 == 0) {
		g_autofree char *alias = g_strdup_printf("rule-%u", number);
		json_object_set_new(row, "alias", json_string(alias));
	}
	return row;
}

static json_t *release_row(const char *product, guint number)
{
	g_autofree char *name = g_strdup_printf("%s-%u", product, number);
	g_autofree char *version = g_strdup_printf("%u.0", 60 + number);
	json_t *locales = json_object();
	for (guint i = 0; i < LOCALES; i++) {
		char locale[8];
		g_snprintf(locale, sizeof locale, "l%u", i);
		g_autofree char *url =
			g_strdup_printf("https://cdn.example.org/%s/%s.complete", name, locale);
		json_object_set_new(locales, locale,
			json_pack("{s:[{s:s, s:s, s:i, s:s}]}", "completes", "from", "*", "url",
				url, "size", 100000000 + (int)i, "sha256",
				"00000000000000000000000000000000000000000000000000000000000000"
				"00"));
	}
	return json_pack("{s:s, s:s, s:s, s:{s:{s:o}}, s:i}", "name", name, "product", product,
		"version", version, "platforms", "Linux_x86_64-gcc3", "locales", locales,
		"data_version", 1);
}

static State *full_house(void)
{
	State *state = state_new();
	for (guint i = 0; i < RULES; i++)
		add(state, STATE_RULES, rule_row(i));
	for (guint i = 0; i < PRODUCTS; i++) {
		g_autofree char *product = g_strdup_printf("product-%u", i);
		add(state, STATE_PRODUCTS,
			json_pack("{s:s, s:[s]}", "product", product, "hosts", "cdn.example.org"));
		for (guint j = 0; j < G_N_ELEMENTS(channels); j++)
			add(state, STATE_CHANNELS,
				json_pack(
					"{s:s, s:s}", "product", product, "channel", channels[j]));
		add(state, STATE_REQUIREMENTS,
			json_pack("{s:s, s:s, s:s, s:i}", "product", product, "channel", "beta",
				"role", "relman", "n", 1));
		for (guint j = 0; j < RELEASES; j++)
			add(state, STATE_RELEASES, release_row(product, j));
	}
	add(state, STATE_ROLES, json_pack("{s:s, s:b}", "role", "relman", "tester", TRUE));
	return state;
}

static gboolean fill(Store *store, gpointer of, GError **error)
{
	ChannelDeed deed = {1, "ada", "full house", 0};
	g_autoptr(State) nothing = state_new();
	return channel_rows_write(store, nothing, of, &deed, NULL, error);
}

/* Deeds ---------------------------------------------------------------------------------------- */

static gboolean may_all(const char *product, const char *role, gpointer of)
{
	(void)product;
	(void)role;
	(void)of;
	return TRUE;
}

static const ChangeActor actor = {"ada", may_all, NULL};

/* Each raises the rate of a rule of its own; every fifth brings a release and maps a rule to it. */
static json_t *ops_of(guint number)
{
	guint rule = number * 37 % RULES;
	json_t *ops = json_pack("[{s:s, s:s, s:i, s:{s:i}}]", "op", "update", "table", "rules",
		"rule_id", (int)rule + 1, "row", "rate", (int)(number % 100));
	if (number % 5 != 0)
		return ops;
	g_autofree char *product = g_strdup_printf("product-%u", rule % PRODUCTS);
	json_t *release = release_row(product, 1000 + number);
	json_object_del(release, "data_version");
	json_array_append_new(ops,
		json_pack("{s:s, s:s, s:i, s:{s:O}}", "op", "update", "table", "rules", "rule_id",
			(int)rule + 1, "row", "mapping", json_object_get(release, "name")));
	json_array_insert_new(ops, 0,
		json_pack("{s:s, s:s, s:o}", "op", "insert", "table", "releases", "row", release));
	return ops;
}

static gboolean submit(Store *store, gpointer of, GError **error)
{
	guint number = GPOINTER_TO_UINT(of);
	ChangeCall call = {store, &actor, (gint64)NOW_S * US_PER_SECOND, NULL, NULL, NULL};
	json_t *ops = ops_of(number);
	ChangeDraft draft = {
		(gint64)(NOW_S + 10 + number) * US_PER_SECOND, "a change", "because", ops};
	g_autoptr(ChangeDetail) detail = change_submit(&call, &draft, error);
	json_decref(ops);
	return detail != NULL;
}

static gboolean list(Store *store, gpointer of, GError **error)
{
	ChangeCall call = {store, &actor, (gint64)NOW_S * US_PER_SECOND, NULL, NULL, NULL};
	g_autoptr(ChannelBook) book = channel_book_read(store, error);
	g_autoptr(GPtrArray) standings = book == NULL ? NULL : change_standings(&call, book, error);
	(void)of;
	return standings != NULL;
}

static gboolean publish(Store *store, gpointer of, GError **error)
{
	g_autoptr(ChannelBook) book = channel_book_read(store, error);
	g_autoptr(Published) published =
		book == NULL ? NULL
			     : published_new(book->live, book->queue, book->generation, error);
	(void)of;
	return published != NULL;
}

static gboolean detail(Store *store, gpointer of, GError **error)
{
	ChangeCall call = {store, &actor, (gint64)NOW_S * US_PER_SECOND, NULL, NULL, NULL};
	g_autoptr(ChangeDetail) detail = change_load_detail(&call, CHANGES, error);
	(void)of;
	return detail != NULL;
}

static gboolean edit(Store *store, gpointer of, GError **error)
{
	ChannelDeed deed = {(gint64)NOW_S * US_PER_SECOND, "ada", "an edit", 0};
	g_auto(ChannelEdit) edited = {0};
	json_t *ops = json_pack("[{s:s, s:s, s:i, s:{s:s}}]", "op", "update", "table", "rules",
		"rule_id", 1, "row", "comment", "edited");
	(void)of;
	gboolean done = channel_edit(store, ops, &deed, NULL, NULL, &edited, error);
	json_decref(ops);
	return done;
}

static void look(Store *store, gint64 second)
{
	g_autoptr(GError) error = NULL;
	g_auto(Enacted) enacted = {0};
	channel_enact(store, second * US_PER_SECOND, NULL, &enacted, &error);
	must(error);
}

static void do_write(Store *store, const char *what, StoreWork work, gpointer of)
{
	g_autoptr(GError) error = NULL;
	start();
	store_write(store, work, of, &error);
	must(error);
	if (what != NULL)
		say(what, 1);
}

static void do_read(Store *store, const char *what, StoreWork work)
{
	g_autoptr(GError) error = NULL;
	for (guint i = 0; i < 2; i++) {
		g_autofree char *title = g_strdup_printf("%s%s", what, i > 0 ? ", again" : "");
		start();
		store_read(store, work, NULL, &error);
		must(error);
		say(title, 1);
	}
}

static void measure(Store *store)
{
	static const char *const titles[] = {
		[1] = "submitting the 1st change",
		[50] = "submitting the 50th change",
		[51] = "submitting the 51st change",
		[100] = "submitting the 100th change, with a release",
	};
	look(store, NOW_S);
	for (guint i = 1; i <= CHANGES; i++)
		do_write(store, i < G_N_ELEMENTS(titles) ? titles[i] : NULL, submit,
			GUINT_TO_POINTER(i));
	do_read(store, "the list of 100 changes", list);
	do_read(store, "all that is published", publish);
	do_read(store, "the last change in detail", detail);
	do_write(store, "a direct edit", edit, NULL);
	do_read(store, "the list of 100 changes after it", list);
	start();
	look(store, NOW_S + 1);
	say("a look of the clock, nothing due", 1);
	start();
	look(store, NOW_S + 10 + CHANGES);
	say("a look of the clock when 100 are due", 1);
	look(store, NOW_S + 10 + CHANGES + 1);
	start();
	for (guint i = 0; i < LOOKS; i++)
		look(store, NOW_S + 10 + CHANGES + 2 + i);
	say("a look of the clock when what is due waits", LOOKS);
}

int main(void)
{
	g_autoptr(GError) error = NULL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	g_autofree char *folder = g_dir_make_tmp("bench-XXXXXX", &error);
	must(error);
	g_autofree char *path = g_build_filename(folder, "store", NULL);
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	g_autoptr(Store) store = store_open(url, &error);
	must(error);
	store_migrate(store, &error);
	must(error);
	g_autoptr(State) house = full_house();
	do_write(store, "10,000 rules and 1,000 releases written", fill, house);
	g_clear_pointer(&house, state_unref);
	measure(store);
	g_clear_pointer(&store, store_close);
	g_autofree char *remove = g_strdup_printf("rm -r %s", folder);
	g_spawn_command_line_sync(remove, NULL, NULL, NULL, &error);
	must(error);
	return 0;
}
