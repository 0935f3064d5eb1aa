/* SPDX-License-Identifier: ISC
 *
 * What is on the disk, compared with the signed manifest.
 */
#include <unistd.h>

#include "node/install.h"

gboolean node_verify(Place *place, const char *version, gint64 now_us, TreeProgress progress,
	gpointer of, GError **error)
{
	const char *which = version != NULL ? version : place->current;
	if (which == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND, "nothing of %s runs here",
			place->product->name);
		return FALSE;
	}
	g_autoptr(Manifest) manifest = place_manifest(place, which, now_us, error);
	if (manifest == NULL)
		return FALSE;
	int fd = place_open_tree(place, which, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = archive_verify(fd, manifest->tree, progress, of, error);
	close(fd);
	if (!ok)
		g_prefix_error(error, "%s %s: ", place->product->name, which);
	return ok;
}
