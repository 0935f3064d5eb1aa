/* SPDX-License-Identifier: ISC
 *
 * From the fields of a form to the ops of a change (docs/channel.md, "What if").
 */
#ifndef PAGE_CHANGE_OPS_H
#define PAGE_CHANGE_OPS_H

#include "page/visit.h"

/* The ops that the fields say: by `kind`, "rule" (what differs from the base_… fields), "insert",
 * "delete", "switch-on" or "json". Fails with DROVER_ERROR_INPUT. A new reference. */
json_t *change_ops(GHashTable *fields, GError **error);

/* Bodies of the API's calls, as FormRoute.make. */
json_t *change_body(const Visit *visit, GError **error);
json_t *shut_off_body(const Visit *visit, GError **error);
json_t *switch_on_body(const Visit *visit, GError **error);

#endif
