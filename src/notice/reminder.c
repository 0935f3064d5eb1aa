/* SPDX-License-Identifier: ISC
 *
 * Who is to be reminded of what, today.
 *
 * Owners are told apart by their address without regard to case: nobody gets two mails for having
 * configured git twice.
 */
#include "notice/reminder.h"

#include <string.h>

#include "base/format.h"
#include "wire/mail.h"

static void section_free(ReminderSection *section)
{
	g_ptr_array_unref(section->landings);
	g_free(section);
}

static Reminder *reminder_new(ReminderKind kind, const char *about, const char *recipient)
{
	Reminder *reminder = g_new0(Reminder, 1);
	reminder->kind = kind;
	reminder->thread = g_strdup_printf("%s/%s",
		kind == REMINDER_OWNER ? REMINDER_KIND_OWNER : REMINDER_KIND_OVERDUE, about);
	reminder->recipient = g_strdup(recipient);
	reminder->sections = g_ptr_array_new_with_free_func((GDestroyNotify)section_free);
	return reminder;
}

static void reminder_free(Reminder *reminder)
{
	g_free(reminder->dedupe);
	g_free(reminder->thread);
	g_free(reminder->recipient);
	g_ptr_array_unref(reminder->sections);
	g_free(reminder);
}

void reminder_plan_free(ReminderPlan *plan)
{
	if (plan == NULL)
		return;
	g_ptr_array_unref(plan->due);
	g_ptr_array_unref(plan->problems);
	g_free(plan);
}

static gint64 day_of(gint64 time_us)
{
	gint64 day = time_us / US_PER_DAY;
	return time_us % US_PER_DAY < 0 ? day - 1 : day;
}

gint64 reminder_days_between(gint64 from_us, gint64 to_us)
{
	return day_of(to_us) - day_of(from_us);
}

gint64 reminder_count(const Reminder *reminder)
{
	gint64 count = 0;
	for (guint i = 0; i < reminder->sections->len; i++)
		count += ((ReminderSection *)reminder->sections->pdata[i])->landings->len;
	return count;
}

static void add_landing(
	Reminder *reminder, const ReminderProduct *product, const ReminderLanding *landing)
{
	guint count = reminder->sections->len;
	ReminderSection *section = count > 0 ? reminder->sections->pdata[count - 1] : NULL;
	if (section == NULL || section->product != product) {
		section = g_new(ReminderSection, 1);
		*section = (ReminderSection){product, g_ptr_array_new()};
		g_ptr_array_add(reminder->sections, section);
	}
	g_ptr_array_add(section->landings, (gpointer)landing);
}

static int compare_ages(gconstpointer a, gconstpointer b)
{
	const ReminderLanding *first = *(const ReminderLanding *const *)a;
	const ReminderLanding *second = *(const ReminderLanding *const *)b;
	return (first->ordinal > second->ordinal) - (first->ordinal < second->ordinal);
}

static int compare_recipients(gconstpointer a, gconstpointer b)
{
	return strcmp((*(Reminder *const *)a)->thread, (*(Reminder *const *)b)->thread);
}

/* Gives the reminder its name for today and keeps it, unless that name was queued before. */
static void keep_when_due(
	ReminderPlan *plan, Reminder *reminder, gint64 now_us, GHashTable *queued_before)
{
	g_autofree char *today = format_date(now_us);
	reminder->dedupe = g_strdup_printf("%s/%s", reminder->thread, today);
	if (queued_before != NULL && g_hash_table_contains(queued_before, reminder->dedupe)) {
		reminder_free(reminder);
		return;
	}
	for (guint i = 0; i < reminder->sections->len; i++) {
		ReminderSection *section = reminder->sections->pdata[i];
		g_ptr_array_sort(section->landings, compare_ages);
	}
	g_ptr_array_add(plan->due, reminder);
}

static void no_address(
	ReminderPlan *plan, const ReminderProduct *product, const ReminderLanding *landing)
{
	g_ptr_array_add(plan->problems,
		g_strdup_printf("landing %" G_GINT64_FORMAT
				" of %s waits, and nobody can be reminded: '%s' is no mail address",
			landing->ordinal, product->name, landing->author_email));
}

typedef struct Owners {
	GPtrArray *reminders;	/* Reminder * */
	GHashTable *by_address; /* in lower case -> Reminder * */
	GHashTable *newest;	/* Reminder * -> const ReminderLanding * */
} Owners;

/* The newest landing says how an owner is called and written. */
static void remind_owner(
	Owners *owners, const ReminderProduct *product, const ReminderLanding *landing)
{
	g_autofree char *address = g_ascii_strdown(landing->author_email, -1);
	Reminder *reminder = g_hash_table_lookup(owners->by_address, address);
	if (reminder == NULL) {
		reminder = reminder_new(REMINDER_OWNER, address, landing->author_email);
		g_hash_table_insert(owners->by_address, g_steal_pointer(&address), reminder);
		g_ptr_array_add(owners->reminders, reminder);
	}
	const ReminderLanding *known = g_hash_table_lookup(owners->newest, reminder);
	if (known == NULL || landing->landed_us > known->landed_us) {
		g_hash_table_insert(owners->newest, reminder, (gpointer)landing);
		g_free(reminder->recipient);
		reminder->recipient = g_strdup(landing->author_email);
		reminder->name = landing->author_name;
	}
	add_landing(reminder, product, landing);
}

static void plan_owners(ReminderPlan *plan, const ReminderProduct *products, guint product_count,
	gint64 now_us, GHashTable *queued_before)
{
	g_autoptr(GPtrArray) reminders = g_ptr_array_new();
	g_autoptr(GHashTable) by_address =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) newest = g_hash_table_new(NULL, NULL);
	Owners owners = {reminders, by_address, newest};
	for (guint p = 0; p < product_count; p++) {
		for (guint i = 0; products[p].remind && i < products[p].landing_count; i++) {
			const ReminderLanding *landing = &products[p].landings[i];
			if (mail_address_is_valid(landing->author_email))
				remind_owner(&owners, &products[p], landing);
			else
				no_address(plan, &products[p], landing);
		}
	}
	g_ptr_array_sort(reminders, compare_recipients);
	for (guint i = 0; i < reminders->len; i++)
		keep_when_due(plan, reminders->pdata[i], now_us, queued_before);
}

/* An overdue notice from the future was queued by a clock that was wrong: it must not silence the
 * list until then. */
static gboolean interval_is_over(const ReminderProduct *product, gint64 now_us)
{
	gint64 days = reminder_days_between(product->overdue_last_us, now_us);
	return product->overdue_last_us == 0 || days < 0 || days >= product->overdue_every_days;
}

static void plan_overdue(ReminderPlan *plan, const ReminderProduct *product, gint64 now_us,
	GHashTable *queued_before)
{
	if (product->mail_list == NULL || !interval_is_over(product, now_us))
		return;
	Reminder *reminder = reminder_new(REMINDER_OVERDUE, product->name, product->mail_list);
	for (guint i = 0; i < product->landing_count; i++) {
		gint64 waited_us = now_us - product->landings[i].landed_us;
		if (waited_us > product->overdue_days * US_PER_DAY)
			add_landing(reminder, product, &product->landings[i]);
	}
	if (reminder->sections->len > 0 && mail_address_is_valid(product->mail_list)) {
		keep_when_due(plan, reminder, now_us, queued_before);
		return;
	}
	if (reminder->sections->len > 0)
		g_ptr_array_add(plan->problems,
			g_strdup_printf("landings of %s are overdue, and its list cannot be told: "
					"'%s' is no mail address",
				product->name, product->mail_list));
	reminder_free(reminder);
}

ReminderPlan *reminder_plan(const ReminderProduct *products, guint product_count, gint64 now_us,
	GHashTable *queued_before)
{
	ReminderPlan *plan = g_new(ReminderPlan, 1);
	plan->due = g_ptr_array_new_with_free_func((GDestroyNotify)reminder_free);
	plan->problems = g_ptr_array_new_with_free_func(g_free);
	plan_owners(plan, products, product_count, now_us, queued_before);
	for (guint i = 0; i < product_count; i++)
		plan_overdue(plan, &products[i], now_us, queued_before);
	return plan;
}
