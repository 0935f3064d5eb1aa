/* SPDX-License-Identifier: ISC
 *
 * What the files that read commit messages share: a cursor over text, and the facts under
 * construction. message.c walks the text and reads tags, message_items.c what follows an item's
 * keyword, message_trailers.c the lines at the end. Only they include this.
 */
#ifndef LANDING_MESSAGE_PARTS_H
#define LANDING_MESSAGE_PARTS_H

#include "landing/message.h"

/* Text from `start` to `end`, read up to `at`. A cursor never moves past its end, and a function
 * that returns FALSE has not moved it. */
typedef struct Cursor {
	const char *start;
	const char *at;
	const char *end;
} Cursor;

typedef struct MessageReader {
	MessageFacts *facts;
	guint patterns;
	gboolean items_full; /* the limit was met, and noted */
} MessageReader;

/* Is this byte part of a word? Letters, digits, '_' and every byte outside ASCII are. */
gboolean is_word_byte(char byte);
/* Does a word begin here: not in the middle of "debug", "bug-fix", "fix/bug" or "x@fixes"? */
gboolean cursor_at_word_start(const Cursor *cursor);
void cursor_skip_blanks(Cursor *cursor);
gboolean cursor_take_byte(Cursor *cursor, char byte);
/* Takes `phrase` (lower case, its blanks meaning one or more blanks) in any case, ending a word. */
gboolean cursor_take_phrase(Cursor *cursor, const char *phrase);
/* Takes 7 to 64 hex digits that end there; the bytes from the old position on are the SHA. */
gboolean cursor_take_sha(Cursor *cursor);

void message_add_item(MessageReader *reader, const char *text, gsize size_bytes);
void message_add_problem(MessageReader *reader, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* At most 40 bytes of what was written, as printable UTF-8, for a problem. Caller frees. */
char *message_excerpt(const char *text, gsize size_bytes);
/* Adds a SHA or digits to `references` unless it is there. `like` gives the flags; its text is not
 * used. */
void message_add_reference(MessageReader *reader, GPtrArray *references, const char *text,
	gsize size_bytes, const MessageReference *like);
/* Reads "43, abc1234 and r12" to the end of `list` into `references`; what is neither becomes a
 * problem that begins with `form`. */
void message_read_references(
	MessageReader *reader, GPtrArray *references, const char *form, Cursor list);

/* At the start of a word: takes a keyword and the items that it names. FALSE when there are none.
 */
gboolean message_take_items(MessageReader *reader, Cursor *cursor);
/* "[bug=1,2]": the list after the '='. */
void message_read_bug_tag(MessageReader *reader, Cursor list);
/* "Correct rounding (#12)", "(!12)": what a forge adds to a subject when it merges. */
void message_read_subject_end(MessageReader *reader, const char *text, gsize size_bytes);

void message_read_trailers(MessageReader *reader, const char *text, gsize size_bytes);

#endif
