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

/* A word as a shell takes it: as it is when that is safe. */
static char *shell_word(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-.,/:@#+";
	g_autofree char *word = clean(text, G_MAXLONG);
	gboolean is_plain = strspn(word, plain) == strlen(word) && strchr("#-", word[0]) == NULL;
	return is_plain ? g_steal_pointer(&word) : g_shell_quote(word);
}

static void append_command(GString *out, const char *product, const char *landing, const char *item)
{
	g_autofree char *word = item != NULL ? shell_word(item) : g_strdup("");
	g_string_append_printf(out, "%*sdrover qa ok --product %s %s%s%s\n", INDENT, "", product,
		landing, item != NULL ? " " : "", word);
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
	g_autofree char *more = count_of(count - shown, "landing");
	wrap_printf(out, 0,
		"… and %s more of %s, newer than these: drover landing list --product %s", more,
		section->product->name, section->product->name);
	g_string_append_c(out, '\n');
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

static const ReminderLanding *oldest_of(const Reminder *reminder)
{
	const ReminderLanding *oldest = NULL;
	for (guint s = 0; s < reminder->sections->len; s++) {
		const ReminderSection *section = reminder->sections->pdata[s];
		for (guint i = 0; i < section->landings->len; i++) {
			const ReminderLanding *landing = section->landings->pdata[i];
			if (oldest == NULL || landing->landed_us < oldest->landed_us)
				oldest = landing;
		}
	}
	return oldest;
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
	gint64 count = reminder_count(reminder);
	g_autofree char *landings = count_of(count, "landing");
	g_autofree char *products = name_products(reminder);
	g_autofree char *name = clean(reminder->name, TEXT_MAXIMUM_TITLE_LETTERS);
	g_autofree char *age = age_of(oldest_of(reminder)->landed_us, now_us);
	text->subject = g_strdup_printf(
		"%s: %s %s for your QA", products, landings, count == 1 ? "waits" : "wait");
	wrap_printf(out, 0, "Hello %s,", *name != '\0' ? name : reminder->recipient);
	g_string_append_c(out, '\n');
	wrap_printf(out, 0, "%s %s for your QA%s%s.", landings, count == 1 ? "waits" : "wait",
		count == 1 ? "" : "; the oldest landed ", count == 1 ? "" : age);
	g_string_append_c(out, '\n');
	for (guint i = 0; i < reminder->sections->len; i++) {
		const ReminderSection *section = reminder->sections->pdata[i];
		append_heading(out, section->product);
		append_section(out, reminder, section, now_us, base_url);
	}
	wrap_printf(out, 0,
		"Instead of ok, say bad when it does not work, or untestable when there is "
		"nothing to try; --reason tells the others why.");
	g_string_append_c(out, '\n');
	wrap_printf(out, 0,
		"You get this mail once a day while something waits for you. A landing that has "
		"its verdicts, or is rolled back, is not mentioned again.");
}

static void write_for_list(NoticeText *text, GString *out, const Reminder *reminder, gint64 now_us,
	const char *base_url)
{
	const ReminderSection *section = reminder->sections->pdata[0];
	const ReminderProduct *product = section->product;
	gint64 count = reminder_count(reminder);
	g_autofree char *landings = count_of(count, "landing");
	g_autofree char *limit = count_of(product->overdue_days, "day");
	g_autofree char *age = age_of(oldest_of(reminder)->landed_us, now_us);
	gint64 held = 0;
	for (guint i = 0; i < section->landings->len; i++)
		held = MAX(held, ((ReminderLanding *)section->landings->pdata[i])->holds_back);
	g_autofree char *held_text = count_of(held, "landing");
	text->subject = g_strdup_printf("%s: %s overdue for QA", product->name, landings);
	append_heading(out, product);
	wrap_printf(out, 0, "%s %s waited for QA for over %s%s%s.", landings,
		count == 1 ? "has" : "have", limit, count == 1 ? "" : "; the oldest landed ",
		count == 1 ? "" : age);
	if (held > 0)
		wrap_printf(out, 0, "Until then, %s on top cannot go live.", held_text);
	g_string_append_c(out, '\n');
	append_section(out, reminder, section, now_us, base_url);
	wrap_printf(out, 0,
		"Whoever can test one of these may rule on it: ok, bad, or untestable when there "
		"is nothing to try. Rolling it back ends the wait, too.");
	g_string_append_c(out, '\n');
	g_autofree char *interval = product->overdue_every_days == 1
					    ? g_strdup("day")
					    : count_of(product->overdue_every_days, "day");
	wrap_printf(out, 0, "This list gets this mail every %s while landings of %s are overdue.",
		interval, product->name);
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
