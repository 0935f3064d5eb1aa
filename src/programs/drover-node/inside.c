/* SPDX-License-Identifier: ISC
 *
 * drover-node hold, answer, forward: what the program starts of itself.
 */
#include "node/hold/hold.h"
#include "programs/drover-node/commands.h"

static const NodeProduct *product_of(Invocation *invocation, GError **error)
{
	const NodeProduct *product =
		commands_product(invocation, invocation_argument(invocation, 0), error);
	if (product == NULL || product->run != NULL)
		return product;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"[%s] has no run: there is nothing to hold sockets for", product->name);
	return NULL;
}

gboolean inside_run_hold(Invocation *invocation, GError **error)
{
	const NodeProduct *product = product_of(invocation, error);
	g_autofree char *program = commands_program();
	return product != NULL && hold_run(product, program, error);
}

gboolean inside_run_answer(Invocation *invocation, GError **error)
{
	const NodeProduct *product = product_of(invocation, error);
	return product != NULL && respond_run(product, error);
}

gboolean inside_run_forward(Invocation *invocation, GError **error)
{
	const NodeProduct *product = product_of(invocation, error);
	return product != NULL && forward_run(product, error);
}
