/* SPDX-License-Identifier: ISC
 *
 * Who is to be reminded of what, today. A pure heart: it takes what waits, what was queued before
 * and the time, and gives the notices that are due.
 *
 * - Once a day (UTC), each owner gets one mail about all that waits for their QA, in all products
 *   that remind.
 * - Once per `overdue_every_days`, a product's list hears what has waited for over `overdue_days`.
 *
 * A notice that is due has a name, its dedupe: "qa-reminder/ada@example.org/2026-11-21",
 * "overdue/web/2026-11-21". A name that was queued before is never due again.
 */
#ifndef NOTICE_REMINDER_H
#define NOTICE_REMINDER_H

#include "base/clock.h"

#define REMINDER_KIND_OWNER   "qa-reminder"
#define REMINDER_KIND_OVERDUE "overdue"

/* A landing that waits for somebody's QA: it has no final verdict and is in the tree. */
typedef struct ReminderLanding {
	gint64 ordinal;
	gint64 landed_us;
	const char *subject, *author_name, *author_email;
	const char *const *items; /* those that wait, NULL-terminated; empty: the landing itself */
	gint64 holds_back;	  /* landings on top of it that cannot go live before it is good */
} ReminderLanding;

typedef struct ReminderProduct {
	const char *name, *title;
	const char *mail_list; /* NULL: nobody hears of overdue landings */
	gint64 overdue_days, overdue_every_days;
	gboolean remind;	/* owners are reminded */
	gint64 overdue_last_us; /* when the last overdue notice was queued; 0: never */
	const ReminderLanding *landings;
	guint landing_count;
} ReminderProduct;

/* Landings of one product, oldest first. All borrowed from the input. */
typedef struct ReminderSection {
	const ReminderProduct *product;
	GPtrArray *landings; /* const ReminderLanding * */
} ReminderSection;

typedef enum ReminderKind { REMINDER_OWNER, REMINDER_OVERDUE } ReminderKind;

typedef struct Reminder {
	ReminderKind kind;
	char *dedupe;
	char *thread;	     /* "qa-reminder/ada@example.org", "overdue/web" */
	char *recipient;     /* as written in the newest landing, or the product's list */
	const char *name;    /* the owner's, from the newest landing; NULL for a list. Borrowed */
	GPtrArray *sections; /* ReminderSection *, in the order of the input; one for a list */
} Reminder;

typedef struct ReminderPlan {
	GPtrArray *due; /* Reminder *: owners by address, then lists in the order of the input */
	GPtrArray *problems; /* char *: whom a mail cannot reach, and why */
} ReminderPlan;

/* `queued_before` is a set of dedupes (keys; NULL for none): those of this UTC day suffice. The
 * input must outlive the plan. */
ReminderPlan *reminder_plan(const ReminderProduct *products, guint product_count, gint64 now_us,
	GHashTable *queued_before);
void reminder_plan_free(ReminderPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReminderPlan, reminder_plan_free)

/* Whole UTC days from one instant's day to the other's: 0 on the same day, 1 for yesterday. */
gint64 reminder_days_between(gint64 from_us, gint64 to_us);
gint64 reminder_count(const Reminder *reminder);

#endif
