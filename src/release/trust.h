/* SPDX-License-Identifier: ISC
 *
 * Whose signature counts, for which product, at what time (docs/keys.md, "Trust").
 *
 * Root keys come from the host's own configuration, never from the repository. A root key may sign
 * everything. It delegates: a Delegation, signed by a root key, names other keys, what each may
 * sign (releases or the index) and until when, and the keys that are revoked. The index lists
 * revoked keys too. A revoked key counts for nothing, ever again, and so does what it signed;
 * revocations that were seen are kept when what said them has expired.
 *
 * A root key is revoked only by what a root key signed: who steals a delegated key must not be able
 * to throw out its owner.
 *
 * Pure: the time is an argument.
 */
#ifndef RELEASE_TRUST_H
#define RELEASE_TRUST_H

#include "release/signature.h"

#define DELEGATION_MAXIMUM_BYTES 65536
#define TRUST_MAXIMUM_KEYS	 100  /* roots of one product, and keys of one delegation */
#define TRUST_MAXIMUM_REVOKED	 1000 /* of one delegation or index */

typedef enum TrustUse { TRUST_USE_RELEASE, TRUST_USE_INDEX, TRUST_USE_DELEGATION } TrustUse;

typedef struct DelegatedKey {
	PublicKey key;
	TrustUse use; /* release or index */
	gint64 expires_us;
} DelegatedKey;

typedef struct Delegation {
	char *product;
	gint64 serial; /* from 1; never falls */
	gint64 issued_us;
	GArray *keys;	 /* of DelegatedKey, sorted by use and id, each id once a use */
	GArray *revoked; /* of KeyId, sorted, each once */
} Delegation;

Delegation *delegation_new(const char *product);
void delegation_free(Delegation *delegation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Delegation, delegation_free)
/* In any order. */
void delegation_add(Delegation *delegation, TrustUse use, const PublicKey *key, gint64 expires_us);
void delegation_revoke(Delegation *delegation, const KeyId *id);
/* The bytes to be signed; the only spelling that parses. Fails when it could not be read back.
 * Caller frees. */
char *delegation_text(Delegation *delegation, GError **error);
/* Fails with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE, naming the line. */
Delegation *delegation_parse(const char *name, const char *text, gsize size_bytes, GError **error);

/* Ids in order, each once: those of a delegation, an index, or what a host has seen. */
void revoked_add(GArray *revoked, const KeyId *id);
gboolean revoked_has(const GArray *revoked, const KeyId *id);
gboolean revoked_same(const GArray *a, const GArray *b);

/* What one host believes of one product. */
typedef struct Trust Trust;

Trust *trust_new(const char *product);
void trust_free(Trust *trust);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trust, trust_free)

/* From the host's configuration. Fails with DROVER_ERROR_CONFLICT when another key has this id. */
gboolean trust_add_root(Trust *trust, const PublicKey *key, GError **error);
/* What was seen before: kept by the host, which is why it is believed of root keys too. */
void trust_add_revoked(Trust *trust, const KeyId *id);
/* The lowest serial of a delegation that is still taken: that of the last one. */
void trust_set_serial(Trust *trust, gint64 serial);

/* Verifies a delegation and takes it: its keys replace those of the one before, its revocations are
 * added. Fails, changing nothing, with DROVER_ERROR_DENIED (not signed by a root key of ours, or a
 * revoked one; another product), DROVER_ERROR_CONFLICT (a serial below what was seen), or as
 * delegation_parse() does. */
gboolean trust_take_delegation(Trust *trust, const char *name, const char *text, gsize size_bytes,
	const Signature *signature, GError **error);
/* Takes the list of revoked keys of an index that `signer` signed. */
void trust_take_revoked(Trust *trust, const GArray *revoked, const KeyId *signer);

/* The key that may sign this at `now_us` and has this id. Owned by `trust`. Fails with
 * DROVER_ERROR_DENIED: unknown, revoked, expired, or for another use; says which, and what to do.
 */
const PublicKey *trust_key(
	const Trust *trust, TrustUse use, const KeyId *id, gint64 now_us, GError **error);
/* trust_key() and signature_verify() in one: what every reader of signed files calls. */
gboolean trust_verify(const Trust *trust, TrustUse use, const Signature *signature,
	const char *what, const void *bytes, gsize size_bytes, gint64 now_us, GError **error);

/* For showing and keeping. Owned by `trust`. */
const GArray *trust_revoked(const Trust *trust);
gint64 trust_serial(const Trust *trust);

#endif
