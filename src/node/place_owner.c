/* SPDX-License-Identifier: ISC
 *
 * Whose a place is. What a release may be is known from its signature, and which one was verified
 * from the journal beside it: so whoever can write there decides what runs, and must be nobody but
 * us (docs/node.md, "What lies where").
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/place_parts.h"

/* Of root or of us, and written to by nobody else. A group counts when it is root's or ours. */
static gboolean is_ours(const struct stat *status)
{
	mode_t others = S_IWOTH;
	if (status->st_gid != 0 && status->st_gid != getegid())
		others |= S_IWGRP;
	return (status->st_uid == 0 || status->st_uid == geteuid()) &&
	       (status->st_mode & others) == 0;
}

static gboolean check(const char *path, GError **error)
{
	struct stat status;
	if (stat(path, &status) != 0 || is_ours(&status))
		return TRUE; /* what is not there is made, or its absence told by who reads it */
	drover_error_set(error, DROVER_ERROR_DENIED,
		"%s can be written to by others than the user of drover-node, and whoever does "
		"decides what runs. Look what lies there, then: chown %u %s; chmod go-w %s",
		path, (guint)geteuid(), path, path);
	return FALSE;
}

gboolean place_check_owner(const NodeProduct *product, GError **error)
{
	static const char *const folders[] = {
		"", PLACE_OWN, PLACE_OWN "/manifests", PLACE_OWN "/fetch", "/releases"};
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *path = g_strconcat(product->prefix, folders[i], NULL);
		if (!check(path, error))
			return FALSE;
	}
	/* Who puts a root key there is believed. */
	return product->keys == NULL || check(product->keys, error);
}
