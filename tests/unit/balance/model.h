/* SPDX-License-Identifier: ISC
 *
 * The pool once more, as slowly and plainly as its rules read: sets are bits of a number, each
 * event is its own paragraph of docs/balance.md. What the tests hold the real pool to.
 */
#ifndef TEST_BALANCE_MODEL_H
#define TEST_BALANCE_MODEL_H

#include <glib.h>

#define MODEL_SERVERS  7
#define MODEL_MONITORS 3

typedef guint Set; /* bit n: server n */

typedef struct Model {
	guint percent; /* the threshold */
	guint rise, fall, monitors;
	gboolean pessimistic;
	Set listed, enabled, ready, up, maintenance, checked, failed;
	Set reserved, draining, forced, pooled, held;
	Set revoked; /* by the last event */
	guint weight[MODEL_SERVERS];
	int good[MODEL_SERVERS][MODEL_MONITORS], bad[MODEL_SERVERS][MODEL_MONITORS];
	char word[MODEL_SERVERS][MODEL_MONITORS]; /* '?', 'u', 'd', 'm' */
	guint drains[MODEL_SERVERS], drain_count;
} Model;

typedef struct ModelEntry {
	gboolean listed, ready;
	int enabled, weight; /* -1: absent */
} ModelEntry;

gboolean model_can_depool(const Model *model);
void model_list(Model *model, const ModelEntry entries[MODEL_SERVERS]);
/* `word` as above. */
void model_result(Model *model, int server, guint monitor, char word);
void model_resolve(Model *model, int server);
/* FALSE: refused. */
gboolean model_drain(Model *model, int server, gboolean only_reserve, gboolean forced);
void model_undrain(Model *model, int server);
/* Other numbers, the same monitors. */
void model_policy(Model *model, guint percent, guint rise, guint fall);

#endif
