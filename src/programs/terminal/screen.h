/* SPDX-License-Identifier: ISC
 *
 * Where the command says things: answers on stdout, notes and warnings on stderr. Everything that
 * is formatted here is cleaned (text.h) before it is coloured, so nothing from outside reaches a
 * terminal raw.
 */
#ifndef DROVER_SCREEN_H
#define DROVER_SCREEN_H

#include <jansson.h>
#include "base/error.h"

typedef enum Style {
	STYLE_PLAIN,
	STYLE_GOOD,
	STYLE_BAD,
	STYLE_WAITING,
	STYLE_DIM,
	STYLE_STRONG,
} Style;

typedef enum ColorWhen { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } ColorWhen;

typedef struct Screen {
	gboolean json;	   /* answers as JSON */
	gboolean quiet;	   /* no notes, no confirmations, no progress */
	gboolean colour;   /* of stdout */
	gboolean unicode;  /* the locale's characters */
	gboolean progress; /* stderr is a terminal */
	guint width;	   /* columns of the terminal; 0: not a terminal, nothing is shortened */
} Screen;

/* Looks at stdout, stderr, the locale, NO_COLOR and COLUMNS. */
void screen_look(Screen *screen, ColorWhen when);

/* Part of a line, and a whole line, on stdout. */
void screen_part(const Screen *screen, Style style, const char *format, ...) G_GNUC_PRINTF(3, 4);
void screen_line(const Screen *screen, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A text of several lines on stdout, each cleaned and led by `indent` blanks. */
void screen_block(const Screen *screen, guint indent, const char *text);
/* What was done: a line on stdout, nothing when quiet or JSON was asked for. */
void screen_done(const Screen *screen, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A JSON value, indented; with its rarer control characters escaped too. */
void screen_json(const Screen *screen, const json_t *value);

/* A line on stderr, led by the program's name (g_set_prgname): unless quiet; always; always, and
 * led by "drover: error: ". */
void screen_note(const Screen *screen, const char *format, ...) G_GNUC_PRINTF(2, 3);
void screen_warn(const Screen *screen, const char *format, ...) G_GNUC_PRINTF(2, 3);
void screen_error(const GError *error);

/* TRUE when all that was said on stdout got there. */
gboolean screen_flush(GError **error);

/* `bytes` as they are when `colour` is FALSE, else in the style. Caller frees. */
char *style_wrap(Style style, gboolean colour, const char *bytes);

/* "scanning web … 12 s" on a terminal's stderr, from a second after it began until it ends. NULL
 * when there is nobody to see it. */
typedef struct Progress Progress;
Progress *progress_begin(const Screen *screen, const char *what);
void progress_end(Progress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Progress, progress_end)

#endif
