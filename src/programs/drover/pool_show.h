/* SPDX-License-Identifier: ISC
 *
 * How pools look on a terminal. Shapes are those of src/api/openapi.yaml.
 */
#ifndef DROVER_POOL_SHOW_H
#define DROVER_POOL_SHOW_H

#include "programs/terminal/show.h"

/* PoolSummary objects, a line each. */
void pool_show_list(const Screen *screen, const json_t *pools);
/* A Pool: its servers, then its balancers, then what somebody should look at. */
void pool_show_one(const Screen *screen, const json_t *pool);

#endif
