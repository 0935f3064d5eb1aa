/* SPDX-License-Identifier: ISC
 *
 * What a kind of source (file, http, drover) is to source.c: a table of functions, and what all
 * kinds share. A kind is a file source_KIND.c and a row in the table at the top of source.c.
 */
#ifndef BALANCE_DIRECTOR_SOURCE_KIND_H
#define BALANCE_DIRECTOR_SOURCE_KIND_H

#include "balance/director/source.h"

typedef struct SourceKind {
	const char *scheme; /* how its URLs begin: "file://" */
	/* `source` is what it tells through, and outlives it. Tells nothing within this call.
	 * `url` and what `place` points to are copied by who keeps them. */
	gpointer (*begin)(
		Source *source, const SourcePlace *place, const char *url, GError **error);
	void (*end)(gpointer self);
	/* Reads again soon, without waiting for the next turn. */
	void (*refresh)(gpointer self);
	/* Takes the reference. NULL: reports are dropped. */
	void (*report)(gpointer self, json_t *report);
} SourceKind;

extern const SourceKind source_kind_drover;
extern const SourceKind source_kind_file;
extern const SourceKind source_kind_http;
extern const SourceKind source_kind_https;

/* What a kind says, from the loop only. The director may not free a source while it is told.
 *
 * News whole; whether they are news is up to the kind. */
void source_say(Source *source, const SourceNews *news);
/* A list as text: parsed and told, unless it is byte by byte what was told last and no problem was
 * told since. `name` is the list's name in errors. */
void source_say_text(Source *source, const char *name, ServerListFormat format, const char *text,
	gsize size_bytes);
/* It cannot be read; the same problem in a row is told once. */
void source_say_problem(Source *source, const char *problem);

#endif
