/* SPDX-License-Identifier: ISC
 *
 * How the API's answers look on a terminal: pieces that several commands share. Shapes are those of
 * src/api/openapi.yaml.
 */
#ifndef DROVER_SHOW_H
#define DROVER_SHOW_H

#include "programs/terminal/screen.h"
#include "programs/terminal/table.h"
#include "wire/json.h"

/* A time of the API as "2026-11-21 03:47", "-" for null. Caller frees. */
char *show_time(const json_t *object, const char *key);
/* A text of the API, "-" for null. Borrowed. */
const char *show_text(const json_t *object, const char *key);
/* An integer of the API, "-" for null. Caller frees. */
char *show_number(const json_t *object, const char *key);
/* "1 landing", "7 landings". Caller frees. */
char *show_count(gint64 count, const char *one, const char *many);
/* The first ten digits of a revision. Caller frees. */
char *show_revision(const char *revision);
gboolean show_is_true(const json_t *object, const char *key);
Style show_state_style(const char *state);

/* ProductSummary objects as a table with a line each. */
void show_products(const Screen *screen, const json_t *products);
/* Landings as a table with a line each. */
void show_landings(const Screen *screen, const json_t *landings, guint indent);
/* What would help, each with the command to type; `product` stands in it when `name_product`.
 * `blockers` are the Landings of which the needs speak. */
void show_needs(const Screen *screen, const json_t *needs, const json_t *blockers,
	const char *product, gboolean name_product);
/* The newest landings as a row of signs that fits the screen, with the deployable one marked, and
 * the signs' meaning. */
void show_strip(const Screen *screen, const json_t *strip, const json_t *deployable);

/* Nothing of the product is deployable: what to do when it is live already. */
void show_how_to_begin(const Screen *screen, const char *product);

#endif
