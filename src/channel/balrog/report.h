/* SPDX-License-Identifier: ISC
 *
 * What an import has to say, as it is being made. For rule.c and release.c.
 */
#ifndef CHANNEL_BALROG_REPORT_H
#define CHANNEL_BALROG_REPORT_H

#include "channel/balrog/balrog.h"

typedef json_t BalrogJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BalrogJson, json_decref)

typedef struct BalrogReport {
	const char *subject; /* "rule_id", "release" */
	json_t *ops, *refused, *notes;
	guint read, taken, left_out, stubs;
	json_t *current; /* which rule or release is being read */
	gboolean is_bad; /* it was refused */
} BalrogReport;

void balrog_report_init(BalrogReport *report, const char *subject);
void balrog_report_clear(BalrogReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BalrogReport, balrog_report_clear)
/* The result, of balrog_rules() and balrog_releases(). New reference. */
json_t *balrog_report_end(BalrogReport *report);

/* The next one; `name` is stolen. */
void balrog_report_begin(BalrogReport *report, json_t *name);
void balrog_refuse(BalrogReport *report, const char *field, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
/* Notes that say the same are one, of several. */
void balrog_note(BalrogReport *report, const char *field, const char *why);
/* `row` is stolen. */
void balrog_insert(BalrogReport *report, StateTable table, json_t *row);

/* The members of the list `key` of the file, or the file, where it is a list itself. Borrowed.
 * Fails with DROVER_ERROR_INPUT, DROVER_ERROR_TOO_LARGE. */
const json_t *balrog_list(const json_t *file, const char *key, gsize maximum, GError **error);
/* Null, "", [] and {}: Balrog writes all of them for nothing. */
gboolean balrog_says_nothing(const json_t *value);
/* `message` without the row that row_check() puts before it: what stands behind the first ": ".
 * Borrowed. */
const char *balrog_without_subject(const char *message);

#endif
