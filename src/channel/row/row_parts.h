/* SPDX-License-Identifier: ISC
 *
 * Inside row checking: columns of a row, one by one. Errors here begin with the column; row.c puts
 * the row before it.
 */
#ifndef CHANNEL_ROW_ROW_PARTS_H
#define CHANNEL_ROW_ROW_PARTS_H

#include "channel/row/row.h"
#include "channel/rule/version.h"

/* The value is neither absent nor null. Fails with DROVER_ERROR_INPUT, without the column's name.
 */
typedef gboolean (*RowColumnCheck)(const json_t *value, GError **error);

typedef struct RowColumn {
	const char *name;
	gboolean is_required;
	RowColumnCheck check; /* NULL: checked elsewhere */
} RowColumn;

/* Every column of the object is one of these (or data_version), every required one is there, and
 * each is as it must be. `what`, in the error: "pins". The list ends with a NULL name. */
gboolean row_columns_check(
	const char *what, const RowColumn *columns, const json_t *object, GError **error);

/* Checks for tables of columns. */
gboolean row_is_name(const json_t *value, GError **error);
gboolean row_is_name_or_star(const json_t *value, GError **error);
gboolean row_is_role(const json_t *value, GError **error);
gboolean row_is_person(const json_t *value, GError **error);
gboolean row_is_text(const json_t *value, GError **error);
gboolean row_is_boolean(const json_t *value, GError **error);
gboolean row_is_time(const json_t *value, GError **error);
gboolean row_is_page(const json_t *value, GError **error); /* an http or https URL of any host */
gboolean row_is_number(const json_t *value, gint64 minimum, gint64 maximum, GError **error);

/* Fails: sets the error and is FALSE. */
gboolean row_refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
gboolean row_conflict(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

const char *row_text(const json_t *row, const char *column); /* NULL: none */

/* row_release.c: the row itself; `state` tells its product's scheme and hosts. */
gboolean row_release_check(const json_t *row, const State *state, GError **error);
/* Of a product in `state`; mozilla when that says none. */
VersionScheme row_scheme_of(const State *state, const char *product);

#endif
