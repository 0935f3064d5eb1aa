/* SPDX-License-Identifier: ISC
 *
 * What the files of drover-node's commands share: the configuration, the product that is meant, and
 * the functions that the table names.
 */
#ifndef DROVER_NODE_COMMANDS_H
#define DROVER_NODE_COMMANDS_H

#include "node/config.h"
#include "programs/terminal/typed.h"

gboolean enrol_run(Invocation *invocation, GError **error);
gboolean deed_run_install(Invocation *invocation, GError **error);
gboolean deed_run_activate(Invocation *invocation, GError **error);
gboolean deed_run_rollback(Invocation *invocation, GError **error);
gboolean deed_run_verify(Invocation *invocation, GError **error);
gboolean deed_run_gc(Invocation *invocation, GError **error);
gboolean status_run(Invocation *invocation, GError **error);
gboolean maintenance_run(Invocation *invocation, GError **error);
/* Says so when it lasts longer than was said: `state` of maintenance_state(). */
void maintenance_warn(const Screen *screen, const char *product, const json_t *state);
gboolean daemon_run(Invocation *invocation, GError **error);
gboolean config_run_check(Invocation *invocation, GError **error);
gboolean config_run_keys(Invocation *invocation, GError **error);
gboolean inside_run_hold(Invocation *invocation, GError **error);
gboolean inside_run_answer(Invocation *invocation, GError **error);
gboolean inside_run_forward(Invocation *invocation, GError **error);

/* The file that is meant: --config, DROVER_NODE_CONFIG, /etc/drover/node.conf. */
const char *commands_config_path(const Invocation *invocation);
/* Read when first asked for, owned by the invocation. Fails as node_config_load() does. */
const NodeConfig *commands_config(Invocation *invocation, GError **error);
/* `named`, or the only product there is when NULL. Fails with DROVER_ERROR_INPUT (which one?) or
 * DROVER_ERROR_NOT_FOUND. */
const NodeProduct *commands_product(Invocation *invocation, const char *named, GError **error);
/* Arguments that are [PRODUCT] REST…: the product, and where the rest begins. An argument that is a
 * configured product is one; else it belongs to the rest, and the only product is meant. `rest` is
 * the number of arguments that may follow at least. */
const NodeProduct *commands_product_of(
	Invocation *invocation, guint least_rest, guint *rest, GError **error);
/* Where the token lies. Caller frees. */
char *commands_token_file(const NodeConfig *config);
/* This program's own path, for starting it anew. Caller frees. */
char *commands_program(void);

#endif
