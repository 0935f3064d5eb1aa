/* SPDX-License-Identifier: ISC
 *
 * The holder as a program, for tests/system/test_handover.py: what drover-node's commands do, and
 * no more of it.
 *
 *     node_hold_driver hold|answer|forward|ensure PRODUCT --config FILE
 *     node_hold_driver call PRODUCT --config FILE JSON
 *     node_hold_driver restart PRODUCT --config FILE VERSION
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "node/hold/hold.h"

#define CALL_S 120

static gboolean call(const NodeProduct *product, const char *text, GError **error)
{
	json_t *asked = json_loads(text, 0, NULL);
	json_t *answer = hold_call(product, asked, CALL_S, error);
	json_decref(asked);
	if (answer == NULL)
		return FALSE;
	json_dumpf(answer, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(answer);
	return TRUE;
}

static gboolean obey(const NodeProduct *product, const char *what, const char *config,
	const char *last, GError **error)
{
	char program[PATH_MAX];
	HoldProgram own = {config, program};
	if (realpath("/proc/self/exe", program) == NULL)
		return FALSE;
	if (strcmp(what, "hold") == 0)
		return hold_run(product, program, error);
	if (strcmp(what, "answer") == 0)
		return respond_run(product, error);
	if (strcmp(what, "forward") == 0)
		return forward_run(product, error);
	if (strcmp(what, "ensure") == 0)
		return hold_ensure(product, config, program, error);
	if (strcmp(what, "restart") == 0)
		return hold_restart(product, last, &own, error);
	return call(product, last, error);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) failure = NULL;
	if (argc < 5) {
		fprintf(stderr,
			"usage: %s hold|answer|forward|ensure|restart|call PRODUCT "
			"--config FILE [JSON or VERSION]\n",
			argv[0]);
		return 2;
	}
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, 2);
	g_autoptr(NodeConfig) config = node_config_load(argv[4], &failure);
	const NodeProduct *product =
		config != NULL ? node_config_product(config, argv[2], &failure) : NULL;
	if (product != NULL && obey(product, argv[1], argv[4], argc > 5 ? argv[5] : "", &failure))
		return 0;
	fprintf(stderr, "%s: %s\n", argv[0], failure != NULL ? failure->message : "failed");
	return drover_error_exit_status(failure);
}
