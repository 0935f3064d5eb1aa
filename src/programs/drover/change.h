/* SPDX-License-Identifier: ISC
 *
 * What the files about changes share. Shapes are those of src/api/openapi.yaml: Change,
 * ChangeDetail.
 */
#ifndef DROVER_CHANGE_H
#define DROVER_CHANGE_H

#include "programs/drover/invocation.h"

/* A change in a file: {"title", "when", "reason", "ops": […]}, ops as docs/channel.md has them.
 * What is wrong is named with file and field: "web.json: ops 2: row: must be an object". `text`
 * need not end with NUL. Fails with DROVER_ERROR_INPUT. New reference. */
json_t *change_file_read(const char *name, const char *text, gsize size_bytes, GError **error);

/* Prints a ChangeDetail that an act gave: what is so now, and what is missing. Takes `detail`;
 * FALSE when it is NULL. */
gboolean change_answer(Invocation *invocation, json_t *detail, const char *done);

void change_show_list(const Screen *screen, const json_t *changes);
void change_show(const Screen *screen, const json_t *detail);
/* {"channels": [{"product", "channel", …Difference}]} */
void change_show_diff(const Screen *screen, const json_t *answer);
/* {"live": [ids], "waiting": [{"change", "kind", "text"}]} */
void change_show_enacted(const Screen *screen, const json_t *answer);

#endif
