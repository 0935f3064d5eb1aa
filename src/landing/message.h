/* SPDX-License-Identifier: ISC
 *
 * What a commit message says about QA, items, rollbacks and fixes. Pure: text in, facts out. The
 * grammar is that of docs/messages.md, which also says what a landing of several commits says.
 */
#ifndef LANDING_MESSAGE_H
#define LANDING_MESSAGE_H

#include "landing/deployable.h"
#include "base/error.h"

#define MESSAGE_MAXIMUM_BYTES                                                                      \
	(64 * 1024) /* what is read of one message; the rest is ignored, and noted */
#define MESSAGE_MAXIMUM_ITEMS	   256
#define MESSAGE_MAXIMUM_REFERENCES 64  /* of rollbacks, and again of fixes */
#define MESSAGE_MAXIMUM_DIGITS	   18  /* of an item or ordinal: it fits a gint64 */
#define MESSAGE_MAXIMUM_ITEM_BYTES 200 /* of "group/project#12" */
#define MESSAGE_MAXIMUM_PROBLEMS   32
#define MESSAGE_MINIMUM_SHA	   7

/* Which forms name items. A product chooses: "bug-tag,bug,lp,closes,fixes,gh,gitlab". */
typedef enum ItemPattern {
	ITEM_PATTERN_BUG_TAG = 1 << 0, /* [bug=1,2] */
	ITEM_PATTERN_BUG = 1 << 1,     /* Bug: N, Bug #N */
	ITEM_PATTERN_LP = 1 << 2,      /* LP: #N */
	ITEM_PATTERN_CLOSES = 1 << 3,  /* Closes: #N, Closes: bug#N, several by comma (Debian) */
	ITEM_PATTERN_FIXES = 1 << 4,   /* Fixes #N, Fix #N, Resolves #N, … : GitHub's and GitLab's
					  keywords,   also owner/repo#N and their full issue URLs */
	ITEM_PATTERN_REFERENCE = 1 << 5, /* Refs #N, See #N, Part of #N */
	ITEM_PATTERN_MERGE =
		1 << 6, /* "Merge pull request #N", "(#N)" at the end of a subject, "!N" */
} ItemPattern;
#define ITEM_PATTERN_DEFAULT "bug-tag,bug,lp,closes,fixes"

/* "bug-tag,lp" to a set of ItemPattern. Fails with DROVER_ERROR_INPUT, naming the allowed ones. */
gboolean item_patterns_parse(const char *list, guint *patterns, GError **error);

typedef struct MessageReference {
	char *text;	  /* a SHA (7 … 64 hex digits, lower case), or an ordinal in digits */
	gboolean ordinal; /* only digits: [rollback=43]. With 7 or more it may still be a SHA: ask
			     the repository */
	gboolean is_git_revert; /* from git's own "This reverts commit" */
	gboolean tentative;	/* from `Fixes: SHA`: counts only when it names a commit */
} MessageReference;

typedef struct MessageFacts {
	LandingQa qa;	      /* REQUIRED, NO_QA or INCR; never OK: see says_ok */
	gboolean untestable;  /* QA: untestable: every item of the commit */
	gboolean says_ok;     /* QA: ok stood there; counts only where authors may rule */
	GPtrArray *items;     /* char *, distinct, in the order of the text */
	GPtrArray *rollbacks; /* MessageReference * */
	GPtrArray *fixes;     /* MessageReference * (Fixes-Landing: SHA, Fixes: SHA) */
	GPtrArray *problems;  /* char *: "[rollback=] names nothing" … */
} MessageFacts;

/* `message` need not be UTF-8 and may hold NUL bytes; never fails. Caller frees. */
MessageFacts *message_read(const char *message, gsize size_bytes, guint patterns);
void message_facts_free(MessageFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MessageFacts, message_facts_free)

#endif
