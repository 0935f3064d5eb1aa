/* SPDX-License-Identifier: ISC
 *
 * The words of the mails: plain text for people, wrapped at TEXT_COLUMNS. Each says what waits,
 * since when, how much it holds back, where to look, what to type, and when it stops. Words that do
 * not fit a line (a link, a command to copy) stay whole.
 *
 * Subjects and items come from commits: control characters are dropped, commands are quoted for a
 * shell.
 */
#ifndef NOTICE_TEXT_H
#define NOTICE_TEXT_H

#include "notice/reminder.h"

#define TEXT_COLUMNS		   72
#define TEXT_MAXIMUM_LANDINGS	   100 /* of one product that one mail shows; the rest is counted */
#define TEXT_MAXIMUM_COMMANDS	   5   /* shown for one landing */
#define TEXT_MAXIMUM_ITEMS	   50  /* named for one landing; the rest is counted */
#define TEXT_MAXIMUM_TITLE_LETTERS 200 /* of a landing's subject */

typedef struct NoticeText {
	char *subject;
	char *body;
} NoticeText;

/* `base_url` is the address of the admin pages, without a slash at its end, or NULL: then the mail
 * has no links. */
NoticeText *notice_text_new(const Reminder *reminder, gint64 now_us, const char *base_url);
void notice_text_free(NoticeText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NoticeText, notice_text_free)

/* Adds `text` as a paragraph: words up to TEXT_COLUMNS, each line after `indent` blanks. */
void notice_text_wrap(GString *out, guint indent, const char *text);

#endif
