/* SPDX-License-Identifier: ISC
 *
 * drover-node install, activate, rollback, verify, gc: one deed each, by hand. What root puts in
 * place by hand is remembered against the order of the moment, so that `drover-node run` does not
 * undo it.
 */
#include "programs/drover-node/deed.h"

#include <string.h>

#include "base/format.h"
#include "programs/drover-node/commands.h"
#include "programs/drover-node/kept.h"
#include "programs/terminal/bar.h"

enum { BUSY_PAUSE_MS = 100, BUSY_MARGIN_S = 5, LOCK_WAIT_S = 10 };

static const struct {
	const char *name, *text;
	gboolean is_bytes;
} steps[] = {
	[NODE_STEP_INDEX] = {"index", "reading the index", FALSE},
	[NODE_STEP_FETCH] = {"fetch", "fetching", TRUE},
	[NODE_STEP_UNPACK] = {"unpack", "unpacking", TRUE},
	[NODE_STEP_VERIFY] = {"verify", "checking", TRUE},
	[NODE_STEP_HOOK] = {"hook", "running a hook", FALSE},
	[NODE_STEP_SWITCH] = {"switch", "switching", FALSE},
	[NODE_STEP_RESTART] = {"restart", "restarting", FALSE},
	[NODE_STEP_HEALTH] = {"health", "waiting until it is healthy", FALSE},
};

const char *deed_step_text(NodeStep step)
{
	return steps[step].text;
}

const char *deed_step_name(NodeStep step)
{
	return steps[step].name;
}

gboolean deed_step_is_bytes(NodeStep step)
{
	return steps[step].is_bytes;
}

static void tell(NodeStep step, gint64 done, gint64 total, gpointer of)
{
	const DeedWatch *watch = of;
	watch->progress(step, done, total, watch->of);
}

/* A holder that has just begun, or whose service has just ended, starts what `current` names by
 * itself: then it is busy for as long as that takes. */
static gboolean hand_over(
	const NodeProduct *product, const char *version, gpointer of, GError **error)
{
	DeedWatch *watch = of;
	gint64 until_ms = clock_monotonic_ms() + (product->ready_timeout_s + BUSY_MARGIN_S) * 1000;
	for (;;) {
		g_autoptr(GError) problem = NULL;
		if (hold_restart(product, version, &watch->holder, &problem))
			return TRUE;
		if (!drover_error_is(problem, DROVER_ERROR_LOCKED) ||
			clock_monotonic_ms() > until_ms) {
			g_propagate_error(error, g_steal_pointer(&problem));
			return FALSE;
		}
		g_usleep(BUSY_PAUSE_MS * 1000);
	}
}

NodeDeed deed_of(const NodeProduct *product, gboolean is_ordered, DeedWatch *watch)
{
	return (NodeDeed){.clock = CLOCK_SYSTEM,
		.is_ordered = is_ordered,
		.progress = tell,
		.of = watch,
		.restart = product->run != NULL ? hand_over : NULL};
}

/* -- by hand --------------------------------------------------------------------------------------
 */

/* One command at work. */
typedef struct Hand {
	Invocation *invocation;
	const Screen *screen;
	const NodeConfig *config;
	const NodeProduct *product;
	const char *version; /* as typed; NULL */
	Place *place;
	Bar *bar;
	char *program;
	DeedWatch watch;
	NodeDeed deed;
} Hand;

static void hand_clear(Hand *hand)
{
	bar_end(hand->bar);
	place_free(hand->place);
	g_free(hand->program);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Hand, hand_clear)

static void on_progress(NodeStep step, gint64 done, gint64 total, gpointer of)
{
	Hand *hand = of;
	bar_step(hand->bar, steps[step].text, steps[step].is_bytes ? BAR_BYTES : BAR_COUNT);
	bar_set(hand->bar, done, total);
}

static gboolean is_in_order(const char *version, GError **error)
{
	return version == NULL || manifest_check_name("version", version, error);
}

/* Reads [PRODUCT] [VERSION]. */
static gboolean read_words(Hand *hand, Invocation *invocation, guint least_rest, GError **error)
{
	guint rest = 0;
	hand->invocation = invocation;
	hand->screen = invocation_screen(invocation);
	hand->product = commands_product_of(invocation, least_rest, &rest, error);
	if (hand->product == NULL)
		return FALSE;
	hand->config = commands_config(invocation, error);
	hand->version = invocation_argument(invocation, rest);
	return is_in_order(hand->version, error);
}

/* The daemon tidies up, say: that is over soon, and nobody should have to type it twice. */
static Place *open_when_free(const Hand *hand, GError **error)
{
	gint64 until_ms = clock_monotonic_ms() + LOCK_WAIT_S * 1000;
	for (gboolean told = FALSE;; told = TRUE) {
		g_autoptr(GError) problem = NULL;
		Place *place = place_open(hand->product, CLOCK_SYSTEM, &problem);
		if (place != NULL)
			return place;
		if (!drover_error_is(problem, DROVER_ERROR_LOCKED) ||
			clock_monotonic_ms() > until_ms) {
			g_propagate_error(error, g_steal_pointer(&problem));
			return NULL;
		}
		if (!told)
			screen_note(hand->screen, "%s; waiting", problem->message);
		g_usleep(BUSY_PAUSE_MS * 1000);
	}
}

/* The place with its lock, sound again whatever was killed there. */
static gboolean begin(Hand *hand, const char *what, gboolean is_ordered, GError **error)
{
	hand->place = open_when_free(hand, error);
	if (hand->place == NULL)
		return FALSE;
	if (hand->place->recovered != NULL)
		screen_note(hand->screen, "%s", hand->place->recovered);
	hand->program = commands_program();
	hand->watch = (DeedWatch){
		.holder = {hand->config->path, hand->program}, .progress = on_progress, .of = hand};
	hand->deed = deed_of(hand->product, is_ordered, &hand->watch);
	hand->bar = bar_begin(hand->screen, what, BAR_COUNT);
	return TRUE;
}

static void stop_bar(Hand *hand)
{
	g_clear_pointer(&hand->bar, bar_end);
}

/* The error is of what root tried; how to have it nevertheless stands behind it. */
static gboolean say_how_to_go_back(const Hand *hand, GError **error)
{
	if (error != NULL && drover_error_is(*error, DROVER_ERROR_DENIED) &&
		hand->version != NULL && strstr((*error)->message, "only an order goes back")) {
		g_autoptr(GError) plain = g_steal_pointer(error);
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s. To go back on your own word: drover-node rollback %s %s",
			plain->message, hand->product->name, hand->version);
	}
	return FALSE;
}

static void show_answer(const Screen *screen, json_t *answer)
{
	if (screen->json)
		screen_json(screen, answer);
	json_decref(answer);
}

gboolean deed_run_install(Invocation *invocation, GError **error)
{
	g_auto(Hand) hand = {0};
	g_autofree char *version = NULL;
	if (!read_words(&hand, invocation, 0, error) ||
		!begin(&hand, "reading the index", FALSE, error))
		return FALSE;
	if (!node_install(hand.place, &hand.deed, hand.version, &version, error))
		return say_how_to_go_back(&hand, error);
	stop_bar(&hand);
	gboolean runs = g_strcmp0(hand.place->current, version) == 0;
	show_answer(hand.screen, json_pack("{s:s, s:s, s:b}", "product", hand.product->name,
					 "version", version, "running", runs));
	screen_done(hand.screen, runs ? "%s %s runs already" : "%s %s is installed",
		hand.product->name, version);
	if (!runs && !hand.screen->json)
		screen_note(hand.screen, "drover-node activate %s %s makes it run",
			hand.product->name, version);
	return TRUE;
}

/* The daemon is to leave it so. Not being able to say so is told, and undoes nothing. A node that
 * follows nobody has no daemon. */
static void remember(const Hand *hand, const char *version)
{
	if (hand->config->server == NULL)
		return;
	g_autoptr(GError) error = NULL;
	g_auto(FollowMemory) memory = {0};
	g_autoptr(Orders) orders = kept_orders(hand->config);
	kept_memory(hand->config, hand->product->name, &memory);
	follow_by_hand(&memory, orders_find(orders, hand->product->name), version);
	if (!kept_save_memory(hand->config, hand->product->name, &memory, &error))
		screen_warn(hand->screen, "drover-node run may undo this: %s", error->message);
	else if (memory.by_hand.version != NULL)
		screen_note(hand->screen, "droverd wants %s; this stays until its order moves",
			*memory.by_hand.version != '\0' ? memory.by_hand.version : "none");
}

static void show_running(const Hand *hand, const char *before)
{
	const char *now = hand->place->current;
	show_answer(hand->screen, json_pack("{s:s, s:s?, s:s?}", "product", hand->product->name,
					  "running", now, "before", before));
	if (before == NULL || g_strcmp0(before, now) == 0)
		screen_done(hand->screen, "%s runs %s", hand->product->name, now);
	else
		screen_done(hand->screen, "%s runs %s, and %s before", hand->product->name, now,
			before);
}

gboolean deed_run_activate(Invocation *invocation, GError **error)
{
	g_auto(Hand) hand = {0};
	if (!read_words(&hand, invocation, 1, error) || !begin(&hand, "switching", FALSE, error))
		return FALSE;
	g_autofree char *before = g_strdup(hand.place->current);
	if (!node_activate(hand.place, &hand.deed, hand.version, error))
		return say_how_to_go_back(&hand, error);
	stop_bar(&hand);
	remember(&hand, hand.place->current);
	show_running(&hand, before);
	return TRUE;
}

/* Root's word is an order, also for a release that has to be fetched again. */
static gboolean fetch_what_is_gone(Hand *hand, GError **error)
{
	g_autofree char *version = NULL;
	if (hand->version == NULL || place_find(hand->place, hand->version) != NULL)
		return TRUE;
	return node_install(hand->place, &hand->deed, hand->version, &version, error);
}

gboolean deed_run_rollback(Invocation *invocation, GError **error)
{
	g_auto(Hand) hand = {0};
	if (!read_words(&hand, invocation, 0, error) || !begin(&hand, "switching", TRUE, error))
		return FALSE;
	g_autofree char *before = g_strdup(hand.place->current);
	if (!fetch_what_is_gone(&hand, error) ||
		!node_rollback(hand.place, &hand.deed, hand.version, error))
		return FALSE;
	stop_bar(&hand);
	remember(&hand, hand.place->current);
	show_running(&hand, before);
	return TRUE;
}

static void on_verified(guint files, gint64 size_bytes, gpointer of)
{
	bar_set(of, size_bytes, 0);
}

/* Nothing was wrong with what was typed. */
static gboolean is_check_that_failed(GError **error)
{
	if (error != NULL && drover_error_is(*error, DROVER_ERROR_INPUT))
		(*error)->code = DROVER_ERROR_INTERNAL;
	return FALSE;
}

gboolean deed_run_verify(Invocation *invocation, GError **error)
{
	g_auto(Hand) hand = {0};
	if (!read_words(&hand, invocation, 0, error))
		return FALSE;
	hand.place = place_look(hand.product, error);
	if (hand.place == NULL)
		return FALSE;
	const char *version = hand.version != NULL ? hand.version : hand.place->current;
	hand.bar = bar_begin(hand.screen, "checking", BAR_BYTES);
	if (!node_verify(hand.place, hand.version, clock_now_us(CLOCK_SYSTEM), on_verified,
		    hand.bar, error))
		return is_check_that_failed(error);
	stop_bar(&hand);
	show_answer(hand.screen, json_pack("{s:s, s:s?, s:b}", "product", hand.product->name,
					 "version", version, "good", TRUE));
	screen_done(
		hand.screen, "%s %s is on the disk as it was signed", hand.product->name, version);
	return TRUE;
}

static void show_removed(const Hand *hand, const GPtrArray *removed, gboolean dry)
{
	g_autoptr(json_t) list = json_array();
	for (guint i = 0; i < removed->len; i++) {
		json_array_append_new(list, json_string(removed->pdata[i]));
		screen_done(hand->screen, dry ? "%s would go" : "%s is removed",
			(const char *)removed->pdata[i]);
	}
	show_answer(hand->screen, json_pack("{s:s, s:O, s:b}", "product", hand->product->name,
					  "removed", list, "dry_run", dry));
	if (removed->len == 0 && !hand->screen->json)
		screen_note(hand->screen, "there is nothing to remove");
}

gboolean deed_run_gc(Invocation *invocation, GError **error)
{
	g_auto(Hand) hand = {0};
	gint64 keep = 0;
	gboolean dry = invocation_has(invocation, "dry-run");
	g_autoptr(GPtrArray) removed = g_ptr_array_new_with_free_func(g_free);
	hand.screen = invocation_screen(invocation);
	hand.product = commands_product(invocation, invocation_argument(invocation, 0), error);
	hand.config = invocation_place(invocation);
	if (hand.product == NULL ||
		!invocation_integer(invocation, "keep", hand.product->keep, 0, NODE_MAXIMUM_KEEP,
			&keep, error) ||
		!begin(&hand, "removing", FALSE, error))
		return FALSE;
	g_autoptr(Orders) orders = kept_orders(hand.config);
	const Order *order = orders_find(orders, hand.product->name);
	if (!node_gc(hand.place, &hand.deed, keep, order != NULL ? order->named : NULL, dry,
		    removed, error))
		return FALSE;
	stop_bar(&hand);
	show_removed(&hand, removed, dry);
	return TRUE;
}
