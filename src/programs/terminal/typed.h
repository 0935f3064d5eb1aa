/* SPDX-License-Identifier: ISC
 *
 * What was typed: a command of the program's table, its arguments, its options. For any program
 * with such a table.
 */
#ifndef DROVER_TYPED_H
#define DROVER_TYPED_H

#include "base/clock.h"
#include "programs/terminal/command.h"
#include "programs/terminal/screen.h"
#include "wire/json.h"

/* Reads the command line. *invocation is set even when this fails, as far as it got: for the help
 * that an error points to. Fails with DROVER_ERROR_INPUT, with what was probably meant. */
gboolean invocation_parse(int argc, char **argv, Invocation **invocation, GError **error);
/* Looks at the terminal and at --color, --json, --quiet, --log-json, --now. */
gboolean invocation_prepare(Invocation *invocation, GError **error);
void invocation_free(Invocation *invocation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Invocation, invocation_free)

/* NULL when none was named. */
const Command *invocation_command(const Invocation *invocation);
/* NULL unless only a group's name was given. */
const CommandGroup *invocation_group(const Invocation *invocation);
const Screen *invocation_screen(const Invocation *invocation);
Clock invocation_clock(const Invocation *invocation);
/* The program's own name as typed, for running it anew. */
const char *invocation_program(const Invocation *invocation);

/* NULL when there are fewer. */
const char *invocation_argument(const Invocation *invocation, guint index);
guint invocation_arguments(const Invocation *invocation);
/* The value of --name, NULL when not given; of a switch, "". */
const char *invocation_option(const Invocation *invocation, const char *name);
/* Every value of an option that may be given several times: char *, NULL when it was not. */
const GPtrArray *invocation_options(const Invocation *invocation, const char *name);
gboolean invocation_has(const Invocation *invocation, const char *name);
/* --name as a whole number; `fallback` when not given. */
gboolean invocation_integer(const Invocation *invocation, const char *name, gint64 fallback,
	gint64 minimum, gint64 maximum, gint64 *value, GError **error);

/* What the program keeps with it, its configuration say: freed with it. NULL: nothing yet. */
gpointer invocation_place(const Invocation *invocation);
void invocation_keep_place(Invocation *invocation, gpointer place, GDestroyNotify free_place);

#endif
