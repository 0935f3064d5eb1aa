/* SPDX-License-Identifier: ISC
 *
 * The words of the mails.
 */
#include "notice/text.h"

#include <string.h>

#include "base/format.h"

enum { INDENT = 4 };

/* Columns that a text takes on a screen. */
static guint width_of(const char *text)
{
	guint width = 0;
	for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c)) {
		gunichar letter = g_utf8_get_char(c);
		width += g_unichar_iszerowidth(letter) ? 0 : g_unichar_iswide(letter) ? 2 : 1;
	}
	return width;
}

/* One line of valid UTF-8 without control characters, at most `maximum` letters. */
static char *clean(const char *text, glong maximum)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_autoptr(GString) out = g_string_new(NULL);
	glong letters = 0;
	for (const char *c = valid; *c != '\0'; c = g_utf8_next_char(c)) {
		gunichar letter = g_utf8_get_char(c);
		gboolean is_joiner = letter == 0x200c || letter == 0x200d;
		if (g_unichar_iscntrl(letter) ||
			(g_unichar_type(letter) == G_UNICODE_FORMAT && !is_joiner))
			letter = ' ';
		if (letters++ == maximum) {
			g_string_append(out, "…");
			break;
		}
		g_string_append_unichar(out, letter);
	}
	return g_strstrip(g_string_free(g_steal_pointer(&out), FALSE));
}

void notice_text_wrap(GString *out, guint indent, const char *text)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);
	guint column = 0;
	for (guint i = 0; words[i] != NULL; i++) {
		guint width = width_of(words[i]);
		if (width == 0)
			continue;
		if (column > 0 && column + 1 + width > TEXT_COLUMNS) {
			g_string_append_c(out, '\n');
			column = 0;
		}
		if (column == 0)
			g_string_append_printf(out, "%*s", (int)indent, "");
		else
			g_string_append_c(out, ' ');
		g_string_append(out, words[i]);
		column = (column == 0 ? indent : column + 1) + width;
	}
	if (column > 0)
		g_string_append_c(out, '\n');
}

static void wrap_printf(GString *out, guint indent, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void wrap_printf(GString *out, guint indent, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	notice_text_wrap(out, indent, text);
}

/* "1 landing", "1,204 landings" */
static char *count_of(gint64 count, const char *one)
{
	g_autofree char *number = format_count(count);
	return g_strdup_printf("%s %s%s", number, one, count == 1 ? "" : "s");
}

/* "today", "yesterday", "12 days ago" */
static char *age_of(gint64 landed_us, gint64 now_us)
{
	gint64 days = reminder_days_between(landed_us, now_us);
	if (days <= 0)
		return g_strdup("today");
	if (days == 1)
		return g_strdup("yesterday");
	g_autofree char *count = count_of(days, "day");
	return g_strdup_printf("%s ago", count);
}

/* An item as a shell takes it, a blank before it: as it is when that is safe. */
static char *shell_word(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-.,/:@#+";
	g_autofree char *word = clean(text, G_MAXLONG);
	gboolean is_plain = *word != '\0' && *word != '#' && strspn(word, plain) == strlen(word);
	g_autofree char *quoted = is_plain ? g_strdup(word) : g_shell_quote(word);
	return g_strdup_printf(" %s%s", *word == '-' ? "-- " : "", quoted);
}

static void append_command(GString *out, const char *product, const char *landing, const char *item)
{
	g_autofree char *word = item != NULL ? shell_word(item) : g_strdup("");
	g_string_append_printf(
		out, "%*sdrover qa ok --product %s %s%s\n", INDENT, "", product, landing, word);
}

static void append_commands(
	GString *out, const ReminderProduct *product, const ReminderLanding *landing)
{
	g_autofree char *ordinal = g_strdup_printf("%" G_GINT64_FORMAT, landing->ordinal);
	guint count = g_strv_length((char **)landing->items);
	if (count == 0)
		append_command(out, product->name, ordinal, NULL);
	for (guint i = 0; i < MIN(count, TEXT_MAXIMUM_COMMANDS); i++)
		append_command(out, product->name, ordinal, landing->items[i]);
	if (count > TEXT_MAXIMUM_COMMANDS)
		wrap_printf(out, INDENT, "… and so on for the others.");
}

static void append_items(GString *out, const char *const *items)
{
	guint count = g_strv_length((char **)items);
	if (count == 0) {
		wrap_printf(
			out, INDENT, "It names no item: a verdict on the landing itself will do.");
		return;
	}
	g_autoptr(GString) names = g_string_new(count == 1 ? "Item:" : "Items:");
	for (guint i = 0; i < MIN(count, TEXT_MAXIMUM_ITEMS); i++) {
		g_autofree char *name = clean(items[i], TEXT_MAXIMUM_TITLE_LETTERS);
		g_string_append_printf(names, "%s %s", i > 0 ? "," : "", name);
	}
	if (count > TEXT_MAXIMUM_ITEMS)
		g_string_append_printf(names, " and %u more", count - TEXT_MAXIMUM_ITEMS);
	notice_text_wrap(out, INDENT, names->str);
}

static void append_landing(GString *out, const Reminder *reminder, const ReminderProduct *product,
	const ReminderLanding *landing, gint64 now_us, const char *base_url)
{
	g_autofree char *date = format_date(landing->landed_us);
	g_autofree char *age = age_of(landing->landed_us, now_us);
	g_autofree char *held = count_of(landing->holds_back, "landing");
	g_autofree char *title = clean(landing->subject, TEXT_MAXIMUM_TITLE_LETTERS);
	wrap_printf(out, 0, "Landing %" G_GINT64_FORMAT ", landed %s (%s)%s%s", landing->ordinal,
		age, date, landing->holds_back > 0 ? ", holds back " : "",
		landing->holds_back > 0 ? held : "");
	notice_text_wrap(out, INDENT, *title != '\0' ? title : "(no subject)");
	if (reminder->kind == REMINDER_OVERDUE) {
		g_autofree char *name = clean(landing->author_name, TEXT_MAXIMUM_TITLE_LETTERS);
		g_autofree char *email = clean(landing->author_email, TEXT_MAXIMUM_TITLE_LETTERS);
		wrap_printf(out, INDENT, "By %s <%s>", name, email);
	}
	append_items(out, landing->items);
	if (base_url != NULL)
		g_string_append_printf(out, "%*s%s/products/%s/landings/%" G_GINT64_FORMAT "\n",
			INDENT, "", base_url, product->name, landing->ordinal);
	append_commands(out, product, landing);
	g_string_append_c(out, '\n');
}

static void append_section(GString *out, const Reminder *reminder, const ReminderSection *section,
	gint64 now_us, const char *base_url)
{
	guint count = section->landings->len, shown = MIN(count, TEXT_MAXIMUM_LANDINGS);
	for (guint i = 0; i < shown; i++)
		append_landing(out, reminder, section->product, section->landings->pdata[i], now_us,
			base_url);
	if (shown == count)
		return;
	wrap_printf(out, 0, "… and %u more, newer than these. To see them all:", count - shown);
	g_string_append_printf(out, "\n%*sdrover landing list --product %s\n\n", INDENT, "",
		section->product->name);
}

/* "web: Web shop" with a line below it as long as itself. */
static void append_heading(GString *out, const ReminderProduct *product)
{
	g_autofree char *title = clean(product->title, TEXT_MAXIMUM_TITLE_LETTERS);
	g_autoptr(GString) heading = g_string_new(product->name);
	if (*title != '\0' && strcmp(title, product->name) != 0)
		g_string_append_printf(heading, ": %s", title);
	g_string_append_printf(out, "%s\n", heading->str);
	for (guint i = MIN(width_of(heading->str), TEXT_COLUMNS); i > 0; i--)
		g_string_append_c(out, '-');
	g_string_append(out, "\n\n");
}

/* What the first sentences of a mail say. */
typedef struct Totals {
	gint64 count;
	gint64 oldest_us;
	gint64 held_back; /* by the oldest of each product: what the others hold back is among it */
} Totals;

static Totals totals_of(const Reminder *reminder)
{
	Totals totals = {reminder_count(reminder), G_MAXINT64, 0};
	for (guint s = 0; s < reminder->sections->len; s++) {
		const ReminderSection *section = reminder->sections->pdata[s];
		gint64 held_back = 0;
		for (guint i = 0; i < section->landings->len; i++) {
			const ReminderLanding *landing = section->landings->pdata[i];
			totals.oldest_us = MIN(totals.oldest_us, landing->landed_us);
			held_back = MAX(held_back, landing->holds_back);
		}
		totals.held_back += held_back;
	}
	return totals;
}

/* "3 landings wait for your QA; the oldest landed 12 days ago. Until they …": `what` stands behind
 * the count. */
static void append_summary(GString *out, const Totals *totals, const char *what, gint64 now_us)
{
	gboolean one = totals->count == 1;
	g_autofree char *landings = count_of(totals->count, "landing");
	g_autofree char *age = age_of(totals->oldest_us, now_us);
	g_autoptr(GString) summary = g_string_new(NULL);
	g_string_append_printf(summary, "%s %s", landings, what);
	if (!one)
		g_string_append_printf(summary, "; the oldest landed %s", age);
	g_string_append_c(summary, '.');
	if (totals->held_back > 0) {
		g_autofree char *held = count_of(totals->held_back, "landing");
		g_string_append_printf(summary, " Until %s, %s on top of %s cannot go live.",
			one ? "it has its verdict" : "they have their verdicts", held,
			one ? "it" : "them");
	}
	notice_text_wrap(out, 0, summary->str);
	g_string_append_c(out, '\n');
}

/* "web", "web and api", "web, api and 3 more" */
static char *name_products(const Reminder *reminder)
{
	const ReminderSection *const *sections =
		(const ReminderSection *const *)reminder->sections->pdata;
	const char *first = sections[0]->product->name;
	if (reminder->sections->len == 1)
		return g_strdup(first);
	const char *second = sections[1]->product->name;
	if (reminder->sections->len == 2)
		return g_strdup_printf("%s and %s", first, second);
	return g_strdup_printf("%s, %s and %u more", first, second, reminder->sections->len - 2);
}

static void write_for_owner(NoticeText *text, GString *out, const Reminder *reminder, gint64 now_us,
	const char *base_url)
{
	Totals totals = totals_of(reminder);
	const char *wait = totals.count == 1 ? "waits for your QA" : "wait for your QA";
	g_autofree char *landings = count_of(totals.count, "landing");
	g_autofree char *products = name_products(reminder);
	g_autofree char *name = clean(reminder->name, TEXT_MAXIMUM_TITLE_LETTERS);
	text->subject = g_strdup_printf("%s: %s %s", products, landings, wait);
	wrap_printf(out, 0, "Hello %s,", *name != '\0' ? name : reminder->recipient);
	g_string_append_c(out, '\n');
	append_summary(out, &totals, wait, now_us);
	for (guint i = 0; i < reminder->sections->len; i++) {
		const ReminderSection *section = reminder->sections->pdata[i];
		append_heading(out, section->product);
		append_section(out, reminder, section, now_us, base_url);
	}
	wrap_printf(out, 0,
		"When something works, type its line. When it does not, say bad instead of ok; "
		"when there is nothing to try, untestable. --reason tells the others why.");
	g_string_append_c(out, '\n');
	wrap_printf(out, 0,
		"You get this mail once a day while something waits for you. A landing that has "
		"its verdict, or is rolled back, is not mentioned again.");
}

static void write_for_list(NoticeText *text, GString *out, const Reminder *reminder, gint64 now_us,
	const char *base_url)
{
	const ReminderSection *section = reminder->sections->pdata[0];
	const ReminderProduct *product = section->product;
	Totals totals = totals_of(reminder);
	g_autofree char *landings = count_of(totals.count, "landing");
	g_autofree char *limit = count_of(product->overdue_days, "day");
	g_autofree char *waited = g_strdup_printf(
		"%s waited for QA for over %s", totals.count == 1 ? "has" : "have", limit);
	g_autofree char *interval = count_of(product->overdue_every_days, "day");
	text->subject = g_strdup_printf("%s: %s overdue for QA", product->name, landings);
	append_heading(out, product);
	append_summary(out, &totals, waited, now_us);
	append_section(out, reminder, section, now_us, base_url);
	wrap_printf(out, 0,
		"Whoever has tried one of these may say so: ok, bad, or untestable when there is "
		"nothing to try. Rolling it back ends the wait, too.");
	g_string_append_c(out, '\n');
	wrap_printf(out, 0, "This list gets this mail every %s while landings of %s are overdue.",
		product->overdue_every_days == 1 ? "day" : interval, product->name);
}

NoticeText *notice_text_new(const Reminder *reminder, gint64 now_us, const char *base_url)
{
	g_assert(reminder->sections->len > 0);
	NoticeText *text = g_new0(NoticeText, 1);
	g_autoptr(GString) out = g_string_new(NULL);
	if (reminder->kind == REMINDER_OWNER)
		write_for_owner(text, out, reminder, now_us, base_url);
	else
		write_for_list(text, out, reminder, now_us, base_url);
	text->body = g_string_free(g_steal_pointer(&out), FALSE);
	return text;
}

void notice_text_free(NoticeText *text)
{
	if (text == NULL)
		return;
	g_free(text->subject);
	g_free(text->body);
	g_free(text);
}
