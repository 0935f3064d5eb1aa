/* SPDX-License-Identifier: ISC
 *
 * Stands in for node/hold until that is built: no holder runs.
 */
#include "node/hold/hold.h"

static void refuse(GError **error)
{
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "no holder runs");
}

gboolean hold_run(const NodeProduct *product, const char *program, GError **error)
{
	refuse(error);
	return FALSE;
}

gboolean hold_ensure(
	const NodeProduct *product, const char *config_path, const char *program, GError **error)
{
	refuse(error);
	return FALSE;
}

json_t *hold_call(const NodeProduct *product, const json_t *call, gint64 timeout_s, GError **error)
{
	refuse(error);
	return NULL;
}

gboolean hold_restart(const NodeProduct *product, const char *version, gpointer of, GError **error)
{
	refuse(error);
	return FALSE;
}

gboolean maintenance_set(const NodeProduct *product, const char *reason, gint64 until_us,
	gint64 now_us, GError **error)
{
	refuse(error);
	return FALSE;
}

gboolean maintenance_end(const NodeProduct *product, GError **error)
{
	refuse(error);
	return FALSE;
}

json_t *maintenance_state(const NodeProduct *product, gint64 now_us, GError **error)
{
	return json_pack("{s:b}", "on", FALSE);
}

gboolean respond_run(const NodeProduct *product, GError **error)
{
	refuse(error);
	return FALSE;
}

gboolean forward_run(const NodeProduct *product, GError **error)
{
	refuse(error);
	return FALSE;
}
