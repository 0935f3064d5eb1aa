/* SPDX-License-Identifier: ISC
 *
 * The folder that releases are published to (docs/release.md, "The repository"): plain files, to be
 * served by droverd, any web server, NFS or a stick.
 *
 *     PRODUCT/index                  signed (signed_text.h), replaced by one rename
 *     PRODUCT/delegation             signed, when there is one
 *     PRODUCT/VERSION/               manifest, manifest.minisig, payload.tar.zst, from-OLD.delta
 *     PRODUCT/.incoming/ID/          what is being published
 *     PRODUCT/.removed/ID/           what is being removed
 *     PRODUCT/.lock                  who writes
 *
 * A published version never changes. Whoever reads, in a loop, while it is written and whatever is
 * killed, sees whole versions only: all of VERSION comes by one rename, the index after it.
 */
#ifndef RELEASE_REPOSITORY_H
#define RELEASE_REPOSITORY_H

#include "base/clock.h"
#include "release/index.h"
#include "release/manifest.h"
#include "release/signed_text.h"

#define REPOSITORY_LOCK_BEAT_S	   10 /* between heartbeats of a holder */
#define REPOSITORY_LOCK_STALE_S	   90 /* without one: the holder is gone */
#define REPOSITORY_LOCK_NAMELESS_S 5  /* without saying who it is: killed while it took the lock */
#define REPOSITORY_INDEX_FILE	   "index"
#define REPOSITORY_DELEGATION_FILE "delegation"
#define REPOSITORY_MANIFEST_FILE   "manifest"
#define REPOSITORY_SIGNATURE_FILE  "manifest.minisig"
#define REPOSITORY_PAYLOAD_FILE	   "payload.tar.zst"

/* "from-1.4.1.delta". Caller frees. */
char *repository_delta_file(const char *from_version);

typedef struct Repository Repository; /* one product's part of a local folder */

/* Makes PRODUCT in the folder when `make`; else a missing one is DROVER_ERROR_NOT_FOUND, as a
 * missing folder always is: perhaps nobody mounted it. */
Repository *repository_open(const char *folder, const char *product, gboolean make, GError **error);
void repository_free(Repository *repository);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Repository, repository_free)

/* A lock that works on NFS: made with O_EXCL, says host, pid, job and a heartbeat, which a thread
 * renews. A holder of this host that is dead, or any without heartbeat for REPOSITORY_LOCK_STALE_S
 * (by the file's own server's time), is put aside by rename, by one only, and named in *warning
 * (may be NULL). Fails with DROVER_ERROR_LOCKED, naming the holder. What a killed writer left in
 * .incoming and .removed is cleaned up by who takes the lock next. */
typedef struct RepositoryLock RepositoryLock;
RepositoryLock *repository_lock(
	Repository *repository, const char *job, Clock clock, char **warning, GError **error);
void repository_unlock(RepositoryLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RepositoryLock, repository_unlock)

/* Reading: fail with DROVER_ERROR_NOT_FOUND, DROVER_ERROR_INPUT. Nothing is verified unless a
 * Trust is given. */
/* The index as it lies there, NULL with DROVER_ERROR_NOT_FOUND when nothing was ever published. */
Index *repository_index(Repository *repository, Trust *trust, gint64 now_us,
	char sha256[SHA256_HEX], GError **error);
/* `signer` may be NULL. With a Trust the signature must be good for it. */
Manifest *repository_manifest(Repository *repository, const char *version, const Trust *trust,
	gint64 now_us, KeyId *signer, char sha256[SHA256_HEX], GError **error);
/* What repository_manifest() verifies. */
Signature *repository_signature(Repository *repository, const char *version, GError **error);
/* Versions that lie there, whether or not in the index; char *, sorted by name. */
GPtrArray *repository_versions(Repository *repository, GError **error);
gboolean repository_has(const Repository *repository, const char *version);
/* Where the version lies, or will. Caller frees. */
char *repository_folder(const Repository *repository, const char *version);
/* A file of a version, for reading. */
int repository_open_file(
	Repository *repository, const char *version, const char *file, GError **error);

/* Compares each file of the version with what its manifest says, which was read from there; and
 * that there is no other. Fails with DROVER_ERROR_INPUT, DROVER_ERROR_NOT_FOUND. */
gboolean repository_check_files(Repository *repository, Manifest *manifest, TreeProgress progress,
	gpointer user, GError **error);

/* Publishing, with the lock. */
typedef struct PublishFile {
	const char *name; /* in the version's folder */
	const char *path; /* where it is now: copied, so the caller's stays */
} PublishFile;

typedef enum PublishOutcome { PUBLISH_DONE, PUBLISH_WAS_THERE } PublishOutcome;

/* All files of the version, manifest and signature among them: copied to .incoming/ID, compared
 * with the manifest's sizes and digests on the way, synced, renamed, the parent synced. The same
 * bytes again are PUBLISH_WAS_THERE; a version with another manifest or payload is
 * DROVER_ERROR_CONFLICT. */
gboolean repository_publish(Repository *repository, RepositoryLock *lock, Manifest *manifest,
	const PublishFile *files, gsize count, TreeProgress progress, gpointer user,
	PublishOutcome *outcome, GError **error);

/* Puts another signature of a published manifest in the place of the one that is there, for when
 * its key is stolen or ends. Not of other bytes: fails as trust_verify() does. */
gboolean repository_sign_again(Repository *repository, RepositoryLock *lock, const char *version,
	const Signature *signature, const Trust *trust, gint64 now_us, GError **error);

/* Signs the index anew: what it had and is still there, what lies in the repository since with a
 * signature that `trust` believes, without `drop` (char *, may be NULL: versions about to be
 * removed), and the revoked keys of `trust`, which should have taken the delegation. An index that
 * `trust` does not believe counts as none. `newest` never falls. With `only_when_due`: not when it
 * is as it should be and not half of its life is over; *written (may be NULL) says so. Fails as
 * trust_verify() when `trust` does not believe what it would write, with DROVER_ERROR_UNAVAILABLE
 * when the last one is of the future. */
gboolean repository_sign_index(Repository *repository, RepositoryLock *lock, const SecretKey *key,
	Trust *trust, const GPtrArray *drop, gint64 now_us, gint64 life_s, gboolean only_when_due,
	gboolean *written, GError **error);
/* A delegation, verified by `trust`, which takes it, replaces the one that is there. */
gboolean repository_put_delegation(Repository *repository, RepositoryLock *lock, Trust *trust,
	const char *text, const Signature *signature, GError **error);
/* What lies there as the delegation is taken by `trust`; nothing there is success. */
gboolean repository_take_delegation(Repository *repository, Trust *trust, GError **error);
/* Renames aside, then deletes. Take it out of the index first. Not there is success. */
gboolean repository_remove(
	Repository *repository, RepositoryLock *lock, const char *version, GError **error);

#endif
