/* SPDX-License-Identifier: ISC
 *
 * minisign's four lines (docs/keys.md, "Signatures"):
 *
 *     untrusted comment: …            anything: nobody vouches for it
 *     RWT…                            algorithm, key id, signature of the file
 *     trusted comment: …              what is signed: kind, product, version
 *     …                               signature of the first signature and the trusted comment
 *
 * Written with the algorithm `Ed`, the file itself signed, which `minisign -V` and `signify -V`
 * accept; read also with `ED`, the BLAKE2b-512 of the file signed. signify's own signatures have
 * only the first two lines: they read, and verify, and vouch for no product and version.
 */
#ifndef RELEASE_SIGNATURE_H
#define RELEASE_SIGNATURE_H

#include "release/key.h"

#define SIGNATURE_MAXIMUM_BYTES		10240 /* the whole file */
#define SIGNATURE_MAXIMUM_COMMENT_BYTES 8191  /* the trusted comment, as in minisign */

typedef struct Signature {
	gboolean is_prehashed;
	KeyId key;
	guint8 bytes[crypto_sign_BYTES];
	char *untrusted_comment;
	char *trusted_comment; /* NULL: signify's two lines */
	guint8 comment_bytes[crypto_sign_BYTES];
} Signature;

void signature_free(Signature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Signature, signature_free)

/* `name` is the file's name in errors. Fails with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE. */
Signature *signature_parse(const char *name, const char *text, gsize size_bytes, GError **error);
/* The four lines, or two. Caller frees. */
char *signature_text(const Signature *signature);

/* Signs. `trusted_comment` is one line of UTF-8 without control characters but tabs; anything else
 * is a fault of ours: it aborts. */
Signature *signature_make(
	const SecretKey *key, const void *bytes, gsize size_bytes, const char *trusted_comment);
/* TRUE when `key` signed these bytes and the trusted comment, if there is one. Fails with
 * DROVER_ERROR_DENIED: another key, other bytes, another comment. `what` names the bytes. */
gboolean signature_verify(const Signature *signature, const PublicKey *key, const char *what,
	const void *bytes, gsize size_bytes, GError **error);

/* What Drover says in a trusted comment: "drover release product=web version=1.4.2". Names as of
 * manifest_check_name() or times. Caller frees. */
char *signature_comment(const char *kind, const char *product, const char *version);
/* TRUE when the trusted comment says exactly that. Fails with DROVER_ERROR_DENIED. */
gboolean signature_is_about(const Signature *signature, const char *kind, const char *product,
	const char *version, GError **error);

#endif
