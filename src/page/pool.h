/* SPDX-License-Identifier: ISC
 *
 * What the pages about pools share.
 */
#ifndef PAGE_POOL_H
#define PAGE_POOL_H

#include "page/parts.h"

/* A state of a server in a pool: its shape and its word. */
void pool_state(Html *html, const char *state);
/* A bar with a part for each group of states, and under it the same in words. `summary` is a
 * PoolSummary. */
void pool_bar(Html *html, const json_t *summary);
/* What somebody should look at; nothing when there is nothing. */
void pool_problems(Html *html, const json_t *summary, gsize limit);
/* The last day of a server, a line a balancer. `server` is a PoolServer. */
void pool_timeline(Html *html, const PageFrame *frame, const json_t *server);
/* For the first page: the pools that somebody should look at. NULL, or no pools: nothing. */
void pools_section(Html *html, const PageFrame *frame, const json_t *pools);

#endif
