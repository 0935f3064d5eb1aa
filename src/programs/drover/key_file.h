/* SPDX-License-Identifier: ISC
 *
 * What the files of drover key share.
 */
#ifndef DROVER_KEY_FILE_H
#define DROVER_KEY_FILE_H

#include "programs/drover/invocation.h"
#include "release/signature.h"

/* The value of an option that must be given: --key FILE. NULL with `error`. */
const char *key_needed(Invocation *invocation, const char *option, GError **error);
/* Asks for the password when the key has one. */
SecretKey *key_load_secret(const char *path, GError **error);
/* {"id", "public_key"}. New reference. */
json_t *key_describe(const PublicKey *key);
/* A file, or the key itself as one word. */
gboolean key_read_named(const char *named, PublicKey *key, GError **error);
Signature *key_load_signature(const char *path, GError **error);

/* Makes a key in the files --secret and --public, which must not be there. */
gboolean key_make(Invocation *invocation, PublicKey *made, GError **error);

extern const Option key_trust_options[];
extern const Option key_revoke_options[];
gboolean key_run_trust(Invocation *invocation, GError **error);
gboolean key_run_revoke(Invocation *invocation, GError **error);
extern const Option key_rotate_options[];
gboolean key_run_rotate(Invocation *invocation, GError **error);

#endif
