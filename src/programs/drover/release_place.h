/* SPDX-License-Identifier: ISC
 *
 * The repository of releases, as the commands that read and write it meet it: where it is, who may
 * sign there, and who holds it.
 */
#ifndef DROVER_RELEASE_PLACE_H
#define DROVER_RELEASE_PLACE_H

#include "programs/drover/invocation.h"
#include "release/repository.h"

typedef struct ReleasePlace {
	Invocation *invocation;
	Settings *settings;
	const char *product;
	Repository *repository;
	Trust *trust;	      /* NULL: no root keys are configured */
	SecretKey *index_key; /* NULL: droverd signs the index */
	RepositoryLock *lock; /* NULL until release_place_lock() */
	gint64 now_us;
} ReleasePlace;

/* --releases DIR, else [release] repository; with the root keys and what they delegated there.
 * `product` must outlive it. */
gboolean release_place_open(ReleasePlace *place, Invocation *invocation, const char *product,
	gboolean make, GError **error);
void release_place_clear(ReleasePlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ReleasePlace, release_place_clear)

/* --OPTION FILE, else [release] OPTION; a password is asked for. *key is NULL without an error when
 * neither is there. With root keys it must be one that may sign for `use`. */
gboolean release_place_load_key(const ReleasePlace *place, const char *option, TrustUse use,
	SecretKey **key, GError **error);
/* Takes the lock, and warns of whose it was. `job` is "publish", "gc"… */
gboolean release_place_lock(ReleasePlace *place, const char *job, GError **error);
/* Signs the index, with the lock, when it does not say what is there. Without an index key nothing
 * happens. *written may be NULL. */
gboolean release_place_sign(
	ReleasePlace *place, const GPtrArray *drop, gboolean *written, GError **error);
/* As far as it is believed; *index is NULL without an error when nothing was published yet. */
gboolean release_place_index(ReleasePlace *place, Index **index, GError **error);
/* Tells the server of what lies in the repository: POST …/releases. The API's ReleaseView. */
json_t *release_place_tell(
	ReleasePlace *place, const char *version, const char *reason, GError **error);

#define RELEASE_PLACE_OPTION                                                                       \
	{                                                                                          \
		"releases", "DIR", "The repository of releases, instead of [release] repository"   \
	}
#define RELEASE_INDEX_KEY_OPTION                                                                   \
	{                                                                                          \
		"index-key", "FILE",                                                               \
			"The key that signs the index, instead of [release] index-key"             \
	}

#endif
