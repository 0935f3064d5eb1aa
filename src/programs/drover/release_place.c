/* SPDX-License-Identifier: ISC
 *
 * The repository of releases, opened for a command.
 */
#include "programs/drover/release_place.h"

#include <string.h>
#include <unistd.h>

#include "api/release.h"
#include "base/file.h"
#include "programs/drover/key_file.h"

/* droverd holds the lock for moments, to sign the index. */
enum { LOCK_TRIES = 10, LOCK_PAUSE_US = 300000 };

static gboolean load_trust(ReleasePlace *place, GError **error)
{
	const ApiSite site = {.release_keys = settings_text(place->settings, "release.keys")};
	return release_trust_load(&site, place->product, &place->trust, error) &&
	       (place->trust == NULL ||
		       repository_take_delegation(place->repository, place->trust, error));
}

gboolean release_place_open(ReleasePlace *place, Invocation *invocation, const char *product,
	gboolean make, GError **error)
{
	place->invocation = invocation;
	place->product = product;
	place->now_us = clock_now_us(invocation_clock(invocation));
	place->settings = invocation_settings(invocation, error);
	if (place->settings == NULL)
		return FALSE;
	const char *folder = invocation_option(invocation, "releases");
	if (folder == NULL)
		folder = settings_text(place->settings, "release.repository");
	if (folder == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"where is the repository of releases? Set [release] repository, or say "
			"--releases DIR");
		return FALSE;
	}
	place->repository = repository_open(folder, product, make, error);
	return place->repository != NULL && load_trust(place, error);
}

void release_place_clear(ReleasePlace *place)
{
	repository_unlock(place->lock);
	trust_free(place->trust);
	secret_key_free(place->index_key);
	repository_free(place->repository);
}

gboolean release_place_load_key(const ReleasePlace *place, const char *option, TrustUse use,
	SecretKey **key, GError **error)
{
	g_autofree char *name = g_strconcat("release.", option, NULL);
	const char *path = invocation_option(place->invocation, option);
	if (path == NULL)
		path = settings_text(place->settings, name);
	*key = NULL;
	if (path == NULL)
		return TRUE;
	g_autoptr(SecretKey) loaded = key_load_secret(path, error);
	if (loaded == NULL)
		return FALSE;
	const KeyId *id = &secret_key_public(loaded)->id;
	if (place->trust != NULL && trust_key(place->trust, use, id, place->now_us, error) == NULL)
		return FALSE;
	*key = g_steal_pointer(&loaded);
	return TRUE;
}

gboolean release_place_lock(ReleasePlace *place, const char *job, GError **error)
{
	g_autofree char *warning = NULL;
	GError *failed = NULL;
	for (int i = 0; i < LOCK_TRIES; i++) {
		place->lock =
			repository_lock(place->repository, job, CLOCK_SYSTEM, &warning, &failed);
		if (!drover_error_is(failed, DROVER_ERROR_LOCKED) || i + 1 == LOCK_TRIES)
			break;
		g_clear_error(&failed);
		g_usleep(LOCK_PAUSE_US);
	}
	if (failed != NULL)
		g_propagate_error(error, failed);
	if (warning != NULL)
		screen_warn(invocation_screen(place->invocation), "%s", warning);
	return place->lock != NULL;
}

gboolean release_place_sign(
	ReleasePlace *place, const GPtrArray *drop, gboolean *written, GError **error)
{
	gboolean was_written = FALSE;
	gint64 life_s = settings_integer(place->settings, "release.index-life");
	gboolean ok = place->index_key == NULL ||
		      repository_sign_index(place->repository, place->lock, place->index_key,
			      place->trust, drop, place->now_us, life_s, TRUE, &was_written, error);
	if (written != NULL)
		*written = was_written;
	return ok;
}

gboolean release_place_index(ReleasePlace *place, Index **index, GError **error)
{
	GError *failed = NULL;
	*index = repository_index(place->repository, place->trust, place->now_us, NULL, &failed);
	/* It is signed anew from what lies there; then nobody minds that one any more. */
	if (drover_error_is(failed, DROVER_ERROR_DENIED))
		screen_warn(invocation_screen(place->invocation), "the index counts as none: %s",
			failed->message);
	if (*index != NULL || drover_error_is(failed, DROVER_ERROR_NOT_FOUND) ||
		drover_error_is(failed, DROVER_ERROR_DENIED)) {
		g_clear_error(&failed);
		return TRUE;
	}
	g_propagate_error(error, failed);
	return FALSE;
}

static char *read_text(
	ReleasePlace *place, const char *version, const char *file, gsize maximum, GError **error)
{
	int fd = repository_open_file(place->repository, version, file, error);
	if (fd < 0)
		return NULL;
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	char *text = file_read(path, maximum, NULL, error);
	close(fd);
	return text;
}

json_t *release_place_tell(
	ReleasePlace *place, const char *version, const char *reason, GError **error)
{
	g_autofree char *manifest =
		read_text(place, version, REPOSITORY_MANIFEST_FILE, MANIFEST_MAXIMUM_BYTES, error);
	g_autofree char *signature = manifest != NULL
					     ? read_text(place, version, REPOSITORY_SIGNATURE_FILE,
						       SIGNATURE_MAXIMUM_BYTES, error)
					     : NULL;
	if (signature == NULL)
		return NULL;
	return invocation_call(place->invocation, "POST", NULL,
		body_of("manifest", manifest, "signature", signature, "reason", reason, NULL),
		error, "products", place->product, "releases", NULL);
}
