/* SPDX-License-Identifier: ISC
 *
 * What the files of the configuration share.
 */
#ifndef BALANCE_CONFIG_PARTS_H
#define BALANCE_CONFIG_PARTS_H

#include "balance/config.h"

/* Reads `text` by the key's type into the struct that `base` points to; what was there is freed.
 * On failure it is as it was, and the error says what is wrong with the value, without its place.
 */
gboolean config_value_read(const ConfigKey *key, const char *text, void *base, GError **error);
/* Frees what the key's value owns. */
void config_value_clear(const ConfigKey *key, void *base);

#endif
